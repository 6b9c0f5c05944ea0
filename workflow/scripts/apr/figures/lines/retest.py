"""Accuracy on a new test set against that on the original, with the line through the models."""

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import ndtri

from apr.comparisons.retest_lines import WITHOUT, Fit, Retest, fit_retest, lines_basis
from apr.comparisons.wording import UNDEFINED, counted, number, sentence, with_interval
from apr.figures.lines.probit import limits, scale_axes
from apr.figures.style import BLUE, FAINT, GREY, INK, MM, RED, TEXT, Drawing, legend_below, name_panel, styled
from apr.statistics.counts import clopper_pearson
from apr.statistics.lines import band, from_probit

HEIGHT = 78 * MM
CONFIDENCE = 95  # %
GRID = 80  # points of a line
MARGIN = 0.04  # of an axis, around what is drawn
MANY = 120  # models from which on their bars and outlines would hide each other
LETTERS = 44  # of an axis label in a row
NAMES = {"linear": "Linear scale", "probit": "Probit scale"}
APART = 0.07  # of an axis: ticks on the probit scale
# The most of the models are drawn again, larger, where they take less than ZOOM_BELOW of an axis. Accuracies rise
# together, so that the corner of high original and low new ones is free.
ZOOM_BELOW, BULK, CORNER = 0.2, (0.1, 0.9), (0.66, 0.07, 0.33, 0.33)
LOOKS = {
    True: {"marker": "o", "facecolor": BLUE, "edgecolor": "white", "linewidths": 0.3, "zorder": 5},
    False: {"marker": "D", "facecolor": "white", "edgecolor": INK, "linewidths": 0.7, "zorder": 4},
}


@styled
def draw_retest(
    accuracies: pd.DataFrame, retest: Retest, titles: Mapping[str, str], resamples: int, seed: int
) -> Drawing:
    """New against original accuracy on the linear and on the probit scale, with identity, line and bootstrap band.

    Args:
        accuracies: of `paired.paired`.
        retest: with the models that the lines do not count; they are drawn open.
        titles: test set -> the name that a reader sees.
        resamples: bootstrap resamples of the band and of the intervals.
        seed: of the bootstrap.

    Raises:
        Problem: see `retest_lines.fit_retest`.
    """
    fits = {scale: fit_retest(accuracies, retest, scale, resamples, seed) for scale in WITHOUT}
    figure = Figure(figsize=(TEXT, HEIGHT), layout="constrained")
    figure.get_layout_engine().set(w_pad=1.5 * MM, h_pad=1.6 * MM, wspace=0.06)
    frames, handles, zoomed = [], {}, False
    for i, (scale, fit) in enumerate(fits.items()):
        ax = figure.add_subplot(1, 2, i + 1)
        points = _points(accuracies, fit, scale)
        reach = _set_scale(ax, points, scale)
        line = _line(fit, scale, reach)
        handles |= _draw(ax, points, line, reach)
        zoomed |= len(points) > 0 and _zoom(ax, points, line, scale)
        name_panel(ax, NAMES[scale], _result(fit, scale))
        for side, set_label in (("original", ax.set_xlabel), ("new", ax.set_ylabel)):
            set_label(fill(f"{sentence(retest['metric'])} on {titles[retest[side]]}\u00a0(%)", LETTERS))
        frames += [points.assign(scale=scale), line.assign(scale=scale, kind="line")]
    names = {
        True: "model",
        False: "model not in the line",
        "line": f"least squares, {CONFIDENCE} % band",
        "identity": "equal accuracies",
    }
    shown = [key for key in names if key in handles]
    legend_below(figure, [handles[key] for key in shown], [names[key] for key in shown])
    columns = ["scale", "kind", "model", "in_line", "orig_acc", "orig_low", "orig_high"]
    columns += ["new_acc", "new_low", "new_high"]
    data = pd.concat(frames, ignore_index=True)[columns]
    return Drawing(figure, data, _caption(accuracies, retest, titles, fits, zoomed, resamples))


def _points(accuracies: pd.DataFrame, fit: Fit, scale: str) -> pd.DataFrame:
    """Accuracies and their intervals (%); without models that the probit scale cannot show.

    Where only percentages are known, the intervals are those of the nearest whole number of images.
    """
    table = pd.DataFrame({"kind": "model", "model": accuracies.index, "in_line": ~accuracies.index.isin(fit.left_out)})
    for side in ("orig", "new"):
        accuracy, n = accuracies[f"{side}_acc"], accuracies[f"{side}_n"]
        table[f"{side}_acc"] = accuracy.array
        correct = accuracies[f"{side}_correct"].fillna((accuracy * n / 100).round())
        table[f"{side}_low"], table[f"{side}_high"] = clopper_pearson(correct, n)
    return table if scale == "linear" else table[_shown(table)]


