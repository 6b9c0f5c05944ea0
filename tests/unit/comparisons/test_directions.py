"""The same results told as errors and as accuracies: choices and ranks are the same, words and numbers follow."""

import numpy as np
import pandas as pd
import pytest

from apr.comparisons.correlations import correlate, correlation_table, depth_width_table
from apr.comparisons.regret import regret_table, regrets
from apr.figures.ranks.best_shapes import PARAMETERS, draw_best_shapes
from apr.figures.ranks.pretrained import draw_pretrained
from apr.figures.ranks.scatter import draw_scatter
from apr.figures.runs.curves import draw_training_curves
from apr.figures.runs.densities import draw_seed_densities
from apr.runs.metrics import METRICS
from apr.scores.tested import Counts

BOOTSTRAP = {"resamples": 50, "seed": 0}
TITLES = {"x": "Photos", "y": "Lines", "z": "Woods"}
MODELS = [f"a{number:03}" for number in range(12)]
ERROR, ACCURACY = (
    Counts(10_000, 90.0 if name == "top1_error" else 10.0, METRICS[name]) for name in ("top1_error", "top1_accuracy")
)


@pytest.fixture(scope="module")
def errors():
    rng = np.random.default_rng(0)
    x = rng.permutation(np.linspace(20, 42, 12))
    return pd.DataFrame({"x": x, "y": x / 2 + rng.normal(0, 2, 12), "z": x / 3 + rng.normal(0, 1, 12)}, MODELS).round(2)


ALL_ERRORS = dict.fromkeys(TITLES, ERROR)
ALL_ACCURACIES = dict.fromkeys(TITLES, ACCURACY)
MIXED = {"x": ACCURACY, "y": ERROR, "z": ERROR}


def test_regret_is_the_same_of_accuracies_and_what_is_got_is_an_accuracy(errors):
    of_errors = regrets(errors, "x", "y", [1, 3], **BOOTSTRAP, counts=ALL_ERRORS)
    of_accuracies = regrets(100 - errors, "x", "y", [1, 3], **BOOTSTRAP, counts=ALL_ACCURACIES)
    mixed = regrets(errors.assign(x=100 - errors["x"]), "x", "y", [1, 3], **BOOTSTRAP, counts=MIXED)
    for error, accuracy, both in zip(of_errors, of_accuracies, mixed, strict=True):
        assert accuracy.regret == pytest.approx(error.regret)
        assert (accuracy.chosen, accuracy.best) == pytest.approx((100 - error.chosen, 100 - error.best))
        assert (both.regret, both.chosen, both.best) == pytest.approx((error.regret, error.chosen, error.best))
    assert of_accuracies[0].best == (100 - errors["y"]).max()


def test_rho_is_of_ranks_from_the_best_model_on_where_the_best_ends_differ(errors):
    mixed = errors.assign(x=100 - errors["x"])
    rho = correlate(errors, "x", "y", **BOOTSTRAP).rho
    assert correlate(mixed, "x", "y", **BOOTSTRAP, counts=MIXED).rho == pytest.approx(rho)
    assert correlate(100 - errors, "x", "y", **BOOTSTRAP, counts=ALL_ACCURACIES).rho == pytest.approx(rho)
    caption = correlation_table(mixed, "x", ["y"], {}, TITLES, **BOOTSTRAP, counts=MIXED).caption
    assert "each task is ranked from its best model to its worst" in caption
    assert "between the models' scores on each target" in caption
    alike = correlation_table(100 - errors, "x", ["y"], {}, TITLES, **BOOTSTRAP, counts=ALL_ACCURACIES).caption
    assert "whichever end" not in alike
    assert "between the models' accuracies on each target" in alike


