import os
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from figure_checks import check_apart, check_saved, same_points, save
from rank_figures import BOOTSTRAP, SIZES, TARGETS, TITLES, drawing, points, study

from apr.basics.problems import Problem
from apr.figures.ranks.regret import draw_selection_regret
from apr.figures.ranks.relative import draw_relative_error
from apr.figures.ranks.scatter import draw_scatter
from apr.figures.ranks.shape import draw_error_vs_depth_width
from apr.statistics.ranks import spearman

KINDS = ["scatter", "relative", "shape", "regret"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_drawn_and_saved(kind, tmp_path):
    check_saved(drawing(kind, SIZES[-1]), tmp_path, 83 if kind == "relative" else 174)


@pytest.mark.parametrize("n", SIZES)
def test_scatter_draws_its_numbers(n):
    drawn = drawing("scatter", n)
    for ax, (_, rows) in zip(drawn.figure.axes, drawn.data.groupby("y_task", sort=False), strict=True):
        for collection in ax.collections:
            group = rows[rows["group"] == collection.get_gid()]
            assert same_points(collection.get_offsets(), group[["x_value", "y_value"]].to_numpy())


@pytest.mark.parametrize(("n", "highlight", "expected"), [(5, 10, 1), (3, 10, 0), (500, 10, 10), (60, 20, 15)])
def test_best_and_worst_on_the_vertical_axis_are_highlighted(n, highlight, expected):
    scores = study(500)[0].iloc[:n]
    drawn = draw_scatter(scores, [("photos", TARGETS[0])], TITLES, highlight, **BOOTSTRAP)
    order = scores[TARGETS[0]].sort_values(kind="stable").index
    group = drawn.data.set_index("model")["group"]
    assert set(group.index[group == "best"]) == set(order[:expected])
    assert set(group.index[group == "worst"]) == set(order[n - expected :])
    assert (f"the {expected} best on {TITLES[TARGETS[0]]}" in drawn.caption) == (expected > 0)


def test_scatter_titles_and_caption_have_the_computed_rho():
    scores, _ = study(500)
    drawn = drawing("scatter", 500)
    for ax, task in zip(drawn.figure.axes, TARGETS, strict=True):
        result = spearman(scores["photos"], scores[task], **BOOTSTRAP)
        if task == TARGETS[8]:
            assert ax.get_title(loc="left") == "ρ undefined"
            assert f"{TITLES[task]} against Photos: ρ undefined, all errors are equal" in drawn.caption
        else:
            number, title = (f"{result.rho:.{digits}f}".replace("-", "−") for digits in (3, 2))
            assert ax.get_title(loc="left").startswith(f"ρ = {title} [")
            assert f"{TITLES[task]} against Photos: ρ = {number} [" in drawn.caption


def test_a_model_without_a_result_is_left_out_of_its_panel_only():
    scores = study(5)[0].copy()
    scores.loc["a002", TARGETS[0]] = np.nan
    drawn = draw_scatter(scores, [("photos", TARGETS[0]), ("photos", TARGETS[1])], TITLES, 10, **BOOTSTRAP)
    assert [len(points(ax)) for ax in drawn.figure.axes] == [4, 5]
    assert "up to 1 of 5" in drawn.caption


@pytest.mark.parametrize("n", SIZES)
def test_relative_error_is_over_the_mean(n):
    scores, _ = study(n)
    drawn = drawing("relative", n)
    (ax,) = drawn.figure.axes
    by_task = {collection.get_gid(): np.asarray(collection.get_offsets()) for collection in ax.collections}
    for task in ["photos", *TARGETS[:8]]:
        expected = np.column_stack([scores["photos"], scores[task] / scores[task].mean()])
        assert same_points(by_task[task], expected)
        rows = drawn.data[drawn.data["task"] == task]
        assert same_points(by_task[task], rows[["reference_value", "relative_value"]].to_numpy())


@pytest.mark.parametrize("n", SIZES)
def test_depth_and_width_draw_their_numbers(n):
    drawn = drawing("shape", n)
    panels = drawn.data.groupby(["panel", "task"], sort=False)
    assert [key[0] for key, _ in panels] == ["A"] * 5 + ["B"] * 5
    for ax, (_, rows) in zip(drawn.figure.axes, panels, strict=True):
        assert same_points(points(ax), rows[["x", "value"]].to_numpy())
    assert "A" in [text.get_text() for text in drawn.figure.axes[0].texts]
    assert "B" in [text.get_text() for text in drawn.figure.axes[5].texts]


@pytest.mark.parametrize("n", SIZES)
def test_regret_curves_are_their_numbers(n):
    drawn = drawing("regret", n)
    for ax, (_, rows) in zip(drawn.figure.axes, drawn.data.groupby("target", sort=False), strict=True):
        for line in ax.lines:
            source = "reference" if line.get_gid() == "random" else line.get_gid()
            column = "random" if line.get_gid() == "random" else "regret"
            expected = rows[rows["choice"] == source]
            assert np.array_equal(line.get_xdata(), expected["k"])
            assert np.array_equal(line.get_ydata(), expected[column])
        assert {line.get_gid() for line in ax.lines} == {*rows["choice"], "random"}
    first = drawn.data.iloc[0]
    assert f"{TITLES[TARGETS[0]]}, chosen on Photos: {first['regret']:.2f} [" in drawn.caption


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 13])
def test_panels_do_not_run_into_each_other(count):
    scores, _ = study(5)
    pairs = [("photos", TARGETS[i % 9]) for i in range(count)]
    check_apart(draw_scatter(scores, pairs, TITLES, 10, **BOOTSTRAP).figure)


def test_equal_data_give_equal_bytes(tmp_path):
    script = (
        "import sys; sys.path[:0] = sys.argv[2:]; from pathlib import Path\n"
        "from figure_checks import save; from rank_figures import drawing\n"
        "save(drawing('scatter', 5), Path(sys.argv[1]))"
    )
    ours, other = save(drawing("scatter", 5), tmp_path / "ours"), tmp_path / "other"
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    command = [sys.executable, "-c", script, str(other), *sys.path]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": "999999999"})
    for path in ours.values():
        assert path.read_bytes() == (other / path.name).read_bytes()


def test_drawing_leaves_matplotlibs_settings_alone(tmp_path):
    with mpl.rc_context({"font.size": 23}):
        save(draw_scatter(study(5)[0], [("photos", "few")], TITLES, 1, **BOOTSTRAP), tmp_path)
        assert mpl.rcParams["font.size"] == 23


def test_nothing_to_draw_is_a_problem():
    scores, shape = study(5)
    for draw in (
        lambda: draw_scatter(scores, [], TITLES, 10, **BOOTSTRAP),
        lambda: draw_relative_error(scores, "photos", [], TITLES, **BOOTSTRAP),
        lambda: draw_error_vs_depth_width(scores, shape, [], TITLES, **BOOTSTRAP),
        lambda: draw_selection_regret(scores, "photos", [], {}, TITLES, **BOOTSTRAP),
    ):
        with pytest.raises(Problem):
            draw()
