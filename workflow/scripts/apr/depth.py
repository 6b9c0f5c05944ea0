"""How many bits the 16-bit pictures of a dataset really use: cameras write 10, 12 or 14 of them."""

import io
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from threading import Lock

import numpy as np
from PIL import Image

from apr.images import SIXTEEN_BITS

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
        self.highest: int | None = None

    def bits(self) -> int:
        """The depth; the first call reads all 16-bit pictures."""
        with self._lock:
            return self._bits

    @cached_property
    def _bits(self) -> int:
        self.highest = max(self._highest(), default=0)
        return next((bits for bits in DEPTHS if self.highest < 1 << bits), DEPTHS[-1])

    def _highest(self) -> Iterator[int]:
        for read in self._readers:
            try:
                with Image.open(io.BytesIO(read())) as image:
                    if image.mode in SIXTEEN_BITS:
                        yield int(np.asarray(image).max())
            except Exception:  # what cannot be decoded is named when it is packed
                continue
