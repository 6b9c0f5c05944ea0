"""Seeded sampling of a population from the AnyNetX space within a band of complexity."""

from dataclasses import dataclass

import numpy as np

from apr.basics.problems import Problem
from apr.models.anynet import STAGES, Complexity, Genotype, batch_complexity

BATCH = 16_384  # part of what a seed means: changing it changes every population
MAX_DRAWS = 20_000_000


@dataclass(frozen=True)
class Space:
    """Ranges of the per-stage draws; depth and width are log-uniform over [low, high] (width in multiples of 8)."""

    depth: tuple[int, int]
    width: tuple[int, int]
    bottleneck: tuple[int, ...]
    group_width: tuple[int, ...]


def sample_population(
    space: Space,
    *,
    size: int,
    seed: int,
    band: tuple[float, float],
    stem: str,
    classes: int,
    resolution: int,
) -> list[dict[str, int | str]]:
    """Draw architectures until `size` distinct ones have their flops within `band` (multiply-adds, both ends included).

    Rejection sampling in fixed batches from a counter-based generator: the first n of a longer population are the
    same n. Duplicates are dropped. 500 of the paper's band take a tenth of a second.

    Returns:
        A record for each: id, genotype, flops, params, activations, cumulative_depth, cumulative_width, and the genes
        by stage as d1…d4, w1…w4, b1…b4, g1…g4.

    Raises:
        Problem: the band holds too few architectures.
    """
    generator = np.random.Generator(np.random.Philox(key=seed))
    found: dict[bytes, tuple] = {}
    drawn = 0
    while len(found) < size:
        if drawn >= MAX_DRAWS:
            raise Problem(
                f"population: only {len(found)} of {size} architectures have flops in the band "
                f"{band[0]:,.0f}–{band[1]:,.0f} after {drawn:,} draws; widen population.megaflops or the space"
            )
        columns = draw(space, generator, BATCH)
        drawn += BATCH
        counts = batch_complexity(*columns, stem=stem, classes=classes, resolution=resolution)
        for row in np.flatnonzero((counts.flops >= band[0]) & (counts.flops <= band[1])):
            genes = np.stack([column[row] for column in columns])
            found.setdefault(genes.tobytes(), (genes, Complexity(*(int(count[row]) for count in counts))))
    return [_record(number, *entry) for number, entry in enumerate(list(found.values())[:size])]


def draw(space: Space, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw n genotypes, made compatible: depths, widths, bottleneck ratios, group widths, each int64 [n, 4]."""
    depths = _log_uniform(generator, *space.depth, 1, n)
    widths = _log_uniform(generator, *space.width, 8, n)
    bottlenecks = generator.choice(np.array(space.bottleneck, dtype=np.int64), size=(n, STAGES))
    groups = generator.choice(np.array(space.group_width, dtype=np.int64), size=(n, STAGES))
    inner, groups = compatible(widths, bottlenecks, groups)
    return depths, inner * bottlenecks, bottlenecks, groups


def compatible(widths: np.ndarray, bottlenecks: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inner widths and group widths that divide them (pycls' adjust_block_compatibility, blocks.py)."""
    inner = np.maximum(1, widths // bottlenecks)
    groups = np.minimum(groups, inner)
    inner = np.maximum(groups, np.rint(inner / groups).astype(np.int64) * groups)
    return inner, groups


def _log_uniform(generator: np.random.Generator, low: int, high: int, step: int, n: int) -> np.ndarray:
    # pycls/sweep/random.py: log-uniform in (low - min(step, low / 2), high], quantised upward
    start = np.log(low - min(step, low / 2))
    values = np.exp(generator.uniform(start, np.log(high), size=(n, STAGES)))
    return np.clip(np.ceil(values / step).astype(np.int64) * step, low, high)


def _record(number: int, genes: np.ndarray, counts: Complexity) -> dict:
    genotype = Genotype(*(tuple(int(gene) for gene in row) for row in genes))
    record = {
        "id": model_id(number),
        "genotype": str(genotype),
        **counts._asdict(),
        "cumulative_depth": genotype.cumulative_depth,
        "cumulative_width": genotype.cumulative_width,
    }
    for letter, row in zip("dwbg", genes, strict=True):
        record |= {f"{letter}{stage + 1}": int(gene) for stage, gene in enumerate(row)}
    return record


def model_id(number: int) -> str:
    """Id of the n-th architecture of a population: a000, a001, …"""
    return f"a{number:03d}"
