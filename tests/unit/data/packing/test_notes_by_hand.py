"""All that is said of a dataset, sentence by sentence, of made-up findings."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from apr.data import oddities
from apr.data.formats import Listing
from apr.data.likeness import Copies
from apr.data.oddities import all_notes, counted
from apr.data.reading.listing import Item
from apr.data.reading.walking import LeftOut

DRAWN = {"by": "image", "test_fraction": 0.1, "validation_fraction": 0.3, "seed": 0}
PARTS = [0, 0, 0, 0, 1, 1, 2]
LABELS = ["cat", "cat", "dog", "eel", "cat", "dog", "cat"]
COPIES = Copies(
    across=[(4, 0)],
    two_labels=[(0, 2)],
    near=[(5, 2)],
    across_validation=[(6, 1)],
    near_validation=[(6, 2)],
)
SCENES = "(frames of one scene, one picture changed, or merely similar pictures)"


def written(bits=12, sixteen=2, levels=5, brightest=63):
    depth = SimpleNamespace(bits=lambda: bits, levels=lambda: levels, lowest=1000, highest=1010)
    histogram = np.zeros((3, 256), int)
    histogram[1, brightest] = histogram[0, 3] = 1
    return SimpleNamespace(conversions=Counter(sixteen_bit=sixteen), depth=depth, histogram=histogram)


def of(groups=None, shipped=False, names="abcdefg"):
    names_of_parts = ["train", "test", "validation"]
    groups = groups or [None] * 7
    return [
        Item(name, label, None, names_of_parts[part] if shipped else None, group)
        for name, label, part, group in zip(names, LABELS, PARTS, groups, strict=True)
    ]


def index():
    found = np.zeros(7, [("label", int), ("split", int)])
    found["split"] = PARTS
    return found


def test_all_notes_of_a_drawn_split():
    left = LeftOut({"not_an_image": 1, "hidden": 2_000, "other": 3, "thumbnail": 0})
    left.suffixes[".txt"] = 1
    left.note("looks odd")
    items = of()
    listing = Listing(items, ["cat", "dog", "eel"], left, group_hint="a column may name groups")
    assert all_notes(listing, items, index(), DRAWN, written(), COPIES) == [
        "left out: hidden or system files and folders: 2,000; files that are no images: 1 (.txt 1)",
        "looks odd",
        "no test image of 1 of 3 classes: 'eel': what is reported says nothing of them",
        "pictures of 16 bits (2) hold no value above 1010: read as 12 bits, so that they are not dark",
        "the values of pictures of 16 bits lie between 1000 and 1010 and fill 5 gray levels of 256: stretch them "
        "before, if what matters lies between these",
        "no pixel is brighter than 63 of 255: are these masks, or pictures of more than 8 bits?",
        "its test part holds 2 images: an error rate p measured on it has a standard error of sqrt(p (1 - p) / 2), up "
        "to 35.4 points",
        "its test part holds 29% of the images (2 of 7) where test_fraction is 0.1: the classes have too few images "
        "for that share",
        "a column may name groups",
        "1 of 2 test images are also in train, pixel by pixel: e = a; remove the copies",
        "1 picture under two labels: a (cat) = c (dog); remove one of each",
        f"1 of 2 test images nearly equal one in train {SCENES}: f = c; remove the copies",
        "its validation part holds 1 image: an error rate p measured on it has a standard error of "
        "sqrt(p (1 - p) / 1), up to 50.0 points",
        "no validation image of 2 of 3 classes: 'dog', 'eel': what is chosen by it says nothing of them",
        "its validation part holds 14% of the images (1 of 7) where validation_fraction is 0.3: the classes have too "
        "few images for that share",
        "1 of 1 validation images are also in train or test, pixel by pixel: g = b; remove the copies",
        f"1 of 1 validation images nearly equal one in train or test {SCENES}: g = c; remove the copies",
    ]


def test_all_notes_of_a_shipped_split_with_groups():
    items = of(groups=["x", "y", "y", "z", "x", "w", "y"], shipped=True)
    listing = Listing(items, ["cat", "dog", "eel"])
    shipped = "; that is the split as it was shipped"
    whole = written(bits=16, levels=64, brightest=64)
    notes = all_notes(listing, items, index(), {"by": "image"}, whole, COPIES)
    assert [note for note in notes if "standard error" not in note and "no test" not in note] == [
        f"1 of 2 test images have one in train of the same group: e{shipped}",
        f"1 of 2 test images are also in train, pixel by pixel: e = a{shipped}",
        "1 picture under two labels: a (cat) = c (dog); remove one of each",
        f"1 of 2 test images nearly equal one in train {SCENES}: f = c{shipped}",
        "no validation image of 2 of 3 classes: 'dog', 'eel': what is chosen by it says nothing of them",
        f"1 of 1 validation images have one in train of the same group: g{shipped}",
        f"1 of 1 validation images are also in train or test, pixel by pixel: g = b{shipped}",
        f"1 of 1 validation images nearly equal one in train or test {SCENES}: g = c{shipped}",
    ]


def test_a_validation_part_that_is_drawn_of_a_shipped_train_part():
    """Its share is of the images that are split up, and its remedies are those of a draw."""
    items = of(groups=["x", "y", "y", "z", "x", "w", "y"], shipped=True)
    listing = Listing(items, ["cat", "dog", "eel"])
    split = {"by": "image", "validation_fraction": 0.1, "test_fraction": 0.9}
    notes = all_notes(listing, items, index(), split, written(), COPIES)
    assert (
        "its validation part holds 20% of the images (1 of 5) where validation_fraction is 0.1: the classes have too "
        "few images for that share"
    ) in notes
    assert not [note for note in notes if "test_fraction" in note]
    assert "1 of 1 validation images have one in train of the same group: g; set split: {by: group}" in notes
    assert "1 of 1 validation images are also in train or test, pixel by pixel: g = b; remove the copies" in notes


def test_a_split_by_group_tears_none_and_a_test_set_has_no_train_part():
    items = of(groups=["x", "y", "y", "z", "x", "w", "y"])
    listing = Listing(items, ["cat", "dog", "eel"])
    by_group = all_notes(listing, items, index(), DRAWN | {"by": "group"}, written(), Copies())
    assert not [note for note in by_group if "of the same group" in note]
    assert [note for note in by_group if "too few groups for that share" in note]
    alone = index()
    alone["split"] = 1
    notes = all_notes(listing, items, alone, {"by": "none"}, written(sixteen=0), Copies())
    assert [note.partition(":")[0] for note in notes] == [
        "no pixel is brighter than 63 of 255",
        "its test part holds 7 images",
    ]


def test_each_reason_to_leave_something_out_is_said():
    left = LeftOut(dict.fromkeys(oddities.REASONS, 1) | {"label Sand": 3})
    (note,) = oddities.listed_notes(Listing([], [], left))
    assert note.removeprefix("left out: ").split("; ") == [
        "images of classes that lack train or test images: 1",
        "hidden or system files and folders: 1",
        "images of categories that are left out: 1",
        "images in folders of neither part: 1",
        "links to folders that are there already: 1",
        "links to a folder that they lie in: 1",
        "files that are no images: 1",
        "images that the table does not name: 1",
        "other files: 1",
        "files beside the class folders: 1",
        "pictures without a list of points: 1",
        "rows of other parts: 1",
        "links to images that are there already: 1",
        "images whose boxes show several categories: 1",
        "pipes, sockets or devices: 1",
        "thumbnails: 1",
        "arrays of other names: 1",
        "images whose names do not match: 1",
    ]


def test_classes_that_nothing_is_learned_of_are_said():
    listing = Listing(of(), ["cat", "dog", "eel"])
    assert oddities._lacking("train", listing, of(), np.arange(7) == 2) == [
        "no train image of 2 of 3 classes: 'cat', 'eel': what is learned says nothing of them"
    ]


def test_groups_that_names_show_are_torn_where_no_copy_contradicts_them():
    items = [Item(f"c/{track}_{frame}.png", "cat", None) for track in "abc" for frame in (1, 2)]
    places = np.zeros(6, [("split", int)])
    places["split"][1] = 1
    torn = (
        "1 of 1 test images have one in train that its name seems to belong with (a prefix with a running number, or a "
        "folder): c/a_2.png; if so, set split: {by: group}, options: {group: '^(?P<group>.+?)[ _.-]*"
        "(frame|img|image|f|t|z)?[ _.-]*\\d+\\.[^.]+$'}"
    )

    def said(part="test", hint=None, across=(), split=None):
        shipped = [Item(one.name, one.label, None, split) for one in items]
        listing = Listing(shipped, ["cat"], group_hint=hint)
        return oddities._torn_groups(part, listing, shipped, places, {"by": "image"}, True, across)

    assert said() == said(across=[(1, 0)]) == [torn]
    assert said(across=[(1, 2)]) == []  # these groups would leave the copies in both parts
    assert said(hint="a column") == said("validation", "a column", split="train") == ["a column"]
    assert said("validation", "a column") == []


def test_one_gray_level_is_one():
    (_, narrow, _) = oddities._levels(written(levels=1))
    assert " fill 1 gray level of 256" in narrow
    assert oddities._levels(written(sixteen=0, brightest=64)) == []
    assert len(oddities._levels(written(bits=16, levels=63, brightest=64))) == 1


@pytest.mark.parametrize(("near", "of_test", "said"), [(0, 1, 0), (1, 200, 1), (1, 201, 0), (2, 400, 1)])
def test_near_copies_are_said_from_one_in_200_on(near, of_test, said):
    assert len(oddities._near("test", [(4, 0)] * near, of(), True, of_test)) == said


def test_copies_are_counted_for_the_manifest():
    copies = Copies([(4, 0), (5, 1)], [(0, 2)], 7, [(5, 2), (4, 1), (4, 2)], [(6, 1)], [])
    counts = {"test_in_train": 2, "two_labels": 1, "within": 7, "near_test_in_train": 3}
    assert counted(copies, validation=False) == counts
    assert counted(copies, validation=True) == counts | {"validation_elsewhere": 1, "near_validation_elsewhere": 0}


def test_copies_that_a_pattern_unites_are_to_be_kept_together():
    names = ["c/1.png", "c/1 (2).png", "c/2.png", "c/3.png", "c/4.png", "c/5.png", "c/6.png"]
    items = [Item(name, "cat", None) for name in names]
    (note,) = oddities._copies("test", [(1, 0)], items, True, 3)
    assert note.startswith(
        "1 of 3 test images are also in train, pixel by pixel: c/1 (2).png = c/1.png; set split: {by: group}, options: "
        "{group: '^(?P<group>"
    )
    assert note.endswith("'}, which keeps them together, or remove the copies")


def test_groups_that_names_show_in_two_shipped_folders():
    """Of class and file name alone; a name that both folders have shows nothing."""
    frames = [f"{part}/cat/{track}_{frame}.png" for part, frame in (("train", 1), ("test", 2)) for track in "abcd"]
    double = [f"{part}/cat/e_1.png" for part in ("train", "test")]
    items = [Item(name, "cat", None, name.partition("/")[0]) for name in [*frames, *double]]
    found = oddities._shipped_groups(items)
    assert found == {name: f"cat/{name.rpartition('/')[2][0]}" for name in frames}
    held = np.array([item.split == "test" for item in items])
    assert oddities._torn(items, held, ~held, found) == frames[4:]
