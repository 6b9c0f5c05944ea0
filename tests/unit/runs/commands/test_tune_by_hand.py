"""finetune.py and probe.py by hand: which cell they train, when they pause, and what a run says that it took."""

import argparse
import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import apr.models.pretrained
import apr.runs.commands.kept_features
import apr.runs.commands.loaders
import apr.runs.finetuning.finetuner
import apr.runs.finetuning.networks
import apr.runs.finetuning.probe
import apr.runs.machine.devices
import apr.runs.training
import finetune
import probe
from apr.basics.files import digest_of, write_json
from apr.runs.finetuning.features import Features
from apr.runs.finetuning_protocol import planned_finetuning, planned_probe
from apr.runs.metrics import part_of
from apr.runs.record import new_run

MANIFEST = {"view": "v", "dataset": "d", "dataset_digest": "b", "indices_digest": "i", "classes": ["a", "b"]}
TUNED = {"epochs": 3, "batch": 2, "optimiser": "sgd", "lr": 0.1, "weight_decay": 0.0, "crop": "centre", "flip": True}
TUNED |= {"seed": 5, "revision": 1}
INPUT = {"resolution": 8, "eval_resize": 9, "mean": [0.5], "sd": [0.25]}
PARTS = {"validation": part_of(2, {"correct_top1": 1}), "test": part_of(3, {"correct_top1": 2})}


def asked(tmp_path, protocol, **changes):
    given = {"task": "t", "model": "timm:m", "weights": "w", "root": "r", "packed": "p", "storage": "pixels"}
    given |= {"metric": "top1_accuracy", "protocol": protocol, "threads": 1, "device": "cpu", "run": "run.json"}
    given |= {"checkpoint": str(tmp_path / "c.pt"), "outputs": str(tmp_path / "o.npz"), "features": "f"}
    given |= dict.fromkeys(("pause_after", "rung", "halving", "choice")) | changes
    return argparse.Namespace(**given)


@pytest.fixture
def made(monkeypatch):
    """A pretrained model, devices, images and a clock; and what was asked of them."""
    did = SimpleNamespace(asked=[], status="completed", now=100.0)
    model = SimpleNamespace(network="network", weights="digest", code=None, source="the hub", sizes=(224, 256))
    did.model, devices, networks = model, apr.runs.machine.devices, apr.runs.finetuning.networks
    for module in (finetune, probe):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: did.now))
    monkeypatch.setattr(
        apr.models.pretrained, "load_model", lambda *given, **options: did.asked.append((given, options)) or model
    )
    monkeypatch.setattr(devices, "machine_of", lambda torch: "machine")
    monkeypatch.setattr(devices, "choose_device", lambda *given: given[0])
    monkeypatch.setattr(devices, "set_arithmetic", lambda precision, torch: did.asked.append(precision))
    monkeypatch.setattr(devices, "versions", lambda threads: {"threads": threads})
    monkeypatch.setattr(devices, "described", lambda *given: {"described": given[:3]})
    monkeypatch.setattr(networks, "input_of", lambda protocol, pretrained, manifest: INPUT)
    monkeypatch.setattr(networks, "cost_of", lambda network, size: {"of": (network, size)})
    monkeypatch.setattr(networks, "recipe_of", lambda protocol: "recipe")
    monkeypatch.setattr(
        networks, "with_new_head", lambda pretrained, classes, size, name: did.asked.append((classes, size, name))
    )
    for module in (finetune, probe):
        monkeypatch.setattr(module, "open_packed", lambda path, storage: SimpleNamespace(index="index"))
    monkeypatch.setattr(
        apr.runs.commands.loaders, "groups_of_parts", lambda packed, manifest: {"test": np.array([1, 1, 2])}
    )
    return did


