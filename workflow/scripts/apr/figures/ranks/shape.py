"""Scores against cumulative depth and cumulative width."""

from collections.abc import Mapping, Sequence

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.shape import with_shape
from apr.comparisons.testsets import basis, footnote, label_of, marked, weak_tasks, word_of
from apr.comparisons.wording import correlation, left_out, rho
from apr.figures.style import BLUE, Drawing, grid_columns, name_panel, panels, point_style, styled, value_limits
from apr.scores.frames import complete
from apr.scores.tested import Counted

AXES = {
    "A": ("cumulative_depth", "Cumulative depth (blocks)"),
    "B": ("cumulative_width", "Cumulative width (channels)"),
}


@styled
def draw_error_vs_depth_width(
    scores: pd.DataFrame,
    shape: pd.DataFrame,
    tasks: Sequence[str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """Scores of each task against (A) cumulative depth and (B) cumulative width, with Spearman's rho in the titles.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        shape: columns cumulative_depth (blocks) and cumulative_width (channels), indexed by model.
        tasks: the tasks that are drawn.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: no task, or a model that the population does not have.
    """
    if not tasks:
        raise Problem("comparisons: depth_width: names no task; name the tasks to draw")
    weak = weak_tasks(scores, counts, tasks)
    titles = marked(titles, weak)
    joined = with_shape(scores, shape)
    columns = grid_columns(len(tasks))
    rows = -(-len(tasks) // columns)
    figure, axes = panels(2 * rows * columns, columns)
    frames, clauses = [], []
    for block, (letter, (column, label)) in enumerate(AXES.items()):
        first = block * rows * columns
        for ax in axes[first + len(tasks) : first + rows * columns]:
            ax.remove()
        for i, (ax, task) in enumerate(zip(axes[first:], tasks, strict=False)):
            points = complete(joined, [column, task])
            ax.scatter(points[column], points[task], color=BLUE, gid=f"{letter} {task}", **point_style(len(points)))
            value_limits(ax, points[task])
            result = correlate(joined, column, task, resamples, seed, counts)
            name_panel(ax, titles[task], rho(result, 2), letter=letter if i == 0 else "")
            ax.set_xlabel(label if i // columns == (len(tasks) - 1 - i % columns) // columns else "")
            ax.set_ylabel(label_of(counts, [task]) if i % columns == 0 else "")
            clauses.append(f"- {titles[task]} against {label.split(' (')[0].lower()}: {correlation(result)}")
            frames.append(_numbers(letter, task, column, points))
    caption = (
        f"Test {word_of(counts, tasks)} of each model against (A) its cumulative depth, the number of blocks, and (B) "
        "its cumulative "
        f"width, the sum of the widths of the four stages. {left_out(len(scores), map(len, frames))}"
        f"{footnote(weak, titles)} Spearman's ρ, with {basis(resamples, counts, tasks)}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def _numbers(letter: str, task: str, column: str, points: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "panel": letter,
            "task": task,
            "model": points.index,
            "against": column,
            "x": points[column].array,
            "value": points[task].array,
        }
    )
