"""Slopes over models, images and seeds: intervals that cover, lines that are paired, splines that bend little."""

import numpy as np
import pytest
from scipy import stats
from scipy.interpolate import CubicSpline

from apr.statistics.transfer.slopes import Slope, fit_slope
from apr.statistics.transfer.splines import basis, fit_spline, knots_of, spline_band

# ImageNet accuracies of 18 models of Fang et al. 2023
PAPER = np.array(
    [56.5, 58.2, 60.6, 69.4, 67.7, 71.6, 73.4, 74.4, 76.1, 77.6, 78.3, 72.2, 77.7, 79.9, 80.4, 82.1, 82.8, 83.5]
)
TEN = np.array([39.9, 57.7, 57.5, 58.2, 66.2, 69.7, 70.8, 74.85, 76.67, 77.47])
ALL = np.ones(18, bool)


def noisy(rng, x, images, scatter, resamples=200):
    """Scores of models on so many images, and on resampled ones; images are of unlike difficulty, the same for all."""
    share = stats.norm.cdf(stats.norm.ppf((80 + 0.1 * (x - x.mean()) + rng.normal(0, scatter, len(x))) / 100))
    hard = rng.normal(size=images)
    right = stats.norm.ppf(share)[:, None] > (hard + rng.normal(size=(len(x), images))) / 2**0.5
    weights = rng.multinomial(images, np.full(images, 1 / images), size=resamples)
    return 100 * right.mean(axis=1), 100 * (right.astype(float) @ weights.T) / images


def test_a_line_is_scipys():
    rng = np.random.default_rng(0)
    y = PAPER / 10 + rng.normal(size=18)
    found = fit_slope(PAPER, y, None, ALL, 200, 0)
    theirs = stats.linregress(PAPER, y)
    assert found.slope == pytest.approx(theirs.slope)
    np.testing.assert_allclose(found.at(PAPER), theirs.intercept + theirs.slope * PAPER)
    assert (found.n, found.centre) == (18, PAPER.mean())


@pytest.mark.parametrize("x", [PAPER, TEN, TEN[5:]], ids=len)
def test_intervals_of_slopes_cover_and_are_not_too_wide(x):
    rng = np.random.default_rng(1)
    found = []
    for repeat in range(150):
        y, images = noisy(rng, x, 500, 0.5)
        found.append(fit_slope(x, y, images, np.ones(len(x), bool), 200, repeat))
    covered = np.mean([one.bounds[0] <= 0.1 <= one.bounds[1] for one in found])
    assert 0.9 <= covered <= 1
    errors = np.std([one.slope for one in found])
    assert np.median([one.error for one in found]) < 1.6 * errors


def test_what_images_do_to_all_models_alike_widens_the_interval():
    rng = np.random.default_rng(2)
    y = 80 + rng.normal(size=18)
    apart = y[:, None] + rng.normal(size=(18, 500))
    tilted = y[:, None] + rng.normal(0, 0.2, 500) * (PAPER - PAPER.mean())[:, None]
    errors = [fit_slope(PAPER, y, images, ALL, 500, 0).error for images in (None, apart, tilted)]
    assert errors[1] < 1.2 * errors[0]
    assert errors[2] == pytest.approx(np.hypot(errors[0], 0.2), rel=0.1)


def test_a_narrower_set_of_models_is_paired_with_all():
    rng = np.random.default_rng(3)
    y = 80 + 0.1 * PAPER + rng.normal(size=18)
    whole, again = (fit_slope(PAPER, y, None, ALL, 2000, 0) for _ in range(2))
    without = fit_slope(PAPER, y, None, PAPER != 71.6, 2000, 0)
    assert np.corrcoef(whole.slopes, without.slopes)[0, 1] > 0.9
    np.testing.assert_array_equal(whole.slopes, again.slopes)
    assert without.n == 17


