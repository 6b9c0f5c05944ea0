"""Densities of the score over the seeds of single architectures, beside that of the whole population."""

from collections.abc import Mapping
from itertools import combinations, cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import blended_transform_factory
from scipy.integrate import trapezoid
from scipy.stats import gaussian_kde

from apr.basics.problems import Problem
from apr.comparisons.testsets import footnote, marked, weak_tasks
from apr.comparisons.wording import number
from apr.figures.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    Drawing,
    legend_below,
    panels,
    styled,
)
from apr.runs.metrics import Metric
from apr.scores.tested import Counted, metric_of
from apr.statistics.densities import TAILS, overlap

POPULATION = "population"
COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE)
STYLES = ("-", (0, (4, 1)), (0, (1, 1)), (0, (4, 1, 1, 1)))
POINTS = 512  # of the axis for each group
SEEN = 1e-3  # of its peak: less of a curve would lie on the axis
QUARTILES = (25, 50, 75)
ROW = 0.05  # height of a group's row of marks, in heights of the panel


@styled
def draw_seed_densities(
    repeated: pd.DataFrame,
    population: pd.Series,
    titles: Mapping[str, str],
    task: str,
    counts: Counted | None = None,
) -> Drawing:
    """Kernel densities of the scores of each repeated architecture over its seeds, and of the population.

    The kernel is Gaussian with Scott's bandwidth (scipy), cut off at the ends of the metric and scaled to an area of 1.
    Below the axis every run is a tick, and the quartiles a bar with a dot at the median.

    Args:
        repeated: model, seed, value (NaN where a run diverged).
        population: value of each model, one run each; NaN where it diverged.
        titles: task -> the name that a reader sees.
        task: the task of all these runs.
        counts: what is known of its test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: no architecture, or the population, has a run that completed.
    """
    groups = {POPULATION: population.dropna()}
    groups |= {model: rows["value"].dropna() for model, rows in repeated.groupby("model", sort=False)}
    empty = [name for name, values in groups.items() if values.empty]
    if POPULATION in empty or len(groups) - len(empty) < 2:
        raise Problem(
            f"{task}: a density needs runs that completed, of the population and of an architecture with several "
            f"seeds; none for: {', '.join(empty) or 'any architecture'}; look at the runs that diverged"
        )
    weak = weak_tasks(population.to_frame(task), counts, [task])
    titles = marked(titles, weak)
    groups = {name: values for name, values in groups.items() if not values.empty}
    kernels = {name: gaussian_kde(values) for name, values in groups.items() if np.ptp(values) > 0}
    metric = metric_of(counts, task)
    grid = _grid(groups, kernels, metric)
    densities = {name: _density(kernel, grid) for name, kernel in kernels.items()}
    pairs = {(a, b): overlap(groups[a], groups[b]) for a, b in combinations(groups, 2)}
    figure, (ax,) = panels(1)
    looks = {POPULATION: {"color": GREY, "linestyle": "-"}}
    several = (name for name in groups if name != POPULATION)
    looks |= {n: {"color": c, "linestyle": s} for n, c, s in zip(several, cycle(COLORS), cycle(STYLES), strict=False)}
    for row, (name, values) in enumerate(groups.items()):
        _draw_density(ax, name, values, grid, densities.get(name), looks[name])
        _draw_marks(ax, name, values, -ROW * (row + 0.8), looks[name]["color"])
    ax.set_ylim(0, None if densities else 1)
    ax.margins(x=0.02)
    if not densities:
        values = pd.concat(groups.values())
        ax.set_yticks([])  # vertical lines have no height
        ax.set_xlim(max(values.min() - 1, -0.05), values.max() + 1)
    ax.tick_params(axis="x", pad=2.5)
    ax.spines["bottom"].set_position(("axes", -ROW * (len(groups) + 0.4)))
    ax.set(xlabel=f"{titles[task]} {metric.label}", ylabel=f"Density (per {_point(metric)})")
    handles = [line for line in ax.lines if line.get_gid() in groups]
    legend_below(figure, handles, [_summary(name, values, metric) for name, values in groups.items()])
    caption = _caption(titles[task], metric, repeated, population, groups, pairs)
    if weak:
        caption += "\n\n" + footnote(weak, titles).strip()
    return Drawing(figure, _numbers(repeated, population, densities, grid), caption)


