"""What is kept beside a checkpoint, who may take it up, and which images are opened with which budget."""

import argparse
import logging
import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import apr.runs.commands.kept_features as kept_features
import apr.runs.commands.loaders as loaders
import apr.runs.commands.scripts as scripts
from apr.basics.files import digest_of, file_digest, read_json, write_json
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.commands.finished import finish, finished_before, leave_off, take_up
from apr.runs.finetuning.features import Features, features_file, identity_of, keep_features
from apr.runs.finetuning.scored import read_outputs
from apr.runs.metrics import part_of
from apr.runs.record import new_run, read_run

OUTPUTS = {"test_scores": np.ones((2, 2), np.float32)}


@pytest.fixture
def asked(tmp_path):
    places = {"run": "out/run.json", "outputs": "out/o.npz", "checkpoint": "kept/c.pt"}
    return argparse.Namespace(**{name: str(tmp_path / place) for name, place in places.items()})


def run_of(name="t"):
    outcome = {"status": "completed", "epoch": 1, "parts": {"test": part_of(2, {"correct_top1": 1})}}
    about = {"task": name, "model": "m", "protocol": {"seed": 1}, "history": [], "provenance": {}, "timing": {}}
    return new_run(**about, outcome=outcome)


def test_a_finished_run_and_its_outputs_stand_in_both_places(asked, tmp_path):
    finish(asked, run_of(), OUTPUTS)
    kept = sorted(os.listdir(tmp_path / "kept"))
    assert kept == ["c.json", "c.npz"]
    assert (tmp_path / "out/o.npz").read_bytes() == (tmp_path / "kept/c.npz").read_bytes()
    made = read_json(tmp_path / "out/run.json")
    assert made == read_json(tmp_path / "kept/c.json") == run_of() | {"outputs": file_digest(tmp_path / "kept/c.npz")}
    asked.outputs = str(tmp_path / "kept/c.npz")
    finish(asked, run_of("again"), OUTPUTS)  # where they are the same file, nothing is copied
    assert read_outputs(tmp_path / "kept/c.npz", made["outputs"]).keys() == OUTPUTS.keys()


def test_a_finished_run_is_taken_up_with_its_outputs_alone(asked, tmp_path, caplog):
    caplog.set_level(logging.INFO, "apr")
    place = tmp_path / "kept/c.json"
    own = digest_of({"seed": 1})
    assert take_up(asked, own) is None
    finish(asked, run_of(), OUTPUTS)
    for name in ("run.json", "o.npz"):
        (tmp_path / "out" / name).unlink()
    assert finished_before(asked, own) == read_run(place)
    assert os.listdir(tmp_path / "out") == []
    assert caplog.messages == [f"takes the result of an earlier call, {place}; delete it to make the run again"]
    assert take_up(asked, "other") is None
    assert os.listdir(tmp_path / "out") == []
    assert take_up(asked, own) == read_run(place) == read_run(tmp_path / "out/run.json")
    assert file_digest(tmp_path / "out/o.npz") == read_run(place)["outputs"]
    for spoil in (lambda path: path.write_bytes(b""), lambda path: path.unlink()):
        caplog.clear()
        spoil(tmp_path / "kept/c.npz")
        assert take_up(asked, own) is None
        said = f"{place}: its outputs were not kept; making the run again"
        assert [(one.levelname, one.getMessage()) for one in caplog.records] == [("WARNING", said)]


def test_a_run_that_others_stopped_is_not_kept_for_it_may_go_on(asked, tmp_path):
    leave_off(asked, run_of())
    made = read_run(tmp_path / "out/run.json")
    assert read_outputs(tmp_path / "out/o.npz", made["outputs"]) == {}
    assert not (tmp_path / "kept").exists()


# Images


class Opened:
    """In place of Images: how much of each budget a part takes."""

    def __init__(self, packed, indices, labels, device, **options):
        self.held, self.held_on_host = (10, 3) if indices == "train" else (0, 0)
        self.device, self.sizes = torch.device("cpu"), np.array([[2, 3], [4, 5]])


