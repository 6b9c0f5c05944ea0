"""The sources of resources/datasets.yaml, each from what its publisher ships to the packed manifest."""

import io
import pickle
import re
from collections import defaultdict

import numpy as np
import pytest
from archive_maker import needs_libarchive, stored_rar
from data_helpers import ARCHIVES, encoded, make_tar, make_zip, picture, real, tar_bytes
from prepared import REGISTRY, pictures, prepare
from scipy.io import savemat

from apr.data.formats import format_options
from apr.data.packed import STORAGES
from study.settings import resolve_dataset

STUDY_A = ("imagenet", "concrete", "mlc2008", "ham10000", "powerline", "insects", "natural", "cifar10", "cifar100")


# --- what each entry says


@pytest.mark.parametrize("name", REGISTRY)
def test_every_entry_resolves(name):
    entry = resolve_dataset(name, None, REGISTRY)
    assert not set(entry["options"]) - set(format_options(entry["format"]))
    assert entry["storage"] in STORAGES
    assert entry["classes"] >= 2
    for key in ("title", "domain", "home", "licence"):
        assert isinstance(entry[key], str), key
    for file in entry["files"]:
        assert re.fullmatch(r"[\w.-]+", file["name"])
        assert file["url"] is None or re.match("https://|bundled:", file["url"])
        assert file["md5"] is None or re.fullmatch("[0-9a-f]{32}", file["md5"])
        assert file["sha256"] is None or re.fullmatch("[0-9a-f]{64}", file["sha256"])


@pytest.mark.parametrize(
    "name", [name for name in REGISTRY if any(not file["url"] for file in REGISTRY[name]["files"])]
)
def test_a_source_without_address_says_what_to_fetch_and_where_to_put_it(name):
    entry = REGISTRY[name]
    assert "https://" in entry["login"]
    assert f"data/raw/{name}/" in entry["login"]
    for file in entry["files"]:
        assert file["url"] or file["name"] in entry["login"]


@pytest.mark.parametrize("name", [name for name in REGISTRY if REGISTRY[name].get("login")])
def test_a_download_by_hand_goes_where_the_workflow_looks(name):
    entry = REGISTRY[name]
    assert all(file["name"] in entry["login"] for file in entry["files"])
    assert entry["login"].count("data/raw/") == entry["login"].count(f"data/raw/{name}/") == 1


def test_the_nine_datasets_of_study_a_have_the_paper_s_class_counts():
    counts = [REGISTRY[name]["classes"] for name in STUDY_A]
    assert counts == [1000, 2, 9, 7, 2, 291, 6, 10, 100]


# --- from archive to manifest


def zipped(tmp_path, members):
    return make_zip(tmp_path / "inner.zip", members).read_bytes()


def test_concrete_in_a_rar(tmp_path):
    needs_libarchive()
    members = pictures("Positive\\{:05d}.jpg", 20) | pictures("Negative\\{:05d}_1.jpg", 30)
    path = tmp_path / "concrete.rar"
    path.write_bytes(stored_rar(members))
    _, manifest = prepare(tmp_path, "concrete", [path])
    assert manifest["classes"] == ["Negative", "Positive"]
    assert manifest["per_class"] == {"train": [27, 18], "test": [3, 2]}
    rar = {"Concrete Crack Images for Classification.rar": path.read_bytes()}
    whole = make_zip(tmp_path / "5y9wdsg2zt-2.zip", rar)
    _, again = prepare(tmp_path, "concrete", [whole], files=[{"url": "file:5y9wdsg2zt-2.zip"}])
    assert again["bin_sha256"] == manifest["bin_sha256"]


def test_concrete_on_the_slice(tmp_path):
    paths = real("concrete-cracks.zip")
    listing, manifest = prepare(tmp_path, "concrete", paths, most=20, files=[{"url": "file:x"}])
    assert len(listing.items) == 700
    assert manifest["per_class"] == {"train": [18, 18], "test": [2, 2]}


