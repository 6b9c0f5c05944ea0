"""The validation part on its way from a publisher's layout, or from a draw, to a view's indices."""

from collections import Counter

import numpy as np
import pytest
from data_helpers import SHIPPED, class_folders, counts, encoded, picture, put

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.packed import groups_of, open_packed
from apr.data.packing import pack_dataset
from apr.data.views import select_view, view_indices

VIEW = {"classes": None, "per_class": None, "cap": None, "seed": 0, "within": None}


def pack(listing, out, **split):
    about = {"name": "set", "storage": "pixels", "split": SHIPPED | split}
    return pack_dataset(listing, out / "set", out / "set.json", **about)


def said(manifest, words):
    return [note for note in manifest["notes"] if words in note]


@pytest.fixture
def shipped(tmp_path):
    for number, part in enumerate(("train", "test", "val")):
        for row, label in enumerate(("cat", "dog")):
            for one in range(6 if part == "train" else 2):
                data = encoded(picture(100 * number + 10 * row + one), "PNG")
                put(tmp_path / "in", f"{part}/{label}/{one}.png", data=data)
    return tmp_path / "in"


def test_folders_of_three_parts(shipped, tmp_path):
    listing = read_listing(shipped, "split_folders", {"validation": "val"})
    assert counts(listing)["cat", "validation"] == 2
    assert not listing.ignored.notes
    manifest = pack(listing, tmp_path)
    assert manifest["per_class"] == {"train": [6, 6], "test": [2, 2], "validation": [2, 2]}
    assert (manifest["n_validation"], manifest["split"]) == (4, {"rule": "shipped"})
    names = (tmp_path / "set.files.txt").read_text().splitlines()
    packed = open_packed(tmp_path / "set", "pixels")
    assert {name.split("/")[0] for name, code in zip(names, packed.index["split"], strict=True) if code == 2} == {"val"}
    with pytest.raises(Problem, match=r"validation_fraction: 0\.1: a validation part is shipped; leave this key out"):
        pack(listing, tmp_path / "again", validation_fraction=0.1)
    with pytest.raises(Problem, match=r"no folder 'dev' \(it holds test, train, val\); set options: validation"):
        read_listing(shipped, "split_folders", {"validation": "dev"})


def test_a_column_a_name_or_an_array_says_validation(shipped, tmp_path):
    files = [path.relative_to(shipped).as_posix() for path in sorted(shipped.rglob("*.png"))]
    (shipped / "labels.csv").write_text("file,kind,part\n" + "".join(f"{f},{f[-9:-6]},{f[:3]}\n" for f in files))
    columns = {"table": "labels.csv", "image": "file", "label": "kind", "split": "part"}
    values = {"train_values": "tra", "test_values": "tes", "validation_values": "VAL"}
    table = read_listing(shipped, "csv_labels", columns | values)
    pattern = {"pattern": "^(?P<split>[a-z]+)/(?P<class>[a-z]+)/"}
    named = read_listing(shipped, "file_names", pattern | {"validation_values": "val"})
    by_default = read_listing(shipped, "file_names", pattern)
    assert Counter(item.split for item in table.items) == {"train": 12, "test": 4, "validation": 4}
    assert Counter(item.split for item in named.items) == {"train": 12, "test": 4, "validation": 4}
    assert Counter(item.split for item in by_default.items) == {"train": 12, "test": 8}
    x, y = np.arange(4 * 3, dtype=np.uint8).reshape(4, 1, 3), np.arange(4) % 2
    for keys in (("x_{}", "y_{}"), ("{}_images", "{}_labels")):
        arrays = {
            key.format(part): value
            for part in ("train", "val", "test")
            for key, value in zip(keys, (x, y), strict=True)
        }
        np.savez(tmp_path / "a.npz", **arrays)
        assert counts(read_listing(tmp_path, "npz", {"file": "a.npz", "validation": True}))["0", "validation"] == 2
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    with pytest.raises(Problem, match="lacks x_val and y_val"):
        read_listing(tmp_path, "npz", {"file": "a.npz", "validation": True})


