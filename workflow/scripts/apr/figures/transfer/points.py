"""Models as points of a panel: scores with intervals against ImageNet accuracy, the level of a guess, the scale."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes

from apr.comparisons.transfer.targets import Scored, Transfer
from apr.comparisons.wording import sentence
from apr.figures.style import BLUE, FAINT, INK, point_style, shortened

LINE = 9.5  # points of height of a line of text above a panel
MANY = 40  # models from which on they would hide lines
MARGIN = 0.05  # of an axis, around what is drawn
GUESS_WITHIN = 0.5  # of the height of what is drawn: a guess's level that is further below would flatten it
UNKNOWN = "no model whose\nImageNet accuracy is known"


def metric_label(scored: Scored) -> str:
    """What an axis of scores says: "Top-1 accuracy (%)"."""
    unit = f" ({scored.metric.unit})" if scored.metric.unit else ""
    return f"{sentence(scored.metric.name)}{unit}"


def name_lines(ax: Axes, name: str, results: Sequence[tuple[str, str]], letter: str = "") -> None:
    """Above a panel its name in bold, and below that a result a line, each a text and its colour."""
    place = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "baseline"}
    for i, (text, color) in enumerate(reversed(results)):
        ax.annotate(text, (0, 1), (0, 4 + LINE * i), color=color, **place)
    above = 5 + LINE * len(results)
    columns = ax.get_subplotspec().get_gridspec().ncols
    ax.annotate(shortened(name, 100 // columns), (0, 1), (0, above), weight="bold", **place)
    if letter:
        ax.annotate(letter, (0, 1), (-20, above), size=10, weight="bold", **place)


def points_of(transfer: Transfer, scored: Scored, source: str) -> pd.DataFrame:
    """The points of a panel: model, imagenet, value, low, high, above (the limit, on the reference)."""
    models = transfer.common(scored, source=source)
    own = scored.of(models)
    limit = transfer.settings["above"]
    columns = {"imagenet": transfer.sources[source][models], "value": own.values, "low": own.low, "high": own.high}
    points = pd.DataFrame({name: column.to_numpy(dtype=float) for name, column in columns.items()})
    points.insert(0, "model", models)
    return points.assign(above=limit is not None and (transfer.imagenet[models] > limit).to_numpy())


def place_points(ax: Axes, points: pd.DataFrame, color: str | None = None, hollow: bool = False) -> Artist:
    """Models with the intervals of their scores; those above the limit are blue, or all of one colour."""
    colors = np.where(points["above"], BLUE, INK) if color is None else np.full(len(points), color)
    bars = np.abs(points[["low", "high"]].sub(points["value"], axis=0)).T.to_numpy()
    look: dict[str, Any] = {"fmt": "none", "elinewidth": 0.6, "alpha": 0.6, "zorder": 3}
    if np.isfinite(bars).any():
        ax.errorbar(points["imagenet"], points["value"], yerr=bars, ecolor=colors, **look)
    many = len(points) > MANY
    marks: dict[str, Any] = {"s": 13, "linewidths": 0.8 if hollow else 0.4} | (point_style(len(points)) if many else {})
    marks |= {"facecolors": "white" if hollow else colors, "edgecolors": colors if hollow else "white"}
    return ax.scatter(points["imagenet"], points["value"], zorder=2.2 if many else 4, **marks)


def guess_line(ax: Axes, guess: float | None, points: pd.DataFrame) -> Artist | None:
    """A line at the level of a guess, where that is in range of what is drawn, or near it."""
    values = points[["value", "low", "high"]].to_numpy()
    low, high = np.nanmin(values), np.nanmax(values)
    if guess is None or not low - GUESS_WITHIN * max(high - low, 1) <= guess <= high + GUESS_WITHIN * max(
        high - low, 1
    ):
        return None
    return ax.axhline(guess, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)


def scale(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Limits around the points; bands may leave them."""
    for values, set_limits in ((x, ax.set_xlim), (y, ax.set_ylim)):
        low, high = np.nanmin(values), np.nanmax(values)
        margin = max(MARGIN * (high - low), 0.5)
        set_limits(low - margin, high + margin)


def say_nothing(ax: Axes, text: str = UNKNOWN) -> None:
    """Write in an empty panel why it is."""
    ax.set(xticks=[], yticks=[])
    ax.text(0.5, 0.5, text, ha="center", va="center", transform=ax.transAxes)
