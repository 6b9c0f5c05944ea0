"""Where looks at folders and headers change their mind: each limit from both sides."""

from pathlib import Path

import pytest

from apr.data.reading.label_table import _header
from apr.data.reading.layouts import _same_folders_inside
from apr.data.reading.listing import Listing


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
