"""How rows are cut into tiles, by hand; and that many small tiles compute what one large one does."""

import pytest
import torch

pytest.importorskip("triton", reason="needs Triton, which comes with torch on Linux")

from test_fusion import test_a_max_pool as pooled
from test_fusion import test_a_norm_with_what_follows as normed

from apr.runs.machine import norm_kernels, pool_kernels


@pytest.mark.parametrize(
    ("shape", "tile", "rows", "vectors", "across", "parts", "tiles"),
    [
        # channels: a column of tiles is 32, 64 or 128 wide, whichever leaves least over, and 4096 elements large
        ((3, 24, 5, 6), {"V": 8, "C": 32, "R": 128}, 90, 3, 1, 1, 1),
        ((1, 130, 120, 120), {"V": 2, "C": 32, "R": 128}, 14_400, 65, 5, 102, 113),
        ((2, 2, 40, 40), {"V": 2, "C": 2, "R": 2048}, 3_200, 1, 1, 2, 2),
        ((1, 128, 40, 40), {"V": 16, "C": 128, "R": 32}, 1_600, 8, 1, 50, 50),
        ((1, 96, 1, 129), {"V": 16, "C": 32, "R": 128}, 129, 6, 3, 2, 2),
        ((1, 192, 1, 64), {"V": 16, "C": 64, "R": 64}, 64, 12, 3, 1, 1),
        ((1, 7, 1, 1), {"V": 1, "C": 8, "R": 512}, 1, 7, 1, 1, 1),
    ],
)
def test_tiles_by_hand(shape, tile, rows, vectors, across, parts, tiles):
    x = torch.empty(shape, device="meta")
    sizes = norm_kernels._Sizes(x)
    assert (sizes.tile, sizes.whole) == (tile, (rows, vectors))
    assert (sizes.rows, sizes.width, sizes.parts) == (rows, shape[1], parts)
    assert (sizes.summing, sizes.once, sizes.each) == ((across, parts), (across,), (across, tiles))
    assert sizes.final == {"C": tile["C"], "P": 64}
    assert (sizes.sums(x).shape, sizes.sums(x).dtype) == ((parts, 2, shape[1]), torch.float32)


def test_very_wide_tensors_have_a_part_all_the_same():
    sizes = norm_kernels._Sizes(torch.empty((1, 32 * 600 + 1, 1, 4), device="meta"))
    assert sizes.parts == 1


@pytest.mark.parametrize(("relu", "added"), [(True, True), (False, False)])
def test_many_small_tiles_and_parts(monkeypatch, relu, added):
    """90 rows in tiles of 8, in 5 parts that are summed two at once."""
    monkeypatch.setattr(norm_kernels, "ELEMENTS", 8 * 32)
    monkeypatch.setattr(norm_kernels, "PARTS", 2)
    monkeypatch.setattr(norm_kernels, "PROGRAMS", 5)
    normed(torch.float32, relu, added, 24)


def test_a_pool_in_many_tiles(monkeypatch):
    monkeypatch.setattr(pool_kernels, "ELEMENTS", 16)
    pooled((2, 3, 7, 5))


def test_a_pool_of_more_channels_than_a_tile_has():
    launched = []

    class Kernel:
        def __getitem__(self, grid):
            return lambda *arguments, **tile: launched.append((grid, arguments[3:], tile))

    first, large = torch.empty(2, 70, 4, 3), torch.empty(2, 70, 7, 5)
    pool_kernels._launch(Kernel(), first, first, large, large)
    assert launched == [((5, 2), (70, 7, 5, 4, 3), {"W": 70, "R": 16, "C": 64})]
