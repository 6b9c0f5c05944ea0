from functools import cache

import numpy as np
import pandas as pd
import pytest
from figure_checks import check_apart, check_saved, same_points
from rank_figures import BOOTSTRAP, SIZES, TARGETS, TITLES, points, study
from scipy import stats

from apr.basics.problems import Problem
from apr.comparisons.population_size import population_size_table, population_sizes, rho_by_size
from apr.figures.ranks.best_shapes import draw_best_shapes, read_genes
from apr.figures.ranks.pairs import draw_all_pairs
from apr.figures.ranks.pretrained import draw_pretrained
from apr.figures.ranks.size import draw_rho_vs_population
from apr.figures.runs.balanced import class_counts, draw_balanced
from apr.statistics.ranks import spearman

COUNTS = {
    TARGETS[0]: {"rare": 9, "common": 800, "middling": 120},
    TARGETS[1]: {"rare": 9, "common": 120, "middling": 120},
    TARGETS[2]: {f"class {i} of the longer names": 500 - i for i in range(291)},
}
BALANCED = [(TARGETS[0], TARGETS[1]), (TARGETS[2], TARGETS[2])]
STARTS = [(TARGETS[i], TARGETS[i + 1]) for i in range(7)]
ALL = ["photos", "few", TARGETS[0], TARGETS[4], TARGETS[8]]  # the last is constant
PAIRS = [("photos", task) for task in TARGETS]
KINDS = ["balanced", "pretrained", "shapes", "pairs", "size"]


@cache
def genes(n):
    rng = np.random.default_rng(n)
    choices = {"d": range(1, 17), "w": range(8, 1025, 8), "b": (1, 2, 4), "g": (1, 2, 4, 8, 16, 32)}
    columns = {f"{key}{stage}": rng.choice(values, n) for key, values in choices.items() for stage in (1, 2, 3, 4)}
    return pd.DataFrame(columns, index=study(n)[0].index)


@cache
def drawing(kind, n):
    scores, _ = study(n)
    if kind == "balanced":
        return draw_balanced(COUNTS, scores, BALANCED, TITLES, **BOOTSTRAP)
    if kind == "pretrained":
        return draw_pretrained(scores, "photos", STARTS, TITLES, **BOOTSTRAP)
    if kind == "shapes":
        return draw_best_shapes(scores, genes(n), TARGETS[:4], 15, TITLES)
    if kind == "pairs":
        return draw_all_pairs(scores, ALL, TITLES, **BOOTSTRAP)
    return draw_rho_vs_population(scores, PAIRS, TITLES, population_sizes(n), **BOOTSTRAP)


@pytest.mark.parametrize("kind", KINDS)
def test_every_figure_is_drawn_and_saved(kind, tmp_path):
    check_saved(drawing(kind, SIZES[-1]), tmp_path, 120 if kind == "balanced" else 174)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_panels_do_not_run_into_each_other(kind, n):
    check_apart(drawing(kind, n).figure, slack=2)  # ticks without a label may touch


def test_many_tasks_still_fit_a_page():
    scores = pd.DataFrame({f"t{i}": study(5)[0][task] for i, task in enumerate([*TARGETS, *TARGETS[:4]])})
    titles = {task: task for task in scores}
    for drawn in (
        draw_best_shapes(scores, genes(5), list(scores), 15, titles),
        draw_all_pairs(scores, list(scores), titles, **BOOTSTRAP),
    ):
        assert drawn.figure.get_figheight() * 25.4 < 240


@pytest.mark.parametrize("count", [2, 4, 8, 13])
def test_matrix_keeps_its_words_within_the_cells(count):
    tasks = [TARGETS[i % 8] for i in range(count)]
    scores = pd.concat([study(500)[0][task].rename(f"t{i}") for i, task in enumerate(tasks)], axis=1)
    titles = {task: f"ImageNet-1000-{i}" for i, task in enumerate(scores)}
    figure = draw_all_pairs(scores, list(scores), titles, **BOOTSTRAP).figure
    figure.draw_without_rendering()
    for ax in figure.axes:
        for text in ax.texts:
            box = text.get_window_extent()
            assert ax.bbox.x0 <= box.x0
            assert box.x1 <= ax.bbox.x1
            assert text.get_fontsize() >= 5


