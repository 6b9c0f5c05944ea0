"""The parts that panels of transfer are made of: points, scales, the level of a guess and what stands above."""

import numpy as np
import pandas as pd
import pytest
from hand_made_transfer import scored, transfer
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from apr.figures.style import BLUE, INK, MM, ORANGE, panels
from apr.figures.transfer.points import (
    guess_line,
    metric_label,
    name_lines,
    place_points,
    points_of,
    say_nothing,
    scale,
)
from apr.figures.transfer.rows import rows_of
from apr.figures.transfer.sensitivity import _optimism

NAN = float("nan")


def table(values, low=None, high=None, above=False):
    columns = {"imagenet": range(60, 60 + len(values)), "value": values, "low": low or values, "high": high or values}
    return pd.DataFrame(columns, dtype=float).assign(above=above)


@pytest.mark.parametrize(
    ("guess", "drawn"), [(39.9, False), (40.0, True), (70.0, True), (120.0, True), (120.1, False), (None, False)]
)
def test_a_guess_is_drawn_within_half_of_the_height(guess, drawn):
    """From 60, the low end of an interval, to 100, the high end of another: 20 more on either side; 40 to 120."""
    points = table([80.0, 70.0], [62.0, 60.0], [100.0, 80.0])
    ax = Figure().add_subplot()
    line = guess_line(ax, guess, points)
    assert (line is not None) == drawn
    assert not drawn or line.get_ydata()[0] == guess


def test_a_guess_near_equal_scores_is_within_half_a_point():
    found = [guess_line(Figure().add_subplot(), guess, table([80.0])) is None for guess in (79.4, 79.5, 80.5, 80.6)]
    assert found == [True, False, False, True]


def test_points_are_the_models_that_are_known_above_the_limit_or_not():
    one = scored({"a": 9, "b": 8, "x": 7}, bounds=(-1, 2))
    found = points_of(transfer(one, above=60.0), one, "imagenet")
    assert found.to_dict("list") == {
        "model": ["b", "a"],
        "imagenet": [60, 80],
        "value": [8, 9],
        "low": [7, 8],
        "high": [10, 11],
        "above": [False, True],
    }
    assert points_of(transfer(one), one, "imagenet")["above"].tolist() == [False, False]


def test_points_are_blue_above_the_limit_and_have_bars():
    ax = Figure().add_subplot()
    artist = place_points(ax, table([5.0, 6.0], [4.0, 6.0], [5.5, 8.0], above=[True, False]))
    bars = ax.collections[0]
    assert np.array(bars.get_segments()).tolist() == [[[60, 4], [60, 5.5]], [[61, 6], [61, 8]]]
    assert [to_hex(color) for color in artist.get_facecolors()] == [BLUE.lower(), INK]
    assert to_hex(artist.get_edgecolors()[0]) == "#ffffff"
    assert (artist.get_sizes().tolist(), artist.get_linewidths().tolist(), artist.get_zorder()) == ([13], [0.4], 4)
    hollow = place_points(Figure().add_subplot(), table([5.0], [NAN], [NAN]), ORANGE, hollow=True)
    assert to_hex(hollow.get_facecolors()[0]) == "#ffffff"
    assert to_hex(hollow.get_edgecolors()[0]) == ORANGE.lower()
    assert (hollow.get_linewidths().tolist(), len(hollow.axes.collections)) == ([0.8], 1)


@pytest.mark.parametrize(("count", "size", "order"), [(40, 13, 4), (41, 500 / 41, 2.2)])
def test_many_points_lie_below_lines(count, size, order):
    artist = place_points(Figure().add_subplot(), table(list(np.arange(count) + 1.0)))
    assert (artist.get_sizes().tolist(), artist.get_zorder()) == ([pytest.approx(size)], order)


def test_scales_leave_a_twentieth_or_half_a_unit():
    ax = Figure().add_subplot()
    scale(ax, np.array([10.0, NAN, 50.0]), np.array([[3.0], [4.0]]))
    assert (ax.get_xlim(), ax.get_ylim()) == ((8, 52), (2.5, 4.5))


def test_what_stands_above_a_panel_and_in_an_empty_one():
    _, axes = panels(2)
    name_lines(axes[0], "n" * 60, [("first", BLUE), ("second", INK)], letter="A")
    found = [(text.get_text(), text.xyann, text.get_color()) for text in axes[0].texts[:2]]
    assert found == [("second", (0, 4), INK), ("first", (0, 13.5), BLUE)]
    name, letter = axes[0].texts[2:]
    assert (name.get_text(), name.xyann) == (f"{'n' * 49}…", (0, 24))
    assert (letter.get_text(), letter.xyann, letter.get_fontsize()) == ("A", (-20, 24), 10)
    name_lines(axes[1], "name", [])
    assert [text.xyann for text in axes[1].texts] == [(0, 5)]
    say_nothing(axes[1])
    assert axes[1].texts[-1].get_text() == "no model whose\nImageNet accuracy is known"
    assert axes[1].get_xticks().size == axes[1].get_yticks().size == 0
    assert metric_label(scored({})) == "Top-1 accuracy (%)"


def test_rows_are_as_high_as_there_are_models():
    models = [f"timm:m{number}.tag" for number in range(3)] + [f"timm:{'n' * 40}.tag"]
    figure, axes = rows_of(models, 4)
    assert figure.get_size_inches() / MM == pytest.approx([174, 2 * (3.4 * 4 + 14)])
    assert [ax.get_ylim() for ax in axes] == [(-0.6, 3.6)] * 4
    names = ["m0", "m1", "m2", f"{'n' * 25}…"]
    shown = [[text.get_text() for text in ax.get_yticklabels()] for ax in axes]
    assert shown == [names, [""] * 4, [""] * 4, names]
    assert [line.get_ydata()[0] for line in axes[0].lines] == [0, 1, 2, 3]
    assert rows_of(models, 2)[0].get_size_inches() / MM == pytest.approx([130, 27.6])
    assert rows_of(models, 1)[0].get_size_inches()[0] / MM == pytest.approx(83)
    assert rows_of(models, 2, most_columns=1)[0].get_size_inches() / MM == pytest.approx([83, 55.2])


def test_optimism_in_words():
    study = transfer(scored({}))
    assert _optimism(pd.Series([NAN]), study, 1) == "not known"
    assert _optimism(pd.Series([1.0, 2.0, NAN, 3.0]), study, 1) == "2.0"
    assert _optimism(pd.Series([1.0] * 4), study, 2) == "1.00 [1.00, 1.00]"
