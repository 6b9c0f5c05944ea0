"""Scatterplots of one task's score against another's."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.testsets import basis, footnote, label_of, marked, weak_tasks, word_of
from apr.comparisons.wording import correlation, left_out, rho
from apr.figures.style import (
    GREY,
    ORANGE,
    RED,
    Drawing,
    legend_below,
    name_panel,
    panels,
    point_style,
    share_labels,
    styled,
    value_limits,
)
from apr.runs.metrics import PLAIN, Metric
from apr.scores.frames import complete
from apr.scores.tested import Counted, metric_of

# The groups differ by marker too, so that they can be told apart without colour.
GROUPS = {
    "best": {"color": ORANGE, "marker": "^", "zorder": 3},
    "worst": {"color": RED, "marker": "s", "zorder": 3},
    "other": {"color": GREY, "marker": "o", "zorder": 2},
}


@styled
def draw_scatter(
    scores: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    titles: Mapping[str, str],
    highlight: int,
    resamples: int,
    seed: int,
    columns: int | None = None,
    counts: Counted | None = None,
) -> Drawing:
    """One panel for each pair (x, y) of tasks, with Spearman's rho in its title.

    The best and the worst models on the y task are highlighted: `highlight` of each, at most a quarter of the models.
    So the eye sees where the reference's ranking puts those that a target's user looks for.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        pairs: the tasks on the horizontal and on the vertical axis.
        titles: task -> the name that a reader sees.
        highlight: number of best and of worst models to highlight.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        columns: panels in a row, where the order of the pairs has a meaning.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: there is no pair, or one has no model in common.
    """
    if not pairs:
        raise Problem(
            "no pair of tasks to draw: give the study a target and a family, or name tasks under `comparisons`"
        )
    weak = weak_tasks(scores, counts, chain(*pairs))
    titles = marked(titles, weak)
    sizes = [len(complete(scores, pair)) for pair in pairs]
    highlight = min(highlight, min(sizes) // 4)
    figure, axes = panels(len(pairs), columns)
    frames, clauses = [], []
    same_x, same_y = (len({pair[side] for pair in pairs}) == 1 for side in (0, 1))
    for ax, (x, y) in zip(axes, pairs, strict=True):
        frames.append(scatter_points(scores, x, y, highlight, metric_of(counts, y)))
        _draw_points(ax, frames[-1])
        value_limits(ax, frames[-1]["y_value"])
        result = correlate(scores, x, y, resamples, seed, counts)
        name_panel(ax, titles[x if same_y and not same_x else y], rho(result, 2))
        ax.set_xlabel(f"{titles[x]} {metric_of(counts, x).label}")
        ax.set_ylabel(f"{titles[y]} {metric_of(counts, y).label}" if same_y else label_of(counts, [y]))
        clauses.append(f"- {titles[y]} against {titles[x]}: {correlation(result)}")
    share_labels(axes)
    xs, ys = zip(*pairs, strict=True)
    on = titles[pairs[0][1]] if same_y else "the vertical axis"
    against = f"on {titles[pairs[0][0]]}" if same_x else "on another (horizontal axis)"
    sizes_of = pd.concat(frames)["group"].value_counts()
    if highlight:
        several = f"{highlight} " if highlight > 1 else ""
        names = {"best": f"{several}best on {on}", "worst": f"{several}worst on {on}", "other": "other models"}
        shown = [points for points in axes[0].collections if points.get_gid() in sizes_of]  # ties may leave none
        legend_below(figure, shown, [names[points.get_gid()] for points in shown])
    marks = f"Orange triangles: the {highlight} best on {on}; red squares: the {highlight} worst. " if highlight else ""
    if highlight and (
        sizes_of.get("best", 0) < highlight * len(pairs) or sizes_of.get("worst", 0) < highlight * len(pairs)
    ):
        marks += "Models that tie across the limit are not marked. "
    caption = (
        f"Test {word_of(counts, ys)} of each model on one task against its {word_of(counts, xs)} {against}. "
        f"{marks}{left_out(len(scores), sizes)}{footnote(weak, titles)} Spearman's ρ over the models that completed "
        "both tasks (in a table, those that completed all tasks of a row), with "
        f"{basis(resamples, counts, chain(*pairs))}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def scatter_points(scores: pd.DataFrame, x: str, y: str, highlight: int, metric: Metric = PLAIN) -> pd.DataFrame:
    """The points of one panel: tasks, model, values, and the group (best, worst, other) by the metric of y.

    Models that tie across the limit are "other": which of them is among the best would be arbitrary.
    """
    pair = complete(scores, [x, y])
    group = np.full(len(pair), "other", dtype=object)
    loss = metric.loss(pair[y])
    group[loss.rank(method="max") <= highlight] = "best"
    group[loss.rank(method="max", ascending=False) <= highlight] = "worst"
    return pd.DataFrame(
        {
            "x_task": x,
            "y_task": y,
            "model": pair.index,
            "x_value": pair[x].array,
            "y_value": pair[y].array,
            "group": group,
        }
    )


def _draw_points(ax: Axes, points: pd.DataFrame) -> None:
    style = point_style(len(points))
    for group, look in GROUPS.items():
        rows = points[points["group"] == group]
        stressed = {} if group == "other" else {"s": max(style["s"], 11), "alpha": 1}
        ax.scatter(rows["x_value"], rows["y_value"], label=group, gid=group, **(style | stressed | look))
