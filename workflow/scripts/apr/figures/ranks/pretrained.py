"""Scores from scratch and from pretrained weights."""

from collections.abc import Mapping, Sequence
from itertools import chain

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.testsets import MARK, basis, footnote, label_of, marked, points_of, weak_tasks, word_of
from apr.comparisons.wording import correlation, left_out, number, rho
from apr.figures.style import (
    BLUE,
    GREEN,
    Drawing,
    legend_below,
    name_panel,
    panels,
    point_style,
    share_labels,
    styled,
    value_limits,
)
from apr.runs.metrics import PLAIN
from apr.scores.frames import complete
from apr.scores.tested import Counted, losses, metric_of

# Name -> look, and the letter that stands for the marker in a panel's title.
STARTS = {
    "from scratch": ({"color": BLUE, "marker": "o"}, "●"),
    "pretrained": ({"color": GREEN, "marker": "^"}, "▲"),
}


@styled
def draw_pretrained(
    scores: pd.DataFrame,
    reference: str,
    pairs: Sequence[tuple[str, str]],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """Per target: scores from scratch and from the reference's weights, against the reference's score.

    A panel compares the models that completed all three, so that both correlations are of the same models.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        reference: the task whose weights the pretrained models start from.
        pairs: a target from scratch and the same from pretrained weights, one panel each.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: there is no pair, or no model that completed the tasks of a panel.
    """
    if not pairs:
        raise Problem("comparisons: pretrained: names no task; name a target and its version from pretrained weights")
    weak = weak_tasks(scores, counts, [reference, *chain(*pairs)])
    titles = marked(titles, weak)
    figure, axes = panels(len(pairs))
    frames, sizes, clauses = [], [], []
    for ax, pair in zip(axes, pairs, strict=True):
        rows = complete(scores, [reference, *pair])
        sizes.append(len(rows))
        results = []
        for task, (start, (look, _)) in zip(pair, STARTS.items(), strict=True):
            ax.scatter(rows[reference], rows[task], label=start, gid=task, **look, **point_style(len(rows)))
            results.append(correlate(rows, reference, task, resamples, seed, counts))
            frames.append(_points(rows, reference, pair[0], task, start))
        value_limits(ax, rows[list(pair)].stack())
        letters = [letter for _, letter in STARTS.values()]
        shown = [f"{a} {rho(b, 2)}" for a, b in zip(letters, results, strict=True)]
        daggers = MARK if weak.keys() & {reference, *pair} else ""
        name_panel(ax, titles[pair[0]].removesuffix(MARK) + daggers, "\n".join(shown))
        ax.set(xlabel=f"{titles[reference]} {metric_of(counts, reference).label}", ylabel=label_of(counts, pair))
        lost = losses(rows, counts)
        gain = lost[pair[0]] - lost[pair[1]]
        clauses.append(
            f"- {titles[pair[0]]}: from scratch {correlation(results[0])}; pretrained {correlation(results[1])}; "
            f"mean gain {number(gain.mean(), 2)} {points_of(counts, pair)}, {(gain > 0).sum()} of {len(rows)} models "
            "gained"
        )
    share_labels(axes)
    legend_below(figure, axes[0].collections, list(STARTS))
    word, order = word_of(counts, chain(*pairs)), "from scratch minus the error from pretrained weights"
    if word != PLAIN.word:
        order = f"from pretrained weights beyond the {word} from scratch"
    caption = (
        f"Test {word} of each model against its {word_of(counts, [reference])} on {titles[reference]}: trained from "
        "scratch (blue circles) and "
        f"from the weights that the same model learned on {titles[reference]} (green triangles). The gain is the "
        f"{word} {order}. {left_out(len(scores), sizes)}"
        f"{footnote(weak, titles)} Spearman's ρ with {titles[reference]}, with "
        f"{basis(resamples, counts, [reference, *chain(*pairs)])}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def _points(rows: pd.DataFrame, reference: str, target: str, task: str, start: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target": target,
            "task": task,
            "start": start,
            "model": rows.index,
            "reference_value": rows[reference].array,
            "value": rows[task].array,
        }
    )
