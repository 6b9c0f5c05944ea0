"""Statistics at the edge of what is defined, by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from apr.basics.problems import Problem
from apr.statistics.bootstrap import holm
from apr.statistics.deconvolution import count_variance, counted
from apr.statistics.families import family_spearman
from apr.statistics.lines import band, bootstrap_means, bootstrap_variances, fit_line, from_probit, probit
from apr.statistics.outputs import statistic, value_of
from apr.statistics.regret import Regret, expected_minimum, selection_regret, winner_regret
from apr.statistics.slope_change import bootstrap_fit, estimate, hc3_p, kink, mean_distance, slope_change


def test_a_line_by_hand_and_none():
    line = fit_line([1, 2, 3], [1, 3, 4])
    assert (line.slope, line.offset, line.at(4).item()) == pytest.approx((1.5, -1 / 3, 17 / 3))
    assert all(math.isnan(fit_line(x, x).slope) for x in ([], [2], [2, 2]))
    for x, y, words in (([1, 2], [1], "shapes"), ([[1]], [[1]], "shapes"), ([1, np.nan], [1, 2], "NaN")):
        with pytest.raises(ValueError, match=words):
            fit_line(x, y)
    with pytest.raises(ValueError, match="NaN"):
        fit_line([1, 2], [1, np.nan])


def test_a_band_leaves_out_what_is_no_line():
    slopes, offsets = np.array([0.0, 1.0, np.nan, 2.0]), np.array([0.0, 0.0, np.nan, 0.0])
    low, high = band([1, 10], slopes, offsets, 90)
    assert low == pytest.approx([0.1, 1.0])
    assert high == pytest.approx([1.9, 19.0])
    low, high = band([1, 10], slopes[2:3], offsets[2:3], 90)
    assert np.isnan([*low, *high]).all()


def test_the_probit_scale_ends_before_0_and_100():
    assert probit(pd.Series([50.0, 97.725])).tolist() == pytest.approx([0, 2], abs=1e-4)
    assert from_probit([0, 2]) == pytest.approx([50, 97.725], abs=1e-3)
    for end in (0.0, 100.0):
        with pytest.raises(Problem, match=f"model b: its accuracy of {end:g} % has no place"):
            probit(pd.Series({"a": 50.0, "b": end}))


def test_resampled_means_and_variances_are_unbiased():
    values = [1.0, 2.0, 4.0, 9.0]
    assert bootstrap_means(values, 40_000, 0).mean() == pytest.approx(4, abs=0.05)
    assert bootstrap_variances(values, 40_000, 0).mean() == pytest.approx(np.var(values, ddof=1), rel=0.02)


def test_an_estimate_counts_both_sides_of_0_and_itself():
    drawn = np.array([-1.0, 1, 2, 3, np.nan, 4, 5, 6, 7, 8])
    assert estimate(2.0, drawn).p == pytest.approx(2 * 2 / 10)
    assert estimate(2.0, np.array([-1.0, 0.0, 1.0])).p == 1
    assert math.isnan(estimate(2.0, np.array([np.nan])).p)
    assert estimate(2.0, np.array([np.nan])).value == 2


def test_a_kink_needs_two_places_on_either_side():
    x, families = np.array([0.0, 1, 2, 3, 4]), list("abcde")
    y = np.where(x > 2, 2 + 3 * (x - 2), x)
    found, beyond = kink(x, y, 2, families, 20, 0)
    assert (found.value, beyond) == (pytest.approx(2), 2)
    found, beyond = kink(x, y, 3, families, 20, 0)
    assert (math.isnan(found.value), beyond) == (True, 1)
    found, beyond = kink(x, y, 0, families, 20, 0)
    assert (math.isnan(found.value), beyond) == (True, 4)


def test_lines_before_and_after_need_two_places_each():
    x, y = [0.0, 1, 5, 6], [0.0, 1, 10, 12]
    found = slope_change(x, y, [False, False, True, True], list("abcd"), 50, 0)
    assert (found.change.value, found.at, found.heights) == (pytest.approx(1), 5.5, pytest.approx((5.5, 11)))
    with pytest.raises(ValueError, match="two different values of x on each side"):
        slope_change([0.0, 1, 5, 5], y, [False, False, True, True], list("abcd"), 50, 0)


def test_counts_at_the_ends_do_not_vary_and_those_between_as_a_binomial_does():
    rng = np.random.default_rng(0)
    assert counted(np.array([[0.0, 100.0, -3.0, 103.0]]), 10, rng).tolist() == [[0, 100, 0, 100]]
    assert set(counted(np.full((1, 50), 30.0), 4, rng)[0]) <= {0, 25, 50, 75, 100}
    assert counted(np.full((1, 4000), 30.0), 40, rng).mean() == pytest.approx(30, abs=0.5)
    assert count_variance(np.array([[50.0, 50.0], [0.0, 20.0]]), 26).tolist() == [100, 32]
    assert count_variance(np.array([[50.0]]), 1).tolist() == [2500]


def test_families_are_drawn_as_wholes():
    design = np.array([[1.0, 0], [1, 1], [1, 0], [1, 2]])
    drawn = bootstrap_fit(design, np.array([0.0, 1, 5, 9]), ["a", "a", "b", "b"], 60, 0)
    lines = {tuple(row) for row in drawn.round(6).tolist()}
    assert {(0, 1), (5, 2)} < lines  # either family alone, twice
    assert len(lines) == 3
    alone = bootstrap_fit(design[:1], np.array([1.0]), ["a"], 5, 0)
    assert np.isnan(alone).all()  # one model determines no line


def test_an_independent_p_by_hand():
    """Two means of two: their difference of 3 has the HC3 variance 2 x (0.25 x 2) = 1."""
    design = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    p = hc3_p(design, np.array([0.0, 1, 3, 4]), [-1, 1])
    assert p == pytest.approx(0.0955, abs=1e-3)


def test_a_distance_has_no_interval_where_its_spread_is_not_known():
    one = mean_distance([2.0], 1.0, 10)
    assert (one.n, one.mean, math.isnan(one.low), math.isnan(one.p)) == (1, 2, True, True)
    two = mean_distance([1.0, 3.0], 0.0, 10)
    assert (two.mean, two.low, two.high) == pytest.approx((2, 2 - 12.706, 2 + 12.706), abs=1e-3)
    assert two.p == pytest.approx(0.2952, abs=1e-4)


def test_holm_by_hand():
    found = holm([0.01, 0.04, np.nan, 0.03, 0.9])
    assert found[[0, 1, 3, 4]] == pytest.approx([0.04, 0.09, 0.09, 0.9])
    assert np.isnan(found[2])
    assert holm([0.6, 0.7]).tolist() == [1, 1]


def test_regret_by_hand():
    reference, target = [1.0, 2, 3, 4, 5], [30.0, 10, 50, 20, 40]
    found = selection_regret(reference, target, [1, 2, 5], resamples=20, seed=0)
    assert [one.regret for one in found] == [20, 0, 0]
    assert [one.chosen for one in found] == [30, 10, 10]
    assert [one.random for one in found] == pytest.approx([20, 10, 0])
    assert expected_minimum([1, 2, 4], 2) == pytest.approx((1 + 1 + 2) / 3)
    for ks in ([0], [6]):
        with pytest.raises(ValueError, match="k must lie between 1 and the 5 models"):
            selection_regret(reference, target, ks, resamples=2, seed=0)


@pytest.mark.parametrize(
    ("n", "k", "low", "high", "holds"),
    [(30, 3, 0, 1, True), (29, 1, 0, 1, False), (30, 4, 0, 1, False), (40, 4, 0, 1, True), (30, 3, 1, 1, False)],
)
def test_an_interval_of_regret_holds_for_30_models_and_a_tenth_of_them(n, k, low, high, holds):
    found = Regret(k, n, 3.0, 1.0, 2.0, low, high, 4.0)
    assert (found.holds, found.relative) == (holds, 0.5)
    assert math.isnan(Regret(k, n, 3.0, 1.0, 2.0, low, high, 0.0).relative)


def test_the_winners_regret_by_hand():
    """The best on the reference has 30, the best of all 10, the median 25: 20 of 15 points."""
    found = winner_regret([1.0, 2, 3, 4], [30.0, 10, 20, 40], 20, 0)
    assert (found.regret, found.share) == (20, pytest.approx(20 / 15))
    assert math.isnan(found.low)
    tied = winner_regret([1.0, 1, 3], [30.0, 10, 20], 20, 0)
    assert (tied.regret, tied.share) == (10, 1)
    assert math.isnan(winner_regret([1.0, 2], [5.0, 5], 20, 0).share)
    many = np.arange(30.0)
    assert (winner_regret(many, many, 20, 0).low, winner_regret(many, many, 20, 0).high) == (0, 0)
    assert math.isnan(winner_regret(many[:29], many[:29], 20, 0).low)
    assert math.isnan(winner_regret(many, many, 0, 0).low)
    assert winner_regret(many, many, 20, 0, np.arange(30) % 4).low == 0
    assert math.isnan(winner_regret(many, many, 20, 0, np.arange(30) % 3).low)


def test_families_have_to_be_named_and_four():
    x = [1.0, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="expected the family of each of 5 models, got 4"):
        family_spearman(x, x, list("abcd"), 20, 0)
    few, count = family_spearman(x, [1.0, 3, 2, 4, 5], list("abcca"), 20, 0)
    assert (few.rho, few.reason, count) == (pytest.approx(0.9), "fewer than four families", 3)
    assert math.isnan(few.p)
    four, count = family_spearman(x, [1.0, 3, 2, 4, 5], list("abccd"), 50, 0)
    assert (four.reason, count) == ("", 4)
    assert four.low <= 0.9 <= four.high
    assert 0 < four.p <= 1


def test_outputs_that_a_metric_is_not_of_are_refused():
    scores, labels = np.array([[1.0, 0, 0], [0, 1, 0]]), np.array([0, 2])
    assert value_of("top1_accuracy", scores, labels) == 50
    assert value_of("top1_error", scores, labels) == 50
    with pytest.raises(ValueError, match=r"^auc needs two classes, not 3$"):
        statistic("auc", scores, labels)
    with pytest.raises(ValueError, match=r"of several labels an image; known: macro_f1$"):
        statistic("top1_accuracy", scores, np.zeros((2, 3), int))
    with pytest.raises(ValueError, match="nothing is not computed from outputs of one label an image; known: top1"):
        statistic("nothing", scores, labels)


def test_kappa_by_hand():
    """Squared distances of 0, 1, 4 and 0, a mean of 1.25; of independent answers 1 - 2 x 0.5 x 1.25 + 2.25."""
    scores = np.eye(3)[[0, 1, 2, 2]]
    labels = np.array([0, 0, 0, 2])  # moments of labels 0.5 and 1, of answers 1.25 and 2.25
    expected = 1 - 2 * 0.5 * 1.25 + 2.25
    assert value_of("quadratic_weighted_kappa", scores, labels) == pytest.approx(100 * (1 - 1.25 / expected))
    assert value_of("quadratic_weighted_kappa", scores[:1], labels[:1]) == 100
