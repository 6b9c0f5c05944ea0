"""Selection regret, with an interval over models and test images as that of `apr.statistics.ranks`."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from apr.statistics.bootstrap import CACHED, interval, resampled_chunks, times_drawn, two_vectors
from apr.statistics.deconvolution import counted, on_endless_images
from apr.statistics.ranks import FEWEST as FEWEST_FAMILIES
from apr.statistics.ranks import UNKNOWN, Images

# Of a minimum over models: it hangs on a few of them, so that the middle 95 % of resamples cover less than 95 %.
REGRET_PERCENTILES = (0.5, 99.5)
FEWEST = 30  # models from which on intervals of regret hold,
MOST_OF_MODELS = 0.1  # up to this share of the models


@dataclass(frozen=True)
class Regret:
    """Error points lost on a target by choosing among the k best on another task.

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
        return self.n >= FEWEST and self.k <= MOST_OF_MODELS * self.n and self.low < self.high

    @property
    def relative(self) -> float:
        """Regret as a share of the random choice's: 0 is the best choice, 1 no better than chance."""
        return self.regret / self.random if self.random > 0 else float("nan")


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
    again and whose regret is that of their errors on endless images. `holds` is False where simulations show that the
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


@dataclass(frozen=True)
class WinnerRegret:
    """What is lost on a target by taking the reference's best model, with its interval (NaN: none), in its unit.

    `share` is of the way from the target's best model to its median one: 0 is the best choice, 1 no better than a model
    from the middle; NaN where those two are equal.
    """

    regret: float
    low: float
    high: float
    share: float


def winner_regret(
    reference_errors: ArrayLike,
    target_errors: ArrayLike,
    resamples: int,
    seed: int,
    members: NDArray[np.int64] | None = None,
) -> WinnerRegret:
    """Regret of taking the reference's best model; models that tie there are averaged.

    The interval holds the middle 99 % of resampled models, or families of them, each with its own best; in a resample
    the first of tied models is taken. Of fewer than 30 models, or than four families, there is none.

    Args:
        reference_errors: [models], the least is best.
        target_errors: alike.
        resamples: of the models, or of the families.
        seed: of the bootstrap.
        members: number of each model's family, from 0 without gaps; None: each model is one.

    Raises:
        ValueError: see `two_vectors`; or there is no model.
    """
    reference, target = two_vectors(reference_errors, target_errors)
    regret = _expected_choice(reference, target, 1) - float(target.min())
    reach = float(np.median(target) - target.min())
    low = high = float("nan")
    members = np.arange(len(target)) if members is None else members
    if len(target) >= FEWEST and resamples and members.max() + 1 >= FEWEST_FAMILIES:
        parts = []
        for rows in resampled_chunks(int(members.max()) + 1, resamples, seed, rows=max(1, CACHED // len(target))):
            there = times_drawn(rows)[:, members] > 0
            chosen = target[np.where(there, reference, np.inf).argmin(axis=1)]
            parts.append(chosen - np.where(there, target, np.inf).min(axis=1))
        low, high = interval(np.concatenate(parts)[None], REGRET_PERCENTILES)
        low, high = min(low, regret), max(high, regret)
    return WinnerRegret(regret, low, high, regret / reach if reach > 0 else float("nan"))


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
    """Regrets of resampled models, [1 or 2, resamples, ks]; the second with counts that are drawn again."""
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
