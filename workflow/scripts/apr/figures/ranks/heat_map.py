"""A matrix of Spearman's rho between all tasks of a ranking, as colours and numbers."""

from collections.abc import Mapping
from itertools import chain, combinations
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from apr.basics.problems import Problem
from apr.comparisons.rankings import intervals_of, ranked_pairs, undefined
from apr.comparisons.testsets import footnote, marked, weak_tasks, words_of
from apr.comparisons.wording import left_out
from apr.figures.style import INK, MM, TEXT, Drawing, styled
from apr.scores.tested import Counted

COLORS = mpl.colormaps["RdBu_r"]
DARK = 0.6  # |rho| from which on the cell's colour asks for white type
LARGEST, LEAST_TYPE = 14.0, 4.0  # mm of a cell, pt
POINT = 25.4 / 72  # mm
LETTER = 0.6  # em that a letter takes
UNDEFINED_COLOR = "#eeeeee"


@styled
def draw_heat_map(
    scores: pd.DataFrame,
    ranking: Mapping[str, Any],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
    families: pd.Series | None = None,
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

    Raises:
        Problem: see `ranked_pairs`; or the pairs name one task alone.
    """
    tasks = list(dict.fromkeys(chain(*ranking["pairs"])))
    if len(tasks) == 1:
        raise Problem(f"rankings: {ranking['name']}: matrix: needs two or more tasks, has {tasks[0]} alone; name more")
    every = {
        **ranking,
        "pairs": list(combinations(tasks, 2)),
        "above": None,
        "range_corrected": False,
        "within": [],
        "draws": None,
    }
    found = ranked_pairs(scores, every, resamples, seed, counts, families)
    data = found.drop(columns=["regret", "regret_share"])
    weak = weak_tasks(scores, counts, tasks)
    titles = marked(titles, weak)
    rhos = pd.DataFrame(np.nan, tasks, tasks)
    for x, y, rho in found[["x_task", "y_task", "rho"]].itertuples(index=False):
        rhos.loc[y, x] = rho
    figure = _drawn(rhos.to_numpy()[1:, :-1], [titles[task] for task in tasks])
    caption = (
        f"{ranking['title']}: Spearman's ρ between the models' {words_of(counts, tasks)} on the row's and on the column's "
        "task, over the models that have both; red is positive, blue negative, white 0. Intervals are in the table of "
        f"numbers: {intervals_of(every, resamples, counts)}; p (Holm) is. {_extremes(found, titles)}"
        f"{undefined(found, titles)}{left_out(len(scores), found['n'])}{footnote(weak, titles)}"
    )
    return Drawing(figure, data, caption)


def _drawn(rhos: np.ndarray, names: list[str]) -> Figure:
    """The triangle of rhos [rows, columns]; all lengths are in mm."""
    count, width = len(rhos), TEXT / MM
    size = 7.0 if count <= 15 else 5.5
    label = min(45.0, max(map(len, names)) * LETTER * size * POINT + 3)
    cell = min(LARGEST, (width - label - 2) / count)
    size = min(size, max(LEAST_TYPE, cell / POINT))
    height = count * cell + label + 2
    figure = Figure(figsize=(TEXT, height * MM))
    ax = figure.add_axes((label / width, label / height, count * cell / width, count * cell / height))
    lower = np.tril(np.ones(rhos.shape, dtype=bool))
    ax.set_facecolor("none")
    colors = COLORS.with_extremes(bad=UNDEFINED_COLOR)
    shown = ax.pcolormesh(np.where(lower, rhos, 0), cmap=colors, vmin=-1, vmax=1, edgecolor="white", linewidth=0.5)
    shown.set_gid("rho")
    for row, column in zip(*np.nonzero(lower), strict=True):
        rho = rhos[row, column]
        color = "white" if abs(rho) > DARK else INK
        ax.text(column + 0.5, row + 0.5, _short(rho, small), ha="center", va="center", size=size, color=color)
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0, pad=2, labelsize=size)
    ax.set_xticks(np.arange(count) + 0.5, names[:-1], rotation=90)
    ax.set_yticks(np.arange(count) + 0.5, names[1:])
    _add_scale(figure, shown, ax)
    return figure
