"""Weights that a finished run keeps for others: written atomically, read without running code, checked by digest."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from apr.basics.files import atomic_file, read_file
from apr.basics.problems import Problem

HEAD = "fc."


def keep_weights(path: str | Path, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> str:
    """Write the weights, and the optimiser's state if it is given; return their digest."""
    state: dict[str, Any] = {"network": network.state_dict()}
    if optimizer is not None:
        state["optimizer"] = optimizer.state_dict()
    buffer = io.BytesIO()
    torch.save(state, buffer)
    with atomic_file(path, "wb") as file:
        file.write(buffer.getbuffer())
    return _state_digest(state)


def load_weights(path: str | Path, digest: str, device: torch.device) -> dict[str, Any]:
    """The state that `keep_weights` wrote; of a file whose digest is of its weights alone, these alone.

    Raises:
        Problem: the file is missing, unreadable, or not the one of the run that names `digest`.
    """
    remedy = "delete the run that left it (its JSON under results/runs and under results/checkpoints) to train it again"
    try:
        data = read_file(path)
    except FileNotFoundError:
        raise Problem(f"{path}: is missing, and another run starts from it; {remedy}") from None
    try:
        state = torch.load(io.BytesIO(data), map_location=device, weights_only=True)
        found = _state_digest(state)
        if found != digest and weights_digest(state["network"]) == digest:
            return {"network": state["network"]}  # earlier versions made no digest of the optimiser's state
    except (torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as error:  # torch raises whatever damaged bytes lead it to
        raise Problem(f"{path}: cannot be read ({type(error).__name__}); {remedy}") from error
    if found != digest:
        raise Problem(f"{path}: does not hold the weights of its run (digest {found[:12]} for {digest[:12]}); {remedy}")
    return state


def take_over(network: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Put all weights but those of the head into a network: its classes are others.

    Raises:
        Problem: the two networks differ in more than the head.
    """
    body = {name: tensor for name, tensor in weights.items() if not name.startswith(HEAD)}
    own = network.state_dict()
    differing = [
        name
        for name in sorted({*body, *(name for name in own if not name.startswith(HEAD))})
        if name not in body or name not in own or body[name].shape != own[name].shape
    ]
    if differing:
        raise Problem(
            f"initial weights: {differing[0]} and {len(differing) - 1} more do not fit this network; "
            "both tasks need the same stem and the same architecture"
        )
    network.load_state_dict(body, strict=False)


def weights_digest(weights: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of names and values."""
    digest = hashlib.sha256()
    for name, tensor in weights.items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _state_digest(state: Mapping[str, Any]) -> str:
    """Digest of the weights; with an optimiser's state of both."""
    if "optimizer" not in state:
        return weights_digest(state["network"])
    momenta = {number: one["momentum_buffer"] for number, one in state["optimizer"]["state"].items()}
    digests = (weights_digest(state["network"]), weights_digest(momenta), str(state["optimizer"]["param_groups"]))
    return hashlib.sha256(" ".join(digests).encode()).hexdigest()
