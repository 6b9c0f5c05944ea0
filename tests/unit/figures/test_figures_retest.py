import numpy as np
import pandas as pd
import pytest
from figure_checks import check_apart, check_saved, same_points
from matplotlib.colors import to_rgba
from retest_figures import BOOTSTRAP, TITLES, drawing, errors, pair, retest, several

from apr.basics.problems import Problem
from apr.comparisons.retest_accuracies import retest_table
from apr.comparisons.retest_lines import fit_retest, pair_retests, retest_lines, slopes_table
from apr.figures.lines.retest import draw_retest
from apr.figures.lines.slopes import PANELS, draw_retest_slopes
from apr.statistics.bootstrap import interval
from apr.statistics.counts import clopper_pearson
from apr.statistics.lines import fit_line, from_probit, probit

SIZES = [8, 67, 300]
COLUMNS = ["orig_acc", "new_acc"]


@pytest.mark.parametrize("n", SIZES)
def test_the_figure_is_drawn_and_saved(n, tmp_path):
    check_saved(drawing(n), tmp_path, 174)
    check_apart(drawing(n).figure)


@pytest.mark.parametrize("n", SIZES)
def test_models_are_drawn_where_they_are_and_open_where_they_do_not_count(n):
    data = drawing(n).data
    for ax, scale, left_out in zip(drawing(n).figure.axes, ("linear", "probit"), (2, 0), strict=True):
        rows = data[(data["scale"] == scale) & (data["kind"] == "model")]
        assert (~rows["in_line"].astype(bool)).sum() == left_out
        drawn = {c.get_gid(): c for c in ax.collections if c.get_gid()}
        for counted in {str(value) for value in rows["in_line"]}:
            expected = rows.loc[rows["in_line"].astype(str) == counted, COLUMNS]
            assert same_points(drawn[counted].get_offsets(), expected.to_numpy(dtype=float))
        if left_out:
            white, filled = (drawn[counted].get_facecolor()[0] for counted in ("False", "True"))
            assert tuple(white) == to_rgba("white")
            assert tuple(white[:3]) != tuple(filled[:3])


@pytest.mark.parametrize("scale", ["linear", "probit"])
def test_the_line_is_that_of_the_counted_models_in_a_band_around_it(scale):
    models = pair(30).drop(index=["m_000", "m_001"] if scale == "linear" else [])
    data = drawing(30).data
    line = data[(data["scale"] == scale) & (data["kind"] == "line")]
    x, y = models["orig_acc"], models["new_acc"]
    if scale == "linear":
        expected = fit_line(x, y).at(line["orig_acc"])
    else:
        expected = from_probit(fit_line(probit(x), probit(y)).at(probit(line["orig_acc"])))
    assert line["new_acc"].to_numpy() == pytest.approx(expected)
    assert ((line["new_low"] < line["new_acc"]) & (line["new_acc"] < line["new_high"])).all()
    ax = drawing(30).figure.axes[scale == "probit"]
    stroke, identity = (next(a for a in ax.lines if a.get_gid() == gid) for gid in ("line", "identity"))
    assert np.array_equal(stroke.get_ydata(), line["new_acc"])
    assert np.array_equal(identity.get_xdata(), identity.get_ydata())


def test_the_probit_axes_are_quantiles_with_ticks_in_percent():
    ax = drawing(67).figure.axes[1]
    drawing(67).figure.draw_without_rendering()
    places = ax.transData.transform(np.column_stack([[60, 70, 80]] * 2))[:, 0]
    quantiles = probit(pd.Series([60, 70, 80])).to_numpy()
    assert np.diff(places) / np.diff(quantiles) == pytest.approx(np.ptp(places) / np.ptp(quantiles))
    ticks = ax.get_xticks()
    assert len(ticks) > 2
    assert [label.get_text() for label in ax.get_xticklabels()] == [f"{tick:g}" for tick in ticks]
    assert min(np.diff(ax.transData.transform(np.column_stack([ticks, ticks]))[:, 0])) > 20


def test_bars_are_clopper_pearson_intervals_where_they_can_be_told_apart():
    models = pair(30)
    rows = drawing(30).data.query("kind == 'model' and scale == 'linear'").set_index("model")
    low, high = clopper_pearson(models["new_correct"], models["new_n"])
    assert rows.loc[models.index, ["new_low", "new_high"]].to_numpy(float) == pytest.approx(
        np.column_stack([low, high])
    )
    assert "Clopper–Pearson" in drawing(30).caption
    assert "Clopper–Pearson" not in drawing(300).caption
    assert [len(ax.containers) for ax in drawing(300).figure.axes] == [0, 0]


def test_percentages_alone_are_drawn():
    models = pair(30)
    models[["orig_correct", "new_correct"]] = np.nan
    same = draw_retest(models, retest(without=["m_000", "m_001"]), TITLES, **BOOTSTRAP).data
    pd.testing.assert_frame_equal(same, drawing(30).data)
    models[["orig_n", "new_n"]] = np.nan
    drawn = draw_retest(models, retest(), TITLES, **BOOTSTRAP)
    assert "Clopper–Pearson" not in drawn.caption
    assert drawn.data["new_acc"].notna().all()


