import numpy as np
import pandas as pd
import pytest
from data_helpers import real
from figure_checks import check_apart, check_saved, same_points
from published import MEASURED_IMAGES as IMAGES
from published import frame
from scipy.special import ndtr
from since_figures import BOOTSTRAP, NEW, RETESTS, TITLES, distances, since, study

from apr.basics.problems import Problem
from apr.comparisons.families import LINE, UNDATED, read_families
from apr.comparisons.since import dated_accuracies, family_distances, since_lines, since_table, to_scale, with_families
from apr.comparisons.table import save_table
from apr.figures.lines.distances import _caption
from apr.figures.lines.since import draw_since
from apr.scores.measured import read_measured
from apr.scores.paired import paired
from study import ROOT


@pytest.mark.parametrize("scale", ["probit", "linear"])
def test_the_scatter_is_saved_and_nothing_overlaps(scale, tmp_path):
    drawn = since(scale)
    check_saved(drawn, tmp_path, 174)
    check_apart(drawn.figure)


def test_a_legend_takes_the_gap_of_the_grid_where_there_is_one(tmp_path):
    assert len(since().figure.legends) == 1
    five = {f"{name} {i}": points for i in (1, 2) for name, points in study().items()}
    five.pop("dark 2")
    retests = [RETESTS[NEW.index(name[:-2])] | {"name": name} for name in five]
    drawn = draw_since(five, retests, TITLES, [], "probit", **BOOTSTRAP)
    assert not drawn.figure.legends
    assert len(drawn.figure.axes) == 6
    check_saved(drawn, tmp_path, 174)
    check_apart(drawn.figure)


@pytest.mark.parametrize("scale", ["probit", "linear"])
def test_the_scatter_draws_its_numbers(scale):
    drawn = since(scale)
    for ax, name in zip(drawn.figure.axes, NEW, strict=True):
        rows = drawn.data[drawn.data["retest"] == name]
        for collection in ax.collections:
            kind = collection.get_gid()
            if kind is not None:
                expected = rows.loc[rows["kind"] == kind, ["orig_acc", "new_acc"]].to_numpy()
                assert same_points(collection.get_offsets(), expected) or not len(expected)
        for line in ax.lines:
            if line.get_gid() is not None:
                expected = rows.loc[rows["kind"] == line.get_gid(), ["orig_acc", "new_acc"]].to_numpy()
                assert np.allclose(line.get_xydata(), expected)
        assert set(rows["kind"]) == {LINE, "Lifted", "other", "line 2019", "line any", "line ImageNet-1k"}
        assert (rows["model"] != "").sum() == len(study()[name])


def test_the_scatters_titles_and_caption_have_the_computed_slopes():
    results = since_lines(study(), {}, **BOOTSTRAP).query("scale == 'probit' and data == 'any'").set_index("retest")
    for ax, name in zip(since().figure.axes, NEW, strict=True):
        row = results.loc[name]
        slopes = f"{row['slope_2019']:.2f} → {row['slope_since']:.2f}"
        assert ax.get_title(loc="left").startswith(f"slope {slopes} (p ")
        assert f"- {TITLES[name]} (162 models): {slopes.replace('→', 'to')}, " in since().caption


def test_models_beyond_the_axes_are_counted_in_the_caption():
    points = study()["again"].copy()
    assert "beyond" not in since(names=("again",)).caption
    points.loc["m250@0", ["orig_acc", "new_acc"]] = 1.0
    drawn = draw_since({"again": points}, RETESTS[:1], TITLES, [], "probit", **BOOTSTRAP)
    assert "Up to 1 undated models lie beyond" in drawn.caption
    assert 1.0 in drawn.data["orig_acc"].to_numpy()


def test_a_wrong_choice_of_families_is_named():
    for highlight, expected in ((["Lift"], "no model is of the family 'Lift'"), (["a", "b", "c", "d"], "at most 3")):
        with pytest.raises(Problem, match=expected):
            draw_since(study(), RETESTS, TITLES, highlight, "probit", **BOOTSTRAP)
    with pytest.raises(Problem, match="comparisons: since: no line; name two tasks"):
        draw_since({}, [], TITLES, [], "probit", **BOOTSTRAP)


def test_the_family_plot_is_saved_and_nothing_overlaps(tmp_path):
    drawn = distances()
    check_saved(drawn, tmp_path, 174)
    check_apart(drawn.figure)


def test_the_family_plot_draws_its_numbers():
    drawn = distances()
    names = list(drawn.data["family"].drop_duplicates())
    for ax, name in zip(drawn.figure.axes, NEW, strict=True):
        rows = drawn.data[drawn.data["retest"] == name].set_index("family")
        places = {line.get_gid(): line.get_xydata()[0] for line in ax.lines if line.get_gid() in names}
        assert {family: x for family, (x, _) in places.items()} == pytest.approx(rows["distance"].to_dict())
        assert [names[int(y)] for _, y in places.values()] == list(places)
    assert names[0] == "Lifted"
    drawings = next(line for line in drawn.caption.splitlines() if line.startswith("- Drawings"))
    assert drawings.startswith("- Drawings: 1 above, 0 below; highest Lifted (")
    assert "lowest" not in drawings  # no family is significantly below the line
    assert "- Photos again: 0 above, 0 below\n" in drawn.caption


