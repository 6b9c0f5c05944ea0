"""Networks of timm and torchvision with their weights: of a file, of the library's cache, or of its hub."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.models.packages import in_order_of
from apr.models.weight_files import first_line, headless, misfit, missing, reachable, read_weights

if TYPE_CHECKING:
    import torch

HUB_FILES = ("model.safetensors", "pytorch_model.bin")
HEAD = re.compile(r"(?:fc|head|heads\.head|classifier(?:\.(\d+))?)\.weight")  # of torchvision's classifiers


def timm_model(
    name: str,
    file: Path | None,
    weights: str | Path | None,
    *,
    trained: bool = True,
    image_size: int | None = None,
    in_order: bool = False,
) -> tuple["torch.nn.Module", Any, dict[str, Any], int]:
    """A network of timm, its transform, the settings of its input, and the number of its outputs.

    Args:
        name: of the model, with the tag of its weights.
        file: of weights; None for those of the hub.
        weights: what the user named, for messages.
        trained: false leaves the network as it is drawn.
        image_size: in pixels, for a network that takes one size alone and can be built for another.
        in_order: whether the file holds the weights in the network's order, under other names.

    Raises:
        Problem: there is no such model, its weights are missing or do not fit, or it has no classifier.
    """
    import timm
    from huggingface_hub import constants, try_to_load_from_cache

    if not timm.is_model(name):
        raise Problem(
            f"timm:{name}: timm {timm.__version__} has no such model{nearest(name, timm.list_models(), most=3)}"
        )
    try:
        config = timm.get_pretrained_cfg(name)
    except RuntimeError:
        config = None
    if config is None:  # of an old name, too, that has another by now
        known = [tagged for tagged in timm.list_pretrained() if tagged.split(".")[0] == name.split(".")[0]]
        raise Problem(f"timm:{name}: timm {timm.__version__} has no such weights{nearest(name, known, most=3)}")
    if file is None and not config.num_classes:
        raise headless(f"timm:{name}")
    other_size = image_size and config.fixed_input_size and image_size != config.input_size[-1]
    resized = {"img_size": image_size} if other_size else {}
    if not trained:
        return _described(_created(name, resized, pretrained=False))
    repository, wanted = config.hf_hub_id, config.hf_hub_filename or HUB_FILES[0]
    address = f"{constants.ENDPOINT}/{repository}/resolve/main/{wanted}" if repository else config.url
    if file is None and address and not reachable(address):
        # the library tries again for most of a minute
        cached = [try_to_load_from_cache(repository, each) for each in (wanted, *HUB_FILES)] if repository else []
        file = next((Path(path) for path in cached if isinstance(path, str)), None)
        if file is None:
            raise missing(f"timm:{name}", address, weights, "is out of reach")
    if file is None:
        try:
            network = timm.create_model(name, pretrained=True, **resized)
        except Exception as error:  # each of timm's ways to the weights has errors of its own
            raise missing(f"timm:{name}", address, weights, f"gave none ({first_line(error)})") from error
    else:
        state = read_weights(file)
        if in_order:
            state = in_order_of(state, timm.create_model(name, pretrained=False).state_dict())
        head = config.classifier if isinstance(config.classifier, str) else (config.classifier or ("",))[0]
        overlay = {"state_dict": state}
        if f"{head}.weight" in state:
            overlay["num_classes"] = len(state[f"{head}.weight"])
        try:
            network = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **resized)
        except Exception as error:  # a foreign file leads timm's conversions to any error
            raise misfit(f"timm:{name}", file, error) from error
    if not network.num_classes:
        raise headless(f"timm:{name}")
    return _described(network)


def _created(name: str, resized: dict[str, int], **options: Any) -> "torch.nn.Module":
    import timm

    try:
        return timm.create_model(name, **options, **resized)
    except Exception as error:  # each family of networks has limits of its own
        what = f"for pictures of {resized['img_size']} px " if resized else ""
        raise Problem(f"timm:{name}: cannot be built {what}({first_line(error)}); take another resolution") from error


def _described(network: "torch.nn.Module") -> tuple["torch.nn.Module", Any, dict[str, Any], int]:
    import timm

    settings = timm.data.resolve_model_data_config(network)
    transform = timm.data.create_transform(**settings, is_training=False)
    return network, transform, plain_settings(settings), network.num_classes


def torchvision_model(
    name: str, file: Path | None, weights: str | Path | None, *, trained: bool = True
) -> tuple["torch.nn.Module", Any, dict[str, Any], int]:
    """The same of torchvision; the arguments are those of `timm_model`."""
    from torchvision import models

    architecture, _, tag = name.partition(".")
    known = models.list_models(module=models)
    if architecture not in known:
        raise Problem(f"torchvision:{name}: torchvision has no such classifier{nearest(architecture, known, most=3)}")
    tags = models.get_model_weights(architecture)
    if tag and tag not in tags.__members__:
        full = [f"{architecture}.{each}" for each in tags.__members__]
        raise Problem(f"torchvision:{name}: torchvision has no such weights{nearest(name, full, most=3)}")
    trained_weights = tags[tag] if tag else tags.DEFAULT
    published = outputs = len(trained_weights.meta["categories"] or [])
    if not published:
        raise headless(f"torchvision:{name}")
    published_transform = trained_weights.transforms()
    settings = plain_settings(_settings(published_transform))
    if not trained:
        return models.get_model(architecture, weights=None), published_transform, settings, published
    if file is None:
        state = _torchvision_hub(f"torchvision:{name}", trained_weights.url, weights)
    else:
        state = read_weights(file)
        heads = sorted((int(match[1] or 0), key) for key in state if (match := HEAD.fullmatch(key)))
        outputs = len(state[heads[-1][1]]) if heads else outputs
    try:
        if outputs == published:
            network = _filled(architecture, trained_weights, state)
        else:
            network = models.get_model(architecture, weights=None, num_classes=outputs)
            network.load_state_dict(state)
    except Exception as error:  # a foreign file leads torchvision's conversions to any error
        raise misfit(f"torchvision:{name}", file, error) from error
    return network, published_transform, settings, outputs


def only_weights(name: str) -> bool:
    """Whether an architecture of torchvision has one set of published weights, so that its tag says nothing."""
    from torchvision import models

    architecture = name.partition(".")[0]
    known = models.list_models(module=models)
    return architecture in known and len(set(models.get_model_weights(architecture))) == 1


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
    if not cached.exists() and not reachable(url):
        raise missing(model, url, weights, "is out of reach")
    try:
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:
        raise missing(model, url, weights, f"gave none ({first_line(error)})") from error


def plain_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a transform as JSON holds them."""
    return {key: _plain(value) for key, value in settings.items()}


def _settings(transform: Any) -> dict[str, Any]:
    keys = ("resize_size", "crop_size", "interpolation", "antialias", "mean", "std")
    return {key: getattr(transform, key) for key in keys}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else getattr(value, "value", value)
