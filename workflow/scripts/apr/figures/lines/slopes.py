"""Slopes, offsets and mean changes of all retests, side by side."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from apr.basics.problems import Problem
from apr.comparisons.retest_lines import QUANTITIES, Retest, lines_basis, lines_leave_out, retest_lines
from apr.comparisons.wording import counted, number, with_interval
from apr.figures.style import BLUE, FAINT, INK, MM, ORANGE, TEXT, Drawing, legend_below, name_panel, styled

LETTERS = 30  # of a retest's title in a row
ROW, ENDS = 6.5, 22  # mm: of a retest, and above and below all of them
RULE = "#e4e4e4"  # between retests
# panel -> its title, its axis, where nothing would change, and the quantities that it shows
PANELS = {
    "slope": ("Slope", "New points per original point", 1, ("slope", "probit_slope")),
    "offset": ("Offset", "Line at 0 % original accuracy (%)", 0, ("offset",)),
    "change": ("Mean change", "New less original (points)", 0, ("change",)),
}
LOOKS = {
    False: {"color": BLUE, "marker": "o", "markersize": 4.2, "markeredgewidth": 0},
    True: {"color": ORANGE, "marker": "s", "markersize": 3.6, "markerfacecolor": "white", "markeredgewidth": 0.9},
}
PUBLISHED = {
    "linestyle": "none",
    "zorder": 6,
    "color": INK,
    "marker": "D",
    "markersize": 6.5,
    "markerfacecolor": "none",
    "markeredgewidth": 0.7,
}


@styled
def draw_retest_slopes(
    pairs: Mapping[str, pd.DataFrame],
    retests: Sequence[Retest],
    published: Mapping[str, Mapping[str, float]],
    resamples: int,
    seed: int,
) -> Drawing:
    """A forest plot: slope (linear and probit), offset and mean change of each retest, with bootstrap intervals.

    Args:
        pairs: retest -> accuracies, of `retest_lines.pair_retests`.
        retests: in the order of the rows.
        published: retest -> quantity (slope, offset, probit_slope, change) -> the number that is marked beside ours;
            `models` says how many the published line counts.
        resamples: bootstrap resamples of the intervals.
        seed: of the bootstrap.

    Raises:
        Problem: there is no retest, or `published` names an unknown retest or quantity.
    """
    if not retests:
        raise Problem("comparisons: no line; name two tasks to compare under lines")
    _check(published, retests)
    data = retest_lines(pairs, retests, resamples, seed)
    data = data.assign(**{f"{q}_published": [published.get(r, {}).get(q) for r in data["retest"]] for q in QUANTITIES})
    data = data.astype({f"{quantity}_published": float for quantity in QUANTITIES})
    figure = Figure(figsize=(TEXT, (ENDS + ROW * len(retests)) * MM), layout="constrained")
    figure.get_layout_engine().set(w_pad=1.5 * MM, h_pad=1.6 * MM)
    axes = figure.subplots(1, len(PANELS), sharey=True)
    handles: dict = {}
    for ax, (title, label, neutral, quantities) in zip(axes, PANELS.values(), strict=True):
        for row in range(1, len(retests)):
            ax.axhline(row - 0.5, color=RULE, linewidth=0.5, zorder=0)
        ax.axvline(neutral, color=FAINT, linewidth=0.6, zorder=1, gid="neutral")
        for quantity in quantities:
            handles |= _draw(ax, data, quantity, beside=len(quantities) > 1)
        name_panel(ax, title)
        ax.set_xlabel(label)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    titles = [fill(retest["title"], LETTERS) for retest in retests]
    axes[0].set(yticks=range(len(retests)), yticklabels=titles, ylim=(len(retests) - 0.5, -0.5))
    names = {"linear": "linear scale, 95 % interval", "probit": "probit scale", "published": "published"}
    shown = [key for key in names if key in handles]
    legend_below(figure, [handles[key] for key in shown], [names[key] for key in shown])
    return Drawing(figure, data, _caption(data, pairs, retests, published, resamples))


def _check(published: Mapping[str, Mapping[str, float]], retests: Sequence[Retest]) -> None:
    known = [retest["name"] for retest in retests]
    for name, numbers in published.items():
        for word, words in ((name, known), *((quantity, (*QUANTITIES, "models")) for quantity in numbers)):
            if word not in words:
                raise Problem(f"published: {name}: {word} is unknown; give one of {', '.join(words)}")


def _draw(ax: Axes, data: pd.DataFrame, quantity: str, beside: bool) -> dict:
    """Points with intervals, a row each; two quantities of a row stand above each other."""
    probit = quantity.startswith("probit")
    rows = pd.Series(range(len(data))) + (0.17 if probit else -0.17 if beside else 0)
    look = LOOKS[probit]
    ax.hlines(rows, data[f"{quantity}_low"], data[f"{quantity}_high"], color=look["color"], linewidth=1.2, zorder=3)
    points = ax.plot(data[quantity], rows, linestyle="none", zorder=4, gid=quantity, **look)
    handles = {"probit" if probit else "linear": points[0]}
    known = data[f"{quantity}_published"]
    if known.notna().any():
        (handles["published"],) = ax.plot(known, rows, gid=f"{quantity}_published", **PUBLISHED)
    return handles


def _caption(
    data: pd.DataFrame,
    pairs: Mapping[str, pd.DataFrame],
    retests: Sequence[Retest],
    published: Mapping[str, Mapping[str, float]],
    resamples: int,
) -> str:
    marks = "Diamonds: published values. " if data.filter(like="_published").notna().any(axis=None) else ""
    for row, retest in zip(data.itertuples(), retests, strict=True):
        models = published.get(row.retest, {}).get("models", row.n)
        if models != row.n:
            marks += f"The published line of {retest['title']} counts {counted(models, 'model')}. "
    clauses = [_clause(row, retest["title"]) for row, retest in zip(data.itertuples(), retests, strict=True)]
    return (
        "How accuracy on a new test set follows from that on the original. Slope and offset of the least-squares line "
        "through the models; filled: of the accuracies in %, open: of their quantiles of the normal distribution "
        "(probit). At a slope of 1 (grey line) all models change alike; right of it, each point gained on the original "
        "test set comes with more than a point on the new one. The offset is far outside of the models' accuracies; "
        "the mean change of all models, new less original accuracy, says what the new test set costs. Bars: "
        f"{lines_basis(pairs.values(), resamples)}. "
        f"{marks}{lines_leave_out(data, retests)} In numbers:\n\n" + "\n".join(clauses)
    )


def _clause(row: tuple, title: str) -> str:
    slope = with_interval(row.slope, row.slope_low, row.slope_high, 3)
    offset = with_interval(row.offset, row.offset_low, row.offset_high, 1)
    probit = with_interval(row.probit_slope, row.probit_slope_low, row.probit_slope_high, 3)
    return (
        f"- {title}: slope {slope}, offset {offset}, probit slope {probit}, mean change {number(row.change, 1)} "
        f"(lines of {row.n:,} and {row.probit_n:,} of {counted(row.models, 'model')})"
    )
