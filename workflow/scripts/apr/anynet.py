"""The AnyNetX design space: genotypes and their complexity in closed form, without building a network.

Sources: Radosavovic et al. 2020 (Designing Network Design Spaces), Tuggener et al. 2022 section 3, and the complexity
functions that stand beside each block in facebookresearch/pycls (pycls/models/anynet.py, blocks.py).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from apr.problems import Problem

STAGES = 4
STRIDES = (1, 2, 2, 2)
# kernel, stride and width of the stem's convolution, and whether a 3x3 max-pool of stride 2 follows
STEMS = {
    "res_stem_in": (7, 2, 64, True),
    "simple_stem_in": (3, 2, 32, False),
    "res_stem_cifar": (3, 1, 64, False),
}


class Complexity(NamedTuple):
    """Multiply-adds ("flops"), parameters and activations (outputs of convolutions, pooling and fc) of one image."""

    flops: np.ndarray | int
    params: np.ndarray | int
    activations: np.ndarray | int


@dataclass(frozen=True)
class Genotype:
    """One architecture: per stage its depth, width, bottleneck ratio (width / inner width) and channels per group."""

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    bottlenecks: tuple[int, ...]
    group_widths: tuple[int, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.depths), len(self.widths), len(self.bottlenecks), len(self.group_widths)}
        if len(lengths) != 1:
            raise Problem(f"genotype {self}: every stage needs a depth, a width, a bottleneck ratio and a group width")
        for width, bottleneck, group in zip(self.widths, self.bottlenecks, self.group_widths, strict=True):
            if width % bottleneck or (width // bottleneck) % group:
                raise Problem(
                    f"genotype {self}: inner width {width}/{bottleneck} is not a multiple of group width {group}"
                )

    def __str__(self) -> str:
        parts = zip("dwbg", (self.depths, self.widths, self.bottlenecks, self.group_widths), strict=True)
        return " ".join(f"{letter}={','.join(map(str, values))}" for letter, values in parts)

    @classmethod
    def parse(cls, text: str) -> "Genotype":
        """Read what `str` writes, e.g. `d=1,2,7,12 w=32,64,160,384 b=1,1,1,1 g=16,16,16,16`."""
        try:
            parts = dict(part.split("=") for part in text.split())
            return cls(*(tuple(int(value) for value in parts[letter].split(",")) for letter in "dwbg"))
        except (KeyError, ValueError) as error:
            raise Problem(f"genotype {text!r}: expected `d=… w=… b=… g=…` with comma-separated integers") from error

    @property
    def cumulative_depth(self) -> int:
        """Number of residual blocks."""
        return sum(self.depths)

    @property
    def cumulative_width(self) -> int:
        """Sum of the stages' widths (paper section 4.4)."""
        return sum(self.widths)


def complexity(
    genotype: Genotype, *, stem: str, classes: int, resolution: int, strides: tuple[int, ...] = STRIDES
) -> Complexity:
    """Complexity of one network on one `resolution` x `resolution` image."""
    columns = (genotype.depths, genotype.widths, genotype.bottlenecks, genotype.group_widths)
    counts = batch_complexity(
        *(np.array([column], dtype=np.int64) for column in columns),
        stem=stem,
        classes=classes,
        resolution=resolution,
        strides=strides,
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
    strides: tuple[int, ...] = STRIDES,
) -> Complexity:
    """Complexity of N networks at once; the arrays are int64 [N, stages]. Returns three int64 [N]."""
    kernel, stem_stride, stem_width, pool = stem_of(stem)
    size = _halved(resolution, stem_stride)
    flops = np.full(len(depths), kernel**2 * 3 * stem_width * size**2, dtype=np.int64)
    params = np.full(len(depths), kernel**2 * 3 * stem_width + 2 * stem_width, dtype=np.int64)
    activations = np.full(len(depths), stem_width * size**2, dtype=np.int64)
    if pool:
        size = _halved(size, 2)
        activations += stem_width * size**2
    width_in = np.full(len(depths), stem_width, dtype=np.int64)
    for stage, stride in enumerate(strides):
        depth, width, group = depths[:, stage], widths[:, stage], group_widths[:, stage]
        inner = width // bottlenecks[:, stage]
        out = _halved(size, stride)
        projected = (width_in != width) | (stride != 1)
        repeats = depth - 1
        conv3x3 = 9 * inner * group
        first = projected * width_in * width * out**2 + width_in * inner * size**2 + (conv3x3 + inner * width) * out**2
        later = (2 * width * inner + conv3x3) * out**2
        flops += first + repeats * later
        norms = 4 * inner + 2 * width
        params += projected * (width_in * width + 2 * width) + width_in * inner + conv3x3 + inner * width + norms
        params += repeats * (2 * width * inner + conv3x3 + norms)
        activations += projected * width * out**2 + inner * size**2 + (inner + width) * out**2
        activations += repeats * (2 * inner + width) * out**2
        width_in, size = width, out
    head = width_in * classes + classes
    return Complexity(flops + head, params + head, activations + classes)


def stem_of(name: str) -> tuple[int, int, int, bool]:
    """Kernel, stride, width and max-pooling of a stem by its pycls name."""
    if name not in STEMS:
        raise Problem(f"stem {name!r} is not known; choose one of {', '.join(STEMS)}")
    return STEMS[name]


def _halved(size: int, stride: int) -> int:
    return (size - 1) // stride + 1
