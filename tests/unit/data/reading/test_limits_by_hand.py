"""Where looks at folders and headers change their mind: each limit from both sides."""

from pathlib import Path

import pytest
from data_helpers import refused_as

from apr.data.formats.arrays import read_npz
from apr.data.formats.camera_traps import read_coco_camera_traps
from apr.data.formats.options import as_taken, listed_values, needed_options, option_kinds, option_problems, own_options
from apr.data.formats.points import read_point_annotations
from apr.data.reading import headers
from apr.data.reading.headers import refuse_no_header, with_index_column
from apr.data.reading.label_table import _header, _short
from apr.data.reading.layouts import _no_parts_inside, _same_classes, _same_folders_inside
from apr.data.reading.listing import Item, Listing
from apr.data.reading.walking import LeftOut


def noted(**inside):
    """What is said of classes that hold folders of these letters."""
    items = [
        type("Item", (), {"name": f"{label}/{name}/1.png", "label": label})
        for label in inside
        for name in inside[label]
    ]
    listing = Listing(items=items, classes=list(inside))
    _same_folders_inside(listing, Path("there"))
    return listing.ignored.notes


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ({"a": "xy", "b": "xy"}, "x, y"),
        ({"a": "xyz", "b": "xyw"}, "x, y"),
        ({"a": "xyz1", "b": "xyw"}, None),  # half of them are no more than half
        ({"a": "xyw", "b": "xyz1"}, None),
        ({"a": "x", "b": "x"}, None),
        ({"a": "xyz"}, None),
    ],
)
def test_classes_that_hold_the_same_folders_are_noted_where_most_are_common(inside, said):
    text = f"there: each class folder holds the folders {said}: if these are the classes, they are read wrongly"
    notes = noted(**inside)
    assert [note.split(" (")[0] for note in notes] == ([text] if said else [])


@pytest.mark.parametrize(
    ("line", "sign", "cells"),
    [
        ('image, "a, b" ,c', ",", ["image", "a, b", "c"]),
        ("# image;label", ";", ["image", "label"]),
        ("", ",", []),
        ('a\t"b', "\t", ["a", "b"]),
        ("a" * 200_000, ",", []),
    ],
)
def test_a_header_has_the_cells_that_a_table_has(line, sign, cells):
    assert _header(line, sign) == cells


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (["1 a cat", "2 b dog"], True),
        (["1 a cat", "1 b dog"], False),
        ([" a cat", "2 b dog"], False),
        (["1 a ", "2 b dog"], False),
        (["1 a cat", "2.png b dog"], False),
        (["1 a cat", "2 b"], False),
        (["1 a cat x", "2 b dog x"], False),
        ([], False),
    ],
)
def test_names_of_rows_are_all_different_and_beside_whole_rows(rows, named):
    left = LeftOut()
    cells = [(line, row.split(" ")) for line, row in enumerate(rows, 2)]
    found = with_index_column(Path("t.csv"), ["image", "label"], cells, left)
    note = "t.csv: each row has one cell more than the header: the first is taken for the row's name"
    assert (found, left.notes) == ((["", "image", "label"], [note]) if named else (["image", "label"], []))


@pytest.mark.parametrize(
    ("line", "pictures", "data"),
    [
        ("a/one,cat", {"one"}, "a/one"),
        ("cat,b.PNG", set(), "b.PNG"),
        (",cat", {""}, None),
        ("one/,cat", {"one"}, None),
        ("image,cat", {"image"}, "image"),
    ],
)
def test_a_first_line_that_names_a_picture_is_no_header(line, pictures, data):
    if data is None:
        refuse_no_header(Path("t.csv"), line, line.split(","), ["file"], pictures)
        return
    with refused_as(
        f"t.csv: has no column 'file': its first line looks like data, not a header ({data!r}): add a line in front "
        "that names the columns, such as `file,label`"
    ):
        refuse_no_header(Path("t.csv"), line, line.split(","), ["file"], pictures)


def test_a_sign_between_columns_is_named_if_it_parts_all_that_are_wanted():
    for sign in headers.ODD_SIGNS:
        line = f"image {sign} label"
        with refused_as(f"t.csv: its columns seem to be separated by {sign!r}: set options: delimiter: {sign!r}"):
            refuse_no_header(Path("t.csv"), line, [line], ["image", "label"], set())
        refuse_no_header(Path("t.csv"), line, [line], ["image", "kind"], set())


def test_one_value_is_a_list_where_only_lists_are_taken():
    options = {"classes": "cat", "size": 3, "label": "kind", "root": "x"}
    assert as_taken(read_point_annotations, options) == options | {"classes": ["cat"]}
    assert as_taken(read_point_annotations, {"classes": ["cat"]}) == {"classes": ["cat"]}
    assert as_taken(read_coco_camera_traps, {"train": "a.json", "categories": 6}) == {
        "train": "a.json",
        "categories": [6],
    }
    assert (listed_values("a"), listed_values(3), listed_values(["a", 3]), listed_values(())) == (
        ["a"],
        ["3"],
        ["a", "3"],
        [],
    )
    assert needed_options(read_coco_camera_traps) == ["train", "test", "categories"]
    assert option_problems("traps", read_coco_camera_traps, {"train": "a", "test": "b"}) == [
        ("categories", "is missing; traps needs it")
    ]
    assert "group" not in option_kinds(read_npz)
    assert list(option_kinds(read_npz))[:5] == ["root", "nested", "names_encoding", "missing", "others"]
    assert own_options(read_npz) == {"file", "classes", "validation"}


@pytest.mark.parametrize(
    ("inside", "are"),
    [
        ({"train": "cd", "val": "cd", "x": "cd", "y": ""}, True),
        ({"train": "cd", "val": "cd", "x": "c", "y": "d"}, False),  # half of the folders hold two of them
        ({"train": "cd", "val": "do", "x": "oc", "y": ""}, False),  # each is in half of the folders
        ({"train": "c", "val": "c", "x": "c", "y": "c"}, False),
        ({"train": "cd", "x": "ef"}, False),
    ],
)
def test_most_folders_have_to_hold_the_same_classes_to_be_parts(inside, are):
    items = [Item(f"{top}/{name}/1.png", top, None) for top, names in inside.items() for name in names or ["other"]]
    found = _same_classes(Listing(items, list(inside)), inside)
    assert (found and (found.train, found.test)) == ((["train"], ["val"]) if are else None)


@pytest.mark.parametrize(("torn", "whole", "refused"), [(1, 1, True), (2, 3, False), (2, 2, True)])
def test_half_of_the_classes_have_to_hold_parts(torn, whole, refused):
    names = [f"{n}/{part}/1.png" for n in range(torn) for part in ("train", "test")]
    names += [f"{torn + n}/left/1.png" for n in range(whole)]
    listing = Listing([Item(name, name[0], None) for name in names], list("01234"[: torn + whole]))
    if refused:
        with refused_as(
            "t: its class folders hold train, test, which are parts: use format: file_names, options: {pattern: "
            "'^(?P<class>[^/]+)/(?P<split>train|test)/'}; or list all classes in options: classes_order to pool "
            "the parts"
        ):
            _no_parts_inside(listing, Path("t"), 1, 1)
    else:
        _no_parts_inside(listing, Path("t"), 1, 1)


def test_sixty_characters_of_a_row_are_shown():
    assert _short(["x" * 29, "y" * 30], ",") == f"'{'x' * 29},{'y' * 30}'"
    assert _short(["x" * 30, "y" * 30], ",") == f"'{'x' * 30},{'y' * 26}...'"
