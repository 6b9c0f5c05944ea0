"""The class stands in a table of labels, or in the file's name."""

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Literal

from apr.formats.listing import Item, Listing, Span, find_images, in_order, require_columns
from apr.problems import Problem

SHOWN = 10


def read_csv_labels(
    root: Path,
    *,
    table: str,
    image: str,
    label: str,
    group: str | None = None,
    split: str | None = None,
    suffix: str = "",
    train_values: tuple[str, ...] | list[str] = ("train", "training"),
    test_values: tuple[str, ...] | list[str] = ("test", "testing"),
    delimiter: str = ",",
    classes_order: str | list[str] | None = None,
) -> Listing:
    """Read a table with a row an image; the images lie anywhere below the root.

    Args:
        root: holds table and images.
        table: file name of the table.
        image: column of the image's name, with or without suffix.
        label: column of the class.
        group: column of what must not be torn apart (a patient, a lesion).
        split: column that says train or test.
        suffix: appended to the image's name.
        train_values: values of `split` that mean train.
        test_values: values of `split` that mean test.
        delimiter: between the columns.
        classes_order: see `in_order`.

    Raises:
        Problem: a column, a value or an image is missing.
    """
    ignored: Counter[str] = Counter()
    path = root / table
    if not path.is_file():
        raise Problem(f"{path}: the table of labels is missing; set options: table")
    by_name, by_stem = _by_name(root, ignored)
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        require_columns(path, [name for name in (image, label, group, split) if name], reader.fieldnames or [])
        rows = list(reader)
    parts = {value.lower(): "train" for value in train_values} | {value.lower(): "test" for value in test_values}
    items, lost = [], []
    for number, row in enumerate(rows, start=2):
        name, kind = row[image] + suffix, row[label]
        found = by_name.get(Path(name).name) or by_stem.get(name)
        part = parts.get((row[split] or "").lower()) if split else None
        if not kind:
            raise Problem(f"{path}: line {number}: column {label!r} is empty")
        if split and part is None:
            raise Problem(
                f"{path}: line {number}: column {split!r} says {row[split]!r}; set train_values or test_values"
            )
        if found is None:
            lost.append(name)
        elif len(found) > 1:
            raise Problem(f"{path}: line {number}: {name} is ambiguous: {found[0]} and {found[1]}; set options: suffix")
        else:
            where = found[0].relative_to(root).as_posix()
            items.append(Item(where, kind, Span(found[0]), part, row[group] if group else None))
    if lost:
        raise Problem(f"{path}: {len(lost)} of {len(rows)} images are missing: {', '.join(lost[:SHOWN])}")
    ignored["not_in_table"] += sum(map(len, by_name.values())) - len(items)
    return Listing(items, in_order((item.label for item in items), classes_order), ignored)


def read_file_names(
    root: Path,
    *,
    pattern: str,
    unmatched: Literal["error", "ignore"] = "error",
    classes_order: str | list[str] | None = None,
) -> Listing:
    """Read the class, and optionally part and group, from each file's name.

    Args:
        root: holds the images, at any depth.
        pattern: regular expression searched in the name, with a group named `class`, and optionally `split` (train or
            test) and `group`; for example `^(?P<class>cat|dog)_`.
        unmatched: "ignore" passes over names that do not match; otherwise they are an error.
        classes_order: see `in_order`.

    Raises:
        Problem: the pattern is faulty, or a name does not match.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise Problem(f"options: pattern: {pattern!r} is not a regular expression ({error})") from error
    if "class" not in compiled.groupindex:
        raise Problem(f"options: pattern: {pattern!r} has no group (?P<class>...)")
    ignored: Counter[str] = Counter()
    items, odd = [], []
    for path in find_images(root, ignored):
        match = compiled.search(path.name)
        if not match:
            odd.append(path.name)
            continue
        fields = match.groupdict()
        name = path.relative_to(root).as_posix()
        items.append(Item(name, fields["class"], Span(path), fields.get("split"), fields.get("group")))
    if odd and unmatched != "ignore":
        raise Problem(
            f"{root}: {len(odd)} images do not match {pattern!r}: {', '.join(odd[:SHOWN])}; "
            "widen options: pattern, or set unmatched: ignore"
        )
    ignored["unmatched"] = len(odd)
    return Listing(items, in_order((item.label for item in items), classes_order), ignored)


def _by_name(root: Path, ignored: Counter[str]) -> tuple[dict[str, list[Path]], dict[str, list[Path]]]:
    by_name: dict[str, list[Path]] = {}
    by_stem: dict[str, list[Path]] = {}
    for path in find_images(root, ignored):
        by_name.setdefault(path.name, []).append(path)
        by_stem.setdefault(path.stem, []).append(path)
    return by_name, by_stem
