"""Small multiples and heat maps of rankings: of 37, ten, two and one pair, of many points and of hardly any."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from figure_checks import check_apart, check_saved, same_points, save
from matplotlib.colors import to_rgb

from apr.basics.problems import Problem
from apr.comparisons.rankings import ranked_pairs
from apr.figures.ranks.heat_map import draw_heat_map
from apr.figures.ranks.multiples import draw_multiples
from apr.figures.style import RED
from apr.runs.metrics import METRICS
from apr.scores.tested import Counts

BOOTSTRAP = {"resamples": 40, "seed": 0}
RANKING = {
    "name": "own",
    "title": "Of photos",
    "above": 30.0,
    "within": [0.1],
    "draws": 10,
    "range_corrected": True,
    "by_family": False,
    "matrix": False,
}
WIDTHS = {1: 83, 2: 120, 10: 174, 37: 174}


@cache
def study(tasks, models=30):
    """Errors on `photos` and on so many tasks, the first of which follows it most closely."""
    rng = np.random.default_rng(tasks)
    x = rng.normal(30, 5, models)
    scores = pd.DataFrame({"photos": x} | {f"t{i}": 40 + x / 2 + rng.normal(0, 1 + i, models) for i in range(tasks)})
    scores.index = [f"m{number:05}" for number in range(models)]
    return scores, {task: f"{task.title()} of something" for task in scores}


def ranking(tasks, **changed):
    return RANKING | {"pairs": [["photos", f"t{i}"] for i in reversed(range(tasks))]} | changed


@cache
def multiples(tasks, above=30.0, models=30):
    return draw_multiples(study(tasks, models)[0], ranking(tasks, above=above), study(tasks)[1], **BOOTSTRAP)


def said(ax):
    """What stands above a panel, by colour and weight."""
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("tasks", WIDTHS)
@pytest.mark.parametrize("above", [None, 30.0])
def test_small_multiples_are_saved_and_panels_stay_apart(tasks, above, tmp_path):
    drawn = multiples(tasks, above)
    if above:
        check_saved(drawn, tmp_path, WIDTHS[tasks])
    check_apart(drawn.figure)
    drawn.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in drawn.figure.texts] + [ax.get_tightbbox() for ax in drawn.figure.axes]
    boxes += [legend.get_window_extent() for legend in drawn.figure.legends]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[i + 1 :])
    sizes = {tuple(np.round(ax.get_window_extent().size, 3)) for ax in drawn.figure.axes}
    assert len(sizes) == 1


def test_what_stands_above_a_panel_does_not_meet():
    for tasks in WIDTHS:
        for ax in multiples(tasks).figure.axes:
            whole, above, name = (text.get_window_extent() for text in ax.texts)
            assert not whole.overlaps(above)
            assert not name.overlaps(whole)
            assert not name.overlaps(above)


def test_panels_are_in_the_order_of_rho_with_the_names_and_numbers_of_their_tasks():
    scores, titles = study(10)
    found = ranked_pairs(scores, ranking(10), **BOOTSTRAP).sort_values("rho", ascending=False)
    for ax, row in zip(multiples(10).figure.axes, found.itertuples(), strict=True):
        whole, above, name = said(ax)
        assert whole == f"ρ = {row.rho:.2f}".replace("-", "−")
        assert above == f"{row.rho_above:.2f}".replace("-", "−")
        assert name.replace("\n", " ") == titles[row.y_task]
        assert to_rgb(ax.texts[1].get_color()) == to_rgb(RED)
        assert (
            f"- {titles[row.y_task]} against Photos of something: ρ = {row.rho:.3f}".replace("-0", "−0")
            in multiples(10).caption
        )
    assert "[" in said(multiples(2).figure.axes[0])[0]  # where there is room, with the interval


def test_the_models_above_the_limit_are_red_and_the_csv_says_which():
    scores, _ = study(2)
    drawn = multiples(2)
    assert drawn.data.groupby("y_task")["above"].sum().tolist() == [int((scores["photos"] <= 30).sum())] * 2
    for ax, (_, rows) in zip(drawn.figure.axes, drawn.data.groupby("y_task", sort=False), strict=True):
        collections = {one.get_gid(): one for one in ax.collections}
        for name, which in (("above", rows["above"]), ("other", ~rows["above"])):
            assert same_points(collections[name].get_offsets(), rows.loc[which, ["x_value", "y_value"]].to_numpy())
        assert to_rgb(collections["above"].get_facecolor()[0]) == to_rgb(RED)
    assert "above" not in multiples(2, None).data
    assert [text.get_text() for text in drawn.figure.legends[0].get_texts()] == [
        "30 % or better on Photos of something",
        "other models",
    ]
    assert not multiples(2, None).figure.legends


def test_the_limit_of_an_accuracy_is_passed_upwards():
    scores, titles = study(1)
    counts = {"photos": Counts(None, None, METRICS["top1_accuracy"])}
    drawn = draw_multiples(100 - scores, ranking(1, above=70.0), titles, **BOOTSTRAP, counts=counts)
    assert drawn.data["above"].tolist() == multiples(1).data["above"].tolist()


def test_many_points_make_a_small_file_and_leave_the_statistics(tmp_path):
    drawn = multiples(2, None, 15_625)
    paths = save(drawn, tmp_path)
    assert paths["pdf"].stat().st_size < 300_000
    assert all(ax.collections[0].get_rasterized() for ax in drawn.figure.axes)
    assert list(drawn.data["n"]) == [15_625] * 2
    assert {"rho", "low", "high"} <= set(drawn.data)
    assert not multiples(2).figure.axes[0].collections[0].get_rasterized()


def test_pairs_that_share_nothing_have_their_own_labels():
    scores, titles = study(2)
    mixed = ranking(1, pairs=[["photos", "t0"], ["t0", "t1"], ["t1", "t1"]])
    drawn = draw_multiples(scores, mixed, titles, **BOOTSTRAP)
    assert [ax.get_xlabel() for ax in drawn.figure.axes][1:] == [
        f"{titles[task]} error (%)" for task in ("photos", "t0")
    ]
    check_apart(drawn.figure)


@pytest.mark.parametrize("kind", [draw_multiples, draw_heat_map])
def test_odd_names_constant_tasks_and_few_models_are_drawn(kind, tmp_path):
    scores, titles = study(2)
    few = scores.iloc[:3].assign(flat=5.0)
    more = [["flat", "t0"]] if kind is draw_multiples else []
    odd = titles | {"flat": "$x_1$ & <b>" + "long" * 30, "t0": "", "photos": "a\nb"}
    pairs = [["photos", "t0"], ["photos", "t1"], ["photos", "flat"], *more]
    drawn = kind(few, ranking(2, pairs=pairs), odd, **BOOTSTRAP)
    check_saved(drawn, tmp_path, 174 if kind is draw_multiples else 83)
    check_apart(drawn.figure)
    assert "all errors are equal" in drawn.caption


@pytest.mark.parametrize(("tasks", "width"), [(1, 83), (4, 83), (12, 174), (37, 174)])
def test_a_heat_map_has_the_rho_of_all_pairs_of_tasks(tasks, width, tmp_path):
    scores, titles = study(tasks)
    drawn = draw_heat_map(scores, ranking(tasks, matrix=True), titles, **BOOTSTRAP)
    check_saved(drawn, tmp_path, width)
    check_apart(drawn.figure)
    order = ["photos", *(f"t{i}" for i in reversed(range(tasks)))]
    rhos = scores[order].corr("spearman").to_numpy()
    assert len(drawn.data) == tasks * (tasks + 1) // 2
    for row in drawn.data.itertuples():
        assert row.rho == pytest.approx(rhos[order.index(row.y_task), order.index(row.x_task)])
    assert {"low", "high", "p_holm"} <= set(drawn.data)
    assert "rho_above" not in drawn.data
    ax = drawn.figure.axes[0]
    shown = {tuple(np.floor(text.get_position()).astype(int)): text.get_text().replace("−", "-") for text in ax.texts}
    expected = {(i, j): rhos[j + 1, i] for j in range(tasks) for i in range(j + 1)}
    assert {place: float(text) for place, text in shown.items()} == pytest.approx(expected, abs=0.0051)
    (cells,) = ax.collections
    assert (cells.norm.vmin, cells.norm.vmax) == (-1, 1)
    assert [label.get_text() for label in ax.get_yticklabels()] == [titles[task] for task in order[1:]]
    assert [label.get_text() for label in ax.get_xticklabels()] == [titles[task] for task in order[:-1]]


def test_a_heat_map_of_families_says_so_and_one_task_has_none():
    scores, titles = study(4)
    families = pd.Series([f"f{number // 3}" for number in range(30)], scores.index)
    drawn = draw_heat_map(scores, ranking(4, by_family=True), titles, **BOOTSTRAP, families=families)
    assert drawn.data["families"].unique().tolist() == [10]
    assert "resamples of the models' families" in drawn.caption
    with pytest.raises(Problem, match="rankings: own: matrix: needs two or more tasks, has t0 alone"):
        draw_heat_map(scores, ranking(1, pairs=[["t0", "t0"]]), titles, **BOOTSTRAP)
    with pytest.raises(Problem, match="rankings: own: pairs: there is none"):
        draw_heat_map(scores, ranking(0), titles, **BOOTSTRAP)
