"""How much better one task ranks models for a target than another does: the difference of two rhos over the models."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from apr.statistics.bootstrap import rank_correlation
from apr.statistics.ranks import nearly_perfect, rho_draws

Measurements = tuple[ArrayLike, int | None]  # errors (%) [models], and the number of test images if it is known


def gain_draws(
    target: Measurements, before: Measurements, after: Measurements, resamples: int, seed: int
) -> NDArray[np.float64]:
    """Draws of rho(after, target) - rho(before, target), [2, resamples], paired: those of `rho_draws` have one order.

    Where they differ less than by the standard error of Meng, Rosenthal and Rubin (Psychological Bulletin 111, 1992,
    172-175), of rhos no nearer to 1 than one step, they are normal about the gain with that one: two tasks that rank
    the models alike leave all resamples equal.
    """
    draws = np.subtract(
        *(rho_draws(values, target[0], resamples, seed, (images, target[1])) for values, images in (after, before))
    )
    if np.isnan(draws).all():
        return draws
    pairs = [(before, target), (after, target), (before, after)]
    rhos = np.array([rank_correlation(*(np.asarray(side[0], dtype=float)[None] for side in pair))[0] for pair in pairs])
    least = _standard_error(*rhos, n=len(np.asarray(target[0])))
    return np.stack([_spread(row, rhos[1] - rhos[0], least) for row in draws])


def _standard_error(before: float, after: float, between: float, n: int) -> float:
    edge = nearly_perfect(n)
    before, after, between = np.clip([before, after, between], -edge, edge)
    square = (before**2 + after**2) / 2
    f = min(1, (1 - between) / (2 * (1 - square)))
    h = (1 - f * square) / (1 - square)
    return float((1 - square) * np.sqrt(2 * (1 - between) * h * (1 + square / 2) / (n - 3)))


def _spread(draws: NDArray, gain: float, least: float) -> NDArray[np.float64]:
    """The draws, or, in their order, normal ones about the gain where they differ less than that."""
    defined = ~np.isnan(draws)
    if not defined.any() or draws[defined].std() >= least:
        return draws
    order = np.argsort(np.argsort(draws[defined], kind="stable"), kind="stable")
    wider = np.full(len(draws), np.nan)
    wider[defined] = np.clip(gain + least * ndtri((order + 0.5) / defined.sum()), -2, 2)
    return wider
