"""All pairs of tasks in one matrix: scatterplots, distributions and rank correlations."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from textwrap import wrap

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.testsets import MARK, basis, footnote, label_of, marked, weak_tasks, word_of, words_of
from apr.comparisons.wording import UNDEFINED, bounds, left_out, number, same_as
from apr.figures.style import BLUE, GREY, INK, MM, TEXT, Drawing, point_style, styled, value_scale
from apr.scores.frames import complete
from apr.scores.tested import Counted
from apr.statistics.ranks import Correlation

POINT = 25.4 / 72  # mm
LEFT, BOTTOM, EDGE, GAP = 13, 10, 1, 1  # mm: for axis labels, at the other edges, between cells
INTERVAL_WIDTH = 7.7  # em, of "[−0.51, −0.38]" in DejaVu Sans
LEAST_TYPE = 5.0  # pt
COLORS = mpl.colormaps["RdBu_r"]
TICKS = {"size": 1.5, "labelsize": 5.5, "pad": 1.5}
DARK = 0.6  # |rho| from which on the cell's colour asks for white type


@styled
def draw_all_pairs(
    scores: pd.DataFrame,
    tasks: Sequence[str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """A matrix of tasks: below the diagonal scatterplots, on it distributions of scores, above it Spearman's rho.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        tasks: rows and columns of the matrix, in order.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: fewer than two tasks, or two that have no model in common.
    """
    if len(tasks) < 2:
        raise Problem(
            f"comparisons: all_pairs: names {len(tasks)} of the two or more tasks that a pair needs; name more"
        )
    weak = weak_tasks(scores, counts, tasks)
    titles = marked(titles, weak)
    figure, grid, cell = _matrix(len(tasks), word_of(counts, tasks), label_of(counts, tasks))
    frames = [pd.DataFrame({"kind": "value", "x_task": t, **_values(scores, t)}) for t in tasks]
    results = {}
    for i, j in combinations(range(len(tasks)), 2):
        x, y = tasks[i], tasks[j]
        pair = complete(scores, [x, y])
        style = point_style(len(pair))
        style["s"] *= min(1, cell / 100)
        grid[j, i].scatter(pair[x], pair[y], color=BLUE, gid=f"{x} {y}", **style)
        results[x, y] = correlate(scores, x, y, resamples, seed, counts)
        _write_rho(grid[i, j], results[x, y], cell, MARK if weak.keys() & {x, y} else "")
    for i, task in enumerate(tasks):
        frames.append(_draw_distribution(grid[i, i], scores[task].dropna(), task, titles[task], cell))
    _scale_axes(grid, scores, tasks)
    numbers = [{"kind": "rho", "x_task": x, "y_task": y, **vars(result)} for (x, y), result in results.items()]
    data = pd.concat([pd.DataFrame(numbers), *frames], ignore_index=True).drop(columns="reason")
    rhos = pd.Series({pair: result.rho for pair, result in results.items() if not weak.keys() & set(pair)}).dropna()
    word = word_of(counts, tasks)
    caption = (
        f"All pairs of {len(tasks)} tasks. Below the diagonal: test {word} of each model on the row's task against its "
        f"{word} on the column's task, each on its own scale. On the diagonal: the task and the distribution of its "
        f"{words_of(counts, tasks)}. Above the diagonal: Spearman's ρ of the row's and the column's task, in bold "
        "where its interval "
        "excludes 0; red is positive, blue negative, white 0. In brackets: "
        f"{basis(resamples, counts, tasks)}. {left_out(len(scores), [result.n for result in results.values()])}"
        f"{_extremes(rhos, titles)}{_undefined(results, titles)}{footnote(weak, titles)}"
    )
    return Drawing(figure, data, caption)


def _matrix(count: int, word: str, label: str) -> tuple[Figure, np.ndarray, float]:
    """A figure of count x count cells, and the width of a cell in points."""
    width = TEXT / MM
    cell = (width - LEFT - EDGE - (count - 1) * GAP) / count
    tall = cell * (0.75 if count < 6 else 1)
    height = BOTTOM + EDGE + count * tall + (count - 1) * GAP
    figure = Figure(figsize=(TEXT, height * MM))
    where = {"left": LEFT / width, "right": 1 - EDGE / width, "bottom": BOTTOM / height, "top": 1 - EDGE / height}
    spacing = {"wspace": GAP / cell, "hspace": GAP / tall}
    grid = figure.subplots(count, count, squeeze=False, gridspec_kw=where | spacing)
    unit = label.removeprefix(word.capitalize())
    figure.supxlabel(f"{word.capitalize()} on the column's task{unit}", y=1.2 / height, va="bottom")
    figure.supylabel(f"{word.capitalize()} on the row's task{unit}", x=1.2 / width, ha="left")
    return figure, grid, cell / POINT


def _values(scores: pd.DataFrame, task: str) -> dict:
    values = scores[task].dropna()
    return {"model": values.index, "value": values.array}


def _write_rho(ax: Axes, result: Correlation, cell: float, mark: str) -> None:
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    if math.isnan(result.rho):
        ax.set_facecolor("#eeeeee")
        ax.text(0.5, 0.5, UNDEFINED, ha="center", va="center", size=min(7, cell / 5.5), color=INK)
        return
    ax.set_facecolor(COLORS((result.rho + 1) / 2))
    color = "white" if abs(result.rho) > DARK else INK
    certain = not mark and (result.low > 0 or result.high < 0)
    large, small = min(9, cell / 4.2), min(6.5, cell / INTERVAL_WIDTH)
    low, high = bounds(result.low, result.high, 2)
    lines = ["[no interval]" if math.isnan(result.low) else f"[{low}, {high}]"]
    if small < LEAST_TYPE:
        lines, small = lines[0].replace(" ", "\n").splitlines(), LEAST_TYPE
    middle = {"xy": (0.5, 0.5), "xycoords": "axes fraction", "textcoords": "offset points", "color": color}
    place = middle | {"ha": "center"}
    ax.annotate(
        f"{number(result.rho, 2)}{mark}", xytext=(0, 1), size=large, weight="bold" if certain else "normal", **place
    )
    ax.annotate("\n".join(lines), xytext=(0, -2), size=small, va="top", linespacing=1.05, **place)


def _draw_distribution(ax: Axes, values: pd.Series, task: str, title: str, cell: float) -> pd.DataFrame:
    counts, edges = np.histogram(values, bins=min(20, max(4, round(len(values) ** 0.5))))
    ax.stairs(counts, edges, fill=True, color=GREY, gid=task)
    size = min(7, max(LEAST_TYPE, cell / 7))
    name = "\n".join(wrap(title, int(cell / size / 0.68)))  # em that a bold letter takes
    ax.set_ylim(0, counts.max() * (1.6 + 0.2 * name.count("\n")))
    ax.annotate(
        name,
        xy=(0.5, 1),
        xycoords="axes fraction",
        xytext=(0, -2),
        textcoords="offset points",
        ha="center",
        va="top",
        size=size,
        weight="bold",
        linespacing=1.05,
    )
    bins = {"bin_low": edges[:-1], "bin_high": edges[1:], "models": counts}
    return pd.DataFrame({"kind": "distribution", "x_task": task, **bins})


def _scale_axes(grid: np.ndarray, scores: pd.DataFrame, tasks: Sequence[str]) -> None:
    """One scale for each task; numbers at the left column and the lowest row alone."""
    last = len(tasks) - 1
    for i, task in enumerate(tasks):
        limits = value_scale(scores[task])
        ticks = _inner_ticks(*limits)
        for row in range(i, last + 1):
            grid[row, i].set(xlim=limits, xticks=ticks)
            grid[row, i].tick_params(axis="x", labelbottom=row == last, **TICKS)
        for column in range(i):
            grid[i, column].set(ylim=limits, yticks=ticks)
            grid[i, column].tick_params(axis="y", labelleft=column == 0, **TICKS)
        grid[i, i].set_yticks([])
        grid[i, i].spines["left"].set_visible(False)


def _inner_ticks(low: float, high: float) -> list[float]:
    """The outer two of the round numbers that are far enough from the ends for labels of neighbours not to meet."""
    ticks = MaxNLocator(8, steps=[1, 2, 5, 10]).tick_values(low, high)
    edge = 0.12 * (high - low)
    inner = ticks[(ticks >= low + edge) & (ticks <= high - edge)]
    return [inner[0], inner[-1]]


def _extremes(rhos: pd.Series, titles: Mapping[str, str]) -> str:
    if rhos.empty:
        return ""
    highest, lowest = (_end(rhos, value, titles) for value in (rhos.max(), rhos.min()))
    return f" The mean of the ρ is {number(rhos.mean(), 2)}; highest: {highest}, lowest: {lowest}."


def _end(rhos: pd.Series, value: float, titles: Mapping[str, str]) -> str:
    first, *others = (f"{titles[x]} and {titles[y]}" for x, y in rhos.index[rhos == value])
    return f"{first} ({number(value, 2)}{same_as(others)})"


def _undefined(results: Mapping[tuple[str, str], Correlation], titles: Mapping[str, str]) -> str:
    lacking = [f"{titles[x]} and {titles[y]} ({r.reason})" for (x, y), r in results.items() if math.isnan(r.rho)]
    return f" Undefined: {', '.join(lacking)}." if lacking else ""