def _shown(table: pd.DataFrame) -> pd.Series:
    """Whether the probit scale can show each row's accuracies."""
    accuracies = table[["orig_acc", "new_acc"]]
    return ((accuracies > 0) & (accuracies < 100)).all(axis=1)


def _line(fit: Fit, scale: str, reach: tuple[float, float]) -> pd.DataFrame:
    """The line and its band over the horizontal axis, in % on either scale; empty where there is none."""
    ends = ndtri(np.array(reach) / 100) if scale == "probit" else np.array(reach)
    grid = np.linspace(*ends, GRID if not fit.reason else 0)
    drawn = [(fit.slopes, fit.offsets), (fit.image_slopes, fit.image_offsets)]
    bands = [band(grid, *lines, CONFIDENCE) for lines in drawn if len(grid) and len(lines[0])] or [(grid, grid)]
    low, high = np.min([low for low, _ in bands], axis=0), np.max([high for _, high in bands], axis=0)
    columns = {"orig_acc": grid, "new_acc": fit.line.at(grid), "new_low": low, "new_high": high}
    return pd.DataFrame({name: from_probit(v) if scale == "probit" else v for name, v in columns.items()})


def _set_scale(ax: Axes, points: pd.DataFrame, scale: str) -> tuple[float, float]:
    """Scale both axes so that all points, and the identity over the horizontal axis, are seen; its limits in %."""
    x = limits(points[["orig_acc", "orig_low", "orig_high"]], scale, MARGIN)
    y = limits([*points[["new_acc", "new_low", "new_high"]].to_numpy(), [*x, x[0]]], scale, MARGIN)
    scale_axes(ax, x, y, scale, apart=APART)
    return x


def _draw(ax: Axes, points: pd.DataFrame, line: pd.DataFrame, reach: tuple[float, float]) -> dict:
    """Draw one panel; returns the artists that the legend explains."""
    if points.empty:
        ax.set(xticks=[], yticks=[])
        ax.text(0.5, 0.5, "no model has a place on this scale", transform=ax.transAxes, ha="center", color=GREY)
        return {}
    handles: dict = {}
    many = len(points) > MANY
    (handles["identity"],) = ax.plot(reach, reach, "--", color=FAINT, linewidth=0.8, zorder=2, gid="identity")
    if len(line):
        area = ax.fill_between(line["orig_acc"], line["new_low"], line["new_high"], color=RED, alpha=0.22, linewidth=0)
        look = {"color": RED, "linewidth": 1.0, "zorder": 6 if many else 3, "gid": "line"}
        (stroke,) = ax.plot(line["orig_acc"], line["new_acc"], **look)
        handles["line"] = (area, stroke)
    if not many:
        bars = [np.abs(points[[f"{s}_low", f"{s}_high"]].sub(points[f"{s}_acc"], axis=0)).T for s in ("orig", "new")]
        look = {"fmt": "none", "ecolor": GREY, "elinewidth": 0.5, "alpha": 0.7, "zorder": 1}
        ax.errorbar(points["orig_acc"], points["new_acc"], xerr=bars[0], yerr=bars[1], **look)
    size = min(14.0, max(3.0, 550 / len(points)))
    faint = {"linewidths": 0, "alpha": 0.35} if many else {}
    for in_line, rows in points.groupby("in_line", sort=False):
        look = LOOKS[in_line] | {"s": size if in_line else max(size, 12)} | (faint if in_line else {})
        handles[in_line] = ax.scatter(rows["orig_acc"], rows["new_acc"], gid=str(in_line), **look)
    return handles


