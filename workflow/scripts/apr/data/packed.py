"""A packed dataset as it is read: an index and one file of bytes."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from apr.basics.problems import Problem

INDEX = np.dtype(
    [("offset", "<u8"), ("bytes", "<u4"), ("height", "<u4"), ("width", "<u4"), ("label", "<i4"), ("split", "u1")]
)
STORAGES = ("pixels", "encoded")


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
