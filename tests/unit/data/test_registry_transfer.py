"""The sources of Study B, each from what its publisher ships to the packed manifest."""

import io
import zipfile

import numpy as np
import pytest
from data_helpers import JPEG, encoded, make_zip, picture, real
from packed_sets import said
from prepared import REGISTRY, prepare

from apr.basics.problems import Problem
from apr.data.formats import multi_label, read_listing
from apr.data.packed import groups_of
from apr.data.sources.download import verify
from apr.data.splits import folds_as_released, rows_as_released
from study.settings import resolve_dataset

RELEASED = {"eurosat": 42, "aptos": 414, "aptos_filtered": 414, "cassava": 414, "melanoma": 23}
STUDY_B = (*RELEASED, "cct20", "hpa", "melanoma_ham")


def parts_of(folder, name):
    """The names of the images in each part, and their groups."""
    lines = (folder / f"{name}.files.txt").read_text().splitlines()
    codes = np.load(folder / f"{name}.index.npy")["split"].tolist()
    names = [line.partition("\t")[0] for line in lines]
    return [{one for one, code in zip(names, codes, strict=True) if code == part} for part in range(3)]


def drawn(listing, seed):
    return [
        listing.items[row].name
        for row in rows_as_released([item.label for item in listing.items], listing.classes, 0.2, seed)
    ]


def test_each_has_a_validation_part():
    for name in STUDY_B:
        entry = resolve_dataset(name, None, REGISTRY)
        options = entry["options"]
        shipped = options.get("validation") or options.get("validation_values")
        assert bool(entry["split"].get("validation_fraction")) != bool(shipped), name
        assert multi_label(entry["format"], options) == (name == "hpa")
    for name, seed in RELEASED.items():
        split = {"by": "released", "test_fraction": 0.2, "seed": seed, "validation_fraction": 0.1}
        assert resolve_dataset(name, None, REGISTRY)["split"] == split


def test_eurosat_on_the_slice(tmp_path):
    listing, manifest = prepare(tmp_path, "eurosat", real("EuroSAT.zip"))
    assert manifest["classes"][:3] == ["AnnualCrop", "Forest", "HerbaceousVegetation"]
    names = [item.name for item in listing.items]
    assert names == sorted(names)  # the order of ImageFolder
    train, test, validation = parts_of(tmp_path, "eurosat")
    assert test == set(drawn(listing, 42))
    assert (len(train), len(test), len(validation)) == (2_268, 648, 324)


def test_aptos_on_the_slice(tmp_path):
    listing, manifest = prepare(tmp_path, "aptos", real("aptos2019-blindness-detection.zip"))
    assert (len(listing.items), manifest["classes"]) == (25, ["0", "1", "2", "3", "4"])
    assert manifest["per_class"]["test"] == [1, 1, 1, 1, 1]


def test_aptos_filtered_says_what_it_is(tmp_path):
    assert "Gaussian-filtered by a third party" in REGISTRY["aptos_filtered"]["title"]
    listing, manifest = prepare(tmp_path, "aptos_filtered", real("aptos2019_all_96px.zip"))
    assert manifest["per_class"]["test"] == [361, 74, 199, 38, 59]
    ids = [name.rpartition("/")[2].removesuffix(".jpg") for name in drawn(listing, 414)[:3]]
    assert ids == ["73a07e2ea23e", "f7116e7b2f4e", "a6356a3c5d11"]
    assert parts_of(tmp_path, "aptos_filtered")[1] == set(drawn(listing, 414))
    assert said(manifest, "under two labels")
    assert manifest["copies"]["two_labels"] == 30


def test_cassava_on_the_slice(tmp_path):
    paths = real("cassava-leaf-disease-classification.zip")
    with pytest.raises(Problem, match=r"cassava: its test part is empty: 7 images are too few"):
        prepare(tmp_path, "cassava", paths)
    listing = read_listing(tmp_path / "unpacked", "csv_labels", REGISTRY["cassava"]["options"])
    assert listing.classes == ["CBB", "CBSD", "CGM", "CMD", "healthy"]
    assert [item.label for item in listing.items[:2]] == ["CBB", "CMD"]  # 0 and 3 in the table


def folded(first, folds, patients):
    """A zip of train.csv and train/<image_name>.jpg: four images of each fold, and one of fold -1."""
    table = ["image_name,patient_id,target,tfrecord"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(4 * folds + 1):
            name = f"ISIC_{first + number:07d}"
            fold = number // 4 if number < 4 * folds else -1
            table.append(f"{name},{f'IP_{number // 2}' if patients else -1},{number % 2},{fold}")
            archive.writestr(f"train/{name}.jpg", encoded(picture(first + number)))
        archive.writestr("train.csv", "\n".join(table))
        archive.writestr("test/ISIC_9999999.jpg", JPEG)
    return buffer.getvalue()


def test_melanoma(tmp_path):
    inner = {"melanoma-2020.zip": folded(0, 15, True), "melanoma-2019.zip": folded(1000, 30, False)}
    listing, manifest = prepare(tmp_path, "melanoma", [make_zip(tmp_path / "melanoma.zip", inner)])
    assert (len(listing.items), manifest["classes"]) == (180, ["rest", "melanoma"])
    assert listing.ignored["row_left_out"] == 2
    assert [listing.items[0].name, listing.items[-1].name] == [
        "melanoma-2020/train/ISIC_0000000.jpg",
        "melanoma-2019/train/ISIC_0001119.jpg",
    ]
    fold_of = {item.name: item.fold for item in listing.items}
    folds = [{fold_of[name] for name in names} for names in parts_of(tmp_path, "melanoma")]
    assert sum(map(len, folds)) == len(set.union(*folds)) == 45
    test = folds_as_released([item.fold for item in listing.items], 0.2, 23)
    assert folds[1] == {item.fold for item, held in zip(listing.items, test, strict=True) if held}
    assert manifest["per_class"]["test"] == [18, 18]
    assert manifest["n_groups"] == 30 + 120  # patients of 2020; each image of 2019 by itself
    assert groups_of(tmp_path / "melanoma", 150).max() == 149


def test_melanoma_against_the_rest_by_lesion(tmp_path):
    paths = real("HAM10000_images_part_1.zip", "HAM10000_images_part_2.zip", "HAM10000_metadata.csv")
    _, manifest = prepare(tmp_path, "melanoma_ham", paths)
    assert manifest["classes"] == ["rest", "melanoma"]
    assert sum(counts[1] for counts in manifest["per_class"].values()) == 1_113
    groups = groups_of(tmp_path / "melanoma_ham", manifest["n_groups"])
    codes = np.load(tmp_path / "melanoma_ham.index.npy")["split"]
    assert len(set(zip(groups.tolist(), codes.tolist(), strict=True))) == 7_470  # none is in two parts
    assert manifest["n_test"] == pytest.approx(2_003, abs=20)


@pytest.mark.parametrize("name", ["aptos", "cassava", "melanoma", "hpa"])
def test_a_login_says_what_and_where(tmp_path, name):
    entry = resolve_dataset(name, None, REGISTRY)
    logins = dict.fromkeys((file["name"] for file in entry["files"]), entry["login"])
    with pytest.raises(Problem) as caught:
        verify(name, entry["files"], tmp_path / "data/raw" / name, tmp_path / "trusted.json", logins=logins)
    for word in (entry["files"][0]["name"], "https://www.kaggle.com", f"data/raw/{name}/"):
        assert word in str(caught.value)
