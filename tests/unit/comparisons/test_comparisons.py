import numpy as np
import pandas as pd
import pytest

from apr.basics.problems import Problem
from apr.comparisons.correlations import correlation_table, depth_width_table
from apr.comparisons.regret import regret_table
from apr.comparisons.table import markdown, save_table
from apr.statistics.bootstrap import interval
from apr.statistics.gains import gain_draws
from apr.statistics.ranks import spearman

BOOTSTRAP = {"resamples": 200, "seed": 0}
TITLES = {"photos": "Photos", "photos_2": "Photos-2", "digits": "Digits", "faces": "my_faces_", "cracks": "Cracks"}


def study(n=60):
    rng = np.random.default_rng(11)
    z = rng.normal(size=n)
    slopes = {"photos": 8, "photos_2": 3, "digits": 2, "faces": -4}
    scores = pd.DataFrame({task: 40 + slope * z + rng.normal(0, 3, n) for task, slope in slopes.items()})
    scores["cracks"] = 0.0
    scores.index = [f"a{i:03}" for i in range(n)]
    return scores


def correlations(scores, targets=("digits", "faces", "cracks"), closest=None):
    closest = {"digits": "photos_2", "cracks": "photos_2"} if closest is None else closest
    return correlation_table(scores, "photos", list(targets), closest, TITLES, **BOOTSTRAP)


def test_correlations_are_those_of_the_columns():
    scores = study()
    row = correlations(scores).data.set_index("target").loc["digits"]
    first = spearman(scores["photos"], scores["digits"], **BOOTSTRAP)
    second = spearman(scores["photos_2"], scores["digits"], **BOOTSTRAP)
    assert (row.rho, row.low, row.high, row.p, row.n) == (first.rho, first.low, first.high, first.p, 60)
    assert (row.rho_closest, row.high_closest) == (second.rho, second.high)
    assert row.gain == pytest.approx(second.rho - first.rho)
    assert row.gain_low < row.gain < row.gain_high


@pytest.mark.parametrize(("n", "least"), [(4, 0.5), (8, 0.05), (12, 0.02), (60, 0.001)])
def test_a_gain_between_two_that_rank_alike_is_not_certain(n, least):
    scores = study(n)
    scores["photos_2"] = scores["photos"] * 0.5
    table = correlations(scores, targets=("digits",))
    row = table.data.set_index("target").loc["digits"]
    assert row.gain == pytest.approx(0)
    assert row.gain_low < -least < least < row.gain_high
    low, high = table.shown["Gain"].iloc[0].partition("[")[2].rstrip("]").split(", ")
    assert low != high


def test_the_least_error_of_a_gain_is_meng_rosenthal_and_rubins():
    # rho 0.9 with the target both, one step from 1 between each other (1 - 12 / 120): 0.9. Means: square 0.81,
    # f = 0.1 / 0.38 = 0.2632, h = (1 - 0.2132) / 0.19 = 4.141; 0.19 * sqrt(2 * 0.1 * 4.141 * 1.405 / 2) = 0.1449
    target, one = [1.0, 2, 3, 4, 5], [2.0, 1, 3, 4, 5]
    low, high = interval(gain_draws((target, None), (one, None), (one, None), 2000, 0))
    assert (low, high) == pytest.approx((-1.96 * 0.1449, 1.96 * 0.1449), rel=0.01)
    assert np.isnan(gain_draws((target[:3], None), (one[:3], None), (one[:3], None), 10, 0)).all()


def test_intervals_of_the_gain_cover_for_few_models():
    rng = np.random.default_rng(0)
    covariance = [[1, 0.8, 0.75], [0.8, 1, 0.98], [0.75, 0.98, 1]]
    truth = 6 / np.pi * (np.arcsin(0.75 / 2) - np.arcsin(0.8 / 2))
    for n in (4, 8, 12):
        covered = []
        for i in range(60):
            errors = rng.multivariate_normal(np.zeros(3), covariance, size=n)
            low, high = interval(gain_draws(*((column, None) for column in errors.T), 100, i))
            covered.append(low <= truth <= high)
        assert np.mean(covered) >= 0.88


