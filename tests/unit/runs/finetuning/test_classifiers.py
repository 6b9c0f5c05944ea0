"""The classifiers of probes, and the strength that the validation images choose."""

import os
import signal

import numpy as np
import pytest
import torch
from probes import scaled
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from small import checkpointing

from apr.basics.interruption import Interrupted
from apr.runs.finetuning import classifiers
from apr.runs.finetuning.classifiers import NEVER, neighbours
from apr.runs.finetuning.probe import evaluated, probe
from apr.runs.finetuning.scored import targets_of
from apr.runs.metrics import METRICS

ACCURACY = METRICS["top1_accuracy"]
PARTS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def fabricated(*, classes=4, several=False):
    """Features in which the classes overlap, and labels, of three parts."""
    rng = np.random.default_rng(0)
    sizes = {"train": 60, "validation": 30, "test": 40}
    labels = {part: rng.integers(0, classes, size) for part, size in sizes.items()}
    centres = rng.normal(size=(classes, 6))
    features = {
        part: (centres[own] + rng.normal(size=(len(own), 6))).astype(np.float32) for part, own in labels.items()
    }
    manifest = {"classes": list("abcdef")[:classes]}
    sets = [[0], [0, 1], [2], [1, 2]]
    return features, labels, manifest | ({"classes": ["x", "y", "z"], "label_sets": sets} if several else {})


def protocol(**more):
    return {"classifier": "logistic", "strengths": [0.01, 0.1, 1.0], "metric": "top1_accuracy"} | more


def test_interrupted_among_strengths_and_resumed_equals_undisturbed(tmp_path):
    features, labels, manifest = fabricated()
    whole = probe(features, labels, protocol(), manifest, checkpointing(tmp_path / "a"))

    def stop(strength):
        if strength == 0.1:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="SIGTERM"):
        probe(features, labels, protocol(), manifest, checkpointing(tmp_path / "b"), on_strength=stop)
    seen = []
    again = probe(features, labels, protocol(), manifest, checkpointing(tmp_path / "b"), on_strength=seen.append)
    assert seen == [1.0]
    assert again[:2] == whole[:2]
    for part in PARTS:
        np.testing.assert_array_equal(again[2][part], whole[2][part])


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop("tried"),
        lambda state: state["tried"][0].update(strength=0.5),
        lambda state: state["tried"][0]["parts"]["test"].update(correct_top1=99),
        lambda state: state["scores"].pop("test"),
        lambda state: state["scores"].update(test=state["scores"]["test"].double()),
    ],
)
def test_a_checkpoint_that_does_not_fit_is_set_aside(tmp_path, change, caplog):
    features, labels, manifest = fabricated()
    kept = checkpointing(tmp_path)
    whole = probe(features, labels, protocol(), manifest, kept)
    state = torch.load(kept.path, weights_only=True)
    change(state)
    torch.save(state, kept.path)
    seen = []
    assert probe(features, labels, protocol(), manifest, kept, on_strength=seen.append)[:2] == whole[:2]
    assert seen == [0.01, 0.1, 1.0]
    assert "is of this protocol, but it" in caplog.text


def test_a_fit_that_does_not_converge_is_said(tmp_path, monkeypatch, caplog):
    features, labels, manifest = fabricated()
    monkeypatch.setattr(classifiers, "ITERATIONS", 2)
    _, history, _ = probe(features, labels, protocol(), manifest, checkpointing(tmp_path))
    assert not any(entry["converged"] for entry in history)
    assert "strength 0.01: the fit stopped after 2 iterations without having converged" in caplog.text
    monkeypatch.undo()
    _, history, _ = probe(features, labels, protocol(), manifest, checkpointing(tmp_path / "more"))
    assert all(entry["converged"] for entry in history)


