"""Tables of transfer: numbers as scipy and scikit-learn would have them, and words that say what they are of."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from transfer_studies import IMAGENET, Target, bare, hows, transfer

from apr.comparisons.transfer.gains import augmentation_ahead, average_of, base_model, gains_of
from apr.comparisons.transfer.rankings import rankings_table
from apr.comparisons.transfer.scores import cells_of, cells_table, scores_table
from apr.comparisons.transfer.slopes import slopes_table
from apr.comparisons.transfer.targets import read_transfer, short_names
from apr.scores.table import read_scores, write_scores

BEST = "timm:tf_efficientnet_lite2.in1k"


@pytest.fixture(scope="module")
def whole():
    return transfer()


# --- what is compared ---


def test_models_are_those_of_all_tables_and_better_ones_come_last(whole):
    models = whole.common(*whole.targets.values())
    assert models == sorted(IMAGENET, key=IMAGENET.get)
    within = whole.within(models)
    assert [int(inside.sum()) for inside in within.values()] == [10, 6, 5]
    assert whole.fit_titles() == {
        "all": "all models",
        "above": "above 65 %",
        "after": "better than mobilenetv1_075",
    }


def test_a_model_under_another_name_is_said(tmp_path):
    found = bare(tmp_path, accuracies={"timm:mobilenetv1_025": 39.9})
    table = slopes_table(found)
    assert table.data["slope"].isna().all()
    assert "Without ImageNet accuracy, and left out: 10 models of Plants (own:" in table.caption
    assert "most like own:studies/networks/deep_compression.py:squeezenet is timm:mobilenetv1_025" in table.caption


def test_a_model_of_after_without_accuracy_has_no_line_and_that_is_said():
    table = slopes_table(transfer(after="timm:vgg"))
    assert set(table.data["line"]) == {"all", "above"}
    assert "No line of models better than timm:vgg, which has no accuracy there." in table.caption


def test_names_are_short_as_far_as_that_tells_models_apart():
    models = ["timm:vit.a_in1k", "timm:vit.b_in1k", "torchvision:alexnet.IMAGENET1K_V1", "mine"]
    assert list(short_names(models).values()) == ["vit.a_in1k", "vit.b_in1k", "alexnet", "mine"]


def test_seeds_of_a_model_are_one_score(tmp_path):
    found = bare(tmp_path, seeds=(1, 2))
    rows = pd.DataFrame(read_scores(tmp_path / "results/scores/plants.csv"))
    means = rows.groupby("model", sort=False)["value"].mean()
    pd.testing.assert_series_equal(found.targets["plants"].values, means, check_names=False)
    assert len(means) == len(rows) / 2 == 10


def test_models_that_diverged_are_left_out_and_named(tmp_path):
    first, second, *_ = IMAGENET
    bare(tmp_path)
    path = tmp_path / "results/scores/plants.csv"
    rows = read_scores(path)
    rows[0] |= {"status": "diverged", "value": None}
    write_scores(path, rows)
    settings = transfer().settings | {"targets": ["plants"], "probes": {}, "scratch": {}, "augmentation": {}}
    titles = {"imagenet": "ImageNet", "plants": "Plants"}
    found = read_transfer(settings, [tmp_path / "results/scores/imagenet.csv", path], [], titles, 0, hows(titles))
    assert found.common(found.targets["plants"])[0] != first
    assert f"Diverged, and left out: 1 model of Plants ({first})." in slopes_table(found).caption
    assert second in scores_table(found).data["model"].to_list()


# --- slopes ---


def test_slopes_are_those_of_least_squares_over_each_set_of_models(whole):
    data = slopes_table(whole).data
    scored = whole.targets["eurosat"]
    accuracy = pd.Series(IMAGENET)[scored.values.index]
    rows = data[(data["task"] == "eurosat") & (data["trained"] == "fine-tuned")].set_index("line")
    for line, kept in (("all", accuracy > 0), ("above", accuracy > 65), ("after", accuracy > 66.2)):
        expected = stats.linregress(accuracy[kept], scored.values[kept]).slope
        assert rows.loc[line, "slope"] == pytest.approx(expected)
        assert rows.loc[line, "low"] < expected < rows.loc[line, "high"]
    assert rows.loc["above", "difference"] == pytest.approx(rows.loc["above", "slope"] - rows.loc["all", "slope"])
    assert rows.loc["all", "tells"] == pytest.approx(
        (stats.t.ppf(0.975, 8) + stats.t.ppf(0.8, 8)) * rows.loc["all", "error"]
    )
    assert set(data["trained"]) == {"fine-tuned", "fixed features", "from scratch"}


def test_what_the_paper_reports_stands_beside_its_own_datasets_alone(whole):
    table = slopes_table(whole, {"eurosat": {"above": "below 0.05"}})
    said = table.data[table.data["paper_value"] != ""]
    assert said[["target", "trained", "line"]].to_numpy().tolist() == [["eurosat", "fine-tuned", "above"]]
    assert "Paper" in table.shown
    assert "Paper" not in slopes_table(whole).shown


def test_both_sources_of_imagenet_accuracy_have_their_slopes_and_noise():
    table = slopes_table(transfer(evaluated="imagenet_val"))
    assert set(table.data["imagenet"]) == {"imagenet", "imagenet_val"}
    assert "those of Own pictures, of 239 images, by at most" in table.caption
    counts = table.data.groupby(["imagenet", "line"])["n"].first()
    assert counts["imagenet", "above"] == counts["imagenet_val", "above"] == 6  # the limit is on the reference


def test_the_noise_of_imagenet_is_held_against_the_models_of_the_study(tmp_path):
    few = list(IMAGENET)[4:6]  # 3.5 points apart, in a table of others that are much further
    pair = slopes_table(bare(tmp_path, models=few)).caption
    noise = np.mean([IMAGENET[model] * (100 - IMAGENET[model]) for model in few]) / 50_000
    share = 100 * noise / np.var([IMAGENET[model] for model in few], ddof=1)
    assert share > 0.1
    assert f"of 50,000 images, by at most {share:.1f} %" in pair


def test_rare_labels_are_named_where_a_metric_hangs_on_them(whole):
    caption = slopes_table(whole).caption
    assert "Labels with fewer than 20 test images" in caption
    assert f"Proteins: class 5 ({whole.targets['proteins'].rare['class 5']})" in caption
    assert "Eurosat: class" not in caption


def test_three_models_have_lines_without_intervals(tmp_path):
    table = slopes_table(bare(tmp_path, models=list(IMAGENET)[:3]))
    assert table.data["low"].isna().all()
    assert "[no interval]" in table.shown["Slope"].iloc[0]
    assert "plants, all: fewer than four models" in table.caption


# --- scores, rankings, cells ---


def test_every_model_has_its_score_and_a_guess_its_level(whole):
    table = scores_table(whole)
    assert table.data["imagenet"].is_monotonic_decreasing
    assert table.shown["Model"].iloc[-1] == "a guess"
    row = table.data.set_index("model").loc[BEST]
    assert row["lesions"] == pytest.approx(whole.targets["lesions"].values[BEST])
    assert row["lesions_low"] < row["lesions"] < row["lesions_high"]
    assert "(of their groups for Lesions)" in table.caption


def test_rank_correlations_have_ceilings_below_one(whole):
    data = rankings_table(whole).data.set_index("target")
    for task, scored in whole.targets.items():
        rho = stats.spearmanr(pd.Series(IMAGENET)[scored.values.index], scored.values).statistic
        assert data.loc[task, "rho"] == pytest.approx(rho)
        assert 0 < data.loc[task, "ceiling_low"] <= data.loc[task, "ceiling"] < 1
    assert data.loc["lesions", "ceiling"] < data.loc["eurosat", "ceiling"]  # fewer groups, models more alike
    assert (data["p_holm"] >= data["p"]).all()


def test_rankings_of_unknown_images_have_no_ceiling(tmp_path):
    table = rankings_table(bare(tmp_path))
    assert "Ceiling of ρ" not in table.shown
    assert "Ceiling" not in table.caption


def test_cells_are_those_of_the_table_and_the_choice_by_test_is_never_worse(tmp_path):
    path, _, _ = Target("plants", cells=(0.1, 0.01, 0.001), seeds=(1, 2)).write(tmp_path)
    rows = pd.DataFrame(read_scores(path, all_cells=True))
    means = rows.groupby(["model", "cell_lr"])["value"].mean()
    found = cells_of(path).set_index("model")
    for model, cells in means.groupby("model"):
        own = found.loc[model]
        assert (own["best"], own["median"], own["worst"]) == pytest.approx((cells.max(), cells.median(), cells.min()))
        assert own["chosen"] == pytest.approx(means[model, own["cell_lr"]])
        assert own["optimism"] == pytest.approx(cells.max() - own["chosen"])
        assert own["cells"] == 3
    table = cells_table({"plants": cells_of(path)}, {"plants": "Plants"})
    assert "lr" in table.shown
    assert len(table.shown) == 10


def test_seeds_of_the_chosen_cell_alone_and_dropped_cells_stand_beside_the_grids_own_scores(tmp_path):
    path, _, _ = Target("plants", cells=(0.1, 0.01, 0.001)).write(tmp_path)
    rows = read_scores(path, all_cells=True)
    before = cells_of(path).set_index("model")
    model = rows[0]["model"]
    chosen = next(row for row in rows if row["model"] == model and row["chosen"] == "yes")
    poor = next(row for row in rows if row["model"] == model and row["chosen"] == "no")
    poor |= {"status": "dropped", "value": None}
    more = [chosen | {"seed": seed, "value": value} for seed, value in ((98, 10.0), (99, 30.0))]
    write_scores(path, [*rows, *more])
    own = cells_of(path).set_index("model").loc[model]
    assert own["chosen"] == before.loc[model, "chosen"]  # as the other cells, of the grid's seed
    assert (own["cells"], own["dropped"], own["seeds"]) == (2, 1, 3)
    values = [chosen["value"], 10.0, 30.0]
    assert (own["mean"], own["sd"]) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    table = cells_table({"plants": cells_of(path)}, {"plants": "Plants"})
    assert {"Dropped", "Seeds", "Mean", "SD"} <= {*table.shown}
    assert "nothing is known of their scores" in table.caption
    assert not {"Dropped", "Seeds"} & {*cells_table({"plants": before.reset_index()}, {"plants": "Plants"}).shown}


# --- gains and means ---


def test_gains_are_differences_on_the_same_images(whole):
    data = gains_of(whole, "eurosat")
    models = sorted(IMAGENET, key=IMAGENET.get)
    assert base_model(whole, models) == "own:studies/networks/tf_quant.py:mobilenetv1_075"
    rows = data.set_index(["gain", "model"])["value"]
    plain = whole.others["augmentation"]["eurosat"].values
    augmented = whole.targets["eurosat"].values
    for model in IMAGENET:
        assert rows["augmentation", model] == pytest.approx(augmented[model] - plain[model])
        assert rows["architecture", model] == pytest.approx(
            augmented[model] - augmented["own:studies/networks/tf_quant.py:mobilenetv1_075"]
        )
    ahead = augmentation_ahead(whole, "eurosat")
    expected = (augmented - plain[augmented.index]).mean() - rows["architecture", BEST]
    assert ahead.value == pytest.approx(expected)
    assert ahead.low <= ahead.value <= ahead.high


def test_the_base_model_is_the_weakest_above_the_limit_where_none_is_named():
    models = sorted(IMAGENET, key=IMAGENET.get)
    assert base_model(transfer(after=None), models) == "own:studies/networks/tf_quant.py:mobilenetv1_075"
    assert base_model(transfer(after=None, above=None), models) == models[0]


def test_the_mean_is_of_logits_centred_on_each_dataset(whole):
    found = average_of(whole, whole.targets)
    values = pd.DataFrame({task: one.values for task, one in whole.targets.items()})
    logits = np.log(values / (100 - values))
    expected = (logits - logits.mean()).mean(axis=1)[found.points["model"]]
    np.testing.assert_allclose(found.points["value"], expected)
    x = np.array([IMAGENET[model] for model in found.points["model"]])
    theirs = stats.pearsonr(np.log(x / (100 - x)), expected)
    assert found.r == pytest.approx(theirs.statistic)
    assert (found.low, found.high) == pytest.approx(tuple(theirs.confidence_interval(0.95)))


@pytest.mark.parametrize(("place", "value"), [(3, 100.0), (0, 0.0), (2, -3.2)])
def test_a_model_whose_score_has_no_odds_is_left_out_of_the_mean_and_named(whole, place, value):
    models = list(whole.targets["eurosat"].values.index)
    scored = whole.targets["eurosat"].of(models)
    scored.values.iloc[place] = value
    found = average_of(whole, whole.targets | {"eurosat": scored})
    assert found.n == 9
    assert found.without == {models[place]: f"{scored.title}: {value:.1f} %".replace("-", "−")}
    kept = [model for model in models if model != models[place]]
    fewer = {task: one.of(kept) for task, one in whole.targets.items()}
    pd.testing.assert_frame_equal(found.points, average_of(whole, fewer).points)
    assert np.isfinite(found.points[["value", "low", "high"]]).all(axis=None)


def test_no_mean_is_left_where_no_score_has_odds(whole):
    scored = whole.targets["eurosat"].of(whole.targets["eurosat"].values.index)
    scored.values[:] = 0.0
    found = average_of(whole, whole.targets | {"eurosat": scored})
    assert (found.n, len(found.without)) == (0, 10)
    assert np.isnan(found.r)
