"""Probes: as scikit-learn on the same features, the strength chosen by validation, and the run that comes of it."""

import json
import logging
import os
import signal

import numpy as np
import pytest
import torch
from probes import MODEL, prepare, prepared, put_weights, run, several_labels, view_labels
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from small import checkpointing

from apr.basics.files import digest_of, file_digest
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.finetuning import classifiers
from apr.runs.finetuning.classifiers import NEVER, neighbours
from apr.runs.finetuning.probe import best_of, evaluated, probe
from apr.runs.finetuning.scored import read_outputs, targets_of
from apr.runs.finetuning_protocol import planned_probe
from apr.runs.metrics import METRICS
from apr.scores.collected import check_current, row_of
from apr.watch.consistency import impossible

ACCURACY = METRICS["top1_accuracy"]
PARTS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def noise(tmp_path):
    return prepared(tmp_path)


def scaled(features):
    scaler = StandardScaler().fit(features["train"].astype(float))
    return {part: scaler.transform(features[part].astype(float)) for part in PARTS}


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


def test_a_logistic_probe_is_that_of_scikit_learn_on_the_same_features(noise):
    folder, manifest, features = noise
    labels = view_labels(folder, manifest)
    made, outputs = run(folder, {"strengths": [1.0, 0.01]})
    kept = np.load(next((folder / "features").glob("*.npz")), allow_pickle=False)
    for part, own in features.items():
        np.testing.assert_allclose(kept[part], own, atol=1e-5)
    inputs, found = scaled(kept), {}
    for strength in (0.01, 1.0):
        model = LogisticRegression(C=strength, max_iter=2000).fit(inputs["train"], labels["train"])
        found[strength] = {part: model.predict_log_proba(inputs[part]) for part in PARTS}
    right = {
        strength: {part: int((own[part].argmax(axis=1) == labels[part]).sum()) for part in PARTS}
        for strength, own in found.items()
    }
    best = max(right, key=lambda strength: right[strength]["validation"])
    assert made["outcome"]["chosen"] == {"strength": best}
    assert [entry["strength"] for entry in made["history"]] == [0.01, 1.0]
    for entry in made["history"]:
        counts = {part: counts["correct_top1"] for part, counts in entry["parts"].items()}
        assert counts == right[entry["strength"]]
    for part in ("validation", "test"):
        np.testing.assert_allclose(outputs[f"{part}_scores"], found[best][part], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(outputs[f"{part}_labels"], labels[part])
    assert outputs.keys() == {f"{part}_{what}" for part in ("validation", "test") for what in ("scores", "labels")}


def test_the_run_says_what_it_cost_and_where_its_outputs_are(noise):
    folder, manifest, _ = noise
    made, _ = run(folder, {"strengths": [1.0, 0.1]}, metric="macro_f1")
    read_outputs(folder / "run.npz", made["outputs"])
    assert made["outputs"] == file_digest(folder / "run.npz")
    network = put_weights(folder / "weights")
    assert made["cost"]["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert made["cost"]["multiply_adds"] > 0
    assert made["timing"]["extraction_seconds"] > 0
    assert made["timing"]["evaluated_images_per_second"] > 0
    assert {part: counts["n"] for part, counts in made["outcome"]["parts"].items()} == {
        "train": 24,
        "validation": 18,
        "test": 12,
    }
    row = row_of(made, METRICS["macro_f1"], None)
    parts = made["outcome"]["parts"]
    assert (row["value"], row["validation_macro_f1"]) == (parts["test"]["macro_f1"], parts["validation"]["macro_f1"])
    assert row["n"] == 12
    planned = planned_probe(MODEL, {"resolution": 32, "eval_resize": 32, "strengths": [0.1, 1]}, "macro_f1", manifest)
    assert made["planned"] == digest_of(planned)
    plan = {
        "way": "probe",
        "metric": "macro_f1",
        "protocol": {"resolution": 32, "eval_resize": 32, "strengths": [1, 0.1]},
    }
    cell = {"model": MODEL, "genotype": None, "seed": None, "cell": {}}
    check_current(made, plan, cell, manifest, None, "run.json")
    with pytest.raises(Problem, match=r"differing: classifier is 'logistic', the study has 'neighbours'"):
        check_current(made, plan, cell | {"cell": {"classifier": "neighbours"}}, manifest, None, "run.json")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda run: run["history"].pop(), "tried the strengths [0.1] of [0.1, 1.0]"),
        (lambda run: run["history"][0]["parts"]["train"].update(n=9), "strength 0.1: train has 9 images, its view 24"),
        (lambda run: run["history"][1]["parts"].pop("test"), "strength 1: was evaluated on train, validation, its"),
        (lambda run: run["outcome"]["parts"]["test"].update(correct_top1=13), "test counts correct_top1 13"),
        (lambda run: run["outcome"].update(chosen={"strength": 2.0}), "not that of its chosen strength"),
    ],
)
def test_what_a_probe_cannot_have_found_is_named(noise, change, says):
    folder, manifest, _ = noise
    made, _ = run(folder, {"strengths": [1.0, 0.1]})
    made = json.loads(json.dumps(made))
    assert impossible(made, manifest) == ""
    change(made)
    assert says in impossible(made, manifest)


