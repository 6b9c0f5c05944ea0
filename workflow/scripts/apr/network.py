"""An AnyNetX network in torch, built from torchvision's RegNet, which is exactly this family."""

from collections.abc import Callable
from functools import partial

from torch import nn
from torchvision.models.regnet import BlockParams, RegNet
from torchvision.ops.misc import Conv2dNormActivation

from apr.anynet import STRIDES, Genotype, stem_of


def build_network(genotype: Genotype, *, stem: str, classes: int, strides: tuple[int, ...] = STRIDES) -> RegNet:
    """The network of a genotype, initialised as pycls does (conv std sqrt(2 / fan_out), fc std 0.01).

    The weights come from torch's global generator: seed it first. BatchNorm has eps 1e-5 and momentum 0.1.
    """
    blocks = BlockParams(
        depths=list(genotype.depths),
        widths=list(genotype.widths),
        group_widths=list(genotype.group_widths),
        bottleneck_multipliers=[1 / ratio for ratio in genotype.bottlenecks],
        strides=list(strides),
    )
    return RegNet(
        blocks,
        num_classes=classes,
        stem_width=stem_of(stem)[2],
        stem_type=partial(_Stem, stem),
        norm_layer=partial(nn.BatchNorm2d, eps=1e-5, momentum=0.1),
    )


class _Stem(nn.Sequential):
    """7x7 stride 2 with a 3x3 max-pool, 3x3 stride 2, or 3x3 stride 1."""

    def __init__(
        self,
        name: str,
        width_in: int,
        width_out: int,
        norm_layer: Callable[..., nn.Module],
        activation_layer: Callable[..., nn.Module],
    ) -> None:
        kernel, stride, _, pool = stem_of(name)
        layers: list[nn.Module] = [
            Conv2dNormActivation(
                width_in, width_out, kernel, stride, norm_layer=norm_layer, activation_layer=activation_layer
            )
        ]
        if pool:
            layers.append(nn.MaxPool2d(3, stride=2, padding=1))
        super().__init__(*layers)
