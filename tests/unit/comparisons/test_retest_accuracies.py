import numpy as np
import pandas as pd
import pytest
from published import PRINTED_THRESHOLD_TOP1, published_scores
from scipy.stats import binomtest

from apr.comparisons.retest_accuracies import retest_table
from apr.comparisons.table import save_table
from apr.scores.paired import paired

COLUMNS = ["model", "orig_acc", "orig_lo", "orig_hi", "new_acc", "new_lo", "new_hi", "gap"]
COLUMNS += ["orig_rank", "new_rank", "delta_rank"]
RETEST = {"name": "old_new", "title": "New set", "original": "old", "new": "new_set", "metric": "top1_accuracy"}
TITLES = {"old": "the old set", "new_set": "the new set"}
TRIO = ["imagenetv2_matched_frequency", "imagenetv2_threshold_0.7", "imagenetv2_top_images"]


def accuracies(orig, new, orig_n=1_000, new_n=200, counted=True):
    """As of `paired.paired`, from correct counts by model."""
    rows = pd.DataFrame({"orig_correct": orig, "new_correct": new}, dtype=float).rename_axis("model")
    for side, n in (("orig", orig_n), ("new", new_n)):
        rows[f"{side}_n"], rows[f"{side}_acc"] = float(n), 100 * rows[f"{side}_correct"] / n
    if not counted:
        rows[["orig_correct", "new_correct"]] = np.nan
    return rows.sort_index().sort_values("orig_acc", ascending=False, kind="stable")


FOUR = accuracies({"b": 900, "a": 800, "c": 700, "d": 600}, {"a": 150, "b": 150, "c": 111, "d": 160})


def published_table(new, metric, original="imagenet_val"):
    errors = published_scores()
    retest = {"original": original, "new": new, "metric": metric}
    return retest_table(paired(errors[original], errors[new], metric), retest, {original: original, new: new})


def test_accuracies_intervals_gaps_and_ranks():
    table = retest_table(FOUR, RETEST, TITLES)
    data = table.data.set_index("model")
    assert table.data.columns.tolist() == COLUMNS
    assert data.index.tolist() == ["b", "a", "c", "d"]
    interval = binomtest(111, 200).proportion_ci(0.95, method="exact")
    assert data.loc["c", ["new_acc", "new_lo", "new_hi"]].tolist() == pytest.approx(
        [55.5, 100 * interval.low, 100 * interval.high], abs=0.005
    )
    assert data.loc["c", "gap"] == 14.5
    assert data["orig_rank"].tolist() == [1, 2, 3, 4]


def test_ties_are_ranked_by_name_and_a_fall_is_negative():
    data = retest_table(FOUR, RETEST, TITLES).data.set_index("model")
    assert data["new_rank"].to_dict() == {"d": 1, "a": 2, "b": 3, "c": 4}
    assert data["delta_rank"].to_dict() == {"b": -2, "a": 0, "c": -1, "d": 3}


def test_two_decimals_in_all_numbers(tmp_path):
    thirds = accuracies({"a": 2, "b": 1}, {"a": 2, "b": 1}, orig_n=3, new_n=7)
    table = retest_table(thirds, RETEST, TITLES)
    save_table(table, tmp_path / "t.csv", tmp_path / "t.md", tmp_path / "t.rst")
    first = (tmp_path / "t.csv").read_text().splitlines()[1]
    assert first == "a,66.67,9.43,99.16,28.57,3.67,70.96,38.10,1,1,0"
    shown = table.shown.iloc[0].to_dict()
    assert shown["Original accuracy (%)"] == "66.67 [9.43, 99.16]"
    assert (shown["Gap (points)"], shown["Δ rank"]) == ("38.10", "0")
    assert retest_table(FOUR, RETEST, TITLES).shown["Δ rank"].tolist() == ["−2", "0", "−1", "3"]


def test_percentages_alone_give_the_interval_of_the_nearest_count():
    measured = accuracies({"a": 800, "b": 700}, {"a": 150, "b": 111}, counted=False)
    measured["new_acc"] += 0.1
    exact = retest_table(FOUR.loc[["a", "c"]].rename(index={"c": "b"}), RETEST, TITLES).data
    found = retest_table(measured, RETEST, TITLES).data
    assert found[["new_lo", "new_hi", "orig_lo"]].equals(exact[["new_lo", "new_hi", "orig_lo"]])
    assert found["new_acc"].tolist() == [75.1, 55.6]
    measured["new_n"] = np.nan
    table = retest_table(measured, RETEST, TITLES)
    assert table.data["new_lo"].isna().all()
    assert table.shown["New accuracy (%)"].tolist() == ["75.10", "55.60"]
    assert "the old set (1,000 images) and on the new set, best" in table.caption


def test_the_caption_is_computed():
    caption = retest_table(FOUR, RETEST, TITLES).caption
    assert caption.startswith(
        "Top-1 accuracy of 4 models on the old set (1,000 images) and on the new set (200 images)"
    )
    assert "3.6 points on average, from −20.0 (d) to 15.0 (b)" in caption
    assert "1 of 4 models keep theirs, and none moves more than 3 (d)" in caption
    same = accuracies({"a": 3, "b": 2}, {"a": 3, "b": 2})
    assert "all models keep theirs" in retest_table(same, RETEST | {"metric": "top5_accuracy"}, TITLES).caption


def test_the_tables_have_every_published_model():
    assert [
        len(published_table(new, metric).data) for new in TRIO for metric in ("top1_accuracy", "top5_accuracy")
    ] == [67] * 6
    assert [len(published_table(f"cifar10.1_{v}", "top1_accuracy", "cifar10").data) for v in ("v4", "v6")] == [30] * 2


def test_published_accuracies_are_met_to_the_printed_digit():
    # Recht et al. (2019), in %: accuracy on ImageNet and on MatchedFrequency
    printed = {"pnasnet_large_tf": "82.9 72.2", "resnet152": "78.3 67.0", "alexnet": "56.5 44.0", "fv_64k": "35.1 24.1"}
    data = published_table("imagenetv2_matched_frequency", "top1_accuracy").data.set_index("model")
    for model, values in printed.items():
        assert f"{data.loc[model, 'orig_acc']:.1f} {data.loc[model, 'new_acc']:.1f}" == values, model
    threshold = published_table("imagenetv2_threshold_0.7", "top1_accuracy").data.set_index("model")
    assert threshold.loc[list(PRINTED_THRESHOLD_TOP1), "new_acc"].to_dict() == PRINTED_THRESHOLD_TOP1


@pytest.mark.parametrize(
    ("new", "metric", "change"),
    [
        (TRIO[0], "top1_accuracy", "-11.8"),
        (TRIO[0], "top5_accuracy", "-8.2"),
        (TRIO[1], "top1_accuracy", "-3.2"),
        (TRIO[1], "top5_accuracy", "-1.2"),
        (TRIO[2], "top1_accuracy", "2.1"),
        (TRIO[2], "top5_accuracy", "1.8"),
    ],
)
def test_published_mean_changes_are_met_to_the_printed_digit(new, metric, change):
    # Recht et al. (2019): mean over the 67 models, in points
    assert f"{-published_table(new, metric).data['gap'].mean():.1f}" == change
