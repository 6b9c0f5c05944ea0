"""Class folders, with or without train and test folders above them."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from apr.formats.listing import Item, Listing, Span, find_images, in_order, visible
from apr.problems import Problem
from apr.values import Between

PART_NAMES = {"train", "training", "test", "testing", "val", "valid", "validation"}
Depth = Annotated[int, Between(1, 16)]
TEST_FOLDERS = ("test", "val", "valid", "validation")


def read_class_folders(root: Path, *, classes_order: str | list[str] | None = None, depth: Depth = 1) -> Listing:
    """Read `<class>/**/<image>`.

    Args:
        root: holds the class folders.
        classes_order: see `in_order`; by default folders named by numbers are taken in numeric order.
        depth: levels of folders that make a class; 2 gives classes such as "Greek/character01".

    Raises:
        Problem: no class folders, or an empty one.
    """
    ignored: Counter[str] = Counter()
    folders = _class_folders(root, depth, ignored)
    if folders.keys() and {label.lower() for label in folders} <= PART_NAMES:
        raise Problem(f"{root}: holds {', '.join(sorted(folders))}: use format: split_folders")
    items = _items(root, folders, None, ignored)
    return Listing(items, in_order(folders, classes_order), ignored)


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
    ignored: Counter[str] = Counter()
    if test is None:
        test = next((name for name in TEST_FOLDERS if (root / name).is_dir()), "test")
    items: list[Item] = []
    labels: set[str] = set()
    for split, names in (("train", train), ("test", test)):
        for name in [names] if isinstance(names, str) else names:
            folder = root / name
            if not folder.is_dir():
                there = ", ".join(path.name for path in visible(root)[0]) or "no folder"
                raise Problem(f"{root}: no folder {name!r} (it holds {there}); set options: {split}")
            inner = folder / folder.name
            folder = inner if visible(folder) == ([inner], []) else folder
            folders = _class_folders(folder, depth, ignored)
            items += _items(root, folders, split, ignored)
            labels |= folders.keys()
    return Listing(items, in_order(labels, classes_order), ignored)


def _class_folders(root: Path, depth: int, ignored: Counter[str]) -> dict[str, Path]:
    level = {"": root}
    for _ in range(depth):
        deeper = {}
        for label, folder in level.items():
            folders, files = visible(folder)
            ignored["outside_class_folders"] += len(files)
            deeper |= {f"{label}/{one.name}".removeprefix("/"): one for one in folders}
        level = deeper
    if not level:
        raise Problem(f"{root}: holds no class folders at depth {depth}")
    return level


def _items(root: Path, folders: dict[str, Path], split: str | None, ignored: Counter[str]) -> list[Item]:
    items = []
    for label, folder in folders.items():
        images = find_images(folder, ignored)
        if not images:
            raise Problem(f"{folder}: the folder of class {label!r} holds no image: add some, or remove the folder")
        items += [Item(path.relative_to(root).as_posix(), label, Span(path), split) for path in images]
    return items
