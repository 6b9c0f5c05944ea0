"""Selection regret against the number of models that one can afford to try."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from apr.basics.problems import Problem
from apr.comparisons.regret import regret_basis, regrets
from apr.comparisons.testsets import footnote, marked, points_of, weak_tasks
from apr.comparisons.wording import left_out, with_interval
from apr.figures.style import BLUE, FAINT, ORANGE, Drawing, legend_below, name_panel, panels, share_labels, styled
from apr.runs.metrics import Metric
from apr.scores.frames import complete
from apr.scores.tested import Counted, metric_of

# The closest member's line is the thinner one and lies on top, so that both are seen where they agree.
LOOKS = {"reference": (BLUE, 1.8), "closest": (ORANGE, 0.9)}
POINTS = 40  # values of k on the logarithmic axis


@styled
def draw_selection_regret(
    scores: pd.DataFrame,
    reference: str,
    targets: Sequence[str],
    closest: Mapping[str, str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Drawing:
    """Per target: the points lost by trying the k best of the reference, of its closest member, or k at random.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        reference: the task that is usually chosen on.
        targets: one panel each.
        closest: target -> family member; a target may be absent.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of the intervals.
        seed: of the bootstrap.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.

    Raises:
        Problem: no target, or no model that completed both tasks.
    """
    if not targets:
        raise Problem("the study has no target: add one to draw what a choice on the reference costs there")
    weak = weak_tasks(scores, counts, [reference, *targets, *closest.values()])
    titles = marked(titles, weak)
    figure, axes = panels(len(targets))
    frames, clauses = [], []
    for ax, target in zip(axes, targets, strict=True):
        sources = {"reference": reference} | ({"closest": closest[target]} if target in closest else {})
        frames.append(_curves(scores, sources, target, resamples, seed, counts))
        _draw_curves(ax, frames[-1])
        name_panel(ax, titles[target])
        ax.set(xlabel="Models tried, k", ylabel=f"Regret ({metric_of(counts, target).points})")
        clauses += _clauses(frames[-1], titles, metric_of(counts, target))
    share_labels(axes)
    handles = {label: h for ax in axes for h, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    names = {
        "reference": f"k best on {titles[reference]}",
        "closest": "k best on the closest family member",
        "random": "k at random",
    }
    legend_below(figure, list(handles.values()), [names[choice] for choice in handles])
    data = pd.concat(frames, ignore_index=True)
    caption = (
        f"Selection regret: the {points_of(counts, targets)} lost on a target by who tries the k best models of "
        "another task there and "
        f"keeps the best, instead of the best of all. Blue: the k best on {titles[reference]}; orange: on the member "
        "of its family that is closest to the target in its number of classes; dashed: k models at random, expected. "
        f"{regret_basis(resamples, counts, [reference, *targets, *closest.values()], 'Bands')} "
        f"{left_out(len(scores), data['n'])}{footnote(weak, titles)} Who takes the single best model loses:\n\n"
        + "\n".join(clauses)
    )
    return Drawing(figure, data, caption)


def _curves(
    scores: pd.DataFrame,
    sources: Mapping[str, str],
    target: str,
    resamples: int,
    seed: int,
    counts: Counted | None,
) -> pd.DataFrame:
    frames = []
    scores = complete(scores, [*sources.values(), target])
    n = len(scores)
    for choice, source in sources.items():
        ks = np.unique(np.geomspace(1, n, POINTS).round().astype(int)).tolist()
        rows = [vars(result) for result in regrets(scores, source, target, ks, resamples, seed, counts)]
        frames.append(pd.DataFrame(rows).assign(target=target, choice=choice, source=source))
    columns = ["target", "choice", "source", "k", "n", "regret", "low", "high", "random"]
    return pd.concat(frames, ignore_index=True)[columns]


def _draw_curves(ax: Axes, data: pd.DataFrame) -> None:
    for choice, rows in data.groupby("choice", sort=False):
        color, width = LOOKS[choice]
        line = {"drawstyle": "steps-post", "solid_capstyle": "butt", "clip_on": False}
        ax.plot(rows["k"], rows["regret"], color=color, linewidth=width, label=choice, gid=choice, **line)
        ax.fill_between(rows["k"], rows["low"], rows["high"], step="post", color=color, alpha=0.18, linewidth=0)
    rows = data[data["choice"] == "reference"]
    ax.plot(rows["k"], rows["random"], "--", color=FAINT, linewidth=0.9, label="random", gid="random")
    ax.set_xscale("log")
    n = rows["k"].max()
    ax.set_xlim(1, max(n, 2))
    ax.set_ylim(0, None if data[["high", "random"]].max(axis=None) > 0 else 1)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if n <= 50 else (1,)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda k, _: f"{k:g}"))


def _clauses(data: pd.DataFrame, titles: Mapping[str, str], metric: Metric) -> list[str]:
    unit = "points" if metric.unit == "%" else metric.word
    return [
        f"- {titles[row.target]}, chosen on {titles[row.source]}: "
        f"{with_interval(row.regret, row.low, row.high, 2)} {unit} (random: {row.random:.2f}, n = {row.n})"
        for row in data[data["k"] == 1].itertuples()
    ]
