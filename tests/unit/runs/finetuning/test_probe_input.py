"""What a probe refuses, on its command line and in the images and the model that it names: in one line each."""

import json
import os
import signal
import sys

import numpy as np
import pytest
import torch
from probes import NAME, PARTS, arguments, prepare, put_weights, run

import apr.runs.commands.kept_features
import probe
from apr.basics.problems import Problem
from apr.runs.finetuning.probe import probe as fit
from apr.runs.finetuning_protocol import planned_probe, strengths_of

MANIFEST = {"view": "v", "dataset": "d", "dataset_digest": "b", "indices_digest": "i"}
NETWORK = """
from torch import nn

def fixed():
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 7), nn.Linear(7, 4))
    network.pretrained_cfg = {"input_size": (3, 32, 32), "file": "fixed.pt"}
    return network
"""


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def folder(tmp_path):
    prepare(tmp_path)
    put_weights(tmp_path / "weights")
    return tmp_path


def said(monkeypatch, capsys, caplog, given):
    """What the script says when it ends because of what it was given."""
    monkeypatch.setattr(sys, "argv", ["probe.py", *given])
    with pytest.raises(SystemExit) as ended:
        probe.main()
    assert ended.value.code
    return capsys.readouterr().err + caplog.text


@pytest.mark.parametrize(
    ("protocol", "says"),
    [
        (
            {"classifier": "neighbours", "strengths": [1]},
            "strengths: strengths [1] does nothing with classifier 'neigh",
        ),
        ({"neighbours": 3}, "neighbours 3 does nothing with classifier 'logistic': leave it out, or set classifier"),
        ({"strengths": []}, "strengths: []: needs at least 1"),
        ({"strengths": [0]}, "strengths: 0: has to be more than 0"),
        ({"strengths": 1}, "strengths: 1 is an integer, expected list; write [1]"),
        ({"strength": [1]}, "strength: no such key (did you mean strengths?)"),
        ({"seed": 1}, "seed: no such key"),
        ({"resolution": 64, "eval_resize": 32}, "resolution 64 is larger than eval_resize 32"),
        ({"classifier": "svm"}, "classifier: 'svm': one of logistic, neighbours"),
    ],
)
def test_a_protocol_that_says_nothing_sensible_is_refused(folder, protocol, says, monkeypatch, capsys, caplog):
    assert says in said(monkeypatch, capsys, caplog, arguments(folder, protocol))


def test_a_choice_needs_validation_images_and_one_strength_does_not(tmp_path, monkeypatch, capsys, caplog):
    prepare(tmp_path, parts=[0] * 6 + [1] * 3)
    put_weights(tmp_path / "weights")
    text = said(monkeypatch, capsys, caplog, arguments(tmp_path, {}))
    assert "has no validation images; set split: {validation_fraction: 0.1}" in text
    made, outputs = run(tmp_path, {"strengths": [1]})
    assert made["outcome"]["parts"].keys() == {"train", "test"}
    assert outputs.keys() == {"test_scores", "test_labels"}
    run(tmp_path, {"classifier": "neighbours", "neighbours": 3}, name="near")


def test_the_roc_area_of_one_class_is_refused(tmp_path, monkeypatch, capsys, caplog):
    manifest = prepare(tmp_path, classes=2, parts=[*PARTS[:-2], 1, 0])
    index = np.load(tmp_path / "noise.index.npy")
    assert manifest["per_class"]["test"] == [1, 1]
    put_weights(tmp_path / "weights")
    run(tmp_path, {"strengths": [1]}, metric="auc")
    index["label"][index["split"] == 1] = 0
    np.save(tmp_path / "noise.index.npy", index)
    manifest |= {"per_class": manifest["per_class"] | {"test": [2, 0]}}
    (tmp_path / "view.json").write_text(json.dumps(manifest))
    monkeypatch.setattr("apr.runs.commands.transfer_options.check_images", lambda *given: manifest)
    text = said(monkeypatch, capsys, caplog, arguments(tmp_path, {"strengths": [1]}, metric="auc"))
    assert "--metric auc: the test part of the view noise has no image of the class 'b'" in text


def test_a_model_that_does_not_take_pictures_of_a_size_is_refused(folder, monkeypatch, capsys, caplog):
    (folder / "net.py").write_text(NETWORK)
    scope = {}
    exec(NETWORK, scope)
    torch.save(scope["fixed"]().state_dict(), folder / "weights/fixed.pt")
    given = arguments(folder, {"resolution": 64, "eval_resize": None}, "--root", str(folder))
    given[given.index("--model") + 1] = "own:net.py:fixed"
    text = said(monkeypatch, capsys, caplog, given)
    assert "own:net.py:fixed: does not take pictures of 64 px" in text
    assert "set resolution: 32, or null for each model's own" in text
    given[given.index("--protocol") + 1] = json.dumps({"strengths": [1], "batch": 8})
    monkeypatch.setattr(sys, "argv", ["probe.py", *given])
    probe.main()
    (file,) = (folder / "features").glob("*.npz")
    assert file.name.startswith("own.net.fixed-")
    assert np.load(file)["train"].shape == (24, 7)


