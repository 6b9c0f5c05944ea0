"""Pictures that are the same, or nearly, in two parts or under two labels."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from apr.data.reading.parts import PARTS

WIDTH, HEIGHT = 9, 8  # of a sketch: 64 differences between neighbours in a row
SAMPLED = (72, 64)  # pixels that a large picture's sketch is made of
MARGIN = 2  # gray levels: less is noise, as in a plain background
FLAT = 12  # range of a sketch in gray levels below which pictures all look alike
BANDS, DISTANCE = 4, 5  # all pairs within 3 differences share a band of 16; most of those within 5 do
PAIRS = 4_000_000  # looked at at once
CROWD = 2_000  # train pictures in one band that mean nothing any more
VERIFIED = 1_000  # candidates that are compared pixel by pixel
FAR = np.uint64((1 << 64) - 1)
SIDE = 32
ALIKE = 0.98  # correlation of gray levels at 32 x 32 pixels


@dataclass
class Copies:
    """Pairs of rows that show the same.

    Attributes:
        across: test rows with an identical picture in train, and its row.
        two_labels: pairs of rows with identical pictures of different labels, one a picture.
        within: how many further copies there are of the same label in the same part.
        near: test rows with nearly the same picture in train, and its row.
        across_validation: validation rows with an identical picture in train or test, and its row.
        near_validation: validation rows with nearly the same picture in train or test, and its row.
    """

    across: list[tuple[int, int]] = field(default_factory=list)
    two_labels: list[tuple[int, int]] = field(default_factory=list)
    within: int = 0
    near: list[tuple[int, int]] = field(default_factory=list)
    across_validation: list[tuple[int, int]] = field(default_factory=list)
    near_validation: list[tuple[int, int]] = field(default_factory=list)


def sketch(image: Image.Image) -> bytes:
    """72 gray levels of an RGB picture, row by row. Its green stands for gray, which is cheap."""
    if image.width * image.height > 4 * SAMPLED[0] * SAMPLED[1]:
        image = image.resize(SAMPLED, Image.Resampling.NEAREST)
    return image.getchannel("G").resize((WIDTH, HEIGHT), Image.Resampling.BOX).tobytes()


def find_copies(
    digests: np.ndarray, sketches: np.ndarray, labels: np.ndarray, parts: np.ndarray, read: Callable[[int], Image.Image]
) -> Copies:
    """Find copies.

    Args:
        digests: of each picture, uint64 [N].
        sketches: of each picture, uint8 [N, 72].
        labels: int [N].
        parts: of which part a row is, as its number in `PARTS`, [N].
        read: gives the picture of a row, to compare those that look alike.
    """
    train, test, validation = (parts == code for code in range(len(PARTS)))
    copies = _identical(digests, labels, parts)

    def near(held: np.ndarray, others: np.ndarray, identical: list[tuple[int, int]]) -> list[tuple[int, int]]:
        known = {row for row, _ in identical}
        candidates = [pair for pair in _candidates(sketches, held, others) if pair[0] not in known]
        step = max(1, -(-len(candidates) // VERIFIED))
        return [pair for pair in candidates[::step] if _same(read(pair[0]), read(pair[1]))]

    copies.near = near(test, train, copies.across)
    copies.near_validation = near(validation, ~validation, copies.across_validation)
    return copies


def _identical(digests: np.ndarray, labels: np.ndarray, parts: np.ndarray) -> Copies:
    copies = Copies()
    order = np.argsort(digests, kind="stable")
    same = np.flatnonzero(digests[order][1:] == digests[order][:-1])
    # Runs of equal digests: [start, end) in the order.
    starts = same[np.r_[True, np.diff(same) > 1]] if len(same) else same
    for start in starts:
        end = start + 1
        while end < len(order) and digests[order[end]] == digests[order[start]]:
            end += 1
        rows = np.sort(order[start:end]).tolist()
        train, test, validation = ([row for row in rows if parts[row] == code] for code in range(len(PARTS)))
        copies.across += [(row, train[0]) for row in test if train]
        copies.across_validation += [(row, (train + test)[0]) for row in validation if train or test]
        other = next((row for row in rows if labels[row] != labels[rows[0]]), None)
        if other is not None:
            copies.two_labels.append((rows[0], other))
        copies.within += len(rows) - len({(labels[row], parts[row]) for row in rows})
    copies.across.sort()
    copies.two_labels.sort()
    copies.across_validation.sort()
    return copies


def _candidates(sketches: np.ndarray, held: np.ndarray, beside: np.ndarray) -> list[tuple[int, int]]:
    """Each held row whose sketch is near that of one beside, with the nearest such row."""
    levels = sketches.reshape(-1, HEIGHT, WIDTH).astype(np.int16)
    bits = np.packbits(levels[:, :, 1:] > levels[:, :, :-1] + MARGIN, axis=None).view(np.uint64)
    usable = np.ptp(sketches, axis=1) >= FLAT
    held, beside = np.flatnonzero(held & usable), np.flatnonzero(beside & usable)
    # The nearest so far of each row: its distance, then its number.
    nearest = np.full(len(sketches), FAR, np.uint64)
    for band in range(BANDS) if len(held) and len(beside) else ():
        keys = (bits >> np.uint64(16 * band)).astype(np.uint16)
        order = beside[np.argsort(keys[beside], kind="stable")]
        low, high = (np.searchsorted(keys[order], keys[held], side=side) for side in ("left", "right"))
        counts = np.where(high - low <= CROWD, high - low, 0)
        for part in np.array_split(np.arange(len(held)), int(counts.sum()) // PAIRS + 1):
            rows = np.repeat(held[part], counts[part])
            within = np.arange(len(rows)) - np.repeat(np.cumsum(counts[part]) - counts[part], counts[part])
            others = order[np.repeat(low[part], counts[part]) + within]
            apart = np.bitwise_count(bits[rows] ^ bits[others])
            close = apart <= DISTANCE
            best = (apart[close].astype(np.uint64) << np.uint64(40)) | others[close].astype(np.uint64)
            np.minimum.at(nearest, rows[close], best)
    found = np.flatnonzero(nearest != FAR)
    return list(zip(found.tolist(), (nearest[found] & np.uint64((1 << 40) - 1)).astype(int).tolist(), strict=True))


def _same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures are alike at 32 x 32 gray pixels."""
    gray = [
        np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX), np.float64).ravel()
        for image in (one, other)
    ]
    centred = [values - values.mean() for values in gray]
    lengths = [float(np.linalg.norm(values)) for values in centred]
    return min(lengths) > 2 * SIDE and float(centred[0] @ centred[1]) >= ALIKE * lengths[0] * lengths[1]


def decoded(data: bytes | np.ndarray, height: int, width: int, storage: str) -> Image.Image:
    """The picture that packed bytes hold."""
    if storage == "pixels":
        return Image.fromarray(np.asarray(data).reshape(height, width, 3))
    with Image.open(io.BytesIO(data)) as image:
        return image.convert("RGB")
