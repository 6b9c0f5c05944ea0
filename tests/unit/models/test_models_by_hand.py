"""Genotypes, draws, names, weights of packages and files of one's own by hand; whole messages."""

from pathlib import Path

import numpy as np
import pytest
from golden import checked_rows, told_by

from apr.basics.problems import Problem
from apr.models import weight_files
from apr.models.anynet import BLOCKS, STRIDES, Genotype, batch_complexity, complexity
from apr.models.names import own_file, parse_model, run_name, unknown_model
from apr.models.population import Space, _log_uniform, compatible, model_id, sample_population
from apr.models.stems import STEMS, stem_of
from apr.models.weight_files import check_weights, first_line, misfit, missing

said = told_by(Problem)


def of_genotypes():
    right = {"depths": (1, 2), "widths": (8, 16), "bottlenecks": (1, 2), "group_widths": (4, 8), "strides": (1, 2)}
    for change in (
        *({}, {"depths": (1,)}, {"depths": (0, 2)}, {"widths": (8, 15)}, {"group_widths": (3, 8)}, {"strides": (1, 0)}),
        *({"block": "basic"}, {"block": "dense"}, {"stem_width": 16}, {"stem_width": -1}, {"group_widths": (4, 16)}),
    ):
        found = said(lambda change=change: Genotype(**right | change))
        yield change, str(found), isinstance(found, Genotype) and (found.cumulative_depth, found.cumulative_width)
    yield said(Genotype, (), (), (), (), strides=())
    for text in (
        *("d=1,2,3,4 w=8,8,8,8 b=1,1,1,1 g=1,1,1,1", "d=1,2 w=8,8 block=basic strides=1,2", "d=1 w=8", ""),
        *("d=1,2 w=8,8 b=1,1 g=1,1 strides=2,1 stem_width=16", "d=1,2 w=8,8 block=vanilla strides=1,1 stem_width=4"),
        *("d=1,x w=8,8 b=1,1 g=1,1", "d=1 w=8 b=1 g=1 strides=1 stem_width=1,2", "d:1", "w=8 b=1 g=1"),
    ):
        found = said(Genotype.parse, text)
        yield text, str(found), str(found) == text, isinstance(found, Genotype) and (found.block, found.strides)
    yield str(Genotype.of([1, 2, 3, 4], [8, 16, 24, 32])), Genotype.of([1], [8], strides=[2], stem_width=5)
    yield (
        Genotype.of([1, 1], [8, 8], "bottleneck", [2, 4], [1, 2], [1, 2]),
        Genotype.of([1, 1], [8, 8], "basic", strides=[1, 1]),
    )
    yield BLOCKS, STRIDES, STEMS, said(stem_of, "x"), stem_of("simple_stem_in")


def of_names():
    for model in (
        *(
            "timm:a.b",
            "torchvision:a.B_1",
            "own:a.py:f",
            "own:d/e-f.g.py:_f1",
            "own:a.py:1f",
            "own:a.txt:f",
            "own:.py:f",
        ),
        *("timm:.a", "timm:a/b", "timm:a:b", "jax:a", "timm", "own:a b.py:f", "timm:ä"),
    ):
        yield model, said(parse_model, model), said(run_name, model), said(own_file, model)
    listed = {"timm": {"resnet18": {"a1", "a2"}, "resnet34": set()}}
    for model in (
        "timm:resnet18.a1",
        "timm:resnet18",
        "timm:resnet18.a3",
        "timm:resnet81",
        "timm:vit",
        "torchvision:x",
    ):
        yield model, unknown_model(model, listed)
    yield [model_id(number) for number in (0, 7, 99, 1000)]


def of_weights():
    for model, address, weights in (
        ("timm:a", None, None),
        ("timm:a", None, "w"),
        ("timm:a", "https://x/a.safetensors", None),
        ("torchvision:a.B", "https://x/a.pth", "w"),
    ):
        yield str(missing(model, address, weights, "is out of reach"))
    for text in ("", "one", "\n one \n\n two\nthree", "x" * 400):
        yield first_line(ValueError(text))
    yield str(misfit("timm:a", None, ValueError("no"))), str(misfit("timm:a", Path("f.pt"), ValueError("no")))
    yield str(weight_files.headless("timm:a")), said(check_weights, "/nowhere"), said(check_weights, None)


@pytest.mark.parametrize("kind", ["genotypes", "names", "weights"])
def test_models_are_told_as_they_were(kind):
    rows = {"genotypes": of_genotypes, "names": of_names, "weights": of_weights}[kind]()
    checked_rows(f"models/{kind}", rows)


