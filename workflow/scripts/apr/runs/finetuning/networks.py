"""What a pretrained network becomes on other data: a new head, an input of another size, and what it costs."""

import logging
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from apr.basics.problems import Problem
from apr.models.heads import replace_head
from apr.models.pretrained import Pretrained
from apr.runs.batches import Recipe
from apr.runs.finetuning_protocol import FAR_BELOW

log = logging.getLogger("apr")
IMAGENET = {"mean": [0.485, 0.456, 0.406], "sd": [0.229, 0.224, 0.225]}  # of torchvision's ImageNet models


def input_of(protocol: Mapping[str, Any], pretrained: Pretrained, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The input of a network: its sides in pixels before and after the centre crop, mean and SD of values in 0..1.

    What the protocol leaves open is the weights' own; of another resolution the share that their crop keeps. A
    resolution far below that of pretrained weights is said in the log.

    Raises:
        Problem: the sides contradict each other.
    """
    own, own_resize = pretrained.sizes
    size = protocol["resolution"] or own
    resize = protocol["eval_resize"] or max(size, round(size * own_resize / own))
    settings = pretrained.preprocessing
    shades = {
        "weights": {"mean": list(settings["mean"]), "sd": list(settings["std"])},
        "imagenet": IMAGENET,
        "data": {"mean": manifest["mean"], "sd": manifest["sd"]},
    }
    if resize < size:
        raise Problem(
            f"eval_resize {resize} is less than the {size} px of {pretrained.source}: an evaluation would show the "
            f"picture in a black frame; set eval_resize: null, or {size} or more, or a smaller resolution"
        )
    if pretrained.weights and size < FAR_BELOW * own:
        text = "pictures of %d px are far below the %d px that these weights were made for, so that the model may lose "
        log.warning(text + "more than others; resolution: null takes each model's own", size, own)
    return {"resolution": size, "eval_resize": resize, **shades[protocol["normalisation"]]}


def recipe_of(protocol: Mapping[str, Any]) -> Recipe:
    """How pictures become inputs, by a whole protocol."""
    sizes = {key: protocol["input"][key] for key in ("resolution", "eval_resize")}
    more = {"smallest_area": protocol["smallest_area"]} if "smallest_area" in protocol else {}
    return Recipe(
        crop=protocol["crop"],
        padding=protocol.get("padding", 0),
        flip=protocol["flip"],
        flip_vertical=protocol["flip_vertical"],
        channels=protocol["channels"],
        **sizes,
        **more,
    )


def with_new_head(pretrained: Pretrained, classes: int, size: int, name: str) -> list[nn.Parameter]:
    """Give a network a new head, see that it takes pictures of a size, and return the head's parameters.

    Raises:
        Problem: no head can be found, or the network does not take such pictures.
    """
    head = replace_head(pretrained.network, pretrained.outputs, classes, name)
    check_size(pretrained, size, name)
    _freeze_unused(pretrained.network, size)
    return head


def first_output(outputs: Any) -> torch.Tensor:
    """What a network says of its pictures, where auxiliary classifiers stand beside (Inception, GoogLeNet)."""
    return outputs if isinstance(outputs, torch.Tensor) else outputs[0]


def _freeze_unused(network: nn.Module, size: int) -> None:
    """Train no parameter that the loss does not reach, such as an auxiliary classifier's: none of it is ever known."""
    state = {name: value.clone() for name, value in network.state_dict().items()}
    first_output(network.train()(torch.zeros(2, 3, size, size))).sum().backward()
    for parameter in network.parameters():
        parameter.requires_grad_(parameter.grad is not None)
    network.zero_grad()
    network.load_state_dict(state)  # batch statistics, too


def check_size(pretrained: Pretrained, size: int, name: str) -> None:
    """Refuse pictures of a size that a network does not take.

    Raises:
        Problem: names the network, the size, and its own.
    """
    try:
        with torch.no_grad():
            pretrained.network.eval()(torch.zeros(1, 3, size, size))
    except (RuntimeError, ValueError, AssertionError) as error:
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise Problem(
            f"{name}: does not take pictures of {size} px ({reason}); set resolution: {pretrained.sizes[0]}, or null "
            "for each model's own"
        ) from error


def cost_of(network: nn.Module, size: int) -> dict[str, int]:
    """Parameters, and multiply-adds for one picture of a size, as torch counts them (two operations each)."""
    network = network.eval()
    device = next(network.parameters()).device
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(torch.zeros(1, 3, size, size, device=device))
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return {"parameters": parameters, "multiply_adds": counter.get_total_flops() // 2}
