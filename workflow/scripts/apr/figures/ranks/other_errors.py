"""Other metrics than the one that a task reports: two against each other, and one of the training images."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.shape import with_shape
from apr.comparisons.testsets import basis, footnote, marked, weak_tasks
from apr.comparisons.wording import correlation, left_out, rho, sentence
from apr.figures.style import (
    BLUE,
    Drawing,
    grid_columns,
    name_panel,
    panels,
    point_style,
    styled,
    value_limits,
)
from apr.runs.metrics import LEAST, METRICS, Metric
from apr.scores.frames import complete
from apr.scores.tested import Counted, Counts, images_of

# why intervals are of models alone
SAME = "both errors are of the same test images"
TRAINED = "training errors are not counted on test images"
DEPTH = "cumulative_depth"


@styled
def draw_other_errors(
    metrics: Sequence[str],
    first: pd.DataFrame,
    second: pd.DataFrame,
    train: pd.DataFrame,
    shape: pd.DataFrame,
    both: Sequence[str],
    deep: Sequence[str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """(A) One metric against another, (B) the other on the training images against depth; rho in the titles.

    Args:
        metrics: the metric on the horizontal axis of (A), whose training values (B) has, and that on the vertical one.
        first: the first metric of the test images, [models x tasks], NaN where a model did not complete.
        second: the second one, alike; NaN too where a task has too few classes for it.
        train: the first metric of the last epoch's training images, alike.
        shape: columns cumulative_depth (blocks) and cumulative_width (channels), indexed by model.
        both: tasks of (A); may be empty.
        deep: tasks of (B); may be empty.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        counts: what is known of the test images of the tasks of (A); None: nothing.

    Raises:
        Problem: no task, one of `both` without the second metric, or a model that the population does not have.
    """
    if not both and not deep:
        raise Problem("comparisons: metric_pair: names no task, nor does train_error_vs_depth; name the tasks to draw")
    one, other = (METRICS[name] for name in metrics)
    for task in both:
        if first[task].notna().any() and second[task].isna().all():
            raise Problem(
                f"comparisons: metric_pair: {task} has no {other.title}, which says nothing about so few classes; "
                "name tasks with more classes"
            )
    # a guess's level is known of the task's own metric alone
    images = {task: Counts(images_of(counts, task)[0], metric=one) for task in both}
    weak = weak_tasks(first, images, both)
    titles = marked(titles, weak)
    trained = f"train_{one.name}"
    axes_of = {
        "A": (one.name, _label(one, "test"), other.name, _label(other, "test")),
        "B": (DEPTH, "Cumulative depth (blocks)", trained, f"Training {one.label}"),
    }
    blocks = {
        "A": [(task, pd.DataFrame({one.name: first[task], other.name: second[task]})) for task in both],
        "B": [(task, with_shape(train[[task]].set_axis([trained], axis=1), shape)) for task in deep],
    }
    columns = grid_columns(max(len(both), len(deep)))
    rows = {letter: -(-len(block) // columns) for letter, block in blocks.items()}
    figure, axes = panels(sum(rows.values()) * columns, columns)
    frames, clauses = [], {}
    for letter, block in blocks.items():
        own, axes = axes[: rows[letter] * columns], axes[rows[letter] * columns :]
        clauses[letter] = []
        for i, (ax, (task, values)) in enumerate(zip(own, block, strict=False)):
            x, _, y, _ = axes_of[letter]
            points = complete(values, [x, y])
            result = correlate(values, x, y, resamples, seed)
            _draw_points(ax, points, letter, axes_of[letter], i, lowest=i + columns >= len(block))
            name_panel(ax, titles[task], rho(result, 2), letter=letter if i == 0 else "")
            clauses[letter].append(f"- {titles[task]}: {correlation(result)}")
            frames.append(_numbers(letter, task, points, x, y))
        for ax in own[len(block) :]:
            ax.remove()
    explained = {
        "A": f"(A) {_against(one, other)} of each model; Spearman's ρ with {basis(resamples, None, both, SAME)}:",
        "B": f"(B) {sentence(one.name)} on the training images, over the last epoch, against cumulative depth, the "
        "number of "
        "blocks; "
        f"{_depth(one)} says that deeper models fit even the training images less well. "
        f"Spearman's ρ with {basis(resamples, None, deep, TRAINED)}:",
    }
    lists = [f"{explained[letter]}\n\n" + "\n".join(clauses[letter]) for letter in blocks if clauses[letter]]
    total = len(first.index.union(train.index))
    caption = (
        f"Two other {one.words} than the reported one. {left_out(total, map(len, frames))}{footnote(weak, titles)}\n\n"
        + "\n\n".join(lists)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def _draw_points(
    ax: Axes, points: pd.DataFrame, letter: str, axes: tuple[str, str, str, str], position: int, lowest: bool
) -> None:
    x, x_label, y, y_label = axes
    columns = ax.get_subplotspec().get_gridspec().ncols
    ax.scatter(points[x], points[y], color=BLUE, gid=letter, **point_style(len(points)))
    value_limits(ax, points[y])
    ax.set_xlabel(x_label if lowest else "")
    ax.set_ylabel(y_label if position % columns == 0 else "")


def _numbers(letter: str, task: str, points: pd.DataFrame, x: str, y: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "panel": letter,
            "task": task,
            "model": points.index,
            "x_column": x,
            "y_column": y,
            "x": points[x].array,
            "y": points[y].array,
        }
    )


def _label(metric: Metric, part: str) -> str:
    """Such as "Top-1 test error (%)"."""
    return f"{metric.title.removesuffix(metric.word)}{part} {metric.label}".capitalize()


def _against(one: Metric, other: Metric) -> str:
    """Such as "Top-5 against top-1 test error"."""
    if one.word != other.word:
        return f"{sentence(other.name)} against {one.title} on the test images"
    first = sentence(other.name).removesuffix(f" {other.word}")
    return f"{first} against {one.title.removesuffix(one.word)}test {one.word}"


def _depth(metric: Metric) -> str:
    """The sign of a rho with depth where deeper is worse."""
    return "a positive ρ" if metric.best == LEAST else "a negative ρ"
