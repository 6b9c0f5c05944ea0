"""Small multiples: a scatterplot for each pair of tasks of a ranking, the best correlation first."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from apr.comparisons.rankings import intervals_of, limit_of, ranked_pairs
from apr.comparisons.testsets import footnote, label_of, marked, weak_tasks, word_of
from apr.comparisons.wording import correlation, left_out, number, with_interval
from apr.figures.grid import Grid
from apr.figures.style import (
    FAINT,
    GREY,
    RED,
    Drawing,
    point_style,
    shortened,
    styled,
    value_scale,
)
from apr.scores.frames import complete
from apr.scores.tested import Counted, metric_of
from apr.statistics.ranks import Correlation

MOST_POINTS = 5000  # of the numbers beside the figure
MOST_DRAWN = 1000  # points of a panel that a PDF draws one by one


@styled
def draw_multiples(
    scores: pd.DataFrame,
    ranking: Mapping[str, Any],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
    families: pd.Series | None = None,
    found: pd.DataFrame | None = None,
) -> Drawing:
    """A panel for each pair of tasks with Spearman's rho, and, in the accent colour, the models and rho above a limit.

    Its numbers are the points, or, of more than 5,000 points, the correlations.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        ranking: the keys of `apr.comparisons.rankings.ranked_pairs`.
        titles: task -> the name that a reader sees.
        resamples: of the models, or of the families.
        seed: of the resamples.
        counts: what is known of each task's test images and metric; None: nothing.
        families: name of each model's family.
        found: the numbers, if they are known, of `ranked_pairs` with the same arguments.

    Raises:
        Problem: see `ranked_pairs`.
    """
    if found is None:
        asked = {**ranking, "within": [], "draws": None, "range_corrected": False}
        found = ranked_pairs(scores, asked, resamples, seed, counts, families)
    found = found.sort_values("rho", ascending=False, kind="stable", ignore_index=True)
    rows = found.to_dict("records")
    tasks = list(chain(*ranking["pairs"]))
    weak = weak_tasks(scores, counts, tasks)
    titles = marked(titles, weak)
    frames = [_points(scores, row["x_task"], row["y_task"], ranking["above"], counts) for row in rows]
    points = pd.concat(frames, ignore_index=True)
    same_x, same_y = (len(set(found[side])) == 1 for side in ("x_task", "y_task"))
    names = [titles[row["x_task"] if same_y and not same_x else row["y_task"]] for row in rows]
    limit = "" if ranking["above"] is None else limit_of(ranking, counts)
    grid = Grid(names, same_x, bool(limit))
    figure, axes = grid.drawn()
    results = _results(rows, grid.letters)
    for ax, row, name, result, of_panel in zip(axes, rows, names, results, frames, strict=True):
        _draw_points(ax, of_panel, ranking["above"])
        if same_x:
            ax.set_xlim(value_scale(points["x_value"]))
        ax.locator_params(nbins=5 if grid.columns <= 3 else 3, min_n_ticks=2)
        grid.name(ax, name, *result)
        label = metric_of(counts, row["x_task"]).label
        title = "" if same_y and not same_x else titles[row["x_task"]]
        room = grid.row if same_x else grid.letters - 2
        if row["x_metric"] == row["y_metric"] and 0 < len(title) <= room < len(f"{title} {label}"):
            label = ""  # the vertical axis says it
        ax.set_xlabel(f"{shortened(title, room - len(label))} {label}".strip())
        ax.set_ylabel(label_of(counts, [row["y_task"]]))
    grid.label(figure, axes)
    if limit:
        place = shortened(titles[rows[0]["x_task"]], grid.row - 40) if same_x else "the horizontal axis"
        handles = [collection for collection in axes[0].collections if collection.get_gid()]
        grid.legend(figure, handles, [f"{limit} or better on {place}", "other models"])
    return Drawing(
        figure,
        points if len(points) <= MOST_POINTS else found,
        _caption(scores, rows, ranking, titles, limit, resamples, counts) + footnote(weak, titles),
    )


def _points(scores: pd.DataFrame, x: str, y: str, above: float | None, counts: Counted | None) -> pd.DataFrame:
    """The points of one panel: tasks, model, values, and whether the model is above the limit, if there is one."""
    pair = complete(scores, [x, y])
    points = {"x_task": x, "y_task": y, "model": pair.index, "x_value": pair[x].array, "y_value": pair[y].array}
    if above is not None:
        metric = metric_of(counts, x)
        points["above"] = (metric.loss(pair[x]) <= metric.loss(above)).array
    return pd.DataFrame(points)


def _draw_points(ax: Axes, points: pd.DataFrame, above: float | None) -> None:
    style: dict[str, Any] = point_style(len(points))
    if len(points) > MOST_DRAWN:
        style |= {"s": 1.5, "alpha": 0.3, "rasterized": True}
    is_above = points.get("above", pd.Series(False, points.index)).astype(bool)
    for name, which, color in (("above", is_above, RED), ("other", ~is_above, GREY)):
        rows = points[which]
        if above is not None or name == "other":
            ax.scatter(rows["x_value"], rows["y_value"], color=color, gid=name, zorder=2, **style)
    ax.set(xlim=value_scale(points["x_value"]), ylim=value_scale(points["y_value"]))
    if above is not None:
        ax.axvline(above, color=FAINT, linewidth=0.5, linestyle=(0, (4, 3)), zorder=1)


def _results(rows: list[dict[str, Any]], letters: int) -> list[tuple[str, str]]:
    """Rho of each panel, and that of the models above the limit; with intervals if they all have their place."""

    def said(row: Mapping[str, Any], suffix: str, interval: bool) -> str:
        value, low, high = (row[f"{name}{suffix}"] for name in ("rho", "low", "high"))
        return with_interval(value, low, high, 2) if interval else number(value, 2)

    def results(interval: bool) -> list[tuple[str, str]]:
        above = [said(row, "_above", interval) if "rho_above" in row else "" for row in rows]
        equals = ["ρ" if np.isnan(row["rho"]) else "ρ =" for row in rows]
        whole = [f"{sign} {said(row, '', interval)}" for sign, row in zip(equals, rows, strict=True)]
        return list(zip(whole, above, strict=True))

    full = results(interval=True)
    return full if max(len(whole) + len(above) for whole, above in full) < letters else results(interval=False)


def _caption(
    scores: pd.DataFrame,
    rows: list[dict[str, Any]],
    ranking: Mapping[str, Any],
    titles: Mapping[str, str],
    limit: str,
    resamples: int,
    counts: Counted | None,
) -> str:
    xs, ys = zip(*ranking["pairs"], strict=True)
    lines = []
    for row in rows:
        whole = Correlation(*(row[name] for name in ("rho", "low", "high", "p", "n")), reason=row["reason"])
        text = f"- {titles[row['y_task']]} against {titles[row['x_task']]}: {correlation(whole)}"
        if limit:
            rho = with_interval(row["rho_above"], row["low_above"], row["high_above"], 3)
            text += f"; from {limit} on {rho}, n = {row['n_above']}"
        lines.append(text)
    marks = (
        f"Red, also in the titles: the models with {limit} or better on the horizontal axis (dashed line) and the ρ of "
        "these alone; grey: the others. "
        if limit
        else ""
    )
    order = "; the highest ρ comes first" if len(rows) > 1 else ""
    return (
        f"{ranking['title']}: {word_of(counts, ys)} of each model on one task against its {word_of(counts, xs)} on "
        f"another (horizontal axis){order}. {marks}{left_out(len(scores), [row['n'] for row in rows])} Spearman's ρ "
        f"over the models that have both, with {intervals_of(ranking, resamples, counts)}:\n\n" + "\n".join(lines)
    )
