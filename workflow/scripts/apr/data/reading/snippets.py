"""Pictures that are made when they are packed: squares around points of large ones, colours from a file each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

import numpy as np
from PIL import Image

from apr.data.reading.decoding import Decoded, Undecodable, decode, sixteen

# Items are packed class by class, those of one picture side by side: a few pictures at a time serve all threads.
PICTURES = 16


@dataclass(frozen=True, slots=True)
class Snippet:
    """A square of `size` pixels around a point of a picture, which is read when the snippet is.

    Beyond the picture's border its pixels are mirrored, so that the point stays in the middle: the label is that of
    the point, and in a square moved inside the picture it would lie anywhere, even outside an evaluation's crop.
    """

    path: Path
    row: int
    column: int
    size: int

    def decode(self, bits: Callable[[], int] = sixteen) -> Decoded:
        """Cut the snippet out; `bits` as in `decoding.decode`.

        Raises:
            Undecodable: the picture is damaged, or the point lies outside it.
        """
        with _turn(self.path):  # Threads that need one picture wait for the first, which decodes it.
            pixels, conversions = _pixels(self.path, bits)
        height, width = pixels.shape[:2]
        # Publishers count from 0 or from 1.
        if not (0 <= self.row <= height and 0 <= self.column <= width):
            raise Undecodable(
                f"lies at row {self.row}, column {self.column}, outside the picture of {height} x {width} pixels"
            )
        rows = _mirrored(self.row, self.size, height)
        columns = _mirrored(self.column, self.size, width)
        return Decoded(Image.fromarray(pixels[np.ix_(rows, columns)]), conversions, False)


@dataclass(frozen=True, slots=True)
class Channels:
    """A picture whose colours are gray pictures of their own, as microscopes write them.

    Where there is a `yellow` one, it is added to red and green, up to the brightest value.
    """

    red: Path
    green: Path
    blue: Path
    yellow: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [path for path in (self.red, self.green, self.blue, self.yellow) if path]

    def decode(self, bits: Callable[[], int] = sixteen) -> Decoded:
        """Put the colours together; `bits` as in `decoding.decode`.

        Raises:
            Undecodable: names the file that is damaged, in colour, or of another size.
        """
        levels, done = [], {"channels_joined": None}
        for path in self.paths:
            try:
                decoded = decode(path.read_bytes(), bits)
            except Undecodable as error:
                raise Undecodable(f"({path.name}) {error}") from error
            red, green, blue = map(np.asarray, decoded.image.split())
            if not (np.array_equal(red, green) and np.array_equal(green, blue)):
                raise Undecodable(f"({path.name}) is in colour, not the gray picture of one channel")
            if levels and red.shape != levels[0].shape:
                raise Undecodable(f"({path.name}) has another size than {self.red.name}")
            levels.append(red.astype(np.uint16))
            done |= dict.fromkeys(kind for kind in decoded.conversions if kind != "grayscale")
        colours, yellow = np.stack(levels[:3], axis=-1), levels[3:]
        if yellow:
            colours[:, :, :2] += yellow[0][:, :, None]
        return Decoded(Image.fromarray(np.minimum(colours, 255).astype(np.uint8)), tuple(done), False)


def _mirrored(centre: int, size: int, length: int) -> np.ndarray:
    """Positions of `size` pixels around `centre` on a side of `length`, mirrored at its ends."""
    start = centre - size // 2 + size
    return np.pad(np.arange(length), size, mode="reflect")[start : start + size]


@lru_cache(maxsize=PICTURES)
def _turn(path: Path) -> Lock:
    return Lock()


@lru_cache(maxsize=PICTURES)
def _pixels(path: Path, bits: Callable[[], int]) -> tuple[np.ndarray, tuple[str, ...]]:
    decoded = decode(path.read_bytes(), bits)
    return np.asarray(decoded.image), decoded.conversions
