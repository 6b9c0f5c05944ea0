"""What looks odd in a dataset, in sentences for the terminal and the manifest."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from apr.data.encoding import Written
from apr.data.likeness import Copies
from apr.data.reading.groups import group_yaml, shown_groups, uniting_pattern
from apr.data.reading.listing import Item, Listing
from apr.data.reading.walking import listed_suffixes, named

SMALL_TEST = 200
DARK = 64  # gray levels
SHARE = 200  # near copies are said from one in so many test images on
FACTOR = 1.5  # by which the share of the test part may differ from what was wanted
NARROW = 64  # gray levels that 16-bit values have to span
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
    drawn = not items[0].split and split["by"] != "none"
    tests = index["split"] == 1
    return [
        *_left_out(listing),
        *listing.ignored.notes,
        *_levels(written),
        *_few_tests(int(tests.sum())),
        *_odd_share(int(tests.sum()), len(tests), split, drawn),
        *_torn_groups(listing, items, tests, split, drawn, copies),
        *_copies(copies, items, drawn, int(tests.sum())),
    ]


def counted(copies: Copies) -> dict[str, int]:
    """Copies as the manifest counts them."""
    return {
        "test_in_train": len(copies.across),
        "two_labels": len(copies.two_labels),
        "within": copies.within,
        "near_test_in_train": len(copies.near),
    }


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


def _few_tests(count: int) -> list[str]:
    """The standard error of an error rate, which is largest at 50 %."""
    if count >= SMALL_TEST:
        return []
    return [
        f"its test part holds {_count(count, 'image')}: an error rate p measured on it has a standard error of sqrt(p "
        "(1 - p) / "
        f"{count}), up to {50 / np.sqrt(count):.1f} points"
    ]


def _odd_share(tests: int, total: int, split: Mapping[str, Any], drawn: bool) -> list[str]:
    """A test part that is much larger or smaller than wanted, as each class gives at least one image or one group."""
    wanted = split.get("test_fraction")
    if not drawn or not wanted or 1 / FACTOR <= tests / total / wanted <= FACTOR:
        return []
    unit = "groups" if split["by"] == "group" else "images"
    return [
        f"its test part holds {tests / total:.0%} of the images ({tests:,} of {total:,}) where test_fraction is "
        f"{wanted:g}: the classes have too few {unit} for that share"
    ]


def _torn_groups(
    listing: Listing, items: Sequence[Item], tests: np.ndarray, split: Mapping[str, Any], drawn: bool, copies: Copies
) -> list[str]:
    if drawn and split["by"] == "group":
        return []
    groups = {item.name: item.group for item in items if item.group is not None}
    remedy = "; set split: {by: group}" if drawn else "; that is the split as it was shipped"
    what = "of the same group"
    if not groups and listing.group_hint and drawn:
        return [listing.group_hint]
    if not groups:
        shown = shown_groups(items) if drawn else None
        groups = shown[1] if shown else {} if drawn else _shipped_groups(items)
        what = "that its name seems to belong with (a prefix with a running number, or a folder)"
        if shown:
            if any(groups.get(items[test].name) != groups.get(items[train].name) for test, train in copies.across):
                return []  # these groups would leave the copies in both parts
            pattern = f"'{shown[0]}'"
            remedy = f"; if so, set {group_yaml(pattern)}"
    torn = _torn(items, tests, groups)
    if not torn:
        return []
    return [f"{len(torn):,} of {int(tests.sum()):,} test images have one in train {what}: {named(torn)}{remedy}"]


def _shipped_groups(items: Iterable[Item]) -> dict[str, str]:
    """Groups that names show across the folders of two parts: of class and file name alone."""
    short = {item.name: f"{item.label}/{item.name.rsplit('/', 1)[-1]}" for item in items}
    double = Counter(short.values())
    plain = [Item(short[item.name], item.label, item.source) for item in items if double[short[item.name]] == 1]
    shown = shown_groups(plain)
    return {name: shown[1][key] for name, key in short.items() if key in shown[1]} if shown else {}


def _torn(items: Sequence[Item], tests: np.ndarray, groups: Mapping[str, str]) -> list[str]:
    """Names of test images with an image of their group in train."""
    train = {groups[item.name] for item, test in zip(items, tests, strict=True) if not test and item.name in groups}
    return [item.name for item, test in zip(items, tests, strict=True) if test and groups.get(item.name) in train]


def _copies(copies: Copies, items: Sequence[Item], drawn: bool, n_test: int) -> list[str]:
    notes = []
    shipped = "; that is the split as it was shipped"
    if copies.across:
        notes.append(
            f"{len(copies.across):,} of {n_test:,} test images are also in train, pixel by pixel: "
            f"{_pairs(copies.across, items)}{_remedy(copies.across, items) if drawn else shipped}"
        )
    if copies.two_labels:
        pairs = [
            f"{items[one].name} ({items[one].label}) = {items[other].name} ({items[other].label})"
            for one, other in copies.two_labels
        ]
        notes.append(f"{_count(len(pairs), 'picture')} under two labels: {named(pairs)}; remove one of each")
    if SHARE * len(copies.near) >= n_test:
        notes.append(
            f"{len(copies.near):,} of {n_test:,} test images nearly equal one in train (frames of one scene, one "
            f"picture changed, or merely similar pictures): {_pairs(copies.near, items)}"
            f"{_remedy(copies.near, items) if drawn else shipped}"
        )
    return notes


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
    return named(f"{items[test].name} = {items[train].name}" for test, train in pairs)