@pytest.mark.parametrize(
    ("device", "storage", "budgets", "kept"),
    [
        ("cpu", "encoded", [(100, 0), (90, -3)], 1),
        ("cpu", "pixels", [(100, 0), (90, -3)], 1),
        ("cuda", "encoded", [(100, 50), (90, 47)], 0),
    ],
)
def test_parts_share_what_fits_and_what_does_not_is_said(monkeypatch, caplog, tmp_path, device, storage, budgets, kept):
    caplog.set_level(logging.INFO, "apr")
    asked, freed, shown = [], [], []

    def images(packed, indices, labels, device, **options):
        shown.append((indices, labels, device.type, options))
        return Opened(packed, indices, labels, device, **options)

    monkeypatch.setattr(loaders, "Images", images)
    monkeypatch.setattr(loaders, "Loader", lambda images, recipe, **shades: (recipe, shades))
    monkeypatch.setattr(loaders, "keep_freed_memory", lambda: freed.append(1))
    monkeypatch.setattr(loaders, "open_packed", lambda path, how: SimpleNamespace(index="index", storage=how))
    names = ("train", "validation")
    parts = {name: name for name in names} | {f"{name}_labels": f"{name} labels" for name in names}
    monkeypatch.setattr(loaders, "view_indices", lambda manifest, index: parts)
    monkeypatch.setattr(loaders, "parts_of", lambda manifest: names)

    def budget(place, most):
        asked.append((place.type, most))
        return 100 if place.type == device else 50

    monkeypatch.setattr(loaders, "image_budget", budget)
    monkeypatch.delenv("APRBENCH_DECODED", raising=False)
    given = argparse.Namespace(packed="p", storage=storage, resident_gb=0.5, threads=7)
    opened = loaders.open_loaders(given, {}, "recipe", torch.device(device), mean=(1,), sd=(2,), seed=3)
    assert opened == dict.fromkeys(names, ("recipe", {"mean": [1], "sd": [2], "seed": 3}))
    for name, own, (part, labels, place, options) in zip(names, budgets, shown, strict=True):
        assert (part, labels, place) == (name, f"{name} labels", device)
        given_to = (options["resident_bytes"], options["host_bytes"], options["workers"], options["shared"])
        assert given_to == (*own, 7, None)
    assert asked == [(device, 2**29)] + [("cpu", 2**29)] * (device == "cuda")
    assert len(freed) == kept
    said = "validation images are decoded in every pass: their pixels take 7.26e-08 GB"  # 3 x 26 bytes
    assert caplog.messages == [said] * (storage == "encoded")
    monkeypatch.setenv("APRBENCH_DECODED", str(tmp_path))
    loaders.open_loaders(given, {}, "recipe", torch.device(device), mean=(1,), sd=(2,), seed=3)
    assert shown[-1][-1]["shared"] == tmp_path


def test_groups_are_those_of_the_parts_that_are_held_out(monkeypatch):
    groups, asked = np.array([5, 6, 7, 8]), []
    indices = {"train": [0], "validation": [3, 1], "test": [2]}
    monkeypatch.setattr(loaders, "groups_of", lambda stem, n: asked.append((stem, n)) or groups)
    monkeypatch.setattr(loaders, "view_indices", lambda manifest, index: indices)
    monkeypatch.setattr(loaders, "parts_of", lambda manifest: list(indices))
    packed = SimpleNamespace(stem="s", index=None)
    found = loaders.groups_of_parts(packed, {"n_groups": 4})
    assert {part: own.tolist() for part, own in found.items()} == {"validation": [8, 6], "test": [7]}
    monkeypatch.setattr(loaders, "groups_of", lambda stem, n: None)
    assert loaders.groups_of_parts(packed, {}) == {}
    assert asked == [("s", 4)]


# Features


