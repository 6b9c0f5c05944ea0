"""What the best architectures look like: their genes over the four stages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from apr.basics.problems import Problem
from apr.comparisons.shape import read_population, with_shape
from apr.comparisons.testsets import best_end, footnote, marked, weak_tasks
from apr.comparisons.wording import left_out, number
from apr.figures.style import BLUE, FAINT, MM, ORANGE, TEXT, Drawing, legend_below, styled
from apr.runs.metrics import Metric
from apr.scores.frames import complete
from apr.scores.tested import Counted, metric_of

STAGES = (1, 2, 3, 4)
PARAMETERS = {"d": "Depth (blocks)", "w": "Width (channels)", "b": "Bottleneck ratio", "g": "Group width (channels)"}
LOGARITHMIC = ("w", "g")
ROW, PAGE = 21 * MM, 200 * MM  # a row of panels at its best, and all rows at most
LETTERS = 12  # of a task's name in one line


def read_genes(path: str | Path) -> pd.DataFrame:
    """Read depth, width, bottleneck ratio and group width of each stage (d1…d4, w1…, b1…, g1…), indexed by model.

    Raises:
        Problem: the file is missing, lacks a column, or names a model twice.
    """
    genes = [f"{parameter}{stage}" for parameter in PARAMETERS for stage in STAGES]
    return read_population(path, genes)


@styled
def draw_best_shapes(
    scores: pd.DataFrame,
    genes: pd.DataFrame,
    tasks: Sequence[str],
    top: int,
    titles: Mapping[str, str],
    counts: Counted | None = None,
) -> Drawing:
    """A row for each task, a column for each parameter: the best model, mean and SD of the best, the population's mean.

    Mean and SD are over the `top` best, at most a quarter of the models; on a logarithmic axis they are those of the
    logarithms. Models with equal scores are taken in the order of their ids.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        genes: columns d1…d4 (blocks), w1…w4 (channels), b1…b4, g1…g4 (channels), indexed by model.
        tasks: the tasks that are drawn.
        top: number of best models to average.
        titles: task -> the name that a reader sees.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: no task, or a model that the population does not have.
    """
    if not tasks:
        raise Problem("comparisons: best_shapes: names no task; name the tasks to draw")
    weak = weak_tasks(scores, counts, tasks)
    titles = marked(titles, weak)
    genes = with_shape(scores[[]], genes)
    ranked = {task: _ranked(scores, task, metric_of(counts, task)) for task in tasks}
    top = min(top, min(map(len, ranked.values())) // 4)
    averaged = top > 1  # one model has no SD, and is the best itself
    height = len(tasks) * min(ROW, PAGE / len(tasks)) + 12 * MM
    figure = Figure(figsize=(TEXT, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=1 * MM, h_pad=0.8 * MM)
    grid = figure.subplots(len(tasks), len(PARAMETERS), sharex=True, sharey="col", squeeze=False)
    frames, clauses = [], []
    for axes, (task, values) in zip(grid, ranked.items(), strict=True):
        for ax, parameter in zip(axes, PARAMETERS, strict=True):
            frames.append(_curves(genes, parameter, task, values.index, top if averaged else 0))
            _draw_curves(ax, frames[-1])
        axes[0].set_ylabel("\n".join(wrap(titles[task], LETTERS)), rotation=0, ha="right", va="center", weight="bold")
        clauses.append(f"- {titles[task]}: {_best(values, top if averaged else 1, metric_of(counts, task))}")
    _scale_axes(grid)
    names = {"best": "best model", "top": f"mean ± SD of the {top} best", "population": "mean of all models"}
    _add_legend(figure, grid[0, 0], names)
    marks = f"dashed blue lines with bands: mean ± SD of the {top} best; " if averaged else ""
    ends = " or ".join(sorted({best_end(counts, task) for task in tasks}))
    caption = (
        "Depth, width, bottleneck ratio and group width of the four stages. Orange triangles: the model with the "
        f"{ends} on the task; {marks}dotted: mean of all {len(scores)} models. On the logarithmic axes (width, group "
        f"width) means and SDs are those of the logarithms. {left_out(len(scores), map(len, ranked.values()))}"
        f"{footnote(weak, titles)} The best models:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def _ranked(scores: pd.DataFrame, task: str, metric: Metric) -> pd.Series:
    """The scores on a task, best first."""
    values = complete(scores, [task])[task].sort_index()
    return values.loc[metric.loss(values).sort_values(kind="stable").index]


def _curves(genes: pd.DataFrame, parameter: str, task: str, order: pd.Index, top: int) -> pd.DataFrame:
    values = genes[[f"{parameter}{stage}" for stage in STAGES]]
    values = np.log2(values) if parameter in LOGARITHMIC else values
    best = values.loc[order[:top]]
    mean, sd = (best.mean(), best.std()) if top else (np.full(len(STAGES), np.nan),) * 2
    drawn = pd.DataFrame(
        {
            "best": values.loc[order[0]],
            "top_mean": mean,
            "top_low": mean - sd,
            "top_high": mean + sd,
            "population_mean": values.mean(),
        }
    )
    drawn = (2**drawn if parameter in LOGARITHMIC else drawn).reset_index(drop=True)
    head = {"task": task, "parameter": parameter, "best_model": order[0], "top": top, "stage": STAGES}
    return pd.DataFrame(head).join(drawn)


def _draw_curves(ax: Axes, data: pd.DataFrame) -> None:
    stage = data["stage"]
    ax.plot(stage, data["population_mean"], ":", color=FAINT, linewidth=1, gid="population")
    if data["top"].iloc[0]:
        ax.fill_between(stage, data["top_low"], data["top_high"], color=BLUE, alpha=0.18, linewidth=0, gid="band")
        ax.plot(stage, data["top_mean"], "--", color=BLUE, linewidth=1.2, gid="top")
    ax.plot(stage, data["best"], "-^", color=ORANGE, linewidth=1.2, markersize=3.5, gid="best")


def _scale_axes(grid: np.ndarray) -> None:
    for ax, (parameter, label) in zip(grid[0], PARAMETERS.items(), strict=True):
        ax.set_title(label, pad=4)
        if parameter in LOGARITHMIC:
            ax.set_yscale("log", base=2)
            ax.yaxis.set_major_locator(FixedLocator([4**power for power in range(6)]))
            ax.yaxis.set_minor_locator(NullLocator())
            ax.yaxis.set_major_formatter("{x:g}")
        elif parameter == "b":
            ax.yaxis.set_major_locator(FixedLocator([1, 2, 4]))
        else:
            ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    grid[0, 0].xaxis.set_major_locator(FixedLocator(STAGES))
    for ax in grid[-1]:
        ax.set_xlabel("Stage")


def _add_legend(figure: Figure, ax: Axes, names: Mapping[str, str]) -> None:
    lines = {line.get_gid(): line for line in ax.lines}
    shown = [key for key in names if key in lines]
    handles = [(ax.collections[0], lines[key]) if key == "top" else lines[key] for key in shown]
    legend_below(figure, handles, [names[key] for key in shown])


def _best(values: pd.Series, top: int, metric: Metric) -> str:
    ties = int((values == values.iloc[0]).sum())
    end = f"{metric.best} {metric.word}"
    tied = f"; {ties} models tie for the {end}, of which the first by id is drawn" if ties > 1 else ""
    limit = values.iloc[top - 1]
    if top > 1 and len(values) > top and values.iloc[top] == limit:
        tied += f"; models that tie across the limit of the {top} best are taken in the order of their ids"
    unit = f" {metric.unit}" if metric.unit else ""
    return f"{values.index[0]}, {metric.word} {number(values.iloc[0], 2)}{unit}{tied}"
