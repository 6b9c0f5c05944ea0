"""Datasets shipped as arrays: the four idx files of MNIST and datasets like it, and npz."""

import gzip
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from apr.basics.causes import decoding, reading
from apr.basics.problems import Problem
from apr.data.reading.listing import Item, Listing
from apr.data.reading.walking import LeftOut, find_files, named
from apr.data.sources.file_kinds import allowed_bytes
from apr.data.sources.npz import array_names, load_npz

IDX_NAME = re.compile(r"(?P<prefix>.*?)(?P<part>train|t10k|test)-(?P<what>images|labels)[-.]idx[134]-ubyte(\.gz)?")
IDX_SIDES = 4  # that an image set has at most
IDX_BYTES = b"\x00\x00\x08"
NPZ_KEYS = ("x_train", "y_train", "x_test", "y_test")
NPZ_VALIDATION = ("x_val", "y_val")
NPZ_EXTRA = ("classes",)
# Other names of the same arrays: MedMNIST's, and those with the words turned round.
ALIASES = {
    f"{part}_{what}": f"{short}_{part}"
    for part in ("train", "test", "val")
    for what, short in (("images", "x"), ("labels", "y"), ("x", "x"), ("y", "y"), ("data", "x"))
}


def read_idx(root: Path, *, prefix: str = "", classes: list[str] | None = None) -> Listing:
    """Read train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-…, t10k-labels-…, gzip or not.

    The format: http://yann.lecun.com/exdb/mnist/

    Args:
        root: holds the four files, at any depth.
        prefix: what stands before "train" and "t10k", where a folder holds several sets ("emnist-letters-").
        classes: names of the labels in ascending order; by default the numbers themselves.

    Raises:
        Problem: a file is missing, truncated or not of this format.
    """
    found: dict[tuple[str, str], list[Path]] = {}
    prefixes = set()
    for path in find_files(root):
        match = IDX_NAME.fullmatch(path.name)
        if match:
            prefixes.add(match["prefix"])
        if match and match["prefix"] == prefix:
            found.setdefault(("train" if match["part"] == "train" else "test", match["what"]), []).append(path)
    arrays = {}
    for part in ("train", "test"):
        for what in ("images", "labels"):
            paths = found.get((part, what), [])
            if not paths:
                others = sorted(prefixes - {prefix})
                hint = (
                    f"; there are files with the prefix {named(map(repr, others))}: set options: prefix"
                    if others
                    else ""
                )
                raise Problem(f"{root}: the idx file of the {part} {what} is missing (prefix {prefix!r}){hint}")
            if len({path.parent / path.name.removesuffix(".gz") for path in paths}) > 1:
                raise Problem(
                    f"{root}: there are two files of the {part} {what}: {named(paths)}; set options: root or prefix"
                )
            arrays[part, what] = load_idx(paths[0])
    return _listing(
        root, {part: (arrays[part, "images"], arrays[part, "labels"]) for part in ("train", "test")}, classes, LeftOut()
    )


