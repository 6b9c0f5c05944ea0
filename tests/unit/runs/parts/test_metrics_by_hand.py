"""Every metric, guess, count and progress of a training by hand, each bound at both of its sides."""

import math

import pytest
import torch

from apr.basics.problems import Problem
from apr.runs.metrics import (
    COUNTS,
    GREATEST,
    LEAST,
    METRICS,
    check_metric,
    counted,
    guess_of,
    is_part,
    part_fault,
    part_of,
)
from apr.runs.optimisation import learning_rate, make_optimizer
from apr.runs.progress import Progress, is_diverging, progress_fault

# name: title, word, words, unit, best, perfect, worst, few, most, scored, ordered, multilabel
TOLD = {
    "top1_error": ("top-1 error", "error", "errors", "%", LEAST, 0, 100, 1, None, False, False, False),
    "top5_error": ("top-5 error", "error", "errors", "%", LEAST, 0, 100, 5, None, False, False, False),
    "top1_accuracy": ("top-1 accuracy", "accuracy", "accuracies", "%", GREATEST, 100, 0, 1, None, False, False, False),
    "top5_accuracy": ("top-5 accuracy", "accuracy", "accuracies", "%", GREATEST, 100, 0, 5, None, False, False, False),
    "mean_per_class_recall": (
        *("mean per-class recall", "recall", "recalls", "%", GREATEST, 100, 0),
        *(1, None, False, False, False),
    ),
    "macro_f1": ("macro F1 score", "score", "scores", "%", GREATEST, 100, 0, 1, None, True, False, True),
    "quadratic_weighted_kappa": (
        *("quadratic weighted kappa", "kappa", "kappas", "%", GREATEST, 100, -100),
        *(2, None, True, True, False),
    ),
    "worst_group_accuracy": (
        *("worst-group accuracy", "accuracy", "accuracies", "%", GREATEST, 100, 0),
        *(1, None, False, False, False),
    ),
    "worst_group_top5_accuracy": (
        *("worst-group top-5 accuracy", "accuracy", "accuracies", "%", GREATEST, 100, 0),
        *(1, None, False, False, False),
    ),
    "mean_recall_at_1": ("mean recall", "recall", "recalls", "%", GREATEST, 100, 0, 1, None, False, False, False),
    "jaccard": ("Jaccard index", "index", "indices", "%", GREATEST, 100, 0, 1, None, False, False, False),
    "pixel_accuracy": ("pixel accuracy", "accuracy", "accuracies", "%", GREATEST, 100, 0, 1, None, False, False, False),
    "auc": ("ROC area", "area", "areas", "%", GREATEST, 100, 0, 1, 2, True, False, False),
    "ssim": (
        *("structural similarity", "similarity", "similarities", "", GREATEST, 1, -1),
        *(1, None, False, False, False),
    ),
    "loss": ("test loss", "loss", "losses", "", LEAST, 0, math.inf, 1, None, False, False, False),
}
KEYS = "title word words unit best perfect worst few most scored ordered multilabel".split()  # noqa: SIM905


def test_each_metric_by_hand():
    assert {name: tuple(getattr(one, key) for key in KEYS) for name, one in METRICS.items()} == TOLD
    assert {name: one.name for name, one in METRICS.items()} == {name: name for name in METRICS}
    assert [name for name, one in METRICS.items() if one.counts] == list(TOLD)[:4]
    assert {one.count for one in METRICS.values()} == {None, *COUNTS}
    accuracy, similarity = METRICS["top1_accuracy"], METRICS["ssim"]
    assert (accuracy.label, accuracy.points) == ("accuracy (%)", "accuracy points")
    assert (similarity.label, similarity.points) == ("similarity", "similarity")


def test_values_of_a_part():
    part = {"n": 7, "correct_top1": 2, "correct_top5": 5, "macro_f1": 12.5}
    values = {name: one.of(part) for name, one in METRICS.items()}
    known = {"top1_error": 71.428571, "top5_error": 28.571429, "top1_accuracy": 28.571429, "top5_accuracy": 71.428571}
    assert values == dict.fromkeys(METRICS) | known | {"macro_f1": 12.5}
    assert part_of(7, {"correct_top5": 5}) == {"n": 7, "correct_top1": None, "correct_top5": 5}
    assert part_of(7) == {"n": 7, "correct_top1": None, "correct_top5": None}


def test_guesses():
    """Of 5, 3 and 2 images: the largest class is half of them; its F1 is 2/3, a third of the mean."""
    images = [3, 5, 2]
    guesses = {name: one.guess(images) for name, one in METRICS.items() if one.counts or one.scored}
    assert guesses == {
        **{"top1_error": 50, "top5_error": 0, "top1_accuracy": 50, "top5_accuracy": 100},
        **{"macro_f1": 22.222222, "quadratic_weighted_kappa": 0, "auc": 50},
    }
    with pytest.raises(Problem, match=r"^metric jaccard: what a guess would score is not known$"):
        METRICS["jaccard"].guess(images)
    assert guess_of(METRICS["top1_error"], {"per_class": {"test": images}}) == 50
    # of labels that 5 and 2 of 10 images have: 2/3 and 1/3, of whoever says both of all
    several = {"per_class": {"test": [5, 2]}, "n_test": 10, "label_sets": []}
    assert guess_of(METRICS["macro_f1"], several) == 50