def _zoom(ax: Axes, points: pd.DataFrame, line: pd.DataFrame, scale: str) -> bool:
    """Draw most of the models again in the corner, if they are crowded and the corner is free; whether it did."""
    bulk = points[["orig_acc", "new_acc"]].quantile(BULK).to_numpy()
    edges = [("orig_acc", "new_acc"), ("orig_acc", "new_low"), ("orig_acc", "orig_acc")]
    drawn = np.concatenate([points[[*edges[0]]], *(line[[*pair]] for pair in edges)])
    x, y = _place(ax, drawn).T
    in_corner = (x > CORNER[0] - 0.06) & (x <= 1) & (y < CORNER[1] + CORNER[3] + 0.02) & (y >= 0)
    spans = np.ptp(_place(ax, bulk), axis=0)
    if len(points) > MANY or in_corner.any() or spans.min() == 0 or spans.max() > ZOOM_BELOW:
        return False
    inset = ax.inset_axes(CORNER)
    sides = [limits(bulk[:, i], scale, margin=0.15) for i in (0, 1)]
    scale_axes(inset, *sides, scale, apart=APART, most_ticks=4)
    inset.tick_params(labelsize=5.5, size=1.5, pad=1.5)
    inset.spines[:].set(visible=True, linewidth=0.5)
    _draw(inset, points, line, ax.get_xlim())
    inset.set(xlim=sides[0], ylim=sides[1])
    ax.indicate_inset_zoom(inset, edgecolor=FAINT, linewidth=0.5, alpha=1)
    return True


def _place(ax: Axes, values: NDArray) -> NDArray[np.float64]:
    """Where accuracies (%) [points, 2] lie on the axes, 0 to 1."""
    return ax.transAxes.inverted().transform(ax.transData.transform(values))


def _result(fit: Fit, scale: str) -> str:
    if fit.reason:
        return f"line {UNDEFINED}: {fit.reason}"
    digits = 1 if scale == "linear" else 2
    slope = with_interval(fit.line.slope, *fit.slope_interval, 2)
    return f"slope {slope}, offset {with_interval(fit.line.offset, *fit.offset_interval, digits)}"


def _caption(
    accuracies: pd.DataFrame,
    retest: Retest,
    titles: Mapping[str, str],
    fits: Mapping[str, Fit],
    zoomed: bool,
    resamples: int,
) -> str:
    original, new = titles[retest["original"]], titles[retest["new"]]
    change = (accuracies["new_acc"] - accuracies["orig_acc"]).mean()
    known = accuracies[["orig_n", "new_n"]].notna().any(axis=None)
    bars = f"Bars: {CONFIDENCE} % Clopper–Pearson intervals. " if known and len(accuracies) <= MANY else ""
    inset = f"Insets enlarge the middle {BULK[1] - BULK[0]:.0%} of the models. ".replace("%", " %") if zoomed else ""
    ends = accuracies.index[~_shown(accuracies)]
    lacking = f" It has no place for {', '.join(ends)}, at 0 or 100 %." if len(ends) else ""
    lacking += " No model is left, so that the panel is empty." if len(ends) == len(accuracies) else ""
    models = counted(len(accuracies), "model")
    return (
        f"{sentence(retest['metric'])} of {models} on {new} against the accuracy on "
        f"{original}. On the right both axes are scaled by the quantiles of the normal distribution (probit), which "
        f"spreads out accuracies near 0 and 100 %.{lacking} {bars}{inset}Dashed: equal accuracies; a model below it is "
        f"less accurate on {new}. The mean change of the {models} is {number(change, 1)} points. "
        f"Red: the least-squares line through the filled points, with pointwise "
        f"{lines_basis([accuracies], resamples)}. A slope of 1 would be a change that is the same for all "
        "models; the offset is the line's height at an original accuracy of 0 % (probit: at 50 %, in quantiles). In "
        "brackets: such intervals of both:\n\n"
        + "\n".join(_clause(fit, scale) for scale, fit in fits.items())
        + _meaning(fits["linear"], original, new)
    )


def _clause(fit: Fit, scale: str) -> str:
    models = counted(fit.n, "model") + (f", without {', '.join(fit.left_out)}" if fit.left_out else "")
    if fit.reason:
        return f"- {NAMES[scale]} ({models}): no line, {fit.reason}"
    slope = with_interval(fit.line.slope, *fit.slope_interval, 3)
    digits, unit = (2, " points") if scale == "linear" else (3, "")
    offset = with_interval(fit.line.offset, *fit.offset_interval, digits)
    return f"- {NAMES[scale]} ({models}): slope {slope}, offset {offset}{unit}"


def _meaning(fit: Fit, original: str, new: str) -> str:
    if fit.reason:
        return ""
    low, high = fit.slope_interval
    word = "more" if low > 1 else "less" if high < 1 else ""
    verdict = f", {word} than one" if word else "; the interval does not tell it from one"
    points = number(fit.line.slope, 2)
    return f"\n\nAlong the line, a point of accuracy more on {original} comes with {points} points on {new}{verdict}."
