"""Errors from scratch and from pretrained weights."""

from collections.abc import Mapping, Sequence
from itertools import chain

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.testsets import MARK, Counted, basis, footnote, marked, weak_tasks
from apr.comparisons.wording import UNDEFINED, correlation, left_out, number
from apr.figures.style import (
    BLUE,
    GREEN,
    Drawing,
    error_limits,
    legend_below,
    name_panel,
    panels,
    point_style,
    share_labels,
    styled,
)
from apr.scores.table import complete
from apr.statistics.ranks import Correlation

# Name -> look, and the letter that stands for the marker in a panel's title.
STARTS = {
    "from scratch": ({"color": BLUE, "marker": "o"}, "●"),
    "pretrained": ({"color": GREEN, "marker": "^"}, "▲"),
}


@styled
def draw_pretrained(
    reported: pd.DataFrame,
    reference: str,
    pairs: Sequence[tuple[str, str]],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """Per target: errors from scratch and from the reference's weights, against the reference's error (%).

    A panel compares the models that completed all three, so that both correlations are of the same models.

    Args:
        reported: errors (%), [models x tasks], NaN where a model did not complete.
        reference: the task whose weights the pretrained models start from.
        pairs: a target from scratch and the same from pretrained weights, one panel each.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        counts: what is known of each task's test images (`apr.comparisons.testsets`); None: nothing.

    Raises:
        Problem: there is no pair, or no model that completed the tasks of a panel.
    """
    if not pairs:
        raise Problem("figures: pretrained: names no task; name a target and its version from pretrained weights")
    weak = weak_tasks(reported, counts, [reference, *chain(*pairs)])
    titles = marked(titles, weak)
    figure, axes = panels(len(pairs))
    frames, sizes, clauses = [], [], []
    for ax, pair in zip(axes, pairs, strict=True):
        rows = complete(reported, [reference, *pair])
        sizes.append(len(rows))
        results = []
        for task, (start, (look, _)) in zip(pair, STARTS.items(), strict=True):
            ax.scatter(rows[reference], rows[task], label=start, gid=task, **look, **point_style(len(rows)))
            results.append(correlate(rows, reference, task, resamples, seed, counts))
            frames.append(_points(rows, reference, pair[0], task, start))
        error_limits(ax, rows[list(pair)].stack())
        letters = [letter for _, letter in STARTS.values()]
        shown = [f"{a} {_rho(b)}" for a, b in zip(letters, results, strict=True)]
        daggers = MARK if weak.keys() & {reference, *pair} else ""
        name_panel(ax, titles[pair[0]].removesuffix(MARK) + daggers, "   ".join(shown))
        ax.set(xlabel=f"{titles[reference]} error (%)", ylabel="Error (%)")
        gain = rows[pair[0]] - rows[pair[1]]
        clauses.append(
            f"- {titles[pair[0]]}: from scratch {correlation(results[0])}; pretrained {correlation(results[1])}; "
            f"mean gain {number(gain.mean(), 2)} error points, {(gain > 0).sum()} of {len(rows)} models gained"
        )
    share_labels(axes)
    legend_below(figure, axes[0].collections, list(STARTS))
    caption = (
        f"Test error of each model against its error on {titles[reference]}: trained from scratch (blue circles) and "
        f"from the weights that the same model learned on {titles[reference]} (green triangles). The gain is the error "
        f"from scratch minus the error from pretrained weights. {left_out(len(reported), sizes)}"
        f"{footnote(weak, titles)} Spearman's ρ with {titles[reference]}, with "
        f"{basis(resamples, counts, [reference, *chain(*pairs)])}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def _rho(result: Correlation) -> str:
    text = number(result.rho, 2)
    return f"ρ {text}" if text == UNDEFINED else f"ρ = {text}"


def _points(rows: pd.DataFrame, reference: str, target: str, task: str, start: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target": target,
            "task": task,
            "start": start,
            "model": rows.index,
            "reference_error": rows[reference].array,
            "error": rows[task].array,
        }
    )
