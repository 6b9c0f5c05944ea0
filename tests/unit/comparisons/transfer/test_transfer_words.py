"""What captions and answers of transfer say of hand-made scores, word for word."""

import numpy as np
import pandas as pd
import pytest
from hand_made_transfer import TUNED, scored, transfer

from apr.basics.problems import Problem
from apr.comparisons.transfer.captions import far_below, intervals_of, models_below, models_without, rare_labels
from apr.comparisons.transfer.choices import chosen_by_imagenet, worse_than_best
from apr.comparisons.transfer.models import _mean_ranks, models_table
from apr.comparisons.transfer.slopes import flattened, scored_ways, slopes_basis
from apr.comparisons.transfer.targets import _accuracies, _scored, short_names
from apr.runs.metrics import METRICS

NAN = float("nan")

# --- order of models ---


def test_models_in_order():
    found = transfer(scored({"d": 5, "e": 9, "a": 5, "b": 7}))
    own = found.targets["own"]
    assert found.ranked("dabe") == ["e", "b", "d", "a"]  # of equal ones the first by name comes last
    assert found.common(own) == ["b", "d", "a"]
    assert found.best_first(own) == ["e", "b", "a", "d"]
    assert found.unknown(own) == ["e"]
    assert own.of(["b", "d"]).values.tolist() == [7, 5]
    assert own.label == "Own accuracy (%)"


def test_lines_are_of_the_models_above_and_after():
    found = transfer(scored({}), above=70.0, after="c")
    within = found.within(["b", "c", "a"])
    assert {name: inside.tolist() for name, inside in within.items()} == {
        "all": [True] * 3,
        "above": [False, False, True],
        "after": [False, False, True],
    }
    assert found.fit_titles() == {"all": "all models", "above": "above 70 %", "after": "better than c"}
    assert transfer(scored({}), above=0, after="x").fit_titles() == {"all": "all models", "above": "above 0 %"}
    assert short_names(["timm:a.x", "timm:a.y", "tv:b.z", "c"]) == {
        "timm:a.x": "a.x",
        "timm:a.y": "a.y",
        "tv:b.z": "b",
        "c": "c",
    }


# --- what is read ---


def table(*rows, metric="top1_accuracy"):
    columns = ["model", "value", "status", "n", "guess"]
    return pd.DataFrame(rows, columns=columns).assign(metric=metric)


def test_accuracies_are_means_of_what_completed():
    rows = [("a", 60.0, "completed", 10, NAN), ("a", 70.0, "completed", 10, NAN), ("b", 1.0, "diverged", 10, NAN)]
    assert _accuracies("t", table(*rows)).to_dict() == {"a": 65}
    assert _accuracies("t", table(*rows, metric="top1_error")).to_dict() == {"a": 35}
    assert _accuracies("t", table()).empty
    with pytest.raises(Problem) as caught:
        _accuracies("t", table(*rows, metric="auc"))
    said = f"task t: reports {METRICS['auc'].title}; comparisons.transfer needs top-1 accuracies on ImageNet there"
    assert str(caught.value) == said


def test_scores_without_outputs_have_the_intervals_of_counts():
    rows = [("a", 60.0, "completed", 40, 25.0), ("a", 70.0, "completed", 20, NAN), ("b", 100.0, "completed", 30, NAN)]
    found = _scored("t", table(*rows, ("c", NAN, "diverged", NAN, NAN)), None, {"t": "T"}, 0, TUNED)
    assert found.values.to_dict() == {"a": 65, "b": 100}
    assert (found.images, found.guess, found.groups, found.diverged, found.draws) == (30, 25, None, ("c",), None)
    assert found.low["b"] == pytest.approx(100 * 0.025 ** (1 / 30))  # all of 30 right
    assert found.high["b"] == 100
    assert found.low["a"] < 65 < found.high["a"]
    unknown = _scored("t", table(("a", 60.0, "completed", NAN, NAN)), None, {"t": "T"}, 0, TUNED)
    assert (unknown.images, unknown.guess) == (None, None)
    assert np.isnan(unknown.low["a"])
    of_auc = _scored("t", table(rows[0], metric="auc"), None, {"t": "T"}, 0, TUNED)
    assert np.isnan(of_auc.high["a"])
    with pytest.raises(Problem) as caught:
        _scored("t", table(("c", NAN, "diverged", NAN, NAN)), None, {"t": "T"}, 0, TUNED)
    assert str(caught.value) == "task t: no run completed, so that there is nothing to compare; look at its runs"


