"""Does a line still hold for later models? Changes of slope and distances from a line, for models of families.

Models of one family resemble each other, so that a test that takes them for independent finds changes where there are
none. Families are what is resampled (cluster bootstrap: Cameron, Gelbach, Miller, Review of Economics and Statistics
90:414, 2008). For comparison there is the p-value of independent models, with the covariance HC3 (MacKinnon, White,
Journal of Econometrics 29:305, 1985), which allows for unequal scatter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from apr.statistics.bootstrap import interval
from apr.statistics.lines import Line, fit_line


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % percentile interval and two-sided p-value (of being 0), both of the cluster bootstrap."""

    value: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class SlopeChange:
    """Two lines, before and after, and the change of slope; heights are the lines' values at `at`."""

    before: Line
    after: Line
    slope_before: Estimate
    slope_after: Estimate
    change: Estimate
    p_independent: float
    at: float
    heights: tuple[float, float]
    resampled_heights: NDArray[np.float64]  # [resamples, before and after]


@dataclass(frozen=True)
class Distance:
    """Mean distance of n units from a line, with its 95 % interval and two-sided p-value (of being 0)."""

    n: int
    mean: float
    low: float
    high: float
    p: float


def slope_change(
    x: ArrayLike, y: ArrayLike, after: ArrayLike, families: Sequence[str], resamples: int, seed: int
) -> SlopeChange:
    """Fit one line before and one after, and test the change of slope (the interaction of an analysis of covariance).

    Args:
        x: [models].
        y: [models].
        after: whether a model belongs to the later line, bool [models].
        families: of the models, [models]; one may have models before and after.
        resamples: of the families; those that do not determine both lines are left out.
        seed: of the bootstrap.

    Raises:
        ValueError: a side has fewer than two different x.
    """
    x, y, after = np.asarray(x, dtype=float), np.asarray(y, dtype=float), np.asarray(after, dtype=bool)
    lines = [fit_line(x[side], y[side]) for side in (~after, after)]
    if any(np.isnan(line.slope) for line in lines):
        raise ValueError("a line needs two different values of x on each side")
    at = float(x[after].mean())
    sides = np.stack([~after, after], axis=1).astype(float)
    design = np.concatenate([sides, sides * (x - at)[:, None]], axis=1)
    drawn = bootstrap_fit(design, y, families, resamples, seed)
    slopes, heights = [line.slope for line in lines], [float(line.at(at)) for line in lines]
    return SlopeChange(
        *lines,
        slope_before=estimate(slopes[0], drawn[:, 2]),
        slope_after=estimate(slopes[1], drawn[:, 3]),
        change=estimate(slopes[1] - slopes[0], drawn[:, 3] - drawn[:, 2]),
        p_independent=hc3_p(design, y, [0, 0, -1, 1]),
        at=at,
        heights=(heights[0], heights[1]),
        resampled_heights=drawn[:, :2],
    )


def kink(
    x: ArrayLike, y: ArrayLike, at: float, families: Sequence[str], resamples: int, seed: int
) -> tuple[Estimate, int]:
    """Change of slope at a given x of two lines that meet there, and the number of models beyond it.

    The place is given, not searched for, so that the p-value needs no correction for the search. NaN where there are
    not two different x on either side.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    beyond = x > at
    if min(len(np.unique(x[beyond])), len(np.unique(x[~beyond]))) < 2:
        return Estimate(*[float("nan")] * 4), int(beyond.sum())
    design = np.stack([np.ones_like(x), x - at, np.maximum(x - at, 0)], axis=1)
    value = np.linalg.lstsq(design, y, rcond=None)[0][2]
    drawn = bootstrap_fit(design, y, families, resamples, seed)
    return estimate(float(value), drawn[:, 2]), int(beyond.sum())


def bootstrap_fit(
    design: NDArray[np.float64], y: NDArray[np.float64], families: Sequence[str], resamples: int, seed: int
) -> NDArray[np.float64]:
    """Coefficients [resamples, columns] of least squares over resampled families; NaN where they are undetermined.

    The draws depend on the number of families, of resamples and the seed alone.

    Args:
        design: [models, columns].
        y: [models].
        families: [models].
        resamples: of the families.
        seed: of the bootstrap.
    """
    _, members = np.unique(np.asarray(families, dtype=str), return_inverse=True)
    count, columns = members.max() + 1, design.shape[1]
    squares, products = np.zeros((count, columns, columns)), np.zeros((count, columns))
    np.add.at(squares, members, design[:, :, None] * design[:, None, :])
    np.add.at(products, members, design * y[:, None])
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=resamples)
    squares, products = np.tensordot(drawn, squares, axes=1), drawn @ products
    determined = np.linalg.matrix_rank(squares, hermitian=True) == columns
    found = np.full((resamples, columns), np.nan)
    found[determined] = np.linalg.solve(squares[determined], products[determined][..., None])[..., 0]
    return found


def estimate(value: float, drawn: NDArray[np.float64]) -> Estimate:
    """A value with the interval and the p-value of its bootstrap [resamples]; NaN among them are left out.

    The p-value is twice the share of resamples on the other side of 0, the value itself counted as one of them.
    """
    defined = drawn[~np.isnan(drawn)]
    if not defined.size:
        return Estimate(value, *[float("nan")] * 3)
    less = min((defined <= 0).sum(), (defined >= 0).sum())
    return Estimate(value, *interval(defined), p=min(1.0, float(2 * (less + 1) / (defined.size + 1))))


def hc3_p(design: NDArray[np.float64], y: NDArray[np.float64], contrast: ArrayLike) -> float:
    """Two-sided p-value of a linear contrast of the coefficients being 0, models taken for independent (HC3)."""
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = inverse @ design.T @ y
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    with np.errstate(divide="ignore", invalid="ignore"):
        weighted = design * ((y - design @ coefficients) / (1 - leverage))[:, None]
        weights = np.asarray(contrast, dtype=float)
        error = np.sqrt(((weighted @ inverse @ weights) ** 2).sum())
        t = np.abs(weights @ coefficients) / error
    return float(2 * stats.t.sf(t, len(y) - design.shape[1]))


def mean_distance(distances: ArrayLike, line_variance: float, line_degrees: int) -> Distance:
    """Mean of the distances of n units from a line that is itself uncertain, by Welch's t-test.

    NaN where one unit leaves the spread unknown.

    Args:
        distances: [units].
        line_variance: of the line's mean height over the units.
        line_degrees: degrees of freedom of that variance.
    """
    values = np.asarray(distances, dtype=float)
    n, mean = len(values), float(np.mean(values))
    own = float(values.var(ddof=1)) / n if n > 1 else float("nan")
    variance = own + line_variance
    if not variance > 0:
        return Distance(n, mean, *[float("nan")] * 3)
    degrees = variance**2 / (own**2 / (n - 1) + line_variance**2 / line_degrees)
    reach = float(stats.t.ppf(0.975, degrees)) * variance**0.5
    return Distance(n, mean, mean - reach, mean + reach, float(2 * stats.t.sf(abs(mean) / variance**0.5, degrees)))
