"""Accuracy on new test sets against the original: the line of 2019, and the models since."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from apr.basics.problems import Problem
from apr.comparisons.families import LINE, UNDATED
from apr.comparisons.retest_lines import Retest
from apr.comparisons.since import ALONE, ANY, change_in_words, drawn_line, populations, since_lines, to_scale
from apr.comparisons.wording import number, sentence
from apr.figures.lines.probit import SPARE, limits, scale_axes
from apr.figures.style import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    Drawing,
    grid_columns,
    legend_below,
    name_panel,
    panels,
    share_labels,
    styled,
)
from apr.statistics.lines import band, fit_line, from_probit

LETTERS = 40  # of an axis label in a row
OTHER, MORE = "other", "more data"  # kinds of models
MARKS = ((ORANGE, "^"), (RED, "s"), (PURPLE, "D"))  # of highlighted families
LOOKS = {
    OTHER: {"color": GREY, "marker": "o", "linewidths": 0, "s": 3.5, "alpha": 0.35, "zorder": 2},
    MORE: {"color": FAINT, "marker": "x", "linewidths": 0.5, "s": 5, "alpha": 0.6, "zorder": 2.5},
    LINE: {"color": BLUE, "marker": "o", "linewidths": 0, "s": 6, "alpha": 0.75, "zorder": 3},
}
HIGHLIGHTED = {"linewidths": 0, "s": 9, "alpha": 0.85, "zorder": 4}
STROKES = {
    LINE: {"color": BLUE, "linewidth": 1.1, "zorder": 6},
    ANY: {"color": INK, "linewidth": 1.1, "linestyle": (0, (4, 1.5)), "zorder": 6},
    ALONE: {"color": GREEN, "linewidth": 1.1, "linestyle": (0, (5, 1, 1, 1)), "zorder": 6},
    "identity": {"color": FAINT, "linewidth": 0.7, "linestyle": ":", "zorder": 1},
}
GRID = 60  # points of a line
MARGIN = 0.05  # of an axis, around the points
CONFIDENCE = 95  # %
APART = 0.13  # of an axis: ticks on the probit scale


@styled
def draw_since(
    pairs: Mapping[str, pd.DataFrame],
    retests: Sequence[Retest],
    titles: Mapping[str, str],
    highlight: Sequence[str],
    scale: str,
    resamples: int,
    seed: int,
) -> Drawing:
    """One panel a retest: all models, the line of 2019 with its band, and the line through the models since.

    Args:
        pairs: retest -> points of `since.dated_accuracies`.
        retests: in the order of the panels.
        titles: test set -> the name that a reader sees.
        highlight: up to three families to mark.
        scale: of both axes, "probit" or "linear".
        resamples: bootstrap resamples of the families.
        seed: of the bootstrap.

    Raises:
        Problem: no retest, too many families to highlight, or one that no model belongs to.
    """
    marks = _marks(pairs, highlight)
    results = since_lines(pairs, {}, resamples, seed)
    results = results[results["scale"] == scale].set_index(["data", "retest"])
    figure, axes = panels(len(retests))
    frames, beyond = [], []
    for ax, retest in zip(axes, retests, strict=True):
        points = pairs[retest["name"]]
        kinds = _kinds(points, highlight)
        beyond.append(_limit(ax, points, scale))
        _draw_points(ax, points, kinds, marks)
        lines = _lines(points, scale, resamples, seed)
        _draw_lines(ax, lines)
        row = results.loc[ANY, retest["name"]]
        p = "p < 0.001" if row["change_p_holm"] < 0.001 else f"p = {row['change_p_holm']:.3f}"
        slopes = " → ".join(number(row[f"slope_{side}"], 2) for side in ("2019", "since"))
        name_panel(ax, titles[retest["new"]], f"slope {slopes} ({p})")
        ax.set_xlabel(fill(f"Accuracy on {titles[retest['original']]} (%)", LETTERS, break_long_words=False))
        ax.set_ylabel("Accuracy on the new test set (%)")
        rows = points.reset_index(names="model").assign(kind=kinds.to_numpy())
        frames += [frame.assign(retest=retest["name"]) for frame in (rows, lines)]
    share_labels(axes)
    handles = {name: _handle(look) for name, look in _legend(marks).items()}
    _place_legend(figure, axes, list(handles.values()), list(handles))
    columns = ["retest", "kind", "model", "weights", "family", "group", "orig_acc", "new_acc", "new_low", "new_high"]
    data = pd.concat(frames, ignore_index=True)[columns].fillna({"model": "", "weights": "", "family": "", "group": ""})
    return Drawing(figure, data, _caption(results, pairs, retests, titles, scale, max(beyond), resamples))


def _marks(pairs: Mapping[str, pd.DataFrame], highlight: Sequence[str]) -> dict[str, dict]:
    if not pairs:
        raise Problem("comparisons: since: no line; name two tasks to compare under lines")
    if len(highlight) > len(MARKS):
        raise Problem(f"comparisons: since: highlight: names {len(highlight)} families; name at most {len(MARKS)}")
    known = set().union(*(points["family"] for points in pairs.values())) - {""}
    for family in highlight:
        if family not in known:
            text = f"no model is of the family {family!r}; there are: {', '.join(sorted(known))}"
            raise Problem(f"comparisons: since: highlight: {text}")
    styles = (HIGHLIGHTED | {"color": color, "marker": marker} for color, marker in MARKS)
    return dict(zip(highlight, styles, strict=False))


def _kinds(points: pd.DataFrame, highlight: Sequence[str]) -> pd.Series:
    kinds = points["family"].where(points["family"].isin(highlight), OTHER)
    return kinds.mask((kinds == OTHER) & points["more_data"], MORE).mask(points["group"] == LINE, LINE)


def _draw_points(ax: Axes, points: pd.DataFrame, kinds: pd.Series, marks: Mapping[str, dict]) -> None:
    for kind, look in (LOOKS | marks).items():
        rows = points[kinds == kind]
        ax.scatter(rows["orig_acc"], rows["new_acc"], gid=kind, **look)


def _lines(points: pd.DataFrame, scale: str, resamples: int, seed: int) -> pd.DataFrame:
    """In %: the line of 2019 with its pointwise interval over all original accuracies, those since over their own."""
    percent = from_probit if scale == "probit" else np.asarray
    frames = []
    for kind, counted in ({LINE: points["group"] == LINE} | populations(points)).items():
        rows = points[counted]
        reach = to_scale(points if kind == LINE else rows, scale)[0]
        grid = np.linspace(reach.min(), reach.max(), GRID)
        columns = {"orig_acc": grid, "new_acc": fit_line(*to_scale(rows, scale)).at(grid)}
        if kind == LINE:
            offsets, slopes = drawn_line(rows, scale, resamples, seed).T
            columns["new_low"], columns["new_high"] = band(grid, slopes, offsets, CONFIDENCE)
        values = {name: percent(column) for name, column in columns.items()}
        frames.append(pd.DataFrame(values).assign(kind=f"line {kind}"))
    return pd.concat(frames, ignore_index=True)


def _draw_lines(ax: Axes, lines: pd.DataFrame) -> None:
    ends = (SPARE, 100 - SPARE)
    ax.plot(ends, ends, **STROKES["identity"])
    for kind in (LINE, ANY, ALONE):
        rows = lines[lines["kind"] == f"line {kind}"]
        x = rows["orig_acc"]
        ax.plot(x, rows["new_acc"], gid=f"line {kind}", **STROKES[kind])
        if kind == LINE:
            ax.fill_between(x, rows["new_low"], rows["new_high"], color=BLUE, alpha=0.18, linewidth=0, zorder=1.5)


def _limit(ax: Axes, points: pd.DataFrame, scale: str) -> int:
    """Limits around the models of the lines; returns how many models lie beyond."""
    every = points[["orig_acc", "new_acc"]].to_numpy()
    sides = [limits(values[points["group"] != UNDATED], scale, MARGIN) for values in every.T]
    scale_axes(ax, *sides, scale, apart=APART)
    low, high = np.transpose(sides)
    return int(((every < low) | (every > high)).any(axis=1).sum())


def _legend(marks: Mapping[str, dict]) -> dict[str, dict]:
    """Name -> look, in the order of the legend."""
    points = {"models of 2019": LOOKS[LINE]} | dict(marks)
    points |= {"other models on more data": LOOKS[MORE], "other models": LOOKS[OTHER]}
    lines = {f"line of 2019, {CONFIDENCE} % band": STROKES[LINE], "line since": STROKES[ANY]}
    return points | lines | {f"since, {ALONE} alone": STROKES[ALONE], "equal accuracies": STROKES["identity"]}


def _handle(look: Mapping) -> Line2D:
    if "marker" not in look:
        return Line2D([], [], **{key: value for key, value in look.items() if key != "zorder"})
    edge = {"markersize": 4, "markeredgewidth": 2 * look["linewidths"]}
    return Line2D([], [], linestyle="", marker=look["marker"], color=look["color"], **edge)


def _place_legend(figure: Figure, axes: list[Axes], handles: list[Line2D], names: list[str]) -> None:
    """In the grid's gap where there is one, else below."""
    columns = grid_columns(len(axes))
    if len(axes) % columns == 0:
        legend_below(figure, handles, names)
        return
    gap = figure.add_subplot(-(-len(axes) // columns), columns, len(axes) + 1)
    gap.set_axis_off()
    gap.legend(handles, names, loc="center left", labelspacing=0.7, borderaxespad=0)


def _caption(
    results: pd.DataFrame,
    pairs: Mapping[str, pd.DataFrame],
    retests: Sequence[Retest],
    titles: Mapping[str, str],
    scale: str,
    beyond: int,
    resamples: int,
) -> str:
    axes = "Both axes are scaled by the quantiles of the normal distribution (probit). " if scale == "probit" else ""
    most = max(map(len, pairs.values()))
    unseen = f" Up to {beyond} undated models lie beyond the axes of a panel." if beyond else ""
    compared = " and ".join(sorted({sentence(retest["metric"]) for retest in retests}))
    clauses = [
        f"- {titles[retest['new']]} ({len(pairs[retest['name']]):,} models): "
        f"{change_in_words(results.loc[ANY, retest['name']])}; on {ALONE} alone "
        f"{change_in_words(results.loc[ALONE, retest['name']])}"
        for retest in retests
    ]
    return (
        f"{compared} of up to {most:,} models on new test sets against that on the original one; a model "
        f"at two image sizes counts as two. {axes}Blue: models of 2019, the least-squares line through them and its "
        f"pointwise {CONFIDENCE} % interval. Black, dashed: the line through the models of families published "
        f"since; green: through those of them that learned from {ALONE}'s images alone, as those of 2019 did. Models "
        f"that cannot be dated, of a highlighted family or grey, are in no line.{unseen} Above the panels: the slope "
        "of 2019 and since, and the p-value of its change, with Holm's correction for the number of panels. "
        f"Intervals and p-values are of {resamples:,} bootstrap resamples of the families, on the test "
        "images that there are. Slopes on this scale:\n\n" + "\n".join(clauses)
    )
