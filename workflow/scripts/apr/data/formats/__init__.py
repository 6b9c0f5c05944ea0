"""Readers of the layouts in which publishers ship image datasets: from a folder to a listing of images."""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.data.formats.arrays import read_idx, read_npz
from apr.data.formats.camera_traps import read_coco_camera_traps
from apr.data.formats.cifar import read_cifar
from apr.data.formats.folders import read_class_folders, read_split_folders
from apr.data.formats.hpa import read_hpa
from apr.data.formats.imagenet import PARTS, read_ilsvrc, read_tiny_imagenet
from apr.data.formats.names import read_file_names
from apr.data.formats.options import as_taken, option_kinds, option_problems, own_options
from apr.data.formats.points import read_point_annotations
from apr.data.formats.tables import read_csv_labels
from apr.data.reading.checked import checked, two_classes
from apr.data.reading.groups import is_pattern, with_groups
from apr.data.reading.listing import Item, Listing, Span
from apr.data.reading.part_names import HERE
from apr.data.reading.snippets import Snippet
from apr.data.reading.walking import descend, visible

__all__ = [
    "FORMATS",
    "Item",
    "Listing",
    "Snippet",
    "Span",
    "format_options",
    "multi_label",
    "options_problems",
    "read_listing",
]

FORMATS: dict[str, Callable[..., Listing]] = {
    "class_folders": read_class_folders,
    "split_folders": read_split_folders,
    "cifar": read_cifar,
    "idx": read_idx,
    "npz": read_npz,
    "csv_labels": read_csv_labels,
    "file_names": read_file_names,
    "point_annotations": read_point_annotations,
    "tiny_imagenet": read_tiny_imagenet,
    "ilsvrc": read_ilsvrc,
    "coco_camera_traps": read_coco_camera_traps,
    "hpa": read_hpa,
}
STAY_ABOVE = {"ilsvrc": PARTS}  # folders of the layout itself, which may stand alone


def format_options(name: str) -> list[str]:
    """Options that a format takes, the common ones included.

    Raises:
        Problem: there is no such format.
    """
    return list(option_kinds(_reader(name)))


def options_problems(name: str, options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the options of a format, each with what to write instead.

    Raises:
        Problem: there is no such format.
    """
    return option_problems(name, _reader(name), options)


def multi_label(name: str, options: Mapping[str, Any]) -> bool:
    """Whether images of a format with these options may have several labels."""
    return name == "hpa" or bool(options.get("label_separator") or options.get("multi_label"))


def read_listing(folder: Path, name: str, options: Mapping[str, Any] | None = None) -> Listing:
    """List the images of a dataset without decoding them, and check the list.

    Args:
        folder: unpacked root, or a folder that was there already. A single folder inside is entered.
        name: of the format.
        options: the format's own; and `root`, a subfolder that is taken as it is (no folder is entered then, unless it
            is found so alone),
            `missing`: "drop" leaves out classes that lack train or test images, "keep" keeps them and says so (default:
            they are an error),
            `others`: "ignore" allows that most of the files are of no kind that is read (default: an error), and, where
            images have names, `group`: a regular expression with `(?P<group>...)`, searched in the path below the root.

    Raises:
        Problem: unknown format or option, the folder is not what the format expects, or `checked` refuses.
    """
    try:
        return _read_listing(Path(folder), name, options or {})
    except Problem as error:
        if HERE not in str(error):
            raise
        above = str((options or {}).get("root", "")).strip("/")
        raise Problem(str(error).replace(HERE, f"{above}/" if above else "")) from error


def _read_listing(folder: Path, name: str, options: Mapping[str, Any]) -> Listing:
    problems = [f"{option}: {text}" for option, text in options_problems(name, options)]
    if problems:
        raise Problem(f"format {name}: options: {'; '.join(problems)}")
    reader = FORMATS[name]
    options = as_taken(reader, options)
    root = _root(folder, options.get("root"), STAY_ABOVE.get(name, ()))
    group = options.get("group")
    by_pattern = bool(group) and (is_pattern(group) or "group" not in own_options(reader))
    own = own_options(reader) - ({"group"} if by_pattern else set())
    listing = reader(root, **{key: value for key, value in options.items() if key in own})
    listing.ignored.settle(lenient=options.get("others") == "ignore")
    if not listing.items:
        raise Problem(f"{root}: no images found (format {name}); put some there, or correct the folder or its format")
    listing.lenient = options.get("missing") == "keep"
    listing = checked(listing, root, name, options)
    if options.get("missing") == "drop":
        listing = listing.with_both_parts()
        if not listing.classes:
            raise Problem(f"{root}: no class has train and test images; correct options: train, test")
    two_classes(listing, root, name)
    listing.ignored.name_within(root)
    if by_pattern:
        listing.items = with_groups(listing.items, group)
    return listing


def _root(folder: Path, given: str | None, stay_above: tuple[str, ...]) -> Path:
    if given and (given.startswith("/") or ".." in PurePosixPath(given).parts):
        text = "is no folder within the dataset; name one as it is called below it, without a / in front"
        raise Problem(f"options: root: {given!r} {text}")
    entered = descend(folder, stay_above)
    root = entered if given is None else folder / given
    if not root.is_dir() and given and (entered / given).is_dir():
        return entered / given
    if not root.is_dir():
        there = ", ".join(path.name for path in visible(folder)[0]) if folder.is_dir() else ""
        unpacked = Path(f"{folder}.json")
        again = f", or delete {unpacked} to unpack again" if unpacked.is_file() else ""
        raise Problem(f"{root}: there is no such folder ({there or 'nor any other'}); correct options: root{again}")
    return root


def _reader(name: str) -> Callable[..., Listing]:
    if name not in FORMATS:
        raise Problem(f"format {name!r}: unknown{nearest(name, FORMATS)}; there are {', '.join(FORMATS)}")
    return FORMATS[name]
