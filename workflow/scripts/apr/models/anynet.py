"""The AnyNetX design space: genotypes and their complexity in closed form, without building a network.

Sources: Radosavovic et al. 2020 (Designing Network Design Spaces), Tuggener et al. 2022 section 3, and the complexity
functions that stand beside each block in facebookresearch/pycls (pycls/models/anynet.py, blocks.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from apr.basics.problems import Problem
from apr.models.stems import stem_of

STAGES = 4
STRIDES = (1, 2, 2, 2)
BLOCKS = ("bottleneck", "basic", "vanilla")


class Complexity(NamedTuple):
    """Multiply-adds ("flops"), parameters and activations (outputs of convolutions and fc) of one image.

    The max-pool's output is no activation, as in the code that the paper used (later pycls counts it).
    """

    flops: np.ndarray | int
    params: np.ndarray | int
    activations: np.ndarray | int


@dataclass(frozen=True)
class Genotype:
    """One architecture: per stage its depth, width, bottleneck ratio (width / inner width) and channels per group.

    The reference networks of Table A1 have other blocks: `basic` (two 3x3 convolutions with a shortcut, as in ResNet)
    and `vanilla` (without one), which know neither bottleneck ratio nor groups, other strides, and a narrower stem.
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    bottlenecks: tuple[int, ...]
    group_widths: tuple[int, ...]
    block: str = "bottleneck"
    strides: tuple[int, ...] = STRIDES
    stem_width: int | None = None

    def __post_init__(self) -> None:
        lengths = {
            len(genes) for genes in (self.depths, self.widths, self.bottlenecks, self.group_widths, self.strides)
        }
        if len(lengths) != 1:
            raise Problem(
                f"genotype {self}: every stage needs a depth, a width, a bottleneck ratio, a group width and a stride"
            )
        genes = (self.depths, self.widths, self.bottlenecks, self.group_widths, self.strides, (self.stem_width or 1,))
        if not self.depths or min(map(min, genes)) < 1:
            raise Problem(f"genotype {self}: every number has to be at least 1")
        if self.block not in BLOCKS:
            raise Problem(f"genotype {self}: block {self.block!r} is not known; choose one of {', '.join(BLOCKS)}")
        for width, bottleneck, group in zip(self.widths, self.bottlenecks, self.group_widths, strict=True):
            if width % bottleneck or (width // bottleneck) % group:
                raise Problem(
                    f"genotype {self}: inner width {width}/{bottleneck} is not a multiple of group width {group}"
                )

    def __str__(self) -> str:
        genes = {"d": self.depths, "w": self.widths, "b": self.bottlenecks, "g": self.group_widths}
        if self.block != "bottleneck":
            genes = {"d": self.depths, "w": self.widths, "block": (self.block,)}
        if self.strides != STRIDES:
            genes["strides"] = self.strides
        if self.stem_width:
            genes["stem_width"] = (self.stem_width,)
        return " ".join(f"{key}={','.join(map(str, values))}" for key, values in genes.items())

    @classmethod
    def parse(cls, text: str) -> "Genotype":
        """Read what `str` writes, such as `d=1,2 w=32,64 b=1,1 g=16,16` or `d=9,9 w=16,32 block=basic strides=1,2`."""
        try:
            parts = dict(part.split("=") for part in text.split())
            block = parts.pop("block", "bottleneck")
            genes = {key: tuple(int(value) for value in values.split(",")) for key, values in parts.items()}
            ones = (1,) * len(genes["d"])
            if block != "bottleneck":
                genes |= {"b": ones, "g": ones}
            (stem_width,) = genes.get("stem_width", (None,))
            return cls(*(genes[letter] for letter in "dwbg"), block, genes.get("strides", STRIDES), stem_width)
        except (KeyError, ValueError) as error:
            raise Problem(f"genotype {text!r}: expected `d=… w=… b=… g=…` with comma-separated integers") from error

    @classmethod
    def of(
        cls,
        depths: Sequence[int],
        widths: Sequence[int],
        block: str = "bottleneck",
        bottlenecks: Sequence[int] | None = None,
        group_widths: Sequence[int] | None = None,
        strides: Sequence[int] | None = None,
        stem_width: int | None = None,
    ) -> "Genotype":
        """Make a genotype of plain lists; what is left out is 1 in every stage, or the default."""
        ones = (1,) * len(depths)
        genes = (tuple(values or ones) for values in (bottlenecks, group_widths))
        return cls(tuple(depths), tuple(widths), *genes, block, tuple(strides or STRIDES), stem_width)

    @property
    def cumulative_depth(self) -> int:
        """Number of residual blocks."""
        return sum(self.depths)

    @property
    def cumulative_width(self) -> int:
        """Sum of the stages' widths (paper section 4.4)."""
        return sum(self.widths)


def complexity(genotype: Genotype, *, stem: str, classes: int, resolution: int) -> Complexity:
    """Complexity of one network on one `resolution` x `resolution` image."""
    columns = (genotype.depths, genotype.widths, genotype.bottlenecks, genotype.group_widths)
    counts = batch_complexity(
        *(np.array([column], dtype=np.int64) for column in columns),
        stem=stem,
        classes=classes,
        resolution=resolution,
        block=genotype.block,
        strides=genotype.strides,
        stem_width=genotype.stem_width,
    )
    return Complexity(*(int(count[0]) for count in counts))


def batch_complexity(
    depths: np.ndarray,
    widths: np.ndarray,
    bottlenecks: np.ndarray,
    group_widths: np.ndarray,
    *,
    stem: str,
    classes: int,
    resolution: int,
    block: str = "bottleneck",
    strides: tuple[int, ...] = STRIDES,
    stem_width: int | None = None,
) -> Complexity:
    """Complexity of N networks at once; the arrays are int64 [N, stages]. Returns three int64 [N]."""
    kernel, stem_stride, default_width, pool = stem_of(stem)
    stem_width = stem_width or default_width
    size = _halved(resolution, stem_stride)
    total = np.array([[kernel**2 * 3 * stem_width * size**2, kernel**2 * 3 * stem_width + 2 * stem_width]])
    total = np.concatenate([total, [[stem_width * size**2]]], axis=1).repeat(len(depths), axis=0)
    if pool:
        size = _halved(size, 2)
    width_in = np.full(len(depths), stem_width)
    for stage, stride in enumerate(strides):
        width, out = widths[:, stage], _halved(size, stride)
        if block == "bottleneck":
            shape = (width // bottlenecks[:, stage], group_widths[:, stage])
            first = _bottleneck(width_in, width, *shape, size, out)
            later = _bottleneck(width, width, *shape, out, out)
        else:
            first, later = _two_convolutions(width_in, width, out), _two_convolutions(width, width, out)
        if block != "vanilla":
            projected = (width_in != width) | (stride != 1)
            projection = np.stack([width_in * width * out**2, width_in * width + 2 * width, width * out**2], axis=1)
            first = first + projected[:, None] * projection
        total += first + (depths[:, stage, None] - 1) * later
        width_in, size = width, out
    head = width_in * classes + classes
    return Complexity(total[:, 0] + head, total[:, 1] + head, total[:, 2] + classes)


def _bottleneck(
    width_in: np.ndarray, width: np.ndarray, inner: np.ndarray, group: np.ndarray, size: int, out: int
) -> np.ndarray:
    """1x1, 3x3 in groups, 1x1, each with BatchNorm: flops, params, activations, int64 [N, 3]."""
    conv3x3 = 9 * inner * group
    flops = width_in * inner * size**2 + (conv3x3 + inner * width) * out**2
    params = width_in * inner + conv3x3 + inner * width + 4 * inner + 2 * width
    return np.stack([flops, params, inner * size**2 + (inner + width) * out**2], axis=1)


def _two_convolutions(width_in: np.ndarray, width: np.ndarray, out: int) -> np.ndarray:
    """3x3 twice, each with BatchNorm: flops, params, activations, int64 [N, 3]."""
    weights = 9 * (width_in + width) * width
    return np.stack([weights * out**2, weights + 4 * width, 2 * width * out**2], axis=1)


def _halved(size: int, stride: int) -> int:
    return (size - 1) // stride + 1
