"""The class stands in a table of labels."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from apr.basics.problems import Problem
from apr.data.formats.labels import Label, LabelCells
from apr.data.formats.options import listed_values
from apr.data.reading.decoding import SUFFIXES
from apr.data.reading.groups import column_hint
from apr.data.reading.label_table import (
    LabelTable,
    Row,
    is_empty,
    listed_lines,
    one_hot_columns,
    read_table,
    require_columns,
)
from apr.data.reading.listing import Item, Listing, Span, in_order
from apr.data.reading.matching import Files
from apr.data.reading.walking import LeftOut, below, is_picture, named, pictures_among, visible, walk

TABLES = (".csv", ".tsv", ".txt", ".tab")


def read_csv_labels(
    root: Path,
    *,
    table: str | list[str],
    image: str,
    label: str | list[str],
    group: str | None = None,
    no_group: str | None = None,
    split: str | None = None,
    fold: str | None = None,
    suffix: str = "",
    train_values: str | list[str] = ("train", "training"),
    test_values: str | list[str] = ("test", "testing"),
    validation_values: str | list[str] = (),
    ignore_values: str | list[str] = (),
    label_separator: str | None = None,
    multi_label: bool = False,
    labels_as: dict[str, str] | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    classes_order: str | list[str] | None = None,
) -> Listing:
    """Read a table with a row an image; the images lie anywhere below the root. They stay in the order of the rows.

    Args:
        root: holds table and images.
        table: file name of the table; or of several, of which each lies in a folder of its own with its images.
        image: column of the image's name or path, with or without suffix; folders in it are compared, too.
        label: column of the class; or the columns of the classes, of which one is 1 and the others are 0.
        group: column of what must not be torn apart (a patient, a lesion).
        no_group: value of `group` that means an image of its own, such as "-1".
        split: column that says train, test or validation.
        fold: column of the number of a fold, which `split: {by: released}` draws whole; rows of negative ones (copies,
            in published folds) are left out.
        suffix: appended to the image's name; no other is tried then.
        train_values: value or values of `split` that mean train.
        test_values: value or values of `split` that mean test.
        validation_values: value or values of `split` that mean validation.
        ignore_values: value or values of `split` whose rows are left out; "" stands for an empty cell.
        label_separator: stands between the labels of an image that may have several, such as " " in "16 0".
        multi_label: any number of the columns in `label` may be 1.
        labels_as: names of classes by label, such as {mel: melanoma, others: rest}; `others` are all that it does not
            name.
        delimiter: between the columns, a character or its name; found by default.
        encoding: of the table, as Python names it; found by default.
        classes_order: see `in_order`; a class in such a list may be called none or nan.

    Raises:
        Problem: a column, a value or an image is missing, an image stands in several rows, or `read_table` refuses.
    """
    left = LeftOut()
    labels = [label] if isinstance(label, str) else list(label)
    _need_kinds(labels, label_separator, multi_label)
    suffix = f".{suffix}" if f".{suffix}".lower() in SUFFIXES else suffix
    parts = dict.fromkeys(map(str.lower, listed_values(train_values)), "train")
    parts |= dict.fromkeys(map(str.lower, listed_values(test_values)), "test")
    parts |= dict.fromkeys(map(str.lower, listed_values(validation_values)), "validation")
    known = list(map(str, classes_order)) if isinstance(classes_order, list) and not labels_as else []
    cells = LabelCells(labels, label_separator, multi_label, known, labels_as)
    wanted = [name for name in (image, *labels, group, split, fold) if name]
    several = not isinstance(table, str)
    items, listing = [], Listing([], [], left)
    for path in [root / name for name in listed_values(table)]:
        place = path.parent if several else root
        _require_table(path)
        there = walk(place, left)
        stems = {stem for file in there if is_picture(file.name) for stem in (file.name, file.stem)}
        read = read_table(path, [image], left, delimiter=delimiter, encoding=encoding, pictures=stems)
        _require(read, wanted, label)
        read, dropped = _without(read, split, listed_values(ignore_values))
        folds = _folds(read, fold)
        used = [row for row in read.rows if folds.get(row.line, 0) >= 0]
        dropped += len(read.rows) - len(used)
        left["row_left_out"] += dropped
        kinds = cells.read(path, used, left)
        found = _matched(path, place, used, image, suffix, kinds, there, left)
        groups = {row.line: _group(row, group, no_group) for row in used} if group else {}
        items += [
            Item(
                below(found[row.line], root),
                kinds[row.line],
                Span(found[row.line]),
                _part(path, row, split, parts),
                groups.get(row.line),
                (path.parent.name, folds[row.line]) if fold else None,
            )
            for row in used
        ]
        left["not_in_table"] += max(0, sum(is_picture(file.name) for file in there) - len(used) - dropped)
        if group:
            bare = [row.line for row in used if is_empty(row.cells[group])]
            if bare and not listing.ungrouped:
                listing.ungrouped = (
                    f"{path}: line {bare[0]}: column {group!r} is empty ({len(bare)} of {len(used)} rows)"
                )
        elif not fold:
            rest = [name for name in read.columns if name and name not in wanted]
            listing.group_hint = column_hint({name: [row.cells[name] for row in used] for name in rest})
    listing.items, listing.classes = items, in_order((one for item in items for one in item.labels), classes_order)
    return listing


def _need_kinds(labels: Sequence[str], separator: str | None, several: bool) -> None:
    """Refuse options of labels that contradict each other."""
    if separator == "":
        raise Problem("options: label_separator: is empty; write what stands between two labels, such as ' ' or '|'")
    if separator and len(labels) > 1:
        raise Problem(
            "options: label_separator: stands beside several columns in options: label; for columns of 0 and 1 set "
            "multi_label: true in its place"
        )
    if several and len(labels) == 1 and not separator:
        raise Problem(
            "options: multi_label: needs the columns of 0 and 1 in options: label, or, where one cell holds all labels "
            "of an image, options: label_separator"
        )


def _require_table(path: Path) -> None:
    if path.is_file():
        return
    folder = path.parent
    tables = [file.name for file in visible(folder)[1] if file.suffix.lower() in TABLES] if folder.is_dir() else []
    there = f" (there is {named(tables)})" if tables else ""
    raise Problem(f"{path}: the table of labels is missing{there}; set options: table")


def _matched(
    path: Path,
    place: Path,
    rows: Sequence[Row],
    image: str,
    suffix: str,
    kinds: Mapping[int, Label],
    there: Sequence[Path],
    left: LeftOut,
) -> dict[int, Path]:
    """The file of each line of a table."""
    names = {}
    for row in rows:
        if not row.cells[image]:
            raise Problem(f"{path}: line {row.line}: column {image!r} is empty; complete or remove the line")
        names[row.line] = row.cells[image] + suffix
    pictures = pictures_among(place, there, left, apart=[path])
    others = [file for file in there if not is_picture(file.name)]
    found = Files(place, pictures, others).match_all(path, names, bool(suffix), left)
    _once(path, found, names, kinds)
    return found


def _group(row: Row, group: str, no_group: str | None) -> str | None:
    cell = row.cells[group]
    return row.cells[group] if not is_empty(cell) and cell != no_group else None


def _folds(table: LabelTable, fold: str | None) -> dict[int, int]:
    """The fold of each line; nothing where there are none."""
    if not fold:
        return {}
    odd = [row for row in table.rows if not re.fullmatch(r"-?\d+(\.0*)?", row.cells[fold], re.ASCII)]
    if odd:
        raise Problem(
            f"{table.path}: line {odd[0].line}: column {fold!r} says {odd[0].cells[fold]!r}, which is no number of a "
            "fold; correct it, or options: fold"
        )
    return {row.line: int(float(row.cells[fold])) for row in table.rows}


def _require(table: LabelTable, wanted: Sequence[str], label: str | list[str]) -> None:
    """Refuse a table that lacks columns, or whose classes are spread over columns."""
    missing = [name for name in wanted if name not in table.columns]
    spread = one_hot_columns(table) if missing and isinstance(label, str) and label in missing else []
    if spread:
        listed = ", ".join(spread)
        raise Problem(
            f"{table.path}: has no column {label!r}: the classes are spread over columns of 0 and 1 ({listed}); set "
            f"options: label: [{listed}]"
        )
    require_columns(table.path, wanted, table.columns)
    twice = [name for name in wanted if table.columns.count(name) > 1]
    if twice:
        raise Problem(f"{table.path}: has the column {twice[0]!r} twice; rename one")


def _once(path: Path, found: Mapping[int, Path], names: Mapping[int, str], kinds: Mapping[int, Label]) -> None:
    """Refuse a table in which an image appears twice."""
    lines: dict[Path, list[int]] = defaultdict(list)
    for line, file in found.items():
        lines[file].append(line)
    double = [same for same in lines.values() if len(same) > 1]
    if double:
        rows = [(line, str(kinds[line])) for line in double[0]]
        differing = "under different labels " if len({kind for _, kind in rows}) > 1 else ""
        raise Problem(
            f"{path}: the image {names[double[0][0]]} appears {len(rows)} times in the table, {differing}in "
            f"{listed_lines(rows)} ({len(double)} images in all); keep one line an image"
        )


def _without(table: LabelTable, split: str | None, values: Sequence[str]) -> tuple[LabelTable, int]:
    """The table without the rows whose part is one of some values, and how many those are."""
    if not values:
        return table, 0
    if not split:
        raise Problem("options: ignore_values: needs options: split, the column that holds these values")
    lower = {value.lower() for value in values}
    rows = [row for row in table.rows if row.cells[split].lower() not in lower]
    if not rows:
        raise Problem(f"{table.path}: options: ignore_values leaves no row of {len(table.rows)}; shorten it")
    return LabelTable(table.path, table.columns, rows), len(table.rows) - len(rows)


def _part(path: Path, row: Row, split: str | None, parts: Mapping[str, str]) -> str | None:
    if not split:
        return None
    part = parts.get(row.cells[split].lower())
    if part is None:
        says = row.cells[split]
        raise Problem(
            f"{path}: line {row.line}: column {split!r} says {says!r}; set options: train_values, test_values or "
            f"validation_values, or ignore_values: [{json.dumps(says, ensure_ascii=False)}] to leave such rows out"
        )
    return part
