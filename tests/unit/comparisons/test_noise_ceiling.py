import numpy as np
import pandas as pd
import pytest
from scipy import stats

from apr.claims.claims import Claim
from apr.claims.corrected import corrected_table
from apr.comparisons.noise_ceiling import noise_ceiling_table
from apr.statistics.noise import ceilings, seed_noise

BOOTSTRAP = {"resamples": 200, "seed": 0}
TITLES = {"photos": "Photos", "digits": "Digits", "faces": "Faces"}
BASES = {"photos_seeds": "photos"}


def seeds(*sds, trainings=200, seed=2):
    """Trainings of one architecture for each standard deviation of its noise."""
    rng = np.random.default_rng(seed)
    frames = [
        pd.DataFrame({"model": f"a{i:03}", "seed": range(trainings), "value": rng.normal(20 + 3 * i, sd, trainings)})
        for i, sd in enumerate(sds)
    ]
    return pd.concat(frames, ignore_index=True)


def study(n=800, noise=2.0, seed=3):
    """Errors on photos of variance 16 and noise; digits without noise; their true rho is that of r = 0.8."""
    rng = np.random.default_rng(seed)
    photos = rng.normal(30, 4, n)
    digits = 0.8 * (photos - 30) / 4 + 0.6 * rng.normal(size=n) + 20
    scores = pd.DataFrame({"photos": photos + rng.normal(0, noise, n), "digits": digits})
    scores["faces"] = rng.normal(10, 1, n)
    scores.index = [f"a{i:03}" for i in range(n)]
    return scores, photos


def rho_of(r):
    return 6 / np.pi * np.arcsin(r / 2)  # Spearman's rho of a bivariate normal with correlation r


def corrected(scores, repeats, pairs, bases=None, claims=()):
    return corrected_table(scores, repeats, bases or BASES, pairs, claims, TITLES, **BOOTSTRAP)


def test_residuals_have_the_unbiased_variance_of_each_architecture():
    repeats = seeds(1, 3, trainings=4)
    repeats.loc[0, "value"] = np.nan
    repeats.loc[len(repeats)] = ["a009", 0, 12.0]
    residuals = seed_noise(repeats)
    expected = repeats.dropna().groupby("model")["value"].var().dropna()
    assert [len(values) for values in residuals] == [3, 4]
    assert [(values**2).mean() for values in residuals] == pytest.approx(expected.tolist())


@pytest.mark.parametrize("noise", [0.5, 2.0, 4.0])
def test_ceilings_of_normal_noise_are_the_theorys(noise):
    scores, photos = study(n=2000, noise=noise)
    found = ceilings(scores["photos"].to_numpy(), seed_noise(seeds(noise, noise, trainings=500)), **BOOTSTRAP)
    reliability = 16 / (16 + noise**2)
    assert found.seed_sd[0] == pytest.approx(noise, rel=0.06)
    assert found.reliability[0] == pytest.approx(reliability, abs=0.04)
    assert found.noise_free[0] == pytest.approx(rho_of(reliability**0.5), abs=0.02)
    assert found.retrained[0] == pytest.approx(rho_of(reliability), abs=0.03)
    assert found.noise_free[0] == pytest.approx(stats.spearmanr(photos, scores["photos"]).statistic, abs=0.03)
    for values in (found.seed_sd, found.reliability, found.noise_free, found.retrained):
        low, high = np.percentile(values[1:], [2.5, 97.5])
        assert low < values[0] < high


def test_the_interval_of_the_seed_sd_covers_the_truth_about_as_often_as_it_says():
    errors = study(n=5)[0]["photos"].to_numpy()
    covered = []
    for seed in range(100):
        found = ceilings(errors, seed_noise(seeds(1.5, 1.5, trainings=40, seed=seed)), **BOOTSTRAP)
        low, high = np.percentile(found.seed_sd[1:], [2.5, 97.5])
        covered.append(low <= 1.5 <= high)
    assert 0.85 <= np.mean(covered) <= 1


def test_correction_recovers_the_rho_without_noise():
    scores, photos = study(n=2000, noise=3.0)
    row = corrected(scores, {"photos_seeds": seeds(3, 3)}, [("digits", "photos")]).data.iloc[0]
    truth = stats.spearmanr(photos, scores["digits"]).statistic
    assert row["rho"] < truth - 0.1
    assert row["corrected"] == pytest.approx(truth, abs=0.03)
    assert row["corrected_low"] < truth < row["corrected_high"]
    assert row["rho"] / row["corrected"] == pytest.approx(rho_of((16 / 25) ** 0.5), abs=0.03)


def test_both_sides_are_corrected_where_both_are_repeated():
    scores, _ = study()
    repeats = {"photos_seeds": seeds(2), "digits_seeds": seeds(0.3)}
    bases = BASES | {"digits_seeds": "digits"}
    one = corrected(scores, repeats, [("photos", "digits")]).data.iloc[0]
    both = corrected(scores, repeats, [("photos", "digits")], bases).data.iloc[0]
    assert both["rho"] < one["corrected"] < both["corrected"] <= 1
    assert (one["x_corrected"], one["y_corrected"], both["y_corrected"]) == (True, False, True)