@pytest.mark.parametrize("classes", [2, 4])
def test_a_class_without_training_images_is_never_answered(tmp_path, classes, caplog):
    features, labels, manifest = fabricated(classes=classes)
    manifest = {"classes": [*manifest["classes"], "rare"]}
    _, _, scores = probe(features, labels, protocol(strengths=[1.0]), manifest, checkpointing(tmp_path))
    for part in PARTS:
        assert (scores[part][:, -1] == NEVER).all()
        assert np.isfinite(scores[part]).all()
        np.testing.assert_allclose(np.exp(scores[part][:, :-1]).sum(axis=1), 1, rtol=1e-5)


def test_probabilities_too_small_for_a_number_have_a_logarithm(tmp_path):
    labels = {part: np.array([0, 1] * 5) for part in PARTS}
    features = {part: np.array([[0.0], [1.0]] * 5, np.float32) for part in PARTS}
    features["test"] = features["test"] * 5e4
    chosen = protocol(strengths=[1e6], metric="auc")
    outcome, _, scores = probe(features, labels, chosen, {"classes": ["a", "b"]}, checkpointing(tmp_path))
    assert scores["test"].min() < -1e4
    assert np.isfinite(scores["test"]).all()
    assert outcome["parts"]["test"]["auc"] == 100


def test_several_labels_are_as_many_regressions(tmp_path):
    features, labels, manifest = fabricated(several=True)
    chosen = protocol(metric="macro_f1", strengths=[0.1])
    outcome, _, scores = probe(features, labels, chosen, manifest, checkpointing(tmp_path))
    targets = {part: targets_of(own, manifest["label_sets"], 3) for part, own in labels.items()}
    inputs = scaled(features)
    model = OneVsRestClassifier(LogisticRegression(C=0.1, max_iter=2000)).fit(inputs["train"], targets["train"])
    for part in PARTS:
        np.testing.assert_allclose(scores[part], model.decision_function(inputs[part]), rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(scores[part] > 0, model.predict_proba(inputs[part]) > 0.5)
        value = 100 * f1_score(targets[part], model.predict(inputs[part]), average="macro")
        assert outcome["parts"][part]["macro_f1"] == pytest.approx(value)
        assert outcome["parts"][part]["correct_top1"] is None


def test_a_label_that_no_training_image_has_is_said_and_never_answered(tmp_path, caplog):
    features, labels, manifest = fabricated(several=True)
    manifest |= {"classes": ["x", "y", "z", "rare", "all"], "label_sets": [[*own, 4] for own in manifest["label_sets"]]}
    chosen = protocol(metric="macro_f1", strengths=[0.1])
    _, _, scores = probe(features, labels, chosen, manifest, checkpointing(tmp_path))
    assert "label 'rare': no training image has it" in caplog.text
    assert "label 'all': every training image has it" in caplog.text
    assert not (scores["test"][:, 3] > 0).any()
    assert (scores["test"][:, 4] > 0).all()
    assert np.isfinite(scores["test"]).all()


def test_a_training_image_is_no_neighbour_of_its_own_and_lengths_do_not_count():
    features = np.array([[1, 0], [0, 1], [1, 0.1]], np.float32)
    scores = neighbours({"train": features, "test": 100 * features[:2]}, np.array([0, 1, 2]), 3, 1)
    assert scores["train"].argmax(axis=1).tolist() == [2, 2, 0]
    assert scores["test"].argmax(axis=1).tolist() == [0, 1]


def test_half_of_the_neighbours_do_not_make_a_label():
    features = np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]], np.float32)
    targets = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], np.uint8)
    scores = neighbours({"train": features, "test": np.array([[1, 0.05]], np.float32)}, targets, 2, 2)
    np.testing.assert_allclose(scores["test"], [[0.5, 0]])


def test_of_equal_scores_the_first_class_comes_first():
    scores = np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0.2, 0.2, 0.2]], np.float32)
    found = evaluated(scores, np.array([0, 2, 0]), ACCURACY)
    assert (found["n"], found["correct_top1"]) == (3, 2)
    assert (scores.argmax(axis=1) == [0, 2, 0]).sum() == 2
