"""Statistics of five models, worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from figure_studies import row, written

from apr.claims.corrected import corrected_table
from apr.comparisons.correlations import correlation_table, depth_width_table
from apr.comparisons.noise_ceiling import noise_ceiling_table
from apr.comparisons.regret import regret_table
from apr.comparisons.testsets import weakness
from apr.figures.ranks.best_shapes import PARAMETERS, STAGES, draw_best_shapes
from apr.figures.ranks.pairs import draw_all_pairs
from apr.figures.runs.densities import draw_seed_densities
from apr.runs.metrics import ACCURACY
from apr.scores.tested import Counts, counts_of, read_counts
from apr.statistics.bootstrap import holm, resampled_ranks, times_drawn
from apr.statistics.deconvolution import count_variance
from apr.statistics.lines import fit_line
from apr.statistics.noise import seed_noise
from apr.statistics.ranks import spearman
from apr.statistics.regret import Regret, expected_minimum, selection_regret
from study import Study

BOOTSTRAP = {"resamples": 100, "seed": 0}
X, Y = [1.0, 2, 3, 4, 5], [2.0, 1, 4, 3, 5]
MODELS = [f"a{i:03}" for i in range(5)]


def test_rho_p_and_the_least_interval():
    found = spearman(X, Y, resamples=2000, seed=0)
    assert found.rho == pytest.approx(0.8)  # 1 - 6 * 4 / (5 * 24)
    assert found.p == pytest.approx(
        16 / 120
    )  # 1 + 4 + 3 orders have a sum of squares of at most 4, and as many mirrored
    # z = 1.0986, standard error sqrt((1 + 0.8² / 2) / 2) = 0.8124, 1.96 of them: tanh(-0.494), tanh(2.691)
    assert found.low <= -0.45
    assert found.high >= 0.985
    tied = spearman([1, 1, 2, 3, 4], [1, 2, 3, 4, 5], **BOOTSTRAP)
    assert tied.rho == pytest.approx(9.5 / np.sqrt(9.5 * 10))  # ranks 1.5, 1.5, 3, 4, 5


def test_fewer_than_four_models_have_no_interval_and_it_is_said():
    found = spearman([1, 2, 3], [1, 3, 2], **BOOTSTRAP)
    assert found.rho == pytest.approx(0.5)
    assert np.isnan([found.low, found.high]).all()
    scores = pd.DataFrame({"x": [1.0, 2, 3], "y": [1.0, 3, 2]}, MODELS[:3])
    table = correlation_table(scores, "x", ["y"], {}, {"x": "X", "y": "Y"}, **BOOTSTRAP)
    assert table.shown["ρ with X"].iloc[0] == "0.500 [no interval]"
    assert "fewer than four models have none" in table.caption
    cell = draw_all_pairs(scores, ["x", "y"], {"x": "X", "y": "Y"}, **BOOTSTRAP).figure.axes[1]
    assert [text.get_text().split() for text in cell.texts] == [["0.50"], ["[no", "interval]"]]


def test_regret_of_one_and_of_two():
    reference, target = [5.0, 1, 2, 3, 4], [10.0, 14, 11, 12, 13]
    one, two = selection_regret(reference, target, [1, 2], **BOOTSTRAP)
    assert (one.chosen, one.best, one.regret, one.random) == pytest.approx((14, 10, 4, 2))
    assert one.relative == pytest.approx(2)
    # of two drawn from five the least is the first with probability 4/10, then 3/10, 2/10, 1/10
    assert (two.chosen, two.regret, two.random) == pytest.approx((11, 1, 0.4 * 0 + 0.3 * 1 + 0.2 * 2 + 0.1 * 3))
    assert expected_minimum(target, 5) == 10
    assert not one.holds


def test_holm_multiplies_by_what_is_left():
    assert holm([0.04, 0.01, np.nan, 0.03]) == pytest.approx([0.06, 0.03, np.nan, 0.06], nan_ok=True)
    assert holm([0.6, 0.5]) == pytest.approx([1, 1])


def test_resampled_ranks_are_those_of_the_drawn_models():
    times = times_drawn(np.array([[0, 0, 3, 4, 1], [2, 2, 2, 2, 2]]))
    assert times.tolist() == [[2, 1, 0, 1, 1], [0, 0, 5, 0, 0]]
    ranks = resampled_ranks(np.array(X), times) + 3  # of 1, 1, 2, 4, 5
    assert ranks[0, [0, 1, 3, 4]].tolist() == [1.5, 3, 4, 5]


def test_line_and_its_mean():
    line = fit_line(X, Y)  # covariance 1.6, variance 2, means 3 and 3
    assert (line.slope, line.offset) == pytest.approx((0.8, 0.6))


def test_noise_of_seeds_and_spread_of_models_have_their_own_divisors():
    repeats = pd.DataFrame({"model": "a000", "seed": range(5), "value": X})
    (residuals,) = seed_noise(repeats)
    assert (residuals**2).mean() == pytest.approx(2.5)
    scores = pd.DataFrame({"x": X, "y": Y}, MODELS)
    row = noise_ceiling_table(scores, {"s": repeats}, {"s": "x"}, {"x": "X", "s": "S"}, **BOOTSTRAP).data.iloc[0]
    assert (row["population_sd"], row["seed_sd"]) == pytest.approx((2.5**0.5, 2.5**0.5))
    assert row["reliability"] == 0  # all of the spread may be noise
    corrected = corrected_table(scores, {"s": repeats}, {"s": "x"}, [("x", "y")], [], {"x": "X", "y": "Y"}, **BOOTSTRAP)
    assert np.isnan(corrected.data["corrected"].item())


def test_variance_of_counts():
    assert count_variance(np.array([[50.0, 0.0]]), 101).item() == pytest.approx(12.5)  # (25 + 0) / 2 points²


@pytest.mark.parametrize(
    ("errors", "counts", "says"),
    [
        ([40, 50, 60, 50], Counts(100), ""),  # chi-square 8 of 3 degrees of freedom: p = 0.046
        ([42, 50, 58, 50], Counts(100), "differ by no more than the noise of 100 test images (p = 0.163)"),
        ([83, 86, 83, 83, 40], Counts(36, 92.0), "4 of 5 models err as much as a guess (92.0 %) or more, "),
        ([83, 86, 83, 83, 40], Counts(3600, 92.0), ""),
        ([98, 97, 60, 40], Counts(100, 92.0), ""),  # half is not most
        ([17, 14, 17, 17, 60], Counts(36, 8.0, ACCURACY), "4 of 5 models are as good as a guess (8.0 %) or worse, "),
        ([17, 14, 17, 17, 60], Counts(3600, 8.0, ACCURACY), ""),
        ([42, 50, 58, 50], Counts(), ""),
        ([0, 0, 0, 0], Counts(100, 92.0), ""),  # undefined, and said so elsewhere
    ],
)
def test_tasks_that_cannot_rank_models(errors, counts, says):
    reason = weakness(pd.Series(errors, dtype=float), counts)
    assert says in reason
    assert bool(reason) == bool(says)


def test_counts_are_read_from_score_tables(tmp_path):
    paths = [
        written(tmp_path / "x.csv", row("a000", 1, 50.0, guess=91.5)),
        written(tmp_path / "y.csv", row("a000", 1, None)),
    ]
    assert read_counts(paths) == {"x": Counts(100, 91.5), "y": Counts()}


def test_a_marked_task_is_left_out_of_the_mean_with_its_reason():
    rng = np.random.default_rng(0)
    z = rng.normal(size=40)
    errors = {"x": 40 + 8 * z, "good": 40 + 8 * z + 4 * rng.normal(size=40), "bad": 90 + rng.normal(size=40)}
    scores = pd.DataFrame(errors, [f"a{i:03}" for i in range(40)])
    counts = {"x": Counts(5000, 90.0), "good": Counts(5000, 90.0), "bad": Counts(60, 91.0)}
    titles = {"x": "X", "good": "Good", "bad": "Bad"}
    table = correlation_table(scores, "x", ["good", "bad"], {}, titles, **BOOTSTRAP, counts=counts)
    data = table.data.set_index("target")
    assert data.loc["mean", "rho"] == data.loc["good", "rho"]
    assert "err as much as a guess (91.0 %)" in data.loc["bad", "weak"]
    assert table.shown["Target"].tolist() == ["Good", "Bad †", "Mean"]
    assert "left out of means (Bad: 4" in table.caption
    drawn = draw_all_pairs(scores, list(errors), titles, **BOOTSTRAP, counts=counts)
    assert f"mean of the ρ is {data.loc['good', 'rho']:.2f};" in drawn.caption
    assert "† : " not in drawn.caption
    assert "†: the task cannot rank the models" in drawn.caption


def test_rho_and_gain_are_of_the_same_models():
    rng = np.random.default_rng(1)
    n = 60
    z = rng.normal(size=n)
    scores = pd.DataFrame({"x": z, "near": z + rng.normal(size=n), "y": z + rng.normal(size=n)})
    scores.index = [f"a{i:03}" for i in range(n)]
    scores.loc[scores.index[:20], "near"] = np.nan
    titles = {name: name for name in scores}
    common = scores.dropna()
    row = correlation_table(scores, "x", ["y"], {"y": "near"}, titles, **BOOTSTRAP).data.iloc[0]
    assert row["rho"] == pytest.approx(spearman(common["x"], common["y"], **BOOTSTRAP).rho)
    assert row["rho_closest"] - row["rho"] == pytest.approx(row["gain"])
    assert (row["n"], row["n_closest"]) == (40, 40)
    assert row["gain_low"] < row["gain"] < row["gain_high"]
    regrets = regret_table(scores, "x", ["y"], {"y": "near"}, [1], titles, **BOOTSTRAP).data
    assert regrets["n"].tolist() == [40, 40]
    assert regrets["best"].tolist() == [common["y"].min()] * 2


def test_the_closest_member_is_that_of_the_least_ratio():
    classes = {"target": 20, "few": 2, "many": 100}
    tasks = {name: SimpleNamespace(closest=None, classes=count) for name, count in classes.items()}
    assert Study.closest(SimpleNamespace(tasks=tasks, family=["few", "many"]), "target") == "many"


def test_mean_and_sd_of_the_best_and_of_seeds():
    models = [f"a{i:03}" for i in range(8)]
    genes = pd.DataFrame({f"{p}{s}": [1.0] * 8 for p in PARAMETERS for s in STAGES}, models)
    genes["d1"] = [2.0, 6, 1, 1, 1, 1, 1, 1]
    scores = pd.DataFrame({"x": np.arange(8.0)}, models)
    data = draw_best_shapes(scores, genes, ["x"], 2, {"x": "X"}).data
    first = data[(data["parameter"] == "d") & (data["stage"] == 1)].iloc[0]
    assert (first["top_mean"], first["top_low"], first["top_high"]) == pytest.approx((4, 4 - 8**0.5, 4 + 8**0.5))
    assert first["best"] == 2
    repeats = pd.DataFrame({"model": "a000", "seed": range(5), "value": X})
    drawn = draw_seed_densities(repeats, pd.Series([1.0, 2, 4], MODELS[:3]), {"x": "X"}, "x")
    assert "a000: 3.00 ± 1.58 %, n = 5" in [text.get_text() for text in drawn.figure.legends[0].get_texts()]


def test_both_columns_of_p_are_corrected_by_themselves():
    rng = np.random.default_rng(0)
    z = rng.normal(size=8)
    scores = pd.DataFrame({"x": z, "y": -z, "near": z + rng.normal(size=8), "t": z, "u": z + 2 * rng.normal(size=8)})
    scores.index = [f"a{i:03}" for i in range(8)]
    titles = {name: name for name in scores}
    data = correlation_table(scores, "x", ["t", "u"], {"t": "near", "u": "near"}, titles, **BOOTSTRAP).data[:2]
    for suffix in ("", "_closest"):
        least, other = data[f"p{suffix}"].sort_values()
        expected = [min(1, 2 * least), max(min(1, 2 * least), other)]
        assert sorted(data[f"p_holm{suffix}"]) == pytest.approx(expected)
    assert list(data["p_holm"]) != list(data["p_holm_closest"])
    shape = pd.DataFrame({"cumulative_depth": scores["near"], "cumulative_width": scores["t"]}, scores.index)
    table = depth_width_table(scores[["t", "u"]], shape, ["t", "u"], titles, **BOOTSTRAP).data
    for side in ("depth", "width"):
        assert table[f"p_holm_{side}"].tolist() == pytest.approx(holm(table[f"p_{side}"]).tolist())
    assert table["p_holm_depth"].tolist() != table["p_holm_width"].tolist()


def test_where_intervals_of_regret_hold():
    def held(n, k):
        return Regret(k, n, 1, 0, 1, 0.5, 2, 3).holds

    assert [held(29, 1), held(30, 1), held(30, 3), held(30, 4), held(60, 6), held(60, 7)] == [0, 1, 1, 0, 1, 0]


def test_the_least_number_of_images_counts(tmp_path):
    table = pd.DataFrame({"status": "completed", "n": [40, 36, 50], "guess": np.nan, "metric": "top1_error"})
    assert counts_of(table) == Counts(36)
