"""Triton kernels for BatchNorm with what follows it: y = relu(norm(x) + other), and its gradients, in one pass each.

Activations lie channels last, as rows of C values; arithmetic is float32. Sums are taken in two stages without atomics,
so that they are equal bit for bit each time.
"""

# ruff: noqa: ANN202 - Triton takes annotations of a kernel for types of its own

from typing import Any

import torch
import triton
import triton.language as tl

PROGRAMS = 512  # at most, for a sum over rows
PARTS = 64  # summed at once
ELEMENTS = 4096  # of a tile


@triton.jit
def _tile(start, rows, vectors, V: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    """Offsets and mask of a tile; the channels of a row are `vectors` times V, so that V are loaded at once."""
    row = start + tl.arange(0, R)
    channel = tl.program_id(0) * C + tl.arange(0, C)
    offsets = row.to(tl.int64)[:, None] * (vectors * V) + channel[None, :]
    return offsets, (row < rows)[:, None] & (channel < vectors * V)[None, :]


@triton.jit
def _moments(x, sums, rows, vectors, parts, V: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    """Sums of x and of its square, less the first row's x, which keeps digits where the mean is far from 0."""
    channel = tl.program_id(0) * C + tl.arange(0, C)
    within, width = channel < vectors * V, vectors * V
    origin = tl.load(x + channel, mask=within, other=0.0).to(tl.float32)
    first, second = tl.zeros([R, C], tl.float32), tl.zeros([R, C], tl.float32)
    for start in range(tl.program_id(1) * R, rows, parts * R):
        offsets, mask = _tile(start, rows, vectors, V, R, C)
        value = tl.load(x + offsets, mask=mask, other=0.0).to(tl.float32) - origin[None, :]
        value = tl.where(mask, value, 0.0)
        first += value
        second += value * value
    sums += tl.program_id(1) * 2 * width + channel
    tl.store(sums, tl.sum(first, 0), mask=within)
    tl.store(sums + width, tl.sum(second, 0), mask=within)


@triton.jit
def _total(sums, width, parts, C: tl.constexpr, P: tl.constexpr):
    """The two sums of all parts."""
    channel = tl.program_id(0) * C + tl.arange(0, C)
    first, second = tl.zeros([P, C], tl.float32), tl.zeros([P, C], tl.float32)
    for start in range(0, parts, P):
        part = start + tl.arange(0, P)
        mask = (part < parts)[:, None] & (channel < width)[None, :]
        offsets = part[:, None] * 2 * width + channel[None, :]
        first += tl.load(sums + offsets, mask=mask, other=0.0)
        second += tl.load(sums + offsets + width, mask=mask, other=0.0)
    return tl.sum(first, 0), tl.sum(second, 0)


@triton.jit
def _statistics(
    x, sums, weight, bias, running, spread, kept, rows, width, parts, momentum, eps, C: tl.constexpr, P: tl.constexpr
):
    """From the sums: mean, 1 / SD, scale and shift of the batch, [4, width] in `kept`; and the running statistics."""
    first, second = _total(sums, width, parts, C, P)
    channel = tl.program_id(0) * C + tl.arange(0, C)
    within = channel < width
    difference = first / rows
    mean = tl.load(x + channel, mask=within, other=0.0).to(tl.float32) + difference
    variance = tl.maximum(second / rows - difference * difference, 0.0)
    inverse = 1 / tl.sqrt(variance + eps)
    scale = tl.load(weight + channel, mask=within, other=0.0) * inverse
    shift = tl.load(bias + channel, mask=within, other=0.0) - mean * scale
    tl.store(kept + channel, mean, mask=within)
    tl.store(kept + width + channel, inverse, mask=within)
    tl.store(kept + 2 * width + channel, scale, mask=within)
    tl.store(kept + 3 * width + channel, shift, mask=within)
    before = tl.load(running + channel, mask=within, other=0.0)
    tl.store(running + channel, before + momentum * (mean - before), mask=within)
    before, unbiased = tl.load(spread + channel, mask=within, other=0.0), variance * (rows / (rows - 1))
    tl.store(spread + channel, before + momentum * (unbiased - before), mask=within)


@triton.jit
def _apply(
    x, scale, shift, other, y, rows, vectors,
    OTHER: tl.constexpr, RELU: tl.constexpr, V: tl.constexpr, R: tl.constexpr, C: tl.constexpr,
):  # fmt: skip
    """y = relu(x * scale + shift + other)."""
    offsets, mask = _tile(tl.program_id(1) * R, rows, vectors, V, R, C)
    channel = tl.program_id(0) * C + tl.arange(0, C)
    within = channel < vectors * V
    value = tl.load(x + offsets, mask=mask, other=0.0).to(tl.float32)
    value = value * tl.load(scale + channel, mask=within, other=0.0)[None, :]
    value += tl.load(shift + channel, mask=within, other=0.0)[None, :]
    if OTHER:
        value += tl.load(other + offsets, mask=mask, other=0.0).to(tl.float32)
    if RELU:
        value = tl.where(value <= 0, 0.0, value)  # what is no number stays none
    tl.store(y + offsets, value.to(y.dtype.element_ty), mask=mask)


@triton.jit
def _passed(x, y, gradient, offsets, mask, scale, shift, OTHER: tl.constexpr, RELU: tl.constexpr):
    """x, and the gradient where the ReLU let it pass; where something was added, only y says where."""
    value = tl.load(x + offsets, mask=mask, other=0.0).to(tl.float32)
    passed = tl.load(gradient + offsets, mask=mask, other=0.0).to(tl.float32)
    if RELU:
        if OTHER:
            output = tl.load(y + offsets, mask=mask, other=0.0).to(tl.float32)
        else:
            output = value * scale[None, :] + shift[None, :]
        passed = tl.where(output <= 0, 0.0, passed)
    return value, passed


@triton.jit
def _gradient_sums(
    x, y, gradient, kept, sums, rows, vectors, parts,
    OTHER: tl.constexpr, RELU: tl.constexpr, V: tl.constexpr, R: tl.constexpr, C: tl.constexpr,
):  # fmt: skip
    """Sums of the gradient, and of its product with x - mean."""
    channel = tl.program_id(0) * C + tl.arange(0, C)
    within, width = channel < vectors * V, vectors * V
    mean = tl.load(kept + channel, mask=within, other=0.0)
    scale = tl.load(kept + 2 * width + channel, mask=within, other=0.0)
    shift = tl.load(kept + 3 * width + channel, mask=within, other=0.0)
    first, second = tl.zeros([R, C], tl.float32), tl.zeros([R, C], tl.float32)
    for start in range(tl.program_id(1) * R, rows, parts * R):
        offsets, mask = _tile(start, rows, vectors, V, R, C)
        value, passed = _passed(x, y, gradient, offsets, mask, scale, shift, OTHER, RELU)
        first += passed
        second += passed * (value - mean[None, :])
    sums += tl.program_id(1) * 2 * width + channel
    tl.store(sums, tl.sum(first, 0), mask=within)
    tl.store(sums + width, tl.sum(second, 0), mask=within)


@triton.jit
def _coefficients(sums, kept, found, rows, width, parts, C: tl.constexpr, P: tl.constexpr):
    """Gradients of weight and bias, and a and b of dx = scale * gradient + a * x + b; [4, width] in `found`."""
    first, second = _total(sums, width, parts, C, P)
    channel = tl.program_id(0) * C + tl.arange(0, C)
    within = channel < width
    mean = tl.load(kept + channel, mask=within, other=0.0)
    inverse = tl.load(kept + width + channel, mask=within, other=0.0)
    scale = tl.load(kept + 2 * width + channel, mask=within, other=0.0)
    slope = -scale * inverse * inverse * (second / rows)
    tl.store(found + channel, second * inverse, mask=within)
    tl.store(found + width + channel, first, mask=within)
    tl.store(found + 2 * width + channel, slope, mask=within)
    tl.store(found + 3 * width + channel, -scale * (first / rows) - slope * mean, mask=within)


@triton.jit
def _input_gradient(
    x, y, gradient, kept, found, dx, dother, rows, vectors,
    OTHER: tl.constexpr, RELU: tl.constexpr, V: tl.constexpr, R: tl.constexpr, C: tl.constexpr,
):  # fmt: skip
    """The gradients of x and of what was added."""
    offsets, mask = _tile(tl.program_id(1) * R, rows, vectors, V, R, C)
    channel = tl.program_id(0) * C + tl.arange(0, C)
    within, width = channel < vectors * V, vectors * V
    scale = tl.load(kept + 2 * width + channel, mask=within, other=0.0)
    shift = tl.load(kept + 3 * width + channel, mask=within, other=0.0)
    slope = tl.load(found + 2 * width + channel, mask=within, other=0.0)
    level = tl.load(found + 3 * width + channel, mask=within, other=0.0)
    value, passed = _passed(x, y, gradient, offsets, mask, scale, shift, OTHER, RELU)
    result = scale[None, :] * passed + slope[None, :] * value + level[None, :]
    tl.store(dx + offsets, result.to(dx.dtype.element_ty), mask=mask)
    if OTHER:
        tl.store(dother + offsets, passed.to(dother.dtype.element_ty), mask=mask)


class _Sizes:
    """How the rows of a tensor are cut into tiles."""

    def __init__(self, x: torch.Tensor) -> None:
        self.width = x.shape[1]
        self.rows = x.numel() // self.width
        self.columns = min((32, 64, 128), key=lambda size: (-(-self.width // size) * size, -size))
        self.columns = min(self.columns, triton.next_power_of_2(self.width))
        across = triton.cdiv(self.width, self.columns)
        self.tile = {"V": self.width & -self.width if self.width % 16 else 16, "C": self.columns}
        self.tile["R"] = ELEMENTS // self.columns
        self.parts = max(1, min(triton.cdiv(self.rows, self.tile["R"]), PROGRAMS // across))
        self.summing, self.once = (across, self.parts), (across,)
        self.each = (across, triton.cdiv(self.rows, self.tile["R"]))
        self.whole = (self.rows, self.width // self.tile["V"])
        self.final = {"C": self.columns, "P": PARTS}

    def sums(self, x: torch.Tensor) -> torch.Tensor:
        return x.new_empty((self.parts, 2, self.width), dtype=torch.float32)


class FusedNorm(torch.autograd.Function):
    """relu(batch_norm(x) + other) of a batch, with the batch's own statistics; the running ones are updated."""

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        other: torch.Tensor | None,
        weight: torch.Tensor,
        bias: torch.Tensor,
        running: tuple[torch.Tensor, torch.Tensor],
        momentum: float,
        eps: float,
        relu: bool,
    ) -> torch.Tensor:
        """x and `other` [n, C, h, w], channels last; weight and bias float32 [C]."""
        x = x.contiguous(memory_format=torch.channels_last)
        sizes, kept = _Sizes(x), weight.new_empty((4, x.shape[1]))
        sums = sizes.sums(x)
        _moments[sizes.summing](x, sums, *sizes.whole, sizes.parts, **sizes.tile)
        of = (sizes.rows, sizes.width, sizes.parts)
        _statistics[sizes.once](x, sums, weight, bias, *running, kept, *of, momentum, eps, **sizes.final)
        y = applied(x, kept[2], kept[3], other, relu=relu)
        added = other is not None
        ctx.save_for_backward(x, y if added and relu else x, kept)
        ctx.flags = {"OTHER": added, "RELU": relu}
        return y

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """The gradients of x, `other`, weight and bias."""
        x, y, kept = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        sizes, found = _Sizes(x), torch.empty_like(kept)
        sums = sizes.sums(x)
        _gradient_sums[sizes.summing](x, y, gradient, kept, sums, *sizes.whole, sizes.parts, **ctx.flags, **sizes.tile)
        _coefficients[sizes.once](sums, kept, found, sizes.rows, sizes.width, sizes.parts, **sizes.final)
        dx = torch.empty_like(x)
        dother = torch.empty_like(gradient) if ctx.flags["OTHER"] else dx
        _input_gradient[sizes.each](x, y, gradient, kept, found, dx, dother, *sizes.whole, **ctx.flags, **sizes.tile)
        return dx, dother if ctx.flags["OTHER"] else None, found[0], found[1], None, None, None, None


def applied(
    x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor, other: torch.Tensor | None, *, relu: bool
) -> torch.Tensor:
    """relu(x * scale + shift + other), in the type of x; x and `other` [n, C, h, w] channels last, the others [C]."""
    x = x.contiguous(memory_format=torch.channels_last)
    if other is not None:
        other = other.contiguous(memory_format=torch.channels_last)
    sizes, y = _Sizes(x), torch.empty_like(x)
    flags = {"OTHER": other is not None, "RELU": relu}
    _apply[sizes.each](x, scale, shift, x if other is None else other, y, *sizes.whole, **flags, **sizes.tile)
    return y
