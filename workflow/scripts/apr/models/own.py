"""A network of the user's own: a function in a Python file, and a file of weights."""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apr.basics.problems import Problem
from apr.models.names import OWN
from apr.models.weight_files import first_line, misfit, read_weights

if TYPE_CHECKING:
    import torch

# of a network that says nothing of its input (`pretrained_cfg`): what most ImageNet models take
USUAL = {
    "input_size": (3, 224, 224),
    "interpolation": "bilinear",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "crop_pct": 0.875,
    "crop_mode": "center",
}


def build_own(file: Path, function: str) -> tuple["torch.nn.Module", dict[str, Any], str | None]:
    """The untrained network that `function()` of a Python file builds.

    Its attribute `pretrained_cfg`, a dict in timm's terms, may say input_size, interpolation, mean, std, crop_pct,
    and `file`, the name of its file of weights.

    Returns:
        The network, the settings of its input, and the name of its file of weights, if it says one.

    Raises:
        Problem: no such file or function, it fails, or it returns no network.
    """
    from torch import nn

    name = f"{OWN}:{file}:{function}"
    if not file.is_file():
        raise Problem(f"{name}: there is no file {file}; correct the model's name")
    spec = importlib.util.spec_from_file_location(f"own_{file.stem}", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's code may raise anything
        raise Problem(f"{name}: {file} cannot be imported ({type(error).__name__}: {first_line(error)})") from error
    build = getattr(module, function, None)
    if not callable(build):
        raise Problem(f"{name}: {file} has no function {function}; correct the model's name")
    try:
        network = build()
    except Exception as error:
        raise Problem(f"{name}: {function}() fails ({type(error).__name__}: {first_line(error)})") from error
    if not isinstance(network, nn.Module):
        raise Problem(f"{name}: {function}() returns {type(network).__name__}; let it return a torch.nn.Module")
    said = getattr(network, "pretrained_cfg", {})
    return network, USUAL | {key: said[key] for key in USUAL if key in said}, said.get("file")


def fill_own(name: str, network: "torch.nn.Module", file: Path) -> None:
    """Put the weights of a file into a network.

    Raises:
        Problem: the file cannot be read, or holds other weights.
    """
    state = read_weights(file)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise misfit(name, file, error) from error
