"""Which options of a script go together, and which tasks they may name; each sentence whole."""

import argparse

import pytest

from apr.basics.files import write_json
from apr.basics.problems import Problem
from apr.runs.commands import train_options, transfer_options
from apr.runs.commands.pretrained_options import check_pretrained


def told(function, *arguments, error=Problem):
    with pytest.raises(error) as caught:
        function(*arguments)
    return str(caught.value)


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """The options of a right training, some of them changed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "v.json").touch()
    (tmp_path / "runs").mkdir()
    names = ("rank", "ranking", "initial_runs", "initial_weights", "keep_weights", "log", "history")

    def of(**changes):
        given = dict.fromkeys(names) | {"keep_optimizer": False, "protocol": {}, "model": "a000", "genotype": "g"}
        given |= {"view": "v.json", "checkpoint": "c.pt", "run": "r.json"} | changes
        return argparse.Namespace(**given)

    return of


START = {"initial_runs": "runs", "initial_weights": "runs"}
BEST = {"model": None, "genotype": None, "rank": "best1", "ranking": "v.json"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"run": "c.json"}, None),
        ({"model": None}, "--model: give either --model, or --rank with --ranking"),
        (BEST | START | {"model": "a000"}, "--model: give either --model, or --rank with --ranking"),
        (BEST | START | {"protocol": {"initial": "t"}}, None),
        (BEST | START | {"rank": "worst9999", "protocol": {"continues": "t"}}, None),
        *((BEST | {"rank": rank}, f"--rank {rank}: write best1, worst3, …") for rank in ("best0", "top1", "best12345")),
        (BEST | {"ranking": None}, "--rank: needs --ranking beside it"),
        (BEST, "--rank: needs --initial-runs beside it"),
        ({"ranking": "v.json"}, "--ranking: needs --rank beside it"),
        ({"keep_optimizer": True}, "--keep-optimizer: needs --keep-weights beside it"),
        ({"keep_optimizer": True, "keep_weights": "w.pt"}, None),
        ({"initial_runs": "runs"}, "--initial-runs: needs --initial-weights beside it"),
        ({"initial_weights": "runs"}, "--initial-weights: needs --initial-runs beside it"),
        (
            {"protocol": {"continues": "t"}},
            "--protocol: has continues; give --initial-runs and --initial-weights, or leave it out",
        ),
        (START, "--initial-runs: the protocol has neither initial nor continues; add one, or leave this out"),
        ({"genotype": None}, "--genotype: is needed beside --model; population.csv has it"),
        (START | {"genotype": None, "protocol": {"initial": "t"}}, None),
        (
            START | {"initial_weights": "none", "protocol": {"initial": "t"}},
            "--initial-weights none: there is no such folder; name that of the other task's",
        ),
        ({"keep_weights": "c.pt"}, "--keep-weights c.pt: is the file of --checkpoint as well; give each its own"),
        ({"log": "v.json"}, "--log v.json: is the file of --view as well; give each its own"),
        ({"history": "runs"}, "--history runs: is a folder; name a file in it"),
        ({"run": "c.lease"}, "--run c.lease: is the file of --checkpoint (its lease) as well; give each its own"),
    ],
)
def test_options_of_a_training_go_together(asked, changes, said):
    given = asked(**changes)
    if said is None:
        train_options.check_options(given)
    else:
        assert told(train_options.check_options, given) == said


def test_epochs_of_evaluations_are_said_as_words_or_numbers():
    assert train_options.evaluated_epochs("every") is None
    assert train_options.evaluated_epochs("last") == ()
    assert train_options.evaluated_epochs("1,20,999999") == (1, 20, 999999)
    for text in ("", "0", "1,", "1,,2", "1000000", "1 2", "-1", "all"):
        said = told(train_options.evaluated_epochs, text, error=argparse.ArgumentTypeError)
        assert said == f"{text!r}: write every, last, or numbers of epochs, as 10,20"


# Pretrained models


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"run": "c.json"}, None),
        (
            {"model": "own:net.py:f", "root": "."},
            "--model own:net.py:f: there is no file net.py; give --root, its folder",
        ),
        ({"model": "own:net.py:f", "root": "runs"}, None),
        ({"log": "c.json"}, "--log c.json: is the file of --checkpoint (its finished run) as well; give each its own"),
        ({"history": "o.npz"}, "--history o.npz: is the file of --outputs as well; give each its own"),
        ({"run": "o.npz"}, "--run o.npz: is the file of --outputs as well; give each its own"),
    ],
)
def test_options_of_a_pretrained_model_go_together(asked, changes, said):
    open("runs/net.py", "w").close()
    given = asked(**{"model": "timm:resnet18", "root": ".", "weights": None} | changes)
    if said is None:
        check_pretrained(given, {"--outputs": "o.npz"}, {"--rung": None})
    else:
        assert told(check_pretrained, given, {"--outputs": "o.npz"}, {}) == said
    assert told(check_pretrained, given, {}, {"--rung": "x"}).startswith("--rung x: there is no" if not said else "--")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, None),
        ({"outputs": None}, "--outputs: is missing; only with --pause-after there are none"),
        ({"outputs": None, "pause_after": 2}, None),
        ({"pause_after": 3}, "--pause-after 3: the run ends after 3 epochs; lower it, or leave it out"),
        ({"rung": "r"}, "--halving: is missing; --rung and --halving go together"),
        ({"halving": "h"}, "--rung: is missing; --rung and --halving go together"),
        ({"rung": "r", "halving": "h"}, None),
        *(
            (
                {"choice": {"cell": {}}} | more,
                "--choice: a chosen cell is trained to the end; leave out --pause-after, --rung and --halving",
            )
            for more in ({"pause_after": 1}, {"rung": "r", "halving": "h"})
        ),
        ({"choice": {"cell": {}}}, None),
    ],
)
def test_options_of_cells_go_together(changes, said):
    given = {"outputs": "o", "pause_after": None, "rung": None, "halving": None, "choice": None} | changes
    given = argparse.Namespace(**given, protocol={"epochs": 3})
    if said is None:
        assert transfer_options._check_cells(given) == {"--rung": given.rung, "--halving": given.halving}
    else:
        assert told(transfer_options._check_cells, given) == said


def test_a_choice_that_is_none_is_refused_as_an_option(tmp_path):
    write_json(tmp_path / "c.json", {})
    said = f"{tmp_path}/c.json: does not say which cell was chosen; delete it, and run again"
    assert told(transfer_options._choice, f"{tmp_path}/c.json", error=argparse.ArgumentTypeError) == said


# Tasks


MANIFEST = {"view": "v", "classes": ["a", "b", "c"], "n_train": 8, "n_validation": 4, "n_test": 3}
MANIFEST |= {"per_class": {"train": [4, 2, 2], "validation": [2, 2, 1], "test": [1, 1, 1]}}


def refused(module, caplog, monkeypatch, manifest, *needed, **changes):
    """What is in the log where a task is refused."""
    given = {"task": "t", "view": "v.json", "packed": "p", "storage": "pixels", "metric": "top1_error"}
    given |= {"protocol": {"batch": 8, "epochs": 1}} | changes
    monkeypatch.setattr(module, "check_images", lambda *asked: manifest if asked == ("v.json", "p", "pixels") else None)
    caplog.clear()
    code = None
    try:
        module.check_task(argparse.Namespace(**given), *needed)
    except SystemExit as end:
        code = end.code
    assert (code, [one.levelname for one in caplog.records].count("ERROR")) in ((2, 1), (None, 0))
    return caplog.messages[0] if code else caplog.messages


def test_a_training_is_refused_by_metric_and_batch(caplog, monkeypatch):
    def said(**changes):
        return refused(train_options, caplog, monkeypatch, MANIFEST, **changes)

    assert said() == []
    keys = "(in a study --protocol is the keys of its task and regime)"
    assert said(protocol={"batch": 9}) == (
        f"error: --protocol: batch 9 is larger than the 8 training images of the view v; lower the task's batch {keys}"
    )
    few = "task t: metric: top5_error says nothing about 3 classes; use top1_error (view v)"
    assert said(metric="top5_error") == (
        f"error: --metric top5_error: {few} (in a study --metric is metric of its task)"
    )


def test_a_fine_tuning_is_refused_by_parts_classes_and_batch(caplog, monkeypatch):
    def said(needed=("train", "test"), manifest=MANIFEST, **changes):
        return refused(transfer_options, caplog, monkeypatch, manifest, needed, **changes)

    assert said() == said(("validation",)) == said(protocol={"batch": 99}) == []
    view, keys = "(in a study --view is view of its task)", "(in a study --protocol is the keys of its task and regime)"
    drawn = "set split: {validation_fraction: 0.1} of its dataset, or more where it has few images"
    nothing = MANIFEST | {"n_validation": 0, "n_test": 0}
    assert said(("validation",), nothing) == f"error: --view v.json: has no validation images; {drawn} {view}"
    assert said(("train", "test"), nothing) == f"error: --view v.json: has no test images; give its dataset some {view}"
    assert said(protocol={"batch": 9, "epochs": 1}) == (
        f"error: --protocol: batch 9 is larger than the 8 training images of the view v; lower the task's batch {keys}"
    )


def test_a_class_without_images_of_a_part_is_said_or_refused(caplog, monkeypatch):
    def said(test, classes="abc", **changes):
        manifest = MANIFEST | {"classes": list(classes), "per_class": MANIFEST["per_class"] | {"test": test}}
        return refused(transfer_options, caplog, monkeypatch, manifest, ("train",), **changes)

    assert said([1, 0, 2]) == ["v: no test image of class 'b'"]
    assert said([0, 3, 0]) == ["v: no test image of class 'a' and 1 more"]
    assert said([0, 0, 0]) == ["v: no test image of class 'a' and 2 more"]
    assert caplog.records[0].levelname == "WARNING"
    per_class = {"train": [4, 4], "validation": [2, 2], "test": [3, 0]}
    two = MANIFEST | {"classes": ["a", "b"], "per_class": per_class}
    curve = "so that there is no ROC curve; enlarge the part, or take another metric"
    assert refused(transfer_options, caplog, monkeypatch, two, ("train",), metric="auc") == (
        f"error: --metric auc: the test part of the view v has no image of the class 'b', {curve} "
        "(in a study --metric is metric of its task)"
    )
