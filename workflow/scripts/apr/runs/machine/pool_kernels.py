"""Triton kernels for a 3x3 max-pool of stride 2, channels last: each value is read and written once."""

# ruff: noqa: ANN202 - Triton takes annotations of a kernel for types of its own

from typing import Any

import torch
import triton
import triton.language as tl

ELEMENTS = 1024  # of a tile


@triton.jit
def _pool(x, y, where, rows, height, width, out_height, out_width, W: tl.constexpr, R: tl.constexpr, C: tl.constexpr):
    """The largest value of each window, and which of its nine places has it: the first, or one that is no number."""
    row = tl.program_id(0) * R + tl.arange(0, R)
    channel = tl.program_id(1) * C + tl.arange(0, C)
    mask = (row < rows)[:, None] & (channel < W)[None, :]
    column, line, image = row % out_width, row // out_width % out_height, row // out_width // out_height
    best = tl.full([R, C], float("-inf"), tl.float32)
    place = tl.zeros([R, C], tl.int32)
    for k in tl.static_range(9):
        i, j = line * 2 - 1 + k // 3, column * 2 - 1 + k % 3
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        pixel = (image.to(tl.int64) * height + i) * width + j
        value = tl.load(x + pixel[:, None] * W + channel[None, :], mask=mask & inside[:, None], other=float("-inf")).to(
            tl.float32
        )
        better = (value > best) | (value != value)
        best, place = tl.where(better, value, best), tl.where(better, k, place)
    offsets = row.to(tl.int64)[:, None] * W + channel[None, :]
    tl.store(y + offsets, best.to(y.dtype.element_ty), mask=mask)
    tl.store(where + offsets, place.to(tl.uint8), mask=mask)


@triton.jit
def _spread(
    gradient, where, dx, rows, height, width, out_height, out_width, W: tl.constexpr, R: tl.constexpr, C: tl.constexpr
):
    """For each input the gradients of the windows, four at most, whose largest value it was."""
    row = tl.program_id(0) * R + tl.arange(0, R)
    channel = tl.program_id(1) * C + tl.arange(0, C)
    mask = (row < rows)[:, None] & (channel < W)[None, :]
    column, line, image = row % width, row // width % height, row // width // height
    total = tl.zeros([R, C], tl.float32)
    for k in tl.static_range(4):
        i, j = (line + 1) // 2 - k // 2, (column + 1) // 2 - k % 2
        place = (line + 1 - 2 * i) * 3 + column + 1 - 2 * j
        inside = (i >= 0) & (i < out_height) & (line + 1 - 2 * i < 3)
        inside &= (j >= 0) & (j < out_width) & (column + 1 - 2 * j < 3)
        pixel = (image.to(tl.int64) * out_height + i) * out_width + j
        offsets, own = pixel[:, None] * W + channel[None, :], mask & inside[:, None]
        chosen = tl.load(where + offsets, mask=own, other=9).to(tl.int32) == place[:, None]
        total += tl.where(chosen, tl.load(gradient + offsets, mask=own, other=0.0).to(tl.float32), 0.0)
    tl.store(dx + row.to(tl.int64)[:, None] * W + channel[None, :], total.to(dx.dtype.element_ty), mask=mask)


def _launch(kernel: Any, first: torch.Tensor, second: torch.Tensor, third: torch.Tensor, over: torch.Tensor) -> None:
    """Over the positions of a tensor; the larger picture is x or dx, the smaller y or its gradient."""
    large, small = (first, second) if kernel is _pool else (third, first)
    columns = min(64, triton.next_power_of_2(over.shape[1]))
    tile = {"W": over.shape[1], "R": ELEMENTS // columns, "C": columns}
    rows = over.numel() // over.shape[1]
    grid = (triton.cdiv(rows, tile["R"]), triton.cdiv(over.shape[1], columns))
    kernel[grid](first, second, third, rows, *large.shape[2:], *small.shape[2:], **tile)


class FusedPool(torch.autograd.Function):
    """max_pool2d(x, 3, stride=2, padding=1) of [n, C, h, w], channels last."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """[n, C, (h + 1) // 2, (w + 1) // 2]."""
        x = x.contiguous(memory_format=torch.channels_last)
        shape = (*x.shape[:2], *((size + 1) // 2 for size in x.shape[2:]))
        y = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        where = torch.empty_like(y, dtype=torch.uint8)
        _launch(_pool, x, y, where, y)
        ctx.save_for_backward(where)
        ctx.shape = x.shape
        return y

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        """The gradient of x."""
        (where,) = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        options = {"dtype": gradient.dtype, "device": gradient.device, "memory_format": torch.channels_last}
        dx = torch.empty(ctx.shape, **options)
        _launch(_spread, gradient, where, dx, dx)
        return dx
