"""Files of weights: found by the model's name, read without running code; and what is said where they fail."""

from pathlib import Path
from typing import TYPE_CHECKING

from apr.basics.problems import Problem
from apr.models.names import SUFFIXES, run_name

if TYPE_CHECKING:
    import torch

REACH_SECONDS = 5


def check_weights(weights: str | Path | None) -> None:
    """Refuse weights that are neither a file nor a folder.

    Raises:
        Problem: names them and the remedy.
    """
    if weights is not None and not Path(weights).exists():
        raise Problem(f"--weights {weights}: no such file or folder; give a file of weights, or a folder of such files")


def read_weights(file: Path) -> dict[str, "torch.Tensor"]:
    """Weights by name from a safetensors file or a checkpoint of torch, without running code."""
    import torch
    from timm.models import load_state_dict

    try:
        state = load_state_dict(str(file), weights_only=True)
    except Exception as error:  # both formats raise whatever a damaged file leads them to
        raise Problem(
            f"{file}: cannot be read as weights ({first_line(error)}); fetch it again, or save it as safetensors"
        ) from error
    if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise Problem(f"{file}: holds no weights by name; save the network's state_dict() alone")
    return state


def reachable(address: str) -> bool:
    """Whether a server answers there."""
    import requests

    try:
        requests.head(address, timeout=REACH_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return False
    return True


def missing(model: str, address: str | None, weights: str | Path | None, what: str) -> Problem:
    """That weights are missing, with where to put them: what happened at `address`, and what the user named."""
    place = Path(weights) if weights else Path("<folder>")
    looked = f"{place} has no {run_name(model)}{{{','.join(SUFFIXES)}}}, and " if weights else ""
    if not address:
        return Problem(f"{model}: its weights are missing: {looked}the library publishes none; choose others")
    suffix = ".safetensors" if address.endswith(".safetensors") else ".pth"
    return Problem(
        f"{model}: its weights are missing: {looked}{address} {what}. On a machine with a network fetch that file, for "
        f"instance with `curl -L -o {run_name(model)}{suffix} {address}`, put it at "
        f"{place / (run_name(model) + suffix)}, and give --weights {place}"
    )


def misfit(model: str, file: Path | None, error: Exception) -> Problem:
    """That a file holds the weights of another model."""
    return Problem(
        f"{model}: the weights in {file or 'the cache of the hub'} do not fit this model ({first_line(error)}); "
        "take the file that belongs to it, or the model that belongs to the file"
    )


def headless(model: str) -> Problem:
    """That weights were not trained to classify."""
    return Problem(f"{model}: these weights have no classifier; take some that were trained to classify")


def first_line(error: Exception) -> str:
    """What an error says, on one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:300] or type(error).__name__
