"""Crops and flips as pycls does them (pycls/datasets/transforms.py), computed for a whole batch on its device.

A crop followed by a resize is, per axis, a line of sampling points `start + scale * i` clamped to the crop's borders.
So every recipe becomes a `Windows` table (numpy, cheap) and one bilinear gather (torch), for images of any sizes.
"""

from typing import NamedTuple

import numpy as np
import torch

from apr.basics.problems import Problem

ATTEMPTS = 10
SMALLEST_AREA = 0.08  # of a random resized crop, as a share of the picture
CROPS = ("random_resized", "padded", "centre")
WORTHWHILE = 64  # pixels a side from which a CPU takes image by image: below, the calls cost more than the work
DRAWS = 5 * ATTEMPTS + 1  # uniforms an image needs: area, aspect, swap, y and x of each attempt, and the flip


class Windows(NamedTuple):
    """Where to sample each image: start, scale and inclusive bounds for (y, x), float64 [n, 2].

    flip: from left to right, bool [n]; turned: from top to bottom, bool [n], or None for none.
    """

    start: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    flip: np.ndarray
    turned: np.ndarray | None = None


def training_windows(
    crop: str,
    sizes: np.ndarray,
    draws: np.ndarray,
    *,
    resolution: int,
    padding: int,
    flip: bool,
    smallest_area: float = SMALLEST_AREA,
) -> Windows:
    """Windows of one training batch from its sizes (height, width; int64 [n, 2]) and its uniforms [n, DRAWS].

    crop: `random_resized` (area `smallest_area`–1, aspect 3/4–4/3), `padded` (zero padding, then a random crop), or
        `centre`.
    """
    if crop == "random_resized":
        windows = _random_resized(sizes, draws, resolution, smallest_area)
    elif crop == "padded":
        windows = _padded(sizes, draws, resolution, padding, flip)
    elif crop == "centre":
        windows = evaluation_windows(sizes, resolution=resolution, resize=resolution)
    else:
        raise Problem(f"crop {crop!r} is not known; choose one of {', '.join(CROPS)}")
    return windows._replace(flip=draws[:, -1] < 0.5) if flip else windows


def evaluation_windows(sizes: np.ndarray, *, resolution: int, resize: int) -> Windows:
    """Resize the shorter side to `resize`, then take the centre crop of `resolution` (scale_and_center_crop)."""
    short = sizes.min(axis=1, keepdims=True)
    scaled = np.where(sizes == short, resize, (sizes / short * resize).astype(np.int64))
    scale = sizes / scaled
    corner = np.ceil((scaled - resolution) / 2)
    return Windows(
        start=(corner + 0.5) * scale - 0.5,
        scale=scale,
        low=np.zeros(sizes.shape),
        high=sizes - 1.0,
        flip=np.zeros(len(sizes), dtype=bool),
    )


def sample(
    pixels: torch.Tensor,
    offsets: np.ndarray,
    sizes: np.ndarray,
    windows: Windows,
    *,
    resolution: int,
    mean: torch.Tensor,
    sd: torch.Tensor,
) -> torch.Tensor:
    """Bilinear samples (no antialias, as cv2.INTER_LINEAR), normalised: float32 [n, 3, resolution, resolution].

    pixels: uint8 [P, 3], all images one after the other, row by row; offsets: first pixel of each image.
    mean, sd: float32 [3] in 0…1. Points outside the image are 0 after normalisation. The result is channels-last.
    """
    device = pixels.device
    steps = np.arange(resolution, dtype=np.float64)
    points = windows.start[:, :, None] + windows.scale[:, :, None] * steps  # [n, 2, resolution]
    points[:, 1] = np.where(windows.flip[:, None], points[:, 1, ::-1], points[:, 1])
    if windows.turned is not None:
        points[:, 0] = np.where(windows.turned[:, None], points[:, 0, ::-1], points[:, 0])
    inside = (points >= -0.5) & (points <= sizes[:, :, None] - 0.5)
    points = np.clip(points, windows.low[:, :, None], windows.high[:, :, None])
    first = np.floor(points).astype(np.int64)
    second = np.minimum(first + 1, windows.high[:, :, None].astype(np.int64))
    fraction = (points - first).astype(np.float32) if np.any(points != first) else None
    by_one = device.type == "cpu" and fraction is not None and resolution >= WORTHWHILE
    sampled = _one_by_one if by_one else _at_once
    shades = [(255 * one).repeat(resolution) for one in (mean, sd)]  # of a row: long loops are fast ones
    images = sampled(pixels, offsets, sizes, first, second, fraction, *shades)
    if not inside.all():
        rows, columns = (torch.from_numpy(one).to(device) for one in (inside[:, 0], np.repeat(inside[:, 1], 3, axis=1)))
        images *= rows[:, :, None] & columns[:, None, :]
    return images.view(len(offsets), resolution, resolution, 3).permute(0, 3, 1, 2)


