"""Rank correlation of fewer models: the best of them, those above a limit, and so many drawn at random."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from apr.statistics.bootstrap import CACHED, interval, rank_correlation, two_vectors

NAN = float("nan")


def among_best(losses: ArrayLike, share: float) -> NDArray[np.bool_]:
    """Which models are among the best share: those than which fewer than that share are better, bool [models].

    So models that tie at the limit are all in, and there is always one.

    Args:
        losses: [models], the least is best, without NaN.
        share: from 0 to 1.
    """
    losses = np.asarray(losses, dtype=float)
    better = np.searchsorted(np.sort(losses), losses)
    return better < round(share * len(losses), 9)  # 0.1 x 30 is a little above 3 in binary


def range_corrected(rho: float, x: ArrayLike, chosen: ArrayLike) -> float:
    """Rho of models chosen by their x, corrected for the restricted range of x (Thorndike's Case 2).

    With u the standard deviation of x of all models over that of the chosen ones: rho u / sqrt(1 + rho² (u² - 1))
    (Sackett and Yang, Journal of Applied Psychology 85:112, 2000). That is made for Pearson's r of a linear relation
    that scatters alike everywhere. Since rho is Pearson's r of ranks, x enters by its ranks among all models, so that
    its scale has no effect. It is an approximation: of the better half of normal values with a rho of 0.69, it makes
    0.74 of 0.48. NaN where the chosen models' x are equal.

    Args:
        rho: of the chosen models.
        x: of all models, [models].
        chosen: which models are, bool [models].
    """
    ranks = stats.rankdata(x)
    restricted = ranks[np.asarray(chosen, dtype=bool)]
    if restricted.size < 2 or np.ptp(restricted) == 0:
        return NAN
    u = float(np.std(ranks, ddof=1) / np.std(restricted, ddof=1))
    return rho * u / (1 + rho**2 * (u**2 - 1)) ** 0.5


def drawn_rho(x: ArrayLike, y: ArrayLike, size: int, draws: int, seed: int) -> tuple[float, float, float]:
    """Mean and middle 95 % of the rho of so many models drawn without replacement.

    What a study of `size` models would find, if these are all models. Draws that are constant are left out; NaN where
    all are, and where fewer models are there than are to be drawn.

    Args:
        x: values, [models].
        y: alike.
        size: models of a draw.
        draws: number of draws.
        seed: of the draws.

    Raises:
        ValueError: see `two_vectors`.
    """
    x, y = two_vectors(x, y)
    if not 0 < size <= len(x):
        return NAN, NAN, NAN
    rng, at_once = np.random.default_rng(seed), max(1, CACHED // len(x))
    rhos = []
    for start in range(0, draws, at_once):
        lots = rng.random((min(at_once, draws - start), len(x)))
        rows = np.argpartition(lots, size - 1, axis=1)[:, :size]
        rhos.append(rank_correlation(x[rows], y[rows]))
    found = np.concatenate(rhos)
    found = found[~np.isnan(found)]
    return (float(found.mean()), *interval(found)) if found.size else (NAN, NAN, NAN)
