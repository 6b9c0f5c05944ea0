import numpy as np
import pandas as pd
import pytest

from apr.claims.claims import Claim
from apr.claims.measures import Measured, Samples, measure, summed_up
from apr.claims.scorecard import equivalence, scorecard, verdict, widened
from apr.comparisons.correlations import correlation_table
from apr.comparisons.shape import with_shape
from apr.scores.tested import Counts
from apr.statistics.densities import overlap
from apr.statistics.ranks import spearman

BOOTSTRAP = {"resamples": 200, "seed": 0}
TITLES = {name: name.title() for name in ("photos", "photos_2", "digits", "faces", "cracks")}


def study(n=60):
    rng = np.random.default_rng(11)
    z = rng.normal(size=n)
    models = [f"a{i:03}" for i in range(n)]
    slopes = {"photos": 8, "photos_2": 3, "digits": 2, "faces": -4}
    scores = pd.DataFrame({task: 40 + slope * z + rng.normal(0, 3, n) for task, slope in slopes.items()}, models)
    scores["cracks"] = 0.0
    shape = pd.DataFrame({"cumulative_depth": rng.integers(4, 40, n), "cumulative_width": 500 - 90 * z}, models)
    return scores, shape


def claim(kind="rho", expected=(0.7, 1.0), mark="T", scores=0.9, incomparable=None, **arguments):
    arguments = arguments or {"x": "photos", "y": "digits"}
    return Claim("one", "It holds", "Table 3", mark, scores, kind, arguments, expected, "[I]", incomparable)


def card(*claims, repeats=None, columns=None):
    scores, shape = study()
    return scorecard(claims, scores[columns] if columns else scores, shape, repeats or {}, TITLES, **BOOTSTRAP)


def measured(kind, **arguments):
    scores, shape = study()
    return measure(claim(kind, **arguments), Samples(with_shape(scores, shape), **BOOTSTRAP), {}, TITLES)


def seeds(**errors):
    rows = [(model, seed, error) for model, values in errors.items() for seed, error in enumerate(values)]
    return pd.DataFrame(rows, columns=["model", "seed", "value"])


def test_an_interval_inside_outside_or_across_the_region():
    assert verdict(0.71, 0.9, (0.7, 1)) == "reproduced"
    assert verdict(0.1, 0.69, (0.7, 1)) == "not reproduced"
    assert verdict(0.6, 0.8, (0.7, 1)) == "undecided"
    assert verdict(float("nan"), float("nan"), (0.7, 1)) == "undecided"


def test_verdicts_follow_the_measured_interval():
    scores, _ = study()
    result = spearman(scores["photos"], scores["digits"], **BOOTSTRAP)
    inside, outside = (result.low - 0.01, 1.0), (result.high + 0.1, 1.0)
    data = card(claim(expected=inside), claim(expected=outside), claim(expected=(result.rho + 0.05, 1.0))).data
    assert data["measured"].tolist() == pytest.approx([result.rho] * 3)
    assert data.loc[0, ["low", "high", "n"]].tolist() == [result.low, result.high, 60]
    assert data["verdict"].tolist() == ["reproduced", "not reproduced", "undecided"]
    tells = (1.645 + 1.282) * np.ptp([result.low, result.high]) / 3.92
    assert data["tells"].tolist() == pytest.approx([tells] * 3, rel=0.1)
    assert (
        data.loc[2, "in_words"] == f"undecided: 60 models could tell only differences above {data.loc[2, 'tells']:.2f}"
    )


def test_an_unverified_value_says_so_beside_its_number():
    shown = card(claim(mark="U", scores=0.967), claim(mark="I", scores=-0.4), claim(mark="C", scores=0.3)).shown
    assert shown["Paper"].tolist() == ["0.967 (unverified)", "−0.4 (inferred)", "0.3"]
    assert shown["Verified"].tolist() == ["unverified (recalled)", "inferred", "verified"]


def test_what_a_study_lacks_is_named_and_counted():
    table = card(claim(), claim(x="photos", y="cracks"), columns=["photos", "photos_2"])
    assert table.data["in_words"].tolist() == [f"not in this study: lacks {name}" for name in ("digits", "cracks")]
    assert table.data["measured"].isna().all()
    assert "2 not in this study" in table.caption
    empty = scorecard([claim()], pd.DataFrame(), study()[1], {}, TITLES, **BOOTSTRAP)
    assert "lacks photos, digits" in empty.shown["Verdict"].item()


def test_claims_that_a_study_has_nothing_for_are_one_row_with_their_number():
    some = card(claim(), claim(x="photos", y="other"), claim(x="none", y="photos"))
    assert some.shown["Claim"].tolist() == [claim().says, "2 other claims"]
    assert some.shown["Verdict"].iloc[1] == "not in this study: the CSV file names each and what it lacks"
    assert len(some.data) == 3
    assert not some.shown.isna().any(axis=None)
    alone = card(claim(x="none", y="photos"), claim(x="photos", y="other"))
    assert alone.shown["Claim"].tolist() == ["All 2 claims"]


