"""Class distributions of unbalanced tasks and their balanced versions, and the errors on both."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from apr.basics.escaping import plain
from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.testsets import Counted, basis, footnote, marked, weak_tasks
from apr.comparisons.wording import correlation, left_out, rho
from apr.figures.style import (
    BLUE,
    FAINT,
    Drawing,
    error_scale,
    grid_columns,
    legend_below,
    name_panel,
    panels,
    point_style,
    styled,
)
from apr.scores.table import complete

# Light with an outline against dark, so that the versions can be told apart without colour.
LOOKS = {"images": {"facecolor": "#DDE2E6", "edgecolor": FAINT}, "balanced_images": {"color": BLUE}}
BAR = 0.38  # classes
NAMES, LETTERS = 16, 18  # class names that fit beside a panel, and letters of one


def class_counts(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Training images of each class, from the manifest of a view."""
    return dict(zip(manifest["classes"], manifest["per_class"]["train"], strict=True))


@styled
def draw_balanced(
    counts: Mapping[str, Mapping[str, int]],
    reported: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    tested: Counted | None = None,
) -> Drawing:
    """(A) images of each class, (B) error on the balanced task against the error on the unbalanced one.

    Args:
        counts: task -> class -> training images.
        reported: errors (%), [models x tasks], NaN where a model did not complete.
        pairs: an unbalanced task and its balanced version, one panel in each block.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        tested: what is known of each task's test images (`apr.comparisons.testsets`); None: nothing.

    Raises:
        Problem: there is no pair, or no model that completed both tasks of one.
    """
    if not pairs:
        raise Problem("figures: balanced: names no task; name a task and its balanced version")
    weak = weak_tasks(reported, tested, chain(*pairs))
    titles = marked(titles, weak)
    columns = grid_columns(len(pairs))
    block = -(-len(pairs) // columns) * columns
    figure, axes = panels(2 * block, columns)
    bars, scatters, clauses = [], [], []
    for i, (task, balanced) in enumerate(pairs):
        letters = ("A", "B") if i == 0 else ("", "")
        bars.append(_class_images(counts, task, balanced))
        _draw_bars(axes[i], bars[-1])
        name_panel(axes[i], titles[task], letter=letters[0])
        scatters.append(_points(reported, task, balanced))
        result = correlate(reported, task, balanced, resamples, seed, tested)
        ax = axes[block + i]
        identity = _draw_points(ax, scatters[-1])
        name_panel(ax, titles[task], rho(result, 2), letter=letters[1])
        ax.set(xlabel=f"{titles[task]} error (%)", ylabel=f"{titles[balanced]} error (%)")
        clauses.append(f"- {titles[task]}: {_largest(bars[-1])}; balanced against unbalanced: {correlation(result)}")
    for ax in (*axes[len(pairs) : block], *axes[block + len(pairs) :]):
        ax.remove()
    legend_below(figure, [*axes[0].containers, identity], ["unbalanced", "balanced", "equal errors"])
    caption = (
        "(A) Training images of each class in the unbalanced task (light bars) and in its balanced version (dark "
        "bars), classes in the order of their size. (B) Test error of each model on the balanced version against its "
        "error on the unbalanced task; both axes have one scale, and a model on the dotted line errs alike on both. "
        f"{left_out(len(reported), map(len, scatters))}{footnote(weak, titles)} Spearman's ρ, with "
        f"{basis(resamples, tested, chain(*pairs))}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat([*bars, *scatters], ignore_index=True), caption)


def _class_images(counts: Mapping[str, Mapping[str, int]], task: str, balanced: str) -> pd.DataFrame:
    images = pd.DataFrame({"images": counts[task], "balanced_images": counts[balanced]}).fillna(0)
    images = images.sort_values("images", ascending=False, kind="stable").rename_axis("class").reset_index()
    return pd.DataFrame({"panel": "A", "task": task, "balanced_task": balanced}, index=images.index).join(images)


def _points(reported: pd.DataFrame, task: str, balanced: str) -> pd.DataFrame:
    pair = complete(reported, [task, balanced])
    return pd.DataFrame(
        {
            "panel": "B",
            "task": task,
            "balanced_task": balanced,
            "model": pair.index,
            "error": pair[task].array,
            "balanced_error": pair[balanced].array,
        }
    )


def _draw_bars(ax: Axes, images: pd.DataFrame) -> None:
    for (column, look), shift in zip(LOOKS.items(), (-BAR / 2, BAR / 2), strict=True):
        outline = min(0.5, 5 / len(images))
        ax.barh(images.index + shift, images[column], height=BAR, linewidth=outline, gid=column, **look)
    named = images["class"].iloc[:: -(-len(images) // NAMES)].map(plain)
    ax.set_yticks(named.index, [name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}…" for name in named])
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(images) - 0.4, -0.6)
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.set_xlabel("Training images")


def _draw_points(ax: Axes, points: pd.DataFrame) -> Line2D:
    ax.scatter(points["error"], points["balanced_error"], color=BLUE, zorder=2, **point_style(len(points)))
    limits = error_scale(points[["error", "balanced_error"]])
    ax.set(xlim=limits, ylim=limits)
    return ax.axline((0, 0), slope=1, color=FAINT, linestyle=":", linewidth=0.8, zorder=1)


def _largest(images: pd.DataFrame) -> str:
    first = images.iloc[0]
    return (
        f"the largest of {len(images)} classes, {plain(first['class'])}, has {first['images']:,.0f} of "
        f"{images['images'].sum():,.0f} images, and {first['balanced_images']:,.0f} of "
        f"{images['balanced_images'].sum():,.0f} when balanced"
    )