@pytest.fixture
def tuned(made, monkeypatch, tmp_path):
    """A function that fine-tunes without a step."""

    def tuner(network, head, protocol, manifest, device):
        scores = {"test": torch.eye(2)[[0, 1, 1]]}
        return SimpleNamespace(network=network, evaluated=made.evaluated, kept={"scores": scores})

    def open_loaders(arguments, manifest, recipe, device, **shades):
        made.asked.append((recipe, shades))
        images = SimpleNamespace(labels=torch.tensor([0, 1, 0]))
        return {part: SimpleNamespace(images=images) for part in ("train", "validation", "test")}

    def train_network(trainer, train, test, kept, *, validation, pause_after):
        made.trained = (kept.fingerprint, kept.seconds, validation is None, pause_after)
        made.now += 20
        outcome = {"status": made.status, "epoch": 2, "parts": PARTS}
        return outcome, [{"epoch": n, "parts": PARTS} for n in (1, 2, 3)], {"seconds": 12.5}

    made.evaluated = (30, 4.0)
    monkeypatch.setattr(apr.runs.finetuning.finetuner, "FineTuner", tuner)
    monkeypatch.setattr(apr.runs.commands.loaders, "open_loaders", open_loaders)
    monkeypatch.setattr(apr.runs.training, "train_network", train_network)
    checkpointing = {"path": tmp_path / "c.pt", "seconds": 9, "check": lambda: None}
    return lambda **changes: finetune.finetuned(asked(tmp_path, TUNED, **changes), MANIFEST, checkpointing)


def test_a_fine_tuning_says_what_it_is_of_and_what_it_took(made, tuned, caplog):
    caplog.set_level(logging.INFO, "apr")
    run, outputs = tuned(choice={"run": "r", "cell": {"lr": 1}, "by": "test", "more": 1})
    planned = planned_finetuning("timm:m", TUNED, "top1_accuracy", MANIFEST)
    assert run["protocol"] == planned | {"weights": "digest", "input": INPUT}
    assert (run["planned"], run["seed"]) == (digest_of(planned), 5)
    assert made.asked == [
        "fp32",
        (("timm:m", "w"), {"root": "r", "trained": True, "image_size": planned["resolution"]}),
        (2, 8, "timm:m"),
        ("recipe", {"mean": [0.5], "sd": [0.25], "seed": 5}),
    ]
    assert made.trained == (run["fingerprint"], 9, False, None)
    timing = {"seconds": 12.5, "startup_seconds": 7.5, "evaluated_images_per_second": 7.5}
    assert (run["timing"], run["cost"]) == (timing, {"of": ("network", 8)})
    assert run["choice"] == {"run": "r", "cell": {"lr": 1}, "by": "test"}
    provenance = {
        "threads": 1,
        "described": ("cpu", "fp32", "machine"),
        "weights": "the hub",
        "weights_resolution": 224,
    }
    assert run["provenance"].items() >= provenance.items()
    assert run["provenance"].keys() == {*provenance, "timm", "pillow"}
    assert {name: own.tolist() for name, own in outputs.items()} == {
        "test_scores": [[1, 0], [0, 1], [0, 1]],
        "test_labels": [0, 1, 0],
        "test_groups": [1, 1, 2],
    }
    assert caplog.messages == ["its scores are those of epoch 2"]


def test_a_fine_tuning_that_diverged_has_no_outputs_and_one_of_own_code_its_digest(made, tuned, caplog):
    caplog.set_level(logging.INFO, "apr")
    made.status, made.model.code, made.evaluated = "diverged", "code", (0, 0.0)
    run, outputs = tuned()
    assert (outputs, run["protocol"]["code"], run["timing"]["evaluated_images_per_second"]) == ({}, "code", None)
    assert "choice" not in run
    assert caplog.messages == []


def test_a_pause_has_no_outputs_and_what_goes_on_from_one_took_its_time_too(made, tuned, tmp_path, monkeypatch):
    run, outputs = tuned(pause_after=1)
    assert (run["outcome"], outputs) == ({"status": "paused", "epoch": 1, "parts": PARTS}, None)
    assert ([entry["epoch"] for entry in run["history"]], made.trained[-1]) == ([1], 1)
    before = {"task": "t", "model": "m", "protocol": {"seed": 1}, "history": [], "provenance": {}}
    outcome = {"status": "paused", "epoch": 1, "parts": PARTS}
    write_json(tmp_path / "rung.json", new_run(**before, outcome=outcome, timing={"seconds": 30.25}))
    made.now = 100.0
    assert tuned(rung=tmp_path / "rung.json")[0]["timing"] | {"evaluated_images_per_second": 0} == {
        "seconds": 42.75,
        "startup_seconds": 7.5,
        "evaluated_images_per_second": 0,
    }


