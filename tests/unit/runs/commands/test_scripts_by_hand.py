"""train.py and evaluate.py around the training itself: finished runs that are taken up, and what ends them before."""

import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import evaluate
import finetune
import probe
import train
from apr.basics.files import digest_of, read_json, write_json
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.commands.commandline import BAD_OPTION
from apr.runs.metrics import part_of
from apr.runs.record import new_run

PROTOCOL = {"seed": 1}


def finished(folder, status="completed", weights=None):
    """A run beside its checkpoint."""
    outcome = {"status": status, "epoch": 1, "parts": {"test": part_of(2, {"correct_top1": 1})}}
    about = {"task": "t", "model": "a000", "protocol": PROTOCOL, "history": [], "provenance": {}, "weights": weights}
    write_json(folder / "c.json", new_run(**about, outcome=outcome, timing={"seconds": 1.0}))
    return folder / "c.json"


def asked(folder, keep=None, rank=None):
    return SimpleNamespace(keep_weights=keep and str(keep), run=str(folder / "run.json"), rank=rank)


def test_a_finished_run_is_taken_up_as_it_is(tmp_path):
    place = finished(tmp_path)
    assert train.take_up(tmp_path / "none.json", asked(tmp_path), PROTOCOL) is False
    assert train.take_up(place, asked(tmp_path), {"seed": 2}) is False
    assert not (tmp_path / "run.json").exists()
    assert train.take_up(place, asked(tmp_path), PROTOCOL) is True
    assert read_json(tmp_path / "run.json") == read_json(place)
    assert read_json(place)["fingerprint"] == digest_of(PROTOCOL)
    assert train.take_up(place, asked(tmp_path, rank="best1"), PROTOCOL) is True
    assert read_json(tmp_path / "run.json") == read_json(place) | {"rank": "best1"}


@pytest.mark.parametrize(
    ("status", "kept", "there", "taken"),
    [
        ("completed", "digest", True, True),
        ("completed", "digest", False, False),
        ("completed", None, True, False),
        ("diverged", None, False, True),
    ],
)
def test_a_finished_run_counts_where_its_weights_are_there(tmp_path, status, kept, there, taken):
    weights = tmp_path / "w.pt"
    if there:
        weights.touch()
    assert train.take_up(finished(tmp_path, status, kept), asked(tmp_path, weights), PROTOCOL) is taken
    assert (tmp_path / "run.json").exists() == taken


def test_a_run_that_could_not_begin_has_parts_without_counts():
    counts = {"n_train": 5, "n_validation": 3, "n_test": 4}
    whole = counts | {"per_class": {"train": [5], "validation": [3], "test": [4]}}
    assert train.not_evaluated(whole) == {"validation": part_of(3), "test": part_of(4)}
    assert train.not_evaluated(counts | {"per_class": {"train": [5], "test": [4]}}) == {"test": part_of(4)}


@pytest.mark.parametrize("script", [train, evaluate])
def test_what_a_script_does_comes_in_order_and_an_interruption_has_its_exit_code(script, monkeypatch):
    done = []

    def step(name, raised=None):
        def stepped(*_, **__):
            done.append(name)
            if raised:
                raise raised

        return stepped

    arguments = SimpleNamespace(log=None, history=None, model="a000", task="t", rank=None)
    command = SimpleNamespace(parse_args=lambda: arguments, error=step("error", SystemExit(BAD_OPTION)))
    monkeypatch.setattr(script, "parser", lambda *_: command)
    checks = ("check_task", "train") if script is train else ("check_view", "evaluate")
    for name in ("check_options", "listen", *checks):
        monkeypatch.setattr(script, name, step(name))
    script.main()
    assert done == ["check_options", checks[0], "listen", checks[1]]
    monkeypatch.setattr(script, checks[1], step(checks[1], Interrupted(15)))
    monkeypatch.setattr(script, "leave", step("leave"))
    script.main()
    assert done[4:] == [*done[:4], "leave"]
    monkeypatch.setattr(script, "check_options", step("refused", script.Problem("wrong")))
    with pytest.raises(SystemExit):
        script.main()
    assert done[9:] == ["refused", "error"]


def test_the_help_of_evaluate_says_which_images_it_takes(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["evaluate.py", "--help"])
    with pytest.raises(SystemExit):
        evaluate.main()
    assert "; its test images are classified" in " ".join(capsys.readouterr().out.split())
    assert evaluate.parser().get_default("batch") == 256


