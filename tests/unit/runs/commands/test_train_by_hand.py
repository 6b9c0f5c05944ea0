"""train.py and evaluate.py by hand: from what they start, under which names they keep it, and what a run says of it."""

import argparse
import logging
import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import apr.models.network
import apr.models.weights
import apr.runs.commands.loaders
import apr.runs.evaluation
import apr.runs.machine.devices
import apr.runs.trainer
import apr.runs.training
import evaluate
import train
from apr.basics.files import digest_of, read_json, write_json
from apr.models.anynet import Genotype
from apr.runs.metrics import part_of
from apr.runs.protocol import full_protocol
from apr.runs.record import new_run, read_run

GENOTYPE = "d=1,1,1,1 w=8,8,8,8 b=1,1,1,1 g=1,1,1,1"
MANIFEST = {"view": "v", "dataset": "d", "dataset_digest": "b", "indices_digest": "i", "classes": ["a", "b"]}
MANIFEST |= {"n_train": 4, "n_validation": 3, "n_test": 2, "mean": [0.5], "sd": [0.25]}
MANIFEST |= {"per_class": {"train": [2, 2], "validation": [2, 1], "test": [1, 1]}}
PROTOCOL = {"epochs": 3, "batch": 2, "precision": "fp32", "stem": "s", "seed": 5, "crop": "centre", "resolution": 8}
PROTOCOL |= {"eval_resize": 9, "padding": 1, "flip": True}


def source(status="completed", epochs=2):
    """The run of another task."""
    outcome = {"status": status, "epoch": 2, "parts": {"test": part_of(2, {"correct_top1": 1})}}
    about = {"task": "other", "model": "a007", "protocol": PROTOCOL | {"epochs": epochs, "genotype": GENOTYPE}}
    return new_run(**about, outcome=outcome, history=["before"], timing={}, provenance={}, weights="digest")


@pytest.fixture
def asked(tmp_path):
    """The options of a training, some of them changed."""
    write_json(tmp_path / "v.json", MANIFEST)
    names = ("model", "genotype", "rank", "ranking", "initial_runs", "initial_weights", "keep_weights", "evaluate")

    def of(**changes):
        given = dict.fromkeys(names) | {"task": "t", "view": str(tmp_path / "v.json"), "protocol": PROTOCOL}
        given |= {"checkpoint": str(tmp_path / "kept/c.pt"), "run": str(tmp_path / "run.json"), "device": "auto"}
        given |= {"checkpoint_seconds": 9, "threads": 1, "keep_optimizer": False} | changes
        return argparse.Namespace(**given)

    return of


def test_a_run_is_written_in_both_places_and_its_checkpoint_goes(asked, tmp_path, monkeypatch):
    did = []

    def trained(arguments, identity, genotype, manifest, begun, checkpointing):
        assert checkpointing["path"].with_suffix(".lease").exists()
        checkpointing["path"].touch()
        checkpointing.pop("check")()
        did.append((identity, str(genotype), manifest, begun and begun["task"], checkpointing))
        return {"made": identity["model"]}

    monkeypatch.setattr(train, "trained", trained)
    train.train(asked(model="a000", genotype=Genotype.parse(GENOTYPE)))
    protocol = full_protocol(PROTOCOL, genotype=GENOTYPE, manifest=MANIFEST)
    identity = {"task": "t", "model": "a000", "protocol": protocol, "rank": None}
    assert did == [(identity, GENOTYPE, MANIFEST, None, {"path": tmp_path / "kept/c.pt", "seconds": 9})]
    assert read_json(tmp_path / "run.json") == read_json(tmp_path / "kept/c.json") == {"made": "a000"}
    assert os.listdir(tmp_path / "kept") == ["c.json"]
    # by a rank, under the model's own name, and from the run of another task
    write_json(tmp_path / "runs/a007.json", source())
    monkeypatch.setattr(train, "ranked_model", lambda table, rank: {("table", "best1"): "a007"}[table, rank])
    ranked = {"rank": "best1", "ranking": "table", "initial_runs": str(tmp_path / "runs")}
    train.train(asked(**ranked, protocol=PROTOCOL | {"continues": "other"}))
    identity, genotype, _, begun, checkpointing = did[1]
    assert (identity["model"], identity["rank"], genotype, begun) == ("a007", "best1", GENOTYPE, "other")
    assert identity["protocol"]["initial"] == {
        "task": "other",
        "fingerprint": source()["fingerprint"],
        "weights": "digest",
        "epochs": 2,
    }
    assert checkpointing["path"] == tmp_path / "kept/a007.pt"
    assert sorted(os.listdir(tmp_path / "kept")) == ["a007.json", "c.json"]


