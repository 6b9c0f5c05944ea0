"""What every reader makes: images with class, part and group, not yet decoded."""

import difflib
import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from apr.formats.snippets import Snippet
from apr.images import SUFFIXES
from apr.problems import Problem

JUNK = {"__MACOSX", "Thumbs.db", "desktop.ini"}


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
        label: name of its class.
        source: an encoded picture, a part of one, or pixels, uint8 [H, W] or [H, W, 1 or 3].
        split: "train", "test", or None where the publisher ships no split.
        group: what must not be torn apart (a patient, a lesion), or None.
    """

    name: str
    label: str
    source: Span | Snippet | np.ndarray
    split: str | None = None
    group: str | None = None


@dataclass
class Listing:
    """All images of a dataset, its classes in order, and what was passed over, counted by reason."""

    items: list[Item]
    classes: list[str]
    ignored: Counter[str] = field(default_factory=Counter)

    def check(self, root: Path) -> None:
        """Refuse classes without images, double names and a split that covers only some images.

        Raises:
            Problem: names the class or the file.
        """
        counts = Counter(item.label for item in self.items)
        empty = [label for label in self.classes if not counts[label]]
        if empty:
            raise Problem(f"{root}: class {empty[0]!r} has no image: {_more(empty)}add some, or remove the class")
        names = Counter(item.name for item in self.items)
        double = [name for name, count in names.items() if count > 1]
        if double:
            raise Problem(f"{root}: {double[0]}: two images have this name")
        parts = Counter(item.split for item in self.items)
        odd = parts.keys() - {None, "train", "test"}
        if odd:
            raise Problem(f"{root}: part {odd.pop()!r}: has to be train or test")
        if None in parts and len(parts) > 1:
            raise Problem(f"{root}: {parts[None]} images belong to no part while others do; complete the split")

    def with_both_parts(self) -> "Listing":
        """Leave out classes that lack train or test images, and count what goes."""
        parts = defaultdict(set)
        for item in self.items:
            parts[item.label].add(item.split)
        kept = {label for label in self.classes if parts[label] >= {"train", "test"} or None in parts[label]}
        items = [item for item in self.items if item.label in kept]
        ignored = self.ignored + Counter({"class_without_both_parts": len(self.items) - len(items)})
        return Listing(items, [label for label in self.classes if label in kept], ignored)


def _more(labels: list[str]) -> str:
    return f"(and {len(labels) - 1} more classes) " if len(labels) > 1 else ""


def visible(folder: Path) -> tuple[list[Path], list[Path]]:
    """Folders and files in `folder`, sorted, without hidden ones and leftovers of operating systems."""
    entries = sorted(path for path in folder.iterdir() if not is_junk(path.name))
    folders = [path for path in entries if path.is_dir()]
    return folders, [path for path in entries if not path.is_dir()]


def is_junk(name: str) -> bool:
    """Whether a file or folder is hidden or a leftover of an operating system."""
    return name.startswith(".") or name in JUNK


def descend(folder: Path, stay_above: Collection[str] = ()) -> Path:
    """Enter folders as long as each holds one folder and nothing else; folders of some names are not entered."""
    while folder.is_dir():
        folders, files = visible(folder)
        if files or len(folders) != 1 or folders[0].name in stay_above:
            break
        folder = folders[0]
    return folder


def find_files(folder: Path) -> list[Path]:
    """All visible files below `folder`, sorted; links to folders are followed."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not is_junk(name))
        found += [Path(place, name) for name in sorted(names) if not is_junk(name)]
    return found


def find_images(folder: Path, ignored: Counter[str]) -> list[Path]:
    """All pictures below `folder` by their suffix, sorted; what is passed over is counted in `ignored`."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        ignored["hidden"] += sum(is_junk(name) for name in [*folders, *names])
        folders[:] = sorted(name for name in folders if not is_junk(name))
        shown = [name for name in sorted(names) if not is_junk(name)]
        pictures = [name for name in shown if is_picture(name)]
        ignored["not_an_image"] += len(shown) - len(pictures)
        found += [Path(place, name) for name in pictures]
    return found


def is_picture(name: str) -> bool:
    """Whether a file's suffix is that of a picture."""
    return os.path.splitext(name)[1].lower() in SUFFIXES


def in_order(labels: Iterable[str], order: str | list[str] | None = None) -> list[str]:
    """Sort class names.

    Args:
        labels: the names found.
        order: "numeric" ("2" before "10"), "name", a list of all names, or None: numeric if all names are integers.

    Raises:
        Problem: a name is not a number, or the list and the names found differ.
    """
    found = sorted(set(labels))
    if isinstance(order, list):
        order = [str(label) for label in order]
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


def require_columns(path: Path, wanted: Sequence[str], there: Sequence[str]) -> None:
    """Refuse a table that lacks a column.

    Raises:
        Problem: names the column and the nearest, or all, that the table has.
    """
    for name in wanted:
        if name not in there:
            nearest = difflib.get_close_matches(name, there, n=1)
            hint = f"did you mean {nearest[0]!r}?" if nearest else f"it has {', '.join(there)}"
            raise Problem(f"{path}: has no column {name!r} ({hint})")