def test_a_saturated_task_decides_nothing():
    table = card(claim(x="photos", y="cracks", expected=(-0.1, 0.1)))
    assert table.shown["Verdict"].item() == "undecided with 60 models: all errors of a task are equal"
    assert table.shown["Measured"].item() == "undefined"


def test_too_few_completed_models_decide_nothing():
    scores, shape = study()
    scores.loc[scores.index[2:], "digits"] = np.nan
    row = scorecard([claim()], scores, shape, {}, TITLES, **BOOTSTRAP).data.iloc[0]
    assert row["in_words"] == "undecided with 2 models: fewer than 4 models"


def test_gains_and_means_are_those_of_the_table_of_correlations():
    scores, _ = study()
    closest = {"digits": "photos_2", "faces": "photos_2"}
    table = correlation_table(scores, "photos", list(closest), closest, TITLES, **BOOTSTRAP).data.set_index("target")
    gains = [[target, "photos", "photos_2"] for target in closest]
    gain = measured("gain", target="digits", before="photos", after="photos_2")
    assert (gain.value, gain.low, gain.high) == pytest.approx(table.loc["digits", ["gain", "gain_low", "gain_high"]])
    assert measured("mean_gain", gains=gains).value == pytest.approx(table.loc["mean", "gain"])
    pairs = [["photos", target] for target in closest]
    assert measured("mean_rho", pairs=pairs).value == pytest.approx(table.loc["mean", "rho"])
    least = measured("min_gain", gains=gains)
    worst = table.loc[list(closest), "gain"].idxmin()
    assert (least.value, least.note) == (pytest.approx(table.loc[worst, "gain"]), f"on {TITLES[worst]}")
    assert least.low == pytest.approx(table.loc[list(closest), "gain_low"].min())
    assert least.high >= table.loc[list(closest), "gain_high"].min()  # for two differences, each at half the level


def test_ordered_is_the_least_step_down():
    rho = {y: measured("rho", x="photos", y=y).value for y in ("photos_2", "digits", "faces")}
    found = measured("ordered", pairs=[["photos", y] for y in rho])
    steps = [rho["photos_2"] - rho["digits"], rho["digits"] - rho["faces"]]
    assert found.value == pytest.approx(min(steps))
    assert measured("ordered", pairs=[["photos", "faces"], ["photos", "digits"]]).value == pytest.approx(-steps[1])


def test_differences_of_gains_and_pairwise_means():
    depth, width = (["cumulative_" + name, "photos", "digits"] for name in ("depth", "width"))
    gains = [measured("gain", target=t, before=b, after=a).value for t, b, a in (depth, width)]
    assert measured("gain_difference", first=depth, second=width).value == pytest.approx(gains[0] - gains[1])
    three = ["photos", "digits", "faces"]
    pairs = [["photos", "digits"], ["photos", "faces"], ["digits", "faces"]]
    expected = measured("mean_rho", pairs=pairs)
    assert measured("mean_pairwise_rho", tasks=three).value == pytest.approx(expected.value)


def test_shape_of_the_best_and_errors():
    scores, shape = study()
    best = scores["photos"].nsmallest(10).index
    depths = shape.loc[best, "cumulative_depth"]
    least = measured("least_of_best", shape="cumulative_depth", task="photos", k=10)
    assert (least.value, least.note) == (depths.min(), "of the 10 best")
    assert np.isnan([least.low, least.high, least.error]).all()  # which is the least depends on which were drawn
    assert measured("largest_of_best", shape="cumulative_depth", task="photos", k=10).value == depths.max()
    assert measured("largest_of_best", shape="cumulative_depth", task="photos", k=40).note == "of the 15 best"
    assert measured("largest_error", task="photos").value == scores["photos"].max()
    assert measured("mean_error", task="photos").value == pytest.approx(scores["photos"].mean())
    quartile = measured("quantile_error", task="photos", share=0.25)
    assert quartile.value == pytest.approx(scores["photos"].quantile(0.25))
    assert quartile.low < quartile.value < quartile.high


def test_a_claim_on_single_architectures_is_measured_but_not_compared():
    rng = np.random.default_rng(0)
    repeats = {"photos_seeds": seeds(a001=[*rng.normal(12, 1, 40), np.nan], a002=rng.normal(15, 1, 50))}
    mean = claim("mean_of_repeats", (11, 13), incomparable="other draws", task="photos_seeds", model="a001")
    table = card(mean, repeats=repeats)
    row = table.data.iloc[0]
    assert row["measured"] == pytest.approx(repeats["photos_seeds"]["value"][:40].mean())
    assert (row["n"], row["in_words"]) == (40, "not comparable: other draws")
    absent = claim("mean_of_repeats", (11, 13), task="photos_seeds", model="a147")
    assert card(absent, repeats=repeats).data["in_words"].item() == "not in this study: lacks a147 on photos_seeds"
    both = claim("overlap", (0, 0.5), task="photos_seeds", models=["a001", "a002"])
    assert card(both, repeats=repeats).data["verdict"].item() == "reproduced"


