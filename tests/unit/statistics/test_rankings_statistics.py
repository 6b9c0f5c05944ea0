"""Rank correlation over families, among the best and of fewer models, beside values computed one by one."""

import tracemalloc

import numpy as np
import pytest
from scipy import stats

from apr.statistics.bootstrap import resampled_chunks, resampled_rows
from apr.statistics.families import family_bootstrap, family_spearman
from apr.statistics.ranks import bootstrap_rho, spearman
from apr.statistics.regret import winner_regret
from apr.statistics.restricted import among_best, drawn_rho, range_corrected


def correlated(n, seed, noise=5.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(30, 5, n)
    return x, x + rng.normal(0, noise, n)


def clustered(seed, families=30, each=5):
    """Models whose values are their families', but for a little."""
    x, y = (np.repeat(values, each) for values in correlated(families, seed))
    rng = np.random.default_rng([seed, 1])
    return (*(values + rng.normal(0, 0.5, values.size) for values in (x, y)), np.repeat(np.arange(families), each))


def test_each_resample_has_the_models_of_the_families_that_are_drawn():
    x, y = (values.round(-1) for values in correlated(12, 0))
    members = np.array([0, 1, 1, 2, 3, 3, 3, 3, 4, 4, 2, 0])
    expected = []
    for drawn in resampled_rows(5, 4, 7):
        rows = np.concatenate([np.flatnonzero(members == family) for family in drawn])
        expected.append(stats.spearmanr(x[rows], y[rows]).statistic)
    assert family_bootstrap(x, y, members, 4, 7) == pytest.approx(expected)


def test_families_of_one_are_models():
    x, y = correlated(20, 1)
    assert np.array_equal(family_bootstrap(x, y, np.arange(20), 50, 3), bootstrap_rho(x, y, 50, 3))


def test_the_interval_over_families_covers_where_that_over_models_does_not():
    truth = 6 / np.pi * np.arcsin(np.sqrt(0.5) / 2)
    covered = []
    for seed in range(100):
        x, y, members = clustered(seed)
        found = family_spearman(x, y, members, 200, seed)[0], spearman(x, y, 200, seed)
        covered.append([one.low <= truth <= one.high for one in found])
    over_families, over_models = np.mean(covered, axis=0)
    assert over_families >= 0.85
    assert over_models < 0.75


def test_rho_is_the_same_and_p_is_of_the_families():
    x, y, members = clustered(4, families=6)
    found, count = family_spearman(x, y, [f"of {member}" for member in members], 999, 0)
    assert (count, found.n, found.reason) == (6, 30, "")
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic)
    draws = family_bootstrap(x, y, members, 999, 0)
    assert (found.low, found.high) == pytest.approx(np.percentile(draws, [2.5, 97.5]))
    assert found.p == pytest.approx(2 * (min((draws <= 0).sum(), (draws >= 0).sum()) + 1) / 1000)
    assert found.p > stats.spearmanr(x, y).pvalue


@pytest.mark.parametrize(
    ("families", "reason"),
    [(["one"] * 8, "fewer than four families"), (list("aabbccaa"), "fewer than four families"), (list("aabbccdd"), "")],
)
def test_fewer_than_four_families_have_no_interval_and_say_why(families, reason):
    x, y = correlated(8, 2)
    found, count = family_spearman(x, y, families, 100, 0)
    assert (found.reason, count) == (reason, len(set(families)))
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic)
    assert bool(np.isnan([found.low, found.high, found.p]).all()) == bool(reason)


def test_a_constant_task_and_two_models_have_no_rho_whatever_their_families():
    constant = family_spearman([1.0, 1, 1, 1, 1], range(5), list("abcde"), 10, 0)[0]
    assert (np.isnan(constant.rho), constant.reason) == (True, "all errors are equal")
    assert family_spearman([1, 2], [1, 2], list("ab"), 10, 0)[0].reason == "fewer than three models"
    with pytest.raises(ValueError, match="family of each of 3 models, got 2"):
        family_spearman([1, 2, 3], [1, 2, 3], ["a", "b"], 10, 0)


def test_the_rows_are_the_same_however_many_are_drawn_at_a_time():
    whole = resampled_rows(7, 10, 3)
    assert np.array_equal(np.concatenate(list(resampled_chunks(7, 10, 3, rows=3))), whole)
    assert [len(rows) for rows in resampled_chunks(7, 10, 3, rows=4)] == [4, 4, 2]


@pytest.mark.parametrize(
    ("losses", "share", "expected"),
    [
        ([5, 1, 4, 2, 3], 0.4, [0, 1, 0, 1, 0]),
        ([5, 1, 4, 2, 3], 0.41, [0, 1, 0, 1, 1]),  # fewer than 2.05 are better than the third
        ([1, 2, 2, 2, 5], 0.4, [1, 1, 1, 1, 0]),  # ties at the limit are in
        ([1, 1, 1, 2, 5], 0.2, [1, 1, 1, 0, 0]),
        ([3, 3, 3], 0.1, [1, 1, 1]),
        ([2, 1], 0.01, [0, 1]),
        ([3, 1, 2], 1.0, [1, 1, 1]),
    ],
)
def test_the_best_share_has_all_who_tie_at_its_limit(losses, share, expected):
    assert among_best(losses, share).astype(int).tolist() == expected


