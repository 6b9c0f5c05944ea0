"""Scores relative to the population's mean, several tasks in one plot."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.testsets import basis, footnote, marked, weak_tasks, word_of
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
from apr.scores.frames import complete
from apr.scores.tested import Counted, metric_of

# Of different lengths, so that the pairs repeat only after 42 tasks.
COLORS = (GREY, BLUE, ORANGE, GREEN, RED, PURPLE)
MARKERS = ("o", "^", "s", "D", "v", "P", "X")


@styled
def draw_relative_error(
    scores: pd.DataFrame,
    reference: str,
    tasks: Sequence[str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """Each task's score over its mean over the models, against the reference's score.

    A relative score of 1 is the population's mean on that task. A task on which every score is 0 has none.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        reference: the task on the horizontal axis.
        tasks: the tasks that are drawn; the reference may be one.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: no task, or no model that completed one of them and the reference.
    """
    if not tasks:
        raise Problem("comparisons: relative_error: names no task; name the tasks to draw")
    weak = weak_tasks(scores, counts, [reference, *tasks])
    titles = marked(titles, weak)
    figure, (ax,) = panels(1)
    ax.axhline(1, color=FAINT, linewidth=0.5, zorder=1)
    frames, clauses, labels = [], [], []
    for task, color, marker in zip(tasks, cycle(COLORS), cycle(MARKERS), strict=False):
        rows = complete(scores, [reference, task])
        relative = rows[task] / rows[task].mean()
        label = titles[task]
        if task != reference:
            result = correlate(scores, reference, task, resamples, seed, counts)
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
                    "reference_value": rows[reference].array,
                    "value": rows[task].array,
                    "relative_value": relative.array,
                }
            )
        )
    ax.set_xlabel(f"{titles[reference]} {metric_of(counts, reference).label}")
    word = word_of(counts, tasks)
    ax.set_ylabel(f"{word.capitalize()} relative to the task's mean")
    legend_below(figure, ax.collections, labels)
    caption = (
        f"Relative {word} of each model, its {word} over the mean of the drawn models on the same task, against its "
        f"{word_of(counts, [reference])} on {titles[reference]}. Where the ranking of {titles[reference]} holds, "
        f"the points {_course(counts, reference, tasks)} from left to right. "
        f"{left_out(len(scores), map(len, frames))}{footnote(weak, titles)} Spearman's ρ with {titles[reference]}, "
        f"with {basis(resamples, counts, [reference, *tasks])}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def _course(counts: Counted | None, reference: str, tasks: Sequence[str]) -> str:
    """Where points of tasks that rank the models alike lead, from left to right."""
    same = {metric_of(counts, task).best == metric_of(counts, reference).best for task in tasks}
    return {(True,): "rise", (False,): "fall"}.get(tuple(same), "rise, or fall where the best ends differ,")