@pytest.mark.parametrize(
    ("name", "classes", "fault"),
    [
        ("top1_error", 2, ""),
        ("top1_error", 1, "top1_error says nothing about 1 classes; use "),
        ("top5_accuracy", 5, "top5_accuracy says nothing about 5 classes; use top1_accuracy"),
        ("top5_accuracy", 6, ""),
        ("quadratic_weighted_kappa", 2, "quadratic_weighted_kappa says nothing about 2 classes; use "),
        ("quadratic_weighted_kappa", 3, ""),
        ("auc", 2, ""),
        ("auc", 3, "auc is of 2 classes, and there are 3; use macro_f1 or quadratic_weighted_kappa"),
    ],
)
def test_few_and_many_classes(name, classes, fault):
    assert METRICS[name].fault(classes) == fault


def test_a_view_that_a_metric_says_nothing_of():
    check_metric("x", "macro_f1", {"classes": ["a", "b"], "view": "v", "label_sets": []})
    check_metric("x", "top1_error", {"classes": ["a", "b"], "view": "v"})
    with pytest.raises(Problem) as refused:
        check_metric("x", "top1_error", {"classes": ["a", "b"], "view": "v", "label_sets": []})
    assert str(refused.value) == (
        "task x: metric: top1_error is of images with one label, and these may have several; use macro_f1 (view v)"
    )
    with pytest.raises(Problem, match=r"^task x: metric: auc is of 2 classes, and there are 3; use .* \(view v\)$"):
        check_metric("x", "auc", {"classes": list("abc"), "view": "v"})


def test_losses():
    assert (METRICS["top1_accuracy"].loss(80.0), METRICS["top1_error"].loss(80.0)) == (20.0, 80.0)
    assert (METRICS["ssim"].loss(0.25), METRICS["loss"].loss(0.25)) == (0.75, 0.25)


def test_counts_of_few_classes():
    assert [counted(classes) for classes in (1, 5)] == [{"correct_top1": 1}] * 2
    assert counted(6) == COUNTS == {"correct_top1": 1, "correct_top5": 5}


@pytest.mark.parametrize(
    ("part", "classes", "fault"),
    [
        ((9, 0, 0), 6, ""),
        ((9, 9, 9), 6, ""),
        ((9, 3, None), 5, ""),
        ((9, 3, 4), 5, "counts correct_top1 3, correct_top5 4 of 9 images"),
        ((9, 3, None), 6, "counts correct_top1 3, correct_top5 None of 9 images"),
        ((9, None, None), 5, "counts correct_top1 None, correct_top5 None of 9 images"),
        ((9, -1, 3), 6, "counts correct_top1 -1, correct_top5 3 of 9 images"),
        ((9, 4, 3), 6, "counts correct_top1 4, correct_top5 3 of 9 images"),
        ((9, 4, 10), 6, "counts correct_top1 4, correct_top5 10 of 9 images"),
        ((8, 0, 0), 6, "has 8 images, its view 9"),
    ],
)
def test_impossible_counts(part, classes, fault):
    given = dict(zip(("n", *COUNTS), part, strict=True))
    assert part_fault(given, classes, 9) == fault


def test_of_several_labels_nothing_is_counted():
    assert part_fault(part_of(9), 6, 9, several=True) == ""
    assert part_fault(part_of(9, {"correct_top1": 3}), 6, 9, several=True).startswith("counts correct_top1 3")
    assert part_fault({"n": 9, "correct_top1": 3}, 6, 9) == ""  # a run may be older than a count
    assert part_fault(part_of(8), 6, 9, several=True) == "has 8 images, its view 9"


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        ({"n": 9, "correct_top1": 3, "correct_top5": 4}, True),
        ({"n": 9, "correct_top1": 3, "correct_top5": None}, True),
        ({"n": 9, "correct_top1": None, "correct_top5": None, "macro_f1": 3.0}, True),
        ({"n": 1, "correct_top1": 0, "correct_top5": 1}, True),
        ({"n": 0, "correct_top1": 0, "correct_top5": 0}, False),
        ({"n": 9.0, "correct_top1": 3, "correct_top5": 4}, False),
        ({"n": True, "correct_top1": 0, "correct_top5": 1}, False),
        ({"n": 9, "correct_top1": 3.0, "correct_top5": 4}, False),
        ({"n": 9, "correct_top1": 5, "correct_top5": 4}, False),
        ({"n": 9, "correct_top1": 3, "correct_top5": 10}, False),
        ({"n": 9, "correct_top1": -1, "correct_top5": 3}, False),
        ({"n": 9, "correct_top1": 3}, False),
        ([9, 3, 4], False),
    ],
)
def test_what_is_a_part(value, whole):
    assert is_part(value) is whole


