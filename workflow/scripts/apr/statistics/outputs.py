"""Metrics of a model's outputs on resampled test images, or groups of them.

A resample is how often each image was drawn. The same resamples serve all models of a test set, so that differences
between models are paired. Every metric here is a function of weighted counts, but for the area under the ROC curve,
which is one of weighted ranks; scikit-learn's functions with `sample_weight` give the same, one resample at a time.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from apr.basics.randomness import generator
from apr.statistics.bootstrap import CHUNK, times_drawn

Weights = NDArray[np.float64]  # how often each image was drawn, [resamples, images]
Statistic = Callable[[Weights], NDArray[np.float64]]  # a metric in % of each resample, [resamples]


def image_weights(
    images: int, groups: NDArray[np.int64] | None, resamples: int, *key: str | int
) -> Iterator[NDArray[np.float64]]:
    """How often each image stands in each resample, some [resamples, images] at a time, so that memory is bounded.

    Images are drawn with replacement; where they belong to groups (lesions, patients), whole groups are, since images
    of one are alike. Then resamples differ in their number of images.

    Args:
        images: how many there are.
        groups: of each image a number, [images]; None where each stands for itself.
        resamples: how many.
        key: what the draws depend on, besides the number of units and of resamples.
    """
    members = np.arange(images) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(members.max()) + 1
    random = generator("images", *key)
    rows = max(1, CHUNK // images)
    for start in range(0, resamples, rows):
        drawn = random.integers(units, size=(min(rows, resamples - start), units))
        yield times_drawn(drawn)[:, members].astype(float)


def statistic(metric: str, scores: NDArray, labels: NDArray) -> Statistic:
    """A metric of a model's outputs as a function of the weights of the images.

    Args:
        metric: a name of apr.runs.metrics.
        scores: [images, classes]; the answer is the class with the highest, of several labels each above 0.
        labels: the class of each image, int [images], or which labels it has, [images, labels].

    Raises:
        ValueError: the metric is none of such outputs.
    """
    several = labels.ndim == 2
    ways = OF_SEVERAL if several else OF_ONE
    if metric not in ways:
        of = "several labels an image" if several else "one label an image"
        raise ValueError(f"{metric} is not computed from outputs of {of}; known: {', '.join(ways)}")
    return ways[metric](scores, labels)


def value_of(metric: str, scores: NDArray, labels: NDArray) -> float:
    """The metric of all images, each once, in %; the arguments are those of `statistic`."""
    return float(statistic(metric, scores, labels)(np.ones((1, len(labels))))[0])


def _share(scores: NDArray, labels: NDArray, best: int, right: bool) -> Statistic:
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    before = np.arange(scores.shape[1]) < labels[:, None]  # of equal scores the first wins, as in argmax and in runs
    found = ((scores > own) | ((scores == own) & before)).sum(axis=1) < best
    counted = (found if right else ~found).astype(float)
    return lambda weights: 100 * (weights @ counted) / weights.sum(axis=1)


def _kappa(scores: NDArray, labels: NDArray) -> Statistic:
    """Cohen's kappa with quadratic weights; 100 where labels and answers are all the same class (0 / 0).

    Of independent answers the mean squared distance is that of their moments, so that no table of classes is needed.
    """
    answers = scores.argmax(axis=1)
    columns = [labels, answers, labels**2, answers**2, (labels - answers) ** 2]
    moments = np.stack(columns, axis=1).astype(float)

    def kappa(weights: Weights) -> NDArray[np.float64]:
        label, answer, label2, answer2, distance = (weights @ moments / weights.sum(axis=1, keepdims=True)).T
        expected = label2 - 2 * label * answer + answer2
        return 100 * (1 - np.divide(distance, expected, out=np.zeros(len(weights)), where=distance > 0))

    return kappa


def _f1(scores: NDArray, labels: NDArray) -> Statistic:
    """Mean over all classes, or labels, of 2 TP / (2 TP + FP + FN), in %; 0 for one neither there nor answered (0 / 0).

    So a run counts one that its test part lacks (scikit-learn's zero_division=0), and a resample is counted as if it
    were the test part: value and draws are one statistic. A rare class that a resample happens to lack counts 0 there,
    too: another test part of this size may lack it alike. To leave it out would make of the draws means over fewer
    classes, mostly the easy ones, and lift them above the value.
    """
    if labels.ndim == 2:
        there, said = labels.astype(bool), scores > 0
    else:
        rows, shape = np.arange(len(labels)), scores.shape
        there, said = np.zeros(shape, bool), np.zeros(shape, bool)
        there[rows, labels] = said[rows, scores.argmax(axis=1)] = True
    hits = sparse.csc_array((there & said).astype(float))
    named = sparse.csc_array(there.astype(float) + said)

    def f1(weights: Weights) -> NDArray[np.float64]:
        both, either = 2 * (weights @ hits), weights @ named
        return 100 * np.divide(both, either, out=np.zeros(both.shape), where=either > 0).mean(axis=1)

    return f1


def _auc(scores: NDArray, labels: NDArray) -> Statistic:
    """Area under the ROC curve of the second of two classes; NaN where a resample has one class alone."""
    if scores.shape[1] != 2:
        raise ValueError(f"auc needs two classes, not {scores.shape[1]}")
    margin = scores[:, 1] - scores[:, 0]
    order = np.argsort(margin, kind="stable")
    _, first = np.unique(margin[order], return_index=True)
    positive = labels[order] == 1

    def auc(weights: Weights) -> NDArray[np.float64]:
        weights = weights[:, order]
        hits = np.add.reduceat(weights * positive, first, axis=1)
        others = np.add.reduceat(weights * ~positive, first, axis=1)
        below = np.cumsum(others, axis=1) - others / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return 100 * (hits * below).sum(axis=1) / (hits.sum(axis=1) * others.sum(axis=1))

    return auc


OF_ONE: dict[str, Callable[..., Statistic]] = {
    "top1_error": partial(_share, best=1, right=False),
    "top5_error": partial(_share, best=5, right=False),
    "top1_accuracy": partial(_share, best=1, right=True),
    "top5_accuracy": partial(_share, best=5, right=True),
    "quadratic_weighted_kappa": _kappa,
    "macro_f1": _f1,
    "auc": _auc,
}
OF_SEVERAL: dict[str, Callable[..., Statistic]] = {"macro_f1": _f1}
