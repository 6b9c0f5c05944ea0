"""Pretrained models of timm and torchvision by name, with their weights and the weights' own preprocessing.

Nothing heavy is imported before a model is loaded: a workflow names its files by `run_name`.
"""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apr.basics.problems import Problem
from apr.basics.values import nearest

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from PIL import Image

LIBRARIES = ("timm", "torchvision")
SUFFIXES = (".safetensors", ".pth", ".pt")
HUB_FILES = ("model.safetensors", "pytorch_model.bin")
HEAD = re.compile(r"(?:fc|head|heads\.head|classifier(?:\.(\d+))?)\.weight")  # of torchvision's classifiers
REACH_SECONDS = 5

log = logging.getLogger("apr")


@dataclass(frozen=True)
class Pretrained:
    """A model that is ready to classify.

    Attributes:
        network: in evaluation mode, on the CPU, float32.
        transform: makes an RGB picture the network's input, float32 [3, H, W].
        preprocessing: what `transform` does, as plain values: sizes in pixels, mean and SD of values in 0..1.
        outputs: number of classes that it tells apart.
        weights: digest of the weights, whatever file they come from.
        source: that file's name, or "hub".
    """

    network: "torch.nn.Module"
    transform: "Callable[[Image.Image], torch.Tensor]"
    preprocessing: dict[str, Any]
    outputs: int
    weights: str
    source: str


def parse_model(model: str) -> tuple[str, str]:
    """Library and name of "timm:<name>" or "torchvision:<name>[.<WEIGHTS>]".

    Raises:
        Problem: it is neither.
    """
    library, _, name = model.partition(":")
    if library not in LIBRARIES or not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
        raise Problem(
            f"model {model!r}: write timm:<name>, e.g. timm:resnet18.a1_in1k, or torchvision:<name>[.<WEIGHTS>], "
            "e.g. torchvision:resnet50.IMAGENET1K_V2"
        )
    return library, name


def run_name(model: str) -> str:
    """The model's name in names of files: "timm:resnet18.a1_in1k" is "timm.resnet18.a1_in1k"."""
    return ".".join(parse_model(model))


def load_model(model: str, weights: str | Path | None = None) -> Pretrained:
    """Build a model with its weights.

    Args:
        model: "timm:<name>" or "torchvision:<name>[.<WEIGHTS>]", with the library's default weights if it names none.
        weights: a file, or a folder that may hold `<run_name>.safetensors`, `.pth` or `.pt`; where there is none, the
            weights come from the library's hub or its cache. A file may have another number of classes.

    Raises:
        Problem: there is no such model, its weights are missing, unreadable or do not fit, or it has no classifier.
    """
    from apr.models.weights import weights_digest

    library, name = parse_model(model)
    file = _local_file(model, weights)
    log.info("%s: weights from %s", model, file or "the library's hub")
    build = _timm_model if library == "timm" else _torchvision_model
    network, transform, preprocessing, outputs = build(name, file, weights)
    return Pretrained(
        network=network.eval(),
        transform=transform,
        preprocessing=preprocessing,
        outputs=outputs,
        weights=weights_digest(network.state_dict()),
        source=file.name if file else "hub",
    )


def check_weights(weights: str | Path | None) -> None:
    """Refuse weights that are neither a file nor a folder.

    Raises:
        Problem: names them and the remedy.
    """
    if weights is not None and not Path(weights).exists():
        raise Problem(f"--weights {weights}: no such file or folder; give a file of weights, or a folder of such files")


def _local_file(model: str, weights: str | Path | None) -> Path | None:
    check_weights(weights)
    place = Path(weights) if weights else None
    if place is None or place.is_file():
        return place
    files = [place / f"{run_name(model)}{suffix}" for suffix in SUFFIXES]
    return next((file for file in files if file.is_file()), None)


