"""Folders that are no classes though they stand where classes do: parts, masks, wrappers, and what reads them."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from apr.basics.problems import Problem
from apr.data.reading.listing import Item, Listing
from apr.data.reading.part_names import (
    HERE,
    Parts,
    as_yaml,
    parts_among,
    parts_of_same_classes,
    reading_of,
    split_folders_options,
    tests_of,
)
from apr.data.reading.walking import named

FOLDER_FORMATS = ("class_folders", "split_folders")
LIST_THEM = "if they are classes, list all classes in options: classes_order"
IMAGES = {"image", "images", "img", "imgs", "picture", "pictures", "photo", "photos", "rgb", "jpegimages", "original"}
IMAGES |= {"originals", "input", "inputs", "raw"}
MASKS = {
    "mask",
    "masks",
    "annotation",
    "annotations",
    "segmentation",
    "segmentations",
    "label",
    "labels",
    "gt",
    "trimaps",
}
MASKS |= {"groundtruth", "segmentationclass", "maskpng", "masksmachine", "seg", "segs", "heatmap", "heatmaps", "depth"}
WORD_AHEAD = re.compile(r"(?P<class>[A-Za-z]+)[._-]")


def no_parts(listing: Listing, root: Path, name: str, options: Mapping[str, Any]) -> None:
    """Refuse parts and masks that were taken for classes.

    Raises:
        Problem: with the format and options that read them.
    """
    labels = listing.classes
    shown = f"{root}: holds {named(labels)}, which are"
    if name not in FOLDER_FORMATS:
        if parts_among(labels):
            raise Problem(f"{shown} parts, not classes; correct what gives the class (options: split takes a part)")
        return
    # Omniglot's classes are Greek/character01: each level of a name may be that of parts.
    outer = {label.split("/")[0] for label in labels}
    depth = int(options.get("depth", 1))
    parts = parts_among(outer) or (name == "class_folders" and _same_classes(listing, outer))
    if parts:
        raise Problem(f"{shown} parts, not classes: use {_reading(listing, parts)}; {LIST_THEM}")
    if len(outer) == 1:
        return  # a wrapper or a dataset of one class, which is said with what is below
    _no_masks(listing, root, name, depth)
    if name == "class_folders":
        folders = max(item.name.count("/") for item in listing.items)
        for level in sorted({max(depth - 1, 1), *range(depth, folders)}):
            _no_parts_inside(listing, root, level, min(level, depth))
        if depth == 1:
            _same_folders_inside(listing, root)


def classes_below(listing: Listing, root: Path) -> str:
    """Where the classes may be if all images are in one folder: the first level with several folders that hold any."""
    folders = [item.name.split("/")[:-1] for item in listing.items]
    common = [level[0] for level in takewhile(lambda level: len(set(level)) == 1, zip(*folders, strict=False))]
    inner = sorted({parts[len(common)] for parts in folders if len(parts) > len(common)})
    if len(inner) < 2:
        return ""
    place = "/".join(common)
    if parts := parts_among(inner):
        if parts.train and parts.test:
            listed = f"{place}/{{{','.join(inner)}}}"
            return f"; its parts are {listed}: use format: split_folders, {split_folders_options(parts, place)}"
        return ""
    return f"; if the classes are its folders ({named(inner)}), set options: root: {as_yaml([HERE + place])}"


def in_names(place: str, names: Iterable[str]) -> str | None:
    """The format and options that read the class from the beginning of file names: cat.0.jpg, dog.0.jpg.

    Returns:
        None where names do not begin with a few words that are repeated.
    """
    names = list(names)
    words = Counter(match["class"] for one in names if (match := WORD_AHEAD.match(one)))
    if sum(words.values()) < len(names) or len(words) < 2 or min(words.values()) < 2 or 3 * len(words) > len(names):
        return None
    root = f"root: {as_yaml([HERE + place])}, " if place else ""
    return f"format: file_names, options: {{{root}pattern: '^{WORD_AHEAD.pattern}'}}"


def _reading(listing: Listing, parts: Parts) -> str:
    """What reads these parts; where pictures lie flat in a part, the class has to stand in their names."""
    first = (parts.train or parts.test)[0]
    of = [item.name.split("/") for item in listing.items if item.name.startswith(f"{first}/")]
    flat = [names[-1] for names in of if len(names) == 2]
    if 2 * len(flat) <= len(of):
        deep = {item.name.split("/")[0] for item in listing.items if item.name.count("/") > 1}
        tests = [name for name in parts.test if name in deep] or parts.test
        lost = [name for name in parts.test if name not in tests]
        return reading_of(Parts(parts.train, tests, [*parts.other, *lost]))
    return in_names(first, flat) or (
        f"format: csv_labels with a table of labels ({first} holds no class folders: its pictures lie in it flat)"
    )


def _same_classes(listing: Listing, outer: Iterable[str]) -> Parts | None:
    inside = _inside(listing.items, 1)
    often = Counter(one for names in inside.values() for one in names)
    common = {one for one, count in often.items() if count > 1 and 2 * count > len(inside)}
    holding = [names for names in inside.values() if len(names & common) > 1]
    same = len(common) > 1 and 2 * len(holding) > len(listing.classes)
    return parts_of_same_classes(outer) if same else None


def _inside(items: Iterable[Item], level: int, at: int | None = None) -> dict[str, set[str]]:
    """Names of the folders at a level (or at another), by what stands above."""
    at = level if at is None else at
    inside: dict[str, set[str]] = defaultdict(set)
    for item in items:
        below = item.name.split("/")
        if len(below) > at + 1:
            inside["/".join(below[:level])].add(below[at])
    return inside


def _no_masks(listing: Listing, root: Path, name: str, depth: int) -> None:
    """Refuse <class>/images with <class>/masks, and images/<class> with masks/<class>."""
    outer = {label.split("/")[0] for label in listing.classes}
    pictures, masks = _pictures_and_masks(outer)
    if name == "class_folders" and pictures and masks and len(pictures) + len(masks) == len(outer):
        flat = [item.name.split("/")[1] for item in listing.items if item.name.startswith(f"{pictures[0]}/")]
        only_flat = not any(item.name.count("/") > 1 for item in listing.items)
        remedy = f"set options: root: {as_yaml([HERE + pictures[0]])}"
        if only_flat:
            remedy = in_names(pictures[0], flat) or f"{remedy}, and a format that gives the class of each picture"
        raise Problem(f"{root}: holds {named([*pictures, *masks])}, pictures and their masks, not classes: {remedy}")
    above = depth + (name == "split_folders")
    inside = _inside(listing.items, above)
    both = [_pictures_and_masks(names) for names in inside.values()]
    if both and len(inside) >= len(listing.classes) and all(pictures and masks for pictures, masks in both):
        words = sorted({one for pictures, _ in both for one in pictures})
        split = {item.name.split("/")[0] for item in listing.items}
        ahead = f"(?P<split>{_either(split)})/" if name == "split_folders" else ""
        folders = "/".join(["[^/]+"] * depth)
        chosen = _either(words) if len(words) == 1 else f"({_either(words)})"
        pattern = f"'^{ahead}(?P<class>{folders})/{chosen}/'"
        raise Problem(
            f"{root}: its class folders hold {named([*both[0][0], *both[0][1]])}, pictures and their masks: use "
            f"format: file_names, options: {{pattern: {pattern}, unmatched: ignore}}; {LIST_THEM}"
        )


def _pictures_and_masks(names: Iterable[str]) -> tuple[list[str], list[str]]:
    plain = {name: re.sub(r"[\W\d_]+", "", name.lower()) for name in sorted(names)}
    return [name for name in plain if plain[name] in IMAGES], [name for name in plain if plain[name] in MASKS]


def _either(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words)))


def _no_parts_inside(listing: Listing, root: Path, level: int, depth: int) -> None:
    """Refuse <class>/train, <class>/test, also further down, which would be pooled and split again."""
    inside = _inside(listing.items, depth, level)
    torn = [found for names in inside.values() if (found := parts_among(names)) and found.train and found.test]
    if torn and 2 * len(torn) >= len(inside):
        raise Problem(
            f"{root}: its class folders hold {named([*torn[0].train, *torn[0].test])}, which are parts: use format: "
            f"file_names, {_pattern(torn[0], level, depth)}; or list all classes in options: classes_order to pool the "
            "parts"
        )


def _pattern(parts: Parts, level: int, depth: int) -> str:
    tests = tests_of(parts)
    words = "|".join(re.escape(one) for one in (*parts.train, *tests))
    folders, between = "/".join(["[^/]+"] * depth), "[^/]+/" * (level - depth)
    pattern = f"'^(?P<class>{folders})/{between}(?P<split>{words})/'"
    more = ", unmatched: ignore" if len(tests) < len(parts.test) or parts.other else ""
    return f"options: {{pattern: {pattern}{more}}}"


def _same_folders_inside(listing: Listing, root: Path) -> None:
    """Note class folders that all hold folders of the same names: the classes may lie one level deeper."""
    inside: dict[str, set[str]] = {label: set() for label in listing.classes}
    for item in listing.items:
        below: Sequence[str] = item.name.split("/")
        if len(below) < 3:
            return
        inside[item.label].add(below[1])
    common = set.intersection(*inside.values())
    if len(common) > 1 and len(inside) > 1 and all(2 * len(common) > len(names) for names in inside.values()):
        listing.ignored.note(
            f"{root}: each class folder holds the folders {named(sorted(common))}: if these are the classes, they are "
            "read wrongly (move the outer folders' contents together, or use format: file_names)"
        )