def test_mlc2008(tmp_path):
    labels = REGISTRY["mlc2008"]["options"]["classes"]
    members = {}
    for number in range(3):
        name = f"2008/mcr_lter1_fringingreef_pole1-2_qu{number}_20080415.jpg"
        members[name] = encoded(picture(number, (420, 360)))
        points = [f"{row * 3}; {row * 4}; {[*labels, 'Off'][row % 10]}" for row in range(100)]
        members[f"{name}.txt"] = "\n".join(["# Row; Col; Label", *points]).encode()
    listing, manifest = prepare(tmp_path, "mlc2008", [make_zip(tmp_path / "mlc2008.zip", members)])
    assert manifest["classes"] == labels
    assert manifest["n_train"] + manifest["n_test"] == len(listing.items) == 3 * 65
    assert manifest["ignored"] == {"label Off": 30, "point_not_drawn": 75}
    assert manifest["sizes"] == {side: {"min": 312, "median": 312, "max": 312} for side in ("height", "width")} | {
        "distinct": 1
    }
    every = {"per_image": None}
    listing, _ = prepare(tmp_path, "mlc2008", [tmp_path / "mlc2008.zip"], options=every, split={"by": "group"})
    assert len(listing.items) == 270


def test_ham10000(tmp_path):
    paths = real("HAM10000_images_part_1.zip", "HAM10000_images_part_2.zip", "HAM10000_metadata.csv")
    listing, manifest = prepare(tmp_path, "ham10000", paths, most=20)
    found = defaultdict(int)
    for item in listing.items:
        found[item.label] += 1
    assert found == {"nv": 6705, "mel": 1113, "bkl": 1099, "bcc": 514, "akiec": 327, "vasc": 142, "df": 115}
    assert manifest["per_class"] == {"train": [18] * 7, "test": [2] * 7}


def test_powerline_in_the_published_archive(tmp_path):
    top = "Power_Line_Database (Infrared-IR and Visible Light-VL)"
    members = {f"{top}/Licence.txt": b"MIT", f"__MACOSX/{top}/._Licence.txt": b"", f"{top}/.DS_Store": b""}
    for folder, code in (("Visible Light (VL)", "VL"), ("Infrared (IR)", "IR")):
        for label in ("TV", "TY"):
            members |= pictures(f"{top}/{folder}/{label}_{code}_{{:04d}}.bmp", 10, "BMP")
    whole = make_zip(tmp_path / "powerline.zip", {f"Powerline Image Dataset/{top}.zip": zipped(tmp_path, members)})
    _, manifest = prepare(tmp_path, "powerline", [whole])
    assert manifest["classes"] == ["TV", "TY"]
    assert manifest["per_class"] == {"train": [18, 18], "test": [2, 2]}
    _, plain = prepare(tmp_path, "powerline", [make_zip(tmp_path / "powerline.zip", members)])
    assert plain["per_class"] == manifest["per_class"]


def test_powerline_on_the_authors_sample(tmp_path):
    _, manifest = prepare(tmp_path, "powerline", real("powerline.zip"))
    assert manifest["per_class"] == {"train": [18, 18], "test": [2, 2]}


def test_insects(tmp_path):
    keys = {"1035201": 10, "998": 20, "4470555": 30}
    members = {}
    for key, count in keys.items():
        members |= pictures(f"database/{key}/BMNHE_{key}_{{:05d}}.jpg", count)
    members |= pictures("database/998/second drawer/BMNHE_{:05d}.jpg", 10)
    whole = make_zip(tmp_path / "insects.zip", {"database.zip": zipped(tmp_path, members)})
    _, manifest = prepare(tmp_path, "insects", [whole], classes=3)
    assert manifest["classes"] == ["998", "1035201", "4470555"]
    assert manifest["per_class"] == {"train": [27, 9, 27], "test": [3, 1, 3]}


def test_natural(tmp_path):
    paths = real("intel-image-classification.zip")
    listing, manifest = prepare(tmp_path, "natural", paths, most=12)
    assert len(listing.items) == 840
    assert manifest["classes"] == ["buildings", "forest", "glacier", "mountain", "sea", "street"]
    assert manifest["per_class"] == {"train": [12] * 6, "test": [12] * 6}
    assert manifest["split"] == {"rule": "shipped"}


