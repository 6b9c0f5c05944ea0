"""Images with several labels, from a listing over the packed dataset to a view."""

import json

import numpy as np
import pytest
from data_helpers import picture, refused_as
from packed_sets import pack, said

from apr.basics.problems import Problem
from apr.data.formats import Listing
from apr.data.oddities import _single_labels
from apr.data.packed import groups_of, label_counts, multi_hot, open_packed
from apr.data.reading.listing import Item
from apr.data.splits import strata
from apr.data.views import select_view, view_indices
from apr.watch.consistency import contradictions

WHOLE = {"classes": None, "per_class": None, "cap": None, "seed": 0, "within": None}
SETS = [("cat",), ("cat", "dog"), ("dog", "eel"), (), ("eel",)]


def listing(sets, split=None, **more):
    pixels = [np.asarray(picture(number)) for number in range(len(sets))]
    items = [
        Item(f"{number:03d}", labels, pixels[number], split[number] if split else None, **more)
        for number, labels in enumerate(sets)
    ]
    return Listing(items, ["cat", "dog", "eel"])


@pytest.fixture
def packed(tmp_path):
    """The manifest of 40 images in three parts, and its index; beneath tmp_path."""
    manifest = pack(listing(SETS * 8), tmp_path, test_fraction=0.25, validation_fraction=0.25)
    return manifest, open_packed(tmp_path / "set", "pixels").index


def labels_by_name(manifest, codes, folder):
    names = (folder / "set.files.txt").read_text().splitlines()
    hot = multi_hot(codes, manifest["label_sets"], len(manifest["classes"]))
    return {
        name: tuple(label for label, has in zip(manifest["classes"], row, strict=True) if has)
        for name, row in zip(names, hot, strict=True)
    }


def test_label_sets_come_out_as_they_went_in(packed, tmp_path):
    manifest, index = packed
    assert manifest["classes"] == ["cat", "dog", "eel"]
    assert manifest["label_sets"] == [[], [0], [0, 1], [1, 2], [2]]
    assert labels_by_name(manifest, index["label"], tmp_path) == {
        f"{number:03d}": labels for number, labels in enumerate(SETS * 8)
    }
    counts = np.array([manifest["per_class"][part] for part in ("train", "test", "validation")])
    assert counts.sum(axis=0).tolist() == [16, 16, 16]
    assert (counts > 0).all()  # of each label in each part
    assert manifest["n_train"] + manifest["n_test"] + manifest["n_validation"] == 40
    assert manifest["n_groups"] is None
    assert groups_of(tmp_path / "set", None) is None


def test_a_view_has_all_of_them(packed):
    manifest, index = packed
    view = select_view("v", WHOLE, manifest, index)
    arrays = view_indices(view, index)
    assert (view["label_sets"], view["classes"]) == (manifest["label_sets"], manifest["classes"])
    for part in ("train", "test", "validation"):
        assert view["per_class"][part] == manifest["per_class"][part]
        assert view[f"n_{part}"] == len(arrays[part]) == manifest[f"n_{part}"]
        hot = multi_hot(arrays[f"{part}_labels"], view["label_sets"], 3)
        assert (hot.dtype, hot.shape) == (np.uint8, (view[f"n_{part}"], 3))
        assert hot.sum(axis=0).tolist() == view["per_class"][part]


@pytest.mark.parametrize("selected", [{"classes": 2}, {"per_class": 1}, {"cap": "second_largest"}, {"within": "w"}])
def test_a_view_of_several_labels_takes_all(packed, selected):
    [key] = selected
    parent = {"view": "w", "dataset": "set", "classes": ["cat", "dog"]} if key == "within" else None
    with refused_as(
        f"view 'v': {key}: {selected[key]!r}: an image of dataset 'set' may have several labels, and a view of such "
        f"images takes all; leave {key} out"
    ):
        select_view("v", WHOLE | selected, *packed, parent)


