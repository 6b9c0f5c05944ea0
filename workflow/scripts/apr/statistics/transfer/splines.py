"""Natural cubic splines of few degrees of freedom (Harrell, Regression Modeling Strategies, 2015, section 2.4.5)."""

import numpy as np
from numpy.typing import NDArray

from apr.statistics.bootstrap import NAN, PERCENTILES, resampled_rows

KNOTS = (10, 50, 90)  # percentiles of x, those of Harrell's table 2.3 for three knots
FEWEST = 5  # models: a line and a bend take three


def knots_of(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where a spline may bend, [3]."""
    return np.percentile(x, KNOTS)


def basis(x: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Constant, line and bend of a natural cubic spline with three knots, beyond which it is straight, [x, 3]."""
    first, middle, last = knots

    def cubed(knot: float) -> NDArray[np.float64]:
        return np.maximum(x - knot, 0) ** 3

    outer = ((last - first) * cubed(middle) - (middle - first) * cubed(last)) / (last - middle)
    return np.stack([np.ones_like(x), x - middle, (cubed(first) - outer) / (last - first) ** 2], axis=1)


def fit_spline(x: NDArray[np.float64], y: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least-squares spline at some x; NaN where fewer than five models, or equal knots, determine none."""
    return _drawn(x, y[None], np.ones((1, len(x))), at)[0]


def spline_band(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    images: NDArray[np.float64] | None,
    at: NDArray[np.float64],
    resamples: int,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pointwise middle 95 % of the splines through resampled models and test images, with the knots kept.

    What images do to each model apart counts in both resamplings, so that the band is rather too wide.

    Args:
        x: [models].
        y: scores, [models].
        images: scores on resampled test images, [models, resamples]; None: of models alone.
        at: where, [x].
        resamples: of the models.
        seed: of the bootstrap.
    """
    rows = resampled_rows(len(x), resamples, seed)
    weights = np.zeros((resamples, len(x)))
    np.add.at(weights, (np.arange(resamples)[:, None], rows), 1)
    drawn = _drawn(x, np.broadcast_to(y, weights.shape) if images is None else images.T, weights, at)
    if np.isnan(drawn).all():
        return np.full(at.shape, NAN), np.full(at.shape, NAN)
    low, high = np.nanpercentile(drawn, PERCENTILES, axis=0)
    return low, high


def _drawn(x: NDArray, y: NDArray, weights: NDArray, at: NDArray) -> NDArray[np.float64]:
    """Splines at some x, [resamples, x], of scores [resamples, models] with weights alike."""
    knots = knots_of(x)
    found = np.full((len(weights), len(at)), NAN)
    if len(x) < FEWEST or np.ptp(knots) == 0 or (np.diff(knots) == 0).any():
        return found
    design = basis(x, knots)
    squares = np.einsum("bm,mi,mj->bij", weights, design, design)
    products = np.einsum("bm,bm,mi->bi", weights, y, design)
    determined = np.linalg.matrix_rank(squares, hermitian=True) == design.shape[1]
    coefficients = np.linalg.solve(squares[determined], products[determined][..., None])[..., 0]
    found[determined] = coefficients @ basis(at, knots).T
    return found