def load_idx(path: Path) -> np.ndarray:
    """Load an idx file of unsigned bytes.

    Raises:
        Problem: it is of another type, damaged, or its size is not what its header says.
    """
    with reading(path), (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        head = file.read(4)
        if head[:3] != IDX_BYTES or len(head) < 4 or not 1 <= head[3] <= IDX_SIDES:
            kind = f"unsigned bytes in 1 to {IDX_SIDES} dimensions"
            raise Problem(f"{path}: is not an idx file of {kind}; fetch it again")
        sides = file.read(4 * head[3])
        if len(sides) < 4 * head[3]:
            raise Problem(f"{path}: is truncated in its header; fetch it again")
        shape = tuple(np.frombuffer(sides, ">u4").tolist())
        expected, allowed = math.prod(shape), allowed_bytes(path.stat().st_size)
        if expected > allowed:
            raise Problem(f"{path}: its header says {shape}, more than a file of its size may hold; fetch it again")
        data = file.read(expected + 1)
    if len(data) != expected:
        found = f"{len(data):,}" if len(data) < expected else "more"
        raise Problem(f"{path}: holds {found} values where its header says {shape}: truncated; fetch it again")
    with decoding(path):
        return np.frombuffer(data, np.uint8).reshape(shape)


def read_npz(
    root: Path, *, file: str | None = None, classes: list[str] | None = None, validation: bool = False
) -> Listing:
    """Read x_train, y_train, x_test, y_test (the last two optional) and classes (optional) from an npz file.

    Args:
        root: holds the file.
        file: its name, where there are several.
        classes: names of the labels in ascending order; by default the file's own, or the numbers.
        validation: whether x_val and y_val are read, too, as the validation part.

    Raises:
        Problem: no such file, or arrays that are not uint8 images with integer labels.
    """
    paths = [path for path in find_files(root) if path.suffix == ".npz" and file in (None, path.name)]
    if len(paths) != 1:
        names = ", ".join(path.name for path in paths) or "none"
        raise Problem(f"{root}: one npz file is needed, there are: {names}; set options: file")
    path, left = paths[0], LeftOut()
    there = array_names(path)
    keys = (*NPZ_KEYS, *NPZ_VALIDATION) if validation else NPZ_KEYS
    names = {key: key for key in there}
    if not set(NPZ_KEYS) & set(there):
        names |= {key: ALIASES[key] for key in there if ALIASES.get(key) in keys}
    _complete(path, [names[key] for key in there], keys, left)
    wanted = {key: name for key, name in names.items() if name in (*keys, *NPZ_EXTRA)}
    arrays = {wanted[key]: values for key, values in load_npz(path, wanted).items()}
    if "classes" in arrays and classes is None:
        if arrays["classes"].ndim != 1:
            raise Problem(
                f"{path}: classes is an array {list(arrays['classes'].shape)}, not one name a label: [classes]"
            )
        classes = [str(label) for label in arrays["classes"].tolist()]
    if "x_test" in arrays:
        parts = {part: (arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test")}
        if validation:
            parts["validation"] = arrays["x_val"], arrays["y_val"]
        return _listing(path, parts, classes, left)
    return _listing(path, {None: (arrays["x_train"], arrays["y_train"])}, classes, left)


def _complete(path: Path, keys: Sequence[str], wanted: Sequence[str], left: LeftOut) -> None:
    """Refuse half a part, and note arrays that are not read."""
    for pair in (wanted[:2], wanted[2:4], wanted[4:]):
        missing = [key for key in pair if key not in keys]
        if missing and (len(missing) == 1 or pair == NPZ_KEYS[:2] or len(wanted) > len(NPZ_KEYS)):
            raise Problem(
                f"{path}: lacks {' and '.join(missing)} (it holds {', '.join(keys)}); name the arrays {wanted}"
            )
    unknown = [key for key in keys if key not in (*wanted, *NPZ_EXTRA)]
    if unknown:
        left["unknown_array"] += len(unknown)
        left.note(f"{path}: arrays of other names are left out: {named(unknown, 10)}")


def _listing(
    where: Path, parts: Mapping[str | None, tuple[np.ndarray, np.ndarray]], classes: list[str] | None, left: LeftOut
) -> Listing:
    for part, (images, labels) in parts.items():
        of = part or "all"
        channels = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3))
        if images.dtype != np.uint8 or not channels:
            raise Problem(
                f"{where}: {of}: images are {images.dtype} {list(images.shape)}, not uint8 [N, H, W] or [N, H, W, 3]"
                f"{_remedy(images)}"
            )
        if not images.size:
            raise Problem(f"{where}: {of}: holds no image")
        if labels.ndim == 2 and labels.shape[1] > 1:
            raise Problem(
                f"{where}: {of}: labels are {list(labels.shape)}: save one number an image (argmax of each row)"
            )
        if labels.dtype.kind == "f":
            raise Problem(f"{where}: {of}: labels are {labels.dtype}: save them as integers (astype('int64'))")
        if labels.size != len(images) or labels.dtype.kind not in "iu":
            raise Problem(f"{where}: {of}: {len(images)} images, but {labels.size} labels ({labels.dtype})")
        if labels.min() < 0:
            raise Problem(f"{where}: {of}: has the label {labels.min()}; leave images without a label out")
    values = np.unique(np.concatenate([labels.ravel() for _, labels in parts.values()])).tolist()
    names = [str(label) for label in classes] if classes else [str(value) for value in values]
    if len(names) != len(values):
        raise Problem(f"{where}: {len(names)} class names for {len(values)} labels ({values[:12]}); correct `classes`")
    if len(set(names)) < len(names):
        raise Problem(f"{where}: a class name appears twice ({named(sorted(names))}); correct `classes`")
    name_of = dict(zip(values, names, strict=True))
    items = []
    for part, (images, labels) in parts.items():
        rows = enumerate(labels.ravel().tolist())
        items += [Item(f"{part or 'all'}/{row:07d}", name_of[label], images[row], part) for row, label in rows]
    return Listing(items, names, left)


def _remedy(images: np.ndarray) -> str:
    """How to save images of another type or order."""
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.dtype == np.uint8:
        return ": channels come last (images.transpose(0, 2, 3, 1))"
    if images.dtype.kind == "f" and images.size:
        low, high = float(np.nanmin(images)), float(np.nanmax(images))
        factor = " * 255" if low >= 0 and high <= 1 else ""
        if low >= 0 and high <= 255:
            return f": their values lie between {low:g} and {high:g}; save (images{factor}).round().astype('uint8')"
        return f": their values lie between {low:g} and {high:g}; undo the normalisation first"
    return ""
