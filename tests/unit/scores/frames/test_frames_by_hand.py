"""Score tables side by side, and what they tell of tests, on tables of a few rows."""

import math

import numpy as np
import pandas as pd
import pytest
from figure_studies import row, written

from apr.basics.problems import Problem
from apr.runs.metrics import METRICS
from apr.scores.frames import complete, read_column, read_models, read_repeats, read_runs, read_values, side_by_side
from apr.scores.table import score_row
from apr.scores.tested import Counts, counts_of, counts_of_view, images_of, losses, losses_of, metric_of, read_counts

NAN = float("nan")


def message(call, *arguments):
    with pytest.raises(Problem) as caught:
        call(*arguments)
    return str(caught.value)


def test_values_stand_side_by_side_where_they_completed(tmp_path):
    first = written(tmp_path / "x.csv", row("a", 1, 25.0), row("b", 2, None), row("c", 3, 27.5))
    second = written(tmp_path / "y.csv", row("d", 1, 1.0), row("c", 1, 2.0))
    found = read_values([second, first])
    assert found.columns.tolist() == ["y", "x"]
    assert found.loc["c"].tolist() == [2, 27.5]
    assert found.loc["b"].isna().all()
    assert found.loc["a", "x"] == 25
    assert math.isnan(found.loc["a", "y"])
    assert read_runs(first)["seed"].tolist() == [1, 2, 3]
    value = side_by_side({"x": pd.DataFrame({"status": ["completed", "diverged"], "value": [1.0, 2.0]}, ["a", "b"])})
    assert value["x"].tolist()[0] == 1
    assert math.isnan(value["x"].tolist()[1])


def test_another_part_is_read_beside_the_own_one(tmp_path):
    def both(model, test, train, status="completed"):
        parts = {"test": {"n": 10, "correct_top1": test}, "train": {"n": 20, "correct_top1": train}}
        return score_row(model, parts, METRICS["top1_error"], status=status, seed=1)

    first = written(tmp_path / "x.csv", both("a", 7, 18), both("b", 6, 16))
    second = written(tmp_path / "y.csv", row("a", 1, 25.0), row("b", 1, None))
    assert read_column([first, second], "test_top1_error").to_dict("list")["x"] == [30, 40]
    assert read_column([second], "test_top1_error")["y"].dropna().to_dict() == {"a": 25}
    found = read_column([first, second], "train_top1_error")
    assert found["x"].tolist() == [10, 20]
    assert found["y"].isna().all()


def test_several_runs_and_runs_without_a_seed_are_refused(tmp_path):
    twice = written(tmp_path / "x.csv", row("a", 1, 25.0), row("b", 1, 2.0), row("b", 2, 3.0))
    assert message(read_models, twice) == (
        f"{twice}: model b: has several runs that count (with several seeds, say); compare a task that has one run a "
        "model, or choose one of its cells"
    )
    assert read_repeats(twice).to_numpy().tolist() == [["a", 1, 25], ["b", 1, 2], ["b", 2, 3]]
    none = written(tmp_path / "y.csv", row("a", 1, 25.0), row("b", None, 2.0))
    assert message(read_repeats, none) == f"{none}: model b: seed is not there; run again"


SCORES = pd.DataFrame(
    {"x": [1.0, 2.0, NAN, NAN], "y": [NAN, 3.0, 4.0, NAN], "z": [NAN, NAN, 5.0, NAN], "none": [NAN] * 4},
    ["ada", "bob", "adb", "eve"],
)
END = "compare tasks of one population, look at the runs that diverged, and call a model by one name everywhere"


def test_models_that_completed_all_are_left():
    assert complete(SCORES, ["x", "y", "x"]).to_dict() == {"x": {"bob": 2.0}, "y": {"bob": 3.0}}
    assert complete(SCORES, ["z"]).index.tolist() == ["adb"]
    shown = "no model completed all of x (2), z (1): "
    assert message(complete, SCORES, ["x", "z"]) == f"{shown}{END} (for instance ada and adb)"
    assert message(complete, SCORES, ["none", "x"]) == f"no model completed all of none (0), x (2): {END}"
    assert message(complete, SCORES, ["x", "none"]) == f"no model completed all of x (2), none (0): {END}"
    assert message(complete, SCORES, ["none"]) == f"no model completed all of none (0): {END}"


def test_what_a_table_tells_of_its_test(tmp_path):
    rows = [row("a", 1, 25.0, guess=80.0), row("b", 1, 30.0, n=40), row("c", 1, None, n=3)]
    path = written(tmp_path / "x.csv", *rows)
    assert read_counts([path]) == {"x": Counts(40, 80.0, METRICS["top1_error"])}
    empty = pd.DataFrame({"status": [], "n": [], "guess": [], "metric": []})
    assert counts_of(empty) == Counts(None, None, METRICS["top1_error"])
    unknown = pd.DataFrame({"status": ["completed"], "n": [np.nan], "guess": [np.nan], "metric": ["auc"]})
    assert counts_of(unknown) == Counts(None, None, METRICS["auc"])


def test_what_a_view_tells_of_its_test():
    view = {"per_class": {"test": [10, 30, 20], "train": [1, 1, 1]}}
    assert counts_of_view(view, "top1_error") == Counts(60, 50.0, METRICS["top1_error"])
    assert counts_of_view(view, "top1_accuracy") == Counts(60, 50.0, METRICS["top1_accuracy"])


COUNTS = {"x": Counts(60, 50.0, METRICS["top1_accuracy"]), "y": Counts(40, 50.0, METRICS["auc"])}


def test_images_count_for_shares_of_them_alone():
    assert images_of(COUNTS, "x", "y", "z") == (60, None, None)
    assert images_of(None, "x") == (None,)
    assert (metric_of(COUNTS, "y").name, metric_of(COUNTS, "z").name, metric_of(None, "x").name) == (
        "auc",
        "top1_error",
        "top1_error",
    )


def test_losses_are_turned_where_the_greatest_is_best():
    assert losses(SCORES[["x", "z"]], COUNTS).loc[["ada", "adb"]].to_numpy()[[0, 1], [0, 1]].tolist() == [99, 5]
    repeats = pd.DataFrame({"model": ["a", "a"], "seed": [1, 2], "value": [60.0, 70.0]})
    assert losses_of(repeats, COUNTS, "x")["value"].tolist() == [40, 30]
    assert losses_of(repeats, COUNTS, "z")["value"].tolist() == [60, 70]
