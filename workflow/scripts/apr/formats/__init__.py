"""Readers of the layouts in which publishers ship image datasets: from a folder to a listing of images."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from apr.formats.arrays import read_idx, read_npz
from apr.formats.cifar import read_cifar
from apr.formats.folders import read_class_folders, read_split_folders
from apr.formats.imagenet import PARTS, read_ilsvrc, read_tiny_imagenet
from apr.formats.listing import Item, Listing, Span, descend
from apr.formats.points import read_point_annotations
from apr.formats.snippets import Snippet
from apr.formats.tables import read_csv_labels, read_file_names
from apr.problems import Problem

__all__ = ["FORMATS", "Item", "Listing", "Snippet", "Span", "format_options", "read_listing"]

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
COMMON_OPTIONS = ("root", "nested", "names_encoding", "missing")


def format_options(name: str) -> list[str]:
    """Options that a format takes, the common ones included.

    Raises:
        Problem: there is no such format.
    """
    if name not in FORMATS:
        nearest = difflib.get_close_matches(name, FORMATS, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"there are {', '.join(FORMATS)}"
        raise Problem(f"format {name!r}: unknown ({hint})")
    return [*COMMON_OPTIONS, *(one.name for one in _parameters(name))]


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
    options = dict(options or {})
    known = format_options(name)
    for key in options:
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else f"it has {', '.join(known)}"
            raise Problem(f"format {name}: options: {key}: unknown ({hint})")
    for parameter in _parameters(name):
        if parameter.default is parameter.empty and parameter.name not in options:
            raise Problem(f"format {name}: options: {parameter.name}: is needed")
    folder = Path(folder)
    root = folder / options.pop("root") if "root" in options else descend(folder, STAY_ABOVE.get(name, ()))
    if not root.is_dir():
        raise Problem(
            f"{root}: there is no such folder; correct options: root, or delete {folder}.json to unpack again"
        )
    missing = options.pop("missing", "error")
    for done in ("nested", "names_encoding"):  # unpacking took them
        options.pop(done, None)
    listing = FORMATS[name](root, **options)
    if not listing.items:
        raise Problem(f"{root}: no images found (format {name})")
    listing.check(root)
    if missing not in ("error", "drop"):
        raise Problem(f"format {name}: options: missing: {missing!r}: error or drop")
    return listing.with_both_parts() if missing == "drop" else listing


def _parameters(name: str) -> list[inspect.Parameter]:
    parameters = inspect.signature(FORMATS[name]).parameters.values()
    return [one for one in parameters if one.kind is one.KEYWORD_ONLY]