def test_weights_of_another_model_are_refused(folder, monkeypatch, capsys, caplog):
    torch.save({"fc.weight": torch.zeros(1000, 3)}, folder / f"weights/{NAME}.pt")
    text = said(monkeypatch, capsys, caplog, arguments(folder, {}))
    assert f"{NAME}.pt" in text
    assert "Traceback" not in text


def test_more_neighbours_than_other_training_images_are_refused(folder, monkeypatch, capsys, caplog):
    given = arguments(folder, {"classifier": "neighbours", "neighbours": 24})
    text = said(monkeypatch, capsys, caplog, given)
    assert "neighbours 24: there are 24 training images; take 23 or fewer" in text


def test_a_file_in_place_of_the_folder_of_features_is_refused(folder, monkeypatch, capsys, caplog):
    (folder / "features").write_text("")
    assert "is a file; name a folder" in said(monkeypatch, capsys, caplog, arguments(folder, {}))


@pytest.mark.parametrize(
    ("manifest", "labels", "says"),
    [
        ({"classes": ["a", "b"]}, [1, 1], "all 2 training images are of the class 'b'"),
        ({"classes": ["a", "b"], "label_sets": [[], [0]]}, [1, 1], "the training images differ in no label"),
    ],
)
def test_training_images_that_differ_in_nothing_are_refused(manifest, labels, says):
    features = {"train": np.zeros((2, 3), np.float32)}
    chosen = {"classifier": "logistic", "strengths": [1.0], "metric": "macro_f1"}
    with pytest.raises(Problem, match=says):
        fit(features, {"train": np.array(labels)}, chosen, manifest, None)


def test_a_signal_ends_the_script_and_the_next_call_goes_on(folder, monkeypatch, capsys, caplog):
    whole, _ = run(folder, {"strengths": [0.1, 1]}, name="whole")
    (file,) = (folder / "features").glob("*.npz")
    kept = np.load(file)
    file.unlink()
    extract, seen = apr.runs.commands.kept_features.extract, []

    def interrupted(*given, **options):
        return extract(*given, **options, on_batch=lambda done: done == 16 and os.kill(os.getpid(), signal.SIGTERM))

    def watched(*given, **options):
        return extract(*given, **options, on_batch=seen.append)

    monkeypatch.setattr(apr.runs.commands.kept_features, "extract", interrupted)
    text = said(monkeypatch, capsys, caplog, arguments(folder, {"strengths": [0.1, 1]}))
    assert "interrupted by SIGTERM; the checkpoint is written" in text
    assert sorted(path.suffix for path in (folder / "features").iterdir()) == [".pt"]
    monkeypatch.setattr(apr.runs.commands.kept_features, "extract", watched)
    again, _ = run(folder, {"strengths": [0.1, 1]})
    assert seen[0] == 24
    assert sorted(path.suffix for path in (folder / "features").iterdir()) == [".npz"]
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(np.load(file)[part], kept[part])
    assert {key: again[key] for key in again.keys() - {"timing"}} == {
        key: whole[key] for key in whole.keys() - {"timing"}
    }


def test_a_finished_probe_is_taken_up(folder, monkeypatch):
    first, _ = run(folder, {"strengths": [0.1]})
    (folder / "run.json").unlink()
    monkeypatch.setattr(apr.runs.commands.kept_features, "read_features", None)  # it is not even asked for
    again, _ = run(folder, {"strengths": [0.1]})
    assert again == first


def test_equal_probes_have_equal_protocols_however_they_are_written():
    def planned(**protocol):
        return planned_probe("timm:x", protocol, "top1_accuracy", MANIFEST)

    assert planned(strengths=[10, 1, 1.0, 0.1]) == planned(strengths=[0.1, 1.0, 10.0], classifier="logistic")
    assert planned(batch=8, weights="there") == planned()
    assert "neighbours" not in planned()
    assert planned(classifier="neighbours")["neighbours"] == 20
    assert "strengths" not in planned(classifier="neighbours")
    assert planned()["seed"] is None
    assert strengths_of({}) == [10.0**exponent for exponent in range(-3, 4)]
    assert strengths_of({"classifier": "neighbours"}) == []