def _at_once(
    pixels: torch.Tensor,
    offsets: np.ndarray,
    sizes: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    fraction: np.ndarray | None,
    mean: torch.Tensor,
    sd: torch.Tensor,
) -> torch.Tensor:
    """The samples of all images, normalised: float32 [n, R, 3 R].

    first, second: the pixels around each point, int64 [n, 2, R]; fraction: of the way between them, float32; None for
        none; mean, sd: of a row, float32 [3 R].
    """
    device, resolution = pixels.device, first.shape[2]
    rows = [torch.from_numpy(offsets[:, None] + y[:, 0] * sizes[:, 1:]).to(device) for y in (first, second)]
    columns = [torch.from_numpy(np.ascontiguousarray(x[:, 1])).to(device) for x in (first, second)]

    def corner(row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
        index = (row[:, :, None] + column[:, None, :]).reshape(-1)
        return pixels.index_select(0, index).view(len(offsets), resolution, resolution, 3).float()

    if fraction is None:
        return corner(rows[0], columns[0]).flatten(2).sub_(mean).div_(sd)
    weights = torch.from_numpy(fraction).to(device, non_blocking=True)
    right, below = weights[:, 1, None, :, None], weights[:, 0, :, None, None]
    top = torch.lerp(corner(rows[0], columns[0]), corner(rows[0], columns[1]), right)
    bottom = torch.lerp(corner(rows[1], columns[0]), corner(rows[1], columns[1]), right)
    return torch.lerp(top, bottom, below).flatten(2).sub_(mean).div_(sd)


def _one_by_one(
    pixels: torch.Tensor,
    offsets: np.ndarray,
    sizes: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    fraction: np.ndarray,
    mean: torch.Tensor,
    sd: torch.Tensor,
) -> torch.Tensor:
    """The same, bit for bit, for a CPU: what is worked on stays in a core's cache, and each row is stretched once."""
    flat, resolution = pixels.numpy().reshape(-1), first.shape[2]
    columns = [(3 * x[:, 1, :, None] + np.arange(3)).reshape(len(offsets), -1) for x in (first, second)]
    right = torch.from_numpy(np.repeat(fraction[:, 1], 3, axis=1))
    below = torch.from_numpy(np.ascontiguousarray(fraction[:, 0, :, None]))
    images = torch.empty(len(offsets), resolution, 3 * resolution)
    # taken once: fresh memory costs more than what is computed in it
    gathered = np.empty((2 * resolution, 3 * resolution), np.uint8)
    lines, beside = torch.empty(2, *gathered.shape)
    top, bottom = torch.empty(2, resolution, 3 * resolution)
    lowest, highest = first[:, 0].min(axis=1), second[:, 0].max(axis=1)
    for i, (height, width) in enumerate(sizes):
        picture = flat[3 * offsets[i] :][: 3 * height * width].reshape(height, 3 * width)
        low, end = lowest[i], highest[i] + 1
        if end - low <= 2 * resolution:
            rows, above, beneath = picture[low:end], first[i, 0] - low, second[i, 0] - low
        else:  # a picture much larger than what it becomes: most of its rows are not used
            used, place = np.unique([first[i, 0], second[i, 0]], return_inverse=True)
            rows, (above, beneath) = picture[used], place.reshape(2, -1)
        some = slice(len(rows))
        for x, into in zip(columns, (lines, beside), strict=True):
            # numpy gathers single bytes five times as fast as torch
            into[some] = torch.from_numpy(np.take(rows, x[i], axis=1, mode="clip", out=gathered[some]))
        torch.lerp(lines[some], beside[some], right[i], out=lines[some])
        torch.index_select(lines, 0, torch.from_numpy(above), out=top)
        torch.index_select(lines, 0, torch.from_numpy(beneath), out=bottom)
        torch.lerp(top, bottom, below[i], out=top)
        torch.div(top.sub_(mean), sd, out=images[i])
    return images


def _random_resized(sizes: np.ndarray, draws: np.ndarray, resolution: int, smallest_area: float) -> Windows:
    height, width = sizes[:, :1], sizes[:, 1:]
    area, aspect, swap, y, x = np.moveaxis(draws[:, :-1].reshape(len(sizes), ATTEMPTS, 5), 2, 0)
    target = (smallest_area + (1 - smallest_area) * area) * height * width
    aspect = 3 / 4 + (4 / 3 - 3 / 4) * aspect
    # a picture of one pixel has no smaller crop
    crop_width, crop_height = (np.maximum(np.rint(np.sqrt(side)), 1) for side in (target * aspect, target / aspect))
    crop_width, crop_height = (
        np.where(swap < 0.5, crop_height, crop_width),
        np.where(swap < 0.5, crop_width, crop_height),
    )
    fits = (crop_height <= height) & (crop_width <= width)
    chosen = fits.argmax(axis=1)[:, None]
    crop = np.concatenate([np.take_along_axis(a, chosen, 1) for a in (crop_height, crop_width)], axis=1)
    position = np.concatenate([np.take_along_axis(a, chosen, 1) for a in (y, x)], axis=1)
    # numpy's randint(0, n) excludes n: the last position is never taken, as in pycls
    corner = np.floor(position * (sizes - crop))
    scale = crop / resolution
    windows = Windows(0.5 * scale - 0.5 + corner, scale, corner, corner + crop - 1, np.zeros(len(sizes), dtype=bool))
    fallback = evaluation_windows(sizes, resolution=resolution, resize=resolution)
    missed = ~fits.any(axis=1)
    return Windows(
        *(
            np.where(missed if a.ndim == 1 else missed[:, None], b, a)
            for a, b in zip(windows[:-1], fallback[:-1], strict=True)
        )
    )


def _padded(sizes: np.ndarray, draws: np.ndarray, resolution: int, padding: int, flip: bool) -> Windows:
    room = sizes + 2 * padding - resolution
    if room.min() < 0:
        smallest = int(sizes.min())
        raise Problem(
            f"crop: padded: an image of {smallest} pixels and a padding of {padding} give no room for a crop of "
            f"{resolution}; use crop: random_resized, a smaller resolution or more padding"
        )
    corner = np.floor(draws[:, :2] * room)  # as above: padded by 4, there are 8 positions
    if flip:  # pycls flips before this crop
        corner[:, 1] = np.where(draws[:, -1] < 0.5, room[:, 1] - corner[:, 1], corner[:, 1])
    corner -= padding
    return Windows(corner, np.ones(sizes.shape), np.zeros(sizes.shape), sizes - 1.0, np.zeros(len(sizes), dtype=bool))
