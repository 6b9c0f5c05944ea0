"""How many of many are named in a message, and how far is looked: each bound from both sides."""

import json
import pickle

import numpy as np
import pytest
from data_helpers import put, refused_as

from apr.basics.problems import Problem
from apr.data.formats import Listing, folders, imagenet, read_listing
from apr.data.formats.arrays import _complete, _listing
from apr.data.formats.camera_traps import _read
from apr.data.formats.labels import LabelCells
from apr.data.packing import pack_dataset
from apr.data.reading.label_table import Row
from apr.data.reading.listing import in_order
from apr.data.reading.walking import LeftOut
from apr.data.sources.archive_members import Member
from apr.data.views import select_view

LETTERS = "abcdefghijklmnopqrstu"


def test_ten_classes_of_a_dataset_and_twenty_of_a_listing_are_named(tmp_path):
    dataset = {"name": "zoo", "classes": list(LETTERS)}
    with refused_as(f"view 'v': classes: dataset 'zoo' has no 'xyz' (it has {', '.join(LETTERS[:10])}, ...)"):
        select_view("v", {"classes": ["xyz", "a"]}, dataset, np.zeros(0))
    with refused_as(
        f"set: 3 classes expected, 21 found ({', '.join(LETTERS[:20])}); correct `classes`, or look at what was "
        "unpacked"
    ):
        pack_dataset(Listing([], list(LETTERS)), tmp_path, tmp_path, name="set", storage="pixels", split={}, classes=3)
    with refused_as("options: classes_order: does not list each class once (see ['a', 'b', 'c', 'd', 'e'])"):
        in_order("abcdef", [])


@pytest.mark.parametrize("count", [10, 11])
def test_ten_names_that_do_not_match_are_named(tmp_path, count):
    put(tmp_path, *(f"{letter}.png" for letter in LETTERS[:count]))
    shown = ", ".join(f"{letter}.png" for letter in LETTERS[:10]) + (" and 1 more" if count > 10 else "")
    with refused_as(
        f"{tmp_path}: {count} images do not match '(?P<class>x)': {shown}; widen options: pattern, or set "
        "unmatched: ignore"
    ):
        read_listing(tmp_path, "file_names", {"pattern": "(?P<class>x)"})


def test_ten_columns_and_ten_arrays_are_named(tmp_path):
    columns = LETTERS[:11]
    shown = ", ".join(f"{column} 0" for column in LETTERS[:10])
    with refused_as(
        f"t.csv: line 2: one column of options: label has to be 1 and all others 0 ({shown}); where an image may have"
        " several labels, set options: multi_label: true"
    ):
        LabelCells(columns)._of("t.csv", Row(2, dict.fromkeys(columns, "0")))
    left = LeftOut()
    _complete("a.npz", ["x_train", "y_train", *columns], ("x_train", "y_train"), left)
    assert left.notes == [f"a.npz: arrays of other names are left out: {', '.join(LETTERS[:10])} and 1 more"]
    assert left["unknown_array"] == 11
    images = np.zeros((13, 2, 2), np.uint8)
    with refused_as(f"a.npz: 1 class names for 13 labels ({list(range(12))}); correct `classes`"):
        _listing("a.npz", {None: (images, np.arange(13))}, ["x"], LeftOut())


def test_all_batches_that_are_missing_are_named(tmp_path):
    (tmp_path / "batches.meta").write_bytes(pickle.dumps({b"label_names": [b"cat"]}, 2))
    missing = ", ".join([*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"])
    with refused_as(
        f"{tmp_path}: the set is incomplete: {missing} missing; put what is missing there, or fetch the set again"
    ):
        read_listing(tmp_path, "cifar")


def test_a_hundred_characters_of_an_entry_are_shown(tmp_path):
    entry = {"id": 1, "x": "y" * 200}
    (tmp_path / "a.json").write_text(json.dumps({"images": [entry]}))
    with refused_as(f"{tmp_path}/a.json: one of its images lacks id, file_name: {{'id': 1, 'x': '{'y' * 84}"):
        _read(tmp_path / "a.json")


@pytest.mark.parametrize(("place", "found"), [("a/b/c/d", True), ("a/b/c/d/e", False)])
def test_parts_are_looked_for_four_levels_down(tmp_path, place, found):
    put(tmp_path, *(f"{place}/{part}/x/1.png" for part in ("train", "test")), "0/1.png")
    options = f"options: {{root: {place}, train: train, test: test}}"
    with pytest.raises(Problem, match=r"^[^ ]*: no folder 'train' \(it holds 0, a\); set ") as caught:
        read_listing(tmp_path, "split_folders")
    assert str(caught.value).endswith(options if found else "set options: train")


def test_so_many_folders_a_level_are_looked_into(tmp_path, monkeypatch):
    put(tmp_path, "0/1.png", *(f"z/{part}/{label}/1.png" for part in ("train", "test") for label in "xy"))
    assert folders.MANY == 200
    for many, options in ((2, "{root: z, train: train, test: test}"), (1, "")):
        monkeypatch.setattr(folders, "MANY", many)
        assert folders._parts_below(tmp_path).removeprefix("options: ").replace("\ufdd0", "") == options


def test_sixteen_pieces_of_a_devkit_s_file_are_read(monkeypatch):
    def members(*_):
        for name in (imagenet.SYNSETS, imagenet.GROUND_TRUTH, "other"):
            yield Member(f"data/{name}", "file", iter([b"1 "] * 20))
        yield Member(imagenet.SYNSETS, "folder", iter([b"2"]))

    monkeypatch.setattr(imagenet, "members_of", members)
    monkeypatch.setattr(imagenet, "kind_of_file", lambda path: "gzip")
    monkeypatch.setattr(imagenet, "_synsets", lambda path, data: data)
    monkeypatch.setattr(imagenet, "_numbered", lambda path, truth, synsets: (truth, synsets))
    assert imagenet._devkit_labels("kit") == (b"1 " * 16, b"1 " * 16)


def test_parts_that_hold_folders_come_before_all_others(tmp_path):
    put(tmp_path, "train/x/1.png", "val/x/1.png", "test/1.png")
    found = folders._parts_in(tmp_path)
    assert (found.train, found.test) == (["train"], ["val"])
    (tmp_path / "val/x").rename(tmp_path / "train/y")
    assert folders._parts_in(tmp_path).test == ["test", "val"]