def saved(**changes):
    """Where a training of 3 epochs of 5 steps may stand: after one epoch and two steps."""
    entry = {"epoch": 1, "lr": 0.1, "train_loss": 2.0, "parts": {"train": part_of(9, {"correct_top1": 1})}}
    return {"epoch": 1, "step": 2, "sums": torch.zeros(3, dtype=torch.float64), "history": [entry]} | changes


ENTRY = saved()["history"][0]
STANDS = "says something impossible about where the training stands"


@pytest.mark.parametrize(
    ("progress", "fault"),
    [
        (saved(), None),
        (saved(step=0, sums=None), None),
        (saved(step=5), None),
        (vars(Progress()), None),
        (saved(epoch=3, step=0, sums=None, history=[ENTRY, ENTRY | {"epoch": 2}, ENTRY | {"epoch": 3}]), None),
        ([1], "does not say where the training stands"),
        ({"epoch": 1}, "does not say where the training stands"),
        (saved(more=1), "does not say where the training stands"),
        (saved(epoch=4), STANDS),
        (saved(epoch=-1), STANDS),
        (saved(epoch=1.0), STANDS),
        (saved(epoch=True), STANDS),
        (saved(step=6), STANDS),
        (saved(step=-1), STANDS),
        (saved(step=0), STANDS),
        (saved(sums=None), STANDS),
        (saved(sums=torch.zeros(2, dtype=torch.float64)), STANDS),
        (saved(sums=torch.zeros(3)), STANDS),
        (saved(sums=[0.0, 0.0, 0.0]), STANDS),
        (saved(history=[]), "its history is not that of the epochs before"),
        (saved(history=(ENTRY,)), "its history is not that of the epochs before"),
        (saved(history=[ENTRY, ENTRY]), "its history is not that of the epochs before"),
        (saved(history=[1]), "its history of epoch 1 is not one"),
        (saved(history=[ENTRY | {"epoch": 2}]), "its history of epoch 1 is not one"),
        (saved(history=[ENTRY | {"epoch": True}]), "its history of epoch 1 is not one"),
        (saved(history=[ENTRY | {"lr": "0.1"}]), "its history of epoch 1 is not one"),
        (saved(history=[ENTRY | {"lr": 1}]), None),
        (saved(history=[ENTRY | {"train_loss": math.inf}]), "its history of epoch 1 is not one"),
        (saved(history=[ENTRY | {"parts": {"test": part_of(9)}}]), "its history of epoch 1 is not one"),
        (saved(history=[ENTRY | {"parts": {"train": part_of(9), "test": {}}}]), "its history of epoch 1 is not one"),
        (saved(epoch=2, history=[ENTRY, ENTRY]), "its history of epoch 2 is not one"),
    ],
)
def test_where_a_saved_training_may_stand(progress, fault):
    assert progress_fault(progress, 3, 5) == fault


def test_a_loss_that_is_no_number_is_one_that_diverges():
    sums = torch.tensor([math.nan, 1, 1], dtype=torch.float64)
    assert is_diverging(saved(sums=sums))
    assert not is_diverging(saved(sums=sums.flip(0)))
    assert not is_diverging(saved(sums=None))


def test_rates_by_hand():
    """A half-period cosine over 4 epochs; with 2 of warm-up the first is a tenth, the second 0.55 of it."""
    plain = {"lr": 0.8, "epochs": 4}
    cosine = [0.8, 0.4 * (1 + math.sqrt(0.5)), 0.4, 0.4 * (1 - math.sqrt(0.5))]
    assert [learning_rate(epoch, plain) for epoch in range(4)] == pytest.approx(cosine)
    warm = [learning_rate(epoch, plain | {"warmup_epochs": 2}) for epoch in range(4)]
    assert warm == pytest.approx([0.08, 0.55 * cosine[1], *cosine[2:]])
    steps = plain | {"schedule": "steps", "milestones": [1, 3], "gamma": 0.5}
    assert [learning_rate(epoch, steps) for epoch in range(4)] == [0.8, 0.4, 0.4, 0.2]
    assert learning_rate(1, steps | {"schedule": "cosine"}) == pytest.approx(cosine[1])


def test_optimisers_take_what_the_protocol_says():
    parameters = [torch.nn.Parameter(torch.zeros(2))]
    common = {"lr": 0.5, "weight_decay": 0.25}
    sgd = make_optimizer(parameters, common | {"momentum": 0.75, "nesterov": True})
    group = sgd.param_groups[0]
    assert type(sgd) is torch.optim.SGD
    keys = ("lr", "weight_decay", "momentum", "nesterov", "fused", "dampening")
    assert [group[key] for key in keys] == [0.5, 0.25, 0.75, True, True, 0]
    for decay, expected in (("plain", 0.25), ("by_rate", 0.5)):
        adamw = make_optimizer(parameters, common | {"optimiser": "adamw", "decay": decay})
        group = adamw.param_groups[0]
        assert (type(adamw), group["lr"], group["weight_decay"], group["fused"]) == (
            *(torch.optim.AdamW, 0.5, expected, True),
        )
