"""A new head for a pretrained network: its last layer, for other classes."""

from torch import nn

from apr.basics.problems import Problem


def replace_head(network: nn.Module, outputs: int, classes: int, name: str) -> list[nn.Parameter]:
    """Put a new last layer, initialised as torch does, in place of the one that tells `outputs` classes apart.

    Networks of timm say which layer that is; of others it is the last linear layer or 1x1 convolution of as many
    outputs.

    Returns:
        The parameters of the new head.

    Raises:
        Problem: there is no such layer.
    """
    before = {id(parameter) for parameter in network.parameters()}
    if hasattr(network, "reset_classifier") and hasattr(network, "get_classifier"):
        network.reset_classifier(classes)
    else:
        place = _last(network, outputs, name)
        parent, _, child = place.rpartition(".")
        setattr(network.get_submodule(parent), child, _like(network.get_submodule(place), classes))
    return [parameter for parameter in network.parameters() if id(parameter) not in before]


def headless(network: nn.Module, outputs: int, name: str) -> nn.Module:
    """The network without its head: it gives features, float32 [n, features].

    Raises:
        Problem: the head cannot be found.
    """
    if hasattr(network, "reset_classifier"):
        network.reset_classifier(0)
        return network
    place = _last(network, outputs, name)
    parent, _, child = place.rpartition(".")
    setattr(network.get_submodule(parent), child, nn.Identity())
    return network


def _last(network: nn.Module, outputs: int, name: str) -> str:
    """Where the last layer of so many outputs is."""
    places = [where for where, layer in network.named_modules() if _width(layer) == outputs]
    if not places:
        raise Problem(
            f"{name}: no linear layer or 1x1 convolution with {outputs} outputs was found, so that its head cannot be "
            "replaced; take a model that ends in one"
        )
    return places[-1]


def _width(layer: nn.Module) -> int | None:
    if isinstance(layer, nn.Linear):
        return layer.out_features
    return layer.out_channels if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1) else None


def _like(layer: nn.Module, classes: int) -> nn.Module:
    bias = layer.bias is not None
    if isinstance(layer, nn.Linear):
        return nn.Linear(layer.in_features, classes, bias=bias)
    return nn.Conv2d(layer.in_channels, classes, 1, bias=bias)
