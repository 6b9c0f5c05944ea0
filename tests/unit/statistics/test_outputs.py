"""Metrics on resampled test images: those of scikit-learn with the images' weights, and intervals that cover."""

import numpy as np
import pytest
from sklearn import metrics

from apr.runs.finetuning.scored import counts_of
from apr.statistics.bootstrap import interval
from apr.statistics.outputs import image_weights, statistic, value_of

N = 60


def outputs(classes=4, seed=0, decimals=8):
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=N)
    scores = rng.normal(size=(N, classes))
    scores[np.arange(N), labels] += 1
    return scores.round(decimals), labels


def several(seed=0):
    rng = np.random.default_rng(seed)
    labels = (rng.random((N, 5)) < [0.5, 0.3, 0.2, 0.1, 0.05]).astype(np.uint8)
    return rng.normal(size=(N, 5)) + 2 * labels - 1, labels


def drawn(resamples=20, groups=None, key=("test",)):
    return np.concatenate(list(image_weights(N, groups, resamples, *key)))


def accuracy(scores, labels, weights):
    return metrics.accuracy_score(labels, scores.argmax(1), sample_weight=weights)


def top5(scores, labels, weights):
    return metrics.top_k_accuracy_score(labels, scores, k=5, labels=range(scores.shape[1]), sample_weight=weights)


def kappa(scores, labels, weights):
    return metrics.cohen_kappa_score(labels, scores.argmax(1), weights="quadratic", sample_weight=weights)


def f1(scores, labels, weights):
    if labels.ndim == 2:
        answers, known = scores > 0, {}
    else:
        answers, known = scores.argmax(1), {"labels": range(scores.shape[1])}
    return metrics.f1_score(labels, answers, average="macro", sample_weight=weights, zero_division=0, **known)


def auc(scores, labels, weights):
    return metrics.roc_auc_score(labels, scores[:, 1] - scores[:, 0], sample_weight=weights)


CASES = {
    "top1_accuracy": (accuracy, outputs()),
    "top5_accuracy": (top5, outputs(9)),
    "quadratic_weighted_kappa": (kappa, outputs()),
    "macro_f1": (f1, outputs(7)),
    "auc": (auc, outputs(2, decimals=0)),  # rounded, so that many images tie
}


@pytest.mark.parametrize("metric", CASES)
def test_each_resample_has_the_metric_of_its_images(metric):
    theirs, (scores, labels) = CASES[metric]
    weights = drawn()
    expected = [100 * theirs(scores, labels, row) for row in weights]
    np.testing.assert_allclose(statistic(metric, scores, labels)(weights), expected)
    assert value_of(metric, scores, labels) == pytest.approx(100 * theirs(scores, labels, np.ones(N)))


def test_labels_of_several_an_image():
    scores, labels = several()
    weights = drawn()
    expected = [100 * f1(scores, labels, row) for row in weights]
    np.testing.assert_allclose(statistic("macro_f1", scores, labels)(weights), expected)
    assert value_of("macro_f1", scores, labels) == pytest.approx(100 * f1(scores, labels, np.ones(N)))


def test_errors_are_what_accuracies_leave():
    scores, labels = outputs(9)
    weights = drawn()
    for best in ("top1", "top5"):
        error, right = (statistic(f"{best}_{end}", scores, labels)(weights) for end in ("error", "accuracy"))
        np.testing.assert_allclose(error + right, 100)


def test_a_label_that_a_resample_lacks_counts_as_none_in_value_and_draws_alike():
    scores = np.array([[2.0, -1.0], [2.0, -1.0]])
    labels = np.array([[1, 0], [1, 0]], np.uint8)
    assert value_of("macro_f1", scores, labels) == 50
    assert statistic("macro_f1", scores, labels)(np.array([[1.0, 1], [2, 0]])).tolist() == [50, 50]


