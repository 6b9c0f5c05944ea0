"""Checkpoints: written atomically, read without running code, refused when they belong to another protocol."""

import io
import logging
import pickle
from pathlib import Path
from typing import Any

import torch

from apr.files import atomic_file

log = logging.getLogger("apr")


def save_checkpoint(path: Path, state: dict[str, Any], fingerprint: str) -> None:
    """Write tensors and plain values; a kill at any instant leaves the previous checkpoint."""
    buffer = io.BytesIO()  # torch.save reports a full disk as a RuntimeError without a reason; a plain write names it
    torch.save({"fingerprint": fingerprint, **state}, buffer)
    with atomic_file(path, "wb") as file:
        file.write(buffer.getbuffer())


def load_checkpoint(path: Path, fingerprint: str, device: torch.device) -> dict[str, Any] | None:
    """The state saved under this protocol, or None; a broken or foreign file is set aside and named in the log."""
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        found = state["fingerprint"]
    except (RuntimeError, OSError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        return _set_aside(path, f"cannot be read ({type(error).__name__})")
    if found != fingerprint:
        return _set_aside(path, "belongs to another protocol")
    return state


def _set_aside(path: Path, reason: str) -> None:
    rejected = path.with_name(path.name + ".rejected")
    path.replace(rejected)
    log.warning("checkpoint %s %s: set aside as %s; the run starts from the beginning", path, reason, rejected.name)
