"""Scores with the last BatchNorm of each residual block started at 1 and at 0."""

from collections.abc import Mapping, Sequence
from itertools import chain

import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlate
from apr.comparisons.shape import with_shape
from apr.comparisons.testsets import MARK, basis, footnote, label_of, marked, weak_tasks, word_of
from apr.comparisons.wording import bare_rho, correlation, left_out
from apr.figures.style import BLUE, ORANGE, Drawing, legend_below, name_panel, panels, point_style, styled, value_limits
from apr.scores.frames import complete
from apr.scores.tested import Counted, metric_of

# Whether γ starts at 0 -> its name, the letter that stands for its marker in a panel's title, and its look.
STARTS = {
    False: ("γ = 1", "●", {"color": BLUE, "marker": "o"}),
    True: ("γ = 0", "▲", {"color": ORANGE, "marker": "^"}),
}
DEPTH = "cumulative_depth"


@styled
def draw_initialisation(
    scores: pd.DataFrame,
    shape: pd.DataFrame,
    reference: str,
    pairs: Sequence[tuple[str, str]],
    zero: Mapping[str, bool],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """Per target two panels, its score against cumulative depth and against the reference's, for both starts.

    A row compares the models that completed all three tasks, so that its correlations are of the same models.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        shape: columns cumulative_depth (blocks) and cumulative_width (channels), indexed by model.
        reference: the task on the horizontal axis of the second panels.
        pairs: a target and the same with the other start.
        zero: task -> whether the last BatchNorm of its blocks starts at 0.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of rho's interval.
        seed: of the bootstrap.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: there is no pair, or no model that completed the tasks of a row.
    """
    if not pairs:
        raise Problem(
            "comparisons: initialisation: names no task; name a task and the same with the other zero_init_final_gamma"
        )
    concerned = [reference, *chain(*pairs)]
    weak = weak_tasks(scores, counts, concerned)
    titles = marked(titles, weak)
    figure, axes = panels(2 * len(pairs), 2)
    frames, sizes, clauses = [], [], []
    for i, pair in enumerate(pairs):
        rows = with_shape(complete(scores, [reference, *pair]), shape)
        sizes.append(len(rows))
        daggers = MARK if weak.keys() & set(pair) else ""
        starts = {zero[task]: task for task in sorted(pair, key=zero.__getitem__)}
        for ax, x in zip(axes[2 * i : 2 * i + 2], (DEPTH, reference), strict=True):
            results = {start: correlate(rows, x, task, resamples, seed, counts) for start, task in starts.items()}
            for start, task in starts.items():
                ax.scatter(
                    rows[x], rows[task], label=STARTS[start][0], gid=task, **STARTS[start][2], **point_style(len(rows))
                )
                frames.append(_points(rows, pair[0], task, x, STARTS[start][0]))
            value_limits(ax, rows[list(pair)].stack())
            name_panel(
                ax,
                titles[pair[0]].removesuffix(MARK) + daggers,
                "   ".join(f"{STARTS[s][1]} {bare_rho(r.rho)}" for s, r in results.items()),
            )
            against = "cumulative depth" if x == DEPTH else titles[reference]
            ax.set(
                xlabel="Cumulative depth (blocks)"
                if x == DEPTH
                else f"{titles[reference]} {metric_of(counts, reference).label}",
                ylabel=label_of(counts, pair),
            )
            clauses.append(
                f"- {titles[pair[0]]} with {against}: "
                + "; ".join(f"{STARTS[start][0]} {correlation(result)}" for start, result in results.items())
            )
    legend_below(figure, axes[0].collections, [name for name, *_ in STARTS.values()])
    caption = (
        f"Test {word_of(counts, chain(*pairs))} of each model against its cumulative depth (left) and its "
        f"{word_of(counts, [reference])} on {titles[reference]} (right; "
        f"trained with {STARTS[zero[reference]][0]}). Blue circles: each residual block's last BatchNorm starts with "
        f"γ = 1; orange triangles: with γ = 0. {left_out(len(scores), sizes)}{footnote(weak, titles)} "
        f"Spearman's ρ, with {basis(resamples, counts, concerned)}:\n\n" + "\n".join(clauses)
    )
    return Drawing(figure, pd.concat(frames, ignore_index=True), caption)


def _points(rows: pd.DataFrame, target: str, task: str, x: str, start: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "target": target,
            "task": task,
            "start": start,
            "model": rows.index,
            "against": x,
            "x": rows[x].array,
            "value": rows[task].array,
        }
    )
