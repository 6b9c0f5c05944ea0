"""Densities of the scores of many trainings."""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import trapezoid
from scipy.stats import gaussian_kde

GRID = 200  # points of a density
TAILS = 4  # bandwidths beyond the least and the greatest value: a Gaussian has 0.03 % of its peak there


def overlap(first: ArrayLike, second: ArrayLike) -> float:
    """Common area of two Gaussian kernel densities, 0 (apart) to 1 (the same); NaN where one has equal values only."""
    first, second = np.asarray(first), np.asarray(second)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan
    kernels = gaussian_kde(first), gaussian_kde(second)
    tail = TAILS * max(kernel.covariance.item() for kernel in kernels) ** 0.5
    grid = np.linspace(min(first.min(), second.min()) - tail, max(first.max(), second.max()) + tail, GRID)
    return float(trapezoid(np.minimum(*(kernel(grid) for kernel in kernels)), grid))
