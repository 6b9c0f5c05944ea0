import itertools

import numpy as np
import pytest
from scipy import stats

from apr.statistics.ranks import bootstrap_rho, spearman
from apr.statistics.regret import expected_minimum, selection_regret

RESAMPLES = 400


def correlated(n, seed, slope=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(30, 5, n)
    return x, slope * x + rng.normal(0, 5, n)


def test_monotone_relations_give_plus_and_minus_one():
    x = np.random.default_rng(0).uniform(10, 50, 60)
    rising, falling = spearman(x, x**3, RESAMPLES, 0), spearman(x, np.exp(-x), RESAMPLES, 0)
    assert (rising.rho, rising.high, falling.rho, falling.low) == pytest.approx((1, 1, -1, -1))
    assert 0.99 < rising.low < 1  # no interval collapses
    assert falling.high == pytest.approx(-rising.low)
    assert rising.n == 60


def test_rho_and_p_are_scipys_also_with_ties():
    x, y = (values.round(-1) for values in correlated(60, 1))
    ours, theirs = spearman(x, y, RESAMPLES, 0), stats.spearmanr(x, y)
    assert (ours.rho, ours.p) == (theirs.statistic, theirs.pvalue)


def test_each_resample_has_scipys_rho():
    x, y = (values.round(-1) for values in correlated(30, 2))
    rows = np.random.default_rng(5).integers(30, size=(3, 30))
    expected = [stats.spearmanr(x[row], y[row]).statistic for row in rows]
    assert bootstrap_rho(x, y, 3, seed=5) == pytest.approx(expected)


def test_interval_covers_the_true_rho_about_as_often_as_it_says():
    truth = 6 / np.pi * np.arcsin(np.sqrt(0.5) / 2)  # of a bivariate normal with r = sqrt(0.5)
    results = [spearman(*correlated(60, seed), RESAMPLES, seed) for seed in range(200)]
    assert 0.88 <= np.mean([result.low <= truth <= result.high for result in results]) <= 0.99


def test_interval_is_repeatable_and_depends_on_the_seed():
    x, y = correlated(60, 3)
    assert spearman(x, y, RESAMPLES, 1) == spearman(x, y, RESAMPLES, 1)
    y = np.where(np.arange(60) < 6, 200 - 3 * x, y)  # where the bootstrap's standard error is the larger one
    assert spearman(x, y, RESAMPLES, 1).low != spearman(x, y, RESAMPLES, 2).low


@pytest.mark.parametrize(
    ("x", "y", "reason"), [([1, 2, 3, 4], [0, 0, 0, 0], "all errors are equal"), ([1, 2], [1, 2], "fewer than three")]
)
def test_undefined_correlations_say_why(x, y, reason):
    result = spearman(x, y, RESAMPLES, 0)
    assert np.isnan([result.rho, result.low, result.high, result.p]).all()
    assert reason in result.reason


def test_small_samples_have_the_exact_p():
    assert spearman(range(4), range(4), RESAMPLES, 0).p == pytest.approx(2 / 24)
    x, y = correlated(7, 4)
    observed = abs(stats.spearmanr(x, y).statistic)
    every = [abs(stats.spearmanr(x, order).statistic) for order in itertools.permutations(y)]
    assert spearman(x, y, RESAMPLES, 0).p == pytest.approx(np.mean(np.array(every) >= observed - 1e-9))


def test_nan_is_refused_rather_than_ranked():
    with pytest.raises(ValueError, match="NaN"):
        spearman([1, 2, np.nan], [1, 2, 3], RESAMPLES, 0)


@pytest.mark.parametrize("k", range(1, 8))
def test_expected_minimum_is_the_mean_over_all_subsets(k):
    values = [7.0, 3.0, 3.0, 9.5, 4.0, 8.0, 5.5]
    every = [min(chosen) for chosen in itertools.combinations(values, k)]
    assert expected_minimum(values, k) == pytest.approx(np.mean(every))


@pytest.mark.parametrize("k", range(1, 8))
def test_regret_with_ties_is_the_mean_over_all_ways_to_break_them(k):
    reference = np.array([2, 1, 2, 3, 1, 2, 3])
    target = np.array([7.0, 6.0, 3.0, 2.5, 9.5, 4.0, 8.0])
    orders = [order for order in itertools.permutations(range(7)) if np.all(np.diff(reference[list(order)]) >= 0)]
    (result,) = selection_regret(reference, target, [k], RESAMPLES, 0)
    assert result.chosen == pytest.approx(np.mean([target[list(order[:k])].min() for order in orders]))
    assert result.best == 2.5
    assert result.regret == pytest.approx(result.chosen - 2.5)
    assert result.random == pytest.approx(np.mean([min(c) for c in itertools.combinations(target, k)]) - 2.5)
    assert result.relative == pytest.approx(result.regret / result.random) if k < 7 else np.isnan(result.relative)


def test_perfect_agreement_costs_nothing_and_reversal_costs_most():
    x, _ = correlated(60, 6)
    (same,) = selection_regret(x, x, [1], RESAMPLES, 0)
    (reverse,) = selection_regret(x, -x, [1], RESAMPLES, 0)
    assert (same.regret, same.low, same.high) == (0, 0, 0)
    assert reverse.regret == pytest.approx(np.ptp(x))
    assert reverse.relative > 1


def test_regret_interval_is_of_resampled_models():
    x, y = correlated(60, 7)
    results = selection_regret(x, y, [1, 5], RESAMPLES, 3)
    rows = np.random.default_rng(3).integers(60, size=(RESAMPLES, 60))
    for result in results:
        expected = [y[row][np.argsort(x[row], kind="stable")[: result.k]].min() - y[row].min() for row in rows]
        assert (result.low, result.high) == pytest.approx(tuple(np.percentile(expected, [0.5, 99.5])))


def test_a_user_who_tries_more_loses_no_more():
    x, y = correlated(60, 8)
    results = selection_regret(x, y, range(1, 61), RESAMPLES, 0)
    for name in ("regret", "random"):
        values = [getattr(result, name) for result in results]
        assert np.all(np.diff(values) <= 1e-12)
        assert values[-1] == pytest.approx(0)


@pytest.mark.parametrize("k", [0, 5])
def test_k_outside_the_population_is_refused(k):
    with pytest.raises(ValueError, match="between 1 and the 4 models"):
        selection_regret([1, 2, 3, 4], [1, 2, 3, 4], [k], RESAMPLES, 0)