# --- captions ---


def test_what_intervals_are_of():
    drawn, counts = scored({"a": 1}, draws=[[1]], title="A"), scored({"a": 1}, bounds=(-1, 1), title="B")
    none = scored({"a": 1}, title="C")
    of_images = "95 % intervals of 2,000 bootstrap resamples of the test images"
    assert intervals_of([none], 9) == "no intervals, since nothing is known of the test images"
    assert intervals_of([drawn], 2000) == f"{of_images}, the same for all models"
    assert intervals_of([counts], 9) == "95 % intervals of binomial counts (Clopper and Pearson)"
    grouped = scored({"a": 1}, draws=[[1]], title="D", groups=7)
    assert intervals_of([drawn, grouped, counts, none], 2000) == (
        f"{of_images} (of their groups for D), the same for all models; binomial counts (Clopper and Pearson) for B; "
        "none for C, of whose test images nothing is known"
    )


def test_labels_that_are_rare_and_pictures_that_are_small():
    assert rare_labels([scored({"a": 1})]) == ""
    assert rare_labels([scored({"a": 1}, rare={"x": 3, "y": 19}), scored({"a": 1}, title="B")]) == (
        " Labels with fewer than 20 test images, whose scores hang on a few of them: Own: x (3), y (19)."
    )
    costs = {"resolution": {"a": 111.0, "b": 112.0, "c": 64.0}, "weights_resolution": {"a": 224.0, "b": 224.0}}
    one = scored({"a": 1, "b": 2, "c": 3}, costs=costs)
    assert one.far_below == {"a": (111, 224)}
    assert far_below([one]) == (
        " Far below (less than half of) the resolution that the weights were made for, so that one model may lose more "
        "than another: Own: a (111 px in place of 224)."
    )
    alone = scored({"a": 1}, costs=costs)
    assert "Own: all 1 model (111 px in place of 224)." in far_below([alone])
    assert scored({"a": 1}, costs=costs, how={"way": "finetune", "start": "scratch"}).far_below == {}
    assert far_below([scored({"b": 1}, costs=costs)]) == ""


def test_models_that_are_left_out():
    found = transfer(scored({"a": 1, "x": 2, "y": 3}, diverged=("z",)))
    assert models_without(found) == (
        " Without ImageNet accuracy, and left out: 2 models of Own (x, y). Diverged, and left out: 1 model of Own (z)."
    )
    assert models_without(found, left_out=False).startswith(" Without ImageNet accuracy: 2 models")
    assert models_below(found, [found.targets["own"]]) == ", those whose accuracy there is not known at the bottom"
    whole = transfer(scored({"a": 1}))
    assert (models_without(whole), models_below(whole, [whole.targets["own"]])) == ("", "")
    strange = models_without(transfer(scored({"aa": 1}), imagenet={"ab": 1, "zz": 2}))
    assert "The name there that is most like aa is ab; a model is known where it is named alike everywhere" in strange
    nothing = models_without(transfer(scored({"aa": 1}), imagenet={}))
    assert "The name there that is most like aa is none, since nothing is there; a model is" in nothing


