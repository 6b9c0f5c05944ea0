"""Small, seeded simulations: how often the intervals cover, and what verdicts true claims get.

benchmarks/coverage.py has the same with more repetitions.
"""

import numpy as np
import pandas as pd
import pytest

from apr.claims.claims import Claim
from apr.claims.scorecard import scorecard
from apr.statistics.bootstrap import interval, rank_correlation
from apr.statistics.deconvolution import counted
from apr.statistics.noise import ceilings
from apr.statistics.ranks import rho_draws, spearman
from apr.statistics.regret import selection_regret


def spearman_of(r):
    return 6 / np.pi * np.arcsin(r / 2)  # of a bivariate normal with correlation r


def pair(rng, n, r):
    x = rng.normal(size=n)
    return x, r * x + np.sqrt(1 - r * r) * rng.normal(size=n)


@pytest.mark.parametrize(("n", "repeats"), [(4, 150), (8, 150), (30, 150), (500, 60)])
@pytest.mark.parametrize("r", [0.0, 0.95])
def test_intervals_of_rho_cover_and_do_not_collapse(n, repeats, r):
    rng = np.random.default_rng(n)
    found = [interval(rho_draws(*pair(rng, n, r), 200, i)) for i in range(repeats)]
    assert np.mean([low <= spearman_of(r) <= high for low, high in found]) >= 0.9
    assert min(high - low for low, high in found) > 0.01


def test_intervals_hold_for_endless_images_where_few_were_counted():
    rng = np.random.default_rng(0)
    covered = []
    for i in range(60):
        true = [np.clip(30 + 10 * values, 2, 98) for values in pair(rng, 60, 0.9)]
        x, y = (counted(values, 40, rng) for values in true)
        results = spearman(x, y, 200, i, (40, 40)), spearman(x, y, 200, i)
        covered.append([one.low <= spearman_of(0.9) <= one.high for one in results])
    with_images, models_alone = np.mean(covered, axis=0)
    assert with_images >= 0.93
    assert models_alone < 0.5


def test_regret_holds_for_endless_images_and_never_stands_without_a_width():
    rng = np.random.default_rng(1)
    covered, widths = [], []
    for i in range(60):
        x_true, y_true = (np.clip(30 + 10 * values, 2, 98) for values in pair(rng, 30, 0.9))
        x, y = counted(x_true, 36, rng), counted(y_true, 36, rng)
        for result in selection_regret(x, y, [1, 3], 200, i, (36, 36)):
            first = np.argsort(x, kind="stable")[: result.k]
            lost = y_true[first[np.argmin(y[first])]] - y_true.min()
            covered.append(result.low <= lost <= result.high)
            widths.append(result.high - result.low)
    assert np.mean(covered) >= 0.93
    assert min(widths) > 0


@pytest.mark.parametrize("r", [0.0, 0.5])
@pytest.mark.parametrize(("n", "k"), [(30, 1), (60, 5)])
def test_intervals_of_the_expected_regret_hold_where_they_say_so(n, k, r):
    rng = np.random.default_rng(2)

    def errors():
        x, y = pair(rng, n, r)
        return x, 20 * np.exp(0.3 * y)

    def regret(x, y):
        return y[np.argsort(x)[:k]].min() - y.min()

    truth = np.mean([regret(*errors()) for _ in range(4000)])
    found = [selection_regret(*errors(), [k], 200, i)[0] for i in range(120)]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.88
    assert all(one.holds for one in found if one.high > one.low)


@pytest.mark.parametrize("skewed", [True, False], ids=["lognormal", "normal"])
@pytest.mark.parametrize("noise", [0.3, 0.5, 0.7])
def test_the_correction_for_noise_is_unbiased_and_covers(skewed, noise):
    rng = np.random.default_rng(3)
    estimates, covered = [], []
    for i in range(25):
        z, partner = pair(rng, 500, 0.5)
        true, sd = (np.exp(z), np.sqrt(np.e * (np.e - 1))) if skewed else (z, 1.0)
        errors = true + noise * sd * rng.normal(size=500)
        seeds = noise * sd * rng.normal(size=60)
        residuals = [(seeds - seeds.mean()) * np.sqrt(60 / 59)]
        ceiling = ceilings(errors, residuals, 60, i).noise_free
        observed = rank_correlation(errors[None], partner[None])
        drawn = np.append(observed, rho_draws(errors, partner, 60, i)[0]) / ceiling
        low, high = interval(np.clip(drawn[1:], -1, 1))
        estimates.append(drawn[0])
        covered.append(low <= spearman_of(0.5) <= high)
    assert np.mean(estimates) == pytest.approx(spearman_of(0.5), abs=0.04)
    assert np.mean(covered) >= 0.84


@pytest.mark.parametrize(
    ("true", "expected"), [(0.0, (-0.1, 0.1)), (0.5, (0.3, 0.7)), (-0.4, (-1.0, -0.3)), (0.483, (0.333, 0.633))]
)
def test_a_true_claim_is_reproduced_by_500_models(true, expected):
    rng = np.random.default_rng(4)
    claim = Claim("one", "It holds", None, "T", "so", "rho", {"x": "x", "y": "y"}, expected, "[I]", None)
    verdicts = []
    for i in range(60):
        x, y = pair(rng, 500, 2 * np.sin(np.pi * true / 6))
        models = [f"a{m:03}" for m in range(500)]
        shape = pd.DataFrame({"cumulative_depth": x, "cumulative_width": y}, models)
        scores = pd.DataFrame({"x": x, "y": y}, models)
        verdicts.append(scorecard([claim], scores, shape, {}, {"x": "X", "y": "Y"}, 200, i).data["verdict"].item())
    assert verdicts.count("reproduced") >= 54
    assert "not reproduced" not in verdicts