def test_a_label_that_a_part_lacks_is_named(tmp_path):
    parts = ["train", "train", "train", "test", "test", "validation"]
    sets = [("cat",), ("cat", "dog"), ("dog", "eel"), ("cat", "dog"), ("eel",), ("dog",)]
    manifest = pack(listing(sets, parts), tmp_path / "whole")
    assert manifest["per_class"] == {"train": [2, 2, 1], "test": [1, 1, 1], "validation": [0, 1, 0]}
    assert said(manifest, "no validation image of 2 of 3 classes: 'cat', 'eel'")
    sets[4] = ("cat",)
    with pytest.raises(Problem, match="class 'eel' has no test image"):
        pack(listing(sets, parts), tmp_path / "lacking")
    kept = listing(sets, parts).with_both_parts()
    assert (kept.classes, kept.items[2].label) == (["cat", "dog"], ("dog",))
    sets[2] = ("eel",)
    kept = listing(sets, parts).with_both_parts()
    assert (len(kept.items), kept.ignored["class_without_both_parts"]) == (5, 1)


def test_single_labels_alone_are_said():
    assert _single_labels(listing([("cat",), ("dog",), ("eel",), ()] * 10)) == [
        "looks single-label: none of its 40 images has more than one label; if none can have, read it without the "
        "option that allows several, as images of one class each"
    ]
    assert _single_labels(listing([*[("cat",), ("dog",), ("eel",)] * 13, ("cat", "dog")])) == []
    assert _single_labels(listing(["cat", "dog"])) == []


def test_two_label_sets_of_one_picture_are_said(tmp_path):
    several = listing(SETS * 4)
    pixels = several.items[0].source
    several.items[1] = Item("001", ("cat", "dog"), pixels)
    assert said(pack(several, tmp_path), "000 (cat) = 001 (cat + dog); remove one of each")


def test_rare_labels_are_drawn_by_themselves():
    sets = [("a", "b")] * 4 + [("a",)] * 9 + [("b",)] * 2 + [("c", "a"), ()]
    assert strata(sets) == ["b"] * 4 + ["a"] * 9 + ["b"] * 2 + ["a"] * 2
    assert strata([("a",), ("c",), ("b",)]) == ["a", "c", "b"]


def test_counts_of_labels():
    codes = np.array([0, 2, 2, 1])
    assert label_counts(codes, 4, None) == [1, 1, 2, 0]
    assert label_counts(codes, 3, [[], [0, 2], [2]]) == [1, 0, 3]


def test_images_without_a_group_are_groups_of_their_own(tmp_path):
    grouped = listing(SETS * 4)
    grouped.items = [
        Item(item.name, item.label, item.source, None, None if number % 2 else "eye")
        for number, item in enumerate(grouped.items)
    ]
    manifest = pack(grouped, tmp_path)
    numbers = groups_of(tmp_path / "set", manifest["n_groups"])
    lines = (tmp_path / "set.files.txt").read_text().splitlines()
    assert manifest["n_groups"] == 11
    eye = {number for line, number in zip(lines, numbers.tolist(), strict=True) if line.endswith("\teye")}
    assert len(eye) == 1
    assert sorted(np.bincount(numbers)) == [1] * 10 + [10]
    for wrong in ("\n".join(lines[1:]) + "\n", "".join(f"{line.split()[0]}\n" for line in lines)):
        (tmp_path / "set.files.txt").write_text(wrong)
        with pytest.raises(Problem, match=r"set\.files\.txt: .* where 11 of 20 were packed; delete it to pack again$"):
            groups_of(tmp_path / "set", 11)
    with refused_as(
        f"{tmp_path / 'set.files.txt'}: 20 groups of 20 images, where 9 of 20 were packed; delete it to pack again"
    ):
        (tmp_path / "set.files.txt").write_text("".join(f"{row}\t{row}\n" for row in range(20)))
        groups_of(tmp_path / "set", 9)
    (tmp_path / "set.files.txt").unlink()
    with pytest.raises(
        Problem, match=r"set\.files\.txt, .*/set\.index\.npy: cannot be read \(.*\); delete it to pack again$"
    ):
        groups_of(tmp_path / "set", 11)


def test_the_audit_knows_that_an_image_counts_for_each_label(packed, tmp_path):
    manifest, index = packed
    view = select_view("v", WHOLE, manifest, index)
    for folder, name, content in (("views", "v", view), ("datasets", "set", manifest)):
        (tmp_path / "results" / folder).mkdir(parents=True)
        (tmp_path / "results" / folder / f"{name}.json").write_text(json.dumps(content))
    assert contradictions("v", tmp_path) == []
    view["per_class"]["test"][1] = view["n_test"] + 1
    (tmp_path / "results/views/v.json").write_text(json.dumps(view))
    assert "counts for 3 labels" in contradictions("v", tmp_path)[0][1]
