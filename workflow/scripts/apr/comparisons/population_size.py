"""How many models a study needs: Spearman's rho of resampled, smaller populations."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
from scipy import stats

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.table import Table
from apr.comparisons.testsets import basis, footnote, marked, weak_tasks
from apr.comparisons.wording import UNDEFINED, left_out, with_interval
from apr.scores.frames import complete
from apr.scores.tested import Counted, losses
from apr.statistics.bootstrap import interval
from apr.statistics.ranks import Correlation

AGREEMENT = 0.95  # share of the resamples that have the full population's sign
HALF_WIDTH = 0.1  # of the 95 % interval of rho
FEWEST = 5
STEPS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)


@dataclass(frozen=True)
class SizeCurve:
    """Rho of the full population, and of populations of n models drawn from it with replacement.

    `by_size` has a row for each n: n, median, low, high (95 % interval), agreement (share with the full rho's sign);
    empty where rho is undefined. `sign_from` is the least n from which on the sign agrees in 95 % of the resamples,
    `precise_from` the least n from which on the interval's half-width is at most 0.1; None where no n is enough.
    """

    full: Correlation
    by_size: pd.DataFrame
    sign_from: int | None
    precise_from: int | None


def population_sizes(n: int) -> list[int]:
    """Round sizes up to a population of n models, n itself the last: from 5, or from less so that there is a curve."""
    fewest = max(3, min(FEWEST, n - 2))
    round_sizes = (int(step * 10.0**power) for power in range(-1, len(str(n))) for step in STEPS)
    return [size for size in round_sizes if fewest <= size < n] + [n]


def rho_by_size(
    scores: pd.DataFrame,
    x: str,
    y: str,
    sizes: Sequence[int],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> SizeCurve:
    """Rho over resampled populations of the models that completed both tasks.

    A size above their number stands for their number. The full rho has the interval of `statistics.spearman`, the
    populations of n models those of the middle 95 % of their rhos.

    Raises:
        Problem: no model completed both, or no size.
    """
    if not sizes:
        raise Problem("rho against population size: no size is given; give at least one")
    pair = losses(complete(scores, [x, y]), counts)
    full = correlate(scores, x, y, resamples, seed, counts)
    n = len(pair)
    tried = sorted({min(size, n) for size in sizes}) if not math.isnan(full.rho) else []
    rows = [_resampled_rho(pair, size, full.rho, resamples, seed) for size in tried]
    by_size = pd.DataFrame(rows, columns=["n", "median", "low", "high", "agreement"])
    return SizeCurve(
        full,
        by_size,
        _least_from(by_size["n"], by_size["agreement"] >= AGREEMENT),
        _least_from(by_size["n"], (by_size["high"] - by_size["low"]) / 2 <= HALF_WIDTH),
    )


def population_size_table(
    scores: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    titles: Mapping[str, str],
    sizes: Sequence[int],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Table:
    """For each pair of tasks: the population that is enough for rho's sign, and for an interval of ±0.1.

    Raises:
        Problem: no pair, or one that has no model in common.
    """
    if not pairs:
        raise Problem("no pair of tasks to compare: give the study a target")
    weak = weak_tasks(scores, counts, chain(*pairs))
    titles = marked(titles, weak)
    rows, shown = [], []
    for x, y in pairs:
        curve = rho_by_size(scores, x, y, sizes, resamples, seed, counts)
        full = curve.full
        rows.append(
            {
                "x_task": x,
                "y_task": y,
                **{name: getattr(full, name) for name in ("rho", "low", "high", "n")},
                "sign_from": curve.sign_from,
                "precise_from": curve.precise_from,
            }
        )
        shown.append(
            {
                "Task": titles[y],
                "With": titles[x],
                "ρ": with_interval(full.rho, full.low, full.high, 3),
                "n": full.n,
                "n for the sign": enough(curve.sign_from, full),
                f"n for ±{HALF_WIDTH}": enough(curve.precise_from, full),
            }
        )
    data = pd.DataFrame(rows).astype({"sign_from": "Int64", "precise_from": "Int64"})
    caption = (
        f"{question(resamples)} In brackets: {basis(resamples, counts, chain(*pairs))}. "
        f"{left_out(len(scores), data['n'])}{footnote(weak, titles)}"
    )
    return Table(data, pd.DataFrame(shown), caption)


def enough(size: int | None, full: Correlation) -> str:
    """A size in words: the number, "more than" the population where none is enough, or undefined."""
    if math.isnan(full.rho):
        return UNDEFINED
    return f"more than {full.n}" if size is None else str(size)


def question(resamples: int) -> str:
    """What the sizes mean, for a caption."""
    return (
        "How many models a study needs: populations of n models are drawn with replacement from this one "
        f"({resamples:,} for each n). For the sign: the least n tried from which on Spearman's ρ has the sign of the "
        f"whole population's in {100 * AGREEMENT:g} % of them. For ±{HALF_WIDTH}: the least n tried from which on half "
        f"the width of the 95 % interval is at most {HALF_WIDTH}."
    )


def _resampled_rho(pair: pd.DataFrame, size: int, full: float, resamples: int, seed: int) -> dict[str, float]:
    rows = np.random.default_rng(seed).integers(len(pair), size=(resamples, size))
    x, y = (stats.rankdata(pair[task].to_numpy()[rows], axis=1) for task in pair)
    with warnings.catch_warnings():
        # Small resamples may be constant: their rho is NaN, and agrees with no sign.
        warnings.simplefilter("ignore", stats.ConstantInputWarning)
        rho = stats.pearsonr(x, y, axis=1).statistic
    low, high = interval(rho)
    agreement = float(np.mean(np.sign(rho) == np.sign(full)))
    return {"n": size, "median": float(np.nanmedian(rho)), "low": low, "high": high, "agreement": agreement}


def _least_from(sizes: pd.Series, holds: pd.Series) -> int | None:
    """The least size from which on a condition holds at every larger one."""
    from_here = sizes[holds[::-1].cummin()[::-1].astype(bool)]
    return int(from_here.iloc[0]) if len(from_here) else None
