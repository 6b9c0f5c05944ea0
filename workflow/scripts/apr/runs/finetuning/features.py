"""Features of pretrained networks: extracted once for a model and a view, and kept with what they are of.

A file that is damaged, or of other weights, images or sizes, is made again.
"""

import io
import json
import logging
import math
import time
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from apr.basics.files import atomic_file, digest_of
from apr.basics.interruption import Interrupted, listen
from apr.basics.problems import Problem
from apr.models.names import run_name
from apr.runs.batches import Loader, Recipe
from apr.runs.checkpoints import Checkpointing, load_checkpoint, save_checkpoint, tensors_fault
from apr.runs.machine.memory import memory_explained

OF = ("model", "weights", "code", "input", "channels", "images", "revision")  # what features depend on, of a protocol
ABOUT = "about"  # the name of what a file says of its features; all others are parts

log = logging.getLogger("apr")


@dataclass(frozen=True)
class Features:
    """What a network makes of the images of a view.

    Attributes:
        parts: of each part float32 [n, features], in the order of its images.
        seconds: that their extraction took, in all calls that worked on it.
        provenance: what they were computed on and with.
    """

    parts: Mapping[str, NDArray[np.float32]]
    seconds: float
    provenance: Mapping[str, Any]


def identity_of(protocol: Mapping[str, Any]) -> str:
    """The digest of what features are of, by a probe's whole protocol: neither classifier nor metric is part of it."""
    return digest_of({key: protocol.get(key) for key in OF})


def features_file(folder: str | Path, model: str, identity: str) -> Path:
    """Where the features of a model are kept."""
    return Path(folder, f"{run_name(model)}-{identity[:12]}.npz")


def keep_features(path: Path, identity: str, features: Features) -> None:
    """Write features atomically."""
    about = {"of": identity, "seconds": features.seconds, "provenance": dict(features.provenance)}
    buffer = io.BytesIO()
    np.savez(buffer, **{ABOUT: np.array(json.dumps(about))}, **features.parts)
    with atomic_file(path, "wb") as file:
        file.write(buffer.getbuffer())


def read_features(path: Path, identity: str, sizes: Mapping[str, int]) -> Features | None:
    """The features of a file; None, and a line in the log, where it is damaged or of something else.

    Args:
        path: of the file.
        identity: of the features that are wanted.
        sizes: how many images each part has.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        about = json.loads(str(parts.pop(ABOUT)))
        found = Features(parts, float(about["seconds"]), dict(about["provenance"]))
        fault = _fault(found, about["of"] == identity, sizes)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        fault = f"cannot be read ({type(error).__name__})"
    if fault:
        log.warning("%s: %s; extracting the features again", path, fault)
        return None
    return found


def recipe_of(protocol: Mapping[str, Any]) -> Recipe:
    """How pictures become inputs of a probe: as an evaluation shows them."""
    sizes = {key: protocol["input"][key] for key in ("resolution", "eval_resize")}
    return Recipe(crop="centre", padding=0, flip=False, channels=protocol["channels"], **sizes)


def width_of(network: nn.Module, size: int, name: str) -> int:
    """How many features a network without its head gives for a picture of a size in pixels.

    Raises:
        Problem: it gives something else than a row of them.
    """
    with torch.no_grad():
        found = network.eval()(torch.zeros(1, 3, size, size))
    if not isinstance(found, torch.Tensor) or found.ndim != 2:
        shape = list(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise Problem(f"{name}: without its head it gives {shape} for a picture, not one row; take another model")
    return found.shape[1]


def extract(
    network: nn.Module,
    width: int,
    loaders: Mapping[str, Loader],
    batch: int,
    checkpointing: Checkpointing,
    *,
    on_batch: Callable[[int], None] = lambda done: None,
) -> tuple[dict[str, NDArray[np.float32]], float]:
    """The features of all images of each part, from the checkpoint on if there is one, and the seconds that it took.

    Args:
        network: without its head, float32; it is moved to the device of the images.
        width: how many features it gives.
        loaders: of the images of each part.
        batch: images at once.
        checkpointing: where the checkpoint is kept, and how often.
        on_batch: told how many images are done.

    Raises:
        Interrupted: SIGTERM, SIGINT or SIGUSR1 came; the checkpoint is written.
        Problem: features are not finite, or the memory is full.
    """
    sizes = {part: len(loader.images) for part, loader in loaders.items()}
    rows, done, before = torch.zeros(sum(sizes.values()), width), 0, 0.0

    def fault(state: dict[str, Any]) -> str | None:
        wrong = tensors_fault({"rows": state.get("rows")}, {"rows": rows})
        whole = type(state.get("done")) is int and 0 <= state["done"] <= len(rows)
        timed = type(state.get("seconds")) is float and math.isfinite(state["seconds"])
        return wrong or (None if whole and timed else "it does not say how many images are done")

    state = load_checkpoint(checkpointing.path, checkpointing.fingerprint, torch.device("cpu"), fault)
    if state is not None:
        rows, done, before = state["rows"], state["done"], state["seconds"]
        log.info("resuming at image %d of %d", done + 1, len(rows))
    received, begun = listen(), done
    started = saved = time.monotonic()

    def save() -> None:
        nonlocal saved
        checkpointing.check()
        seconds = before + time.monotonic() - started
        save_checkpoint(checkpointing.path, {"rows": rows, "done": done, "seconds": seconds}, checkpointing.fingerprint)
        log.info("%d of %d images, %.0f images/s", done, len(rows), (done - begun) / (time.monotonic() - started))
        saved = time.monotonic()

    device, end = next(iter(loaders.values())).images.device, 0
    with memory_explained(device, f"at batch {batch}", "lower the task's batch, or free the device"):
        network = network.to(device).eval()
        for part, loader in loaders.items():
            first, end = max(0, done - end), end + sizes[part]
            for inputs, _ in loader.evaluation(batch, first) if first < sizes[part] else ():
                values = _features(network, inputs)
                rows[done : done + len(values)] = values
                done += len(values)
                on_batch(done)
                if received or time.monotonic() - saved >= checkpointing.seconds:
                    save()
                if received:
                    raise Interrupted(received.pop(0))
    parts = dict(zip(sizes, rows.split(list(sizes.values())), strict=True))
    return {part: own.numpy() for part, own in parts.items()}, before + time.monotonic() - started


@torch.inference_mode()
def _features(network: nn.Module, inputs: torch.Tensor) -> torch.Tensor:
    values = network(inputs).float().cpu()
    if not torch.isfinite(values).all():
        raise Problem("the model's features are not finite; its weights are damaged: fetch them again")
    return values


def _fault(found: Features, same: bool, sizes: Mapping[str, int]) -> str | None:
    if not same:
        return "holds the features of other weights, images or sizes"
    if found.parts.keys() != sizes.keys() or not (math.isfinite(found.seconds) and found.seconds >= 0):
        return "does not hold the parts of the view"
    shapes = {own.shape[1:] for own in found.parts.values()}
    whole = all(own.dtype == np.float32 and len(own) == sizes[part] for part, own in found.parts.items() if own.ndim)
    if not whole or len(shapes) != 1 or len(*shapes) != 1:
        return "does not hold a row for each image"
    return None if all(np.isfinite(own).all() for own in found.parts.values()) else "holds features that are not finite"
