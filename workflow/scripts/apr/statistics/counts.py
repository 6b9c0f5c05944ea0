"""Intervals of shares that are counted."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv  # the quantiles of scipy.stats.beta, which takes a second to import

TAIL = 0.025  # of a 95 % interval


def clopper_pearson(correct: ArrayLike, n: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Exact 95 % intervals of accuracies (%), low and high, for counts of any shape; NaN where a count is unknown.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404, as quantiles of the beta distribution.
    """
    correct, n = np.asarray(correct, dtype=float), np.asarray(n, dtype=float)
    low = np.where(correct == 0, 0, betaincinv(correct, n - correct + 1, TAIL))
    high = np.where(correct == n, 1, betaincinv(correct + 1, n - correct, 1 - TAIL))
    return 100 * low, 100 * high