def test_a_drawn_validation_part_leaves_the_test_part_as_it_is(tmp_path):
    listing = read_listing(class_folders(tmp_path / "in", {"cat": 20, "dog": 10, "eel": 2}), "class_folders")
    without = pack(listing, tmp_path / "two")
    manifest = pack(listing, tmp_path / "three", validation_fraction=0.2)
    assert "validation" not in without["per_class"]
    assert manifest["per_class"] == {"train": [14, 7, 1], "test": [2, 1, 1], "validation": [4, 2, 0]}
    assert manifest["split"] == {"rule": "drawn", **SHIPPED, "validation_fraction": 0.2}
    assert said(manifest, "no validation image of 1 of 3 classes: 'eel'")
    assert said(manifest, "its validation part holds 6 images: an error rate p")
    names = [(tmp_path / one / "set.files.txt").read_text().splitlines() for one in ("two", "three")]
    assert [name for name in names[1] if name in names[0][-4:]] == names[0][-4:]
    assert pack(listing, tmp_path / "again", validation_fraction=0.2) == manifest
    nothing = pack(listing, tmp_path / "none", validation_fraction=0.0)
    digests = ("bin_sha256", "index_sha256", "per_class")
    assert [nothing[key] for key in digests] == [without[key] for key in digests]


def test_a_validation_part_is_cut_out_of_a_shipped_train_part(shipped, tmp_path):
    listing = read_listing(shipped, "split_folders", {"group": r"/(?P<group>\d)\.png"})
    manifest = pack(listing, tmp_path, validation_fraction=0.3, by="group", seed=3)
    assert manifest["per_class"]["test"] == [2, 2]
    assert manifest["per_class"]["train"] == manifest["per_class"]["validation"][::-1] or manifest["n_validation"] == 4
    assert manifest["split"] == {"rule": "shipped", "validation_fraction": 0.3, "seed": 3, "by": "group"}
    named = groups_of(tmp_path / "set", manifest["n_groups"]).tolist()
    index = open_packed(tmp_path / "set", "pixels").index
    groups = {code: {group for group, c in zip(named, index["split"], strict=True) if c == code} for code in (0, 2)}
    assert not groups[0] & groups[2]


def test_copies_in_the_validation_part_are_said(shipped, tmp_path):
    (shipped / "val/cat/0.png").write_bytes((shipped / "train/cat/3.png").read_bytes())
    (shipped / "val/dog/1.png").write_bytes((shipped / "test/dog/0.png").read_bytes())
    manifest = pack(read_listing(shipped, "split_folders", {"validation": "val"}), tmp_path)
    assert manifest["copies"]["test_in_train"] == 0
    assert manifest["copies"]["validation_elsewhere"] == 2
    [note] = said(manifest, "2 of 4 validation images are also in train or test, pixel by pixel")
    assert (
        "val/cat/0.png = train/cat/3.png, val/dog/1.png = test/dog/0.png; that is the split as it was shipped" in note
    )


def test_near_copies_and_torn_groups_of_the_validation_part_are_said(tmp_path):
    for label, start in (("cat", 0), ("dog", 50)):
        for number in range(8):
            image = picture(start + number, (96, 96))
            put(tmp_path / "in" / label, f"{number}.png", data=encoded(image, "PNG"))
            put(tmp_path / "in" / label, f"{number}_small.png", data=encoded(image.resize((80, 70)), "PNG"))
    listing = read_listing(tmp_path / "in", "class_folders", {"group": r"/(?P<group>\d)"})
    torn = pack(listing, tmp_path, validation_fraction=0.3)
    assert torn["copies"]["near_validation_elsewhere"] > 0
    assert said(torn, "validation images nearly equal one in train or test")
    assert said(torn, "validation images have one in train of the same group")
    whole = pack(listing, tmp_path, validation_fraction=0.3, by="group")
    assert whole["copies"]["near_validation_elsewhere"] == 0
    assert not said(whole, "of the same group")


def test_views_have_the_validation_part(tmp_path):
    listing = read_listing(class_folders(tmp_path / "in", {"cat": 20, "dog": 10, "eel": 2}), "class_folders")
    dataset = pack(listing, tmp_path, validation_fraction=0.2)
    index = open_packed(tmp_path / "set", "pixels").index
    few = select_view("v", VIEW | {"per_class": 1}, dataset, index)
    assert few["per_class"] == {"train": [1, 1, 1], "test": [2, 1, 1], "validation": [4, 2, 0]}
    arrays = view_indices(few, index)
    assert set(index["split"][arrays["validation"]]) == {2}
    assert arrays["validation_labels"].tolist() == [0, 0, 0, 0, 1, 1]
    capped = select_view("v", VIEW | {"cap": "second_largest"}, dataset, index)
    assert (capped["n_validation"], capped["per_class"]["validation"]) == (4, [2, 2, 0])
    without = select_view("v", VIEW | {"classes": ["eel", "dog"]}, dataset, index)
    assert without["per_class"]["validation"] == [2, 0]
    index = np.array(index)
    index["split"][index["split"] == 2] = 0
    with pytest.raises(Problem, match="was drawn from other images"):
        view_indices(few, index)
