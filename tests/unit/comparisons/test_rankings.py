"""The table of a ranking: its numbers beside scipy's, the columns that are asked for, and what cannot be compared."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from apr.basics.problems import Problem
from apr.comparisons.rankings import ranked_pairs, rankings_table
from apr.comparisons.table import save_table
from apr.runs.metrics import METRICS
from apr.scores.tested import Counts
from apr.statistics.restricted import among_best, range_corrected

REGRET = ["regret", "regret_low", "regret_high", "regret_share"]
BOOTSTRAP = {"resamples": 100, "seed": 0}
TITLES = {"x": "Photos", "y": "Lines", "z": "Woods", "flat": "Flat"}
PLAIN = {
    "name": "own",
    "title": "Of photos",
    "pairs": [["x", "y"], ["x", "z"]],
    "above": None,
    "within": [],
    "draws": None,
    "range_corrected": False,
    "by_family": False,
    "matrix": False,
}
FULL = PLAIN | {"above": 30.0, "within": [0.1, 0.5], "draws": 20, "range_corrected": True}
ERROR, ACCURACY = (Counts(None, None, METRICS[name]) for name in ("top1_error", "top1_accuracy"))
BASIC = ["x_task", "y_task", "x_metric", "y_metric", "n", "rho", "low", "high", "p", "p_holm", "reason"]


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    x = rng.normal(30, 5, 40)
    table = pd.DataFrame({"x": x, "y": x + rng.normal(0, 4, 40), "z": rng.normal(20, 2, 40), "flat": 7.0})
    table.index = [f"m{number:02}" for number in range(40)]
    return table


@pytest.fixture
def families(scores):
    return pd.Series([f"family {number // 5}" for number in range(40)], scores.index)


def test_the_table_has_the_columns_that_are_asked_for_and_no_other(scores, families):
    assert list(rankings_table(scores, PLAIN, TITLES, **BOOTSTRAP).data) == [*BASIC, *REGRET]
    table = rankings_table(scores, FULL | {"by_family": True}, TITLES, **BOOTSTRAP, families=families)
    four = [
        f"{name}_{suffix}" for suffix in ("above", "within_10", "within_50") for name in ("n", "rho", "low", "high")
    ]
    corrected = ["rho_corrected", "low_corrected", "high_corrected"]
    drawn = ["draws", "rho_draws", "low_draws", "high_draws"]
    expected = [*BASIC, "families", *four[:4], *corrected, *four[4:], *drawn, *REGRET]
    assert list(table.data) == expected
    assert list(table.shown) == [
        *["Task", "Ranked on", "n", "ρ", "p", "p (Holm)", "Families", "n from 30 % on", "ρ from 30 % on"],
        *["ρ from 30 % on (corrected for range)", "n of best 10 %", "ρ of best 10 %", "n of best 50 %"],
        *["ρ of best 50 %", "ρ of 20 drawn", "Regret (error points)", "Of median (%)"],
    ]
    plain = rankings_table(scores, PLAIN, TITLES, **BOOTSTRAP).caption
    for word in ("Corrected for range", "From 30 %", "Of best 10 % or 50 %", "Of 20 drawn", "families"):
        assert word in table.caption
        assert word not in plain


def test_every_number_is_that_of_the_models_it_names(scores):
    row = ranked_pairs(scores, FULL, **BOOTSTRAP).iloc[0]
    x, y = scores["x"], scores["y"]

    def rho(models):
        return stats.spearmanr(x[models], y[models]).statistic

    above, best = x <= 30, among_best(y, 0.1)
    assert (row["n"], row["n_above"], row["n_within_10"]) == (40, above.sum(), 4)
    assert row["rho"] == pytest.approx(rho(above | ~above))
    assert row["rho_above"] == pytest.approx(rho(above))
    assert row["rho_within_10"] == pytest.approx(rho(best))
    assert row["rho_corrected"] == pytest.approx(range_corrected(rho(above), x, above))
    assert row["low_above"] < row["rho_above"] < row["high_above"]
    assert row["low_corrected"] < row["rho_corrected"] < row["high_corrected"]
    assert row["low_draws"] < row["rho"] < row["high_draws"]
    assert row["regret"] == pytest.approx(y[x.idxmin()] - y.min())
    assert row["regret_share"] == pytest.approx(row["regret"] / (y.median() - y.min()))
    both = ranked_pairs(scores, FULL, **BOOTSTRAP)
    assert both["p_holm"].tolist() == pytest.approx([2 * both["p"].min(), both["p"].max()])


def test_accuracies_beside_errors_are_ranked_from_the_best_and_the_limit_is_an_accuracy(scores):
    expected = ranked_pairs(scores, FULL, **BOOTSTRAP)
    turned = scores.assign(x=100 - scores["x"])
    counts = {"x": ACCURACY, "y": ERROR, "z": ERROR}
    found = ranked_pairs(turned, FULL | {"above": 70.0}, **BOOTSTRAP, counts=counts)
    assert found["x_metric"].unique() == ["top1_accuracy"]
    metrics = ["x_metric", "y_metric"]
    pd.testing.assert_frame_equal(found.drop(columns=metrics), expected.drop(columns=metrics), rtol=1e-9)
    table = rankings_table(turned, FULL | {"above": 70.0}, TITLES, **BOOTSTRAP, counts=counts)
    assert "ρ from 70 % on" in table.shown
    assert "top-1 accuracy, the greatest is the best; top-1 error, the least is the best" in table.caption
    other = {"x": ERROR, "y": ACCURACY, "z": ERROR}
    mixed = rankings_table(scores.assign(y=100 - scores["y"]), PLAIN, TITLES, **BOOTSTRAP, counts=other)
    assert [cell.partition("] ")[2] for cell in mixed.shown["Regret"]] == ["accuracy points", "error points"]
    assert mixed.data["regret"].tolist() == pytest.approx(expected["regret"])


def test_a_model_without_a_family_is_its_own_and_families_of_others_do_not_count(scores, families):
    asked = PLAIN | {"by_family": True}
    some = pd.concat([families.iloc[:30], pd.Series({"of no task": "far away"})])
    row = ranked_pairs(scores, asked, **BOOTSTRAP, families=some).iloc[0]
    assert row["families"] == 6 + 10
    assert row["rho"] == pytest.approx(stats.spearmanr(scores["x"], scores["y"]).statistic)
    odd = pd.Series(["m39", "", "a|b", "\\", *["ρ"] * 36], scores.index)
    assert ranked_pairs(scores, asked, **BOOTSTRAP, families=odd)["families"].tolist() == [5, 5]


def test_one_family_has_a_rho_without_an_interval_and_the_caption_says_why(scores):
    one = pd.Series("the same", scores.index)
    table = rankings_table(scores, PLAIN | {"by_family": True}, TITLES, **BOOTSTRAP, families=one)
    assert table.data["families"].tolist() == [1, 1]
    assert table.data[["low", "high", "p", "p_holm"]].isna().all(axis=None)
    assert all(cell.endswith("[no interval]") for cell in table.shown["ρ"])
    assert "Photos and Lines (fewer than four families)" in table.caption


def test_families_that_are_not_known_are_refused_where_they_are_asked_for(scores, families):
    with pytest.raises(Problem, match=r"rankings: own: by_family: the score tables name no model's family; give"):
        ranked_pairs(scores, PLAIN | {"by_family": True}, **BOOTSTRAP)
    assert "families" not in ranked_pairs(scores, PLAIN, **BOOTSTRAP, families=families)


def test_no_pair_and_no_model_in_common_are_refused(scores):
    with pytest.raises(Problem, match="rankings: own: pairs: there is none"):
        ranked_pairs(scores, PLAIN | {"pairs": []}, **BOOTSTRAP)
    scores.loc[scores.index[:20], "x"] = np.nan
    scores.loc[scores.index[20:], "y"] = np.nan
    with pytest.raises(Problem, match=r"no model completed all of x \(20\), y \(20\)"):
        ranked_pairs(scores, PLAIN, **BOOTSTRAP)


def test_models_without_a_score_are_left_out_pair_by_pair(scores):
    scores.loc[scores.index[:5], "y"] = np.nan
    table = rankings_table(scores, PLAIN, TITLES, **BOOTSTRAP)
    assert table.data["n"].tolist() == [35, 40]
    assert "here up to 5 of 40" in table.caption


def test_a_constant_task_and_three_models_are_told_and_saved(scores, tmp_path):
    few = scores.iloc[:3]
    table = rankings_table(few, FULL | {"pairs": [["x", "y"], ["x", "flat"]]}, TITLES, **BOOTSTRAP)
    first, flat = (row for _, row in table.data.iterrows())
    assert (first["n"], np.isnan(first["rho"]), np.isnan(first["low"])) == (3, False, True)
    assert (np.isnan(flat["rho"]), flat["reason"], flat["regret"]) == (True, "all errors are equal", 0)
    assert np.isnan([first["rho_draws"], flat["regret_share"]]).all()  # 20 of 3 models cannot be drawn
    assert table.shown["ρ"].tolist()[1] == "undefined"
    assert "Not defined, in part or whole: Photos and Flat (all errors are equal)." in table.caption
    save_table(table, **{kind: tmp_path / f"t.{kind}" for kind in ("csv", "md", "caption")})
    assert pd.read_csv(tmp_path / "t.csv")["rho"].isna().tolist() == [False, True]


def test_no_model_above_the_limit_leaves_that_rho_undefined(scores):
    row = ranked_pairs(scores, FULL | {"above": 1.0}, **BOOTSTRAP).iloc[0]
    assert row["n_above"] == 0
    assert np.isnan([row["rho_above"], row["rho_corrected"]]).all()


def test_a_share_that_is_no_whole_percent_has_a_column_of_plain_letters(scores):
    table = rankings_table(scores, PLAIN | {"within": [0.125]}, TITLES, **BOOTSTRAP)
    assert table.data["n_within_12_5"].tolist() == [5, 5]
    assert "n of best 12.5 %" in table.shown
