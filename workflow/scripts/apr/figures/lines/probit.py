"""Axes of accuracies in percent, linear or scaled by the quantiles of the normal distribution (probit)."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from apr.statistics.lines import from_probit

# Round ones first: each is a tick if it is far enough from those before it.
TICKS = (50, 90, 10, 80, 20, 70, 30, 60, 40, 95, 5, 99, 1, 85, 15, 98, 2, 97, 96, 94, 92, 88, 75, 65)
TICKS += (99.5, 0.5, 99.9, 0.1)
MOST_TICKS = 9
SPARE = 1e-4  # %: how far from 0 and 100 the scale ends


def quantile(accuracy: ArrayLike) -> NDArray[np.float64]:
    """The probit scale's place of accuracies (%), of their shape; for 0 and 100 a far one instead of an infinite."""
    return ndtri(np.clip(np.asarray(accuracy, dtype=float), SPARE, 100 - SPARE) / 100)


def limits(values: ArrayLike, scale: str, margin: float) -> tuple[float, float]:
    """Limits (%) of an axis around accuracies (%), with a margin in parts of it; NaN among them do not count."""
    values = np.asarray(values, dtype=float)
    low, high = (np.nanmin(values), np.nanmax(values)) if values.size else (49, 51)
    if low == high:
        low, high = low - 1, high + 1
    if scale == "linear":
        return float(low - margin * (high - low)), float(high + margin * (high - low))
    low, high = quantile([low, high])
    margin *= high - low
    return tuple(map(float, from_probit([low - margin, high + margin])))


def scale_axes(
    ax: Axes,
    x: tuple[float, float],
    y: tuple[float, float],
    scale: str,
    *,
    apart: float,
    most_ticks: int = MOST_TICKS,
) -> None:
    """Scale both axes between limits (%), with ticks in %.

    Args:
        ax: whose data are accuracies (%).
        x: limits of the horizontal axis.
        y: limits of the vertical axis.
        scale: "linear" or "probit".
        apart: least distance of two ticks on the probit scale, in parts of the axis.
        most_ticks: of an axis with evenly spaced ticks.
    """
    if scale == "probit":
        ax.set_xscale("function", functions=(quantile, from_probit))
        ax.set_yscale("function", functions=(quantile, from_probit))
    for axis, ends in ((ax.xaxis, x), (ax.yaxis, y)):
        axis.set_major_locator(FixedLocator(_ticks(*ends, scale, apart, most_ticks)))
        axis.set_major_formatter("{x:g}")
    ax.set(xlim=x, ylim=y)


def _ticks(low: float, high: float, scale: str, apart: float, most: int) -> list[float]:
    start, end = quantile([low, high])
    ticks: list[float] = []
    for tick in TICKS if scale == "probit" else ():
        if low <= tick <= high and all(abs(quantile(tick) - quantile(t)) > apart * (end - start) for t in ticks):
            ticks.append(tick)
    if len(ticks) > 2:
        return sorted(ticks)
    return [tick for tick in MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(low, high) if low <= tick <= high]