def test_the_side_without_repeats_is_said_and_pairs_without_any_are_left_out():
    scores, _ = study(n=60)
    table = corrected(scores, {"photos_seeds": seeds(2)}, [("photos", "faces"), ("digits", "faces")])
    assert table.shown["Seed noise"].tolist() == ["Photos measured, Faces not measured"]
    assert "left out, since the noise of neither task is measured: 1 of 2" in table.caption


def test_a_corrected_rho_beyond_1_is_clipped_and_says_so():
    scores, _ = study(n=60, noise=0.0)
    scores["digits"] = scores["photos"]
    table = corrected(scores, {"photos_seeds": seeds(2)}, [("photos", "digits")])
    row = table.data.iloc[0]
    assert (row["corrected"], row["corrected_high"], row["clipped"]) == (1, 1, True)
    assert row["noise_alone_possible"]
    assert table.shown["ρ corrected"].item().endswith("(clipped)")


def test_noise_as_large_as_the_spread_leaves_the_correction_undefined():
    scores, _ = study(n=60)
    repeats = {"photos_seeds": seeds(30)}
    row = noise_ceiling_table(scores, repeats, BASES, TITLES, **BOOTSTRAP).data.iloc[0]
    assert (row["reliability"], row["noise_free"]) == (0, 0)
    table = corrected(scores, repeats, [("photos", "digits")])
    assert np.isnan(table.data["corrected"].item())
    assert table.shown["ρ corrected"].item() == "undefined"
    assert table.shown["Differs from 0"].item() == "yes → no"


def test_a_saturated_task_stays_undefined():
    scores, _ = study(n=20)
    scores["digits"] = 0.0
    row = corrected(scores, {"photos_seeds": seeds(2)}, [("photos", "digits")]).data.iloc[0]
    assert np.isnan([row["rho"], row["corrected"], row["corrected_low"]]).all()


def test_claims_are_judged_before_and_after():
    scores, _ = study(n=800, noise=3.0)
    pair = [("photos", "digits")]
    plain = corrected(scores, {"photos_seeds": seeds(3, 3)}, pair).data.iloc[0]
    edge = plain["high"] + 0.06  # beyond the paper's own sampling error
    rest = {"kind": "rho", "arguments": {"x": "digits", "y": "photos"}, "because": "[I]", "incomparable": None}
    claims = [
        Claim("strong", "It is strong", None, "T", "strong", expected=(edge, 1.0), **rest),
        Claim("weak", "It is weak", None, "U", 0.2, expected=(-1.0, 0.2), **rest),
    ]
    table = corrected(scores, {"photos_seeds": seeds(3, 3)}, pair, claims=claims)
    assert table.shown["Verdict"].tolist() == ["not reproduced → reproduced", "not reproduced"]
    assert table.shown["Claim"].tolist() == ["It is strong", "It is weak (unverified)"]
    assert "stay as they are: 1 of 2" in table.caption


def test_unlike_noise_of_two_architectures_is_found_and_named():
    scores, _ = study(n=60)
    alike, unlike = (
        noise_ceiling_table(scores, {"photos_seeds": seeds(*sds)}, BASES, TITLES, **BOOTSTRAP)
        for sds in ((1, 1), (1, 2))
    )
    assert alike.data["sd_ratio"].item() < 1.2
    assert unlike.data["sd_ratio"].item() == pytest.approx(2, rel=0.15)
    assert unlike.data["levene_p"].item() < 0.001 < 0.05 < alike.data["levene_p"].item()
    assert "on none." in alike.caption
    assert "on Photos." in unlike.caption


def test_one_architecture_cannot_be_tested_and_one_training_measures_nothing():
    scores, _ = study(n=60)
    one = noise_ceiling_table(scores, {"photos_seeds": seeds(1)}, BASES, TITLES, **BOOTSTRAP)
    assert one.shown["Largest / least SD"].item() == "one architecture only"
    single = {"photos_seeds": seeds(1, trainings=1)}
    none = noise_ceiling_table(scores, single, BASES, TITLES, **BOOTSTRAP)
    assert none.shown["Seed SD (points)"].item() == "undefined"
    assert corrected(scores, single, [("photos", "digits")]).data.empty


def test_tables_of_a_study_without_repeats_say_so():
    scores, _ = study(n=20)
    noise = noise_ceiling_table(scores, {}, {}, TITLES, **BOOTSTRAP)
    pairs = corrected_table(scores, {}, {}, [("photos", "digits")], [], TITLES, **BOOTSTRAP)
    assert noise.data.empty
    assert "several seeds" in noise.caption
    assert pairs.data.empty
    assert "several seeds" in pairs.caption
