"""The numbers of every statistic for unequal, skewed and tied values of few models, as they were looked at.

Closed forms and published values stand in the other files; these hold what has none, such as what a seed draws.
"""

from dataclasses import asdict

import numpy as np
from golden import checked

from apr.statistics.bootstrap import interval, resampled_correlation, resampled_rows, times_drawn
from apr.statistics.counts import clopper_pearson
from apr.statistics.deconvolution import on_endless_images
from apr.statistics.densities import overlap
from apr.statistics.families import family_spearman
from apr.statistics.gains import gain_draws
from apr.statistics.lines import bootstrap_lines, bootstrap_means, bootstrap_variances
from apr.statistics.noise import ceilings
from apr.statistics.outputs import image_weights
from apr.statistics.ranks import kept_by_counts, nearly_perfect, rho_draws, spearman
from apr.statistics.regret import selection_regret, winner_regret
from apr.statistics.restricted import among_best, drawn_rho, range_corrected
from apr.statistics.slope_change import hc3_p, kink, mean_distance, slope_change
from apr.statistics.transfer.slopes import fit_slope
from apr.statistics.transfer.splines import fit_spline, spline_band

X = np.array([31.2, 24.0, 40.8, 28.8, 36.0, 26.4, 55.2, 33.6, 24.0, 45.6, 30.0])
Y = np.array([12.5, 9.0, 21.0, 13.5, 17.5, 8.5, 23.0, 9.5, 11.0, 30.5, 12.0])
Z = np.array([70.0, 62.5, 80.0, 67.5, 77.5, 70.0, 85.0, 60.0, 57.5, 92.5, 72.5])
FAMILIES = list("aabbbcddeef")
MANY = np.random.default_rng(0).gamma(3, 8, (2, 33)).round(1)
SEEDS = [np.array([-1.5, 0.25, 1.25]), np.array([2.0, -2.0]), np.array([-0.5, 0.0, 0.75, -0.25])]
IMAGES = (250, 40)


def told(values):
    if hasattr(values, "__dataclass_fields__"):
        return ", ".join(f"{name} {told(value)}" for name, value in asdict(values).items())
    if isinstance(values, dict):
        return told(list(values.values()))
    if isinstance(values, list | tuple):
        return f"({'; '.join(map(told, values))})"
    if isinstance(values, str | bool | int):
        return str(values)
    flat = np.asarray(values, dtype=float).ravel()
    if flat.size > 12:
        known = flat[~np.isnan(flat)]
        weights = np.arange(known.size) % 7
        return f"[{flat.size}, {known.size}] {told([known.mean(), known.std(), (known * weights).mean()])}"
    return " ".join(f"{value:.5g}" for value in flat)


def ranks():
    for n in (4, 5, 8, 9, 11):
        yield f"spearman of {n}", spearman(X[:n], Y[:n], 40, 3)
        yield f"spearman of {n} on counted images", spearman(X[:n], Y[:n], 40, 3, IMAGES)
    yield "spearman in order", spearman(X[:6], X[:6] ** 2, 40, 3)
    yield "spearman reversed", spearman(MANY[0], -MANY[0], 40, 3)
    yield "draws", rho_draws(X, Y, 40, 3, IMAGES)
    yield "kept", [kept_by_counts(X, images, 30, 2) for images in (1, 10, 250)]
    yield "nearly perfect", [nearly_perfect(n) for n in (4, 5, 30)]
    yield "families", family_spearman(X, Y, FAMILIES, 50, 1)
    yield "gain", gain_draws((X, 250), (Y, 40), (100 - Z, 40), 40, 1)
    yield "gain of two alike", gain_draws((X, None), (Y, None), (Y + 1, None), 40, 1)
    yield "endless", [on_endless_images(Y, images, 0) for images in (20, 400)]
    yield "drawn", [drawn_rho(X, Y, size, 30, 1) for size in (3, 7, 11, 12)]
    yield "best", [among_best(X, share).tolist() for share in (0.1, 0.3, 0.5)]
    yield "corrected for range", range_corrected(0.4, X, among_best(X, 0.5))


