"""Pretrained models by name, with their weights and the weights' own preprocessing.

Weights come from a folder or file that is named, else from an installed package that carries them, else from the
libraries' hubs. Nothing heavy is imported before a model is loaded.
"""

import logging
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apr.basics.files import file_digest
from apr.basics.problems import Problem
from apr.models.libraries import only_weights, plain_settings, timm_model, torchvision_model
from apr.models.names import LIBRARIES, OWN, SUFFIXES, own_file, parse_model, run_name
from apr.models.own import build_own, fill_own
from apr.models.packages import packaged_file
from apr.models.weight_files import check_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from PIL import Image

__all__ = ["Pretrained", "check_weights", "load_model", "parse_model", "run_name"]
log = logging.getLogger("apr")


@dataclass(frozen=True)
class Pretrained:
    """A model that is ready to classify.

    Attributes:
        network: in evaluation mode, on the CPU, float32.
        transform: makes an RGB picture the network's input, float32 [3, H, W].
        preprocessing: what `transform` does, as plain values: sizes in pixels, mean and SD of values in 0..1.
        outputs: number of classes that it tells apart.
        weights: digest of the weights, whatever file they come from; None of an untrained network.
        source: that file's name, "hub", or "none" of an untrained network.
        code: SHA-256 of the file that builds a network of one's own; None of a library's.
    """

    network: "torch.nn.Module"
    transform: "Callable[[Image.Image], torch.Tensor]"
    preprocessing: dict[str, Any]
    outputs: int
    weights: str | None
    source: str
    code: str | None = None

    @property
    def sizes(self) -> tuple[int, int]:
        """The weights' own input size, and what the shorter side is resized to before the centre crop; in pixels."""
        own = self.preprocessing
        if "crop_size" in own:
            return own["crop_size"][0], own["resize_size"][0]
        size = own["input_size"][-1]
        return size, math.floor(size / (own.get("crop_pct") or 1))


def load_model(
    model: str,
    weights: str | Path | None = None,
    *,
    root: str | Path = ".",
    trained: bool = True,
    image_size: int | None = None,
) -> Pretrained:
    """Build a model, with its weights.

    Args:
        model: "timm:<name>", "torchvision:<name>[.<WEIGHTS>]", with the library's default weights if it names none, or
            "own:<file.py>:<function>".
        weights: a file, or a folder that may hold `<run_name>.safetensors`, `.pth` or `.pt`; where there is none, the
            weights come from an installed package, or from the library's hub or its cache. A file may have another
            number of classes.
        root: the folder that a file of one's own is relative to.
        trained: false builds the network with random weights, as torch's seed draws them.
        image_size: in pixels, for a network of timm that takes one size alone and can be built for another.

    Raises:
        Problem: there is no such model, its weights are missing, unreadable or do not fit, or it has no classifier.
    """
    from apr.models.weights import weights_digest

    library, name = parse_model(model)
    file = _local_file(model, weights)
    code = None
    if library == OWN:
        code = Path(root, own_file(model))
        network, transform, settings, outputs, file = _own(model, code, file, weights, trained)
    elif library == LIBRARIES[0]:
        packaged = file is None and packaged_file(model)
        options = {"trained": trained, "image_size": image_size, "in_order": bool(packaged)}
        file = packaged or file
        network, transform, settings, outputs = timm_model(name, file, weights, **options)
    else:
        network, transform, settings, outputs = torchvision_model(name, file, weights, trained=trained)
    log.info("%s: weights from %s", model, (file or "the library's hub") if trained else "random numbers")
    return Pretrained(
        network=network.eval(),
        transform=transform,
        preprocessing=settings,
        outputs=outputs,
        weights=weights_digest(network.state_dict()) if trained else None,
        source=(file.name if file else "hub") if trained else "none",
        code=file_digest(code) if code else None,
    )


def _own(model: str, code: Path, file: Path | None, weights: str | Path | None, trained: bool) -> tuple:
    import timm
    import torch

    network, settings, said = build_own(code, model.rpartition(":")[2])
    if file is None and said:
        places = [Path(place, said) for place in (weights, code.parent) if place and Path(place).is_dir()]
        file = next((place for place in places if place.is_file()), None)
    if trained:
        if file is None:
            wanted = said or f"{run_name(model)}{{{','.join(SUFFIXES)}}}"
            where = weights or code.parent
            raise Problem(
                f"{model}: its weights are missing: {where} has no {wanted}; put the file there, or give --weights and "
                "its folder"
            )
        fill_own(model, network, file)
    with torch.no_grad():
        size = settings["input_size"]
        try:
            outputs = network.eval()(torch.zeros(1, *size)).shape[-1]
        except (RuntimeError, AttributeError, IndexError, TypeError) as error:
            raise Problem(f"{model}: does not take an input of {list(size)} ({error}); correct its file") from error
    transform = timm.data.create_transform(**settings, is_training=False)
    return network, transform, plain_settings(settings), outputs, file


def _local_file(model: str, weights: str | Path | None) -> Path | None:
    check_weights(weights)
    place = Path(weights) if weights else None
    if place is None or place.is_file():
        return place
    names = [run_name(model)]
    library, name = parse_model(model)
    if library == LIBRARIES[1] and only_weights(name):  # a file named after the architecture holds them, too
        names.append(f"{library}.{name.partition('.')[0]}")
    files = [place / f"{each}{suffix}" for each in names for suffix in SUFFIXES]
    return next((file for file in files if file.is_file()), None)
