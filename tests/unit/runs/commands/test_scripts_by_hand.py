"""train.py and evaluate.py around the training itself: finished runs that are taken up, and what ends them before."""

import sys
from types import SimpleNamespace

import pytest

import evaluate
import train
from apr.basics.files import digest_of, read_json, write_json
from apr.basics.interruption import Interrupted
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
