"""Checkpoints: written atomically, read without running code, refused when they belong to another protocol.

What cannot be read as a checkpoint is set aside; what is no file, or a file system that does not answer, is left alone.
"""

import io
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from apr.basics.files import atomic_file, read_file

log = logging.getLogger("apr")
COUNTER = "step"  # a number among an optimiser's momenta
MOMENTA = {torch.optim.SGD: ("momentum_buffer",), torch.optim.AdamW: (COUNTER, "exp_avg", "exp_avg_sq")}


@dataclass(frozen=True)
class Checkpointing:
    """Where to keep the checkpoint, for which protocol, how many seconds may pass between two.

    `check` is called before each is written and may refuse it.
    """

    path: Path
    fingerprint: str
    seconds: float
    check: Callable[[], None] = lambda: None


def save_checkpoint(path: Path, state: dict[str, Any], fingerprint: str) -> None:
    """Write tensors and plain values; a kill at any instant leaves the previous checkpoint."""
    buffer = io.BytesIO()  # torch.save reports a full disk as a RuntimeError without a reason; a plain write names it
    torch.save({"fingerprint": fingerprint, **state}, buffer)
    with atomic_file(path, "wb") as file:
        file.write(buffer.getbuffer())


def load_checkpoint(
    path: Path, fingerprint: str, device: torch.device, fault: Callable[[dict[str, Any]], str | None] = lambda _: None
) -> dict[str, Any] | None:
    """The state saved under this protocol, or None; a broken or foreign file is set aside and named in the log.

    Args:
        path: of the file.
        fingerprint: of the protocol.
        device: where its tensors go.
        fault: says what in a state does not fit what it is read for; None where it fits.

    Raises:
        Problem: it is no regular file, or cannot be read for a reason that is not in the file: it is left as it is.
    """
    try:
        data = read_file(path)
    except FileNotFoundError:
        return None
    try:
        state = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
        found = state["fingerprint"]
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # torch raises whatever damaged bytes lead it to
        return _set_aside(path, f"cannot be read ({type(error).__name__})")
    if found != fingerprint:
        return _set_aside(path, "belongs to another protocol")
    wrong = fault(state)
    return _set_aside(path, f"is of this protocol, but {wrong}") if wrong else state


def tensors_fault(found: Any, own: Mapping[str, torch.Tensor]) -> str | None:
    """How saved tensors differ from a network's own in names, shapes or types; None where they do not."""
    if not isinstance(found, Mapping):
        return "holds no weights"
    differing = sorted(found.keys() ^ own.keys(), key=str)
    if differing:
        return f"{differing[0]} and {len(differing) - 1} more are in only one of it and the network"
    for name, tensor in own.items():
        saved = found[name]
        if not isinstance(saved, torch.Tensor):
            return f"{name} is no tensor"
        if saved.layout != tensor.layout or saved.is_meta:
            return f"{name} is not dense"
        if (saved.shape, saved.dtype) != (tensor.shape, tensor.dtype):
            return f"{name} is {saved.dtype} {list(saved.shape)}, not {tensor.dtype} {list(tensor.shape)}"
    return None


def momenta_fault(found: Any, optimizer: torch.optim.Optimizer) -> str | None:
    """How an optimiser's saved momenta differ from what this one can take: all of them, or none; None if they fit."""
    names = MOMENTA[type(optimizer)]
    try:
        momenta = {f"{number} {name}": state[name] for number, state in found["state"].items() for name in names}
    except (KeyError, TypeError, AttributeError):
        return "its optimiser's state cannot be read"
    if not momenta:
        return None
    own = {}
    for number, parameter in enumerate(one for group in optimizer.param_groups for one in group["params"]):
        own |= {f"{number} {name}": torch.zeros(()) if name == COUNTER else parameter for name in names}
    wrong = tensors_fault(momenta, own)
    return wrong and f"of its optimiser's momenta {wrong}"


def settings_fault(found: Any, optimizer: torch.optim.Optimizer) -> str | None:
    """How an optimiser's saved settings differ from this one's after a step, but for the learning rate; else None."""
    own = optimizer.state_dict()["param_groups"]
    groups = found.get("param_groups")
    if not isinstance(groups, list) or len(groups) != len(own) or not all(isinstance(group, dict) for group in groups):
        return "its optimiser has other parameters"
    for group, wanted in zip(groups, own, strict=True):
        for key in sorted(group.keys() | wanted.keys(), key=str):
            if key != "lr" and (key not in group or key not in wanted or not _same(group[key], wanted[key])):
                return f"its optimiser has another {key}"
        if type(group.get("lr")) not in (int, float) or not math.isfinite(group["lr"]):
            return "its optimiser's lr is no number"
        if wanted.get("momentum", True) and not found["state"]:
            return "its optimiser has no momenta"
    return None


def infinite(state: Mapping[str, Any]) -> str | None:
    """Which weight or momentum of a state is not finite; None where all are."""
    saved = state["optimizer"]["state"].items()
    momenta = {f"{number} {name}": value for number, one in saved for name, value in one.items()}
    for kind, tensors in (("weight", state["network"]), ("momentum", momenta)):
        for name, tensor in tensors.items():
            if not bool(torch.isfinite(tensor).all()):
                return f"the {kind} {name} is not finite"
    return None


def _same(one: Any, other: Any) -> bool:
    return type(one) in (type(other), int, float, bool) and one == other


def _set_aside(path: Path, reason: str) -> None:
    rejected = path.with_name(path.name + ".rejected")
    path.replace(rejected)
    log.warning("checkpoint %s %s: set aside as %s; the run starts from the beginning", path, reason, rejected.name)