def test_tables_say_what_they_are_of(errors):
    shown = regret_table(100 - errors, "x", ["y"], {}, [1], TITLES, **BOOTSTRAP, counts=ALL_ACCURACIES)
    assert {"Accuracy got (%)", "Best (%)", "Regret (points)"} <= set(shown.shown.columns)
    assert "the accuracy points lost on a target" in shown.caption
    assert "the k models with the greatest accuracy on Photos" in shown.caption
    shape = pd.DataFrame({"cumulative_depth": range(12), "cumulative_width": range(12)}, MODELS)
    depth = depth_width_table(100 - errors, shape, ["x"], TITLES, **BOOTSTRAP, counts=ALL_ACCURACIES)
    assert "ρ of the accuracy with cumulative depth" in depth.caption
    assert "a positive ρ says that deeper or wider models are better" in depth.caption
    turned = depth_width_table(errors, shape, ["x"], TITLES, **BOOTSTRAP, counts=ALL_ERRORS)
    assert depth.data["rho_depth"].iloc[0] == pytest.approx(-turned.data["rho_depth"].iloc[0])


def test_the_best_and_the_worst_of_a_scatterplot_are_those_of_the_metric(errors):
    drawn = [
        draw_scatter(values, [("x", "y")], TITLES, 3, **BOOTSTRAP, counts=counts)
        for values, counts in ((errors, ALL_ERRORS), (100 - errors, ALL_ACCURACIES))
    ]
    groups = [drawing.data.groupby("group")["model"].agg(set).to_dict() for drawing in drawn]
    assert groups[0] == groups[1]
    assert groups[1]["best"] == set((100 - errors)["y"].nlargest(3).index)
    (ax,) = drawn[1].figure.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Photos accuracy (%)", "Lines accuracy (%)")
    assert drawn[1].caption.startswith("Test accuracy of each model on one task against its accuracy on Photos.")
    assert drawn[0].caption.startswith("Test error of each model on one task against its error on Photos.")


def test_best_shapes_take_the_most_accurate(errors):
    genes = pd.DataFrame({f"{p}{stage}": 2.0 for p in PARAMETERS for stage in range(1, 5)}, MODELS)
    drawn = draw_best_shapes(100 - errors, genes, ["y"], 3, TITLES, ALL_ACCURACIES)
    best = errors["y"].idxmin()
    assert set(drawn.data["best_model"]) == {best}
    assert "the model with the greatest accuracy on the task" in drawn.caption
    assert f"- Lines: {best}, accuracy {100 - errors['y'].min():.2f} %" in drawn.caption


def test_a_gain_is_a_gain_in_either_direction(errors):
    clauses = [
        draw_pretrained(values, "x", [("y", "z")], TITLES, **BOOTSTRAP, counts=counts).caption.split("mean gain ")[1]
        for values, counts in ((errors, ALL_ERRORS), (100 - errors, ALL_ACCURACIES))
    ]
    assert clauses[1].replace("accuracy points", "error points") == clauses[0]


def test_curves_and_densities_follow_the_metric(errors):
    rows = [("x", m, e, 100 - v + 20 * (1 - e)) for m, v in errors["x"].items() for e in (1, 2)]
    curves = pd.DataFrame(rows, columns=["task", "model", "epoch", "value"])
    none = pd.DataFrame(columns=["task", "rank", "model", "epoch", "value", "resumed_after"])
    drawn = draw_training_curves(curves, none, 1, TITLES, ALL_ACCURACIES)
    best = set(drawn.data.loc[drawn.data["group"] == "best", "model"])
    assert best == set(errors["x"].nsmallest(3).index)
    assert drawn.figure.axes[0].get_ylabel() == "Test accuracy (%)"
    repeated = pd.DataFrame({"model": "a000", "seed": range(3), "value": [70.0, 71, 72]})
    seeds = draw_seed_densities(repeated, 100 - errors["x"], TITLES, "x", ALL_ACCURACIES)
    assert seeds.figure.axes[0].get_xlabel() == "Photos accuracy (%)"
    assert "Densities of the test accuracy on Photos" in seeds.caption
