"""A packed dataset as it is read: an index and one file of bytes."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apr.basics.problems import Problem

INDEX = np.dtype(
    [("offset", "<u8"), ("bytes", "<u4"), ("height", "<u4"), ("width", "<u4"), ("label", "<i4"), ("split", "u1")]
)
STORAGES = ("pixels", "encoded")
LabelSets = Sequence[Sequence[int]] | None  # of a manifest: the classes of each code; None where an image has one label


class PackedImages:
    """A packed dataset, opened for reading.

    Attributes:
        index: structured [N]: offset, bytes, height, width, label, split (0 train, 1 test, 2 validation).
        pixels: the whole file of bytes, uint8; with storage "pixels" image i is
            `pixels[offset : offset + bytes].reshape(height, width, 3)`.
        storage: "pixels" or "encoded".
    """

    def __init__(self, stem: Path, storage: str) -> None:
        self.stem, self.storage = Path(stem), storage
        self.index = np.load(f"{stem}.index.npy", mmap_mode="r", allow_pickle=False)
        self.pixels = np.memmap(f"{stem}.bin", np.uint8, "r")

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers open the files themselves: a pickled memmap would carry all its bytes.
        return PackedImages, (self.stem, self.storage)

    def __len__(self) -> int:
        return len(self.index)

    def read(self, i: int) -> np.ndarray:
        """Return image `i`, uint8 [H, W, 3]."""
        row = self.index[i]
        start = int(row["offset"])
        data = self.pixels[start : start + int(row["bytes"])]
        if self.storage == "pixels":
            return np.asarray(data).reshape(int(row["height"]), int(row["width"]), 3)
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image)


def open_packed(stem: Path, storage: str) -> PackedImages:
    """Open `<stem>.bin` and `<stem>.index.npy`.

    Raises:
        Problem: a file is missing, truncated, or the two do not belong together.
    """
    remedy = "delete both and pack again"
    if storage not in STORAGES:
        raise Problem(f"{stem}: storage {storage!r}: pixels or encoded")
    try:
        packed = PackedImages(stem, storage)
    except (OSError, ValueError, EOFError) as error:
        raise Problem(f"{stem}.bin, {stem}.index.npy: cannot be opened ({error}); {remedy}") from error
    if packed.index.dtype != INDEX or packed.index.ndim != 1 or not len(packed):
        raise Problem(f"{stem}.index.npy: is not an index of this version; {remedy}")
    last = packed.index[-1]
    expected = int(last["offset"]) + int(last["bytes"])
    if len(packed.pixels) != expected:
        raise Problem(f"{stem}.bin: has {len(packed.pixels):,} bytes where its index says {expected:,}; {remedy}")
    return packed


def groups_of(stem: Path, n_groups: int | None) -> np.ndarray | None:
    """The group (patient, lesion) of each image as a number, int64 [N], in order of first appearance.

    Args:
        stem: of the packed dataset.
        n_groups: what its manifest says; None where images have no groups, of which None is returned.

    Raises:
        Problem: the list of names holds other groups than the manifest says.
    """
    if n_groups is None:
        return None
    path, remedy = Path(f"{stem}.files.txt"), "delete it to pack again"
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            rows = [line.removesuffix("\n").partition("\t") for line in file]
        images = len(np.load(f"{stem}.index.npy", mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise Problem(f"{path}, {stem}.index.npy: cannot be read ({error}); {remedy}") from error
    known: dict[str, int] = {}
    numbers = np.array([known.setdefault(group, len(known)) for _, _, group in rows], np.int64)
    if len(rows) != images or len(known) != n_groups or not all(tab for _, tab, _ in rows):
        raise Problem(
            f"{path}: {len(known):,} groups of {len(rows):,} images, where {n_groups:,} of {images:,} were packed; "
            f"{remedy}"
        )
    return numbers


def multi_hot(codes: np.ndarray, label_sets: Sequence[Sequence[int]], classes: int) -> np.ndarray:
    """Which labels each image has, uint8 [n, classes], of the codes of their label sets, [n]."""
    table = np.zeros((len(label_sets), classes), np.uint8)
    for row, numbers in zip(table, label_sets, strict=True):
        row[list(numbers)] = 1
    return table[codes]


def label_counts(codes: np.ndarray, classes: int, label_sets: LabelSets) -> list[int]:
    """How many images have each label, of the codes of classes or of label sets, [n]."""
    if label_sets is None:
        return np.bincount(codes, minlength=classes).tolist()
    of_sets = np.bincount(codes, minlength=len(label_sets))
    return (of_sets @ multi_hot(np.arange(len(label_sets)), label_sets, classes)).tolist()
