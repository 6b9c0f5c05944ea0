"""Other errors than the reported one: top-5 against top-1, and training error against depth."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate, with_shape
from apr.comparisons.testsets import Counted, Counts, basis, footnote, images_of, marked, weak_tasks
from apr.comparisons.wording import correlation, left_out, rho
from apr.figures.style import (
    BLUE,
    Drawing,
    error_limits,
    grid_columns,
    name_panel,
    panels,
    point_style,
    styled,
)
from apr.scores.table import complete, read_errors

# why intervals are of models alone
SAME = "both errors are of the same test images"
TRAINED = "training errors are not counted on test images"
AXES = {
    "A": ("top1_error", "Top-1 test error (%)", "top5_error", "Top-5 test error (%)"),
    "B": ("cumulative_depth", "Cumulative depth (blocks)", "train_error", "Training error (%)"),
}


def read_column(paths: Iterable[str | Path], column: str) -> pd.DataFrame:
    """Read one error (%) of `<task>.csv` files, [models x tasks], NaN where a model did not complete.

    Args:
        paths: error tables.
        column: top1_error, top5_error or train_error.
    """
    tables = {Path(path).stem: read_errors(path) for path in paths}
    return pd.DataFrame({task: table[column].where(table["status"] == "completed") for task, table in tables.items()})


@styled
def draw_other_errors(
    top1: pd.DataFrame,
    top5: pd.DataFrame,
    shape: pd.DataFrame,
    train_error: pd.DataFrame,
    both: Sequence[str],
    deep: Sequence[str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """(A) Top-5 against top-1 error, (B) training error against cumulative depth, with Spearman's rho in the titles.

    Args:
        top1: top-1 test errors (%), [models x tasks], NaN where a model did not complete.
        top5: top-5 test errors (%), alike; NaN too where a task has too few classes for one.
        shape: columns cumulative_depth (blocks) and cumulative_width (channels), indexed by model.
        train_error: top-1 errors (%) of the last epoch's training images, alike.
        both: tasks of (A); may be empty.
        deep: tasks of (B); may be empty.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        counts: what is known of the test images of the tasks of (A); None: nothing.

    Raises:
        Problem: no task, one of `both` without a top-5 error, or a model that the population does not have.
    """
    if not both and not deep:
        raise Problem("figures: other_errors: names no task; name the tasks to draw")
    for task in both:
        if top1[task].notna().any() and top5[task].isna().all():
            raise Problem(
                f"figures: other_errors: both: {task} has no top-5 error: with five classes or fewer every answer is "
                "among the five best; name tasks with more classes"
            )
    # a guess's error is known for the reported error alone
    images = {task: Counts(images_of(counts, task)[0]) for task in both}
    weak = weak_tasks(top1, images, both)
    titles = marked(titles, weak)
    blocks = {
        "A": [(task, pd.DataFrame({"top1_error": top1[task], "top5_error": top5[task]})) for task in both],
        "B": [(task, with_shape(train_error[[task]].set_axis(["train_error"], axis=1), shape)) for task in deep],
    }
    columns = grid_columns(max(len(both), len(deep)))
    rows = {letter: -(-len(block) // columns) for letter, block in blocks.items()}
    figure, axes = panels(sum(rows.values()) * columns, columns)
    frames, clauses = [], {}
    for letter, block in blocks.items():
        own, axes = axes[: rows[letter] * columns], axes[rows[letter] * columns :]
        clauses[letter] = []
        for i, (ax, (task, values)) in enumerate(zip(own, block, strict=False)):
            x, _, y, _ = AXES[letter]
            points = complete(values, [x, y])
            result = correlate(values, x, y, resamples, seed)
            _draw_points(ax, points, letter, i, lowest=i + columns >= len(block))
            name_panel(ax, titles[task], rho(result, 2), letter=letter if i == 0 else "")
            clauses[letter].append(f"- {titles[task]}: {correlation(result)}")
            frames.append(_numbers(letter, task, points))
        for ax in own[len(block) :]:
            ax.remove()
    explained = {
        "A": "(A) Top-5 against top-1 test error of each model; Spearman's ρ with "
        + f"{basis(resamples, None, both, SAME)}:",
        "B": "(B) Top-1 error on the training images, over the last epoch, against cumulative depth, the number of "
        "blocks; a positive ρ says that deeper models fit even the training images less well. "
        f"Spearman's ρ with {basis(resamples, None, deep, TRAINED)}:",
    }
    lists = [f"{explained[letter]}\n\n" + "\n".join(clauses[letter]) for letter in blocks if clauses[letter]]
    total = len(top1.index.union(train_error.index))
    caption = (
        f"Two other errors than the reported one. {left_out(total, map(len, frames))}{footnote(weak, titles)}\n\n"
        + "\n\n".join(lists)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def _draw_points(ax: Axes, points: pd.DataFrame, letter: str, position: int, lowest: bool) -> None:
    x, x_label, y, y_label = AXES[letter]
    columns = ax.get_subplotspec().get_gridspec().ncols
    ax.scatter(points[x], points[y], color=BLUE, gid=letter, **point_style(len(points)))
    error_limits(ax, points[y])
    ax.set_xlabel(x_label if lowest else "")
    ax.set_ylabel(y_label if position % columns == 0 else "")


def _numbers(letter: str, task: str, points: pd.DataFrame) -> pd.DataFrame:
    x, _, y, _ = AXES[letter]
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