def test_of_equally_good_strengths_the_smallest_counts_and_an_error_is_to_be_small():
    def history(*right):
        return [
            {"strength": number, "parts": {"validation": {"n": 10, "correct_top1": count, "correct_top5": 10}}}
            for number, count in enumerate(right)
        ]

    assert best_of(history(3, 7, 7, 6), ACCURACY)["strength"] == 1
    assert best_of(history(3, 7, 7, 6), METRICS["top1_error"])["strength"] == 1
    assert best_of([{"strength": 5, "parts": {"test": {}}}], ACCURACY)["strength"] == 5


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


def test_neighbours_are_those_of_scikit_learn(noise):
    folder, manifest, _ = noise
    labels = view_labels(folder, manifest)
    made, outputs = run(folder, {"classifier": "neighbours", "neighbours": 5})
    kept = np.load(next((folder / "features").glob("*.npz")), allow_pickle=False)
    model = KNeighborsClassifier(5, metric="cosine").fit(kept["train"], labels["train"])
    for part in ("validation", "test"):
        np.testing.assert_allclose(outputs[f"{part}_scores"], model.predict_proba(kept[part]), atol=1e-6)
        right = int((model.predict(kept[part]) == labels[part]).sum())
        assert made["outcome"]["parts"][part]["correct_top1"] == right
    assert made["history"] == []
    assert "chosen" not in made["outcome"]
    assert impossible(made, manifest) == ""


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


def test_images_with_several_labels_from_packed_images_to_a_run(tmp_path):
    put_weights(tmp_path / "weights")
    manifest = several_labels(tmp_path, prepare(tmp_path), ["x", "y", "z"], [[], [0], [1], [0, 1], [2], [0, 2]])
    made, outputs = run(tmp_path, {"strengths": [0.01, 0.1, 1]}, metric="macro_f1")
    assert outputs["test_labels"].dtype == np.uint8
    assert outputs["test_labels"].sum(axis=0).tolist() == manifest["per_class"]["test"] == [6, 4, 4]
    value = 100 * f1_score(outputs["test_labels"], outputs["test_scores"] > 0, average="macro")
    assert made["outcome"]["parts"]["test"]["macro_f1"] == pytest.approx(value, abs=1e-6)
    assert impossible(made, manifest) == ""
    near, outputs = run(tmp_path, {"classifier": "neighbours", "neighbours": 3}, metric="macro_f1", name="near")
    assert set(np.round(outputs["test_scores"] + 0.5, 4).flat) <= {0.0, 0.3333, 0.6667, 1.0}
    assert near["outcome"]["parts"]["test"]["macro_f1"] > 0


def test_the_largest_strength_may_be_too_small(tmp_path, caplog):
    features, labels, manifest = fabricated()
    with caplog.at_level(logging.WARNING):
        outcome, *_ = probe(features, labels, protocol(strengths=[1e-9, 1e-2]), manifest, checkpointing(tmp_path))
    assert outcome["chosen"] == {"strength": 0.01}
    assert "strength 0.01 is the largest of strengths" in caplog.text
