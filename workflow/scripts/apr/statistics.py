"""Rank correlation and selection regret, each with a bootstrap interval over models.

The intervals are 95 % percentile intervals (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13):
models are drawn with replacement, since they are a sample of the design space, and the statistic is computed anew.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

PERCENTILES = (2.5, 97.5)
EXACT_UP_TO = 8  # models: 8! orders are counted at once; scipy's t approximation gives p = 0 for a perfect order of 4


@dataclass(frozen=True)
class Correlation:
    """Spearman's rho with its 95 % interval, two-sided p-value and number of models; NaN and a reason if undefined."""

    rho: float
    low: float
    high: float
    p: float
    n: int
    reason: str = ""


@dataclass(frozen=True)
class Regret:
    """Error points lost on a target by who chooses among the k best on another task.

    `chosen` is the target error that is got, `best` the least available, `regret` their difference with its 95 %
    interval; `random` is the regret expected of k architectures drawn at random.
    """

    k: int
    n: int
    chosen: float
    best: float
    regret: float
    low: float
    high: float
    random: float

    @property
    def relative(self) -> float:
        """Regret as a share of the random choice's: 0 is the best choice, 1 no better than chance."""
        return self.regret / self.random if self.random > 0 else float("nan")


def spearman(x: ArrayLike, y: ArrayLike, resamples: int, seed: int) -> Correlation:
    """Spearman's rank correlation of two vectors [models], ties at their average rank.

    The p-value is scipy's (t approximation), and exact over all orders for at most 8 models. A constant vector (a
    saturated task) or fewer than three models give NaN and a reason. Resamples that are constant are left out.
    """
    x, y = _pair(x, y)
    n = len(x)
    reason = "fewer than three models" if n < 3 else "all errors are equal" if np.ptp(x) == 0 or np.ptp(y) == 0 else ""
    if reason:
        return Correlation(*[float("nan")] * 4, n=n, reason=reason)
    result = stats.spearmanr(x, y)
    p = _exact_p(x, y) if n <= EXACT_UP_TO else float(result.pvalue)
    low, high = interval(bootstrap_rho(x, y, resamples, seed))
    return Correlation(float(result.statistic), low, high, p, n)


def bootstrap_rho(x: ArrayLike, y: ArrayLike, resamples: int, seed: int) -> NDArray[np.float64]:
    """Rho of resampled models, [resamples]. The draws depend on the number of models and the seed alone.

    So the difference of two calls over the same models is a paired bootstrap of the difference.
    """
    x, y = _pair(x, y)
    rows = resampled_rows(len(x), resamples, seed)
    x, y = (centred_ranks(values[rows]) for values in (x, y))
    with np.errstate(invalid="ignore"):
        return (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))


def interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """95 % percentile interval of bootstrap values; NaN among them (undefined resamples) are left out."""
    defined = values[~np.isnan(values)]
    return tuple(map(float, np.percentile(defined, PERCENTILES))) if defined.size else (float("nan"),) * 2


def selection_regret(
    reference_errors: ArrayLike, target_errors: ArrayLike, ks: Sequence[int], resamples: int, seed: int
) -> list[Regret]:
    """Regret on the target of the best (on the target) of the reference's k best models, for each k of `ks`.

    Models that tie on the reference are chosen among at random: `chosen` is the expectation, exactly. In a resample
    the tie is broken once at random, and the best available is the resample's own.

    Raises:
        ValueError: a k below 1 or above the number of models.
    """
    reference, target = _pair(reference_errors, target_errors)
    n = len(target)
    if not all(1 <= k <= n for k in ks):
        raise ValueError(f"k must lie between 1 and the {n} models, not {list(ks)}")
    best = target.min()
    resampled = _bootstrap_regret(reference, target, resamples, seed)
    regrets = []
    for k in ks:
        chosen = _expected_choice(reference, target, k)
        low, high = interval(resampled[:, k - 1])
        random = expected_minimum(target, k) - best
        regrets.append(Regret(k, n, chosen, float(best), chosen - float(best), low, high, float(random)))
    return regrets


def expected_minimum(values: ArrayLike, k: int) -> float:
    """Expected least of k values drawn from `values` without replacement.

    The i-th smallest of n is the least with probability C(n-i, k-1) / C(n, k).
    """
    values = np.sort(np.asarray(values, dtype=float))
    n = len(values)
    ranks = np.arange(1, n - k + 1)
    weights = k / n * np.cumprod(np.concatenate([[1.0], (n - ranks - k + 1) / (n - ranks)]))
    # The distance to the least is averaged, so that equal values give exactly that value.
    return float(values[0] + weights @ (values[: n - k + 1] - values[0]))


def _expected_choice(reference: NDArray, target: NDArray, k: int) -> float:
    edge = np.partition(reference, k - 1)[k - 1]
    sure, tied = target[reference < edge], target[reference == edge]
    least = sure.min() if sure.size else np.inf
    return expected_minimum(np.minimum(tied, least), k - sure.size)


def _bootstrap_regret(reference: NDArray, target: NDArray, resamples: int, seed: int) -> NDArray[np.float64]:
    rows = resampled_rows(len(target), resamples, seed)
    coins = np.random.default_rng([seed, 1]).random(rows.shape)
    order = np.lexsort((coins, reference[rows]), axis=1)
    chosen = np.minimum.accumulate(np.take_along_axis(target[rows], order, axis=1), axis=1)
    return chosen - chosen[:, -1:]


def _exact_p(x: NDArray, y: NDArray) -> float:
    x, y = centred_ranks(x[None])[0], centred_ranks(y[None])[0]
    every = np.array(list(itertools.permutations(y))) @ x
    return float(np.mean(np.abs(every) >= abs(x @ y) - 1e-9))


def centred_ranks(rows: NDArray) -> NDArray[np.float64]:
    """Ranks within each row, ties at their average, less their mean: float64 [rows, models]."""
    ranks = stats.rankdata(rows, axis=1)
    return ranks - (rows.shape[1] + 1) / 2


def resampled_rows(n: int, resamples: int, seed: int | Sequence[int]) -> NDArray[np.int64]:
    """Positions of n models drawn with replacement, int64 [resamples, n]; the same for the same n and seed."""
    return np.random.default_rng(seed).integers(n, size=(resamples, n))


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"expected two vectors of one length, got shapes {x.shape} and {y.shape}")
    if np.isnan(x).any() or np.isnan(y).any():
        raise ValueError("errors must not be NaN: leave out the models that did not complete")
    return x, y