def test_the_noise_of_imagenet_in_words():
    known = "ImageNet accuracies are taken as known"
    one = scored({"b": 1, "a": 2})
    assert flattened(transfer(one)) == f"{known}."
    assert flattened(transfer(one, {"b": 60.0, "a": 60.0}, images=100)) == f"{known}."
    # mean variance of the counts (24 + 16) / 2 = 20 points², of the accuracies 200
    assert flattened(transfer(one, images=100)) == (
        f"{known}; their own noise flattens a slope: those of ImageNet, of 100 images, by at most 10.0 %."
    )
    assert flattened(transfer(one, images=1)).endswith("of 1 images, by at most 100.0 %.")
    assert flattened(transfer(one, images=50_000)).endswith("of 50,000 images, by at most 0.1 %.")


def test_the_basis_of_slopes_and_the_ways_of_a_target():
    one = scored({"a": 1})
    assert "; what the test images do to all models alike is not known; fewer than 4" in slopes_basis(transfer(one))
    drawn = transfer({"own": one, "more": scored({"a": 1}, draws=[[1]])})
    assert ", and of what the test images do to all models alike, by resampling them; fewer" in slopes_basis(drawn)
    probe = scored({"a": 1}, how={"way": "probe"}, title="Probe")
    both = transfer(probe, others={"probes": {"own": scored({"a": 2}, title="Second")}, "scratch": {}})
    assert list(scored_ways(both, "own")) == ["fixed features", "fixed features (Second)"]
    three = transfer(one, others={"probes": {"own": probe}, "scratch": {"own": probe}})
    assert list(scored_ways(three, "own")) == ["fine-tuned", "fixed features", "from scratch"]


# --- choices ---


def test_losses_against_the_best_by_hand():
    """A difference of 1 point has a standard deviation of 1, that of 4 none; a model that answers alike has p = 1."""
    draws = [[9, 11, 9, 11], [9, 9, 9, 9], [5, 7, 5, 7], [9, 11, 9, 11]]
    found = transfer(scored({"a": 10, "b": 9, "c": 6, "d": 10}, draws=draws))
    gaps, p = worse_than_best(found, found.targets["own"])
    assert gaps.to_dict() == {"a": 0, "b": 1, "c": 4, "d": 0}
    assert np.isnan(p["a"])
    assert p["b"] == pytest.approx(2 * 0.15865525, abs=1e-6)  # the larger of two by Holm
    assert (p["c"], p["d"]) == (0, 1)
    choice = chosen_by_imagenet(found, found.targets["own"].of(["b", "c"]))
    assert (choice.chosen, choice.best, choice.regret) == ("c", "b", 3)
    assert (choice.low, choice.high) == pytest.approx((2, 4), abs=0.1)
    bare = chosen_by_imagenet(found, scored({"b": 3, "a": 1}))
    assert (bare.chosen, bare.best, bare.regret, np.isnan(bare.low)) == ("a", "b", 2, True)
    assert chosen_by_imagenet(found, scored({"x": 3})) is None


def test_mean_ranks_by_hand():
    """Of both targets a has ranks 1 and 2, b 2 and 1, c 3 and 3; d lacks one."""
    two = {
        "own": scored({"a": 9, "b": 8, "c": 7, "d": 6}, costs={"resolution": {"a": 64.0, "b": 64.0, "c": 64.0}}),
        "more": scored({"c": 9, "b": 4, "a": 5}, "top1_error", costs={"resolution": {"a": 64.0, "b": 32.0}}),
    }
    found = transfer(two)
    data = models_table(found).data
    rows = data[data["target"] == "mean rank"].set_index("model")
    assert rows.index.tolist() == ["a", "b", "c"]
    assert rows["value"].tolist() == [1.5, 1.5, 3]
    assert rows["rank"].tolist() == [1, 2, 3]
    assert rows["worse"].tolist() == [""] * 3
    assert rows["imagenet"].tolist() == [80, 60, 70]
    assert rows["resolution"].tolist()[0] == 64
    assert rows["resolution"].isna().tolist() == [False, True, False]
    assert rows["low"].isna().all()
    apart = transfer({"own": scored({"a": 1}), "more": scored({"b": 1})})
    assert _mean_ranks(apart, pd.DataFrame({"model": ["a", "b"], "target": ["own", "more"]})) == []