def test_the_extremes_of_the_family_plot_are_significant_ones():
    data = distances().data.query("retest == 'again'").reset_index(drop=True)
    data["side"] = ["below", "below", "above", *["near"] * (len(data) - 3)]
    data["distance"] = [-3.0, -2, 1, 9, -9, *[0.0] * (len(data) - 5)]
    clause = _caption(data, RETESTS[:1], TITLES, 3, 200).splitlines()[-1]
    assert clause.startswith(f"- Photos again: 1 above, 2 below; highest {data.loc[2, 'family']} (1.0 [")
    assert f", lowest {data.loc[0, 'family']} (−3.0 [" in clause


def test_only_the_family_that_is_lifted_lies_off_the_line_and_only_there():
    data = family_distances(study(), 3, **BOOTSTRAP)
    off = data[data["p_holm"] < 0.05]
    assert list(zip(off["retest"], off["family"], strict=True)) == [("drawings", "Lifted")]
    lifted = off.iloc[0]
    assert lifted["low"] > 10
    assert set(data["n"]) == {4}  # two weights at two sizes and two more
    assert len(data) == 3 * 15
    points = study()["drawings"]
    x, y = to_scale(points[points["group"] == LINE], "probit")
    slope, offset = np.polyfit(x, y, 1)
    members = points[points["family"] == "Lifted"]
    above = members["new_acc"] - 100 * ndtr(slope * to_scale(members, "probit")[0] + offset)
    assert lifted["distance"] == pytest.approx(above.groupby(members["weights"]).mean().mean())


def test_no_family_is_large_enough_is_a_problem():
    with pytest.raises(Problem, match="no family has 9 weights"):
        family_distances(study(), 9, **BOOTSTRAP)


def test_the_slope_changes_with_the_lifted_family_alone():
    data = since_lines(study(), {}, **BOOTSTRAP)
    assert list(data["scale"].unique()) == ["probit", "linear"]
    assert len(data) == 2 * 3 * 2
    probit = data[data["scale"] == "probit"].set_index(["retest", "data"])
    assert (probit["n_2019"] == 72).all()
    assert probit.loc[("again", "any"), ["n_since", "families_since"]].tolist() == [72, 12]
    assert probit.loc[("again", "ImageNet-1k"), ["n_since", "families_since"]].tolist() == [66, 11]
    assert probit.loc[("drawings", "any"), "shift"] > 1
    assert abs(probit.loc[("drawings", "ImageNet-1k"), "shift"]) < 1
    assert (probit["change_low"] < probit["change"]).all()
    assert (probit["change"] < probit["change_high"]).all()
    holm = probit["change_p_holm"]
    assert (holm >= probit["change_p"]).all()


def test_a_published_line_stands_beside_the_measured_one(tmp_path):
    before = study()["again"]
    published = {"again": before[before["group"] == LINE].assign(group=UNDATED)}
    table = since_table(study(), published, RETESTS, **BOOTSTRAP)
    again = table.data[(table.data["retest"] == "again") & (table.data["scale"] == "probit")].set_index(
        ["line", "data"]
    )
    assert len(again) == 4
    same = ["slope_2019", "slope_since", "change", "change_low", "bend", "change_p"]
    assert again.loc[("published", "any"), same].tolist() == again.loc[("measured", "any"), same].tolist()
    assert again.loc[("published", "any"), "change_p_holm"] == again.loc[("published", "any"), "change_p"]
    assert "Published: the models" in table.caption
    assert "Published" not in since_table(study(), {}, RETESTS, **BOOTSTRAP).caption
    assert list(table.shown["2019 models"].unique()) == ["72 measured", "72 published"]
    save_table(table, tmp_path / "t.csv", tmp_path / "t.md", tmp_path / "t.rst")
    assert (tmp_path / "t.md").read_text().count("\n| ") == len(table.data) + 1


def test_measured_results_without_models_of_2019_are_a_problem(tmp_path):
    families = read_families(ROOT / "resources/model_families.yaml")
    names = [f"convnext_tiny.fb_in1k@{size}" for size in (192, 224, 256, 288)]
    accuracies = pd.DataFrame({"orig_acc": [70.0, 71, 72, 73], "new_acc": [60.0, 61, 0, 63]}, index=names)
    assert list(with_families(accuracies, families).index) == [names[0], names[1], names[3]]
    with pytest.raises(Problem, match="0 models of the 2019 line"):
        dated_accuracies(accuracies, families)


def test_the_line_of_2019_holds_on_imagenetv2():
    files = ("results-imagenet.csv", "results-imagenetv2-matched-frequency.csv")
    paths = real(*(f"timm-results/{file}" for file in files))
    rows = [read_measured(path, IMAGES[file], "top1_accuracy") for path, file in zip(paths, files, strict=True)]
    accuracies = paired(*(frame(table).set_index("model") for table in rows), "top1_accuracy")
    slope, offset = np.polyfit(accuracies["orig_acc"], accuracies["new_acc"], 1)
    assert (slope, offset) == pytest.approx((1.144, -22.5), abs=0.06)
    points = dated_accuracies(accuracies, read_families(ROOT / "resources/model_families.yaml"))
    data = since_lines({"v2": points}, {}, **BOOTSTRAP).set_index(["scale", "data"])
    probit = data.loc[("probit", "any")]
    assert (probit["n_2019"], probit["n_since"]) == (134, 1_045)
    assert (probit["slope_2019"], probit["slope_since"]) == pytest.approx((0.974, 0.984), abs=0.001)
    assert probit["change_low"] < 0 < probit["change_high"]
    assert data.loc[("linear", "any"), "slope_since"] == pytest.approx(1.242, abs=0.001)
