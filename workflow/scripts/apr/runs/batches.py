"""Batches for training and evaluation: augmented on the device, in an order that depends on (seed, epoch) alone."""

import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from apr.basics.interruption import stop_if_asked
from apr.basics.randomness import order, uniforms
from apr.data.decoded import decode_once
from apr.data.packed import PackedImages
from apr.runs.augmentation import DRAWS, SMALLEST_AREA, evaluation_windows, sample, training_windows
from apr.runs.machine.memory import memory_explained

AHEAD = 2  # batches a thread that are read while the device works, each by all threads
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
    """The images of one split of a view, kept where they fit: on the device, else in the host's memory.

    Encoded images are decoded once where their pixels fit, into a file in `shared` if that is given, which trainings
    beside this one read, too. On a CPU packed pixels are read where they lie, so that all processes share the system's
    cache of them. Where they fit nowhere, batches are read and decoded ahead by `workers` threads.

    Attributes:
        resident: whether they are on the device.
        held, held_on_host: bytes of the device's, and of a GPU's host's, budget that are used.

    Args:
        resident_bytes: of pixels to keep on the device at most.
        host_bytes: beside a GPU, of decoded pixels to keep in the host's memory.
        workers: threads that read.
        shared: a folder for decoded pixels.

    Raises:
        Problem: the memory is full, or a picture is damaged.
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
        host_bytes: int = 0,
        shared: Path | None = None,
    ) -> None:
        self.packed, self.indices, self.device, self.workers = packed, indices, device, max(1, workers)
        self.labels = torch.from_numpy(labels).to(device)
        rows = packed.index[indices]
        self.sizes = np.stack([rows["height"], rows["width"]], axis=1).astype(np.int64)
        pixels = self.sizes.prod(axis=1)
        size, on_gpu = 3 * int(pixels.sum()), device.type == "cuda"
        self.resident = size <= resident_bytes
        self.held = size if self.resident else 0
        self.offsets = np.concatenate([[0], np.cumsum(pixels)[:-1]])
        self._decoded: np.ndarray | None = None  # uint8 [bytes], in the order of the offsets
        fits = size <= host_bytes if on_gpu else self.resident
        passing = on_gpu and self.resident and shared is None  # decoded on its way to the GPU
        self.held_on_host = 0
        with memory_explained(device, f"while {len(indices):,} images ({size / 2**30:.3g} GB) are loaded"):
            if packed.storage == "encoded" and fits and not passing:
                options = {"threads": self.workers, "folder": shared, "waiting": stop_if_asked}
                self._decoded = decode_once(packed, indices, **options)
                self.held_on_host = size if on_gpu and not self.resident else 0
            if self.resident and on_gpu:
                self.pixels, self._decoded = self._filled(pixels), None
            elif self.resident:
                flat = self._decoded
                if flat is None:
                    flat, self.offsets = packed.pixels, rows["offset"].astype(np.int64) // 3
                self.pixels = _as_tensor(flat).view(-1, 3)

    def __len__(self) -> int:
        return len(self.indices)

    def ahead(self, batches: Iterable[np.ndarray]) -> Iterator[tuple[np.ndarray, torch.Tensor, np.ndarray]]:
        """For each batch of positions: the positions, pixels uint8 [P, 3], and the first pixel of each image in them.

        What is not on the device is read ahead: twice as many batches as there are threads, each by all of them. What
        nobody wants any more is not read.
        """
        if self.resident:
            for chosen in batches:
                yield chosen, self.pixels, self.offsets[chosen]
            return
        for chosen, flat, starts in self._read_ahead(batches, AHEAD * self.workers):
            yield chosen, flat.to(self.device, non_blocking=True), starts

    def _read_ahead(
        self, batches: Iterable[np.ndarray], ahead: int
    ) -> Iterator[tuple[np.ndarray, torch.Tensor, np.ndarray]]:
        pool = ThreadPoolExecutor(self.workers)
        try:
            waiting: deque[tuple[np.ndarray, np.ndarray, np.ndarray, list[Future]]] = deque()
            for chosen in batches:
                waiting.append(self._begun(pool, chosen))
                if len(waiting) > ahead:
                    yield _finished(*waiting.popleft())
            while waiting:
                yield _finished(*waiting.popleft())
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
                flat[starts[row] : ends[row]] = self._picture(chosen[row])

        parts = np.array_split(np.arange(len(chosen)), min(len(chosen), self.workers))
        return chosen, flat, starts, [pool.submit(read, part) for part in parts]

    def _picture(self, position: int) -> np.ndarray:
        """uint8 [pixels, 3]"""
        if self._decoded is None:
            return self.packed.read(int(self.indices[position])).reshape(-1, 3)
        start, pixels = 3 * self.offsets[position], self.sizes[position].prod()
        return self._decoded[start : start + 3 * pixels].reshape(-1, 3)

    def _filled(self, pixels: np.ndarray) -> torch.Tensor:
        """All images on the device, by way of the host in parts of about CHUNK bytes."""
        filled = torch.empty((int(pixels.sum()), 3), dtype=torch.uint8, device=self.device)
        parts, done = 3 * np.cumsum(pixels) // CHUNK, 0
        chunks = np.split(np.arange(len(pixels)), np.flatnonzero(np.diff(parts)) + 1)
        for _, part, _ in self._read_ahead(chunks, 1):
            filled[done : done + len(part)] = part
            done += len(part)
            stop_if_asked()
        return filled


def _finished(
    chosen: np.ndarray, flat: np.ndarray, starts: np.ndarray, reading: list[Future]
) -> tuple[np.ndarray, torch.Tensor, np.ndarray]:
    for future in reading:
        future.result()
    return chosen, torch.from_numpy(flat), starts


def _as_tensor(flat: np.ndarray) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")  # it is only read
        return torch.from_numpy(np.asarray(flat))


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

    def evaluation(self, batch: int, first: int = 0) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """All images from the `first` on, in order, without augmentation; the last batch may be smaller."""
        positions = np.arange(len(self.images))
        starts = range(first, len(positions), batch)
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
