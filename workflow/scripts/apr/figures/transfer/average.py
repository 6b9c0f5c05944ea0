"""Mean of the centred logits over all datasets against ImageNet accuracy, as Kornblith et al. (2019) aggregate."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from apr.comparisons.transfer.captions import far_below, how_trained, intervals_of, models_without
from apr.comparisons.transfer.gains import Average, average_of
from apr.comparisons.transfer.targets import KINDS, Scored, Transfer
from apr.comparisons.wording import with_interval
from apr.figures.style import GREY, INK, Drawing, legend_below, panels, styled
from apr.figures.transfer.points import name_lines, say_nothing
from apr.statistics.lines import fit_line

TICKS = (10, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95)
LOOKS = ((INK, INK), (GREY, "white"))  # the targets, and their probes
MARGIN = 0.06  # of an axis

MIDDLE = "95 % intervals of "  # begins what intervals are of


@styled
def draw_average(transfer: Transfer) -> Drawing:
    """Mean over datasets of the logits of scores, centred on each, against ImageNet accuracy on a logit scale."""
    ways = _ways(transfer)
    found = {trained: average_of(transfer, scored) for trained, scored in ways.items()}
    looks = dict(zip(found, LOOKS, strict=False))
    figure, (ax,) = panels(1)
    drawn = {trained: average for trained, average in found.items() if average.n}
    handles = [_draw(ax, average, *looks[trained]) for trained, average in drawn.items()]
    every = pd.concat([average.points.assign(trained=trained) for trained, average in found.items()], ignore_index=True)
    if drawn:
        _scale(ax, every["imagenet"])
    else:
        say_nothing(ax, "no model with an ImageNet accuracy\nand log odds on all datasets")
    ax.set_xlabel(f"{transfer.titles[transfer.settings['reference']]} top-1 accuracy (%, logit scale)")
    ax.set_ylabel("Mean centred log odds")
    several = len(found) > 1
    results = [
        (f"{f'{trained}: ' if several else ''}r {_r(average, 2)}", looks[trained][0])
        for trained, average in found.items()
    ]
    name_lines(ax, "Mean over datasets", results)
    if len(drawn) > 1:
        legend_below(figure, handles, list(drawn))
    return Drawing(figure, every, _caption(transfer, found, ways))


def _ways(transfer: Transfer) -> dict[str, dict[str, Scored]]:
    """What models are called -> their scores: those of the targets, and those of probes where each target has one."""
    words = " or ".join(dict.fromkeys(one.word for one in transfer.targets.values()))
    found, probes = {words: dict(transfer.targets)}, transfer.others["probes"]
    if set(probes) == set(transfer.targets):
        name = KINDS["probes"] if words != KINDS["probes"] else f"{KINDS['probes']}, otherwise fitted"
        found[name] = {task: probes[task] for task in transfer.targets}
    return found


def _draw(ax: Axes, average: Average, color: str, face: str) -> object:
    points = average.points
    x = _logit(points["imagenet"])
    bars = np.abs(points[["low", "high"]].sub(points["value"], axis=0)).T.to_numpy()
    if np.isfinite(bars).all():
        ax.errorbar(x, points["value"], yerr=bars, fmt="none", ecolor=color, elinewidth=0.6, alpha=0.6, zorder=2)
    line = fit_line(x, points["value"])
    if not np.isnan(line.slope):
        ends = np.array([x.min(), x.max()])
        ax.plot(ends, line.at(ends), color=color, linewidth=0.9, linestyle="-" if face == color else "--", zorder=1)
    return ax.scatter(x, points["value"], s=14, facecolors=face, edgecolors=color, linewidths=0.8, zorder=3)


def _scale(ax: Axes, accuracies: pd.Series) -> None:
    low, high = _logit(accuracies).min(), _logit(accuracies).max()
    margin = max(MARGIN * (high - low), 0.05)
    ax.set_xlim(low - margin, high + margin)
    inside = [tick for tick in TICKS if low - margin <= _logit(tick) <= high + margin]
    ax.set_xticks(_logit(np.array(inside)), [str(tick) for tick in inside])


def _logit(percent: pd.Series | np.ndarray | float) -> pd.Series | np.ndarray:
    return np.log(percent / (100 - percent))


def _r(average: Average, digits: int) -> str:
    if np.isnan(average.r):
        return "not defined"
    return with_interval(average.r, average.low, average.high, digits)


def _without(found: dict[str, Average]) -> str:
    """A sentence on the models whose scores have no log odds; empty without one."""
    texts = [
        f"{trained}: {', '.join(f'{model} ({scores})' for model, scores in average.without.items())}"
        for trained, average in found.items()
        if average.without
    ]
    if not texts:
        return ""
    return f" Left out, since a score of 0 or less, or of 100 %, has no log odds: {'; '.join(texts)}."


def _caption(transfer: Transfer, found: dict[str, Average], ways: dict[str, dict[str, Scored]]) -> str:
    targets = list(transfer.targets.values())
    clauses = "; ".join(f"{trained} {_r(average, 3)}, n = {average.n}" for trained, average in found.items())
    few = {
        1: " There is one dataset, so that nothing is averaged.",
        2: " A mean over two datasets hangs on each of them.",
        3: " A mean over three datasets hangs on each of them.",
    }
    fewer = few.get(len(targets), "")
    every = [one for scored in ways.values() for one in scored.values()]
    bars = intervals_of(targets, transfer.settings["resamples"])
    if bars.startswith(MIDDLE):
        bars = f"the mean on {bars.removeprefix(MIDDLE)} (middle 95 %)"
    return (
        "Log odds of each model's scores, less their mean over the models on that dataset, averaged over "
        f"{', '.join(one.title for one in targets)}, against ImageNet top-1 accuracy on a logit scale. Metrics other "
        "than accuracies are treated as if they were; the aggregation is that of Kornblith, Shlens and Le (2019), of "
        f"whose text only the abstract was read, so that details may differ. Lines: least squares. Bars: {bars}. "
        f"Pearson's r, with 95 % intervals in Fisher's z over models: {clauses}.{_without(found)}{fewer}"
        f"{how_trained(every)}{far_below(every)}"
        f"{models_without(transfer)}"
    )
