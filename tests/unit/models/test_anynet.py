"""Complexity in closed form against pycls' published numbers and fvcore's counts of built networks."""

import json

import numpy as np
import pandas as pd
import pytest
from data_helpers import refused_as
from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count
from torch import zeros

from apr.basics.problems import Problem
from apr.models.anynet import Genotype, complexity
from apr.models.network import build_network
from apr.models.population import Space, compatible, draw, sample_population

PAPER = Space(depth=(1, 16), width=(8, 1024), bottleneck=(1, 2, 4), group_width=(1, 2, 4, 8, 16, 32))
# depth, w_0, w_a, w_m, group width (pycls configs/dds_baselines/regnetx, MIT)
REGNETX = {
    "200MF": (13, 24, 36.44, 2.49, 8),
    "400MF": (22, 24, 24.48, 2.54, 16),
    "600MF": (16, 48, 36.97, 2.24, 24),
    "800MF": (16, 56, 35.73, 2.28, 16),
    "1.6GF": (18, 80, 34.01, 2.25, 24),
    "3.2GF": (25, 88, 26.31, 2.25, 48),
    "4.0GF": (23, 96, 38.65, 2.43, 40),
    "6.4GF": (17, 184, 60.83, 2.07, 56),
    "8.0GF": (23, 80, 49.56, 2.88, 120),
    "12GF": (19, 168, 73.36, 2.37, 112),
    "16GF": (22, 216, 55.59, 2.1, 128),
    "32GF": (23, 320, 69.86, 2.0, 168),
}
RESNET_DEPTHS = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3)}
RESNET_WIDTHS = (256, 512, 1024, 2048)
# what the family does not hold: squeeze-and-excitation and MBConv
# Table A1's networks: pycls configs/archive/cifar (MIT)
CIFAR_BLOCKS = {"V": "vanilla", "R": "basic"}
UNCOVERED = ("regnety", "effnet")
GENES = (1, 3, 4, 5, 8, 40, 64, 672, 4, 1, 4, 1, 1, 1, 4, 16)
FIRST = ["a000", "d=1,3,4,5 w=8,40,64,672 b=4,1,4,1 g=1,1,4,16", 365427432, 5362954, 1997064, 13, 784, *GENES]
GENOTYPES = ["d=2,4,2,3 w=96,64,8,24 b=1,2,4,4 g=16,16,2,6", "d=5,4,2,10 w=80,32,520,24 b=2,2,2,2 g=4,8,2,12"]
SMALL = ("d=5,3,5,2 w=8,15,24,8 b=1,1,2,1 g=1,3,1,1", 15, 55)


def regnet(depth, w_0, w_a, w_m, group):
    """The stages of a RegNet (Radosavovic et al. 2020, equations 2 to 4), made compatible."""
    exponents = np.round(np.log((np.arange(depth) * w_a + w_0) / w_0) / np.log(w_m))
    widths, depths = np.unique(np.round(w_0 * w_m**exponents / 8).astype(int) * 8, return_counts=True)
    ones = np.ones_like(widths)
    widths, groups = compatible(widths, ones, np.full_like(widths, group))
    genes = (tuple(int(value) for value in column) for column in (depths, widths, ones, groups))
    return Genotype(*genes, strides=(2, 2, 2, 2))


