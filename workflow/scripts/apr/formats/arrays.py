"""Datasets shipped as arrays: the four idx files of MNIST and its kin, and npz."""

import gzip
import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from apr.causes import reading
from apr.contents import allowed_bytes
from apr.formats.listing import Item, Listing, find_files
from apr.npz import load_npz
from apr.problems import Problem

IDX_NAME = re.compile(r"(?P<prefix>.*?)(?P<part>train|t10k|test)-(?P<what>images|labels)[-.]idx[134]-ubyte(\.gz)?")
IDX_BYTES = b"\x00\x00\x08"
NPZ_KEYS = ("x_train", "y_train", "x_test", "y_test")


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
    found: dict[tuple[str, str], Path] = {}
    for path in find_files(root):
        match = IDX_NAME.fullmatch(path.name)
        if match and match["prefix"] == prefix:
            found.setdefault(("train" if match["part"] == "train" else "test", match["what"]), path)
    arrays = {}
    for part in ("train", "test"):
        for what in ("images", "labels"):
            if (part, what) not in found:
                raise Problem(f"{root}: the idx file of the {part} {what} is missing (prefix {prefix!r})")
            arrays[part, what] = load_idx(found[part, what])
    return _listing(
        root, {part: (arrays[part, "images"], arrays[part, "labels"]) for part in ("train", "test")}, classes
    )


def load_idx(path: Path) -> np.ndarray:
    """Load an idx file of unsigned bytes.

    Raises:
        Problem: it is of another type, damaged, or its size is not what its header says.
    """
    with reading(path), (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
        head = file.read(4)
        if head[:3] != IDX_BYTES or len(head) < 4 or not head[3]:
            raise Problem(f"{path}: is not an idx file of unsigned bytes; fetch it again")
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
    return np.frombuffer(data, np.uint8).reshape(shape)


def read_npz(root: Path, *, file: str | None = None, classes: list[str] | None = None) -> Listing:
    """Read x_train, y_train, x_test, y_test (the last two optional) and classes (optional) from an npz file.

    Args:
        root: holds the file.
        file: its name, where there are several.
        classes: names of the labels in ascending order; by default the file's own, or the numbers.

    Raises:
        Problem: no such file, or arrays that are not uint8 images with integer labels.
    """
    paths = [path for path in find_files(root) if path.suffix == ".npz" and file in (None, path.name)]
    if len(paths) != 1:
        names = ", ".join(path.name for path in paths) or "none"
        raise Problem(f"{root}: one npz file is needed, there are: {names}; set options: file")
    path = paths[0]
    arrays = load_npz(path, (*NPZ_KEYS, "classes"))
    if "x_train" not in arrays or "y_train" not in arrays:
        raise Problem(f"{path}: lacks x_train or y_train")
    if "classes" in arrays and classes is None:
        classes = [str(label) for label in arrays["classes"].tolist()]
    if "x_test" in arrays and "y_test" in arrays:
        parts = {part: (arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test")}
        return _listing(path, parts, classes)
    return _listing(path, {None: (arrays["x_train"], arrays["y_train"])}, classes)


def _listing(
    where: Path, parts: Mapping[str | None, tuple[np.ndarray, np.ndarray]], classes: list[str] | None
) -> Listing:
    for part, (images, labels) in parts.items():
        channels = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3))
        if images.dtype != np.uint8 or not channels:
            raise Problem(
                f"{where}: images are {images.dtype} {list(images.shape)}, not uint8 [N, H, W] or [N, H, W, 3]"
            )
        if labels.size != len(images) or labels.dtype.kind not in "iu":
            raise Problem(f"{where}: {part or 'all'}: {len(images)} images, but {labels.size} labels ({labels.dtype})")
    values = np.unique(np.concatenate([labels.ravel() for _, labels in parts.values()])).tolist()
    names = [str(label) for label in classes] if classes else [str(value) for value in values]
    if len(names) != len(values):
        raise Problem(f"{where}: {len(names)} class names for {len(values)} labels ({values[:12]}); correct `classes`")
    name_of = dict(zip(values, names, strict=True))
    items = []
    for part, (images, labels) in parts.items():
        rows = enumerate(labels.ravel().tolist())
        items += [Item(f"{part or 'all'}/{row:07d}", name_of[label], images[row], part) for row, label in rows]
    return Listing(items, names)