def test_natural_without_its_unlabelled_pictures(tmp_path):
    members = pictures("seg_pred/seg_pred/{}.jpg", 9)
    for label in ("buildings", "forest", "glacier", "mountain", "sea", "street"):
        members |= pictures(f"seg_train/seg_train/{label}/{{}}.jpg", 3)
        members |= pictures(f"seg_test/seg_test/{label}/{{}}.jpg", 2)
    path = make_zip(tmp_path / "intel-image-classification.zip", members)
    _, manifest = prepare(tmp_path, "natural", [path])
    assert manifest["per_class"] == {"train": [3] * 6, "test": [2] * 6}


def test_cifar10(tmp_path):
    listing, manifest = prepare(tmp_path, "cifar10", real("cifar-10-python.tar.gz"))
    assert len(listing.items) == 1_500
    assert manifest["classes"][:3] == ["airplane", "automobile", "bird"]
    assert (manifest["n_train"], manifest["n_test"]) == (1_000, 500)


def test_cifar100(tmp_path):
    fine = [f"fine{number:02d}" for number in range(100)]
    rng = np.random.default_rng(0)
    members = {"meta": {b"fine_label_names": fine, b"coarse_label_names": ["a", "b"]}}
    for part, count in (("train", 200), ("test", 100)):
        labels = [number % 100 for number in range(count)]
        data = rng.integers(0, 256, (count, 3072), np.uint8)
        members[part] = {b"data": data, b"fine_labels": labels, b"coarse_labels": [0] * count}
    dumped = {f"cifar-100-python/{name}": pickle.dumps(value, 2) for name, value in members.items()}
    _, manifest = prepare(tmp_path, "cifar100", [make_tar(tmp_path / "cifar-100-python.tar.gz", dumped, "w:gz")])
    assert manifest["classes"] == fine
    assert manifest["per_class"] == {"train": [2] * 100, "test": [1] * 100}


def devkit(root, wnid_of, truth):
    """The official archive, with a meta.mat like the shipped one."""
    synsets = np.zeros(len(wnid_of), [("ILSVRC2012_ID", object), ("WNID", object), ("words", object)])
    for row, (number, wnid) in enumerate(wnid_of.items()):
        synsets[row] = (number, wnid, "words")
    buffer = io.BytesIO()
    savemat(buffer, {"synsets": synsets})
    data = {"meta.mat": buffer.getvalue(), "ILSVRC2012_validation_ground_truth.txt": truth}
    members = {f"ILSVRC2012_devkit_t12/data/{name}": value for name, value in data.items()}
    return make_tar(root / "ILSVRC2012_devkit_t12.tar.gz", members, "w:gz")


def test_imagenet(tmp_path):
    raw = tmp_path / "raw"
    raw.mkdir()
    labels = ("n01440764", "n02102040")
    inner = {f"{wnid}.tar": tar_bytes(pictures(f"{wnid}_{{}}.JPEG", 3 + place)) for place, wnid in enumerate(labels)}
    paths = [
        make_tar(raw / "ILSVRC2012_img_train.tar", inner),
        make_tar(raw / "ILSVRC2012_img_val.tar", pictures("ILSVRC2012_val_{:08d}.JPEG", 3)),
        devkit(raw, dict(enumerate(labels, start=1)), b"2\n1\n2\n"),
    ]
    _, manifest = prepare(tmp_path, "imagenet", paths, classes=2)
    assert manifest["classes"] == list(labels)
    assert manifest["per_class"] == {"train": [3, 4], "test": [1, 2]}


def test_imagenet_on_the_slice(tmp_path):
    paths = real("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar")
    truth, table = real("ilsvrc2012_tables/ILSVRC2012_validation_ground_truth.txt", "ilsvrc2012_tables/map_clsloc.txt")
    for path in paths:
        (tmp_path / path.name).symlink_to(ARCHIVES / path.name)
    rows = [line.split() for line in table.read_text().splitlines()]
    devkit(tmp_path, {int(row[1]): row[0] for row in rows}, truth.read_bytes())
    files = [tmp_path / file["name"] for file in REGISTRY["imagenet"]["files"]]
    options = {"missing": "drop"}
    listing, manifest = prepare(tmp_path, "imagenet", files, most=3, classes=5, options=options)
    assert manifest["classes"] == ["n01629819", "n02116738", "n02165105", "n02417914", "n03662601"]
    assert len(listing.items) + manifest["ignored"]["class_without_both_parts"] == 640 + 239