def test_bars_are_the_classes_by_size():
    bars, *_ = drawing("balanced", 5).figure.axes
    widths = [[bar.get_width() for bar in container] for container in bars.containers]
    assert widths == [[800, 120, 9], [120, 120, 9]]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["common", "middling", "rare"]
    assert "common, has 800 of 929 images, and 120 of 249 when balanced" in drawing("balanced", 5).caption


def test_class_counts_are_those_of_the_train_part():
    manifest = {"classes": ["a", "b"], "per_class": {"train": [3, 5], "test": [1, 2]}}
    assert class_counts(manifest) == {"a": 3, "b": 5}


@pytest.mark.parametrize("n", SIZES)
def test_balanced_errors_are_drawn_on_one_scale(n):
    scores, _ = study(n)
    ax = drawing("balanced", n).figure.axes[2]
    assert same_points(points(ax), scores[list(BALANCED[0])].to_numpy())
    assert ax.get_xlim() == ax.get_ylim()
    assert ax.get_title(loc="left").startswith("ρ = ")


def test_pretrained_panels_show_both_starts_and_their_gain():
    scores, _ = study(500)
    drawn = drawing("pretrained", 500)
    for ax, pair in zip(drawn.figure.axes, STARTS, strict=True):
        rhos = [spearman(scores["photos"], scores[task], **BOOTSTRAP).rho for task in pair]
        shown = [f"ρ = {rho:.2f}".replace("-", "−") for rho in rhos]
        told = zip(ax.get_title(loc="left").splitlines(), "●▲", shown, strict=True)
        assert all(line.startswith(f"{mark} {value} [") for line, mark, value in told)
        for task, collection in zip(pair, ax.collections, strict=True):
            assert same_points(collection.get_offsets(), scores[["photos", task]].to_numpy())
    gain = scores[TARGETS[0]] - scores[TARGETS[1]]
    clause = f"mean gain {gain.mean():.2f} error points, {(gain > 0).sum()} of 500 models gained"
    assert clause.replace("-", "−") in drawn.caption


def test_both_starts_are_compared_over_the_same_models():
    scores = study(5)[0].copy()
    scores.loc["a002", TARGETS[1]] = np.nan
    drawn = draw_pretrained(scores, "photos", STARTS[:1], TITLES, **BOOTSTRAP)
    assert [len(collection.get_offsets()) for collection in drawn.figure.axes[0].collections] == [4, 4]
    assert "up to 1 of 5" in drawn.caption


def test_best_shapes_are_the_genes_of_the_best():
    scores, frame, data = study(500)[0], genes(500), drawing("shapes", 500).data
    for task in TARGETS[:3]:
        order = scores[task].sort_values().index
        rows = data[data["task"] == task].set_index(["parameter", "stage"])
        assert set(rows["best_model"]) == {order[0]}
        assert list(rows["best"]) == pytest.approx(list(frame.loc[order[0]]))
        depth, width = frame.loc[order[:15], "d3"], np.log2(frame.loc[order[:15], "w3"])
        drawn = rows.loc[("d", 3), ["top_mean", "top_low", "top_high", "population_mean"]]
        expected = [depth.mean(), depth.mean() - depth.std(), depth.mean() + depth.std(), frame["d3"].mean()]
        assert list(drawn) == pytest.approx(expected)
        assert rows.loc[("w", 3), "top_mean"] == pytest.approx(2 ** width.mean())
        assert rows.loc[("w", 3), "top_high"] == pytest.approx(2 ** (width.mean() + width.std()))