def test_overlap_of_two_normal_densities():
    rng = np.random.default_rng(1)
    one, other = rng.normal(0, 1, 2000), rng.normal(2, 1, 2000)
    assert overlap(one, one) == pytest.approx(1, abs=0.01)
    assert overlap(one, other) == pytest.approx(0.317, abs=0.04)  # 2 Phi(-1)
    assert overlap(one, other + 50) == pytest.approx(0, abs=1e-6)
    assert np.isnan(overlap(one, np.ones(5)))


def test_caption_counts_the_verdicts_and_the_unverified():
    table = card(claim(expected=(-1.0, 1.0)), claim(mark="U", expected=(-1.0, -0.9)), claim(x="photos", y="nowhere"))
    assert "1 reproduced, 1 not reproduced, 0 undecided, 0 not comparable, 1 not in this study" in table.caption
    assert "1 are not verified" in table.caption
    assert f"{BOOTSTRAP['resamples']} bootstrap resamples" in table.caption
    assert table.data["verdict"].value_counts().sum() == len(table.shown) == 3


def test_the_90_percent_interval_shows_and_the_95_percent_one_refutes():
    found = Measured(0.5, 0.29, 0.71, 100, inner=(0.31, 0.69), error=0.0)
    assert equivalence(found, (0.3, 0.7)) == "reproduced"
    assert equivalence(found, (0.7, 0.9)) == "undecided"  # the 90 % interval is outside, the 95 % one is not
    assert equivalence(found, (0.72, 0.9)) == "not reproduced"


def test_levels_of_an_interval_and_of_the_least_of_several():
    draws = np.arange(1001.0)  # percentiles are 10 times the level
    one = summed_up(np.append(500, draws), 100)
    assert (one.low, one.high, *one.inner) == pytest.approx((25, 975, 50, 950))
    two = summed_up(np.array([[np.append(500, draws)], [np.append(600, draws)]]), 100)
    assert (two.value, two.low, two.high) == pytest.approx((500, 25, 987.5))
    assert two.inner == pytest.approx((50, 975))
    both = summed_up(np.array([np.append(500, draws), np.append(500, draws + 100)]), 100)  # rows are taken together
    assert (both.low, both.high) == pytest.approx((25, 1075))


def test_a_region_is_widened_by_the_papers_models_or_trainings_and_shown():
    found = Measured(0.5, 0.4, 0.6, 125, error=0.1)
    assert widened((0.3, 0.7), found) == pytest.approx((0.3 - 0.08225, 0.7 + 0.08225))  # 1.645 * 0.1 * sqrt(125 / 500)
    assert widened((0.3, 0.7), found, 250)[1] == pytest.approx(0.7 + 0.11632, abs=1e-5)  # sqrt(125 / 250)
    assert widened((0, 0.7), found)[0] == 0
    table = card(claim(expected=(0.3, 0.5)))
    row = table.data.iloc[0]
    assert table.shown["Counts as true"].item() == f"0.3 to 0.5; tested: {row.tested_low:.3g} to {row.tested_high:.3g}"
    least = card(claim("least_of_best", (16, np.inf), shape="cumulative_depth", task="photos", k=10))
    assert least.shown["Counts as true"].item() == "at least 16"
    assert least.shown["Measured"].item() == "15 [no interval] (of the 10 best)"
    assert (
        least.data["in_words"].item().startswith("undecided with 60 models: it cannot be decided, since the least of")
    )
    assert least.data["in_words"].item().endswith("of these models it does not hold")


def test_intervals_of_claims_take_in_few_test_images():
    scores, shape = study()
    alone, few = (
        scorecard([claim()], scores, shape, {}, TITLES, **BOOTSTRAP, counts=counts)
        for counts in (None, {"photos": Counts(400), "digits": Counts(4000)})
    )
    assert few.data["high"].item() > alone.data["high"].item()
    assert few.data["low"].item() == pytest.approx(alone.data["low"].item())
    assert "binomial counts of 400 to 4,000 images" in few.caption


def test_predictions_hold_or_do_not_in_the_very_region_that_they_name():
    scores, _ = study()
    found = spearman(scores["photos"], scores["digits"], **BOOTSTRAP)
    regions = [(found.low - 0.01, 1.0), (found.high + 0.1, 1.0), (found.rho + 0.05, 1.0)]
    table = card(*(claim(mark="P", scores="", expected=region) for region in regions))
    assert table.data["verdict"].tolist() == ["holds", "does not hold", "undecided"]
    assert table.data[["tested_low", "tested_high"]].to_numpy().tolist() == [list(region) for region in regions]
    assert table.shown.columns.tolist() == ["Claim", "Counts as true", "Measured", "n", "Tells", "Verdict"]
    assert table.caption.startswith("3 predictions, written before the study was run")
    assert "1 holds, 1 does not hold, 1 undecided, 0 not in this study" in table.caption
    assert "paper" not in table.caption