@pytest.mark.parametrize("low", [60, 30])
def test_crowded_models_are_drawn_again_in_a_free_corner(low):
    figure = draw_retest(pair(67, low=low), retest(), TITLES, **BOOTSTRAP)
    insets = figure.figure.axes[0].child_axes
    assert len(insets) == (low == 30)
    assert ("Insets enlarge the middle 80 % of the models" in figure.caption) == (low == 30)
    for inset in insets:
        assert np.ptp(inset.get_xlim()) < 0.3 * np.ptp(figure.figure.axes[0].get_xlim())


def test_the_caption_names_who_does_not_count_and_what_the_line_says():
    caption = drawing(30).caption
    models = pair(30)
    fit = fit_retest(models, retest(without=["m_000", "m_001"]), "linear", **BOOTSTRAP)
    low, high = fit.slope_interval
    assert (
        f"- Linear scale (28 models, without m_000, m_001): slope {fit.line.slope:.3f} [{low:.3f}, {high:.3f}]"
        in caption
    )
    assert "- Probit scale (30 models): slope" in caption
    change = (models["new_acc"] - models["orig_acc"]).mean()
    assert f"The mean change of the 30 models is −{abs(change):.1f} points" in caption
    assert "200 bootstrap resamples" in caption
    assert f"comes with {fit.line.slope:.2f} points on ImageNetV2 MatchedFrequency, more than one." in caption
    assert "model not in the line" in [text.get_text() for text in drawing(30).figure.legends[0].get_texts()]


def test_too_few_models_are_drawn_without_a_line():
    models = pair(8).iloc[:2]
    drawn = draw_retest(models, retest(), TITLES, **BOOTSTRAP)
    check_apart(drawn.figure)
    assert set(drawn.data["kind"]) == {"model"}
    assert drawn.figure.axes[0].get_title(loc="left") == "line undefined: fewer than three models"
    assert "Linear scale (2 models): no line, fewer than three models" in drawn.caption


def test_models_at_the_end_of_the_probit_scale_are_left_out_of_it_and_named():
    models = pair(30).copy()
    models.loc["m_005", ["new_correct", "new_acc"]] = [10000, 100]
    drawn = draw_retest(models, retest(), TITLES, **BOOTSTRAP)
    counts = drawn.data[drawn.data["kind"] == "model"].groupby("scale").size()
    assert counts.to_dict() == {"linear": 30, "probit": 29}
    assert "It has no place for m_005, at 0 or 100 %." in drawn.caption
    assert "Probit scale (29 models, without m_005)" in drawn.caption
    assert fit_retest(models, retest(), "probit", **BOOTSTRAP).left_out == ("m_005",)
    one = retest()
    caption = draw_retest_slopes({one["name"]: models}, [one], {}, **BOOTSTRAP).caption
    assert "Not in the probit lines: 1 model with an accuracy of 0 or 100 %." in caption


def test_a_probit_scale_without_models_is_empty_and_says_so(tmp_path):
    models = pair(8).iloc[:3].copy()
    models[["new_correct", "new_acc"]] = 0
    drawn = draw_retest(models, retest(), TITLES, **BOOTSTRAP)
    check_saved(drawn, tmp_path, 174)
    check_apart(drawn.figure)
    assert set(drawn.data["scale"][drawn.data["kind"] == "model"]) == {"linear"}
    left, right = drawn.figure.axes
    assert len(left.collections) > 0
    assert [len(right.collections), len(right.lines), len(right.get_xticks())] == [0, 0, 0]
    assert "no model has a place on this scale" in [text.get_text() for text in right.texts]
    assert "at 0 or 100 %. No model is left, so that the panel is empty." in drawn.caption
    one = retest()
    assert "undefined" in draw_retest_slopes({one["name"]: models}, [one], {}, **BOOTSTRAP).caption


def test_one_model_is_one_model(tmp_path):
    drawn = draw_retest(pair(8).iloc[:1], retest(), TITLES, **BOOTSTRAP)
    check_saved(drawn, tmp_path, 174)
    assert "accuracy of 1 model on" in drawn.caption
    assert "change of the 1 model is" in drawn.caption
    one = retest()
    forest = draw_retest_slopes({one["name"]: pair(8).iloc[:1]}, [one], {"new_top1": {"models": 5}}, **BOOTSTRAP)
    assert "of 1 model)" in forest.caption
    table = retest_table(pair(8).iloc[:1], one, TITLES)
    for caption in (drawn.caption, forest.caption, table.caption):
        assert "1 models" not in caption


def test_a_model_that_is_not_there_cannot_be_left_out():
    with pytest.raises(Problem, match=r"new_top1: without: no model m_0O1 .* \(did you mean m_0"):
        fit_retest(pair(30), retest(without=["m_0O1"]), "linear", **BOOTSTRAP)


