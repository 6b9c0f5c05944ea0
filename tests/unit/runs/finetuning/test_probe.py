"""Whole probes: as scikit-learn on the same features, and the run that comes of it."""

import json

import numpy as np
import pytest
import torch
from probes import MODEL, prepare, prepared, put_weights, run, scaled, several_labels, view_labels
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.neighbors import KNeighborsClassifier

from apr.basics.files import digest_of, file_digest
from apr.basics.problems import Problem
from apr.runs.finetuning.scored import read_outputs
from apr.runs.finetuning_protocol import planned_probe
from apr.runs.metrics import METRICS
from apr.scores.collected import check_current, row_of
from apr.watch.consistency import impossible

PARTS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def noise(tmp_path):
    return prepared(tmp_path)


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
