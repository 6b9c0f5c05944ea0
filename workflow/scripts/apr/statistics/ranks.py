"""Rank correlation and selection regret, each with an interval over models and test images.

Models are drawn with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993), since they are a
sample of the design space. What the counts of few test images do to a rank correlation is taken back as the noise of
seeds is (`apr.statistics.deconvolution`). `benchmarks/README.md` has the coverage of all intervals by simulation.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import ndtri

from apr.statistics.bootstrap import (
    centred_ranks,
    interval,
    rank_correlation,
    resampled_chunks,
    resampled_ranks,
    times_drawn,
    two_vectors,
)
from apr.statistics.deconvolution import MOST, count_variance, counted, on_endless_images, without_noise

NAN = float("nan")
# Of a minimum over models: it hangs on a few of them, so that the middle 95 % of resamples cover less than 95 %.
REGRET_PERCENTILES = (0.5, 99.5)
FEWEST = 4  # models of an interval of rho
FEWEST_REGRET = 30  # models from which on intervals of regret hold,
MOST_OF_MODELS = 0.1  # up to this share of the models
EXACT_UP_TO = 8  # models: 8! orders are counted at once; scipy's t approximation gives p = 0 for a perfect order of 4
Images = tuple[int | None, int | None]  # test images of the first and of the second task; None where it is not known
UNKNOWN: Images = (None, None)


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

    `chosen` is the target error that is got, `best` the least available, `regret` their difference with its interval;
    `random` is the regret expected of k architectures drawn at random.
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
    def holds(self) -> bool:
        """Whether so many models, and so few of them, have an interval that covers as it says."""
        return self.n >= FEWEST_REGRET and self.k <= MOST_OF_MODELS * self.n and self.low < self.high

    @property
    def relative(self) -> float:
        """Regret as a share of the random choice's: 0 is the best choice, 1 no better than chance."""
        return self.regret / self.random if self.random > 0 else float("nan")


def spearman(x: ArrayLike, y: ArrayLike, resamples: int, seed: int, images: Images = UNKNOWN) -> Correlation:
    """Spearman's rank correlation of two vectors [models], ties at their average rank; the interval of `rho_draws`.

    The p-value is scipy's (t approximation), and exact over all orders for at most 8 models; it is not corrected for
    the number of tests. A constant vector (a saturated task) or fewer than three models give NaN and a reason; fewer
    than four have no interval (NaN).
    """
    x, y = two_vectors(x, y)
    n = len(x)
    reason = "fewer than three models" if n < 3 else "all errors are equal" if np.ptp(x) == 0 or np.ptp(y) == 0 else ""
    if reason:
        return Correlation(*[NAN] * 4, n=n, reason=reason)
    result = stats.spearmanr(x, y)
    p = _exact_p(x, y) if n <= EXACT_UP_TO else float(result.pvalue)
    low, high = interval(rho_draws(x, y, resamples, seed, images))
    return Correlation(float(result.statistic), low, high, p, n)


