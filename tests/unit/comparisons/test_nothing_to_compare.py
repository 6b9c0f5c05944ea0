"""What comparisons say where tasks, seeds or test sets leave nothing to compare."""

import pandas as pd
import pytest
import retest_figures as retests
from golden_studies import BOOTSTRAP, CLOSEST, COUNTS, TITLES, reported

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlation_table
from apr.comparisons.noise_ceiling import noise_ceiling_table
from apr.comparisons.retest_lines import fit_retest, pair_retests
from apr.comparisons.table import restructured
from apr.comparisons.testsets import Counts, weakness


def test_weak_targets_alone_have_no_mean():
    table = correlation_table(reported(), "photos", ["weak", "pre"], CLOSEST, TITLES, **BOOTSTRAP, counts=COUNTS)
    assert "No mean: ρ counts on none of 2 targets (without 2 for a task marked †)." in table.caption


def test_a_target_without_a_member_has_a_mean_of_its_own():
    table = correlation_table(reported(), "photos", ["digits", "weak"], {}, TITLES, **BOOTSTRAP, counts=COUNTS)
    words = (
        "Over the 1 of 2 targets where it is defined (without 1 for a task marked †), the mean ρ is −0.690 with Photos;"
    )
    assert f"{words} none has a member." in table.caption


def test_seeds_that_change_nothing_are_neither_alike_nor_different():
    constant = pd.DataFrame(
        [{"model": model, "seed": seed, "value": 40.0} for model in ("a002", "a005") for seed in range(3)]
    )
    data = noise_ceiling_table(
        reported(), {"photos_seeds": constant}, {"photos_seeds": "photos"}, TITLES, **BOOTSTRAP
    ).data
    assert data[["sd_ratio", "levene_p"]].isna().all(axis=None)


def test_retests_need_test_sets_and_models_in_common():
    with pytest.raises(Problem, match="comparisons: no line; name two tasks"):
        pair_retests(retests.errors(8), [])
    tables = retests.errors(8) | {"new": retests.errors(8)["new"].rename(index=str.upper)}
    with pytest.raises(Problem, match=r"^line new_top1: "):
        pair_retests(tables, [retests.retest()])


@pytest.mark.parametrize(("model", "words"), [("m_0003", "(did you mean m_003?)"), ("zzz", "test sets; name models")])
def test_a_model_that_is_to_be_left_out_has_to_be_there(model, words):
    with pytest.raises(Problem) as raised:
        fit_retest(retests.pair(8), retests.retest(without=["m_001", model]), "linear", **BOOTSTRAP)
    assert f"line new_top1: without: no model {model} is on both test sets" in str(raised.value)
    assert words in str(raised.value)


def test_a_task_on_which_all_are_right_or_wrong_is_not_weak_for_its_noise():
    assert weakness(pd.Series([0.0, 0.0001]), Counts(60)) == ""
    assert weakness(pd.Series([100.0, 99.9999]), Counts(60)) == ""
    assert weakness(pd.Series([49.0, 51.0]), Counts(100)) == (
        "its 2 models differ by no more than the noise of 100 test images (p = 0.777)"
    )
    assert weakness(pd.Series([40.0, 60.0]), Counts(100)) == ""
    assert weakness(pd.Series([30.0]), Counts(100)) == ""
    assert weakness(pd.Series([30.0, 60.0, 90.0, 90.0]), Counts(100, 90.0)) == ""  # half of them
    assert weakness(pd.Series([30.0, 90.0, 90.0]), Counts(100, 90.0)).startswith("2 of 3 models err as much")


def test_accuracies_of_nothing_and_of_all_have_no_place_on_the_probit_scale():
    accuracies = retests.pair(8).copy()
    accuracies.iloc[0, accuracies.columns.get_loc("new_acc")] = 0.0
    accuracies.iloc[1, accuracies.columns.get_loc("orig_acc")] = 100.0
    accuracies.iloc[2, accuracies.columns.get_loc("new_acc")] = 1.0
    fit = fit_retest(accuracies, retests.retest(), "probit", **BOOTSTRAP)
    assert set(fit.left_out) == set(accuracies.index[:2])
    assert fit_retest(accuracies, retests.retest(), "linear", **BOOTSTRAP).left_out == ()


def test_a_table_for_the_report_by_hand():
    shown = pd.DataFrame({"Task": ["a, b", 'c "d"'], "ρ": [0.5, ""]})
    lines = [".. csv-table::", "   :header-rows: 1", "", '   "Task","ρ"', r'   "a, b","0\.5"', '   "c ""d""",""', ""]
    assert restructured(shown) == "\n".join(lines)
