"""Images to bytes: decoded in threads, written in order, and looked at on the way."""

import hashlib
import logging
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from apr.basics.problems import Problem
from apr.data.depth import Depth
from apr.data.likeness import HEIGHT, WIDTH, sketch
from apr.data.reading.decoding import JPEG_SUFFIXES, Undecodable, as_png, decode, decode_array
from apr.data.reading.listing import Item, Span
from apr.data.reading.snippets import Channels, Snippet

SHOWN = 20
DAMAGED = " is damaged ("
# Enough pictures in flight to keep the threads busy; few enough to keep memory flat.
AHEAD = 8
COUNTED = 20_000  # images after which the log says how far it is

log = logging.getLogger("apr")


@dataclass(frozen=True)
class Written:
    """What was seen of the images while they were written.

    Attributes:
        sha256: of all bytes.
        conversions: counted by kind.
        histogram: of the first part's values, [3, 256].
        digests: of each image's bytes, uint64 [N].
        sketches: of each image, uint8 [N, 72].
        depth: of the 16-bit pictures.
    """

    sha256: str
    conversions: Counter[str]
    histogram: np.ndarray
    digests: np.ndarray
    sketches: np.ndarray
    depth: Depth


@dataclass(frozen=True)
class _Packed:
    data: bytes
    digest: bytes
    sketch: bytes
    width: int
    height: int
    histogram: np.ndarray
    conversions: tuple[str, ...]


def write_images(name: str, items: Sequence[Item], storage: str, index: np.ndarray, file: Any, threads: int) -> Written:
    """Write the images and fill `index`.

    Raises:
        Problem: names up to 20 images that cannot be read.
    """
    broken: list[str] = []
    conversions: Counter[str] = Counter()
    sha256 = hashlib.sha256()
    histogram = np.zeros((3, 256), np.int64)
    digests = np.zeros(len(items), np.uint64)
    sketches = np.zeros((len(items), HEIGHT * WIDTH), np.uint8)
    depth = Depth(_sixteen_bit_candidates(items))
    offset = 0
    for row, packed in enumerate(_in_order(items, storage, threads, depth.bits)):
        if isinstance(packed, str):
            broken.append(packed)
            continue
        conversions.update(packed.conversions)
        if index["split"][row] == index["split"][0]:
            histogram += packed.histogram
        index[row] = (offset, len(packed.data), packed.height, packed.width, index["label"][row], index["split"][row])
        digests[row] = np.frombuffer(packed.digest, np.uint64)[0]
        sketches[row] = np.frombuffer(packed.sketch, np.uint8)
        offset += len(packed.data)
        if not broken:
            sha256.update(packed.data)
            file.write(packed.data)
        if (row + 1) % COUNTED == 0:
            log.info("%s: %s of %s images", name, f"{row + 1:,}", f"{len(items):,}")
    if broken:
        more = f" and {len(broken) - SHOWN} more" if len(broken) > SHOWN else ""
        damaged = any(DAMAGED in one for one in broken)
        remedy = "Fetch what is damaged again, or remove these files" if damaged else "Replace or remove these files"
        shown = "; ".join(broken[:SHOWN])
        raise Problem(f"{name}: {len(broken)} of {len(items)} images cannot be decoded: {shown}{more}. {remedy}")
    return Written(sha256.hexdigest(), conversions, histogram, digests, sketches, depth)


def _sixteen_bit_candidates(items: Iterable[Item]) -> Iterator[Callable[[], bytes]]:
    snippets = dict.fromkeys(item.source.path for item in items if isinstance(item.source, Snippet))
    yield from (path.read_bytes for path in snippets)
    for item in items:
        if isinstance(item.source, Channels):
            yield from (path.read_bytes for path in item.source.paths if path.suffix.lower() not in JPEG_SUFFIXES)
        if isinstance(item.source, Span) and item.source.path.suffix.lower() not in JPEG_SUFFIXES:
            yield item.source.read


def _in_order(items: Iterable[Item], storage: str, threads: int, bits: Callable[[], int]) -> Iterator[_Packed | str]:
    """Decode in threads (Pillow lets them run side by side), hand over in order."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Any] = deque()
        for item in items:
            waiting.append(pool.submit(_packed, item, storage, bits))
            if len(waiting) >= AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _packed(item: Item, storage: str, bits: Callable[[], int]) -> _Packed | str:
    """Return the picture, or what is wrong with it."""
    source = item.source
    try:
        if isinstance(source, Span):
            data = source.read()
            decoded = decode(data, bits)
        else:
            decoded = source.decode(bits) if isinstance(source, Snippet | Channels) else decode_array(source)
    except Undecodable as error:
        return f"{item.name} {error}"
    except OSError as error:
        if isinstance(source, Span) and source.path.is_symlink() and not source.path.exists():
            return f"{item.name} is a link that leads nowhere ({os.readlink(source.path)})"
        return f"{item.name} cannot be read ({error.strerror or error})"
    image = decoded.image
    if storage == "pixels":
        data = image.tobytes()
    elif not decoded.plain_jpeg:
        data = as_png(image)
    histogram = np.array(image.histogram(), np.int64).reshape(3, 256)
    digest = hashlib.sha256(data).digest()[:8]
    return _Packed(data, digest, sketch(image), image.width, image.height, histogram, decoded.conversions)
