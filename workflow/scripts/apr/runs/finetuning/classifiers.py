"""Classifiers of fixed features: a regularised logistic regression, and nearest neighbours; both are scikit-learn's.

Features are of parts of a view, "train" among them, each [n, features]; targets those of `scored.targets_of`. Scores
are float32 [n, classes], finite: of one label the logarithms of probabilities or shares of neighbours, of several
labels what is above 0 where the probability, or the share, is above one half.
"""

import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from apr.basics.problems import Problem

ITERATIONS = 2000  # of L-BFGS at most, for each strength
NEVER = float(np.finfo(np.float32).min)  # the score of a class that no training image has

Parts = Mapping[str, NDArray]
log = logging.getLogger("apr")


@dataclass(frozen=True)
class Answers:
    """What a logistic regression says: scores of each part, and how its fit went."""

    scores: dict[str, NDArray[np.float32]]
    iterations: int
    converged: bool


def scaled(features: Parts) -> dict[str, NDArray[np.float64]]:
    """Features in float64 of which each has mean 0 and SD 1 on the training images."""
    scaler = StandardScaler().fit(features["train"].astype(np.float64))
    return {part: scaler.transform(own.astype(np.float64)) for part, own in features.items()}


def check_learnable(targets: NDArray, classes: list[str]) -> None:
    """Say which labels the training images do not tell apart from the others.

    Raises:
        Problem: none can be learnt.
    """
    if targets.ndim == 1:
        found = np.unique(targets)
        if len(found) < 2:
            text = f"all {len(targets)} training images are of the class {classes[found[0]]!r}"
            raise Problem(f"probe: {text}, so that there is nothing to learn; give the view images of others")
        return
    shares = targets.mean(axis=0)
    for label, share in zip(classes, shares, strict=True):
        if share == 0:
            log.warning("label %r: no training image has it, so that no image will be said to have it", label)
        if share == 1:
            log.warning("label %r: every training image has it, so that every image will be said to have it", label)
    if not ((shares > 0) & (shares < 1)).any():
        raise Problem("probe: the training images differ in no label, so that there is nothing to learn; give others")


def logistic(features: Parts, targets: NDArray, classes: int, strength: float) -> Answers:
    """A logistic regression with an L2 penalty: multinomial, or one for each label.

    Args:
        features: `scaled`.
        targets: of the training images.
        classes: how many there are.
        strength: inverse strength of the regularisation, scikit-learn's C.
    """
    scores = {part: np.full((len(own), classes), NEVER, np.float32) for part, own in features.items()}
    if targets.ndim == 1:
        model, converged = _fitted(features["train"], targets, strength)
        for part, own in features.items():
            scores[part][:, model.classes_] = _log_probabilities(model.decision_function(own))
        return Answers(scores, int(model.n_iter_.max()), converged)
    iterations, all_converged = 0, True
    for label, own_targets in enumerate(targets.T):
        if own_targets.min() == own_targets.max():
            for own in scores.values():
                own[:, label] = NEVER if own_targets[0] == 0 else -NEVER
            continue
        model, converged = _fitted(features["train"], own_targets, strength)
        iterations, all_converged = max(iterations, int(model.n_iter_.max())), all_converged and converged
        for part, own in features.items():
            scores[part][:, label] = model.decision_function(own)
    return Answers(scores, iterations, all_converged)


def neighbours(features: Parts, targets: NDArray, classes: int, count: int) -> dict[str, NDArray[np.float32]]:
    """The share of each class among the nearest training images by cosine similarity, less one half of several labels.

    A training image is no neighbour of its own.

    Raises:
        Problem: there are too few training images.
    """
    train = features["train"]
    if count >= len(train):
        raise Problem(f"neighbours {count}: there are {len(train)} training images; take {len(train) - 1} or fewer")
    search = NearestNeighbors(n_neighbors=count, metric="cosine", algorithm="brute").fit(train)
    table = targets.astype(np.float32) if targets.ndim == 2 else np.eye(classes, dtype=np.float32)[targets]
    scores = {}
    for part, own in features.items():
        found = search.kneighbors(None if part == "train" else own, return_distance=False)
        votes = np.zeros((len(own), classes), np.float32)
        for nearest in found.T:
            votes += table[nearest]
        scores[part] = votes / np.float32(count) - np.float32(0.5 if targets.ndim == 2 else 0)
    return scores


def _fitted(features: NDArray, labels: NDArray, strength: float) -> tuple[LogisticRegression, bool]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model = LogisticRegression(C=strength, max_iter=ITERATIONS).fit(features, labels)
    return model, not any(issubclass(one.category, ConvergenceWarning) for one in caught)


def _log_probabilities(decisions: NDArray[np.float64]) -> NDArray[np.float64]:
    """As scikit-learn's `predict_log_proba`, but finite where a probability is too small for a number."""
    if decisions.ndim == 1:
        return np.stack([log_expit(-decisions), log_expit(decisions)], axis=1)
    return log_softmax(decisions, axis=1)