def test_best_shapes_draw_their_numbers():
    drawn = drawing("shapes", 500)
    panels = drawn.data.groupby(["task", "parameter"], sort=False)
    columns = {"best": "best", "top": "top_mean", "population": "population_mean"}
    for ax, (_, rows) in zip(drawn.figure.axes, panels, strict=True):
        assert {line.get_gid() for line in ax.lines} == set(columns)
        for line in ax.lines:
            assert np.array_equal(line.get_ydata(), rows[columns[line.get_gid()]])


@pytest.mark.parametrize(("n", "expected"), [(500, 15), (40, 10), (8, 2), (5, 0)])
def test_the_best_are_at_most_a_quarter_and_more_than_one(n, expected):
    drawn = draw_best_shapes(study(500)[0].iloc[:n], genes(500), TARGETS[:2], 15, TITLES)
    assert set(drawn.data["top"]) == {expected}
    assert drawn.data["top_mean"].isna().all() == (expected == 0)
    assert (f"the {expected} best" in drawn.caption) == (expected > 0)


def test_ties_for_the_best_are_broken_by_id_and_named():
    scores = study(500)[0].iloc[::-1]
    drawn = draw_best_shapes(scores, genes(500), [TARGETS[8]], 15, TITLES)
    assert set(drawn.data["best_model"]) == {"a000"}
    assert "500 models tie for the least error" in drawn.caption
    assert "across the limit of the 15 best" in drawn.caption
    assert "tie" not in draw_best_shapes(scores, genes(500), [TARGETS[0]], 15, TITLES).caption


def test_genes_are_read_by_model(tmp_path):
    genes(5).assign(flops=1).rename_axis("id").to_csv(tmp_path / "population.csv")
    pd.testing.assert_frame_equal(read_genes(tmp_path / "population.csv"), genes(5), check_names=False)
    genes(5).drop(columns="g4").rename_axis("id").to_csv(tmp_path / "population.csv")
    with pytest.raises(Problem, match="lacks the column g4"):
        read_genes(tmp_path / "population.csv")
    with pytest.raises(Problem, match="has no model a005"):
        draw_best_shapes(study(500)[0], genes(5), TARGETS, 15, TITLES)


def test_matrix_has_each_pair_below_and_above_the_diagonal():
    scores, _ = study(500)
    drawn = drawing("pairs", 500)
    grid = np.array(drawn.figure.axes).reshape(len(ALL), len(ALL))
    rows = drawn.data[drawn.data["kind"] == "rho"].set_index(["x_task", "y_task"])
    assert len(rows) == 10
    for i, x in enumerate(ALL):
        for j in range(i + 1, len(ALL)):
            y = ALL[j]
            assert same_points(points(grid[j, i]), scores[[x, y]].to_numpy())
            result, texts = spearman(scores[x], scores[y], **BOOTSTRAP), grid[i, j].texts
            if y == TARGETS[8]:
                assert [text.get_text() for text in texts] == ["undefined"]
                continue
            assert tuple(rows.loc[(x, y), ["rho", "low", "high", "n"]]) == (result.rho, result.low, result.high, 500)
            assert texts[0].get_text() == f"{result.rho:.2f}".replace("-", "−")
            assert (texts[0].get_weight() == "bold") == (result.low > 0 or result.high < 0)
            face = grid[i, j].get_facecolor()
            assert (face[0] > face[2]) == (result.rho > 0)


def test_matrix_ships_the_errors_and_their_distribution():
    scores, _ = study(500)
    data = drawing("pairs", 500).data
    for task in ALL:
        rows = data[data["x_task"] == task]
        assert np.array_equal(rows.loc[rows["kind"] == "value", "value"], scores[task])
        bins = rows[rows["kind"] == "distribution"]
        below = [(scores[task] < edge).sum() for edge in bins["bin_high"].iloc[:-1]]
        assert list(bins["models"].cumsum()) == [*below, 500]