@pytest.mark.parametrize(("pause", "asks"), [(None, "take_up"), (2, "finished_before")])
def test_a_finished_fine_tuning_is_taken_up_or_paused_where_it_was(made, tuned, monkeypatch, pause, asks):
    history = [{"epoch": n, "parts": PARTS} for n in (1, 2, 3)]
    finished = {"outcome": {"status": "completed", "epoch": 3, "parts": PARTS}, "history": history}
    for name in ("take_up", "finished_before"):
        monkeypatch.setattr(finetune, name, lambda *given, name=name: finished if name == asks else None)
    run, outputs = tuned(pause_after=pause)
    assert outputs is None
    assert run == ({**finished, "outcome": run["outcome"], "history": history[:2]} if pause else finished)
    assert run["outcome"]["status"] == ("paused" if pause else "completed")
    assert not hasattr(made, "trained")


def test_a_chosen_cell_is_laid_over_the_protocol():
    given = argparse.Namespace(protocol=TUNED | {"lr": 0.1}, choice={"cell": {"lr": 0.5, "seed": 9}})
    assert finetune.prepared(given) == ["validation"]
    assert (given.protocol["lr"], given.protocol["seed"], given.protocol["batch"]) == (0.5, 9, 2)
    given = argparse.Namespace(protocol=TUNED | {"keep_epoch": "last"}, choice=None)
    assert finetune.prepared(given) == []


def test_a_probe_says_what_it_is_of_and_what_it_took(made, tmp_path, monkeypatch):
    chosen, took = {"classifier": "neighbours", "neighbours": 1, "batch": 4}, iter((3.0,))
    labels = {"train": np.array([0, 1, 0, 1]), "validation": np.array([0, 1]), "test": np.array([0, 1, 0])}
    indices = {part: [0] for part in labels} | {f"{part}_labels": own for part, own in labels.items()}
    monkeypatch.setattr(probe, "view_indices", lambda manifest, index: indices)
    features = Features({"train": "features"}, 4.5, {"torch": "2"})

    def features_of(arguments, manifest, protocol, pretrained, sizes):
        made.asked.append(sizes)
        made.now += 30
        return features, {"parameters": 7}

    def fit(given, own, protocol, manifest, kept):
        assert (given, own, kept.seconds) == (features.parts, labels, 9)
        made.fingerprint = kept.fingerprint
        made.now += next(took)
        scores = {part: np.eye(2, dtype=np.float32)[own] for part, own in labels.items()}
        return {"status": "completed", "parts": PARTS}, [], scores

    def load(*given, **options):
        made.asked.append((given, options))
        made.now += 1.5
        return made.model

    monkeypatch.setattr(apr.models.pretrained, "load_model", load)
    monkeypatch.setattr(apr.runs.commands.kept_features, "features_of", features_of)
    monkeypatch.setattr(apr.runs.finetuning.probe, "probe", fit)
    checkpointing = {"path": tmp_path / "c.pt", "seconds": 9, "check": lambda: None}
    run, outputs = probe.probed(asked(tmp_path, chosen), MANIFEST, checkpointing)
    planned = planned_probe("timm:m", chosen, "top1_accuracy", MANIFEST)
    assert run["protocol"] == planned | {"weights": "digest", "input": INPUT}
    assert (run["planned"], run["cost"], made.fingerprint) == (
        digest_of(planned),
        {"parameters": 7},
        run["fingerprint"],
    )
    assert made.asked == [
        (("timm:m", "w"), {"root": "r", "image_size": planned["resolution"]}),
        {"train": 4, "validation": 2, "test": 3},
    ]
    assert run["timing"] == {
        "seconds": 33.0,
        "startup_seconds": 1.5,
        "fitting_seconds": 3.0,
        "extraction_seconds": 4.5,
        "evaluated_images_per_second": 2.0,
    }
    provenance = {"torch": "2", "weights": "the hub", "weights_resolution": 224}
    assert run["provenance"].items() >= provenance.items()
    assert run["provenance"].keys() == {*provenance, "scikit-learn"}
    assert outputs.keys() == {"validation_scores", "validation_labels", "test_scores", "test_labels", "test_groups"}
