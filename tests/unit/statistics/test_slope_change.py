import numpy as np
import pytest
from scipy import stats

from apr.statistics.bootstrap import holm
from apr.statistics.slope_change import bootstrap_fit, estimate, hc3_p, kink, mean_distance, slope_change

BOOTSTRAP = {"resamples": 400, "seed": 0}


def models(seed, families=30, each=8, change=0.0, together=0.0, scatter=0.1):
    """Made models: x, y, after, families. Slopes are 1, and 1 + change after; `together` moves whole families."""
    random = np.random.default_rng(seed)
    family = np.repeat(np.arange(families), each)
    after = family % 2 == 1
    x = random.normal(size=families)[family] + 0.3 * random.normal(size=len(family))
    noise = scatter * random.normal(size=len(x)) + together * random.normal(size=families)[family]
    y = 2 + np.where(after, 1 + change, 1) * x + noise
    return x, y, after, np.array([f"f{i:02}" for i in family])


def test_a_change_without_scatter_is_found_exactly():
    x, y, after, families = models(0, change=0.5, scatter=0)
    result = slope_change(x, y, after, families, **BOOTSTRAP)
    assert (result.before.slope, result.before.offset) == pytest.approx((1, 2))
    assert (result.after.slope, result.after.offset) == pytest.approx((1.5, 2))
    assert (result.change.value, result.change.low, result.change.high) == pytest.approx((0.5, 0.5, 0.5))
    assert result.at == pytest.approx(x[after].mean())
    assert result.heights == pytest.approx((2 + result.at, 2 + 1.5 * result.at))
    assert result.resampled_heights[0] == pytest.approx(result.heights)


def test_a_change_amid_scatter_is_found_with_its_size():
    result = slope_change(*models(1, change=0.5, together=0.2), **BOOTSTRAP)
    assert result.change.low < 0.5 < result.change.high
    assert result.change.low > 0
    assert result.change.p < 0.01
    assert result.p_independent < 0.01


@pytest.mark.parametrize("together", [0.0, 0.5])
def test_without_a_change_p_is_as_often_below_a_level_as_the_level_says(together):
    found = [slope_change(*models(seed, together=together), **BOOTSTRAP) for seed in range(300)]
    p = np.array([result.change.p for result in found])
    assert 0.02 <= (p < 0.05).mean() <= 0.12
    assert 0.4 < p.mean() < 0.6
    covered = [result.change.low <= 0 <= result.change.high for result in found]
    assert np.mean(covered) > 0.88


def test_taking_models_of_families_for_independent_finds_changes_that_are_not_there():
    p = [slope_change(*models(seed, together=0.5), **BOOTSTRAP).p_independent for seed in range(300)]
    assert np.mean(np.array(p) < 0.05) > 0.2


def test_hc3_agrees_with_students_t_where_scatter_is_equal():
    random = np.random.default_rng(0)
    x = random.normal(size=2000)
    y = 0.05 * x + random.normal(size=2000)
    p = hc3_p(np.stack([np.ones_like(x), x], axis=1), y, [0, 1])
    assert p == pytest.approx(stats.linregress(x, y).pvalue, rel=0.15)


@pytest.mark.parametrize(("bend", "found"), [(0.8, True), (0.0, False)])
def test_a_kink_is_found_where_there_is_one(bend, found):
    x, y, _, families = models(2, together=0.1)
    result, beyond = kink(x, y + bend * np.maximum(x - 0.5, 0), 0.5, families, **BOOTSTRAP)
    assert beyond == (x > 0.5).sum()
    assert (result.p < 0.01) == found
    assert (result.low > 0) == found
    assert result.low < bend < result.high


def test_a_kink_beyond_all_models_is_unknown():
    x, y, _, families = models(2)
    result, beyond = kink(x, y, x.max(), families, **BOOTSTRAP)
    assert beyond == 0
    assert np.isnan([result.value, result.low, result.high, result.p]).all()


def test_the_bootstrap_draws_whole_families_and_fits_as_least_squares_does():
    x, y, _, families = models(3, families=4)
    design = np.stack([np.ones_like(x), x], axis=1)
    drawn = bootstrap_fit(design, y, families, 200, 0)
    names = np.unique(families)
    counts = np.random.default_rng(0).multinomial(4, [0.25] * 4, size=200)
    for i in (0, 1, 2):
        rows = np.concatenate(
            [np.flatnonzero(families == n) for n, c in zip(names, counts[i], strict=True) for _ in range(c)]
        )
        expected = np.linalg.lstsq(design[rows], y[rows], rcond=None)[0]
        assert drawn[i] == pytest.approx(expected)
    assert np.array_equal(drawn, bootstrap_fit(design, y, families, 200, 0))
    assert not np.array_equal(drawn, bootstrap_fit(design, y, families, 200, 1))


def test_resamples_without_a_line_are_left_out():
    x, y = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 0.1, 1.0, 1.2])
    drawn = bootstrap_fit(np.stack([np.ones(4), x], axis=1), y, ["a", "a", "b", "b"], 100, 0)
    lacking = np.isnan(drawn[:, 1])
    assert 0.3 < lacking.mean() < 0.7
    assert drawn[~lacking, 1] == pytest.approx(1.05)
    result = estimate(1.05, drawn[:, 1])
    assert (result.low, result.high) == pytest.approx((1.05, 1.05))
    assert np.isnan(estimate(1.0, np.full(5, np.nan)).p)


def test_p_is_twice_the_smaller_side():
    drawn = np.array([-1.0] * 4 + [1.0] * 95)
    assert estimate(1.0, drawn).p == pytest.approx(2 * 5 / 100)
    assert estimate(1.0, np.ones(99)).p == pytest.approx(2 / 100)
    assert estimate(0.0, np.array([-1.0, 1.0])).p == 1


def test_one_x_on_a_side_makes_no_line():
    with pytest.raises(ValueError, match="two different values of x"):
        slope_change([1, 2, 3, 3], [1, 2, 3, 4], [False, False, True, True], list("abcd"), **BOOTSTRAP)


def test_a_distance_from_a_certain_line_is_students_t():
    values = np.random.default_rng(0).normal(0.5, 1, 12)
    found = mean_distance(values, 0, 5)
    expected = stats.ttest_1samp(values, 0)
    assert found.n == 12
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval()))


def test_an_uncertain_line_makes_a_distance_less_certain():
    values = np.random.default_rng(0).normal(0.5, 1, 12)
    sure, unsure = mean_distance(values, 0, 19), mean_distance(values, 0.5, 19)
    assert unsure.mean == sure.mean
    assert unsure.p > sure.p
    assert unsure.high - unsure.low > sure.high - sure.low
    alone = mean_distance([0.5], 0.5, 19)
    assert (alone.n, alone.mean) == (1, 0.5)
    assert np.isnan([alone.low, alone.high, alone.p]).all()


def test_holm_as_in_his_example():
    """Adjusted by hand: sorted p times 4, 3, 2, 1, never falling, at most 1."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == pytest.approx([1, 1])
    adjusted = holm([0.02, np.nan, 0.01])
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.02])
    assert np.isnan(adjusted[1])
