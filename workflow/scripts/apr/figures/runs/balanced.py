"""Class distributions of unbalanced tasks and their balanced versions, and the scores on both."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from apr.basics.escaping import plain
from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.testsets import basis, footnote, marked, weak_tasks, word_of, words_of
from apr.comparisons.wording import correlation, left_out, rho
from apr.figures.style import (
    BLUE,
    FAINT,
    Drawing,
    grid_columns,
    legend_below,
    name_panel,
    panels,
    point_style,
    styled,
    value_scale,
)
from apr.runs.metrics import PLAIN
from apr.scores.frames import complete
from apr.scores.tested import Counted, metric_of

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
    scores: pd.DataFrame,
    pairs: Sequence[tuple[str, str]],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    tested: Counted | None = None,
) -> Drawing:
    """(A) images of each class, (B) score on the balanced task against the score on the unbalanced one.

    Args:
        counts: task -> class -> training images.
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        pairs: an unbalanced task and its balanced version, one panel in each block.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        tested: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: there is no pair, or no model that completed both tasks of one.
    """
    if not pairs:
        raise Problem("comparisons: balanced: names no task; name a task and its balanced version")
    weak = weak_tasks(scores, tested, chain(*pairs))
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
        scatters.append(_points(scores, task, balanced))
        result = correlate(scores, task, balanced, resamples, seed, tested)
        ax = axes[block + i]
        identity = _draw_points(ax, scatters[-1])
        name_panel(ax, titles[task], rho(result, 2), letter=letters[1])
        ax.set(
            xlabel=f"{titles[task]} {metric_of(tested, task).label}",
            ylabel=f"{titles[balanced]} {metric_of(tested, balanced).label}",
        )
        clauses.append(f"- {titles[task]}: {_largest(bars[-1])}; balanced against unbalanced: {correlation(result)}")
    for ax in (*axes[len(pairs) : block], *axes[block + len(pairs) :]):
        ax.remove()
    legend_below(
        figure, [*axes[0].containers, identity], ["unbalanced", "balanced", f"equal {words_of(tested, chain(*pairs))}"]
    )
    word = word_of(tested, chain(*pairs))
    alike = "errs alike" if word == PLAIN.word else "does alike"
    caption = (
        "(A) Training images of each class in the unbalanced task (light bars) and in its balanced version (dark "
        f"bars), classes in the order of their size. (B) Test {word} of each model on the balanced version against its "
        f"{word} on the unbalanced task; both axes have one scale, and a model on the dotted line {alike} on both. "
        f"{left_out(len(scores), map(len, scatters))}{footnote(weak, titles)} Spearman's ρ, with "
        f"{basis(resamples, tested, chain(*pairs))}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat([*bars, *scatters], ignore_index=True), caption)


def _class_images(counts: Mapping[str, Mapping[str, int]], task: str, balanced: str) -> pd.DataFrame:
    images = pd.DataFrame({"images": counts[task], "balanced_images": counts[balanced]}).fillna(0)
    images = images.sort_values("images", ascending=False, kind="stable").rename_axis("class").reset_index()
    return pd.DataFrame({"panel": "A", "task": task, "balanced_task": balanced}, index=images.index).join(images)


def _points(scores: pd.DataFrame, task: str, balanced: str) -> pd.DataFrame:
    pair = complete(scores, [task, balanced])
    return pd.DataFrame(
        {
            "panel": "B",
            "task": task,
            "balanced_task": balanced,
            "model": pair.index,
            "value": pair[task].array,
            "balanced_value": pair[balanced].array,
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
    ax.scatter(points["value"], points["balanced_value"], color=BLUE, zorder=2, **point_style(len(points)))
    limits = value_scale(points[["value", "balanced_value"]])
    ax.set(xlim=limits, ylim=limits)
    return ax.axline((0, 0), slope=1, color=FAINT, linestyle=":", linewidth=0.8, zorder=1)


def _largest(images: pd.DataFrame) -> str:
    first = images.iloc[0]
    return (
        f"the largest of {len(images)} classes, {plain(first['class'])}, has {first['images']:,.0f} of "
        f"{images['images'].sum():,.0f} images, and {first['balanced_images']:,.0f} of "
        f"{images['balanced_images'].sum():,.0f} when balanced"
    )