def test_features_are_extracted_once_under_a_lease_of_their_own(monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.INFO, "apr")
    protocol = {"model": "m", "input": {"resolution": 8, "mean": [1], "sd": [2]}}
    identity, did = identity_of(protocol), []
    asked = argparse.Namespace(
        **{"model": "timm:m", "features": str(tmp_path), "protocol": {"batch": 4}, "checkpoint_seconds": 9},
        **{"device": "cpu", "threads": 1},
    )
    sizes = {"train": 2, "test": 1}
    file = features_file(tmp_path, "timm:m", identity)
    made = {part: np.ones((n, 3), np.float32) for part, n in sizes.items()}

    def extract(network, width, given, batch, kept):
        assert file.with_suffix(".lease").exists()
        kept.path.touch()
        fingerprint = digest_of({"of": identity, "batch": 4})
        assert (kept.path, kept.fingerprint, kept.seconds) == (file.with_suffix(".pt"), fingerprint, 9)
        kept.check()
        did.append((network, width, given, batch))
        return made, 2.5

    monkeypatch.setattr(kept_features, "headless", lambda network, outputs, name: f"{network} of {outputs}")
    monkeypatch.setattr(kept_features, "check_size", lambda pretrained, size, name: did.append((size, name)))
    monkeypatch.setattr(kept_features, "width_of", lambda network, size, name: 3)
    monkeypatch.setattr(kept_features, "cost_of", lambda network, size: {"parameters": size})
    monkeypatch.setattr(kept_features, "recipe_of", lambda protocol: "recipe")
    opened = {"validation": "v", "test": "e", "train": "t"}
    monkeypatch.setattr(
        kept_features, "open_loaders", lambda *given, **shades: did.append((given[1:], shades)) or opened
    )
    monkeypatch.setattr(kept_features, "extract", extract)
    monkeypatch.setattr(kept_features, "versions", lambda threads: {"threads": threads})
    monkeypatch.setattr(
        kept_features, "described", lambda device, precision, *_: {"device": device, "arithmetic": precision}
    )
    pretrained = SimpleNamespace(network="body", outputs=5)

    def features():
        did.clear()
        return kept_features.features_of(asked, "manifest", protocol, pretrained, sizes)

    found, cost = features()
    shades = {"mean": [1], "sd": [2], "seed": 0}
    assert did == [
        (8, "timm:m"),
        (("manifest", "recipe", torch.device("cpu")), shades),
        ("body of 5", 3, {"train": "t", "test": "e"}, 4),
    ]
    assert (found.parts, found.seconds, cost) == (made, 2.5, {"parameters": 8})
    said = {key: found.provenance[key] for key in ("batch", "threads", "device", "arithmetic")}
    assert said == {"batch": 4, "threads": 1, "device": "cpu", "arithmetic": "fp32"}
    assert found.provenance.keys() == {*said, "timm", "pillow"}
    assert torch.backends.cudnn.deterministic
    assert os.listdir(tmp_path) == [file.name]
    again, cost = features()
    assert did == [(8, "timm:m")]
    assert caplog.messages == [f"takes the features that an earlier probe kept, {file}"]
    assert (again.seconds, again.provenance, cost) == (2.5, found.provenance, {"parameters": 8})
    keep_features(file, "other", Features(made, 1.0, {}))
    assert features()[0].seconds == 2.5


# What finetune.py and probe.py share


@pytest.fixture
def command(tmp_path, monkeypatch):
    """A script's steps, each noted."""
    did = []
    arguments = argparse.Namespace(
        **{"log": None, "history": None, "model": "m", "task": "t", "checkpoint": str(tmp_path / "c.pt")},
        **{"checkpoint_seconds": 9, "needed": ()},
    )
    parser = SimpleNamespace(parse_args=lambda: arguments, error=lambda text: did.append(f"error {text}") or exit(2))
    for name in ("check_options", "listen", "leave"):
        monkeypatch.setattr(scripts, name, lambda *given, name=name: did.append(name))
    monkeypatch.setattr(scripts, "check_task", lambda given, needed: did.append(needed) or {"view": "v"})
    return SimpleNamespace(did=did, arguments=arguments, parser=parser, place=tmp_path)


@pytest.mark.parametrize("ends", [True, False])
def test_a_script_makes_its_run_under_a_lease_and_drops_the_checkpoint_at_its_end(command, caplog, ends):
    caplog.set_level(logging.INFO, "apr")

    def make(arguments, manifest, checkpointing):
        assert (command.place / "c.lease").exists()
        (command.place / "c.pt").touch()
        check = checkpointing.pop("check")
        check()
        command.did.append((manifest, checkpointing))
        return "run", "outputs"

    def write(*given):
        command.did.append(given)
        return ends

    scripts.run_script(command.parser, lambda given: ["validation"], make, write)
    checkpointing = {"path": command.place / "c.pt", "seconds": 9}
    made = [({"view": "v"}, checkpointing), (command.arguments, "run", "outputs")]
    assert command.did == ["check_options", ["train", "test", "validation"], "listen", *made]
    assert os.listdir(command.place) == ([] if ends else ["c.pt"])
    assert caplog.messages == ["m on t: loading torch"]


def test_a_script_whose_lease_was_lost_writes_nothing(command, caplog):
    def make(*given):
        write_json(command.place / "c.lease", {"token": "x", "host": "elsewhere", "pid": 1})
        return "run", None

    with pytest.raises(SystemExit) as caught:
        scripts.run_script(command.parser, lambda given: [], make, lambda *given: command.did.append("written"))
    assert caught.value.code == 1
    assert "written" not in command.did
    assert "took this run over" in caplog.text


def test_an_interrupted_script_leaves_and_a_wrong_option_ends_it(command):
    def interrupted(*given):
        raise Interrupted(15)

    scripts.run_script(command.parser, lambda given: [], interrupted, None)
    assert command.did == ["check_options", ["train", "test"], "listen", "leave"]

    def wrong(given):
        raise Problem("--a: is wrong")

    with pytest.raises(SystemExit):
        scripts.run_script(command.parser, wrong, None, None)
    assert command.did[4:] == ["check_options", "error --a: is wrong"]
