"""What every listing goes through, whatever its format: nothing doubled, torn or mistaken without a word."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from apr.basics.problems import Problem
from apr.data.reading.layouts import classes_below, no_parts
from apr.data.reading.listing import Item, Listing, Span, composed
from apr.data.reading.walking import named

CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def checked(listing: Listing, root: Path, name: str, options: Mapping[str, Any]) -> Listing:
    """Check a listing, and let each real file count once.

    Args:
        listing: of any reader.
        root: what it was read from.
        name: of the format.
        options: of the format; classes that the user lists are taken as they are.

    Raises:
        Problem: fewer than two classes, parts taken for classes, classes that differ in Unicode form, case or blanks
            alone, a file in two classes or parts, names that no list can hold, or what `Listing.check` refuses.
    """
    listing = _composed(listing, root)
    _plain_names(listing, root)
    if not any(isinstance(options.get(key), list) for key in ("classes_order", "classes")):
        no_parts(listing, root, name, options)
        _not_alike(listing.classes, root)
    listing = _each_file_once(listing, root)
    listing.check(root)
    return listing


def two_classes(listing: Listing, root: Path, name: str) -> None:
    """Refuse a dataset of one class.

    Raises:
        Problem: says what might have been meant.
    """
    if len(listing.classes) > 1:
        return
    label = listing.classes[0]
    hint = classes_below(listing, root) if name == "class_folders" else ""
    remedy = hint or "; add the pictures of another class"
    raise Problem(f"{root}: all {len(listing.items)} images are of one class, {label!r}: nothing to classify{remedy}")


def _composed(listing: Listing, root: Path) -> Listing:
    if all(label.isascii() for label in listing.classes) and all(
        label.isascii() for item in listing.items for label in item.labels
    ):
        return listing
    forms: dict[str, set[str]] = defaultdict(set)
    for item in listing.items:
        for label in item.labels:
            forms[composed(label)].add(label)
    twofold = [label for label, written in forms.items() if len(written) > 1]
    if twofold:
        listing.ignored.note(
            f"{root}: {named(map(repr, twofold))}: written in two Unicode forms (composed and decomposed, as macOS "
            "does): taken for one class"
        )
    items = [item.relabelled(composed) for item in listing.items]
    return replace(listing, items=items, classes=list(dict.fromkeys(map(composed, listing.classes))))


def _plain_names(listing: Listing, root: Path) -> None:
    groups = (item.group for item in listing.items if item.group)
    odd = [text for text in (*listing.classes, *(item.name for item in listing.items), *groups) if CONTROL.search(text)]
    if odd:
        raise Problem(
            f"{root}: the name {odd[0]!a} holds a line break or another control character, or bytes that are not UTF-8 "
            f"({len(odd)} in all); rename it (convmv converts names of another encoding)"
        )
    if "" in listing.classes:
        raise Problem(f"{root}: a class has an empty name; name it")


def _not_alike(classes: Iterable[str], root: Path) -> None:
    """Refuse names that are one class to a person."""
    known: dict[str, str] = {}
    for label in classes:
        key = _key(label)
        if key in known:
            first = known[key]
            how = "one number" if _number(label) else "the same but for case or spaces"
            raise Problem(
                f"{root}: the classes {first!r} and {label!r} are {how}: write them alike; if both are meant, list all "
                "classes in options: classes_order"
            )
        known[key] = label


def _key(label: str) -> str:
    number = _number(label)
    if number is not None:
        return f"number {number}"
    bare = "".join(label.split())
    return bare if len(bare) == 1 else bare.casefold()  # letters as classes: A is not a


def _number(label: str) -> float | None:
    return float(label) if re.fullmatch(r"\s*[+-]?\d+(\.\d*)?\s*", label, re.ASCII) else None


def _each_file_once(listing: Listing, root: Path) -> Listing:
    """Leave out second names of a file (links), which would count it twice.

    Raises:
        Problem: a file stands in two classes or two parts.
    """
    of = _names_of_one_file(listing.items)
    again: set[str] = set()
    for items in of:
        # One that is reached without a link is the file itself.
        kept = [item for item in items if not _linked(item.source.path, root)] or items
        _refuse_torn(kept if len({item.split for item in items}) == 1 else items, root)
        again |= {item.name for item in items} - {min(item.name for item in kept)}
    if not again:
        return listing
    listing.ignored["same_file_again"] += len(again)
    listing.ignored.note(f"{root}: {len(again)} images are links to others and count once: {named(sorted(again))}")
    before = {label for item in listing.items for label in item.labels}
    items = [item for item in listing.items if item.name not in again]
    lost = before - {label for item in items for label in item.labels}
    if lost:
        raise Problem(f"{root}: class {min(lost)!r} holds nothing but links to images of other classes; remove it")
    return replace(listing, items=items)


def _names_of_one_file(items: Sequence[Item]) -> list[list[Item]]:
    """Images that are one file, in the order of the items."""
    whole = [row for row, item in enumerate(items) if isinstance(item.source, Span) and item.source.size < 0]
    keys = np.zeros(len(whole), [("device", np.uint64), ("number", np.uint64)])
    known = np.ones(len(whole), bool)
    for place, row in enumerate(whole):
        try:
            status = os.stat(items[row].source.path)
        except OSError:  # named as unreadable when it is packed
            known[place] = False
            continue
        keys[place] = status.st_dev, status.st_ino
    rows = np.array(whole, int)[known]
    _, first, counts = np.unique(keys[known], return_inverse=True, return_counts=True)
    same: dict[int, list[Item]] = defaultdict(list)
    for place in np.flatnonzero(counts[first] > 1):
        same[int(first[place])].append(items[rows[place]])
    return list(same.values())


def _refuse_torn(items: list[Item], root: Path) -> None:
    for what, key in (("classes", "label"), ("parts", "split")):
        first: dict[str | None, str] = {}
        for item in sorted(items, key=lambda item: item.name):
            first.setdefault(getattr(item, key), item.name)
        if len(first) > 1:
            places = " and ".join(f"{name} ({value})" for value, name in list(first.items())[:2])
            raise Problem(f"{root}: one file is in two {what}: {places}; remove one of the links")


def _linked(path: Path, root: Path) -> bool:
    below = path.relative_to(root).parts if path.is_relative_to(root) else path.parts
    places = [root.joinpath(*below[: count + 1]) for count in range(len(below))]
    return any(place.is_symlink() for place in places)
