"""How far families of models lie from the line of 2019 on new test sets: a forest plot."""

from collections.abc import Mapping, Sequence
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from apr.comparisons.retest_lines import Retest
from apr.comparisons.since import LEVEL, family_distances
from apr.comparisons.wording import with_interval
from apr.figures.style import BLUE, FAINT, GREY, MM, RED, TEXT, Drawing, legend_below, styled

RULE = "#eeeeee"
LETTERS = 15  # of a title in a row
ROW = 3.6 * MM  # of the family plot
ESTIMATES = {
    "above": {"color": BLUE, "marker": "o", "markerfacecolor": BLUE},
    "below": {"color": RED, "marker": "s", "markerfacecolor": RED},
    "near": {"color": GREY, "marker": "o", "markerfacecolor": "white"},
}


@styled
def draw_family_distances(
    pairs: Mapping[str, pd.DataFrame],
    retests: Sequence[Retest],
    titles: Mapping[str, str],
    fewest: int,
    resamples: int,
    seed: int,
) -> Drawing:
    """One row a family, one column a retest: mean distance from the line of 2019 (accuracy points) with its interval.

    Args:
        pairs: retest -> points of `since.dated_accuracies`.
        retests: in the order of the columns.
        titles: test set -> the name that a reader sees.
        fewest: weights that a family needs to be drawn.
        resamples: bootstrap resamples of the families that make the line.
        seed: of the bootstrap.

    Raises:
        Problem: no family is large enough.
    """
    data = family_distances(pairs, fewest, resamples, seed)
    families = list(data["family"].drop_duplicates())
    counts = data.groupby("family")["n"].max()
    figure = Figure(figsize=(TEXT, len(families) * ROW + 22 * MM), layout="constrained")
    figure.get_layout_engine().set(w_pad=1.2 * MM, h_pad=1.2 * MM)
    axes = figure.subplots(1, len(retests), sharey=True, squeeze=False)[0]
    sides = np.where(data["p_holm"] >= LEVEL, "near", np.where(data["distance"] > 0, "above", "below"))
    data = data.assign(side=np.where(data["p_holm"].isna(), "near", sides))
    for ax, retest in zip(axes, retests, strict=True):
        rows = data[data["retest"] == retest["name"]].set_index("family").loc[families]
        _draw_estimates(ax, rows)
        ax.set_title(fill(retest["title"], LETTERS, break_long_words=False), loc="left", weight="bold")
        ax.set_xlabel("Distance (points)")
    axes[0].set_yticks(range(len(families)), [f"{name} ({counts[name]})" for name in families])
    axes[0].set_ylim(len(families) - 0.4, -0.6)
    names = {"above": "above the line", "below": "below the line", "near": "no significant distance"}
    looks = {side: look for side, look in ESTIMATES.items() if side in set(data["side"])}
    handles = [Line2D([], [], linewidth=0.8, markersize=3.2, **look) for look in looks.values()]
    legend_below(figure, handles, [names[side] for side in looks])
    return Drawing(figure, data, _caption(data, retests, titles, fewest, resamples))


def _draw_estimates(ax: Axes, rows: pd.DataFrame) -> None:
    ax.axvline(0, color=FAINT, linewidth=0.6, zorder=1)
    for i, row in enumerate(rows.itertuples()):
        look = ESTIMATES[row.side]
        ax.plot([row.low, row.high], [i, i], color=look["color"], linewidth=0.8, zorder=2, solid_capstyle="butt")
        ax.plot([row.distance], [i], linestyle="", markersize=3.2, markeredgewidth=0.7, zorder=3, gid=row.Index, **look)
    ax.locator_params(axis="x", nbins=4)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="y", color=RULE, linewidth=0.5)
    ax.set_axisbelow(True)


def _caption(
    data: pd.DataFrame, retests: Sequence[Retest], titles: Mapping[str, str], fewest: int, resamples: int
) -> str:
    clauses = []
    for retest in retests:
        rows = data[data["retest"] == retest["name"]]
        sides = [f"{(rows['side'] == side).sum()} {side}" for side in ("above", "below")]
        above, below = (rows[rows["side"] == side].sort_values("distance") for side in ("above", "below"))
        # a family that is not told from the line is no extreme, however far its mean lies
        ends = {"highest": above.tail(1), "lowest": below.head(1)}
        named = [
            f"{word} {row.family} ({with_interval(row.distance, row.low, row.high, 1)})"
            for word, found in ends.items()
            for row in found.itertuples()
        ]
        clauses.append(f"- {titles[retest['new']]}: {', '.join(sides)}{'; ' if named else ''}{', '.join(named)}")
    return (
        "Mean distance of the models of a family from the line of 2019 (effective robustness): accuracy on the new "
        "test set less what the line gives at the model's accuracy on the original one. The line is fitted on the "
        f"probit scale to the models of 2019, which are not counted here. Families of at least {fewest} models; the "
        "number in brackets is that of the models, and one at several image sizes counts once. Bars: 95 % intervals "
        f"(Welch's t, with the line's own uncertainty from {resamples:,} bootstrap resamples of its families; "
        "on the test images that there are). Filled: "
        f"significant at {LEVEL:g} after Holm's correction for all {data['p'].count():,} estimates. Of "
        f"{data['family'].nunique()} families lie\n\n" + "\n".join(clauses)
    )
