"""An AnyNetX network in torch, built from torchvision's RegNet, which is exactly this family.

The reference networks of Table A1 are the same with the blocks of pycls/models/anynet.py that have no bottleneck.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torchvision.models.regnet import BlockParams, RegNet, ResBottleneckBlock
from torchvision.models.resnet import BasicBlock
from torchvision.ops.misc import Conv2dNormActivation

from apr.models.anynet import Genotype
from apr.models.stems import stem_of

Layer = Callable[..., nn.Module]


def build_network(genotype: Genotype, *, stem: str, classes: int, zero_init_final_gamma: bool = False) -> RegNet:
    """The network of a genotype, initialised as pycls does (conv std sqrt(2 / fan_out), fc std 0.01).

    The weights come from torch's global generator: seed it first. BatchNorm has eps 1e-5 and momentum 0.1. With
    `zero_init_final_gamma` the last BatchNorm of each residual branch starts at 0, so that a block starts as its
    shortcut (pycls' BN.ZERO_INIT_FINAL_GAMMA); blocks without a shortcut know no such thing.
    """
    blocks = BlockParams(
        depths=list(genotype.depths),
        widths=list(genotype.widths),
        group_widths=list(genotype.group_widths),
        bottleneck_multipliers=[1 / ratio for ratio in genotype.bottlenecks],
        strides=list(genotype.strides),
    )
    network = _Network(
        blocks,
        num_classes=classes,
        stem_width=genotype.stem_width or stem_of(stem)[2],
        stem_type=partial(_Stem, stem),
        block_type={"bottleneck": ResBottleneckBlock, "basic": _basic_block, "vanilla": _vanilla_block}[genotype.block],
        norm_layer=partial(nn.BatchNorm2d, eps=1e-5, momentum=0.1),
    )
    if zero_init_final_gamma:
        for block in network.modules():
            if isinstance(block, ResBottleneckBlock | BasicBlock):
                nn.init.zeros_((block.f.c[1] if isinstance(block, ResBottleneckBlock) else block.bn2).weight)
    return network


class _Network(RegNet):
    """Autocast ends before the pooling: rounded to bf16, the outputs of two classes would often be equal."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        features = self.trunk_output(self.stem(x))
        with torch.autocast(x.device.type, enabled=False):
            return self.fc(self.avgpool(features.float()).flatten(1))


class _Stem(nn.Sequential):
    """7x7 stride 2 with a 3x3 max-pool, 3x3 stride 2, or 3x3 stride 1."""

    def __init__(
        self,
        name: str,
        width_in: int,
        width_out: int,
        norm_layer: Layer,
        activation_layer: Layer,
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


def _basic_block(
    width_in: int, width_out: int, stride: int, norm_layer: Layer, activation_layer: Layer, *_: object
) -> nn.Module:
    """ResNet's block, with a projection where the shape changes."""
    projection = None
    if width_in != width_out or stride != 1:
        projection = Conv2dNormActivation(width_in, width_out, 1, stride, norm_layer=norm_layer, activation_layer=None)
    return BasicBlock(width_in, width_out, stride, projection, norm_layer=norm_layer)


def _vanilla_block(
    width_in: int, width_out: int, stride: int, norm_layer: Layer, activation_layer: Layer, *_: object
) -> nn.Module:
    """Two 3x3 convolutions without a shortcut."""
    kind = {"norm_layer": norm_layer, "activation_layer": activation_layer}
    return nn.Sequential(
        Conv2dNormActivation(width_in, width_out, 3, stride, **kind),
        Conv2dNormActivation(width_out, width_out, 3, **kind),
    )