def test_rho_by_size_is_scipys_over_populations_drawn_with_replacement():
    scores = study(500)[0].iloc[:60]
    curve = rho_by_size(scores, "photos", TARGETS[0], [20, 60, 400], **BOOTSTRAP)
    assert list(curve.by_size["n"]) == [20, 60]
    rows = np.random.default_rng(BOOTSTRAP["seed"]).integers(60, size=(BOOTSTRAP["resamples"], 20))
    pair = scores[["photos", TARGETS[0]]].to_numpy()
    rhos = [stats.spearmanr(*pair[row].T).statistic for row in rows]
    (_, first), (_, last) = curve.by_size.iterrows()
    assert (first.low, first["median"], first.high) == pytest.approx(np.percentile(rhos, [2.5, 50, 97.5]))
    assert first.agreement == pytest.approx(np.mean(np.array(rhos) < 0))
    assert last.high - last.low == pytest.approx(curve.full.high - curve.full.low, abs=0.02)


def test_least_sizes_hold_from_there_on_and_not_before():
    for task in TARGETS[:4]:
        curve = rho_by_size(study(500)[0], "photos", task, population_sizes(500), **BOOTSTRAP)
        by_size = curve.by_size.set_index("n")
        signs, half = by_size["agreement"] >= 0.95, (by_size["high"] - by_size["low"]) / 2 <= 0.1
        for holds, least in ((signs, curve.sign_from), (half, curve.precise_from)):
            assert holds.loc[least:].all()
            assert least == by_size.index[0] or not holds.loc[: least - 1].iloc[-1]


def test_more_models_than_there_are_and_undefined_are_said():
    scores = study(5)[0]
    pairs = [("photos", TARGETS[4]), ("photos", TARGETS[8])]
    table = population_size_table(scores, pairs, TITLES, population_sizes(5), **BOOTSTRAP)
    assert list(table.shown["n for ±0.1"]) == ["more than 5", "undefined"]
    assert table.data["precise_from"].isna().all()
    caption = draw_rho_vs_population(scores, pairs, TITLES, [5], **BOOTSTRAP).caption
    assert "for ±0.1 more than 5" in caption
    assert "ρ undefined, all errors are equal, n = 5; for the sign undefined" in caption


def test_curves_are_their_numbers_and_marks_lie_on_them():
    drawn = drawing("size", 500)
    for ax, (_, rows) in zip(drawn.figure.axes, drawn.data.groupby("y_task", sort=False), strict=True):
        lines = {line.get_gid(): line for line in ax.lines}
        if rows["full_rho"].isna().all():
            assert "median" not in lines
            continue
        assert np.array_equal(lines["median"].get_xydata(), rows[["n", "median"]])
        assert lines["full"].get_ydata()[0] == rows["full_rho"].iloc[0]
        for key, column in (("sign", "sign_from"), ("precise", "precise_from")):
            marked = rows.loc[rows[column], ["n", "median"]].to_numpy()
            assert np.array_equal(lines[key].get_xydata() if key in lines else np.empty((0, 2)), marked)


@pytest.mark.parametrize(("n", "expected"), [(3, [3]), (4, [3, 4]), (8, [5, 6, 8]), (13, [5, 6, 8, 10, 12, 13])])
def test_sizes_are_round_and_end_with_the_population(n, expected):
    assert population_sizes(n) == expected


def test_nothing_to_draw_is_a_problem():
    scores, _ = study(5)
    for draw in (
        lambda: draw_balanced({}, scores, [], TITLES, **BOOTSTRAP),
        lambda: draw_pretrained(scores, "photos", [], TITLES, **BOOTSTRAP),
        lambda: draw_best_shapes(scores, genes(5), [], 15, TITLES),
        lambda: draw_all_pairs(scores, ["photos"], TITLES, **BOOTSTRAP),
        lambda: draw_rho_vs_population(scores, [], TITLES, [5], **BOOTSTRAP),
        lambda: draw_rho_vs_population(scores, PAIRS, TITLES, [], **BOOTSTRAP),
        lambda: population_size_table(scores, [], TITLES, [5], **BOOTSTRAP),
    ):
        with pytest.raises(Problem):
            draw()