def test_complexity_by_hand():
    """One block of each kind on 8 x 8 pixels, in place of the other stages nothing; 3 classes."""
    one = {"stem": "res_stem_cifar", "classes": 3, "resolution": 8}
    stem = np.array([9 * 3 * 16 * 64, 9 * 3 * 16 + 32, 16 * 64])
    head = np.array([4 * 3 + 3, 4 * 3 + 3, 3])
    # 3x3 from 16 to 4 and from 4 to 4 channels at stride 2, each with BatchNorm: 16 pixels
    two = np.array([9 * (16 + 4) * 4 * 16, 9 * (16 + 4) * 4 + 16, 2 * 4 * 16])
    shortcut = np.array([16 * 4 * 16, 16 * 4 + 8, 4 * 16])
    vanilla = Genotype.parse("d=1 w=4 block=vanilla strides=2 stem_width=16")
    basic = Genotype.parse("d=1 w=4 block=basic strides=2 stem_width=16")
    assert complexity(vanilla, **one) == tuple(stem + two + head)
    assert complexity(basic, **one) == tuple(stem + two + shortcut + head)
    # 1x1 to 2 channels at full size, 3x3 in groups of 1 at stride 2, 1x1 to 4
    neck = np.array([16 * 2 * 64 + (9 * 2 + 2 * 4) * 16, 16 * 2 + 9 * 2 + 2 * 4 + 8 + 8, 2 * 64 + (2 + 4) * 16])
    bottleneck = Genotype((1,), (4,), (2,), (1,), strides=(2,), stem_width=16)
    assert complexity(bottleneck, **one) == tuple(stem + neck + shortcut + head)
    later = np.array([4 * 2 * 16 + 26 * 16, 4 * 2 + 26 + 16, 2 * 16 + 6 * 16])
    deeper = Genotype((3,), (4,), (2,), (1,), strides=(2,), stem_width=16)
    assert complexity(deeper, **one) == tuple(stem + neck + shortcut + 2 * later + head)
    same = Genotype((1,), (16,), (4,), (2,), strides=(1,), stem_width=16)  # no shortcut of its own
    inner = np.array([(16 * 4 + 9 * 4 * 2 + 4 * 16) * 64, 16 * 4 + 72 + 64 + 16 + 32, (4 + 4 + 16) * 64])
    assert complexity(same, **one) == tuple(stem + inner + np.array([16 * 3 + 3] * 2 + [3]))
    many = batch_complexity(
        np.array([[1], [3]]), *(np.array([[n], [n]]) for n in (4, 2, 1)), strides=(2,), stem_width=16, **one
    )
    assert [tuple(int(count[row]) for count in many) for row in (0, 1)] == [
        complexity(bottleneck, **one),
        complexity(deeper, **one),
    ]


def test_stems_count_their_pool():
    """7 x 7 pixels: halved to 4, and by the pool to 2."""
    none = Genotype((1,), (64,), (1,), (64,), strides=(1,))
    with_pool = complexity(none, stem="res_stem_in", classes=1, resolution=7)
    side = 49 * 3 * 64 * 16 + (64 * 64 * 11) * 4 + 65
    assert with_pool.flops == side
    assert complexity(none, stem="simple_stem_in", classes=1, resolution=7).flops == (
        9 * 3 * 32 * 16 + (32 * 64 + 64 * 64 * 10 + 32 * 64) * 16 + 65
    )


class Draws:
    """A generator that gives the ends and the middle of what it is asked for."""

    def uniform(self, low, high, size):
        self.asked = low, high
        values = np.empty(size)
        values[:] = [low, (low + high) / 2, high - 1e-9, high]
        return values


def test_log_uniform_draws_by_hand():
    draws = Draws()
    assert _log_uniform(draws, 8, 1000, 8, 2).tolist() == [[8, 64, 1000, 1000]] * 2  # of 4 to 1,000: sqrt(4,000) is 63
    assert np.exp(draws.asked) == pytest.approx((4, 1000))
    assert _log_uniform(draws, 1, 16, 1, 1).tolist() == [[1, 3, 16, 16]]  # of a half to 16: sqrt(8) is 2.8
    assert np.exp(draws.asked) == pytest.approx((0.5, 16))
    assert _log_uniform(draws, 100, 200, 8, 1).tolist()[0][0] == 100


def test_compatible_widths_at_the_ends():
    inner, groups = compatible(np.array([1, 8, 36]), np.array([4, 1, 1]), np.array([8, 32, 8]))
    assert (inner.tolist(), groups.tolist()) == ([1, 8, 32], [1, 8, 8])  # 4.5 groups are four, the even number


def test_both_ends_of_a_band_belong_to_it():
    tiny = Space(depth=(1, 1), width=(8, 8), bottleneck=(1,), group_width=(8,))
    settings = {"seed": 0, "stem": "res_stem_cifar", "classes": 2, "resolution": 8}
    (only,) = sample_population(tiny, size=1, band=(0, 1e12), **settings)
    flops = only["flops"]
    assert sample_population(tiny, size=1, band=(flops, flops), **settings) == [only]