def reference(block, depth):
    """A network of (depth - 2) / 6 blocks a stage, as ResNet-56."""
    stages = ((depth - 2) // 6,) * 3
    return Genotype.parse(f"d={','.join(map(str, stages))} w=16,32,64 block={block} strides=1,2,2 stem_width=16")


def covered(name):
    """Genotype, stem, classes and resolution of a row of pycls' table; None where the family does not cover it."""
    if any(part in name for part in UNCOVERED):
        return None
    model = name.rsplit("/", 1)[1]
    if model.startswith("RegNetX"):
        return regnet(*REGNETX[model.split("-")[1].split("_")[0]]), "simple_stem_in", 1000, 224
    if "archive/cifar" in name:
        kind, depth = model.split("_")[0].split("-")
        return reference(CIFAR_BLOCKS[kind], int(depth)), "res_stem_cifar", 10, 32
    family, depth, cell = model.split("_")[0].split("-")
    ratio, groups = (4, (64, 128, 256, 512)) if family == "R" else (2, (4, 8, 16, 32))
    assert cell in ("1x64d", "32x4d")
    return Genotype(RESNET_DEPTHS[depth], RESNET_WIDTHS, (ratio,) * 4, groups), "res_stem_in", 1000, 224


def test_all_rows_of_pycls_that_the_family_covers(shared):
    table = json.loads((shared / "pycls_model_complexity.json").read_text())
    del table["date-created"]
    checked = 0
    for name, row in table.items():
        known = covered(name)
        if known is None:
            continue
        genotype, stem, classes, resolution = known
        found = complexity(genotype, stem=stem, classes=classes, resolution=resolution)
        # this table counts the outputs of the stem's max-pool, which the code that the paper used did not
        pooled = 64 * 56 * 56 if stem == "res_stem_in" else 0
        assert found == (row["flops"], row["params"], row["acts"] - pooled), name
        checked += 1
    assert checked == sum(not any(part in name for part in UNCOVERED) for name in table) > 40


def test_regnetx_400mf_exactly():
    genotype = Genotype.parse("d=1,2,7,12 w=32,64,160,384 b=1,1,1,1 g=16,16,16,16 strides=2,2,2,2")
    found = complexity(genotype, stem="simple_stem_in", classes=1000, resolution=224)
    assert found == (397_678_568, 5_157_512, 3_143_272)


@pytest.mark.parametrize(
    ("stem", "size", "classes", "resolution"),
    [("res_stem_in", 8, 1000, 64), ("simple_stem_in", 6, 7, 50), ("res_stem_cifar", 6, 10, 32)],
)
def test_built_networks_have_the_complexity_that_was_computed(stem, size, classes, resolution):
    population = sample_population(
        PAPER, size=size, seed=3, band=(1e6, 30e6), stem=stem, classes=classes, resolution=resolution
    )
    assert len(population) == size
    for row in pd.DataFrame(population).itertuples():
        network = build_network(Genotype.parse(row.genotype), stem=stem, classes=classes).eval()
        image = zeros(1, 3, resolution, resolution)
        counts = FlopCountAnalysis(network, image).unsupported_ops_warnings(False).by_operator()
        # fvcore counts no bias of the linear layer as a multiply-add; pycls does
        assert counts["conv"] + counts["linear"] + classes == row.flops
        assert parameter_count(network)[""] == row.params
        outputs = ActivationCountAnalysis(network, image).unsupported_ops_warnings(False)
        assert outputs.total() == row.activations


@pytest.mark.parametrize("block", ["basic", "vanilla"])
def test_reference_networks_have_the_complexity_that_was_computed(block):
    genotype = reference(block, 14)
    assert Genotype.parse(str(genotype)) == genotype
    network = build_network(genotype, stem="res_stem_cifar", classes=10).eval()
    found = complexity(genotype, stem="res_stem_cifar", classes=10, resolution=32)
    assert parameter_count(network)[""] == found.params
    image = zeros(1, 3, 32, 32)
    counts = FlopCountAnalysis(network, image).unsupported_ops_warnings(False).by_operator()
    assert counts["conv"] + counts["linear"] + 10 == found.flops
    shortcuts = sum(name.endswith("downsample") for name, _ in network.named_modules())
    assert shortcuts == (2 if block == "basic" else 0)


def test_genotype_text_round_trips_and_refuses_nonsense():
    genotype = Genotype((1, 2, 3, 4), (8, 16, 24, 32), (1, 2, 4, 1), (1, 2, 2, 16))
    assert Genotype.parse(str(genotype)) == genotype
    with pytest.raises(Problem, match="expected"):
        Genotype.parse("d=1 w=8")
    with pytest.raises(Problem, match="group width 16"):
        Genotype((1,), (24,), (1,), (16,), strides=(1,))
    with pytest.raises(Problem, match=r"block 'dense' is not known; choose one of bottleneck, basic, vanilla"):
        Genotype.parse("d=1,1 w=8,8 block=dense strides=1,2")
    with pytest.raises(Problem, match=r"stem 'patchify'.*res_stem_in"):
        complexity(genotype, stem="patchify", classes=10, resolution=32)


def test_population_is_in_the_band_seeded_and_extends():
    band = (360e6, 400e6)
    settings = {"band": band, "stem": "res_stem_in", "classes": 1000, "resolution": 224}
    short, long = (pd.DataFrame(sample_population(PAPER, size=size, seed=1, **settings)) for size in (40, 500))
    assert short.equals(long.head(40))
    assert long["flops"].between(*band).all()
    assert not long["genotype"].duplicated().any()
    assert list(long["id"][:2]) == ["a000", "a001"]
    assert long["id"].iloc[-1] == "a499"
    assert not pd.DataFrame(sample_population(PAPER, size=40, seed=2, **settings)).equals(short)
    widths = long[["w1", "w2", "w3", "w4"]].to_numpy()
    assert (widths % 8 == 0).all()
    assert widths.min() >= 8
    assert widths.max() <= 1024
    inner = widths // long[["b1", "b2", "b3", "b4"]].to_numpy()
    assert (inner % long[["g1", "g2", "g3", "g4"]].to_numpy() == 0).all()


def test_a_population_is_what_it_was():
    """Who has finished runs has trained these architectures: another draw would be others under the same names."""
    settings = {"stem": "res_stem_in", "classes": 1000, "resolution": 224}
    first, second, third = sample_population(PAPER, size=3, seed=1, band=(360e6, 400e6), **settings)
    assert list(first.values()) == FIRST
    assert [row["genotype"] for row in (second, third)] == GENOTYPES
    (small,) = sample_population(Space((2, 5), (8, 40), (1, 2), (1, 3)), size=1, seed=8, band=(0, 1e12), **settings)
    assert (small["genotype"], small["cumulative_depth"], small["cumulative_width"]) == SMALL


def test_inner_widths_are_whole_groups_by_hand():
    """Of 40 / 4 = 10 in groups of 16, at most one group of 10; of 24 / 2 = 12 in groups of 8, half a group is even."""
    inner, groups = compatible(np.array([40, 24, 8, 56, 8]), np.array([4, 2, 4, 1, 16]), np.array([16, 8, 1, 16, 1]))
    assert (inner.tolist(), groups.tolist()) == ([10, 16, 2, 64, 1], [10, 8, 1, 16, 1])


def test_draws_are_log_uniform():
    generator = np.random.Generator(np.random.Philox(key=0))

    depths, widths, _, _ = draw(PAPER, generator, 20_000)
    # equal shares of each octave, up to the quantisation of the small values
    octaves = np.histogram(widths, bins=[129, 257, 513, 1025])[0]
    assert octaves.max() / octaves.min() < 1.05
    assert set(np.unique(depths)) == set(range(1, 17))


def test_duplicates_are_dropped_and_an_empty_band_is_named(monkeypatch):
    monkeypatch.setattr("apr.models.population.MAX_DRAWS", 20_000)
    tiny = Space(depth=(1, 2), width=(8, 8), bottleneck=(1,), group_width=(8,))
    settings = {"seed": 0, "stem": "res_stem_cifar", "classes": 2, "resolution": 8}
    everything = sample_population(tiny, size=16, band=(0, 1e12), **settings)
    assert len({model["genotype"] for model in everything}) == 16  # 2^4 depths: every architecture once
    with refused_as(
        "population: only 0 of 3 architectures have flops in the band 1–2 after 32,768 draws; widen "
        "population.megaflops or the space"
    ):
        sample_population(tiny, size=3, band=(1, 2), **settings)
