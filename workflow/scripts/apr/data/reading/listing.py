"""What every reader makes: images with class, part and group, not yet decoded."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from apr.basics.problems import Problem
from apr.data.reading.parts import PARTS
from apr.data.reading.snippets import Channels, Snippet
from apr.data.reading.walking import LeftOut


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file: all of it, or a member of a tar that is read in place."""

    path: Path
    offset: int = 0
    size: int = -1

    def read(self) -> bytes:
        """Return the bytes."""
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True, slots=True)
class Item:
    """One image.

    Attributes:
        name: unique in its dataset, such as the path below the root.
        label: name of its class; where an image may have several labels, or none, all of them.
        source: an encoded picture, a part of one, one of several, or pixels, uint8 [H, W] or [H, W, 1 or 3].
        split: "train", "test", "validation", or None where the publisher ships no split.
        group: what must not be torn apart (a patient, a lesion), or None.
        fold: the set of numbered folds that a publisher put it in, and the number; or None.
    """

    name: str
    label: str | tuple[str, ...]
    source: Span | Snippet | Channels | np.ndarray
    split: str | None = None
    group: str | None = None
    fold: tuple[str, int] | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, also of an image that has a single one."""
        return (self.label,) if isinstance(self.label, str) else self.label

    @property
    def shown(self) -> str:
        """The labels as a sentence names them."""
        return " + ".join(self.labels) or "no label"

    def relabelled(self, change: Callable[[str], str]) -> "Item":
        """The same image, each of its labels changed."""
        changed = tuple(map(change, self.labels))
        return replace(self, label=changed[0] if isinstance(self.label, str) else changed)


@dataclass
class Listing:
    """All images of a dataset and its classes in order.

    Attributes:
        items: the images.
        classes: names of the classes, or of the labels where an image may have several, in order.
        ignored: what was passed over or looks odd.
        ungrouped: where the first image without a group stands, and how many there are, if a table says so.
        lenient: a class may lack images of any part.
        group_hint: what seems to belong together though no group is given, with the YAML that says so.
    """

    items: list[Item]
    classes: list[str]
    ignored: LeftOut = field(default_factory=LeftOut)
    ungrouped: str | None = None
    group_hint: str | None = None
    lenient: bool = False

    @property
    def multi_label(self) -> bool:
        """Whether an image may have several labels."""
        return bool(self.items) and not isinstance(self.items[0].label, str)

    def check(self, root: Path) -> None:
        """Refuse classes without images, double names and a split that covers only some images.

        Raises:
            Problem: names the class or the file.
        """
        counts = Counter(label for item in self.items for label in item.labels)
        empty = [label for label in self.classes if not counts[label]]
        if empty and not self.lenient:
            raise Problem(f"{root}: class {empty[0]!r} has no image: {_more(empty)}add some, or remove the class")
        names = Counter(item.name for item in self.items)
        double = [name for name, count in names.items() if count > 1]
        if double:
            raise Problem(f"{root}: {double[0]}: two images have this name; rename one")
        parts = Counter(item.split for item in self.items)
        odd = parts.keys() - {None, *PARTS}
        if odd:
            raise Problem(f"{root}: part {odd.pop()!r}: has to be one of {', '.join(PARTS)}")
        if None in parts and len(parts) > 1:
            raise Problem(f"{root}: {parts[None]} images belong to no part while others do; complete the split")

    def with_both_parts(self) -> "Listing":
        """Leave out classes that lack train or test images, and count what goes.

        Of an image with several labels those go; it goes itself if it keeps none.
        """
        parts = defaultdict(set)
        for item in self.items:
            for label in item.labels:
                parts[label].add(item.split)
        kept = {label for label in self.classes if parts[label] >= {"train", "test"} or None in parts[label]}
        items = [item for item in self.items if not item.labels or kept & set(item.labels)]
        if self.multi_label:
            items = [replace(item, label=tuple(label for label in item.labels if label in kept)) for item in items]
        self.ignored["class_without_both_parts"] += len(self.items) - len(items)
        classes = [label for label in self.classes if label in kept]
        return Listing(items, classes, self.ignored, self.ungrouped, self.group_hint)


def _more(labels: list[str]) -> str:
    return f"(and {len(labels) - 1} more classes) " if len(labels) > 1 else ""


def composed(text: str) -> str:
    """The text in Unicode's composed form: macOS writes é as two characters, others as one."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def in_order(labels: Iterable[str], order: str | list[str] | None = None) -> list[str]:
    """Sort class names.

    Args:
        labels: the names found.
        order: "numeric" ("2" before "10"), "name", a list of all names, or None: numeric if all names are integers.

    Raises:
        Problem: a name is not a number, or the list and the names found differ.
    """
    found = sorted(set(map(composed, labels)))
    if isinstance(order, list):
        order = [composed(str(label)) for label in order]
        differing = sorted(set(order) ^ set(found))
        if differing or len(set(order)) != len(order):
            raise Problem(f"options: classes_order: does not list each class once (see {differing[:5]})")
        return order
    if order not in (None, "name", "numeric"):
        raise Problem(f"options: classes_order: {order!r}: numeric, name, or a list of all classes")
    numbers = all(label.isascii() and label.isdecimal() for label in found)
    if order == "numeric" and not numbers:
        odd = next(label for label in found if not (label.isascii() and label.isdecimal()))
        raise Problem(
            f"options: classes_order: numeric: class {odd!r} is not a number; if it is no class, set options: root"
        )
    return found if order == "name" or not numbers else sorted(found, key=lambda label: (int(label), label))
