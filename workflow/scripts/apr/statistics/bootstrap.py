"""Models drawn with replacement, their ranks, and the intervals of what is computed again for each draw."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

NAN = float("nan")
PERCENTILES = (2.5, 97.5)
CHUNK = 2**21  # drawn values that are held at once: 16 MiB an array
CACHED = 2**18  # where every draw is ranked: it is faster within a processor's cache


def two_vectors(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of the same models on two tasks, float64 [models] each.

    Raises:
        ValueError: they are no vectors of one length, or hold NaN.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"expected two vectors of one length, got shapes {x.shape} and {y.shape}")
    if np.isnan(x).any() or np.isnan(y).any():
        raise ValueError("values must not be NaN: leave out the models that did not complete")
    return x, y


def interval(values: NDArray[np.float64], percentiles: tuple[float, float] = PERCENTILES) -> tuple[float, float]:
    """Percentile interval of draws [draws], or from the least to the largest bound of those of several rows of draws.

    NaN among them (undefined resamples) are left out; without any that is defined, the bounds are NaN.
    """
    rows = [row[~np.isnan(row)] for row in np.atleast_2d(values)]
    bounds = [np.percentile(row, percentiles) for row in rows if row.size]
    if not bounds:
        return NAN, NAN
    return float(min(low for low, _ in bounds)), float(max(high for _, high in bounds))


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """p-values corrected for their number by Holm's method (Scandinavian Journal of Statistics 6, 1979, 65-70).

    NaN (undefined tests) stay and do not count.
    """
    p = np.asarray(p, dtype=float)
    corrected = np.full(p.shape, NAN)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return corrected


def resampled_rows(n: int, resamples: int, seed: int | Sequence[int]) -> NDArray[np.int64]:
    """Positions of n models drawn with replacement, int64 [resamples, n]; the same for the same n and seed."""
    return np.concatenate(list(resampled_chunks(n, resamples, seed)))


def resampled_chunks(
    n: int, resamples: int, seed: int | Sequence[int], rows: int | None = None
) -> Iterator[NDArray[np.int64]]:
    """The rows of `resampled_rows`, so many at a time that memory is bounded whatever the number of models.

    They are the same however many `rows` are asked for at a time.
    """
    random = np.random.default_rng(seed)
    size = max(1, rows or CHUNK // n)
    for start in range(0, resamples, size):
        yield random.integers(n, size=(min(size, resamples - start), n))


def times_drawn(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each model stands in each row of `resampled_rows`, [rows, models]."""
    count, n = rows.shape
    places = rows + n * np.arange(count)[:, None]
    return np.bincount(places.ravel(), minlength=count * n).reshape(count, n)


def resampled_ranks(values: NDArray, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rank of each model in each resample, ties at their average, less the mean rank, [rows, models].

    That of `centred_ranks`, for models drawn so many `times`, without sorting each resample. Where families of models
    are drawn, resamples differ in their number of models.
    """
    order = np.argsort(values, kind="stable")
    _, first, group = np.unique(values[order], return_index=True, return_inverse=True)
    drawn = np.add.reduceat(times[:, order], first, axis=1)
    middle = drawn.cumsum(axis=1) - drawn / 2
    middle -= drawn.sum(axis=1, keepdims=True) / 2
    ranks = np.empty(times.shape)
    ranks[:, order] = middle[:, group]
    return ranks


def centred_ranks(rows: NDArray) -> NDArray[np.float64]:
    """Ranks within each row, ties at their average, less their mean: float64 [rows, models]."""
    ranks = stats.rankdata(rows, axis=1)
    return ranks - (rows.shape[1] + 1) / 2


def resampled_correlation(x: NDArray, y: NDArray, times: NDArray[np.int64]) -> NDArray[np.float64]:
    """Spearman's rho of two vectors [models] in each resample of `times` [rows, models], [rows]; NaN if constant."""
    x, y = resampled_ranks(x, times), resampled_ranks(y, times)
    sums = [np.einsum("ij,ij,ij->i", one, other, times) for one, other in ((x, y), (x, x), (y, y))]
    with np.errstate(invalid="ignore"):
        return sums[0] / np.sqrt(sums[1] * sums[2])


def rank_correlation(x: NDArray, y: NDArray) -> NDArray[np.float64]:
    """Spearman's rho within each row of x and y [rows, models], [rows]; NaN where a row is constant."""
    x, y = centred_ranks(x), centred_ranks(y)
    with np.errstate(invalid="ignore"):
        return (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
