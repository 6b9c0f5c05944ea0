"""Which model to take: what the table says of each, and above it of ImageNet as a guide."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from transfer_studies import IMAGENET, bare, transfer

from apr.comparisons.table import save_table
from apr.comparisons.transfer.models import chosen_by_imagenet, models_table, worse_than_best
from apr.comparisons.transfer.rankings import rankings_table
from apr.comparisons.transfer.scores import scores_table

BEST = "timm:tf_efficientnet_lite2.in1k"


@pytest.fixture(scope="module")
def whole():
    return transfer()


def test_models_come_best_first_with_what_they_cost(whole):
    table = models_table(whole)
    rows = table.data[table.data["target"] == "eurosat"]
    assert rows["value"].is_monotonic_decreasing
    assert rows["worse"].iloc[0] == "best"
    assert (rows["low"] <= rows["value"]).all()
    assert (rows["value"] <= rows["high"]).all()
    assert rows.set_index("model").loc[BEST, "parameters"] == 10e6
    assert list(table.shown)[-3:] == ["Parameters (M)", "Multiply-adds (M)", "Images/s"]


def test_a_model_is_worse_where_the_same_images_say_so():
    scored = transfer().targets["eurosat"]
    gaps, p = worse_than_best(scored)
    best = gaps.idxmin()
    assert gaps[best] == 0
    assert np.isnan(p[best])
    weakest = gaps.idxmax()
    assert p[weakest] < 0.001
    apart = scored.draws[scored.values.index.get_loc(best)] - scored.draws[scored.values.index.get_loc(weakest)]
    assert (apart > 0).mean() > 0.99
    twins = scored.of([best, best])
    twins.values.index = ["one", "two"]
    assert worse_than_best(twins)[1].dropna().tolist() == [1.0]  # who answers alike is not worse


def test_mean_ranks_are_over_all_datasets(whole):
    data = models_table(whole).data
    means = data[data["target"] == "mean rank"].set_index("model")["value"]
    ranks = pd.DataFrame({task: one.values.rank(ascending=False) for task, one in whole.targets.items()})
    pd.testing.assert_series_equal(means, ranks.mean(axis=1)[means.index], check_names=False)
    assert means.is_monotonic_increasing


def test_the_regret_is_of_the_best_on_imagenet(whole):
    for scored in whole.targets.values():
        choice = chosen_by_imagenet(whole, scored)
        assert choice.chosen == BEST
        assert choice.regret == pytest.approx(scored.values.max() - scored.values[BEST])
        assert choice.low <= choice.regret <= choice.high


def test_above_the_table_stands_how_far_imagenet_could_be_trusted(whole, tmp_path):
    table = models_table(whole)
    save_table(table, tmp_path / "t.csv", tmp_path / "t.md", tmp_path / "t.rst")
    text = (tmp_path / "t.md").read_text()
    assert text.startswith("How far the ranking on ImageNet could be trusted here:")
    assert text.index("ρ 0.") < text.index("| Dataset")
    rho = stats.spearmanr(pd.Series(IMAGENET)[whole.targets["lesions"].values.index], whole.targets["lesions"].values)
    assert f"ρ {rho.statistic:.2f}" in table.lead
    assert (tmp_path / "t.rst").read_text().startswith("How far")


def test_which_model_to_take_needs_no_imagenet(tmp_path):
    found = bare(tmp_path, accuracies={"timm:other": 70.0})
    table = models_table(found)
    assert table.lead.startswith("ImageNet accuracies of these models are not known, so that nothing can be said")
    assert set(table.shown["ImageNet top-1 (%)"]) == {""}
    assert sorted(table.data["model"]) == sorted(IMAGENET)
    assert table.data["value"].is_monotonic_decreasing
    assert "left out" not in table.caption
    assert "ρ" not in table.caption
    scores = scores_table(found)
    assert len(scores.data) == 10
    assert "Without ImageNet accuracy: 10 models of Plants" in scores.caption
    row = rankings_table(found).data.iloc[0]
    assert (row["n"], row["chosen"]) == (0, "")
    assert np.isnan(row["regret"])


@pytest.mark.parametrize("known", [1, 3, 4])
def test_few_known_accuracies_say_little(tmp_path, known):
    found = bare(tmp_path, accuracies=dict(list(IMAGENET.items())[-known:]))
    table = models_table(found)
    assert (table.shown["ImageNet top-1 (%)"] == "").sum() == 10 - known
    few = f"- Plants: {known} model{'s' * (known > 1)} of 10 with an ImageNet accuracy, too few for ρ and a slope"
    assert (few in table.lead) == (known < 4)
    assert ("ρ" in table.caption) == ("a point more on ImageNet" in table.lead) == (known == 4)
    assert (f"{BEST}, the best on ImageNet, loses" in table.lead) == (known > 1)


def test_an_error_is_best_where_it_is_least(tmp_path):
    found = bare(tmp_path, metric="top1_error")
    data = models_table(found).data
    assert data["value"].is_monotonic_increasing
    assert chosen_by_imagenet(found, found.targets["plants"]).regret >= 0
    assert "Worse than the best" not in models_table(found).shown
    assert "binomial counts" in models_table(found).caption
