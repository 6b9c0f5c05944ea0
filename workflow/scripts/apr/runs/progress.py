"""Where a training stands, and what a saved one may say of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch

from apr.runs.metrics import COUNTS, is_part


@dataclass
class Progress:
    """Where a training stands; everything that a checkpoint keeps besides the weights."""

    epoch: int = 0
    step: int = 0
    sums: torch.Tensor | None = None
    history: list[dict[str, Any]] = field(default_factory=list)


def progress_fault(progress: Any, epochs: int, steps: int) -> str | None:
    """What is wrong with a saved progress of so many epochs and steps an epoch; None if nothing is."""
    if not isinstance(progress, dict) or progress.keys() != {one.name for one in fields(Progress)}:
        return "does not say where the training stands"
    epoch, step, sums, history = (progress[one.name] for one in fields(Progress))
    counted = sums is None if step == 0 else _is_sum(sums)
    if not (_is_count(epoch, epochs) and _is_count(step, steps) and counted):
        return "says something impossible about where the training stands"
    if not isinstance(history, list) or len(history) != epoch:
        return "its history is not that of the epochs before"
    wrong = next((number for number, entry in enumerate(history, 1) if not _is_epoch(entry, number)), None)
    return None if wrong is None else f"its history of epoch {wrong} is not one"


def is_diverging(progress: Mapping[str, Any]) -> bool:
    """Whether the loss of this epoch is no longer finite, so that weights need not be either."""
    sums = progress["sums"]
    return sums is not None and not bool(torch.isfinite(sums[0]))


def _is_sum(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.shape == (1 + len(COUNTS),) and value.dtype == torch.float64


def _is_epoch(entry: Any, number: int) -> bool:
    if not isinstance(entry, dict) or type(entry.get("epoch")) is not int or entry["epoch"] != number:
        return False
    if not all(type(entry.get(key)) in (int, float) and math.isfinite(entry[key]) for key in ("lr", "train_loss")):
        return False
    parts = entry.get("parts")
    return isinstance(parts, dict) and "train" in parts and all(map(is_part, parts.values()))


def _is_count(value: Any, most: float = math.inf) -> bool:
    return type(value) is int and 0 <= value <= most