def test_draws_are_around_the_value_where_a_class_is_neither_there_nor_answered():
    labels = np.repeat([0, 1], N // 2)
    scores = np.eye(3)[np.where(np.arange(N) % 12 == 0, 1 - labels, labels)]
    value = value_of("macro_f1", scores, labels)
    assert value == pytest.approx(100 * f1(scores, labels, np.ones(N)))
    low, high = interval(statistic("macro_f1", scores, labels)(drawn(200)))
    assert low < value < high < 100 * 2 / 3  # of three classes one is missing


@pytest.mark.parametrize("classes", [6, 9])
@pytest.mark.parametrize("best", [1, 5])
def test_among_equal_scores_the_first_class_wins_as_in_runs(best, classes):
    rng = np.random.default_rng(2)
    scores = rng.integers(2, size=(N, classes)).astype(np.float32)  # shares of few neighbours, logits cut at 0
    labels = rng.integers(classes, size=N)
    scores[:5] = 0
    ranks = [
        sorted(range(classes), key=lambda one: -row[one]).index(label)
        for row, label in zip(scores, labels, strict=True)
    ]
    right = sum(rank < best for rank in ranks)
    assert value_of(f"top{best}_accuracy", scores, labels) == pytest.approx(100 * right / N)
    assert counts_of(scores, labels)[f"correct_top{best}"] == right


def test_one_class_alone_has_no_curve_and_those_who_agree_on_it_a_kappa_of_one():
    scores, labels = np.array([[0.0, 1.0]] * 3), np.ones(3, int)
    assert value_of("quadratic_weighted_kappa", scores, labels) == 100
    assert value_of("quadratic_weighted_kappa", scores, np.array([1, 1, 0])) == pytest.approx(0)
    assert np.isnan(value_of("auc", scores, labels))


@pytest.mark.parametrize("metric", ["ssim", "top1_accuracy", "quadratic_weighted_kappa"])
def test_metrics_of_other_outputs_are_refused(metric):
    made = several() if metric != "ssim" else outputs()
    with pytest.raises(ValueError, match=f"{metric} is not computed from outputs of"):
        statistic(metric, *made)
    with pytest.raises(ValueError, match="needs two classes, not 4"):
        statistic("auc", *outputs())


def test_images_are_drawn_with_replacement_and_alike_for_all_models():
    weights = drawn(500)
    assert weights.shape == (500, N)
    assert (weights.sum(axis=1) == N).all()
    assert weights.mean() == 1
    np.testing.assert_array_equal(weights, drawn(500))
    assert (weights != drawn(500, key=("other",))).any()


def test_groups_are_drawn_whole():
    groups = np.repeat(np.arange(20), 3) * 7
    weights = drawn(50, groups)
    assert (weights.reshape(50, 20, 3) == weights.reshape(50, 20, 3)[:, :, :1]).all()
    assert (weights.sum(axis=1) == N).all()  # all groups have three
    uneven = drawn(50, np.array([0] * 40 + list(range(1, 21))))
    assert len(set(uneven.sum(axis=1))) > 2


def test_memory_is_bounded_and_the_draws_do_not_hang_on_it(monkeypatch):
    whole = drawn(50)
    monkeypatch.setattr("apr.statistics.outputs.CHUNK", 7 * N)
    parts = list(image_weights(N, None, 50, "test"))
    assert max(map(len, parts)) == 7
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("metric", ["top1_accuracy", "quadratic_weighted_kappa", "macro_f1", "auc"])
def test_intervals_cover_what_endless_images_would_give(metric):
    rng = np.random.default_rng(3)
    classes, n = (2, 200) if metric == "auc" else (4, 300)

    def made(n):
        labels = rng.choice(classes, n, p=[0.7, 0.3] if classes == 2 else [0.4, 0.3, 0.2, 0.1])
        scores = rng.normal(size=(n, classes))
        scores[np.arange(n), labels] += 1.2
        return scores, labels

    true = value_of(metric, *made(200_000))
    found = []
    for repeat in range(120):
        scores, labels = made(n)
        of = statistic(metric, scores, labels)
        found.append(interval(np.concatenate([of(rows) for rows in image_weights(n, None, 300, repeat)])))
    assert np.mean([low <= true <= high for low, high in found]) >= 0.88
    assert np.mean([high - low for low, high in found]) < 25


def test_images_of_few_groups_say_less():
    rng = np.random.default_rng(4)
    widths = {"images": [], "groups": []}
    covered = {"images": 0, "groups": 0}
    for repeat in range(80):
        groups = np.repeat(np.arange(40), 10)
        right = rng.random(40)[groups] < 0.5  # all images of a group are answered alike
        scores = np.stack([~right, right], axis=1).astype(float)
        of = statistic("top1_accuracy", scores, np.ones(400, int))
        for name, by in (("images", None), ("groups", groups)):
            low, high = interval(np.concatenate([of(rows) for rows in image_weights(400, by, 200, repeat)]))
            widths[name].append(high - low)
            covered[name] += low <= 50 <= high
    assert covered["groups"] >= 72 > 60 > covered["images"]
    assert np.mean(widths["groups"]) > 2 * np.mean(widths["images"])