def _grid(groups: Mapping[str, pd.Series], kernels: Mapping[str, gaussian_kde], metric: Metric) -> np.ndarray:
    """Values at which all densities are computed: each group's own, since they differ in width by far."""
    least, most = sorted([metric.perfect, metric.worst])
    tails = {name: TAILS * np.sqrt(kernel.covariance.item()) for name, kernel in kernels.items()}
    ranges = [(groups[name].min() - tail, groups[name].max() + tail) for name, tail in tails.items()]
    own = [np.linspace(max(low, least), min(high, most), POINTS) for low, high in ranges]
    return np.unique(np.concatenate([[least, most], *own]))


def _density(kernel: gaussian_kde, grid: np.ndarray) -> np.ndarray:
    values = kernel(grid)
    return values / trapezoid(values, grid)


def _draw_density(
    ax: Axes, name: str, values: pd.Series, grid: np.ndarray, density: np.ndarray | None, look: dict
) -> None:
    if density is None:
        ax.axvline(values.iloc[0], gid=name, linewidth=1.2, **look)
        return
    seen = density > SEEN * density.max()
    shown = slice(seen.argmax(), len(seen) - seen[::-1].argmax())
    ax.plot(grid[shown], density[shown], gid=name, linewidth=1.2, **look)
    alpha = 0.25 if name == POPULATION else 0.1
    ax.fill_between(grid[shown], density[shown], color=look["color"], alpha=alpha, linewidth=0)


def _draw_marks(ax: Axes, name: str, values: pd.Series, height: float, color: str) -> None:
    below = {"transform": blended_transform_factory(ax.transData, ax.transAxes), "clip_on": False, "color": color}
    ticks = {"linestyle": "", "marker": "|", "markersize": 4, "markeredgewidth": 0.4, "alpha": 0.3}
    ax.plot(values, np.full(len(values), height), gid=f"{name} runs", **ticks, **below)
    low, median, high = np.percentile(values, QUARTILES)
    ax.plot([low, high], [height] * 2, gid=f"{name} quartiles", linewidth=2.2, solid_capstyle="butt", **below)
    ax.plot(median, height, gid=f"{name} median", marker="o", markersize=3.5, markerfacecolor="white", **below)


def _summary(name: str, values: pd.Series, metric: Metric) -> str:
    return f"{name}: {number(values.mean(), 2)} ± {number(values.std(), 2)}{_unit(metric)}, n = {len(values)}"


def _unit(metric: Metric) -> str:
    return f" {metric.unit}" if metric.unit else ""


def _point(metric: Metric) -> str:
    return f"point of {metric.word}" if metric.unit == "%" else metric.word


def _caption(
    title: str,
    metric: Metric,
    repeated: pd.DataFrame,
    population: pd.Series,
    groups: Mapping[str, pd.Series],
    pairs: Mapping[tuple[str, str], float],
) -> str:
    low, median, high = np.percentile(groups[POPULATION], QUARTILES)
    models = [name for name in groups if name != POPULATION]
    seeds = ", ".join(f"{name}: {len(groups[name])}" for name in models)
    diverged = {"the population": population.isna().sum()}
    diverged |= repeated["value"].isna().groupby(repeated["model"], sort=False).sum().to_dict()
    lost = "".join(
        f" Runs of {model} that diverged and are left out: {count}." for model, count in diverged.items() if count
    )
    clauses = [
        f"- {a} and {b}: {number(share, 2)}"
        + (f", since one of them has equal {metric.words} only" if np.isnan(share) else "")
        for (a, b), share in pairs.items()
    ]
    return (
        f"Densities of the test {metric.word} on {title}: of single architectures over their seeds ({seeds}) and of "
        "the "
        f"population, {len(groups[POPULATION])} architectures with one run each (grey). Gaussian kernels with Scott's "
        f"bandwidth; {metric.words} that are all equal are a vertical line. Below: every run a tick, the quartiles a "
        "bar, the "
        f"median a dot. The legend gives mean ± standard deviation. The population's quartiles are {number(low, 2)}, "
        f"{number(median, 2)} and {number(high, 2)}{_unit(metric)}.{lost} Overlap of the densities, 0 (apart) to 1 "
        "(the same):\n\n" + "\n".join(clauses)
    )


def _numbers(
    repeated: pd.DataFrame, population: pd.Series, densities: Mapping[str, np.ndarray], grid: np.ndarray
) -> pd.DataFrame:
    """The runs (seed, value) and the curves (value, density) in one table."""
    one = pd.DataFrame({"group": POPULATION, "kind": "run", "model": population.index, "value": population.array})
    many = repeated.assign(group=repeated["model"], kind="run")
    curves = [pd.DataFrame({"group": n, "kind": "density", "value": grid, "density": d}) for n, d in densities.items()]
    columns = ["group", "kind", "model", "seed", "value", "density"]
    return pd.concat([one, many, *curves], ignore_index=True).reindex(columns=columns)
