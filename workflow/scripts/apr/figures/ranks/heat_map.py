"""A matrix of Spearman's rho between all tasks of a ranking, as colours and numbers."""

from collections.abc import Mapping
from itertools import chain, combinations
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from apr.basics.problems import Problem
from apr.comparisons.rankings import intervals_of, ranked_pairs, undefined
from apr.comparisons.testsets import footnote, marked, weak_tasks, words_of
from apr.comparisons.wording import left_out, number
from apr.figures.style import COLUMN, INK, MM, TEXT, Drawing, shortened, styled
from apr.scores.tested import Counted

COLORS = mpl.colormaps["RdBu_r"]
DARK = 0.6  # |rho| from which on the cell's colour asks for white type
FEW, MANY = 6, 15  # rows up to which a column of a page is enough; from which on names are smaller
LARGEST, EDGE, SCALE = 12.0, 1.0, 7.0  # mm: side of a cell, at the edges, for the scale of colours
LONGEST_NAME = 0.4  # of the width
POINT = 25.4 / 72  # mm
LETTER = 0.62  # em that a letter takes
LEAST_TYPE = 3.5  # pt


@styled
def draw_heat_map(
    scores: pd.DataFrame,
    ranking: Mapping[str, Any],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
    families: pd.Series | None = None,
    found: pd.DataFrame | None = None,
) -> Drawing:
    """The lower triangle of a matrix of all tasks that occur in the ranking's pairs, in the order in which they do.

    Its numbers are those of `apr.comparisons.rankings.ranked_pairs` for all pairs of tasks.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        ranking: the keys of `ranked_pairs`.
        titles: task -> the name that a reader sees.
        resamples: of the models, or of the families.
        seed: of the resamples.
        counts: what is known of each task's test images and metric; None: nothing.
        families: name of each model's family.
        found: the numbers, if they are known, of `ranked_pairs` with the same arguments.

    Raises:
        Problem: see `ranked_pairs`; or the pairs name one task alone.
    """
    tasks = list(dict.fromkeys(chain(*ranking["pairs"])))
    if len(tasks) == 1:
        raise Problem(f"rankings: {ranking['name']}: matrix: needs two or more tasks, has {tasks[0]} alone; name more")
    every = {
        **ranking,
        "pairs": [list(pair) for pair in combinations(tasks, 2)],
        "above": None,
        "range_corrected": False,
        "within": [],
        "draws": None,
    }
    if found is None or [list(pair) for pair in ranking["pairs"]] != every["pairs"]:
        found = ranked_pairs(scores, every, resamples, seed, counts, families)
    data = found.drop(columns=[name for name in found if name.startswith("regret")])
    weak = weak_tasks(scores, counts, tasks)
    titles = marked(titles, weak)
    rhos = pd.DataFrame(np.nan, tasks, tasks)
    for x, y, rho in found[["x_task", "y_task", "rho"]].itertuples(index=False):
        rhos.loc[y, x] = rho
    width, size = _page(len(tasks) - 1)
    letters = int(LONGEST_NAME * width / (LETTER * size * POINT))
    names = [shortened(titles[task], letters) for task in tasks]
    cut = [titles[task] for task in tasks if len(titles[task]) > letters]
    in_full = f"Names in full: {'; '.join(cut)}. " if cut else ""
    caption = (
        f"{ranking['title']}: Spearman's ρ between the models' {words_of(counts, tasks)} on the row's and on the "
        "column's task, over the models that have both; red is positive, blue negative, white 0, – not defined. "
        f"{_extremes(found, titles)}The numbers have {intervals_of(every, resamples, counts)}; p (Holm) is, for all "
        "pairs of tasks. "
        f"{undefined(found, titles)}{in_full}"
        f"{left_out(len(scores), found['n'])}{footnote(weak, titles)}"
    )
    return Drawing(_drawn(rhos.to_numpy()[1:, :-1], names), data, caption)


def _page(rows: int) -> tuple[float, float]:
    """Width of the figure in mm and size of its names in pt."""
    return (COLUMN if rows <= FEW else TEXT) / MM, 7.0 if rows <= MANY else 5.5


def _drawn(rhos: np.ndarray, names: list[str]) -> Figure:
    """The triangle of rhos [rows, columns] with the names of its tasks, the first of which has no row of its own."""
    count = len(rhos)
    width, size = _page(count)
    label = max(map(len, names)) * LETTER * size * POINT + 3
    cell = min(LARGEST, (width - label - EDGE) / count)
    height = EDGE + SCALE + count * cell + label
    figure = Figure(figsize=(width * MM, height * MM))
    place = label / width, label / height, count * cell / width, count * cell / height
    ax = figure.add_axes(place)
    lower = np.tril(np.ones(rhos.shape, dtype=bool))
    cells = ax.pcolormesh(np.ma.masked_invalid(rhos), cmap=COLORS, vmin=-1, vmax=1)
    _write_numbers(ax, rhos, lower, cell / POINT)
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, pad=2, labelsize=size)
    ax.set_xticks(np.arange(count) + 0.5, names[:-1], rotation=90)
    ax.set_yticks(np.arange(count) + 0.5, names[1:])
    bar = min(40.0, width - 2 * EDGE - 6)
    scale = figure.add_axes(((width - bar - EDGE - 3) / width, 1 - 3.5 / height, bar / width, 2.5 / height))
    figure.colorbar(cells, cax=scale, orientation="horizontal", ticks=[-1, -0.5, 0, 0.5, 1]).outline.set_visible(False)
    scale.set_ylabel("ρ ", rotation=0, ha="right", va="center")
    scale.tick_params(length=1.5, pad=1, labelsize=6)
    return figure


def _write_numbers(ax: Axes, rhos: np.ndarray, lower: np.ndarray, cell: float) -> None:
    """Rho in each cell (whose side is given in pt), without the 0 before the point where that is too small to read."""
    size = min(7.0, cell / (5.5 * LETTER))
    short = size < 5
    size = max(LEAST_TYPE, cell / (4.5 * LETTER)) if short else size
    for row, column in zip(*np.nonzero(lower), strict=True):
        rho = rhos[row, column]
        text = "–" if np.isnan(rho) else number(rho, 2)
        text = text.replace("0.", ".", 1) if short else text
        color = "white" if abs(rho) > DARK else INK
        ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", size=min(size, 7), color=color)


def _extremes(found: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """A sentence on the mean, the highest and the lowest rho; empty where none is defined."""
    defined = found.dropna(subset="rho").sort_values("rho", kind="stable")
    if defined.empty:
        return ""
    lowest, highest = (
        f"{titles[row.x_task]} and {titles[row.y_task]} ({number(row.rho, 2)})"
        for row in defined.iloc[[0, -1]].itertuples()
    )
    return f"The mean of the ρ is {number(defined['rho'].mean(), 2)}; highest: {highest}, lowest: {lowest}. "