def test_a_retest_without_common_models_is_named():
    tables = errors(8)
    with pytest.raises(Problem, match=r"line new_top1: no model .* 8 on old and 8 on new .* m_000 and m_000x"):
        pair_retests(tables | {"new": tables["new"].rename(lambda name: name + "x")}, [retest()])
    with pytest.raises(Problem, match="comparisons: no line; name two"):
        pair_retests(tables, [])


@pytest.mark.parametrize("count", [1, 8, 20])
def test_the_forest_is_drawn_and_saved(count, tmp_path):
    pairs, retests = several(count)
    published = {"set_0": {"slope": 1.1, "change": -11.8, "models": 34}}
    drawn = draw_retest_slopes(pairs, retests, published, **BOOTSTRAP)
    check_saved(drawn, tmp_path, 174)
    check_apart(drawn.figure, slack=1)
    assert (
        "Diamonds: published values. The published line of Test set 0 of a long name, top-1 counts 34" in drawn.caption
    )
    assert drawn.caption.count("- Test set") == count


def test_the_forest_draws_the_numbers_of_its_lines():
    pairs, retests = several(5)
    drawn = draw_retest_slopes(pairs, retests, {"set_3": {"offset": -20.2}}, **BOOTSTRAP)
    numbers = retest_lines(pairs, retests, **BOOTSTRAP)
    pd.testing.assert_frame_equal(drawn.data[numbers.columns], numbers)
    for ax, (_, _, neutral, quantities) in zip(drawn.figure.axes, PANELS.values(), strict=True):
        lines = {line.get_gid(): line for line in ax.lines}
        assert lines["neutral"].get_xdata()[0] == neutral
        for quantity, bars in zip(quantities, ax.collections, strict=True):
            assert np.array_equal(lines[quantity].get_xdata(), numbers[quantity])
            ends = [segment[:, 0] for segment in bars.get_segments()]
            assert np.allclose(ends, numbers[[f"{quantity}_low", f"{quantity}_high"]])
    marks = {line.get_gid(): line.get_xdata() for ax in drawn.figure.axes for line in ax.lines}
    assert np.array_equal(marks["offset_published"], [np.nan, np.nan, np.nan, -20.2, np.nan], equal_nan=True)
    assert "slope_published" not in marks


def test_lines_and_changes_are_those_of_their_models():
    pairs, retests = several(2)
    row = retest_lines(pairs, retests, **BOOTSTRAP).iloc[1]
    models = pairs["set_1"]
    counted = models.drop(index="m_000")
    line = fit_line(counted["orig_acc"], counted["new_acc"])
    quantiles = fit_line(probit(models["orig_acc"]), probit(models["new_acc"]))
    changes = (models["new_acc"] - models["orig_acc"]).to_numpy()
    assert (row["models"], row["n"], row["probit_n"]) == (30, 29, 30)
    assert (row["slope"], row["offset"]) == pytest.approx((line.slope, line.offset))
    assert (row["probit_slope"], row["probit_offset"]) == pytest.approx((quantiles.slope, quantiles.offset))
    assert row["change"] == pytest.approx(changes.mean())
    draws = np.random.default_rng(0).integers(30, size=(200, 30))
    of_models = interval(changes[draws].mean(axis=1))
    assert row["change_low"] < of_models[0] < of_models[1] < row["change_high"]  # test images count as well
    unknown = {name: accuracies[["orig_acc", "new_acc"]] for name, accuracies in pairs.items()}
    alone = retest_lines(unknown, retests, **BOOTSTRAP).iloc[1]
    assert (alone["change_low"], alone["change_high"]) == pytest.approx(of_models)
    assert (alone["slope_low"], alone["slope_high"]) == (row["slope_models_low"], row["slope_models_high"])
    assert row["slope_high"] > alone["slope_high"]  # the noise of the counts flattens a line
    assert row["offset_low"] < alone["offset_low"]


def test_the_table_says_what_a_slope_is_and_who_does_not_count():
    pairs, retests = several(3)
    table = slopes_table(pairs, retests, **BOOTSTRAP)
    row = table.data.iloc[0]
    slope = f"{row['slope']:.3f} [{row['slope_low']:.3f}, {row['slope_high']:.3f}]"
    assert table.shown.iloc[0]["Slope"] == slope
    assert table.shown["Retest"].tolist() == [settings["title"] for settings in retests]
    both = "; ".join(settings["title"] for settings in retests[:2])
    assert f"Not in the lines: m_000 ({both}). All models are in the probit lines." in table.caption


@pytest.mark.parametrize(("published", "word"), [({"set_9": {}}, "set_9"), ({"set_0": {"slop": 1}}, "slop")])
def test_published_values_are_of_known_retests_and_quantities(published, word):
    pairs, retests = several(2)
    with pytest.raises(Problem, match=f"published: .*{word} is unknown"):
        draw_retest_slopes(pairs, retests, published, **BOOTSTRAP)
