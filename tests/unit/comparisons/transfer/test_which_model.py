"""Which model to take: what the table says of each, and above it of ImageNet as a guide."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from transfer_studies import IMAGENET, RESAMPLES, bare, transfer

from apr.comparisons.table import save_table
from apr.comparisons.transfer.answer import answer_of
from apr.comparisons.transfer.choices import chosen_by_imagenet, worse_than_best
from apr.comparisons.transfer.models import models_table
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
    found = transfer()
    scored = found.targets["eurosat"]
    gaps, p = worse_than_best(found, scored)
    best = gaps.idxmin()
    assert gaps[best] == 0
    assert np.isnan(p[best])
    weakest = gaps.idxmax()
    assert p[weakest] < 0.001
    apart = scored.draws[scored.values.index.get_loc(best)] - scored.draws[scored.values.index.get_loc(weakest)]
    assert (apart > 0).mean() > 0.99
    twins = scored.of([best, best])
    twins.values.index = ["one", "two"]
    assert worse_than_best(found, twins)[1].dropna().tolist() == [1.0]  # who answers alike is not worse


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
    assert text.startswith("Which model to take:")
    assert text.index("ρ = 0.") < text.index("| Dataset")
    rho = stats.spearmanr(pd.Series(IMAGENET)[whole.targets["lesions"].values.index], whole.targets["lesions"].values)
    assert f"ρ = {rho.statistic:.2f}".replace("-", "−") in table.lead
    assert (tmp_path / "t.rst").read_text().startswith("Which model")


def scores_of(found, values, low=None, high=None, **more):
    """That study's first target with other scores, by model."""
    task, scored = next(iter(found.targets.items()))
    own = scored.of(list(values))
    changed = {name: pd.Series(of or values) for name, of in (("values", None), ("low", low), ("high", high))}
    return replace(found, targets={task: replace(own, **changed, **more)})


def test_the_answer_is_a_sentence_for_each_dataset(whole):
    lines = models_table(whole).lead.split("\n\n")[1].splitlines()
    for line, (_, scored) in zip(lines, whole.targets.items(), strict=True):
        best, (_, p) = scored.losses.idxmin(), worse_than_best(whole, scored)
        equal = [model for model in p.index if p[model] >= 0.05]
        assert line.startswith(f"- {scored.title}: take {best} ({scored.metric.title} {scored.values[best]:.1f} [")
        assert ("all others are worse beyond noise" in line) == (not equal)
        assert all(model in line for model in equal[:4])
        assert "; ImageNet accuracy ranks these 10 models with ρ = " in line


def test_models_that_share_the_best_score_are_named_or_counted(whole):
    names = list(IMAGENET)
    said = {
        1: r" %\)",
        2: r" %, the same as \S+\)",
        3: r" %, the same as \S+ and \S+\)",
        5: r" %, the same as 4 others\)",
    }
    for ties, words in said.items():
        scores = {name: 80.0 if number < ties else 60.0 for number, name in enumerate(names)}
        table = models_table(scores_of(whole, scores, draws=None))
        assert re.search(f"has the best score .top-1 accuracy [^)]*{words}", table.lead), table.lead
        assert ("the same as" in table.lead) == (ties > 1)
        assert [worse == "best" for worse in table.data["worse"]] == [place < ties for place in range(len(names))]


def test_why_no_answer_can_be_given_is_said(whole, tmp_path):
    alone = answer_of(scores_of(whole, {BEST: 80.0}, draws=None))
    assert (
        f"no answer can be given: {BEST} (top-1 accuracy 80.0 [80.0, 80.0] %) is the only model with a score" in alone
    )
    guess = whole.targets["eurosat"].guess
    names = list(IMAGENET)
    low = dict.fromkeys(names, guess - 1)
    text = answer_of(scores_of(whole, dict.fromkeys(names, guess + 1), low))
    assert "no answer can be given: not even the best, " in text
    assert f"is beyond a guess ({guess:.1f} %)" in text
    assert "no answer can be given: which images each model got right is not known" in answer_of(bare(tmp_path))
    alike = scores_of(whole, dict.fromkeys(names, 80.0), draws=np.full((10, RESAMPLES), 80.0))
    assert "no model stands out: " in answer_of(alike)
    assert "and none of the other 9 is worse beyond noise" in answer_of(alike)


