"""Class folders, with or without train and test folders above them."""

from pathlib import Path
from typing import Annotated

from apr.formats.listing import Item, Listing, Span, in_order
from apr.formats.parts import parts_among, split_folders_options
from apr.problems import Problem
from apr.values import Between
from apr.walking import LeftOut, find_images, is_picture, listed_suffixes, named, pass_over_beside, visible, walk

Depth = Annotated[int, Between(1, 16)]
TEST_FOLDERS = ("test", "val", "valid", "validation")


def read_class_folders(root: Path, *, classes_order: str | list[str] | None = None, depth: Depth = 1) -> Listing:
    """Read `<class>/**/<image>`.

    Args:
        root: holds the class folders.
        classes_order: see `in_order`; by default folders named by numbers are taken in numeric order. Folders that a
            list names are classes, even if they are called train and test.
        depth: levels of folders that make a class; 2 gives classes such as "Greek/character01".

    Raises:
        Problem: no class folders, or an empty one.
    """
    left = LeftOut()
    folders, items = _read(root, root, depth, None, left)
    return Listing(items, in_order(folders, classes_order), left)


def read_split_folders(
    root: Path,
    *,
    train: str | list[str] = "train",
    test: str | list[str] | None = None,
    classes_order: str | list[str] | None = None,
    depth: Depth = 1,
) -> Listing:
    """Read `train/<class>/**/<image>` and `test/<class>/**/<image>`; `train/train/<class>` as Kaggle ships it, too.

    Args:
        root: holds the folders of the parts.
        train: folder or folders of the train part.
        test: of the test part; by default "test", or else "val", "valid", "validation". Other folders are left alone.
        classes_order: see `in_order`.
        depth: see `read_class_folders`.

    Raises:
        Problem: a folder is missing, a class is empty or stands in one part alone (`missing: drop` allows it).
    """
    left = LeftOut()
    if test is None:
        test = next((name for name in TEST_FOLDERS if (root / name).is_dir()), "test")
    items: list[Item] = []
    labels: set[str] = set()
    read: set[str] = set()
    for split, names in (("train", train), ("test", test)):
        for name in [names] if isinstance(names, str) else names:
            folder = root / name
            if not folder.is_dir():
                raise Problem(f"{root}: no folder {name!r} ({_what_instead(root, split)}")
            if name in read:
                raise Problem(f"{root}: the folder {name!r} is given twice; correct options: train, test")
            read.add(name)
            inner = folder / folder.name
            folder = inner if visible(folder) == ([inner], []) else folder
            folders, found = _read(root, folder, depth, split, left)
            items += found
            labels |= folders.keys()
    _pass_over_others(root, read, left)
    return Listing(items, in_order(labels, classes_order), left)


def _what_instead(root: Path, split: str) -> str:
    there = [path.name for path in visible(root)[0]]
    parts = parts_among(there)
    both = parts and parts.train and parts.test
    remedy = split_folders_options(parts) if both else f"options: {split}"
    return f"it holds {', '.join(there) or 'no folder'}); set {remedy}"


def _pass_over_others(root: Path, read: set[str], left: LeftOut) -> None:
    """Count the pictures in folders that are of neither part."""
    tops = {name.split("/")[0] for name in read}
    for folder in visible(root)[0]:
        if folder.name not in tops and not tops & {"."}:
            pictures = [path for path in walk(folder) if is_picture(path.name)]
            if pictures:
                left.pass_over("in_other_folders", pictures)
                left.note(f"{folder}: {len(pictures):,} pictures of neither part are left out")


def _read(root: Path, top: Path, depth: int, split: str | None, left: LeftOut) -> tuple[dict[str, Path], list[Item]]:
    if depth < 1:
        raise Problem(f"options: depth: {depth}: has to be at least 1")
    level = {"": top}
    beside: list[tuple[Path, list[Path]]] = []
    for _ in range(depth):
        deeper = {}
        for label, folder in level.items():
            folders, files = visible(folder, left)
            beside.append((folder, files))
            deeper |= {f"{label}/{one.name}".removeprefix("/"): one for one in folders}
        level = deeper
    items = _items(root, level, split, left)
    for folder, files in beside:
        pass_over_beside(folder, files, len(items), left)
    if not level:
        files = [path.name for _, files in beside for path in files]
        shown = f" (it holds {named(files)})" if files else ""
        raise Problem(f"{top}: holds no class folders at depth {depth}{shown}; set options: root, or another format")
    return level, items


def _items(root: Path, folders: dict[str, Path], split: str | None, left: LeftOut) -> list[Item]:
    items = []
    for label, folder in folders.items():
        before = left.suffixes.copy()
        images = find_images(folder, left)
        if not images:
            others = left.suffixes - before
            shown = f" (it holds {listed_suffixes(others)})" if others else ""
            raise Problem(
                f"{folder}: the folder of class {label!r} holds no image{shown}: add or convert some, or remove the "
                "folder"
            )
        items += [Item(path.relative_to(root).as_posix(), label, Span(path), split) for path in images]
    return items