def choices():
    for name, images in (("regret", (None, None)), ("regret on counted images", IMAGES)):
        yield from ((f"{name} of {one.k}", one) for one in selection_regret(X, Y, [1, 2, 4], 60, 3, images))
        yield from ((f"{name} of many, {one.k}", one) for one in selection_regret(*MANY, [1, 3, 4], 60, 3, images))
    yield "holds", [one.holds for one in selection_regret(*MANY, [1, 3, 4], 60, 3)]
    yield "relative", [one.relative for one in selection_regret(*MANY, [1, 3, 4], 60, 3)]
    yield "winner", [winner_regret(X, Y, 60, 3), winner_regret(*MANY, 60, 3)]
    yield "winner of families", winner_regret(*MANY, 60, 3, np.arange(33) // 4)


def lines():
    after = X > 32
    yield "lines", [interval(one) for one in bootstrap_lines(X, Y, 60, 2)]
    yield "means and variances", [bootstrap_means(Y, 60, 2), bootstrap_variances(Y, 60, 2)]
    found = slope_change(X, Y, after, FAMILIES, 60, 4)
    yield "slope change", [found.before, found.after, found.slope_before, found.slope_after, found.change]
    yield "slope change at", [found.p_independent, found.at, found.heights, found.resampled_heights]
    yield "kink", kink(X, Y, 30.0, FAMILIES, 60, 4)
    yield "distance", mean_distance(Y - 14, 0.7, 9)


def transfer():
    images = np.asarray(Z)[:, None] + np.random.default_rng(1).normal(size=(11, 30)) * np.linspace(0.5, 3, 11)[:, None]
    for name, of, within in (("all", None, X > 0), ("images", images, X > 0), ("some", images, X > 26.4)):
        line = fit_slope(X, Z, of, within, 30, 5)
        yield f"slope, {name}", [line.slope, line.centre, line.height, line.n, line.error, line.tells]
        yield f"slope, {name}, intervals", [line.bounds, line.inner, line.covariance, line.slopes]
        yield f"slope, {name}, band", [line.at(X[:3]), line.band(X[:3])]
    at = np.array([20.0, 30.0, 40.0, 60.0])
    yield "spline", [fit_spline(X, Z, at), *(spline_band(X, Z, of, at, 30, 5) for of in (None, images))]


def counts():
    groups = np.array([3, 3, 1, 7, 7, 7, 1])
    yield "weights", np.concatenate(list(image_weights(7, None, 5, "a", 1)))
    yield "weights of groups", np.concatenate(list(image_weights(7, groups, 5, "a", 1)))
    yield "rows", resampled_rows(5, 4, 9).tolist()
    yield "times", times_drawn(resampled_rows(5, 4, 9)).tolist()
    yield "Clopper and Pearson", [clopper_pearson([0, 3, 7, 36], [36, 36, 7, 37])]
    yield "overlap", [overlap(X, Y), overlap(X, X + 1), overlap(X[:4], 2 * X)]
    found = ceilings(X, SEEDS, 20, 6)
    yield "ceilings", [found.seed_sd, found.reliability, found.noise_free, found.retrained]
    yield "ceilings of much noise", asdict(ceilings(X[:5], [10 * one for one in SEEDS], 20, 6))


def test_numbers_are_what_they_were():
    parts = (ranks(), choices(), lines(), transfer(), counts())
    with np.errstate(divide="raise", invalid="raise"):  # what is undefined is meant to be, and warns of nothing
        text = "".join(f"{name}: {told(value)}\n" for part in parts for name, value in part)
    checked("statistics", text)


def test_what_is_undefined_in_a_resample_warns_of_nothing():
    """Resamples of two models, or of equal ones, are constant: there 0 is divided by 0."""
    with np.errstate(divide="raise", invalid="raise"):
        for errors in ([20.0, 30.0], [20.0, 20.0, 30.0], [0.0, 100.0, 50.0]):
            kept = kept_by_counts(np.array(errors), 40, 60, 0)
            assert ((kept >= 0) & (kept <= 1) | np.isnan(kept)).all()
        assert np.isnan(rho_draws(X[:3], X[:3], 60, 0)).any()
        assert np.isnan(bootstrap_lines(X[:2], Y[:2], 60, 0)[0]).any()
        two = resampled_correlation(X[:2], Y[:2], times_drawn(resampled_rows(2, 20, 0)))
        assert 0 < np.isnan(two).sum() < 20
        few = fit_slope(X, Z, None, np.arange(11) < 4, 200, 0).slopes  # resamples without any of the four
        assert 0 < np.isnan(few).sum() < 200
        assert np.isnan(hc3_p(np.eye(3), np.array([1.0, 2, 3]), [1, 0, 0]))
        slopes = fit_slope(X[:4], Y[:4], None, np.ones(4, bool), 200, 0).slopes
        assert np.isnan(slopes).any()
        found = ceilings(np.array([20.0, 20.0, 20.0, 30.0]), [np.array([-1.0, 1.0])], 40, 0)
        assert np.nanmin(found.reliability) == 0
