import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from apr.basics.problems import Problem
from apr.scores.paired import paired
from apr.statistics.counts import clopper_pearson


def table(n=10_000, **correct):
    """A score table: model -> correct at top-1."""
    rows = pd.DataFrame({"model": list(correct), "n": n, "correct_top1": list(correct.values())}).set_index("model")
    rows["correct_top5"] = np.nan
    rows["value"] = 100 * rows["correct_top1"] / n
    return rows.assign(metric="top1_accuracy", status="completed", seed=np.nan)


def test_models_of_both_sets_best_first():
    found = paired(table(b=7_000, a=8_001, z=7_000, only=1), table(200, z=120, a=151, b=119, other=3), "top1_accuracy")
    assert found.index.tolist() == ["a", "b", "z"]
    assert found.index.name == "model"
    assert found.columns.tolist() == ["orig_n", "orig_correct", "orig_acc", "new_n", "new_correct", "new_acc"]
    assert found.loc["a"].tolist() == [10_000, 8_001, 80.01, 200, 151, 75.5]


def test_the_other_metric_is_taken_where_asked():
    original, new = table(a=10, b=20), table(a=5, b=6)
    for scores in (original, new):
        scores["correct_top5"] = scores["correct_top1"] * 2
    assert paired(original, new, "top5_accuracy").loc["b", ["orig_correct", "new_correct"]].tolist() == [40, 12]


def test_percentages_serve_where_counts_are_unknown():
    measured = table(a=9_000, b=8_000)
    measured["correct_top1"] = np.nan
    found = paired(measured, table(a=7_000, b=6_000), "top1_accuracy")
    assert found["orig_correct"].isna().all()
    assert found["orig_acc"].tolist() == pytest.approx([90, 80])
    assert found["new_correct"].tolist() == [7_000, 6_000]


def test_a_model_that_did_not_complete_is_left_out():
    new = table(a=7_000, b=6_000)
    new.loc["a", "status"] = "diverged"
    new.loc["a", ["correct_top1", "value"]] = np.nan
    assert paired(table(a=9_000, b=8_000), new, "top1_accuracy").index.tolist() == ["b"]


def test_no_model_in_common_is_named_with_the_numbers():
    expected = r"of 2 on photos and 1 on drawings none has the same name, for instance beta and beta_2; .* same names"
    with pytest.raises(Problem, match=expected):
        paired(table(beta=1, gamma=2), table(beta_2=1), "top1_accuracy", ("photos", "drawings"))
    with pytest.raises(Problem, match="of 1 on original and 0 on new none has the same name; "):
        paired(table(a=1), table(a=1).assign(status="diverged"), "top1_accuracy")


def test_an_unknown_metric_names_model_and_set():
    with pytest.raises(Problem, match="model a: its top-5 accuracy on the test set original is not known"):
        paired(table(a=1), table(a=1), "top5_accuracy")
    with pytest.raises(Problem, match="metric top1_error: the least is best, but test sets are compared by accuracies"):
        paired(table(a=1), table(a=1), "top1_error")


def test_clopper_pearson_is_scipys_exact_interval():
    counts = [(0, 10), (1, 10), (10, 10), (1_721, 2_021), (7_219, 10_000), (41_429, 50_000)]
    low, high = clopper_pearson(*zip(*counts, strict=True))
    for bounds, count in zip(zip(low, high, strict=True), counts, strict=True):
        assert bounds == pytest.approx([100 * b for b in binomtest(*count).proportion_ci(0.95, method="exact")])
    assert np.isnan(clopper_pearson(np.nan, 10)).all()
    # arXiv:1806.00451, section 3: an accuracy of 90 % on 2,000 images has the interval [88.6, 91.3]
    assert [f"{float(bound):.1f}" for bound in clopper_pearson(1_800, 2_000)] == ["88.6", "91.3"]
