"""Gains, cells and answers of transfer of hand-made scores, by hand and word for word."""

import numpy as np
import pytest
from hand_made_transfer import scored, transfer

from apr.comparisons.transfer import answer as answers
from apr.comparisons.transfer.answer import answer_of
from apr.comparisons.transfer.gains import augmentation_ahead, base_model, correlation, gains_of
from apr.comparisons.transfer.scores import cells_of
from apr.runs.metrics import METRICS
from apr.scores.table import score_row, write_scores

NAN = float("nan")

# --- gains ---


def test_gains_without_draws_and_of_errors_by_hand():
    augmented, plain = (
        scored({"b": 30, "a": 20, "x": 9}, "top1_error"),
        scored({"b": 40, "a": 25, "x": 8}, "top1_error"),
    )
    found = transfer(augmented, others={"augmentation": {"own": plain}})
    rows = gains_of(found, "own").drop(columns=["target", "low", "high"]).to_numpy().tolist()
    assert rows[:4] == [
        ["b", 60, "augmentation", 10],
        ["b", 60, "architecture", 0],
        ["a", 80, "augmentation", 5],
        ["a", 80, "architecture", 10],
    ]
    assert rows[4][0] == "x"
    assert rows[4][2:] == ["augmentation", -1]
    ahead = augmentation_ahead(found, "own")
    assert (ahead.value, np.isnan(ahead.low)) == (7.5 - 10, True)
    strangers = transfer(scored({"x": 1}), others={"augmentation": {"own": scored({"x": 2})}})
    assert augmentation_ahead(strangers, "own") is None
    assert base_model(transfer(augmented, above=60.0), ["b", "c", "a"]) == "c"
    assert base_model(transfer(augmented, above=99.0), ["b", "c", "a"]) == "b"


def test_ahead_with_draws_by_hand():
    """Augmentation gains 2 and 4 on the resamples, the better architecture 1 and 5 over the base."""
    augmented = scored({"b": 50, "a": 53}, draws=[[50, 50], [51, 55]])
    plain = scored({"b": 47, "a": 50}, draws=[[48, 46], [49, 51]])
    ahead = augmentation_ahead(transfer(augmented, others={"augmentation": {"own": plain}}), "own")
    assert ahead.value == 0
    assert (ahead.low, ahead.high) == pytest.approx((-0.95, 0.95))


def test_correlations_that_have_no_interval():
    assert np.isnan(correlation(np.array([1.0, 2]), np.array([1.0, 2]))).all()
    assert np.isnan(correlation(np.array([1.0, 1, 1]), np.array([1.0, 2, 3]))).all()
    r, low, _ = correlation(np.array([1.0, 2, 3]), np.array([1.0, 2, 4]))
    assert (r, np.isnan(low)) == (pytest.approx(0.9819805), True)
    r, low, high = correlation(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4]))
    assert (r, low, high) == pytest.approx((0.8, *np.tanh(np.arctanh(0.8) + np.array([-1.959964, 1.959964]))))


# --- cells ---


def test_cells_of_runs_that_diverged(tmp_path):
    def row(model, lr, seed, correct, chosen, status="completed"):
        part = {"n": 10, "correct_top1": correct} if correct is not None else {"n": 10}
        made = score_row(model, {"test": part}, METRICS["top1_accuracy"], status=status, seed=seed, cell={"lr": lr})
        return made | {"chosen": chosen}

    path = tmp_path / "t.csv"
    write_scores(path, [row("a", 0.1, 1, None, "no", "diverged")])
    assert cells_of(path).columns.tolist() == ["model"]
    rows = [row("a", 0.1, 1, 5, "no"), row("a", 0.2, 1, None, "yes", "diverged")]
    rows += [row("b", 0.1, 1, 4, "yes"), row("b", 0.2, 1, 9, "no"), row("c", 0.1, 1, None, "yes", "diverged")]
    write_scores(path, rows)
    found = cells_of(path).set_index("model")
    assert found.index.tolist() == ["a", "b"]
    assert found.loc["a", "cell_lr"] == ""
    assert np.isnan(found.loc["a", "chosen"])
    assert (found.loc["a", "seeds"], found.loc["a", "cells"], found.loc["b", "seeds"]) == (0, 1, 1)
    row = found.loc["b", ["best", "median", "worst", "chosen", "chosen_by_test", "optimism"]].tolist()
    assert row == [90, 65, 40, 40, 90, 50]
    assert found.loc["b", "cell_lr"] == "0.1"


# --- answers ---


def test_answers_without_accuracies_of_one_of_two_targets():
    both = {"own": scored({"a": 60, "b": 50}, title="A"), "more": scored({"x": 60, "y": 50}, title="B")}
    said = answer_of(transfer(both))
    unknown = "which images each model got right is not known, so that noise cannot be told from a difference"
    start = f"no answer can be given: {unknown}"
    assert said == (
        "Which model to take:\n\n"
        f"- A: {start}; a has the best score (top-1 accuracy 60.0 %); 2 models with an ImageNet accuracy, too few to "
        "say how far it ranks them.\n"
        f"- B: {start}; x has the best score (top-1 accuracy 60.0 %); ImageNet accuracies of its models are not known."
        "\n\nHow far ImageNet accuracy could be trusted here:\n\n"
        "- A: a, the best on ImageNet, loses nothing: it has the best score.\n"
        "- B: ImageNet accuracies of its models are not known."
    )
    alone = answer_of(transfer(scored({"a": 60})))
    assert alone.endswith("trusted here:\n\n- Own: one model alone has an ImageNet accuracy.")


@pytest.mark.parametrize(("low", "high", "guessing"), [(-5, 1, False), (-10, 1, True), (-11, 1, True), (NAN, 1, False)])
def test_a_model_guesses_where_its_interval_holds_the_level(low, high, guessing):
    one = scored({"a": 60.0}, bounds=(low, high), guess=50.0)
    assert answers._guesses(one, "a") == guessing
    error = scored({"a": 40.0}, "top1_error", bounds=(-1, -low), guess=50.0)
    assert answers._guesses(error, "a") == guessing
    assert not answers._guesses(scored({"a": 60.0}, bounds=(low, high)), "a")


def test_four_models_are_named_and_the_others_counted():
    assert answers._named("abcd") == "a, b, c and d"
    assert answers._named("abcdef") == "a, b, c, d and 2 more"
