"""The class stands in a table of labels, or in the file's name."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from apr.basics.problems import Problem
from apr.data.reading.decoding import SUFFIXES
from apr.data.reading.groups import column_hint, pattern_with
from apr.data.reading.label_table import (
    ONE_HOT,
    LabelTable,
    Row,
    is_empty,
    listed_lines,
    one_hot_columns,
    read_table,
    require_columns,
)
from apr.data.reading.listing import Item, Listing, Span, composed, in_order
from apr.data.reading.matching import Files
from apr.data.reading.part_names import part_of
from apr.data.reading.parts import PARTS
from apr.data.reading.walking import LeftOut, below, find_images, is_picture, named, pictures_among, visible, walk

SHOWN = 10
TABLES = (".csv", ".tsv", ".txt", ".tab")
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def read_csv_labels(
    root: Path,
    *,
    table: str,
    image: str,
    label: str | list[str],
    group: str | None = None,
    split: str | None = None,
    suffix: str = "",
    train_values: str | list[str] = ("train", "training"),
    test_values: str | list[str] = ("test", "testing"),
    validation_values: str | list[str] = (),
    ignore_values: str | list[str] = (),
    delimiter: str | None = None,
    encoding: str | None = None,
    classes_order: str | list[str] | None = None,
) -> Listing:
    """Read a table with a row an image; the images lie anywhere below the root.

    Args:
        root: holds table and images.
        table: file name of the table.
        image: column of the image's name or path, with or without suffix; folders in it are compared, too.
        label: column of the class; or the columns of the classes, of which one is 1 and the others are 0.
        group: column of what must not be torn apart (a patient, a lesion).
        split: column that says train, test or validation.
        suffix: appended to the image's name; no other is tried then.
        train_values: value or values of `split` that mean train.
        test_values: value or values of `split` that mean test.
        validation_values: value or values of `split` that mean validation.
        ignore_values: value or values of `split` whose rows are left out; "" stands for an empty cell.
        delimiter: between the columns, a character or its name; found by default.
        encoding: of the table, as Python names it; found by default.
        classes_order: see `in_order`; a class in such a list may be called none or nan.

    Raises:
        Problem: a column, a value or an image is missing, an image stands in several rows, or `read_table` refuses.
    """
    left = LeftOut()
    suffix = f".{suffix}" if f".{suffix}".lower() in SUFFIXES else suffix
    path = root / table
    if not path.is_file():
        tables = (
            [file.name for file in visible(path.parent)[1] if file.suffix.lower() in TABLES]
            if path.parent.is_dir()
            else []
        )
        there = f" (there is {named(tables)})" if tables else ""
        raise Problem(f"{path}: the table of labels is missing{there}; set options: table")
    labels = [label] if isinstance(label, str) else list(label)
    wanted = [name for name in (image, *labels, group, split) if name]
    there = walk(root, left)
    stems = {stem for file in there if is_picture(file.name) for stem in (file.name, file.stem)}
    known = read_table(path, [image], left, delimiter=delimiter, encoding=encoding, pictures=stems)
    _require(known, wanted, label)
    known, dropped = _without(known, split, _listed(ignore_values))
    left["row_left_out"] += dropped
    allowed = set(classes_order) if isinstance(classes_order, list) else set()
    kinds = {row.line: _label(path, row, labels, allowed) for row in known.rows}
    _same_numbers(path, kinds)
    parts = dict.fromkeys(map(str.lower, _listed(train_values)), "train")
    parts |= dict.fromkeys(map(str.lower, _listed(test_values)), "test")
    parts |= dict.fromkeys(map(str.lower, _listed(validation_values)), "validation")
    names = {}
    for row in known.rows:
        if not row.cells[image]:
            raise Problem(f"{path}: line {row.line}: column {image!r} is empty; complete or remove the line")
        names[row.line] = row.cells[image] + suffix
    pictures = pictures_among(root, there, left, apart=[path])
    others = [file for file in there if not is_picture(file.name)]
    found = Files(root, pictures, others).match_all(path, names, bool(suffix), left)
    _once(path, found, names, kinds)
    items = [
        Item(
            below(found[row.line], root),
            kinds[row.line],
            Span(found[row.line]),
            _part(path, row, split, parts),
            row.cells[group] if group and not is_empty(row.cells[group]) else None,
        )
        for row in known.rows
    ]
    left["not_in_table"] += max(0, len(pictures) - len(items) - dropped)
    listing = Listing(items, in_order((item.label for item in items), classes_order), left)
    if group:
        bare = [row.line for row in known.rows if is_empty(row.cells[group])]
        if bare:
            listing.ungrouped = f"{path}: line {bare[0]}: column {group!r} is empty ({len(bare)} of {len(items)} rows)"
    else:
        rest = [name for name in known.columns if name and name not in wanted]
        listing.group_hint = column_hint({name: [row.cells[name] for row in known.rows] for name in rest})
    return listing


def read_file_names(
    root: Path,
    *,
    pattern: str,
    unmatched: Literal["error", "ignore"] = "error",
    validation_values: str | list[str] = (),
    classes_order: str | list[str] | None = None,
) -> Listing:
    """Read the class, and optionally part and group, from each file's name.

    Args:
        root: holds the images, at any depth.
        pattern: regular expression searched in the name, or in the path below the root if it holds a slash, with a
            group named `class`, and optionally `split` (train or test, as people call them) and `group`; for example
            `^(?P<class>cat|dog)_`.
        unmatched: "ignore" passes over names that do not match; otherwise they are an error.
        validation_values: value or values of `split` that mean validation; without them, val means test.
        classes_order: see `in_order`.

    Raises:
        Problem: the pattern is faulty, or a name does not match.
    """
    compiled = pattern_with("class", "pattern", pattern)
    if unmatched not in ("error", "ignore"):
        raise Problem(f"options: unmatched: {unmatched!r}: error or ignore")
    left = LeftOut()
    held = set(map(str.lower, _listed(validation_values)))
    items, odd = [], []
    for path in find_images(root, left):
        name = path.relative_to(root).as_posix()
        match = compiled.search(name if "/" in pattern else path.name)
        if not match or not match["class"]:
            odd.append(name)
            continue
        fields = match.groupdict()
        split = fields.get("split")
        if "split" in fields:
            kind = "validation" if split and split.lower() in held else part_of(split or "")[0]
            if kind not in PARTS:
                raise Problem(
                    f"{path}: its part reads {split!r}; correct options: pattern, so that it is train or test, or name "
                    "it in validation_values"
                )
            split = kind
        items.append(Item(name, fields["class"], Span(path), split, fields.get("group")))
    if odd and unmatched != "ignore":
        raise Problem(
            f"{root}: {len(odd)} images do not match {pattern!r}: {named(odd, SHOWN)}; "
            "widen options: pattern, or set unmatched: ignore"
        )
    left["unmatched"] = len(odd)
    return Listing(items, in_order((item.label for item in items), classes_order), left)


def _listed(values: str | Sequence[str]) -> list[str]:
    return [str(value) for value in ([values] if isinstance(values, str | int) else values)]


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


def _label(path: Path, row: Row, labels: Sequence[str], allowed: set[str]) -> str:
    if len(labels) > 1:
        return _one_hot(path, row, labels)
    cell = composed(row.cells[labels[0]])
    if is_empty(cell) and cell not in allowed:
        says = f"says {cell!r}, which means an empty cell" if cell else "is empty"
        raise Problem(
            f"{path}: line {row.line}: column {labels[0]!r} {says}; complete or remove the line"
            + ("; if it is a class, list all classes in options: classes_order" if cell else "")
        )
    return cell


def _one_hot(path: Path, row: Row, labels: Sequence[str]) -> str:
    values = {name: ONE_HOT.get(row.cells[name].lower()) for name in labels}
    chosen = [name for name, value in values.items() if value == 1]
    if len(chosen) != 1 or None in values.values():
        shown = ", ".join(f"{name} {row.cells[name]}" for name in labels[:SHOWN])
        raise Problem(f"{path}: line {row.line}: one column of options: label has to be 1 and all others 0 ({shown})")
    return composed(chosen[0])


def _same_numbers(path: Path, kinds: Mapping[int, str]) -> None:
    """Refuse labels that are one number: 1 beside 1.0 or 01, as programs write a column that has gaps."""
    first: dict[float, tuple[int, str]] = {}
    for line, kind in kinds.items():
        if NUMBER.fullmatch(kind):
            known = first.setdefault(float(kind), (line, kind))
            if known[1] != kind:
                raise Problem(
                    f"{path}: the labels {known[1]!r} (line {known[0]}) and {kind!r} (line {line}) are one number: "
                    "write "
                    "them alike"
                )


def _once(path: Path, found: Mapping[int, Path], names: Mapping[int, str], kinds: Mapping[int, str]) -> None:
    """Refuse a table in which an image appears twice."""
    lines: dict[Path, list[int]] = defaultdict(list)
    for line, file in found.items():
        lines[file].append(line)
    double = [same for same in lines.values() if len(same) > 1]
    if double:
        rows = [(line, kinds[line]) for line in double[0]]
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
