"""How many bits the 16-bit pictures of a dataset really use: cameras write 10, 12 or 14 of them."""

import io
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from threading import Lock

import numpy as np
from PIL import Image

from apr.data.reading.decoding import SIXTEEN_BITS

DEPTHS = (8, 10, 12, 14, 16)


class Depth:
    """The smallest usual depth that holds all values of a dataset's 16-bit pictures.

    One depth for all: a picture's own maximum would make dark pictures as bright as bright ones.

    Args:
        readers: give the bytes of every file that may be such a picture. Nothing is read until `bits` is asked for.
    """

    def __init__(self, readers: Iterable[Callable[[], bytes]]) -> None:
        self._readers = readers
        self._lock = Lock()
        self.lowest: int | None = None
        self.highest: int | None = None

    def bits(self) -> int:
        """The depth; the first call reads all 16-bit pictures."""
        with self._lock:
            return self._bits

    def levels(self) -> int:
        """How many of 256 gray levels the values span."""
        shift = self.bits() - 8
        return (self.highest >> shift) - (self.lowest >> shift) + 1

    @cached_property
    def _bits(self) -> int:
        ranges = list(self._ranges())
        self.lowest = min((low for low, _ in ranges), default=0)
        self.highest = max((high for _, high in ranges), default=0)
        return next((bits for bits in DEPTHS if self.highest < 1 << bits), DEPTHS[-1])

    def _ranges(self) -> Iterator[tuple[int, int]]:
        for read in self._readers:
            try:
                with Image.open(io.BytesIO(read())) as image:
                    if image.mode in SIXTEEN_BITS:
                        values = np.asarray(image)
                        yield int(values.min()), int(values.max())
            except Exception:  # what cannot be decoded is named when it is packed
                continue
