"""The images of each part of a view, opened as a command line says."""

import argparse
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from apr.data.packed import PackedImages, groups_of, open_packed
from apr.data.reading.parts import parts_of
from apr.data.views import view_indices
from apr.runs.batches import Images, Loader, Recipe
from apr.runs.machine.memory import image_budget, keep_freed_memory

SHARED = "APRBENCH_DECODED"  # the variable with the folder where trainings of one workflow share decoded pictures

log = logging.getLogger("apr")


def open_loaders(
    arguments: argparse.Namespace,
    manifest: dict[str, Any],
    recipe: Recipe,
    device: torch.device,
    *,
    mean: Sequence[float],
    sd: Sequence[float],
    seed: int,
) -> dict[str, Loader]:
    """Loaders of the images of each part, normalised by mean and SD of values in 0..1.

    Raises:
        Problem: the packed images are broken or not those of the view, or the memory is full.
    """
    packed = open_packed(Path(arguments.packed), arguments.storage)
    if device.type == "cpu":
        keep_freed_memory()
    most = int(arguments.resident_gb * 2**30)
    loaders, left = {}, image_budget(device, most)
    left_on_host = image_budget(torch.device("cpu"), most) if device.type == "cuda" else 0
    shared = Path(os.environ[SHARED]) if os.environ.get(SHARED) else None
    indices = view_indices(manifest, packed.index)
    for part in parts_of(manifest):
        images = Images(
            packed,
            indices[part],
            indices[f"{part}_labels"],
            device,
            resident_bytes=left,
            workers=arguments.threads,
            host_bytes=left_on_host,
            shared=shared,
        )
        left, left_on_host = left - images.held, left_on_host - images.held_on_host
        if packed.storage == "encoded" and not (images.held or images.held_on_host):
            size = 3 * int(images.sizes.prod(axis=1).sum())
            log.info("%s images are decoded in every pass: their pixels take %.3g GB", part, size / 2**30)
        loaders[part] = Loader(images, recipe, mean=list(mean), sd=list(sd), seed=seed)
    return loaders


def groups_of_parts(packed: PackedImages, manifest: dict[str, Any]) -> dict[str, np.ndarray]:
    """The number of each image's group, int64 [n], of the parts that are held out; empty where there are no groups.

    Raises:
        Problem: the packed dataset has other groups than its manifest said.
    """
    groups = groups_of(packed.stem, manifest.get("n_groups"))
    if groups is None:
        return {}
    indices = view_indices(manifest, packed.index)
    return {part: groups[indices[part]] for part in parts_of(manifest) if part != "train"}
