"""Figures of transfer: drawn whole, with the points, lines and intervals that their numbers say."""

from dataclasses import replace

import numpy as np
import pytest
from figure_checks import check_apart, check_saved, same_points
from matplotlib.colors import to_rgba
from transfer_studies import IMAGENET, PROBED, TARGETS, Target, bare, transfer

from apr.comparisons.transfer.scores import cells_of
from apr.figures.style import BLUE, ORANGE
from apr.figures.transfer.average import draw_average
from apr.figures.transfer.gains import draw_gains
from apr.figures.transfer.panels import draw_transfer
from apr.figures.transfer.sensitivity import draw_sensitivity
from apr.figures.transfer.splines import draw_splines


@pytest.fixture(scope="module")
def grids(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grids")
    return {
        name: cells_of(Target(name, **settings, cells=(0.1, 0.01, 0.001)).write(folder)[0])
        for name, settings in TARGETS.items()
    }


def drawn(kind, grids, found):
    if kind in ("probes", "scratch"):
        return draw_transfer(found, kind)
    if kind == "sensitivity":
        return draw_sensitivity(found, {task: grids[task] for task in found.targets})
    return {"splines": draw_splines, "gains": draw_gains, "average": draw_average}[kind](found)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("kind", ["probes", "scratch", "splines", "gains", "sensitivity", "average"])
def test_each_figure_is_drawn_and_saved(kind, count, grids, tmp_path):
    targets = list(TARGETS)[:count]
    variants = {name: {task: f"{task}_{end}" for task in targets} for name, end in VARIANTS.items()}
    drawing = drawn(kind, grids, transfer(targets=targets, **variants))
    check_saved(drawing, tmp_path, 83 if kind == "average" or count == 1 else 174)
    check_apart(drawing.figure, slack=2)
    assert drawing.caption


VARIANTS = {"probes": "probe", "scratch": "scratch", "augmentation": "plain"}


def test_points_are_the_scores_and_blue_where_imagenet_is_above_the_limit():
    found = transfer()
    drawing = draw_transfer(found, "probes")
    for ax, (task, scored) in zip(drawing.figure.axes, found.targets.items(), strict=True):
        models = found.common(scored)
        expected = [[IMAGENET[model], scored.values[model]] for model in models]
        filled, hollow = (c for c in ax.collections if len(c.get_offsets()) == len(models))
        assert same_points(filled.get_offsets(), expected)
        colors = [tuple(color) == to_rgba(BLUE) for color in filled.get_facecolors()]
        assert colors == [IMAGENET[model] > 65 for model in models]
        probes = found.others["probes"][task].values
        assert same_points(hollow.get_offsets(), [[IMAGENET[model], probes[model]] for model in models])


def test_lines_and_bands_are_those_of_the_table():
    found = transfer()
    drawing = draw_transfer(found, "probes")
    rows = drawing.data[(drawing.data["target"] == "lesions") & (drawing.data["kind"] == "line, above")]
    line = found.lines(found.targets["lesions"])["above"]
    np.testing.assert_allclose(rows["value"], line.at(rows["imagenet"].to_numpy()))
    low, high = line.band(rows["imagenet"].to_numpy())
    np.testing.assert_allclose(rows[["low", "high"]], np.stack([low, high], axis=1))
    assert rows["imagenet"].min() == pytest.approx(66.2)


def test_both_sources_have_a_row_of_panels():
    drawing = draw_transfer(transfer(evaluated="imagenet_val"), "probes")
    labels = [ax.get_xlabel() for ax in drawing.figure.axes]
    assert labels == ["ImageNet top-1 accuracy (%)"] * 3 + ["Own pictures top-1 accuracy (%)"] * 3
    letters = [text.get_text() for ax in drawing.figure.axes for text in ax.texts if text.get_text() in ("A", "B")]
    assert letters == ["A", "B"]
    check_apart(drawing.figure, slack=2)


def test_models_from_scratch_have_a_line_of_their_own_in_place_of_that_above_the_limit():
    drawing = draw_transfer(transfer(), "scratch")
    assert set(drawing.data["kind"]) == {"model", "line, all"}
    for ax in drawing.figure.axes:
        assert ORANGE in [line.get_color() for line in ax.lines]
        assert BLUE not in [line.get_color() for line in ax.lines]


def test_a_guess_is_drawn_where_it_is_near():
    found = transfer(targets=["lesions"], probes={}, scratch={}, augmentation={})
    near = draw_transfer(found, "probes").figure.axes[0]
    assert 50 in [line.get_ydata()[0] for line in near.lines if len(set(line.get_ydata())) == 1]
    far = draw_transfer(transfer(targets=["eurosat"], probes={}, scratch={}, augmentation={}), "probes")
    guess = transfer().targets["eurosat"].guess
    assert guess not in [line.get_ydata()[0] for line in far.figure.axes[0].lines if len(line.get_ydata())]


def test_few_models_are_drawn_without_lines_or_splines(tmp_path):
    found = bare(tmp_path, models=list(IMAGENET)[:2])
    drawing = draw_transfer(found, "probes")
    assert set(drawing.data["kind"]) == {"model"}
    assert "- Plants: no line, of 2 models" in drawing.caption
    splines = draw_splines(found)
    assert "Plants: fewer than 5 models, or equal ones, have no spline" in splines.caption
    check_apart(splines.figure)


@pytest.mark.parametrize("known", [0, 1, 2])
@pytest.mark.parametrize("kind", ["probes", "scratch", "splines", "average", "gains", "sensitivity"])
def test_figures_are_made_where_few_or_no_imagenet_accuracies_are_known(kind, known, tmp_path):
    accuracies = dict(list(IMAGENET.items())[:known]) or {"timm:other": 70.0}
    found = bare(tmp_path, accuracies, ("probes", "scratch", "augmentation"), cells=(0.1, 0.01))
    drawing = drawn(kind, {"plants": cells_of(tmp_path / "results/scores/plants.csv")}, found)
    check_saved(drawing, tmp_path, 83)
    check_apart(drawing.figure)
    points = drawing.data[drawing.data["kind"] == "model"] if "kind" in drawing.data else drawing.data
    texts = [text.get_text() for ax in drawing.figure.axes for text in ax.texts]
    if kind in ("gains", "sensitivity"):
        assert set(points["model"]) == set(IMAGENET)  # needs no accuracy, but for the order
        assert "not known at the bottom" in drawing.caption
    else:
        assert set(points["model"]) == set(list(IMAGENET)[:known])
        assert any(text.startswith("no model w") for text in texts) == (known == 0)
        assert f"Without ImageNet accuracy, and left out: {10 - known} models of Plants" in drawing.caption


def test_models_without_log_odds_are_left_out_of_the_mean_and_named():
    found = transfer()
    found.targets["eurosat"].values.iloc[[0, 1]] = [0.0, 100.0]
    drawing = draw_average(found)
    assert "Left out, since a score of 0 or less, or of 100 %, has no log odds: fine-tuned: own:" in drawing.caption
    assert "(Eurosat: 0.0 %)" in drawing.caption
    r = [text.get_text().split()[:3] for text in drawing.figure.axes[0].texts[:2]]
    assert r == [["fixed", "features:", "r"], ["fine-tuned:", "r", r[1][2]]]
    assert drawing.data.groupby("trained").size().to_dict() == {"fine-tuned": 8, "fixed features": 10}


def test_a_spline_says_that_it_is_our_choice_and_goes_through_the_numbers():
    drawing = draw_splines(transfer())
    assert "Which spline the paper draws is not known" in drawing.caption
    rows = drawing.data[drawing.data["kind"] == "spline"]
    assert ((rows["low"] < rows["value"]) & (rows["value"] < rows["high"])).all()


def test_rows_are_models_by_imagenet_accuracy(grids):
    for drawing in (draw_gains(transfer()), draw_sensitivity(transfer(), grids)):
        names = [label.get_text() for label in drawing.figure.axes[0].get_yticklabels()]
        assert (names[0], names[-1]) == ("mobilenetv1_025", "tf_efficientnet_lite2")
        assert {label.get_text() for label in drawing.figure.axes[1].get_yticklabels()} == {""}


def test_the_chosen_cell_and_the_best_on_test_are_drawn(grids):
    drawing = draw_sensitivity(transfer(), grids)
    rows = drawing.data[drawing.data["target"] == "eurosat"]
    ax = drawing.figure.axes[0]
    points = [c.get_offsets()[:, 0] for c in ax.collections if len(c.get_offsets()) == 10]
    assert any(np.allclose(sorted(found), sorted(rows["chosen"])) for found in points)
    assert any(np.allclose(sorted(found), sorted(rows["chosen_by_test"])) for found in points)
    assert "optimism" in drawing.caption


def test_models_that_diverged_are_named_where_rows_lack_them(tmp_path):
    found = bare(tmp_path, variants=["augmentation"], cells=(0.1, 0.01))
    cells = {"plants": cells_of(tmp_path / "results/scores/plants.csv")}
    lost = replace(found.targets["plants"].of(list(IMAGENET)[1:]), diverged=tuple(IMAGENET)[:1])
    found.targets["plants"] = lost
    for kind in ("gains", "sensitivity"):
        said = drawn(kind, cells, found).caption.splitlines()[-1]
        assert said.endswith(f" Diverged, and left out: 1 model of Plants ({next(iter(IMAGENET))}).")


def test_gains_of_the_base_model_are_none():
    data = draw_gains(transfer()).data
    base = data[
        (data["model"] == "own:studies/networks/tf_quant.py:mobilenetv1_075") & (data["gain"] == "architecture")
    ]
    assert (base[["value", "low", "high"]] == 0).all(axis=None)


@pytest.mark.parametrize("kind", ["probes", "scratch", "splines", "gains", "sensitivity", "average"])
def test_captions_say_how_models_were_trained(kind, grids):
    caption = drawn(kind, grids, transfer()).caption
    assert "fine-tuned for 3 epochs at 64 px by SGD, the best by validation of 2 cells (lr 0.1, 0.01)" in caption


def test_a_probe_as_the_target_is_not_called_fine_tuned():
    found = transfer()
    probed = {task: replace(one, how=PROBED) for task, one in found.targets.items()}
    alone = replace(found, targets=probed, others={kind: {} for kind in found.others})
    for drawing in (draw_average(alone), draw_transfer(alone, "probes")):
        assert set(drawing.data["trained"].dropna()) == {"fixed features"}
        assert "fine-tuned" not in drawing.caption
    both = draw_transfer(replace(found, targets=probed), "probes")
    assert len(set(both.data["trained"])) == 1 + len(probed)
    assert len(set(draw_average(replace(found, targets=probed)).data["trained"])) == 2


def test_an_optimism_of_three_models_has_no_interval(tmp_path):
    found = bare(tmp_path, models=list(IMAGENET)[:3], cells=(0.1, 0.01))
    drawing = draw_sensitivity(found, {"plants": cells_of(tmp_path / "results/scores/plants.csv")})
    clause = drawing.caption.split("optimism ")[1].split(";")[0]
    assert "[" not in clause
    assert "(none of fewer than 4)" in drawing.caption
