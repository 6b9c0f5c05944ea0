"""Rank correlation against the size of the population."""

import math
from collections.abc import Mapping, Sequence
from itertools import chain

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from apr.basics.problems import Problem
from apr.comparisons.population_size import HALF_WIDTH, SizeCurve, enough, question, rho_by_size
from apr.comparisons.testsets import basis, footnote, marked, weak_tasks
from apr.comparisons.wording import correlation, left_out, rho
from apr.figures.style import (
    BLUE,
    FAINT,
    INK,
    ORANGE,
    PURPLE,
    Drawing,
    legend_below,
    name_panel,
    panels,
    share_labels,
    styled,
)
from apr.scores.tested import Counted

POINT = {"linestyle": "none", "markeredgecolor": "white", "markeredgewidth": 0.5}
# The mark of the sign is the larger one and lies below, so that both are seen where they fall together.
MARKS = {
    "sign": {"color": ORANGE, "marker": "^", "markersize": 7, "zorder": 4},
    "precise": {"color": PURPLE, "marker": "s", "markersize": 4.5, "zorder": 5},
}


@styled
def draw_rho_vs_population(
    scores: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    titles: Mapping[str, str],
    sizes: Sequence[int],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """One panel for each pair (x, y) of tasks: median and 95 % interval of rho in populations of n models.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        pairs: the tasks whose errors are correlated.
        titles: task -> the name that a reader sees.
        sizes: numbers n of models; what exceeds the population stands for the population.
        resamples: populations drawn for each n.
        seed: of the draws.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: there is no pair, or one has no model in common.
    """
    if not pairs:
        raise Problem("no pair of tasks to draw: give the study a target")
    weak = weak_tasks(scores, counts, chain(*pairs))
    titles = marked(titles, weak)
    figure, axes = panels(len(pairs))
    same_x = len({x for x, _ in pairs}) == 1
    frames, full, clauses, handles = [], [], [], {}
    for ax, (x, y) in zip(axes, pairs, strict=True):
        curve = rho_by_size(scores, x, y, sizes, resamples, seed, counts)
        frames.append(_numbers(curve, x, y))
        full.append(curve.full.n)
        _draw_curve(ax, curve)
        handles |= {line.get_gid(): line for line in ax.lines}
        name_panel(ax, titles[y] if same_x else f"{titles[y]} with {titles[x]}", rho(curve.full, 2))
        clauses.append(
            f"- {titles[y]} with {titles[x]}: {correlation(curve.full)}; for the sign "
            f"{enough(curve.sign_from, curve.full)}, for ±{HALF_WIDTH} {enough(curve.precise_from, curve.full)}"
        )
    share_labels(axes)
    names = {
        "median": "median, middle 95 % of draws",
        "full": "whole population",
        "sign": "right sign from here",
        "precise": f"interval ±{HALF_WIDTH} from here",
    }
    shown = [key for key in names if key in handles]
    legend_below(figure, [handles[key] for key in shown], [names[key] for key in shown])
    caption = (
        f"{question(resamples)} Line and band: the median of ρ in these populations, and the middle 95 % of it, "
        "against n; they are of models alone. Dashed: ρ of the whole population; above each panel with its own 95 % "
        "interval, which is another one, as told below; orange triangle: n for the sign; purple square: n for "
        f"±{HALF_WIDTH}. "
        f"{left_out(len(scores), full)}{footnote(weak, titles)} For each pair of tasks, with "
        f"{basis(resamples, counts, chain(*pairs))}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def _numbers(curve: SizeCurve, x: str, y: str) -> pd.DataFrame:
    """The curve; where rho is undefined one row without numbers says so."""
    data = curve.by_size if len(curve.by_size) else curve.by_size.reindex([0])
    head = pd.DataFrame({"x_task": x, "y_task": y, "full_rho": curve.full.rho}, index=data.index)
    marks = {"sign_from": data["n"] == curve.sign_from, "precise_from": data["n"] == curve.precise_from}
    return head.join(data).assign(**marks)


def _draw_curve(ax: Axes, curve: SizeCurve) -> None:
    data = curve.by_size
    ax.axhline(0, color=FAINT, linewidth=0.5, zorder=1)
    if len(data):
        ax.axhline(curve.full.rho, color=INK, linestyle="--", linewidth=0.8, zorder=3, gid="full")
        ax.fill_between(data["n"], data["low"], data["high"], color=BLUE, alpha=0.18, linewidth=0)
        ax.plot(data["n"], data["median"], color=BLUE, linewidth=1.4, gid="median")
    for key, size in (("sign", curve.sign_from), ("precise", curve.precise_from)):
        if size is not None:
            median = data.loc[data["n"] == size, "median"]
            ax.plot([size], median, clip_on=False, gid=key, **POINT, **MARKS[key])
    sizes = list(data["n"]) or [curve.full.n]
    ax.set_xscale("log")
    ax.set(xlim=(sizes[0] * 0.95, sizes[-1] * 1.05), ylim=(-1.05, 1.05), xlabel="Models, n", ylabel="Spearman's ρ")
    ax.xaxis.set_major_locator(FixedLocator(sizes[:: math.ceil(len(sizes) / 4)]))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter("{x:g}")
