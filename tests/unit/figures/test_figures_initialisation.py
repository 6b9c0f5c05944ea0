"""The figure of two initialisations: its points, colours, markers and words, and the correlations in them."""

import numpy as np
import pandas as pd
import pytest
from figure_checks import check_apart, check_saved, same_points
from matplotlib.colors import to_hex

from apr.basics.problems import Problem
from apr.figures.ranks.initialisation import draw_initialisation
from apr.figures.style import BLUE, ORANGE
from apr.statistics.ranks import spearman

PAIRS = [("lines", "lines_zero"), ("woods_one", "woods")]
ZERO = {"photos": False, "lines": False, "lines_zero": True, "woods": False, "woods_one": True}
TITLES = {"photos": "Photos", "lines": "Lines", "woods": "Woods", "woods_one": "Woods"}


def made(n):
    rng = np.random.default_rng(n)
    models = [f"a{i:03}" for i in range(n)]
    depth = rng.integers(4, 40, n)
    shape = pd.DataFrame({"cumulative_depth": depth, "cumulative_width": 10 * depth}, index=models)
    errors = {"photos": 60 - depth, "lines": 20 + depth, "lines_zero": 70 - depth, "woods": 30, "woods_one": 40 - depth}
    scores = pd.DataFrame({name: value + rng.normal(0, 4, n) for name, value in errors.items()}, index=models)
    return scores, shape


def drawn(n=40, scores=None):
    errors, shape = made(n)
    errors = errors if scores is None else scores
    return draw_initialisation(errors, shape, "photos", PAIRS, ZERO, TITLES, resamples=100, seed=0)


@pytest.mark.parametrize("n", [8, 500])
def test_points_colours_markers_and_titles(n):
    errors, shape = made(n)
    figure = drawn(n).figure
    assert len(figure.axes) == 4
    rows = [("lines", "lines_zero"), ("woods", "woods_one")]  # γ = 1 first, whatever the order of the pair
    for place, ax in enumerate(figure.axes):
        x = shape["cumulative_depth"] if place % 2 == 0 else errors["photos"]
        circles, triangles = ax.collections
        one, zero = rows[place // 2]
        for points, task, colour, corners in ((circles, one, BLUE, "round"), (triangles, zero, ORANGE, 3)):
            assert same_points(points.get_offsets(), np.column_stack([x, errors[task]]))
            assert to_hex(points.get_facecolor()[0]) == colour.lower()
            assert points.get_gid() == task
            straight = len(points.get_paths()[0].vertices) - 1 == 3
            assert straight == (corners == 3)
        rho = [spearman(x, errors[task], 100, 0).rho for task in (one, zero)]
        said = [f"{value:.2f}".replace("-", "−") for value in rho]
        assert ax.get_title(loc="left") == f"● ρ = {said[0]}   ▲ ρ = {said[1]}"
        assert ax.get_xlabel() == ("Photos error (%)" if place % 2 else "Cumulative depth (blocks)")
        assert ax.get_ylabel() == "Error (%)"
        assert ax.texts[0].get_text() == ("Lines", "Woods")[place // 2]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.texts] == ["γ = 1", "γ = 0"]


def test_caption_and_numbers():
    errors, shape = made(40)
    result = drawn(40)
    assert "All 40 models are compared." in result.caption
    assert "error on Photos (right; trained with γ = 1)" in result.caption
    assert "Blue circles: each residual block's last BatchNorm starts with γ = 1; orange triangles: with γ = 0." in (
        result.caption
    )
    rho = spearman(shape["cumulative_depth"], errors["lines_zero"], 100, 0)
    line = next(line for line in result.caption.splitlines() if line.startswith("- Lines with cumulative depth: "))
    assert f"γ = 0 ρ = {rho.rho:.3f}".replace("-", "−") in line
    assert result.caption.count("\n- ") == 4
    table = result.data.set_index(["task", "against", "model"]).sort_index()
    assert table.loc[("lines_zero", "cumulative_depth", "a003"), "value"] == errors.loc["a003", "lines_zero"]
    assert table.loc[("woods", "photos", "a003"), "x"] == errors.loc["a003", "photos"]
    assert set(result.data.loc[result.data["task"] == "woods", "start"]) == {"γ = 1"}
    assert set(result.data.loc[result.data["task"] == "woods", "target"]) == {"woods_one"}


def test_a_model_without_a_result_is_in_neither_start():
    errors, _ = made(40)
    errors.loc["a005", "lines_zero"] = np.nan
    result = drawn(40, errors)
    lines = result.data[result.data["target"] == "lines"]
    assert "a005" not in set(lines["model"])
    assert "here up to 1 of 40" in result.caption
    assert (result.data["target"] == "woods_one").sum() == 4 * 40


@pytest.mark.parametrize("n", [8, 500])
def test_it_is_saved_whole(tmp_path, n):
    result = drawn(n)
    check_apart(result.figure)
    check_saved(result, tmp_path, 120)


def test_without_a_pair_it_says_what_is_missing():
    errors, shape = made(8)
    with pytest.raises(Problem, match="names no task; name a task and the same with the other zero_init_final_gamma"):
        draw_initialisation(errors, shape, "photos", [], ZERO, TITLES, resamples=100, seed=0)