def test_a_training_that_cannot_begin_is_a_run_that_diverged(asked, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(train, "trained", None)
    write_json(tmp_path / "runs/a000.json", source("diverged"))
    train.train(asked(model="a000", initial_runs=str(tmp_path / "runs"), protocol=PROTOCOL | {"initial": "other"}))
    run = read_run(tmp_path / "run.json")
    parts = {"validation": part_of(3), "test": part_of(2)}
    assert run["outcome"] == {"status": "diverged", "epoch": 0, "parts": parts}
    assert (run["history"], run["timing"], run["provenance"]) == ([], {"seconds": 0.0}, {})
    said = "a000 diverged on other: there are no weights to start from"
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [("WARNING", said)]


class Tunes:
    """In place of a Trainer: it notes what it goes on from."""

    def __init__(self, network, protocol, classes, device):
        self.network, self.optimizer, self.fused, self.resumed = network, "optimiser", "unfused", None
        assert (protocol["epochs"], classes, device.type) == (3, 2, "cpu")

    def resume(self, state):
        self.resumed = state


@pytest.fixture
def training(monkeypatch, tmp_path):
    """`train.trained` with one layer for a network, no images, and a clock; and what it did."""
    did = SimpleNamespace(status="completed", network=None, taken=[], kept=[], given=None, opened=None, asked=[])
    clock = iter((100.0, 112.5))
    monkeypatch.setattr(train, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    devices = apr.runs.machine.devices
    monkeypatch.setattr(devices, "machine_of", lambda torch: "machine")
    monkeypatch.setattr(devices, "choose_device", lambda *given: did.asked.append(given) or "cpu")
    monkeypatch.setattr(devices, "set_arithmetic", lambda precision, torch: did.asked.append(precision))
    monkeypatch.setattr(devices, "versions", lambda threads: {"threads": threads})
    monkeypatch.setattr(devices, "described", lambda *given: {"described": given[:3]})

    def build(genotype, **options):
        did.asked.append((str(genotype), options))
        return nn.Linear(3, 2)

    def train_network(trainer, train, test, kept, **options):
        did.trainer, did.given = trainer, (train, test, kept.fingerprint, kept.seconds, options)
        outcome = {"status": did.status, "epoch": 3, "parts": {"test": part_of(2, {"correct_top1": 1})}}
        return outcome, ["history"], {"seconds": 5.0}

    def open_loaders(arguments, manifest, recipe, device, **shades):
        did.opened = (manifest, recipe, device.type, shades)
        return {part: f"{part} images" for part in ("train", "validation", "test")}

    monkeypatch.setattr(apr.models.network, "build_network", build)
    monkeypatch.setattr(apr.runs.trainer, "Trainer", Tunes)
    monkeypatch.setattr(apr.runs.training, "train_network", train_network)
    monkeypatch.setattr(apr.runs.commands.loaders, "open_loaders", open_loaders)
    weights = apr.models.weights
    monkeypatch.setattr(weights, "load_weights", lambda path, digest, device: {"network": (path, digest, device.type)})
    monkeypatch.setattr(weights, "take_over", lambda network, state: did.taken.append(state))
    monkeypatch.setattr(weights, "keep_weights", lambda *given: did.kept.append(given) or "kept digest")
    checks = []
    checkpointing = {"path": tmp_path / "c.pt", "seconds": 9, "check": lambda: checks.append(1)}

    def run(arguments, begun=None):
        torch.backends.cudnn.deterministic = False
        genotype = Genotype.parse(GENOTYPE)
        protocol = full_protocol(arguments.protocol, genotype=GENOTYPE, manifest=MANIFEST, source=begun)
        identity = {"task": "t", "model": "a007", "protocol": protocol, "rank": None}
        made = train.trained(arguments, identity, genotype, MANIFEST, begun, checkpointing)
        assert len(checks) == len(did.kept)
        return made

    did.run = run
    return did


def test_a_training_from_scratch_is_of_its_seed_and_says_what_it_took(asked, training):
    run = training.run(asked(evaluate=(1, 2), device="cuda:1"))
    assert training.asked == [
        ("cuda:1", "fp32", "machine"),
        "fp32",
        (GENOTYPE, {"stem": "s", "classes": 2, "zero_init_final_gamma": False}),
    ]
    torch.manual_seed(5)
    assert torch.equal(training.trainer.network.weight, nn.Linear(3, 2).weight)
    assert torch.backends.cudnn.deterministic
    train_images, test, fingerprint, seconds, options = training.given
    assert (train_images, test, fingerprint, seconds) == ("train images", "test images", run["fingerprint"], 9)
    start = options.pop("start")
    assert (start.epoch, start.history, training.trainer.resumed, training.taken) == (0, [], None, [])
    assert options == {"validation": "validation images", "evaluate": (1, 2)}
    manifest, recipe, device, shades = training.opened
    assert (manifest, device, shades) == (MANIFEST, "cpu", {"mean": [0.5], "sd": [0.25], "seed": 5})
    assert (recipe.crop, recipe.resolution, recipe.eval_resize, recipe.padding, recipe.flip) == (
        "centre",
        8,
        9,
        1,
        True,
    )
    assert run["timing"] == {"seconds": 5.0, "startup_seconds": 7.5}
    assert run["provenance"] == {"threads": 1, "described": ("cpu", "fp32", "machine"), "fused": "unfused"}
    assert (run["weights"], run["history"], training.kept) == (None, ["history"], [])
    assert run["fingerprint"] == digest_of(run["protocol"])


@pytest.mark.parametrize(
    ("status", "optimizer", "kept"),
    [("completed", False, None), ("completed", True, "optimiser"), ("diverged", True, "nothing")],
)
def test_weights_are_kept_where_a_training_ended_well(asked, training, status, optimizer, kept):
    training.status = status
    run = training.run(asked(keep_weights="w.pt", keep_optimizer=optimizer))
    ended = [("w.pt", training.trainer.network, kept)] if kept != "nothing" else []
    assert training.kept == ended
    assert run["weights"] == ("kept digest" if ended else None)


def test_a_training_starts_from_weights_or_goes_on_after_the_last_epoch(asked, training):
    given = asked(initial_weights="folder", protocol=PROTOCOL | {"initial": "other"})
    training.run(given, source())
    weights = ("folder/a007.pt", "digest", "cpu")
    assert (training.taken, training.trainer.resumed) == ([weights], None)
    assert (training.given[-1]["start"].epoch, training.given[-1]["start"].history) == (0, [])


def test_a_continued_training_has_the_history_before_it(asked, training):
    training.run(asked(initial_weights="folder", protocol=PROTOCOL | {"continues": "other"}), source())
    assert (training.taken, training.trainer.resumed) == ([], {"network": ("folder/a007.pt", "digest", "cpu")})
    start = training.given[-1]["start"]
    assert (start.epoch, start.history, start.step, start.sums) == (2, ["before"], 0, None)


@pytest.mark.parametrize(("device", "used"), [("cpu", 3), ("cuda", 1)])
def test_an_evaluation_takes_the_test_images_and_then_those_of_validation(asked, tmp_path, monkeypatch, device, used):
    did, clock, threads = [], iter((104.0,)), []
    monkeypatch.setattr(evaluate, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    devices = apr.runs.machine.devices
    monkeypatch.setattr(devices, "machine_of", lambda torch: "machine")
    monkeypatch.setattr(devices, "choose_device", lambda *given: did.append(given) or device)
    monkeypatch.setattr(devices, "set_arithmetic", lambda precision, torch: did.append(precision))
    monkeypatch.setattr(devices, "versions", lambda threads: {"threads": threads})
    monkeypatch.setattr(devices, "described", lambda *given: {"described": given[:3]})
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    monkeypatch.setattr(
        evaluate, "open_packed", lambda path, storage: SimpleNamespace(index="index", of=(str(path), storage))
    )
    indices = {"train": [9], "validation": np.array([7, 8]), "test": np.array([4, 5, 6])}
    indices |= {"validation_labels": np.array([1, 1]), "test_labels": np.array([0, 1, 0])}
    monkeypatch.setattr(evaluate, "view_indices", lambda manifest, index: indices)
    model = SimpleNamespace(weights="w", outputs=7, preprocessing={}, code=None, source="the hub")
    monkeypatch.setattr(evaluate, "load_model", lambda *given, **options: did.append((given, options)) or model)
    monkeypatch.setattr(apr.runs.evaluation, "output_indices", lambda *given: did.append(given) or np.array([3, 5]))
    best = np.array([[3, 1, 0, 2, 4], [3, 5, 0, 1, 2], [0, 1, 2, 4, 5], [5, 0, 1, 2, 3], [0, 1, 2, 4, 6]], np.int16)

    def predict(model, packed, rows, kept, **options):
        did.append((packed.of, rows.tolist(), kept.seconds, options.pop("device").type, options))
        return best, {"seconds": 2.0}

    monkeypatch.setattr(apr.runs.evaluation, "predict", predict)
    checks = []
    checkpointing = {"path": tmp_path / "c.pt", "seconds": 9, "check": lambda: checks.append(1)}
    given = {"model": "timm:m", "weights": "w.pt", "root": "r", "packed": "p", "storage": "pixels", "batch": 2}
    arguments = asked(**given, threads=3, predictions=str(tmp_path / "p.npy"))
    run = evaluate.evaluated_run(arguments, MANIFEST, tmp_path / "none.json", checkpointing, 100.0)
    assert did == [
        ("auto", "fp32", "machine"),
        "fp32",
        (("timm:m", "w.pt"), {"root": "r"}),
        ("v", ["a", "b"], 7),
        (("p", "pixels"), [4, 5, 6, 7, 8], 9, device, {"batch": 2, "threads": 3}),
    ]
    assert run["outcome"]["parts"] == {
        "test": part_of(3, {"correct_top1": 1, "correct_top5": 2}),
        "validation": part_of(2, {"correct_top1": 1, "correct_top5": 1}),
    }
    assert (run["timing"], run["history"], threads) == ({"seconds": 2.0, "startup_seconds": 4.0}, [], [used])
    provenance = {"threads": 3, "described": (device, "fp32", "machine"), "weights": "the hub", "batch": 2}
    assert run["provenance"].items() >= provenance.items()
    assert run["provenance"].keys() == {*provenance, "timm", "pillow"}
    assert np.load(tmp_path / "p.npy").tolist() == best[:3].tolist()
    assert checks == [1]


def test_what_is_taken_up_or_made_again_is_said(tmp_path, caplog):
    caplog.set_level(logging.INFO, "apr")
    place, own = tmp_path / "c.json", {"seed": 1}
    outcome = {"status": "completed", "epoch": 1, "parts": {"test": part_of(2, {"correct_top1": 1})}}
    about = {"task": "t", "model": "m", "protocol": own, "history": [], "provenance": {}, "timing": {}}
    write_json(place, new_run(**about, outcome=outcome))
    arguments = argparse.Namespace(keep_weights=None, run=tmp_path / "r.json", rank=None, predictions=None)
    train.take_up(place, arguments, own)
    evaluate.finished_run(place, arguments, own)
    arguments.keep_weights = arguments.predictions = tmp_path / "none"
    train.take_up(place, arguments, own)
    evaluate.finished_run(place, arguments, own)
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("INFO", f"takes the result of an earlier call, {place}; delete it to train again"),
        ("INFO", f"takes the result of an earlier call, {place}; delete it to evaluate again"),
        ("WARNING", f"{place}: its weights were not kept; training again"),
        ("WARNING", f"{place}: its predictions were not kept; evaluating again"),
    ]
