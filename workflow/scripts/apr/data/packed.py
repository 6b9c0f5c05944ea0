"""A packed dataset as it is read: an index and one file of bytes."""

import io
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apr.basics.causes import reason
from apr.basics.problems import Problem

try:
    from simplejpeg import decode_jpeg  # the same libjpeg-turbo as Pillow's: equal pixels, half the time
except ImportError:
    decode_jpeg = None

JPEG = b"\xff\xd8\xff"
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
        """Return image `i`, uint8 [H, W, 3].

        Raises:
            Problem: it cannot be decoded, or is of another size than the index says.
        """
        row = self.index[i]
        start, size = int(row["offset"]), (int(row["height"]), int(row["width"]), 3)
        data = np.asarray(self.pixels[start : start + int(row["bytes"])])
        if self.storage == "pixels":
            return data.reshape(size)
        try:
            image = _decoded(data)
        except Exception as error:  # a decoder raises whatever damaged bytes lead it to
            raise self._damaged(i, f"cannot be decoded ({reason(error)})") from error
        if image.shape != size:
            raise self._damaged(i, f"is {image.shape} where its index says {size}")
        return image

    def _damaged(self, i: int, how: str) -> Problem:
        name = ""
        with suppress(OSError, UnicodeError), open(f"{self.stem}.files.txt", encoding="utf-8", newline="\n") as file:
            name = next((f" ({line.strip().partition(chr(9))[0]})" for row, line in enumerate(file) if row == i), "")
        return Problem(f"{self.stem}.bin: image {i}{name} {how}; delete it and its index, and pack again")


def _decoded(data: np.ndarray) -> np.ndarray:
    """The pixels of an encoded picture."""
    if decode_jpeg and data[:3].tobytes() == JPEG:
        with suppress(ValueError):  # of what it has a doubt about, Pillow decides
            return decode_jpeg(data)
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
