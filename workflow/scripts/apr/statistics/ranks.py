"""Rank correlation with an interval over models and test images.

Models are drawn with replacement (Efron and Tibshirani, An Introduction to the Bootstrap, 1993), since they are a
sample of the design space. What the counts of few test images do to a rank correlation is taken back as the noise of
seeds is (`apr.statistics.deconvolution`). `benchmarks/README.md` has the coverage of all intervals by simulation.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import ndtri

from apr.statistics.bootstrap import (
    CACHED,
    centred_ranks,
    interval,
    rank_correlation,
    resampled_chunks,
    resampled_correlation,
    times_drawn,
    two_vectors,
)
from apr.statistics.deconvolution import MOST, count_variance, counted, without_noise

NAN = float("nan")
FEWEST = 4  # models of an interval of rho
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
    is divided by what the counting noise leaves of a rho, again for each resample; where the number of images is not
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
    chunks = resampled_chunks(len(x), resamples, seed, rows=CACHED // len(x))
    return np.concatenate([resampled_correlation(x, y, times_drawn(rows)) for rows in chunks])


def _exact_p(x: NDArray, y: NDArray) -> float:
    x, y = centred_ranks(x[None])[0], centred_ranks(y[None])[0]
    every = np.array(list(itertools.permutations(y))) @ x
    return float(np.mean(np.abs(every) >= abs(x @ y) - 1e-9))
