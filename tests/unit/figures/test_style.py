"""What all figures share, at values worked out by hand."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from apr.figures.lines.probit import _ticks, limits, quantile
from apr.figures.ranks.scatter import draw_scatter, scatter_points
from apr.figures.style import (
    MM,
    grid_columns,
    legend_below,
    name_panel,
    panels,
    point_style,
    share_labels,
    styled,
    value_limits,
    value_scale,
)


def test_points_get_smaller_and_fainter_with_their_number():
    found = {n: tuple(point_style(n).values()) for n in (10, 22, 25, 50, 125, 500)}
    assert found == {10: (22, 0.9, 0), 22: (22, 0.9, 0), 25: (20, 0.8, 0), 50: (10, 0.5, 0)} | {
        125: (4, 0.5, 0),
        500: (4, 0.5, 0),
    }


def test_a_grid_has_up_to_four_columns_and_few_gaps():
    assert [grid_columns(count) for count in range(1, 14)] == [1, 2, 3, 4, 3, 3, 4, 4, 3, 4, 4, 4, 3]


@pytest.mark.parametrize(
    ("count", "columns", "width", "height"),
    [(1, None, 83, 73.4), (2, None, 120, 55), (5, None, 174, 106.8), (3, 2, 120, 110)],
)
def test_a_figure_is_as_wide_as_a_journals_column(count, columns, width, height):
    figure, axes = panels(count, columns)
    assert figure.get_size_inches() / MM == pytest.approx([width, height])
    assert len(axes) == count
    engine = figure.get_layout_engine().get()
    assert (engine["w_pad"], engine["h_pad"]) == pytest.approx((1.5 * MM, 1.6 * MM))


def test_equal_errors_get_a_scale_of_one_point():
    ax = Figure().add_subplot()
    value_limits(ax, pd.Series([0.5, 0.5]))
    assert ax.get_ylim() == pytest.approx((-0.05, 1.5))
    value_limits(ax, pd.Series([30.0, 30.0]))
    assert ax.get_ylim() == (29, 31)
    value_limits(ax, pd.Series([30.0, 40.0]))  # those are matplotlib's
    assert ax.get_ylim() == (29, 31)
    assert value_scale(pd.Series([0.5, None])) == (-0.05, 1.5)
    assert value_scale(pd.Series([3.0, 3.0])) == (2, 4)
    assert value_scale(pd.DataFrame({"a": [10.0, 20], "b": [None, 30]})) == pytest.approx((8.6, 31.4))


def test_models_that_tie_across_the_limit_are_neither_best_nor_worst():
    table = pd.DataFrame({"x": range(8), "y": [1, 1, 1, 5, 6, 9, 9, 9]}, dtype=float)
    assert set(scatter_points(table, "x", "y", 2)["group"]) == {"other"}
    found = scatter_points(table, "x", "y", 3)["group"].tolist()
    assert found == ["best"] * 3 + ["other"] * 2 + ["worst"] * 3


def test_labels_that_panels_share_stand_at_the_edge():
    _, axes = panels(5, 3)
    for ax in axes:
        ax.set(xlabel="x", ylabel="y")
    share_labels(axes)
    assert [ax.get_xlabel() for ax in axes] == ["", "", "x", "x", "x"]
    assert [ax.get_ylabel() for ax in axes] == ["y", "", "", "y", ""]
    axes[1].set(xlabel="other", ylabel="other")
    axes[2].set(xlabel="x", ylabel="y")
    share_labels(axes)
    assert axes[2].get_ylabel() == "y"


@pytest.mark.parametrize(("length", "columns", "more"), [(8, 3, 7.5), (20, 3, 7.5), (23, 3, 7.5), (40, 1, 14.5)])
def test_a_legend_is_one_row_where_it_fits(length, columns, more):
    figure, _ = panels(1)
    figure.set_figwidth(130 * MM)
    before = figure.get_figheight()
    legend_below(figure, [Line2D([], [])] * 3, ["n" * length] * 3)
    assert figure.legends[0]._ncols == columns
    assert (figure.get_figheight() - before) / MM == pytest.approx(more)


def test_a_panels_name_wraps_at_its_width_and_stands_above_its_result():
    _, axes = panels(4)
    name_panel(axes[0], "word " * 7, "result", letter="A")
    name, letter = axes[0].texts
    assert name.get_text().splitlines() == ["word word word word word", "word word"]  # 174 / 4 x 0.6 = 26 letters
    assert (name.xyann, letter.xyann) == ((0, 12), (-20, 11))
    assert (name.get_weight(), letter.get_weight(), letter.get_fontsize()) == ("bold", "bold", 10)
    name_panel(axes[1], "name")
    assert [text.xyann for text in axes[1].texts] == [(0, 3)]
    assert axes[0].get_title(loc="left") == "result"


@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_titles_keep_off_the_points_at_the_upper_edge(count):
    tasks = [f"t{number}" for number in range(count)]
    scores = pd.DataFrame({task: [10.0, 20, 30, 40, 80] for task in ["photos", *tasks]})
    titles = {task: task for task in scores}
    figure = draw_scatter(scores, [("photos", task) for task in tasks], titles, 1, resamples=20, seed=0).figure
    figure.draw_without_rendering()
    for ax in figure.axes:
        tops = [
            ax.transData.transform(points.get_offsets())[:, 1].max()
            + points.get_sizes().max() ** 0.5 / 2 * figure.dpi / 72
            for points in ax.collections
            if len(points.get_offsets())
        ]
        (title,) = [text for text in ax.get_children() if getattr(text, "get_text", str)() == ax.get_title(loc="left")]
        assert (title.get_window_extent().y0 - max(tops)) * 72 / figure.dpi > 3  # points: as much as below a title


def test_the_probit_scale_has_a_place_for_0_and_100():
    found = quantile([0, 50, 97.724987, 100])
    assert found == pytest.approx([-4.753424, 0, 2, 4.753424], abs=1e-5)  # of 0.0001 %


@pytest.mark.parametrize(
    ("values", "scale", "margin", "expected"),
    [
        ([60, 70, np.nan, 80], "linear", 0.1, (58, 82)),
        ([70.0], "linear", 0.5, (68, 72)),
        ([], "linear", 0, (49, 51)),
        ([15.865525, 84.134475], "probit", 0, (15.865525, 84.134475)),
        ([15.865525, 84.134475], "probit", 0.5, (2.275013, 97.724987)),  # from -1 and 1 to -2 and 2
        ([50, 100], "probit", 0, (50, 99.9999)),
    ],
)
def test_limits_by_hand(values, scale, margin, expected):
    assert limits(values, scale, margin) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("ends", "scale", "apart", "most", "expected"),
    [
        ((0, 100), "linear", 0.1, 9, [0, 20, 40, 60, 80, 100]),
        ((61, 64), "linear", 0.1, 4, [61, 62, 63, 64]),
        ((2, 98), "probit", 0.1, 9, [2, 10, 20, 50, 80, 90, 98]),  # of 4.107, so that two are 0.411 apart
        ((0.05, 99.95), "probit", 0.12, 9, [1, 10, 50, 90, 99]),  # 0.79 apart, and 99.9 would be 0.764 from 99
        ((0.05, 99.95), "probit", 0.11, 9, [0.1, 1, 10, 50, 90, 99, 99.9]),
        ((61, 64), "probit", 0.1, 9, [61, 61.5, 62, 62.5, 63, 63.5, 64]),  # none of the round ones: even steps
    ],
)
def test_ticks_by_hand(ends, scale, apart, most, expected):
    assert _ticks(*ends, scale, apart, most) == pytest.approx(expected)


def test_settings_of_a_user_reach_no_figure_and_stay_as_they_were():
    @styled
    def draw(task, titles, entries):
        return mpl.rcParams["axes.facecolor"], mpl.rcParams["font.size"], task, titles, entries

    with mpl.rc_context({"axes.facecolor": "red", "font.size": 99}):
        texts = {"a": " two\nlines ", "n": 3}
        found = draw("x\ny", texts, entries=[texts, {"b": texts}])
        assert mpl.rcParams["axes.facecolor"] == "red"
    plain_texts = {"a": "two lines", "n": 3}
    assert found == ("white", 7, "x\ny", plain_texts, [plain_texts, {"b": plain_texts}])