@pytest.mark.parametrize(("spread", "within"), [(1.0, True), (0.3, False), (5.0, False)])
def test_a_loss_that_only_an_uncorrected_interval_shows_is_told_as_such(whole, spread, within):
    names = [BEST, *(name for name in IMAGENET if name != BEST)][:4]
    values = dict(zip(names, (77.0, 80.0, 79.9, 79.8), strict=True))
    noise = np.random.default_rng(0).normal(0, spread, (4, RESAMPLES))
    found = scores_of(whole, values, draws=np.array(list(values.values()))[:, None] + noise)
    (scored,) = found.targets.values()
    text = answer_of(found)
    assert (chosen_by_imagenet(found, scored).low > 0) == (spread < 5)
    assert (worse_than_best(found, scored)[1][BEST] < 0.05) == (spread < 1)
    assert f"{BEST}, the best on ImageNet, loses 3.0 [" in text
    assert ("(by itself; corrected for 3 comparisons with the best it is within noise)" in text) == within


@pytest.mark.parametrize(("more", "named"), [(5.0, True), (-5.0, False)])
def test_a_model_that_is_better_as_fixed_features_is_named(whole, more, named):
    task, scored = next(iter(whole.targets.items()))
    level = scored.values.max() + more
    probe = replace(scored, values=scored.values * 0 + level, low=scored.low * 0 + 1, high=scored.high * 0 + 99)
    text = answer_of(replace(whole, targets={task: scored}, others=whole.others | {"probes": {task: probe}}))
    said = (
        f"; as fixed features {scored.values.index[0]} scores better than all of these ({level:.1f} [1.0, 99.0] %, the "
    )
    said += f"same as {len(probe.values) - 1} others); "
    assert (said in text) == named
    assert ("as fixed features" in text) == named


def test_ties_are_broken_in_one_way_everywhere(whole):
    names = list(IMAGENET)
    found = scores_of(whole, dict.fromkeys(names, 80.0), draws=np.full((10, RESAMPLES), 80.0))
    (scored,) = found.targets.values()
    table = models_table(found)
    assert table.data["model"].iloc[0] == chosen_by_imagenet(found, scored).best == BEST
    assert table.data["rank"].unique().tolist() == [1.0]
    assert f"{BEST} has the best score" in table.lead
    assert f"{BEST}, the best on ImageNet, loses nothing: it has the best score" in table.lead
    assert rankings_table(found).data["best"].tolist() == [BEST]
    level = replace(found, sources={"imagenet": pd.Series(70.0, index=names)})  # nor does ImageNet tell them apart
    (scored,) = level.targets.values()
    first = min(names)
    assert chosen_by_imagenet(level, scored).chosen == chosen_by_imagenet(level, scored).best == first
    assert models_table(level).data["model"].iloc[0] == level.common(scored)[-1] == first
    assert "does not rank these 10 models (all errors are equal)" in answer_of(level)
    assert "undefined" not in answer_of(level)


def test_the_best_of_all_may_have_no_imagenet_accuracy(tmp_path):
    plants = bare(tmp_path).targets["plants"].values
    best = plants.idxmax()
    found = bare(tmp_path, accuracies={name: value for name, value in IMAGENET.items() if name != best})
    said = f"of 1 model without an ImageNet accuracy nothing is said: {best}, {best} among them, which has the best"
    assert said in answer_of(found)
    assert "the best of these 9 on ImageNet" in answer_of(found)


