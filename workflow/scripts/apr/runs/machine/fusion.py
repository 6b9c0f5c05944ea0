"""The same network, faster on a GPU: BatchNorm, addition and ReLU in one pass, and groups as wide as tensor cores want.

Names and state are those of the network, so that checkpoints and weights fit both. What it gains: docs/performance.md.
"""

import logging

import torch
from torch import nn
from torch.nn import functional
from torchvision.models.regnet import ResBottleneckBlock
from torchvision.ops.misc import Conv2dNormActivation

WIDE = 16  # channels a group from which cuDNN's convolutions are fast, if they are a power of two
DENSE = 64  # channels up to which one dense convolution is faster than narrower groups
MOST_DENSE = 512  # and than groups of two channels, or of no power of two

log = logging.getLogger("apr")


class Norm(nn.BatchNorm2d):
    """A BatchNorm with the ReLU behind it, and with what is added in between; parameters and state are the norm's.

    Args:
        norm: whose place it takes.
        relu: whether a ReLU follows.
    """

    def __init__(self, norm: nn.BatchNorm2d, *, relu: bool) -> None:
        nn.Module.__init__(self)
        self.__dict__.update({**norm.__dict__, "relu": relu})

    def forward(self, x: torch.Tensor, other: torch.Tensor | None = None) -> torch.Tensor:
        """relu(norm(x) + other) of [n, C, h, w]."""
        from apr.runs.machine.norm_kernels import FusedNorm, applied

        if self.training:
            self.num_batches_tracked.add_(1)
            running = (self.running_mean, self.running_var)
            return FusedNorm.apply(x, other, self.weight, self.bias, running, self.momentum, self.eps, self.relu)
        scale = self.weight * torch.rsqrt(self.running_var + self.eps)
        return applied(x, scale, self.bias - self.running_mean * scale, other, relu=self.relu)


class Pool(nn.Module):
    """A 3x3 max-pool of stride 2."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Of [n, C, h, w]."""
        from apr.runs.machine.pool_kernels import FusedPool

        return FusedPool.apply(x)


class Block(nn.Module):
    """A residual bottleneck whose last BatchNorm adds the shortcut; names and parameters are the block's."""

    def __init__(self, block: ResBottleneckBlock) -> None:
        super().__init__()
        self.proj, self.f = block.proj, block.f
        self.f.c[1].relu = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The block's output."""
        shortcut = x if self.proj is None else self.proj(x)
        convolution, norm = self.f.c
        return norm(convolution(self.f.b(self.f.a(x))), shortcut)


class MergedConv(nn.Conv2d):
    """A grouped convolution computed with fewer, wider groups, whose further weights are 0.

    Args:
        convolution: whose place it takes.
        merged: how many of its groups become one.
    """

    def __init__(self, convolution: nn.Conv2d, merged: int) -> None:
        nn.Module.__init__(self)
        self.__dict__.update({**convolution.__dict__, "merged": merged})

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The convolution of [n, C, h, w]."""
        groups, (out, each, *kernel) = self.groups // self.merged, self.weight.shape
        diagonal = torch.eye(self.merged, device=self.weight.device, dtype=self.weight.dtype)
        narrow = self.weight.permute(0, 2, 3, 1).reshape(groups, self.merged, -1, *kernel, 1, each)
        wide = narrow * diagonal.view(1, self.merged, 1, 1, 1, self.merged, 1)
        wide = wide.view(out, *kernel, self.merged * each).permute(0, 3, 1, 2)
        return functional.conv2d(x, wide, self.bias, self.stride, self.padding, self.dilation, groups)


def merged_groups(channels: int, groups: int) -> int:
    """How many groups of a convolution to make one on a GPU; measured on an H100 in bf16, forward and backward."""
    width = channels // groups
    power = width & (width - 1) == 0
    if width == 1 or (power and width >= WIDE // 2):
        return 1
    best = min(WIDE, channels & -channels)  # a power of two that divides the channels
    dense = DENSE if power and best > 2 else MOST_DENSE
    if (best < WIDE or not power) and channels <= dense:
        return groups
    return max(1, best // width) if power else 1


def fuse(network: nn.Module, *, merge: bool) -> None:
    """Put these modules in the place of a network's own, for a network of `apr.models.network`, channels last.

    Args:
        network: changed in place.
        merge: also narrow groups.
    """
    for module in list(network.modules()):
        if not isinstance(module, Conv2dNormActivation):
            continue
        convolution, norm, *activation = module
        if merge and merged_groups(convolution.in_channels, convolution.groups) > 1:
            module[0] = MergedConv(convolution, merged_groups(convolution.in_channels, convolution.groups))
        module[1] = Norm(norm, relu=bool(activation))
        if activation:
            module[2] = nn.Identity()
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, ResBottleneckBlock):
                setattr(module, name, Block(child))
            elif isinstance(child, nn.MaxPool2d):
                setattr(module, name, Pool())


def fusible(device: torch.device) -> bool:
    """Whether the kernels can be built and run on a device; where a GPU's cannot, the log says why."""
    if device.type != "cuda":
        return False
    try:
        from apr.runs.machine.norm_kernels import applied

        values = torch.arange(8.0, device=device)
        found = applied(values.view(1, 8, 1, 1), values, values, None, relu=True).flatten()
        if torch.equal(found, values * values + values):
            return True
        why = "they give wrong results"
    except Exception as error:  # no Triton, no C compiler, no place for what is built: whatever it is, torch's own do
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    log.warning("the kernels that fuse BatchNorm cannot be used (%s); torch's own are slower", why)
    return False