def test_a_share_is_not_widened_by_its_binary_fraction():
    assert among_best(np.arange(30.0), 0.1).sum() == 3


def test_the_correction_for_range_is_that_of_case_2():
    x = np.arange(10.0)
    chosen = x < 5
    u = np.std(x) / np.std(x[chosen]) * np.sqrt(10 / 9 / (5 / 4))  # of samples
    assert range_corrected(0.5, x, chosen) == pytest.approx(0.5 * u / np.sqrt(1 - 0.25 + 0.25 * u**2))
    assert range_corrected(0.5, np.exp(x), chosen) == range_corrected(0.5, x, chosen)  # of ranks
    assert range_corrected(-0.5, x, chosen) == -range_corrected(0.5, x, chosen)
    assert range_corrected(0.5, x, np.ones(10, dtype=bool)) == pytest.approx(0.5)
    assert np.isnan(range_corrected(0.5, [1, 1, 2, 3], [True, True, False, False]))
    assert np.isnan(range_corrected(float("nan"), x, chosen))


def test_the_correction_comes_near_the_rho_of_all_models():
    x, y = correlated(20_000, 0)
    chosen = x < np.median(x)
    restricted, whole = (stats.spearmanr(x[models], y[models]).statistic for models in (chosen, chosen | ~chosen))
    found = restricted, range_corrected(restricted, x, chosen), whole
    assert np.round(found, 2).tolist() == [0.48, 0.74, 0.69]


def test_draws_without_replacement_scatter_about_the_rho_of_all():
    x, y = correlated(200, 5)
    mean, low, high = drawn_rho(x, y, 50, 500, 0)
    whole = stats.spearmanr(x, y).statistic
    assert mean == pytest.approx(whole, abs=0.02)
    assert low < whole < high
    narrower = drawn_rho(x, y, 150, 500, 0)
    assert high - low > 2 * (narrower[2] - narrower[1])
    assert drawn_rho(x, y, 200, 20, 0) == pytest.approx((whole,) * 3)  # all of them, each time: no model twice
    assert np.isnan(drawn_rho(x, y, 201, 20, 0)).all()
    assert np.isnan(drawn_rho([1.0, 1, 1, 1], range(4), 3, 20, 0)).all()
    assert drawn_rho(x, y, 50, 500, 0) == (mean, low, high) != drawn_rho(x, y, 50, 500, 1)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        ([1, 2, 3], [7.0, 5, 9], (2, 1)),  # what the median has, too
        ([2, 1, 3], [7.0, 5, 9], (0, 0)),
        ([1, 1, 3], [7.0, 5, 9], (1, 0.5)),  # ties are averaged
        ([3, 2, 1], [7.0, 5, 9], (4, 2)),
        ([1], [7.0], (0, None)),
        ([1, 2], [7.0, 7], (0, None)),
    ],
)
def test_the_regret_of_the_winner_and_its_share_of_the_way_to_the_median(x, y, expected):
    found = winner_regret(x, y, 100, 0)
    regret, share = found.regret, found.share
    assert regret == expected[0]
    assert np.isnan(share) if expected[1] is None else share == pytest.approx(expected[1])


def test_the_interval_of_a_regret_is_that_of_resampled_models():
    x, y = correlated(30, 3)
    found = winner_regret(x, y, 400, 5)
    regrets = [y[rows][x[rows].argmin()] - y[rows].min() for rows in resampled_rows(30, 400, 5)]
    low, high = np.percentile(regrets, [0.5, 99.5])
    assert (found.low, found.high) == pytest.approx((min(low, found.regret), max(high, found.regret)))
    assert np.isnan(winner_regret(x[:29], y[:29], 400, 5).low)


def test_the_regret_of_resampled_families_is_that_of_their_models():
    x, y = correlated(60, 4)
    members = np.arange(60) // 10
    found = winner_regret(x, y, 300, 5, members)
    assert np.isnan(winner_regret(x, y, 300, 5, members // 2).low)  # of three families
    regrets = []
    for drawn in resampled_rows(6, 300, 5):
        there = np.isin(members, drawn)
        regrets.append(y[there][x[there].argmin()] - y[there].min())
    low, high = np.percentile(regrets, [0.5, 99.5])
    assert (found.low, found.high) == pytest.approx((min(low, found.regret), max(high, found.regret)))


def test_memory_is_bounded_for_many_models():
    x, y = correlated(15_625, 6)
    members = np.arange(x.size) // 10
    tracemalloc.start()
    family_bootstrap(x, y, members, 60, 0)
    drawn_rho(x, y, 500, 60, 0)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50e6
