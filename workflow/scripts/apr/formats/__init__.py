"""Readers of the layouts in which publishers ship image datasets: from a folder to a listing of images."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from apr.formats.arrays import read_idx, read_npz
from apr.formats.cifar import read_cifar
from apr.formats.folders import read_class_folders, read_split_folders
from apr.formats.imagenet import PARTS, read_ilsvrc, read_tiny_imagenet
from apr.formats.listing import Item, Listing, Span, descend
from apr.formats.options import as_taken, option_kinds, option_problems
from apr.formats.points import read_point_annotations
from apr.formats.snippets import Snippet
from apr.formats.tables import read_csv_labels, read_file_names
from apr.problems import Problem
from apr.values import nearest

__all__ = ["FORMATS", "Item", "Listing", "Snippet", "Span", "format_options", "options_problems", "read_listing"]

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


def read_listing(folder: Path, name: str, options: Mapping[str, Any] | None = None) -> Listing:
    """List the images of a dataset without decoding them.

    Args:
        folder: unpacked root, or a folder that was there already. A single folder inside is entered.
        name: of the format.
        options: the format's own; and `root`, a subfolder that is taken as it is (no folder is entered then), and
            `missing`: "drop" leaves out classes that lack train or test images (default: they are an error).

    Raises:
        Problem: unknown format or option, or the folder is not what the format expects.
    """
    problems = [f"{option}: {text}" for option, text in options_problems(name, options or {})]
    if problems:
        raise Problem(f"format {name}: options: {'; '.join(problems)}")
    options = as_taken(FORMATS[name], options or {})
    folder = Path(folder)
    root = folder / options.pop("root") if "root" in options else descend(folder, STAY_ABOVE.get(name, ()))
    if not root.is_dir():
        raise Problem(
            f"{root}: there is no such folder; correct options: root, or delete {folder}.json to unpack again"
        )
    missing = options.pop("missing", "error")
    options.pop("nested", None)
    listing = FORMATS[name](root, **options)
    if not listing.items:
        raise Problem(f"{root}: no images found (format {name})")
    listing.check(root)
    return listing.with_both_parts() if missing == "drop" else listing


def _reader(name: str) -> Callable[..., Listing]:
    if name not in FORMATS:
        raise Problem(f"format {name!r}: unknown{nearest(name, FORMATS)}; there are {', '.join(FORMATS)}")
    return FORMATS[name]