def test_means_are_over_targets_with_both_correlations_and_say_so():
    table = correlations(study())
    data = table.data.set_index("target")
    assert data.loc["mean", "rho"] == data.loc["digits", "rho"]
    assert data.loc["mean", "gain"] == pytest.approx(data.loc["mean", "rho_closest"] - data.loc["mean", "rho"])
    assert "1 of 3 targets" in table.caption
    assert f"{data.loc['mean', 'rho']:.3f}" in table.caption


def test_without_a_family_the_mean_is_of_the_reference():
    table = correlations(study(), targets=("digits", "faces"), closest={})
    data = table.data.set_index("target")
    assert data.loc["mean", "rho"] == pytest.approx(data.loc[["digits", "faces"], "rho"].mean())
    assert np.isnan(data.loc["mean", "gain"])
    assert "Over the 2 of 2 targets where it is defined, the mean ρ is" in table.caption
    assert "closest member. All" not in table.caption


def test_a_saturated_target_is_undefined_not_zero():
    table = correlations(study())
    assert np.isnan(table.data.set_index("target").loc["cracks", "rho"])
    assert table.shown.set_index("Target").loc["Cracks", "ρ with Photos"] == "undefined"


def test_each_row_has_its_own_number_of_models():
    scores = study()
    scores.loc["a003", "digits"] = np.nan
    table = correlations(scores)
    assert table.data.set_index("target").loc[["digits", "faces"], "n"].tolist() == [59, 60]
    assert "up to 1 of 60" in table.caption


def test_depth_and_width():
    scores = study()
    shape = pd.DataFrame(
        {"cumulative_depth": -scores["photos"], "cumulative_width": scores["photos_2"]}, index=scores.index
    )
    table = depth_width_table(scores, shape, ["photos", "photos_2"], TITLES, **BOOTSTRAP)
    data = table.data.set_index("task")
    assert data.loc["photos", "rho_depth"] == pytest.approx(-1)
    assert data.loc["photos_2", "rho_width"] == pytest.approx(1)
    assert table.shown["ρ with depth"].iloc[0] == "−1.000 [−1.0000, −0.9999]"
    assert data.loc["photos", "low_depth"] == -1 < data.loc["photos", "high_depth"]
    with pytest.raises(Problem, match="no model a000"):
        depth_width_table(scores, shape.drop("a000"), ["photos"], TITLES, **BOOTSTRAP)


def test_regret_rows_are_target_by_source_by_k():
    table = regret_table(
        study(), "photos", ["digits", "faces"], {"digits": "photos_2"}, [1, 5, 500], TITLES, **BOOTSTRAP
    )
    keys = list(table.data[["target", "chosen_on", "k"]].itertuples(index=False, name=None))
    assert keys == [
        *[("digits", "photos", 1), ("digits", "photos", 5), ("digits", "photos_2", 1), ("digits", "photos_2", 5)],
        *[("faces", "photos", 1), ("faces", "photos", 5)],
    ]
    faces = table.data.iloc[4]
    best_on_reference = study()["photos"].idxmin()
    assert faces["chosen"] == study().loc[best_on_reference, "faces"]
    assert faces["relative"] > 1


def test_no_usable_k_and_no_target_are_problems():
    with pytest.raises(Problem, match="regret_k"):
        regret_table(study(), "photos", ["digits"], {}, [500], TITLES, **BOOTSTRAP)
    with pytest.raises(Problem, match="no target"):
        correlations(study(), targets=())
    with pytest.raises(Problem, match="no target"):
        regret_table(study(), "photos", [], {}, [1], TITLES, **BOOTSTRAP)


def test_files_of_a_table(tmp_path):
    table = correlations(study())
    paths = {"csv": tmp_path / "t.csv", "md": tmp_path / "t.md", "caption": tmp_path / "t.rst"}
    save_table(table, **paths)
    written = pd.read_csv(paths["csv"]).fillna({"closest": ""})
    pd.testing.assert_frame_equal(written, table.data.fillna({"closest": ""}), check_dtype=False, rtol=1e-9)
    assert "my_faces\\_" in paths["md"].read_text(encoding="utf-8")
    caption = paths["caption"].read_text(encoding="utf-8")
    assert caption.startswith(".. csv-table::")
    assert "\n\nSpearman's ρ" in caption


def test_markdown_lines_up():
    lines = markdown(pd.DataFrame({"Target": ["a|b", "c"], "ρ": ["−0.4", "undefined"]})).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[2].startswith(r"| a\|b ")
