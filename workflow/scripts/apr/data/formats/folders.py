"""Class folders, with or without train and test folders above them."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from apr.basics.problems import Problem
from apr.basics.values import Between
from apr.data.reading.layouts import in_names
from apr.data.reading.listing import Item, Listing, Span, in_order
from apr.data.reading.part_names import Parts, as_yaml, parts_among, split_folders_options
from apr.data.reading.thumbnails import class_like, without_thumbnails
from apr.data.reading.walking import (
    DOCUMENTS,
    LeftOut,
    is_picture,
    listed_suffixes,
    named,
    pass_over_beside,
    pictures_among,
    suffix_of,
    visible,
    walk,
)

Depth = Annotated[int, Between(1, 16)]
DEEPEST, MANY = 4, 200  # where folders of parts are looked for: levels, folders a level
# folders that publishers put beside the classes, such as Caltech-101's BACKGROUND_Google and Caltech-256's 257.clutter
NO_CLASS = re.compile(r"(\d+\.)?(background|clutter|distractors?|unknown|unlabell?ed)(?![a-z])", re.IGNORECASE)
OTHERWISE = "set options: root, or another format"
VALIDATION_FOLDERS = ("val", "valid", "validation")
TEST_FOLDERS = ("test", *VALIDATION_FOLDERS)


def read_class_folders(
    root: Path,
    *,
    classes_order: str | list[str] | None = None,
    depth: Depth = 1,
    leave_out: str | list[str] | None = None,
) -> Listing:
    """Read `<class>/**/<image>`.

    Args:
        root: holds the class folders.
        classes_order: see `in_order`; by default folders named by numbers are taken in numeric order. Folders that a
            list names are classes, even if they are called train and test.
        depth: levels of folders that make a class; 2 gives classes such as "Greek/character01".
        leave_out: folders (classes) that are not read.

    Raises:
        Problem: no class folders, or an empty one.
    """
    left = LeftOut()
    wanted = _Wanted(classes_order, leave_out)
    folders, items = _read(root, root, depth, None, left, wanted)
    wanted.check(root)
    return Listing(items, in_order(folders, classes_order), left)


def read_split_folders(
    root: Path,
    *,
    train: str | list[str] = "train",
    test: str | list[str] | None = None,
    validation: str | list[str] = (),
    classes_order: str | list[str] | None = None,
    depth: Depth = 1,
    leave_out: str | list[str] | None = None,
) -> Listing:
    """Read `train/<class>/**/<image>` and `test/<class>/**/<image>`; `train/train/<class>` as Kaggle ships it, too.

    Args:
        root: holds the folders of the parts.
        train: folder or folders of the train part.
        test: of the test part; by default "test", "val", "valid" or "validation", the first
            that holds folders. Other folders are left alone.
        validation: of the validation part, if it is to be read.
        classes_order: see `in_order`.
        depth: see `read_class_folders`.
        leave_out: see `read_class_folders`.

    Raises:
        Problem: a folder is missing, a class is empty or stands in one part alone (`missing: drop` allows it).
    """
    left = LeftOut()
    if test is None:
        there = [name for name in TEST_FOLDERS if (root / name).is_dir() and name not in _listed(validation)]
        test = next((name for name in there if visible(root / name)[0]), there[0] if there else "test")
    wanted = _Wanted(classes_order, leave_out)
    items: list[Item] = []
    labels: set[str] = set()
    read: set[str] = set()
    for split, names in (("train", train), ("test", test), ("validation", validation)):
        for name in _listed(names):
            folder = root / name
            if not folder.is_dir():
                raise Problem(f"{root}: no folder {name!r} ({_what_instead(root, split)}")
            if name in read:
                raise Problem(f"{root}: the folder {name!r} is given twice; correct options: train, test, validation")
            read.add(name)
            inner = folder / folder.name
            folder = inner if visible(folder) == ([inner], []) else folder
            folders, found = _read(root, folder, depth, split, left, wanted)
            items += found
            labels |= folders.keys()
    wanted.check(root)
    _pass_over_others(root, read, left)
    return Listing(items, in_order(labels, classes_order), left)


def _listed(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else names


class _Wanted:
    """Which folders are classes, as the user says."""

    def __init__(self, order: str | list[str] | None, leave_out: str | list[str] | None) -> None:
        self.listed = [str(label) for label in order] if isinstance(order, list) else []
        self._out = {str(label) for label in ([leave_out] if isinstance(leave_out, str) else leave_out or ())}
        self._seen: set[str] = set()

    def without(self, folders: dict[str, Path]) -> dict[str, Path]:
        self._seen |= self._out & folders.keys()
        return {label: folder for label, folder in folders.items() if label not in self._out}

    def check(self, root: Path) -> None:
        odd = sorted(self._out - self._seen)
        if odd:
            raise Problem(f"{root}: there is no class folder {odd[0]!r}; correct options: leave_out")


def _what_instead(root: Path, split: str) -> str:
    there = [path.name for path in visible(root)[0]]
    parts = _parts_in(root)
    both = parts and parts.train and parts.test
    remedy = split_folders_options(parts) if both else _parts_below(root)
    remedy = remedy if remedy and split != "validation" else f"options: {split}"
    return f"it holds {', '.join(there) or 'no folder'}); set {remedy}"


def _parts_in(folder: Path) -> Parts | None:
    """The parts among the folders that hold folders, or else among all."""
    inner = visible(folder)[0]
    return parts_among(one.name for one in inner if visible(one)[0]) or parts_among(one.name for one in inner)


def _parts_below(root: Path) -> str:
    """The options that name the highest folder below, in which there are folders of parts; empty if there is none."""
    level = [root]
    for _ in range(DEEPEST):
        level = [one for folder in level for one in visible(folder)[0] if not one.is_symlink()][:MANY]
        for folder in level:
            parts = _parts_in(folder)
            if parts and parts.train and parts.test:
                return split_folders_options(parts, folder.relative_to(root).as_posix())
    return ""


def _pass_over_others(root: Path, read: set[str], left: LeftOut) -> None:
    """Count the pictures in folders that are of no part."""
    tops = {name.split("/")[0] for name in read}
    for folder in visible(root)[0]:
        if folder.name not in tops and not tops & {"."}:
            pictures = [path for path in walk(folder) if is_picture(path.name)]
            if pictures:
                left.pass_over("in_other_folders", pictures)
                asked = f"; set options: validation: {folder.name} to read them as the validation part"
                hint = asked if folder.name in VALIDATION_FOLDERS else ""
                left.note(f"{folder}: {len(pictures):,} pictures of neither part are left out{hint}")


def _read(
    root: Path, top: Path, depth: int, split: str | None, left: LeftOut, wanted: _Wanted
) -> tuple[dict[str, Path], list[Item]]:
    level = {"": top}
    beside: list[tuple[Path, list[Path]]] = []
    for _ in range(depth):
        deeper = {}
        for label, folder in level.items():
            folders, files = visible(folder, left)
            beside.append((folder, files))
            folders = class_like(folders, wanted.listed, left)
            deeper |= {f"{label}/{one.name}".removeprefix("/"): one for one in folders}
        level = deeper
    level = wanted.without(level)
    items = _items(root, level, split, left, wanted)
    for folder, files in beside:
        pass_over_beside(folder, files, len(items), left)
    if not items:
        files = [path.name for _, files in beside for path in files]
        shown = f" (it holds {named(files)})" if files else ""
        place = top.relative_to(root).as_posix().removeprefix(".")
        names = in_names(place, [name for name in files if is_picture(name)])
        remedy = f"its file names seem to begin with the class: use {names}" if names else OTHERWISE
        raise Problem(f"{top}: holds no class folders at depth {depth}{shown}; {remedy}")
    return {label: level[label] for label in dict.fromkeys(item.label for item in items)}, items


def _items(root: Path, folders: dict[str, Path], split: str | None, left: LeftOut, wanted: _Wanted) -> list[Item]:
    files = {label: walk(folder, left) for label, folder in folders.items()}
    papers = {label for label in folders if label not in wanted.listed and _all_documents(files[label])}
    items = []
    for label, folder in folders.items():
        if label in papers and len(folders) - len(papers) > 1:
            left.pass_over("not_an_image", files[label])
            kinds = listed_suffixes(Counter(suffix_of(path.name) for path in files[label]))
            left.note(f"{folder}: holds documents alone ({kinds}): left out")
            continue
        before = left.suffixes.copy()
        images = without_thumbnails(folder, pictures_among(folder, files[label], left), left)
        if not images:
            others = left.suffixes - before
            shown = f" (it holds {listed_suffixes(others)})" if others else ""
            raise Problem(
                f"{folder}: the folder of class {label!r} holds no image{shown}: add or convert some, remove the "
                f"folder, or set options: leave_out: {as_yaml([label])}"
            )
        if NO_CLASS.match(folder.name) and label not in wanted.listed:
            left.note(
                f"{folder}: is read as a class of {len(images):,} images, though its name says that it may be none; to "
                f"leave it out, set options: leave_out: {as_yaml([label])}"
            )
        items += [Item(path.relative_to(root).as_posix(), label, Span(path), split) for path in images]
    return items


def _all_documents(files: Sequence[Path]) -> bool:
    return bool(files) and all(path.suffix.lower() in DOCUMENTS for path in files)
