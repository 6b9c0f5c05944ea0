"""Batches for training and evaluation: augmented on the device, in an order that depends on (seed, epoch) alone."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from apr.basics.randomness import order, uniforms
from apr.data.packed import PackedImages
from apr.runs.augmentation import DRAWS, SMALLEST_AREA, evaluation_windows, sample, training_windows
from apr.runs.machine.memory import memory_explained

AHEAD = 3  # batches read while the device works, each by all threads
CHUNK = 1 << 26  # bytes that go through the host at once
SETTLING = 1 << 32  # added to an epoch: the key of what precise BatchNorm draws
TURNING = 1 << 33  # and of what decides whether a picture is turned upside down


@dataclass(frozen=True)
class Recipe:
    """How images become inputs; the terms are those of the protocol."""

    crop: str
    resolution: int
    eval_resize: int
    padding: int
    flip: bool
    smallest_area: float = SMALLEST_AREA
    flip_vertical: bool = False
    channels: str = "rgb"


class Images:
    """The images of one split of a view on a device, kept there whole if they fit in `resident_bytes`.

    Otherwise, and for encoded images, batches are read and decoded ahead by `workers` threads. `held` is the number of
    bytes that are kept.

    Raises:
        Problem: the memory is full.
    """

    def __init__(
        self,
        packed: PackedImages,
        indices: np.ndarray,
        labels: np.ndarray,
        device: torch.device,
        *,
        resident_bytes: int,
        workers: int,
    ) -> None:
        self.packed, self.indices, self.device, self.workers = packed, indices, device, workers
        self.labels = torch.from_numpy(labels).to(device)
        rows = packed.index[indices]
        self.sizes = np.stack([rows["height"], rows["width"]], axis=1).astype(np.int64)
        pixels = self.sizes.prod(axis=1)
        self.resident = packed.storage == "pixels" and 3 * int(pixels.sum()) <= resident_bytes
        self.held = 3 * int(pixels.sum()) if self.resident else 0
        if self.resident:
            self.offsets = np.concatenate([[0], np.cumsum(pixels)[:-1]])
            with memory_explained(device, f"while {len(indices):,} images ({self.held / 2**30:.3g} GB) are loaded"):
                self.pixels = self._filled(pixels)

    def __len__(self) -> int:
        return len(self.indices)

    def fetch(self, chosen: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        """Pixels uint8 [P, 3] and the first pixel of each chosen image, of images that are kept on the device."""
        return self.pixels, self.offsets[chosen]

    def ahead(self, batches: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, torch.Tensor, np.ndarray]]:
        """For each batch of positions: the positions, its pixels and its offsets, read ahead where it takes time."""
        if self.resident:
            for chosen in batches:
                yield chosen, *self.fetch(chosen)
            return
        pool = ThreadPoolExecutor(max(1, self.workers))
        try:
            waiting: deque[tuple[np.ndarray, np.ndarray, np.ndarray, list[Future]]] = deque()
            for chosen in batches:
                waiting.append(self._begun(pool, chosen))
                if len(waiting) > AHEAD:
                    yield self._finished(*waiting.popleft())
            while waiting:
                yield self._finished(*waiting.popleft())
        finally:  # an error, or nobody wants the rest
            pool.shutdown(cancel_futures=True)

    def _begun(
        self, pool: ThreadPoolExecutor, chosen: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[Future]]:
        """A batch whose pictures the threads read side by side, each into its place."""
        ends = np.cumsum(self.sizes[chosen].prod(axis=1))
        flat, starts = np.empty((ends[-1], 3), dtype=np.uint8), np.concatenate([[0], ends[:-1]])

        def read(rows: np.ndarray) -> None:
            for row in rows:
                flat[starts[row] : ends[row]] = self.packed.read(int(self.indices[chosen[row]])).reshape(-1, 3)

        parts = np.array_split(np.arange(len(chosen)), min(len(chosen), max(1, self.workers)))
        return chosen, flat, starts, [pool.submit(read, part) for part in parts]

    def _finished(
        self, chosen: np.ndarray, flat: np.ndarray, starts: np.ndarray, reading: list[Future]
    ) -> tuple[np.ndarray, torch.Tensor, np.ndarray]:
        for future in reading:
            future.result()
        return chosen, torch.from_numpy(flat).to(self.device, non_blocking=True), starts

    def _filled(self, pixels: np.ndarray) -> torch.Tensor:
        """All images on the device, by way of the host in parts of about CHUNK bytes."""
        filled = torch.empty((int(pixels.sum()), 3), dtype=torch.uint8, device=self.device)
        parts = 3 * np.cumsum(pixels) // CHUNK
        done = 0
        for chosen in np.split(np.arange(len(pixels)), np.flatnonzero(np.diff(parts)) + 1):
            part = self._pixels(chosen)
            filled[done : done + len(part)] = part
            done += len(part)
        return filled

    def _pixels(self, chosen: np.ndarray) -> torch.Tensor:
        flat = np.concatenate([self.packed.read(int(i)).reshape(-1, 3) for i in self.indices[chosen]])
        return torch.from_numpy(flat).to(self.device, non_blocking=True)


class Loader:
    """Turns the images of a split into normalised batches (inputs float32 [n, 3, R, R], labels int64 [n])."""

    def __init__(self, images: Images, recipe: Recipe, *, mean: list[float], sd: list[float], seed: int) -> None:
        self.images, self.recipe, self.seed = images, recipe, seed
        self.mean = torch.tensor(mean, dtype=torch.float32, device=images.device)
        # a channel without any contrast has an SD of 0
        self.sd = torch.tensor(sd, dtype=torch.float32, device=images.device).clamp(min=1 / 255)

    def training(self, epoch: int, batch: int, skip: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The augmented batches of an epoch without the incomplete last one; the first `skip` are passed over."""
        yield from self._augmented(epoch, batch, skip)

    def settling(self, epoch: int, batch: int, count: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """So many batches in another order, with other crops and flips: for precise BatchNorm pycls draws again."""
        yield from self._augmented(SETTLING + epoch, batch, 0, count)

    def evaluation(self, batch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """All images in order, without augmentation; the last batch may be smaller."""
        positions = np.arange(len(self.images))
        starts = range(0, len(positions), batch)
        for chosen, pixels, offsets in self.images.ahead(positions[i : i + batch] for i in starts):
            sizes = self.images.sizes[chosen]
            windows = evaluation_windows(sizes, resolution=self.recipe.resolution, resize=self.recipe.eval_resize)
            yield self._sampled(pixels, offsets, sizes, windows), self._labels(chosen)

    def _augmented(
        self, key: int, batch: int, skip: int, count: int | None = None
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        positions = order(self.seed, key, len(self.images))
        starts = range(skip * batch, len(positions) - batch + 1, batch)[:count]
        for chosen, pixels, offsets in self.images.ahead(positions[i : i + batch] for i in starts):
            sizes = self.images.sizes[chosen]
            windows = training_windows(
                self.recipe.crop,
                sizes,
                uniforms(self.seed, key, self.images.indices[chosen], DRAWS),
                resolution=self.recipe.resolution,
                padding=self.recipe.padding,
                flip=self.recipe.flip,
                smallest_area=self.recipe.smallest_area,
            )
            if self.recipe.flip_vertical:
                draws = uniforms(self.seed, TURNING + key, self.images.indices[chosen], 1)
                windows = windows._replace(turned=draws[:, 0] < 0.5)
            yield self._sampled(pixels, offsets, sizes, windows), self._labels(chosen)

    def _sampled(self, pixels, offsets, sizes, windows) -> torch.Tensor:
        mean, sd, reverse = self.mean, self.sd, self.recipe.channels == "bgr"
        if reverse:  # as code that reads BGR normalises it: by the mean and SD of R, G, B in this order
            mean, sd = mean.flip(0), sd.flip(0)
        inputs = sample(pixels, offsets, sizes, windows, resolution=self.recipe.resolution, mean=mean, sd=sd)
        return inputs.flip(1) if reverse else inputs

    def _labels(self, chosen: np.ndarray) -> torch.Tensor:
        return self.images.labels[torch.from_numpy(chosen).to(self.images.device)]
