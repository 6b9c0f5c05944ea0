import numpy as np
import pandas as pd
import pytest
from bootstrap_lines import loop
from data_helpers import real
from published import published_scores
from scipy.stats import linregress, norm

from apr.basics.problems import Problem
from apr.scores.paired import paired
from apr.statistics import bootstrap
from apr.statistics.bootstrap import interval
from apr.statistics.lines import band, bootstrap_lines, bootstrap_means, fit_line, from_probit, probit

FISHER_VECTORS = ["fv_4k", "fv_16k", "fv_64k"]


def cloud(n, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(55, 85, n)
    return x, 1.1 * x - 20 + rng.normal(size=n)


@pytest.mark.parametrize("n", [2, 3, 67])
def test_a_line_is_least_squares(n):
    x, y = cloud(n)
    expected = linregress(x, y)
    line = fit_line(x, y)
    assert (line.slope, line.offset) == pytest.approx((expected.slope, expected.intercept))
    assert line.at([0, 1]) == pytest.approx([line.offset, line.offset + line.slope])


@pytest.mark.parametrize("x", [[], [70.1], [70.1, 70.1, 70.1]])
def test_without_two_values_of_x_there_is_no_line(x):
    line = fit_line(x, np.arange(len(x)))
    assert np.isnan([line.slope, line.offset]).all()


def test_large_values_lose_no_digits():
    x, y = cloud(30)
    far, near = bootstrap_lines(x + 1e7, y, 50, 0), bootstrap_lines(x, y, 50, 0)
    assert far[0] == pytest.approx(near[0], rel=1e-6)
    assert fit_line(x + 1e7, y).slope == pytest.approx(fit_line(x, y).slope, rel=1e-6)


def test_the_bootstrap_draws_models_and_fits_anew():
    x, y = cloud(12)
    slopes, offsets = bootstrap_lines(x, y, 40, seed=3)
    rows = np.random.default_rng(3).integers(12, size=(40, 12))
    expected = [np.polyfit(x[row], y[row], 1) for row in rows]
    assert np.column_stack([slopes, offsets]) == pytest.approx(np.array(expected))
    assert bootstrap_means(y, 40, seed=3) == pytest.approx(y[rows].mean(axis=1))


def test_the_bootstrap_agrees_with_a_plain_loop():
    x, y = cloud(67)
    own, plain = (interval(fit(x, y, 4000, 5)[0]) for fit in (bootstrap_lines, loop))
    assert own == pytest.approx(plain, abs=0.006)


def test_chunks_are_parts_of_one_bootstrap(monkeypatch):
    x, y = cloud(30)
    whole = bootstrap_lines(x, y, 1001, seed=0)
    monkeypatch.setattr(bootstrap, "CHUNK", 100)
    slopes, offsets = bootstrap_lines(x, y, 1001, seed=0)
    assert np.array_equal([slopes, offsets], whole)
    assert len(slopes) == len(offsets) == 1001
    assert len(np.unique(slopes)) == 1001
    assert not np.array_equal(slopes, bootstrap_lines(x, y, 1001, seed=1)[0])


def test_a_resample_of_one_model_alone_has_no_line():
    slopes, offsets = bootstrap_lines([70.1, 80.3], [58.7, 69.9], 400, seed=0)
    alone = np.isnan(slopes)
    assert 100 < alone.sum() < 300
    assert np.array_equal(alone, np.isnan(offsets))
    assert slopes[~alone] == pytest.approx(11.2 / 10.2)
    assert all(np.isnan(limits).all() for limits in band([70], *bootstrap_lines([1, 1, 1], [1, 2, 3], 10, 0), 95))


@pytest.mark.parametrize("confidence", [80, 95])
def test_a_band_is_the_percentiles_of_the_lines(confidence):
    x, y = cloud(20)
    slopes, offsets = bootstrap_lines(x, y, 500, 0)
    slopes[::7] = offsets[::7] = np.nan
    grid = [50.0, 70.0, 90.0]
    low, high = band(grid, slopes, offsets, confidence)
    heights = np.outer(slopes, grid) + offsets[:, None]
    expected = np.nanpercentile(heights, [50 - confidence / 2, 50 + confidence / 2], axis=0)
    assert np.array([low, high]) == pytest.approx(expected)


def test_probit_and_back():
    accuracy = pd.Series([0.1, 15.865525, 50, 97.724987], index=list("abcd"))
    quantile = probit(accuracy)
    assert quantile.tolist() == pytest.approx([norm.ppf(0.001), -1, 0, 2])
    assert list(quantile.index) == list("abcd")
    assert from_probit(quantile) == pytest.approx(accuracy)


@pytest.mark.parametrize("end", [0, 100])
def test_an_accuracy_without_a_probit_names_its_model(end):
    with pytest.raises(Problem, match=f"model resnet: its accuracy of {end} % .* probit_without"):
        probit(pd.Series([50, end], index=["alexnet", "resnet"]))


@pytest.mark.parametrize(("x", "y"), [([1, 2], [1, 2, 3]), ([[1, 2]], [[1, 2]]), ([1, np.nan], [1, 2])])
def test_vectors_must_fit_each_other(x, y):
    with pytest.raises(ValueError, match=r"one length|NaN"):
        fit_line(x, y)
    with pytest.raises(ValueError, match=r"one length|NaN"):
        bootstrap_lines(x, y, 10, 0)


# Recht, Roelofs, Schmidt, Shankar, ICML 2019: 1.11 and -20.2 with a slope of [1.07, 1.19] on MatchedFrequency, and a
# slope of 0.88 on TopImages, top-5. The other digits, and CIFAR's (30 of its 34 models are published), were computed
# from the same predictions by other code.
PUBLISHED = [
    ("imagenet_val", "imagenetv2_matched_frequency", "top1_accuracy", FISHER_VECTORS, (1.110, -20.26), (1.079, 1.189)),
    ("imagenet_val", "imagenetv2_top_images", "top5_accuracy", FISHER_VECTORS, (0.877, 13.2), None),
    ("cifar10", "cifar10.1_v4", "top1_accuracy", [], (1.617, -65.5), (1.53, 1.70)),
    ("cifar10", "cifar10.1_v6", "top1_accuracy", [], (1.595, -63.2), (1.52, 1.67)),
]


@pytest.mark.parametrize(("original", "new", "error", "without", "line", "limits"), PUBLISHED)
def test_published_lines_are_met(original, new, error, without, line, limits):
    errors = published_scores()
    models = paired(errors[original], errors[new], error).drop(index=without)
    x, y = models["orig_acc"], models["new_acc"]
    fitted = fit_line(x, y)
    assert fitted.slope == pytest.approx(line[0], abs=0.0005)
    assert fitted.offset == pytest.approx(line[1], abs=0.05)
    if limits:
        assert interval(bootstrap_lines(x, y, 100_000, 0)[0]) == pytest.approx(limits, abs=0.006)


def test_the_line_of_timms_measured_results_is_met():
    (folder,) = real("timm-results")
    names = ("results-imagenet.csv", "results-imagenetv2-matched-frequency.csv")
    both = (pd.read_csv(folder / name, index_col=["model", "img_size"])["top1"] for name in names)
    x, y = pd.concat(both, axis=1, join="inner").to_numpy(dtype=float).T
    assert len(x) == 1556
    assert fit_line(x, y).slope == pytest.approx(1.144, abs=0.0005)
    assert fit_line(x, y).offset == pytest.approx(-22.5, abs=0.05)
    assert fit_line(probit(pd.Series(x)), probit(pd.Series(y))).slope == pytest.approx(0.963, abs=0.0005)
