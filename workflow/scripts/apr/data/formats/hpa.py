"""The Human Protein Atlas as Kaggle ships it: a gray picture for each colour, a table with all labels of an image."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from apr.basics.problems import Problem
from apr.data.formats.labels import LabelCells
from apr.data.formats.options import listed_values
from apr.data.reading.label_table import LabelTable, read_table
from apr.data.reading.listing import Item, Listing, in_order
from apr.data.reading.snippets import Channels
from apr.data.reading.walking import LeftOut, below, named, pictures_among, walk

IMAGE, TARGET, SPLIT = "Id", "Target", "Split"
COLOURS = ("red", "green", "blue")


def read_hpa(
    root: Path,
    *,
    table: str = "train.csv",
    split_table: str | None = None,
    train_values: str | list[str] = "train",
    validation_values: str | list[str] = (),
    test_values: str | list[str] = "test",
    labels: list[str] | None = None,
    yellow: Literal["leave_out", "add"] = "leave_out",
) -> Listing:
    """Read `<Id>_red`, `<Id>_green`, `<Id>_blue` and their table of Id and Target, numbers such as "16 0".

    Args:
        root: holds table and pictures, these at any depth.
        table: file name of the table.
        split_table: file name of a table that has the column Split beside them.
        train_values: value or values of Split that mean train.
        validation_values: value or values of Split that mean validation.
        test_values: value or values of Split that mean test.
        labels: names of the numbers from 0 on; by default the numbers themselves.
        yellow: the fourth picture is left out, or "add": added to red and green.

    Raises:
        Problem: a number without a name, a picture or a row that is missing, or tables that contradict each other.
    """
    left = LeftOut()
    targets = _targets(root / table, labels, left)
    said = {"train": train_values, "validation": validation_values, "test": test_values}
    parts_by_value = {value: part for part, values in said.items() for value in listed_values(values)}
    parts = _parts(root / split_table, parts_by_value, targets, labels, left) if split_table else {}
    colours = (*COLOURS, "yellow") if yellow == "add" else COLOURS
    by_stem: dict[str, Path] = {}
    pictures = pictures_among(root, walk(root, left), left, apart=[root / table, root / (split_table or table)])
    for path in pictures:
        stem = os.path.splitext(path.name)[0]
        if stem.rpartition("_")[0] in targets and by_stem.setdefault(stem, path) != path:
            raise Problem(f"{root}: {below(by_stem[stem], root)} and {below(path, root)} have one name; remove one")
    lacking = {
        image: [colour for colour in colours if f"{image}_{colour}" not in by_stem]
        for image in targets
        if any(f"{image}_{colour}" not in by_stem for colour in colours)
    }
    if lacking:
        shown = named(f"{image} has no {', '.join(absent)}" for image, absent in lacking.items())
        raise Problem(
            f"{root / table}: pictures of {len(lacking):,} of {len(targets):,} images are missing: {shown}; an image "
            f"needs <Id>_{', _'.join(colours)} beside each other: fetch them, or remove its row"
        )
    items = [
        Item(
            below(by_stem[f"{image}_green"], root).rpartition("_")[0],
            own,
            Channels(*(by_stem[f"{image}_{colour}"] for colour in colours)),
            parts.get(image),
        )
        for image, own in targets.items()
    ]
    left["not_in_table"] += sum(os.path.splitext(path.name)[0].rpartition("_")[0] not in targets for path in pictures)
    if yellow == "leave_out" and any(path.stem.endswith("_yellow") for path in pictures):
        left.note("the yellow picture of each image is left out; set options: yellow: add to add it to red and green")
    found = {label for own in targets.values() for label in own}
    return Listing(items, list(labels) if labels else in_order(found), left)


def _targets(path: Path, labels: Sequence[str] | None, left: LeftOut) -> dict[str, tuple[str, ...]]:
    """The labels of each image in the order of the table."""
    return _by_image(_table(path, (IMAGE, TARGET), left), labels, left)


def _by_image(table: LabelTable, labels: Sequence[str] | None, left: LeftOut) -> dict[str, tuple[str, ...]]:
    double = [image for image, count in Counter(row.cells[IMAGE] for row in table.rows).items() if count > 1]
    if double:
        raise Problem(f"{table.path}: the image {double[0]!r} has several rows; keep one")
    numbers = LabelCells([TARGET], " ").read(table.path, table.rows, left)
    names = {str(number): name for number, name in enumerate(labels or ())}
    for line, own in numbers.items():
        odd = next((number for number in own if names and number not in names), None)
        if odd is not None:
            raise Problem(
                f"{table.path}: line {line}: the label {odd!r} is none of the {len(names)} in options: labels, which "
                f"are 0 to {len(names) - 1}; correct it, or add its name there"
            )
    return {row.cells[IMAGE]: tuple(names.get(number, number) for number in numbers[row.line]) for row in table.rows}


def _parts(
    path: Path,
    parts: Mapping[str, str],
    targets: Mapping[str, tuple[str, ...]],
    labels: Sequence[str] | None,
    left: LeftOut,
) -> dict[str, str]:
    """The part of each image."""
    table = _table(path, (IMAGE, TARGET, SPLIT), left)
    odd = next((row for row in table.rows if row.cells[SPLIT] not in parts), None)
    if odd:
        raise Problem(
            f"{path}: line {odd.line}: {SPLIT} says {odd.cells[SPLIT]!r}; set options: train_values, validation_values "
            "or test_values"
        )
    others = _by_image(table, labels, left)
    lacking = [image for image in targets if image not in others]
    if lacking:
        raise Problem(f"{path}: has no row of {len(lacking):,} images: {named(lacking)}; complete it")
    differing = [image for image, own in targets.items() if set(own) != set(others[image])]
    if differing:
        raise Problem(
            f"{path}: other labels than in the table of images: {named(differing)}; take tables of one release"
        )
    left["row_left_out"] += len(others.keys() - targets.keys())
    return {row.cells[IMAGE]: parts[row.cells[SPLIT]] for row in table.rows}


def _table(path: Path, columns: Sequence[str], left: LeftOut) -> LabelTable:
    if not path.is_file():
        raise Problem(f"{path}: the table is missing; set options: table, split_table")
    return read_table(path, columns, left)