def rho_draws(x: ArrayLike, y: ArrayLike, resamples: int, seed: int, images: Images = UNKNOWN) -> NDArray[np.float64]:
    """Draws of the rho that is to be estimated, [2, resamples]: on so many test images, and on endless ones.

    The first row is normal in Fisher's z about the observed rho, with the larger of the bootstrap's and of Bonett and
    Wright's standard error (Psychometrika 65, 2000, 23-28), so that it cannot collapse; the draws keep the order of the
    resampled rhos, so that differences and means of rhos over the same models are paired. In the second row each draw
    is divided by what the counting noise leaves of a rho, anew for each resample; where the number of images is not
    known, the side counts as free of it. The noise of both sides is taken as independent, so that the second row is
    too far from 0 where two tasks share their test images. Resamples that are constant are NaN, as is all of fewer
    than four models.

    Args:
        x: errors (%) or other values, [models].
        y: alike.
        resamples: of the models.
        seed: of the bootstrap and of the simulation.
        images: test images of x and of y.
    """
    x, y = two_vectors(x, y)
    n = len(x)
    if n < FEWEST or resamples == 0 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.full((2, resamples), NAN)
    rho = float(rank_correlation(x[None], y[None])[0])
    edge = nearly_perfect(n)
    resampled = bootstrap_rho(x, y, resamples, seed)
    defined = ~np.isnan(resampled)
    spread = np.arctanh(np.clip(resampled[defined], -edge, edge)).std()
    middle = np.arctanh(np.clip(rho, -edge, edge))
    error = max(spread, np.sqrt((1 + rho**2 / 2) / (n - 3)))
    order = np.argsort(np.argsort(resampled[defined], kind="stable"), kind="stable")
    draws = np.full(resamples, NAN)
    draws[defined] = np.tanh(middle + error * ndtri((order + 0.5) / defined.sum()))
    if abs(rho) > (1 + edge) / 2:
        draws[draws * rho > edge] = np.sign(rho)
    kept = [kept_by_counts(values, k, resamples, seed) for values, k in zip((x, y), images, strict=True)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.stack([draws, np.clip(draws / (kept[0] * kept[1]), -1, 1)])


def nearly_perfect(n: int) -> float:
    """The rho of n models of which two neighbours changed places: a perfect one is treated as that, not as certain."""
    return 1 - 12 / (n**3 - n)


def kept_by_counts(errors: NDArray[np.float64], images: int | None, resamples: int, seed: int) -> NDArray[np.float64]:
    """What share of a rho the counts of so many test images leave, for the models of each resample, [resamples]."""
    if images is None:
        return np.ones(resamples)
    rng = np.random.default_rng([seed, 4])
    n = len(errors)
    tiled = np.tile(errors, (max(20, MOST // n), 1))
    variance = count_variance(tiled, images)
    true, reliability = without_noise(tiled, variance, lambda values: counted(values, images, rng))
    if reliability[0] == 0:
        return np.zeros(resamples)
    with np.errstate(invalid="ignore"):
        kept = np.nanmean(rank_correlation(true, counted(true, images, rng)))
    parts = []
    for rows in resampled_chunks(n, resamples, seed):
        drawn = errors[rows]
        with np.errstate(divide="ignore", invalid="ignore"):
            noise = count_variance(drawn, images) / (drawn.var(axis=1, ddof=1) * n / (n - 1))
        parts.append(np.sqrt(np.clip(1 - noise, 0, 1) / reliability[0]))
    return np.clip(kept * np.concatenate(parts), 0, 1)


def bootstrap_rho(x: ArrayLike, y: ArrayLike, resamples: int, seed: int) -> NDArray[np.float64]:
    """Rho of resampled models, [resamples]. The draws depend on the number of models and the seed alone.

    So the difference of two calls over the same models is a paired bootstrap of the difference.
    """
    x, y = two_vectors(x, y)
    parts = []
    for rows in resampled_chunks(len(x), resamples, seed):
        times = times_drawn(rows)
        parts.append(_weighted(resampled_ranks(x, times), resampled_ranks(y, times), times))
    return np.concatenate(parts)


def _weighted(x: NDArray, y: NDArray, times: NDArray) -> NDArray[np.float64]:
    """Correlation within each row of centred ranks that count so many times, [rows]; NaN where a row is constant."""
    sums = [np.einsum("ij,ij,ij->i", one, other, times) for one, other in ((x, y), (x, x), (y, y))]
    with np.errstate(invalid="ignore"):
        return sums[0] / np.sqrt(sums[1] * sums[2])


def selection_regret(
    reference_errors: ArrayLike,
    target_errors: ArrayLike,
    ks: Sequence[int],
    resamples: int,
    seed: int,
    images: Images = UNKNOWN,
) -> list[Regret]:
    """Regret on the target of the best (on the target) of the reference's k best models, for each k of `ks`.

    Models that tie on the reference are chosen among at random: `chosen` is the expectation, exactly. In a resample
    the tie is broken once at random, and the best available is the resample's own. The interval holds the middle 99 %
    of resampled models; where the number of test images is known, also of resampled models whose counts are drawn
    anew and whose regret is that of their errors on endless images. `holds` is False where simulations show that the
    interval covers the expected regret in less than 90 %: of fewer than 30 models, of more than a tenth of them, or
    where all resamples agree.

    Raises:
        ValueError: a k below 1 or above the number of models.
    """
    reference, target = two_vectors(reference_errors, target_errors)
    n = len(target)
    if not all(1 <= k <= n for k in ks):
        raise ValueError(f"k must lie between 1 and the {n} models, not {list(ks)}")
    best = target.min()
    resampled = _bootstrap_regret(reference, target, ks, resamples, seed, images)
    regrets = []
    for i, k in enumerate(ks):
        chosen = _expected_choice(reference, target, k)
        low, high = interval(resampled[:, :, i], REGRET_PERCENTILES)
        regret = chosen - float(best)
        low, high = min(low, regret), max(high, regret)
        random = expected_minimum(target, k) - best
        regrets.append(Regret(k, n, chosen, float(best), regret, low, high, float(random)))
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


def _bootstrap_regret(
    reference: NDArray, target: NDArray, ks: Sequence[int], resamples: int, seed: int, images: Images
) -> NDArray[np.float64]:
    """Regrets of resampled models, [1 or 2, resamples, ks]; the second with counts that are drawn anew."""
    coins, noise = (np.random.default_rng([seed, part]) for part in (1, 5))
    sides = list(zip((reference, target), images, strict=True))
    true = [values if k is None else on_endless_images(values, k, seed) for values, k in sides]
    parts = []
    for rows in resampled_chunks(len(target), resamples, seed):
        tosses = coins.random(rows.shape)
        found = [_regrets(reference[rows], target[rows], target[rows], tosses, ks)]
        if images != UNKNOWN:
            seen = [t[rows] if k is None else counted(t[rows], k, noise) for t, k in zip(true, images, strict=True)]
            found.append(_regrets(*seen, true[1][rows], tosses, ks))
        parts.append(found)
    return np.concatenate(parts, axis=1)


def _regrets(reference: NDArray, target: NDArray, true: NDArray, coins: NDArray, ks: Sequence[int]) -> NDArray:
    """True error of the best on the target of the reference's k best, less the least true error, [rows, ks]."""
    order = np.lexsort((coins, reference), axis=1)
    by_target = np.lexsort((true, target), axis=1)
    place = np.empty_like(by_target)
    np.put_along_axis(place, by_target, np.arange(target.shape[1])[None], axis=1)
    kept = np.minimum.accumulate(np.take_along_axis(place, order, axis=1), axis=1)[:, np.asarray(ks) - 1]
    chosen = np.take_along_axis(true, np.take_along_axis(by_target, kept, axis=1), axis=1)
    return chosen - true.min(axis=1, keepdims=True)


def _exact_p(x: NDArray, y: NDArray) -> float:
    x, y = centred_ranks(x[None])[0], centred_ranks(y[None])[0]
    every = np.array(list(itertools.permutations(y))) @ x
    return float(np.mean(np.abs(every) >= abs(x @ y) - 1e-9))