def _timm_model(name: str, file: Path | None, weights: str | Path | None) -> tuple:
    import timm
    from huggingface_hub import constants, try_to_load_from_cache

    if not timm.is_model(name):
        raise Problem(
            f"timm:{name}: timm {timm.__version__} has no such model{nearest(name, timm.list_models(), most=3)}"
        )
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError:
        known = [tagged for tagged in timm.list_pretrained() if tagged.split(".")[0] == name.split(".")[0]]
        raise Problem(
            f"timm:{name}: timm {timm.__version__} has no such weights{nearest(name, known, most=3)}"
        ) from None
    if file is None and not config.num_classes:
        raise _headless(f"timm:{name}")
    repository, wanted = config.hf_hub_id, config.hf_hub_filename or HUB_FILES[0]
    address = f"{constants.ENDPOINT}/{repository}/resolve/main/{wanted}" if repository else config.url
    if file is None and address and not _reachable(address):
        # the library tries again for most of a minute
        cached = [try_to_load_from_cache(repository, each) for each in (wanted, *HUB_FILES)] if repository else []
        file = next((Path(path) for path in cached if isinstance(path, str)), None)
        if file is None:
            raise _missing(f"timm:{name}", address, weights, "is out of reach")
    if file is None:
        try:
            network = timm.create_model(name, pretrained=True)
        except Exception as error:  # each of timm's ways to the weights has errors of its own
            raise _missing(f"timm:{name}", address, weights, f"gave none ({_first_line(error)})") from error
    else:
        state = _read(file)
        head = config.classifier if isinstance(config.classifier, str) else (config.classifier or ("",))[0]
        overlay = {"state_dict": state}
        if f"{head}.weight" in state:
            overlay["num_classes"] = len(state[f"{head}.weight"])
        try:
            network = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)
        except Exception as error:  # a foreign file leads timm's conversions to any error
            raise _misfit(f"timm:{name}", file, error) from error
    if not network.num_classes:
        raise _headless(f"timm:{name}")
    settings = timm.data.resolve_model_data_config(network)
    transform = timm.data.create_transform(**settings, is_training=False)
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in settings.items()}
    return network, transform, plain, network.num_classes


def _torchvision_model(name: str, file: Path | None, weights: str | Path | None) -> tuple:
    from torchvision import models

    architecture, _, tag = name.partition(".")
    known = models.list_models(module=models)
    if architecture not in known:
        raise Problem(f"torchvision:{name}: torchvision has no such classifier{nearest(architecture, known, most=3)}")
    tags = models.get_model_weights(architecture)
    if tag and tag not in tags.__members__:
        full = [f"{architecture}.{each}" for each in tags.__members__]
        raise Problem(f"torchvision:{name}: torchvision has no such weights{nearest(name, full, most=3)}")
    trained = tags[tag] if tag else tags.DEFAULT
    published = outputs = len(trained.meta["categories"] or [])
    if not published:
        raise _headless(f"torchvision:{name}")
    if file is None:
        state = _torchvision_hub(f"torchvision:{name}", trained.url, weights)
    else:
        state = _read(file)
        heads = sorted((int(match[1] or 0), key) for key in state if (match := HEAD.fullmatch(key)))
        outputs = len(state[heads[-1][1]]) if heads else outputs
    try:
        if outputs == published:
            network = _filled(architecture, trained, state)
        else:
            network = models.get_model(architecture, weights=None, num_classes=outputs)
            network.load_state_dict(state)
    except Exception as error:  # a foreign file leads torchvision's conversions to any error
        raise _misfit(f"torchvision:{name}", file, error) from error
    transform = trained.transforms()
    return network, transform, {key: _plain(value) for key, value in _settings(transform).items()}, outputs


def _filled(architecture: str, trained: Any, state: dict) -> "torch.nn.Module":
    """Build as with the published weights, since they set more than values (Inception transforms its input)."""
    from torchvision import models

    trained.get_state_dict = lambda **options: state  # what the builder asks for them
    try:
        return models.get_model(architecture, weights=trained)
    finally:
        del trained.get_state_dict


def _torchvision_hub(model: str, url: str, weights: str | Path | None) -> dict:
    import torch

    cached = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if not cached.exists() and not _reachable(url):
        raise _missing(model, url, weights, "is out of reach")
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:
        raise _missing(model, url, weights, f"gave none ({_first_line(error)})") from error


def _settings(transform: Any) -> dict[str, Any]:
    keys = ("resize_size", "crop_size", "interpolation", "antialias", "mean", "std")
    return {key: getattr(transform, key) for key in keys}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else getattr(value, "value", value)


def _read(file: Path) -> dict[str, "torch.Tensor"]:
    """Weights by name from a safetensors file or a checkpoint of torch, without running code."""
    import torch
    from timm.models import load_state_dict

    try:
        state = load_state_dict(str(file), weights_only=True)
    except Exception as error:  # both formats raise whatever a damaged file leads them to
        raise Problem(
            f"{file}: cannot be read as weights ({_first_line(error)}); fetch it again, or save it as safetensors"
        ) from error
    if not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise Problem(f"{file}: holds no weights by name; save the network's state_dict() alone")
    return state


def _reachable(address: str) -> bool:
    import requests

    try:
        requests.head(address, timeout=REACH_SECONDS, allow_redirects=False)
    except requests.RequestException:
        return False
    return True


def _missing(model: str, address: str | None, weights: str | Path | None, what: str) -> Problem:
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


def _misfit(model: str, file: Path | None, error: Exception) -> Problem:
    return Problem(
        f"{model}: the weights in {file or 'the cache of the hub'} do not fit this model ({_first_line(error)}); "
        "take the file that belongs to it, or the model that belongs to the file"
    )


def _headless(model: str) -> Problem:
    return Problem(f"{model}: these weights have no classifier; take some that were trained to classify")


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:300] or type(error).__name__
