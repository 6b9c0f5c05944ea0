"""Lines through the accuracies of models on two test sets, and their bootstrap over models.

The bootstrap draws models with replacement, each with both of its accuracies, and fits again; so does the code of the
authors of ImageNetV2 (modestyachts/imagenet-testbed, plotting/plotter.py, run_bootstrap_linreg).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from apr.basics.problems import Problem
from apr.statistics.bootstrap import resampled_chunks, two_vectors


@dataclass(frozen=True)
class Line:
    """y = slope * x + offset; NaN where no line is determined."""

    slope: float
    offset: float

    def at(self, x: ArrayLike) -> NDArray[np.float64]:
        """The line's value at x, of x's shape."""
        return self.slope * np.asarray(x, dtype=float) + self.offset


def fit_line(x: ArrayLike, y: ArrayLike) -> Line:
    """Least squares of y on x, two vectors [models]; a Line of NaN where fewer than two values of x differ."""
    x, y = two_vectors(x, y)
    if not len(x) or np.ptp(x) == 0:
        return Line(float("nan"), float("nan"))
    slopes, offsets = _lines(x[None] - x.mean(), y[None] - y.mean())
    slope = float(slopes[0])
    return Line(slope, float(offsets[0] + y.mean() - slope * x.mean()))


def bootstrap_lines(
    x: ArrayLike, y: ArrayLike, samples: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes and offsets [samples] of lines through resampled models; NaN where a resample determines no line.

    The draws depend on the number of models, of samples and the seed alone, so that two calls over the same models
    are paired. Memory is bounded, whatever the number of models.
    """
    x, y = two_vectors(x, y)
    centre_x, centre_y = x.mean(), y.mean()
    x, y = x - centre_x, y - centre_y  # sums of squares of centred values lose no digits
    parts = [_lines(x[rows], y[rows]) for rows in resampled_chunks(len(x), samples, seed)]
    slopes, offsets = (np.concatenate(part) for part in zip(*parts, strict=True))
    return slopes, offsets + centre_y - slopes * centre_x


def bootstrap_means(values: ArrayLike, samples: int, seed: int) -> NDArray[np.float64]:
    """Means [samples] of resampled models' values [models]; the same draws as `bootstrap_lines`."""
    values = np.asarray(values, dtype=float)
    return np.concatenate([values[rows].mean(axis=1) for rows in resampled_chunks(len(values), samples, seed)])


def bootstrap_variances(values: ArrayLike, samples: int, seed: int) -> NDArray[np.float64]:
    """Unbiased variances [samples] of resampled models' values [models]; the same draws as `bootstrap_lines`."""
    values = np.asarray(values, dtype=float)
    n = len(values)
    parts = [values[rows].var(axis=1) * (n / (n - 1)) ** 2 for rows in resampled_chunks(n, samples, seed)]
    return np.concatenate(parts)


def band(
    grid: ArrayLike, slopes: NDArray[np.float64], offsets: NDArray[np.float64], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pointwise percentile interval of bootstrapped lines: low and high [grid]; NaN among the lines are left out.

    Args:
        grid: where, [grid].
        slopes: of the bootstrapped lines, [samples].
        offsets: of the same lines, [samples].
        confidence: in %, such as 95.
    """
    defined = ~np.isnan(slopes)
    grid = np.asarray(grid, dtype=float)
    if not defined.any():
        return np.full(grid.shape, np.nan), np.full(grid.shape, np.nan)
    slopes, offsets = slopes[defined], offsets[defined]
    tail = (100 - confidence) / 2
    low, high = zip(*(np.percentile(slopes * x + offsets, (tail, 100 - tail)) for x in grid), strict=True)
    return np.array(low), np.array(high)


def probit(accuracy: pd.Series) -> pd.Series:
    """Quantiles of the normal distribution at accuracies (%), indexed by model.

    Accuracies of 0 and 100 % have none. The authors' code (see above) makes them infinite, which no line goes through.

    Raises:
        Problem: a model's accuracy is 0 or 100 %.
    """
    ends = accuracy[(accuracy <= 0) | (accuracy >= 100)]
    if len(ends):
        raise Problem(
            f"model {ends.index[0]}: its accuracy of {ends.iloc[0]:g} % has no place on the probit scale, which ends "
            "before 0 and 100 %; name the model under probit_without"
        )
    return pd.Series(ndtri(accuracy / 100), index=accuracy.index)


def from_probit(quantile: ArrayLike) -> NDArray[np.float64]:
    """Accuracies (%) at quantiles of the normal distribution, of the same shape."""
    return 100 * ndtr(np.asarray(quantile, dtype=float))


def _lines(x: NDArray, y: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes and offsets [rows] of least squares within each row of x and y [rows, models]."""
    n = x.shape[1]
    mean_x, mean_y = x.mean(axis=1), y.mean(axis=1)
    variance = np.einsum("ij,ij->i", x, x) / n - mean_x**2
    covariance = np.einsum("ij,ij->i", x, y) / n - mean_x * mean_y
    # rounding leaves a variance beside 0 where one model was drawn every time
    variance[(x == x[:, :1]).all(axis=1)] = np.nan
    slopes = covariance / variance
    return slopes, mean_y - slopes * mean_x