def test_the_smallest_slope_is_told_in_four_of_five_studies():
    rng = np.random.default_rng(4)
    spread = np.sqrt(((PAPER - PAPER.mean()) ** 2).sum())
    told = (stats.t.ppf(0.975, 16) + stats.t.ppf(0.8, 16)) / spread  # of a scatter of one point
    lines = [fit_slope(PAPER, told * PAPER + rng.normal(size=18), None, ALL, 200, repeat) for repeat in range(200)]
    assert 0.7 <= np.mean([line.bounds[0] > 0 for line in lines]) <= 0.9
    assert np.median([line.tells for line in lines]) == pytest.approx(told, rel=0.15)


@pytest.mark.parametrize(
    ("x", "reason"),
    [([50.0], "fewer than two models"), ([50.0, 50.0], "same ImageNet accuracy"), ([1.0, 2.0, 4.0], "than four")],
)
def test_too_few_models_have_no_interval(x, reason):
    x = np.array(x)
    found = fit_slope(x, 2 * x, None, np.ones(len(x), bool), 100, 0)
    assert reason in found.reason
    assert np.isnan(found.bounds).all()
    assert np.isnan(found.band(x)).all()
    assert found.slope == pytest.approx(2) if len(x) == 3 else np.isnan(found.slope)


def test_a_band_is_narrowest_in_the_middle_and_holds_the_line():
    rng = np.random.default_rng(5)
    found = fit_slope(PAPER, PAPER + rng.normal(size=18), None, ALL, 1000, 0)
    low, high = found.band(np.array([56.0, found.centre, 84.0]))
    width = high - low
    assert width[1] < min(width[0], width[2])
    assert (low < found.at(np.array([56.0, found.centre, 84.0]))).all()
    assert isinstance(found, Slope)


def test_models_on_a_line_have_no_error_but_a_slope():
    found = fit_slope(PAPER, 3 * PAPER, None, ALL, 100, 0)
    np.testing.assert_allclose(found.bounds, 3)


def test_a_spline_is_straight_where_the_models_are_and_beyond_the_knots():
    at = np.linspace(50, 90, 9)
    np.testing.assert_allclose(fit_spline(PAPER, 2 * PAPER + 1, at), 2 * at + 1)
    bent = fit_spline(PAPER, (PAPER - 70) ** 2, np.array([50.0, 51, 52, 84, 85, 86]))
    np.testing.assert_allclose(np.diff(bent, 2)[[0, 3]], 0, atol=1e-8)


def test_the_basis_is_that_of_the_natural_cubic_spline():
    knots = knots_of(PAPER)
    heights = np.array([1.0, 3.0, -2.0])
    at = np.linspace(knots[0], knots[-1], 20)
    ours = basis(at, knots) @ np.linalg.solve(basis(knots, knots), heights)
    np.testing.assert_allclose(ours, CubicSpline(knots, heights, bc_type="natural")(at))


def test_the_band_of_a_spline_holds_it_and_images_widen_it():
    rng = np.random.default_rng(6)
    y = np.sqrt(PAPER) + rng.normal(0, 0.3, 18)
    at = np.linspace(57, 83, 5)
    images = y[:, None] + rng.normal(0, 0.3, (18, 400))
    bands = [spline_band(PAPER, y, given, at, 400, 0) for given in (None, images)]
    spline = fit_spline(PAPER, y, at)
    for low, high in bands:
        assert ((low < spline) & (spline < high)).all()
    assert (np.subtract(*bands[1][::-1]) > np.subtract(*bands[0][::-1])).all()


def test_few_models_or_equal_ones_have_no_spline():
    at = np.array([1.0, 2.0])
    assert np.isnan(fit_spline(np.arange(4.0), np.arange(4.0), at)).all()
    assert np.isnan(fit_spline(np.array([1.0] * 5 + [2.0]), np.arange(6.0), at)).all()
    assert np.isnan(spline_band(np.arange(4.0), np.arange(4.0), None, at, 100, 0)).all()
