"""Errors relative to the population's mean, several tasks in one plot."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.testsets import Counted, basis, footnote, marked, weak_tasks
from apr.comparisons.wording import correlation, left_out, rho
from apr.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    Drawing,
    legend_below,
    panels,
    point_style,
    styled,
)
from apr.scores.table import complete

# Of different lengths, so that the pairs repeat only after 42 tasks.
COLORS = (GREY, BLUE, ORANGE, GREEN, RED, PURPLE)
MARKERS = ("o", "^", "s", "D", "v", "P", "X")


@styled
def draw_relative_error(
    reported: pd.DataFrame,
    reference: str,
    tasks: Sequence[str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """Each task's error over its mean over the models, against the reference's error (%).

    A relative error of 1 is the population's mean on that task. A task on which every error is 0 has none.

    Args:
        reported: errors (%), [models x tasks], NaN where a model did not complete.
        reference: the task on the horizontal axis.
        tasks: the tasks that are drawn; the reference may be one.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        counts: what is known of each task's test images (`apr.comparisons.testsets`); None: nothing.

    Raises:
        Problem: no task, or no model that completed one of them and the reference.
    """
    if not tasks:
        raise Problem("figures: relative_error: names no task; name the tasks to draw")
    weak = weak_tasks(reported, counts, [reference, *tasks])
    titles = marked(titles, weak)
    figure, (ax,) = panels(1)
    ax.axhline(1, color=FAINT, linewidth=0.5, zorder=1)
    frames, clauses, labels = [], [], []
    for task, color, marker in zip(tasks, cycle(COLORS), cycle(MARKERS), strict=False):
        rows = complete(reported, [reference, task])
        relative = rows[task] / rows[task].mean()
        label = titles[task]
        if task != reference:
            result = correlate(reported, reference, task, resamples, seed, counts)
            label = f"{titles[task]}, {rho(result, 2)}"
            clauses.append(f"- {titles[task]}: {correlation(result)}")
        style = point_style(len(rows))
        labels.append(label)  # not the artist's: matplotlib leaves out of a legend what begins with an underscore
        ax.scatter(rows[reference], relative, gid=task, color=color, marker=marker, zorder=2, **style)
        frames.append(
            pd.DataFrame(
                {
                    "task": task,
                    "model": rows.index,
                    "reference_error": rows[reference].array,
                    "error": rows[task].array,
                    "relative_error": relative.array,
                }
            )
        )
    ax.set_xlabel(f"{titles[reference]} error (%)")
    ax.set_ylabel("Error relative to the task's mean")
    legend_below(figure, ax.collections, labels)
    caption = (
        "Relative error of each model, its error over the mean of the drawn models on the same task, against its error "
        f"on {titles[reference]}. Where the ranking of {titles[reference]} holds, the points rise from left to right. "
        f"{left_out(len(reported), map(len, frames))}{footnote(weak, titles)} Spearman's ρ with {titles[reference]}, "
        f"with {basis(resamples, counts, [reference, *tasks])}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)