@pytest.mark.parametrize(
    ("wanted", "there", "taken"), [(None, False, True), ("p.npy", True, True), ("p.npy", False, False)]
)
def test_a_finished_evaluation_counts_where_its_predictions_are_there(tmp_path, wanted, there, taken):
    path = tmp_path / "p.npy"
    if there:
        path.touch()
    asked_for = SimpleNamespace(predictions=wanted and str(path))
    place = finished(tmp_path)
    assert evaluate.finished_run(tmp_path / "none.json", asked_for, PROTOCOL) is None
    assert evaluate.finished_run(place, asked_for, {"seed": 2}) is None
    found = evaluate.finished_run(place, asked_for, PROTOCOL)
    assert (found is not None) is taken
    assert not taken or found["fingerprint"] == digest_of(PROTOCOL)


def test_predictions_are_kept_as_they_are(tmp_path):
    best = np.array([[3, 1], [0, 2]], dtype=np.int16)
    evaluate.keep_predictions(tmp_path / "p.npy", best)
    found = np.load(tmp_path / "p.npy")
    assert (found.tolist(), found.dtype) == (best.tolist(), np.int16)


def test_a_view_without_test_images_is_refused(monkeypatch, caplog):
    arguments = SimpleNamespace(view="v.json", packed="p", storage="pixels")
    monkeypatch.setattr(evaluate, "check_images", lambda *given: {"n_test": int(given == ("v.json", "p", "pixels"))})
    evaluate.check_view(arguments)
    monkeypatch.setattr(evaluate, "check_images", lambda *_: {"n_test": 0})
    with caplog.at_level(logging.ERROR, "apr"), pytest.raises(SystemExit) as caught:
        evaluate.check_view(arguments)
    assert caught.value.code == BAD_OPTION
    said = "has no test images; choose another view (in a study --view is view of its task)"
    assert caplog.messages == [f"error: --view v.json: {said}"]


@pytest.mark.parametrize(
    ("pause", "outputs", "status", "at_end", "did"),
    [
        (3, None, "completed", False, ["write_json run.json"]),
        (None, {}, "diverged", True, ["finish {}"]),
        (None, None, "dropped", True, ["leave_off"]),
        (None, None, "completed", True, []),
    ],
)
def test_how_a_fine_tuning_is_written(monkeypatch, pause, outputs, status, at_end, did):
    done = []
    monkeypatch.setattr(finetune, "write_json", lambda path, run: done.append(f"write_json {path}"))
    monkeypatch.setattr(finetune, "finish", lambda arguments, run, outputs: done.append(f"finish {outputs}"))
    monkeypatch.setattr(finetune, "leave_off", lambda arguments, run: done.append("leave_off"))
    arguments = SimpleNamespace(pause_after=pause, run="run.json")
    assert finetune.written(arguments, {"outcome": {"status": status}}, outputs) is at_end
    assert done == did


@pytest.mark.parametrize(("status", "outputs"), [("diverged", {}), ("dropped", None)])
def test_a_cell_that_is_settled_is_not_trained_on(monkeypatch, status, outputs):
    monkeypatch.setattr(finetune, "planned_finetuning", lambda *given: {"given": list(map(str, given))})
    run = {"outcome": {"status": status}}
    monkeypatch.setattr(
        finetune,
        "settled",
        lambda *given: run if given == ("r", "h", digest_of({"given": ["m", "p", "x", "v"]})) else None,
    )
    arguments = SimpleNamespace(rung="r", halving="h", model="m", protocol="p", metric="x")
    assert finetune.not_trained_on(arguments, "v") == (run, outputs)
    assert finetune.not_trained_on(SimpleNamespace(**vars(arguments) | {"halving": "i"}), "v") is None
    assert finetune.not_trained_on(SimpleNamespace(rung=None), "v") is None


def test_a_probe_is_prepared_and_written(tmp_path, monkeypatch):
    arguments = SimpleNamespace(features=str(tmp_path), protocol={"strengths": [0.1, 1.0]})
    assert probe.prepared(arguments) == ["validation"]
    assert arguments.protocol["classifier"] == "logistic"
    arguments = SimpleNamespace(features=str(tmp_path / "none"), protocol={"strengths": [0.1]})
    assert probe.prepared(arguments) == []
    (tmp_path / "file").touch()
    with pytest.raises(Problem) as caught:
        probe.prepared(SimpleNamespace(features=str(tmp_path / "file"), protocol={}))
    assert str(caught.value) == f"--features {tmp_path}/file: is a file; name a folder"
    done = []
    monkeypatch.setattr(probe, "finish", lambda *given: done.append(given))
    assert probe.written("a", "r", None) is True
    assert done == []
    assert probe.written("a", "r", {}) is True
    assert done == [("a", "r", {})]
