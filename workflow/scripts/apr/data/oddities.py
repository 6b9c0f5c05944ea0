"""What looks odd in a dataset, in sentences for the terminal and the manifest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from apr.data.encoding import Written
from apr.data.likeness import Copies
from apr.data.reading.groups import group_yaml, shown_groups, uniting_pattern
from apr.data.reading.listing import Item, Listing
from apr.data.reading.parts import PARTS
from apr.data.reading.walking import listed_suffixes, named

SMALL_PART = 200  # images
DARK = 64  # gray levels
SHARE = 200  # near copies are said from one in so many test images on
FACTOR = 1.5  # by which the share of the test part may differ from what was wanted
NARROW = 64  # gray levels that 16-bit values have to span
BESIDE = {"test": "train", "validation": "train or test"}  # where an image of a part should have no copy
LACKING = {"train": "is learned", "test": "is reported", "validation": "is chosen by it"}
SHIPPED = "; that is the split as it was shipped"
REASONS = {
    "hidden": "hidden or system files and folders",
    "not_an_image": "files that are no images",
    "thumbnail": "thumbnails",
    "outside_class_folders": "files beside the class folders",
    "in_other_folders": "images in folders of neither part",
    "not_in_table": "images that the table does not name",
    "row_left_out": "rows of other parts",
    "unmatched": "images whose names do not match",
    "class_without_both_parts": "images of classes that lack train or test images",
    "image_of_other_categories": "images of categories that are left out",
    "several_categories": "images whose boxes show several categories",
    "picture_without_points": "pictures without a list of points",
    "same_file_again": "links to images that are there already",
    "linked_folder_again": "links to folders that are there already",
    "loop": "links to a folder that they lie in",
    "special_file": "pipes, sockets or devices",
    "unknown_array": "arrays of other names",
    "other_file": "other files",
}


def all_notes(
    listing: Listing,
    items: Sequence[Item],
    index: np.ndarray,
    split: Mapping[str, Any],
    written: Written,
    copies: Copies,
) -> list[str]:
    """All that looks odd.

    Args:
        listing: as read.
        items: its images in the order of the index.
        index: fields label and split, [N].
        split: how it was drawn, where the publisher ships none.
        written: what was seen when the images were written.
        copies: pictures that are the same.
    """
    train, tests, validation = (index["split"] == PARTS.index(part) for part in PARTS)
    drawn = not items[0].split and split["by"] != "none"
    drawn_too = validation.any() and split.get("validation_fraction", 0) > 0
    notes = [
        *listed_notes(listing),
        *(_lacking("train", listing, items, train) if train.any() else []),
        *_lacking("test", listing, items, tests),
        *_levels(written),
        *_few("test", int(tests.sum())),
        *_odd_share("test", int(tests.sum()), len(tests), split, drawn),
        *_torn_groups("test", listing, items, index, split, drawn, copies.across),
        *_copies("test", copies.across, items, drawn, int(tests.sum())),
        *_two_labels(copies, items),
        *_near("test", copies.near, items, drawn, int(tests.sum())),
    ]
    if not validation.any():
        return notes
    split_up = len(index) if drawn else int((~tests).sum())
    return [
        *notes,
        *_few("validation", int(validation.sum())),
        *_lacking("validation", listing, items, validation),
        *_odd_share("validation", int(validation.sum()), split_up, split, drawn_too),
        *_torn_groups("validation", listing, items, index, split, drawn_too, copies.across_validation),
        *_copies("validation", copies.across_validation, items, drawn_too, int(validation.sum())),
        *_near("validation", copies.near_validation, items, drawn_too, int(validation.sum())),
    ]


def listed_notes(listing: Listing) -> list[str]:
    """What looks odd before any picture is decoded: what was left out, what may be no class, labels that are single."""
    return [*_left_out(listing), *listing.ignored.notes, *_single_labels(listing)]


def counted(copies: Copies, validation: bool) -> dict[str, int]:
    """Copies as the manifest counts them, those of a validation part where there is one."""
    counts = {
        "test_in_train": len(copies.across),
        "two_labels": len(copies.two_labels),
        "within": copies.within,
        "near_test_in_train": len(copies.near),
    }
    if validation:
        counts["validation_elsewhere"] = len(copies.across_validation)
        counts["near_validation_elsewhere"] = len(copies.near_validation)
    return counts


def _left_out(listing: Listing) -> list[str]:
    parts = []
    for reason, count in sorted(listing.ignored.items()):
        if count and reason in REASONS:
            parts.append(f"{REASONS[reason]}: {count:,}")
    if not parts:
        return []
    suffixes = listing.ignored.suffixes
    return [f"left out: {'; '.join(parts)}" + (f" ({listed_suffixes(suffixes)})" if suffixes else "")]


def _levels(written: Written) -> list[str]:
    notes = []
    depth = written.depth
    if written.conversions["sixteen_bit"] and depth.bits() < 16:
        notes.append(
            f"pictures of 16 bits ({written.conversions['sixteen_bit']:,}) hold no value above {depth.highest}: read "
            "as "
            f"{depth.bits()} bits, so that they are not dark"
        )
    if written.conversions["sixteen_bit"] and depth.levels() < NARROW:
        notes.append(
            f"the values of pictures of 16 bits lie between {depth.lowest} and {depth.highest} and fill "
            f"{_count(depth.levels(), 'gray level')} of 256: stretch them before, if what matters lies between these"
        )
    highest = int(np.flatnonzero(written.histogram.sum(axis=0))[-1])
    if highest < DARK:
        notes.append(f"no pixel is brighter than {highest} of 255: are these masks, or pictures of more than 8 bits?")
    return notes


def _few(part: str, count: int) -> list[str]:
    """The standard error of an error rate, which is largest at 50 %."""
    if count >= SMALL_PART:
        return []
    return [
        f"its {part} part holds {_count(count, 'image')}: an error rate p measured on it has a standard error of "
        f"sqrt(p (1 - p) / {count}), up to {50 / np.sqrt(count):.1f} points"
    ]


def _single_labels(listing: Listing) -> list[str]:
    """Where an image may have several labels and none has."""
    if not listing.multi_label or any(len(item.labels) > 1 for item in listing.items):
        return []
    return [
        f"looks single-label: none of its {len(listing.items):,} images has more than one label; if none can have, "
        "read it without the option that allows several, as images of one class each"
    ]


def _lacking(part: str, listing: Listing, items: Sequence[Item], held: np.ndarray) -> list[str]:
    """Classes of which a part has no image."""
    there = {label for item, row in zip(items, held, strict=True) if row for label in item.labels}
    lacking = [label for label in listing.classes if label not in there]
    if not lacking:
        return []
    number = f"{len(lacking):,} of {len(listing.classes):,} classes"
    return [f"no {part} image of {number}: {named(map(repr, lacking))}: what {LACKING[part]} says nothing of them"]


def _odd_share(part: str, count: int, total: int, split: Mapping[str, Any], drawn: bool) -> list[str]:
    """A part that is much larger or smaller than wanted, as each class gives at least one image or one group."""
    wanted = split.get(f"{part}_fraction")
    if not drawn or not wanted or 1 / FACTOR <= count / total / wanted <= FACTOR:
        return []
    unit = "groups" if split["by"] == "group" else "images"
    return [
        f"its {part} part holds {count / total:.0%} of the images ({count:,} of {total:,}) where {part}_fraction is "
        f"{wanted:g}: the classes have too few {unit} for that share"
    ]


def _torn_groups(
    part: str,
    listing: Listing,
    items: Sequence[Item],
    index: np.ndarray,
    split: Mapping[str, Any],
    drawn: bool,
    across: Sequence[tuple[int, int]],
) -> list[str]:
    """Images of a part beside which one of the same group is in train; `across` are its copies elsewhere."""
    if drawn and split["by"] == "group":
        return []
    groups = {item.name: item.group for item in items if item.group is not None}
    remedy = "; set split: {by: group}" if drawn else "; that is the split as it was shipped"
    what = "of the same group"
    if not groups and listing.group_hint and drawn:
        return [listing.group_hint] if part == "test" or items[0].split else []
    if not groups:
        shown = shown_groups(items) if drawn else None
        groups = shown[1] if shown else {} if drawn else _shipped_groups(items)
        what = "that its name seems to belong with (a prefix with a running number, or a folder)"
        if shown:
            if any(groups.get(items[held].name) != groups.get(items[other].name) for held, other in across):
                return []  # these groups would leave the copies in both parts
            pattern = f"'{shown[0]}'"
            remedy = f"; if so, set {group_yaml(pattern)}"
    held = index["split"] == PARTS.index(part)
    torn = _torn(items, held, index["split"] == 0, groups)
    if not torn:
        return []
    return [f"{len(torn):,} of {int(held.sum()):,} {part} images have one in train {what}: {named(torn)}{remedy}"]


def _shipped_groups(items: Iterable[Item]) -> dict[str, str]:
    """Groups that names show across the folders of two parts: of class and file name alone."""
    short = {item.name: f"{item.label}/{item.name.rsplit('/', 1)[-1]}" for item in items}
    double = Counter(short.values())
    plain = [Item(short[item.name], item.label, item.source) for item in items if double[short[item.name]] == 1]
    shown = shown_groups(plain)
    return {name: shown[1][key] for name, key in short.items() if key in shown[1]} if shown else {}


def _torn(items: Sequence[Item], held: np.ndarray, train: np.ndarray, groups: Mapping[str, str]) -> list[str]:
    """Names of held images with an image of their group in train."""
    trained = {groups[item.name] for item, row in zip(items, train, strict=True) if row and item.name in groups}
    return [item.name for item, row in zip(items, held, strict=True) if row and groups.get(item.name) in trained]


def _copies(part: str, across: Sequence[tuple[int, int]], items: Sequence[Item], drawn: bool, count: int) -> list[str]:
    if not across:
        return []
    return [
        f"{len(across):,} of {count:,} {part} images are also in {BESIDE[part]}, pixel by pixel: "
        f"{_pairs(across, items)}{_remedy(across, items) if drawn else SHIPPED}"
    ]


def _two_labels(copies: Copies, items: Sequence[Item]) -> list[str]:
    pairs = [
        f"{items[one].name} ({items[one].shown}) = {items[other].name} ({items[other].shown})"
        for one, other in copies.two_labels
    ]
    if not pairs:
        return []
    return [f"{_count(len(pairs), 'picture')} under two labels: {named(pairs)}; remove one of each"]


def _near(part: str, near: Sequence[tuple[int, int]], items: Sequence[Item], drawn: bool, count: int) -> list[str]:
    if SHARE * len(near) < count:
        return []
    return [
        f"{len(near):,} of {count:,} {part} images nearly equal one in {BESIDE[part]} (frames of one scene, one "
        f"picture changed, or merely similar pictures): {_pairs(near, items)}"
        f"{_remedy(near, items) if drawn else SHIPPED}"
    ]


def _remedy(pairs: Sequence[tuple[int, int]], items: Sequence[Item]) -> str:
    """What keeps copies out of both parts: groups, where a pattern unites them all."""
    pattern = uniting_pattern(items, pairs)
    if not pattern:
        return "; remove the copies"
    quoted = f"'{pattern}'"
    return f"; set {group_yaml(quoted)}, which keeps them together, or remove the copies"


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' if count > 1 else ''}"


def _pairs(pairs: Sequence[tuple[int, int]], items: Sequence[Item]) -> str:
    return named(f"{items[held].name} = {items[other].name}" for held, other in pairs)
