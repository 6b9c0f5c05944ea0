"""What is told of a user's pictures: classes, numbers, sizes, parts and oddities, as plain values."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from apr.basics.problems import Problem
from apr.data.formats import Item, Listing
from apr.data.oddities import listed_notes
from apr.data.reading.decoding import Undecodable, decode
from apr.data.reading.groups import group_yaml, shown_groups
from apr.data.reading.walking import named
from mine.layouts import MOST_CLASSES, Layout, too_many

TRIED = 200  # pictures that are decoded to look at them
WANTED = 400  # test pictures, where there are that many: an error rate is known to 2.5 points
UNLIKE = 5  # times as many pictures in one class as in another
SIGN = re.compile(
    r"[A-Za-z]|\d{1,2}|[A-Za-z]{0,9}[ _-]?(sign|letter|digit|number|character|glyph)s?[ _-]?\w{0,3}", re.IGNORECASE
)
TURNED = re.compile(r"(^|[^a-z])(left|right)($|[^a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class Seen:
    """What was found.

    Attributes:
        layout: how the pictures lie, in words; format and options are what a study needs to read them.
        classes: names in order.
        per_class: pictures of each, in all parts.
        parts: pictures of each part that the publisher ships; empty where one is drawn.
        split: how the other parts are drawn (keys of `split` of a dataset).
        sides: smallest, median and largest side of the pictures that were tried, in pixels.
        seconds: that decoding one of them took.
        notes: sentences on what looks odd.
        groups: the YAML that keeps together what the names show to belong together; empty where they show nothing.
        handed: left and right seem to matter, as in signs and letters.
    """

    layout: str
    format: str
    options: dict[str, Any]
    classes: list[str]
    per_class: list[int]
    parts: dict[str, int]
    split: dict[str, Any]
    sides: tuple[int, int, int]
    seconds: float
    notes: list[str]
    groups: str
    handed: bool

    @property
    def count(self) -> int:
        """All pictures."""
        return sum(self.per_class)


def seen_in(layout: Layout) -> Seen:
    """Look at a listing, and at some of its pictures.

    Raises:
        Problem: too many classes, a class that has not a picture for each of the three parts, several labels a picture,
            or pictures that cannot be decoded.
    """
    listing = layout.listing
    counts = Counter(item.label for item in listing.items)
    if len(listing.classes) > MOST_CLASSES:
        raise too_many(len(listing.classes), "classes")
    parts = Counter(item.split for item in listing.items if item.split)
    _enough(listing, parts)
    sides, seconds = _tried(listing.items)
    per_class = [counts[label] for label in listing.classes]
    split = split_of(counts.values(), parts)
    shown = None if parts or listing.group_hint else shown_groups(listing.items)
    notes = [*listed_notes(listing), *layout.notes]
    if listing.group_hint:
        notes.append(listing.group_hint)
    if shown:
        notes.append(
            f"names seem to show what belongs together ({_example(shown[1])}), and the parts are drawn image by image"
        )
    if max(per_class) >= UNLIKE * min(per_class):
        notes.append(
            f"its largest class holds {max(per_class):,} pictures, its smallest {min(per_class):,}: errors say little "
            "of small classes"
        )
    return Seen(
        layout=layout.words,
        format=layout.format,
        options=layout.options,
        classes=listing.classes,
        per_class=per_class,
        parts=dict(parts),
        split=split,
        sides=sides,
        seconds=seconds,
        notes=notes,
        groups=_kept_whole(listing, shown),
        handed=_handed(listing.classes),
    )


def split_of(counts: Sequence[int] | Any, parts: Mapping[str, int]) -> dict[str, Any]:
    """How parts are drawn that are not shipped: a test part of about 400 pictures, of 10 to 30 % of all."""
    total = sum(counts)
    drawn = {} if "validation" in parts else {"validation_fraction": 0.15 if total < 10 * WANTED else 0.1}
    if not parts:
        drawn = {"test_fraction": round(min(0.3, max(0.1, WANTED / total)), 2)} | drawn
    return drawn


def described(title: str, seen: Seen) -> Iterator[str]:
    """What it is taken for, a line each."""
    few, most = min(seen.per_class), max(seen.per_class)
    each = f"{few:,} each" if few == most else f"{few:,} to {most:,} each"
    yield f"{title}: {seen.count:,} pictures of {len(seen.classes):,} classes ({each}), read as {seen.layout}"
    yield f"classes: {named(seen.classes, 6)}"
    low, middle, high = seen.sides
    yield (
        f"sizes: {low} pixels"
        if low == high
        else f"sizes: sides of {low} to {high} pixels, half of them up to {middle}"
    )
    shipped = ", ".join(f"{part} {count:,}" for part, count in seen.parts.items())
    names = {"test_fraction": "test", "validation_fraction": "validation"}
    drawn = " and ".join(f"{names[key]} {share:.0%}" for key, share in seen.split.items())
    yield "parts: " + "; ".join(
        filter(None, [f"as they are, {shipped}" * bool(shipped), f"drawn, {drawn}" * bool(drawn)])
    )
    for note in seen.notes:
        yield f"odd: {note}"


def _enough(listing: Listing, parts: Mapping[str, int]) -> None:
    """Refuse classes that cannot be learned, chosen by and tested."""
    if listing.multi_label:
        raise Problem("DATA has pictures of several labels, which `make mine` does not take; write own.yaml by hand")
    least: dict[str | None, int] = {None: 3}
    need = "the train, the validation and the test part each need one of every class, so that it takes 3 at least"
    if parts:
        least = {"train": 1, "validation": 1, "test": 1} if "validation" in parts else {"train": 2, "test": 1}
        need = "every part needs one of every class, train 2 where validation is drawn from it"
    of = Counter((item.label, item.split) for item in listing.items)
    lacking = [(label, part) for label in listing.classes for part in least if of[label, part] < least[part]]
    if lacking:
        label, part = lacking[0]
        what = f"{part} pictures" if part else "pictures"
        others = len({label for label, _ in lacking}) - 1
        more = f" and too few of {others} more classes" if others else ""
        raise Problem(
            f"DATA holds {of[label, part]} {what} of class {label!r}{more}: {need}; add pictures, or take such classes "
            "out"
        )


def _tried(items: Sequence[Item]) -> tuple[tuple[int, int, int], float]:
    """Sides of some pictures, and seconds for each."""
    step = max(1, len(items) // TRIED)
    tried = items[::step][:TRIED]
    sides, damaged, started = [], [], time.perf_counter()
    for item in tried:
        try:
            sides += decode(item.source.read()).image.size
        except (Undecodable, OSError) as error:
            damaged.append(f"{item.name} {getattr(error, 'strerror', None) or error}")
    if damaged:
        raise Problem(
            f"DATA: {len(damaged):,} of {len(tried):,} pictures that were tried cannot be read: {named(damaged)}; "
            "repair or remove these and their like"
        )
    seconds = (time.perf_counter() - started) / len(tried)
    return (min(sides), round(median(sides)), max(sides)), seconds


def _kept_whole(listing: Listing, shown: tuple[str, dict[str, str]] | None) -> str:
    if shown:
        return group_yaml(f"'{shown[0]}'")
    column = re.search(r"set (split: \{by: group\}, options: \{group: .*\})", listing.group_hint or "")
    return column[1] if column else ""


def _example(groups: Mapping[str, str]) -> str:
    """Two names of one group."""
    of: dict[str, list[str]] = {}
    for name, group in groups.items():
        of.setdefault(group, []).append(name)
    return named(next((names[:2] for names in of.values() if names[1:]), list(groups)[:2]))


def _handed(classes: Sequence[str]) -> bool:
    """Whether most classes are called as signs, letters or digits are, or any is a left or a right."""
    signs = sum(bool(SIGN.fullmatch(label.split("/")[-1])) for label in classes)
    return 2 * signs > len(classes) or any(TURNED.search(label) for label in classes)