def test_probes_stand_beside_the_fine_tuned(whole, tmp_path):
    table = models_table(whole)
    rows = table.data[table.data["target"] == "lesions"].set_index("model")
    probes = whole.others["probes"]["lesions"]
    pd.testing.assert_series_equal(rows["probe"], probes.values[rows.index], check_names=False)
    assert table.shown["As fixed features"].iloc[0].startswith(f"{table.data['probe'].iloc[0]:.1f} [")
    assert "As fixed features: the score of the same model, not fine-tuned" in table.caption
    assert "As fixed features" not in models_table(bare(tmp_path)).shown


def test_multiply_adds_say_at_which_resolution_and_small_pictures_are_warned_of(whole):
    def sized(*used, own=224.0):
        task, scored = next(iter(whole.targets.items()))
        models = list(scored.values.index)
        costs = scored.costs | {"resolution": dict(zip(models, used * 10, strict=False))}
        costs |= {"weights_resolution": dict.fromkeys(models, own)}
        return replace(whole, targets={task: replace(scored, costs=costs)}, others={kind: {} for kind in whole.others})

    table = models_table(sized(64.0))
    assert "Multiply-adds (M, at 64 px)" in table.shown
    assert table.shown["Resolution (px)"].unique().tolist() == ["64 (made for 224)"]
    assert "Far below (less than half of) the resolution that the weights were made for" in table.caption
    assert "Eurosat: all 10 models (64 px in place of 224)." in table.caption
    mixed = models_table(sized(224.0, 192.0))
    assert "Multiply-adds (M, at that resolution)" in mixed.shown
    assert set(mixed.shown["Resolution (px)"]) == {"224", "192 (made for 224)"}
    assert "Far below" not in mixed.caption
    assert "Resolution (px)" not in models_table(whole).shown


def test_captions_say_how_models_were_trained(whole):
    how = "fine-tuned for 3 epochs at 64 px by SGD, the best by validation of 2 cells (lr 0.1, 0.01)"
    for table in (models_table(whole), rankings_table(whole), scores_table(whole)):
        assert f" How: Eurosat, Lesions, Proteins: {how}" in table.caption
    assert "fixed features under a logistic regression at 64 px" in models_table(whole).caption


def test_a_regret_beyond_the_median_is_said_so_and_not_as_a_share(whole):
    names = list(IMAGENET)
    found = scores_of(
        whole, dict(zip(names, [90.0, 89.9, 89.8, 89.8, 89.8, 89.8, 89.8, 89.7, 89.7, 87.0], strict=True))
    )
    row = rankings_table(found)
    assert row.data["regret_share"].iloc[0] == pytest.approx(15)
    assert row.shown["Of median (%)"].tolist() == ["beyond it"]


def test_which_model_to_take_needs_no_imagenet(tmp_path):
    found = bare(tmp_path, accuracies={"timm:other": 70.0})
    table = models_table(found)
    assert "\n\nImageNet accuracies of these models are not known, so that nothing can be said" in table.lead
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
    few = f"; {known} model{'s' * (known > 1)} of 10 with an ImageNet accuracy, too few to say how far it ranks them."
    assert (few in table.lead) == (known < 4)
    assert ("ρ" in table.caption) == ("a point more on ImageNet" in table.lead) == (known == 4)
    assert (f"{BEST}, the best of these {known} on ImageNet, loses" in table.lead) == (known > 1)
    unknown = list(IMAGENET)[:-known]
    left_out = f"of {len(unknown)} models without an ImageNet accuracy nothing is said: "
    assert left_out + ", ".join(unknown[:-1]) in table.lead


def test_an_error_is_best_where_it_is_least(tmp_path):
    found = bare(tmp_path, metric="top1_error")
    data = models_table(found).data
    assert data["value"].is_monotonic_increasing
    assert chosen_by_imagenet(found, found.targets["plants"]).regret >= 0
    assert "Worse than the best" not in models_table(found).shown
    assert "binomial counts" in models_table(found).caption
