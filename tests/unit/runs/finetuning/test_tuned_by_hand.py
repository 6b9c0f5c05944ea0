"""Fine-tunings by hand: which epoch and which cell count, what a checkpoint has to hold, what pictures cost."""

import logging
from types import SimpleNamespace

import pytest
import torch
from small import CPU, PROTOCOL
from torch import nn

from apr.basics.files import write_json
from apr.basics.problems import Problem
from apr.runs.augmentation import SMALLEST_AREA
from apr.runs.finetuning import halving
from apr.runs.finetuning.finetuner import FineTuner
from apr.runs.finetuning.networks import check_size, cost_of, first_output, recipe_of
from apr.runs.metrics import part_of
from apr.runs.record import new_run
from apr.runs.trainer import Trainer

TUNED = PROTOCOL | {"channels_last": False, "layers": "all", "keep_epoch": "best", "metric": "top1_accuracy"}
MANIFEST = {"classes": ["a", "b"]}


def told(function, *arguments):
    with pytest.raises(Problem) as caught:
        function(*arguments)
    return str(caught.value)


def tuner(manifest=MANIFEST, **changes):
    """A body of one layer, with a head of two outputs."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(3, 3), nn.Dropout(), nn.Linear(3, 2))
    return FineTuner(network, list(network[3].parameters()), TUNED | changes, manifest, CPU)


def test_a_fine_tuning_is_neither_recorded_nor_fused_and_begins_at_nothing(monkeypatch):
    asked, init = [], Trainer.__init__

    def noted(self, *given, **options):
        asked.append(options)
        init(self, *given, **options)

    monkeypatch.setattr(Trainer, "__init__", noted)
    one = tuner()
    assert asked == [{"recorded": False, "fused": False}]
    assert (one.evaluated.tolist(), one.metric.name, one.classes, one.sets) == ([0, 0], "top1_accuracy", 2, None)


def evaluated(number, correct, **more):
    return {"epoch": number, "parts": {"validation": part_of(10, {"correct_top1": correct}) | more}}


@pytest.mark.parametrize(("metric", "kept"), [("top1_accuracy", 2), ("top1_error", 2)])
def test_the_first_of_the_best_epochs_is_kept_with_its_outputs(metric, kept):
    one = tuner(metric=metric)
    assert (one.kept_epoch, one.kept) == (0, {"epoch": 0, "scores": {}})
    for number, correct in enumerate((5, 7, 7, 6), 1):
        one._scores["test"] = torch.full((1, 2), float(number))
        one.keep(evaluated(number, correct))
    assert (one.kept_epoch, one.kept["loss"], one.kept["scores"]["test"].tolist()) == (kept, 30, [[2, 2]])
    assert one.state()["kept"] is one.kept


def test_where_the_last_epoch_counts_it_alone_is_kept():
    one = tuner(keep_epoch="last")
    for number in (1, 2, 3):
        one._scores["test"] = number
        one.keep(evaluated(number, 10 - number))
        assert one.kept == ({"epoch": 3, "scores": {"test": 3}} if number == 3 else {"epoch": 0, "scores": {}})


SCORES = {"test": torch.zeros(4, 2)}
WHOLE = {"epoch": 2, "scores": SCORES, "loss": 30.0}


@pytest.mark.parametrize(
    ("kept", "keep_epoch", "fits"),
    [
        (WHOLE, "best", True),
        ({"epoch": 0, "scores": {}}, "best", True),
        ({"epoch": 3, "scores": SCORES}, "last", True),
        ({"epoch": 1, "scores": SCORES}, "best", False),
        (WHOLE | {"scores": {}}, "best", False),
        (WHOLE | {"scores": {}}, "last", False),
        (WHOLE | {"loss": 30}, "best", False),
        (WHOLE | {"epoch": "2"}, "best", False),
        (WHOLE | {"more": 1}, "best", False),
        (WHOLE | {"scores": [1]}, "best", False),
        (WHOLE | {"scores": {"test": torch.zeros(4, 3)}}, "best", False),
        (WHOLE | {"scores": {"test": torch.zeros(2)}}, "best", False),
        (WHOLE | {"scores": SCORES | {"validation": [[0, 0]]}}, "best", False),
        ({"epoch": 0}, "best", False),
        (None, "best", False),
    ],
)
def test_a_checkpoint_holds_the_outputs_of_its_best_epoch(kept, keep_epoch, fits):
    one = tuner(keep_epoch=keep_epoch)
    state = one.state() | {"kept": kept}
    assert one.fault(state) == (None if fits else "it does not say which outputs are the best so far")
    assert one.fault(state | {"network": {}}) is not None


def test_a_head_alone_is_trained_with_its_body_at_rest():
    one, other = tuner(layers="head"), tuner()
    assert [one.requires_grad for one in one.network.parameters()] == [False, False, True, True]
    assert all(one.requires_grad for one in other.network.parameters())
    for tuned, training in ((one, False), (other, True)):
        tuned.train_mode()
        assert tuned.network.training is training


def test_what_a_step_draws_is_of_the_seed_the_epoch_and_the_step():
    drawn = {}
    for key in ((3, 0, 0), (3, 0, 1), (3, 1, 0), (4, 0, 0)):
        one = tuner(seed=key[0])
        one.seed(*key[1:])
        drawn[key] = torch.rand(1).item()
    assert len(set(drawn.values())) == 4
    one.seed(0, 0)
    assert torch.rand(1).item() == drawn[4, 0, 0]


def test_several_labels_have_a_loss_for_each_and_no_counts():
    one = tuner(MANIFEST | {"label_sets": [[], [0, 1]]}, metric="macro_f1")
    assert one._targets.tolist() == [[0, 0], [1, 1]]
    outputs = torch.tensor([[0.0, 0.0]])
    assert one._loss(outputs, torch.tensor([1])).item() == pytest.approx(0.693147, abs=1e-6)  # log 2
    far = one._loss(torch.tensor([[-9.0, 9.0]]), torch.tensor([1]))
    assert far.item() == pytest.approx(4.500123, abs=1e-5)  # the mean of log(1 + exp(9)) and log(1 + exp(-9))
    assert one._correct(outputs, torch.tensor([1])).tolist() == [0, 0]
    plain = tuner()
    assert plain._loss(torch.tensor([[0.0, 0.0]]), torch.tensor([1])).item() == pytest.approx(0.693147, abs=1e-6)
    assert plain._correct(torch.tensor([[0.0, 1.0]]), torch.tensor([1])).tolist() == [1, 1]


# Cells


def standing(status, correct=5, name="f", planned="p"):
    parts = {"validation": part_of(10, {"correct_top1": correct}), "test": part_of(4, {"correct_top1": 2})}
    run = new_run(
        **{"task": "t", "model": "m", "protocol": {"seed": 1, "name": name}, "history": [], "provenance": {}},
        outcome={"status": status, "epoch": 2, "parts": parts},
        timing={},
    )
    return run | {"planned": planned}


def test_which_cells_go_on_is_told_with_each_ones_value(caplog):
    runs = [standing("paused", 5), standing("diverged"), standing("paused", 7), standing("dropped", 9)]
    rung = {"epochs": 2, "of": 4, "stay": 1}
    cells = [
        {"fingerprint": run["fingerprint"], "status": status, "value": value, "goes_on": goes}
        for run, status, value, goes in zip(
            *(runs, ("paused", "diverged", "paused", "dropped"), (50, None, 70, 90), (False, False, True, False)),
            strict=True,
        )
    ]
    assert halving.halved(runs, rung, "top1_accuracy") == rung | {"metric": "top1_accuracy", "cells": cells}
    assert halving.halved(runs, rung, "top1_error")["cells"][2]["goes_on"] is True
    assert caplog.messages == []
    halving.halved([runs[1], runs[3]], rung, "top1_accuracy")
    said = "m: no cell is left after epoch 2: all that had not been dropped diverged"
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [("WARNING", said)]


def test_a_pause_is_its_last_epoch_of_any_later_state():
    history = [{"parts": {"test": number}} for number in (1, 2, 3)]
    run = {"model": "m", "outcome": {"status": "completed", "epoch": 3}, "history": history, "outputs": "x"}
    paused = {"status": "paused", "epoch": 2, "parts": {"test": 2}}
    assert halving.paused(run, 2) == {"model": "m", "outcome": paused, "history": history[:2]}
    diverged = run | {"outcome": {"status": "diverged", "epoch": 3}, "history": history[:2]}
    assert halving.paused(diverged, 3) is diverged
    assert halving.paused(diverged, 2)["outcome"] == paused


def test_a_cell_that_does_not_go_on_has_its_run(tmp_path, caplog):
    caplog.set_level(logging.INFO, "apr")
    path, decision = tmp_path / "rung.json", tmp_path / "halving.json"
    rung = {"epochs": 2, "of": 3, "stay": 1}

    def settled(status, goes_on, planned="p", name="f"):
        run = standing(status)
        write_json(path, run)
        cell = {"fingerprint": standing(status, name=name)["fingerprint"], "goes_on": goes_on}
        write_json(decision, rung | {"cells": [{"fingerprint": "other", "goes_on": not goes_on}, cell]})
        return run, lambda: halving.settled(path, decision, planned)

    run, found = settled("paused", goes_on=True)
    assert found() is None
    assert caplog.messages == []
    run, found = settled("paused", goes_on=False)
    assert found() == run | {"outcome": run["outcome"] | {"status": "dropped"}, "rung": rung}
    assert caplog.messages == ["dropped after epoch 2: 1 of 3 cells go on, and this is none of them"]
    for status in ("diverged", "dropped"):
        run, found = settled(status, goes_on=True)
        assert found() == run
    remedy = "delete it, and run again"
    _, found = settled("paused", goes_on=True, planned="q")
    assert told(found) == f"{path}: is of another protocol than this run; {remedy}"
    _, found = settled("paused", goes_on=True, name="g")
    assert told(found) == f"{decision}: says nothing of the run of {path}; {remedy}"
    write_json(decision, {})
    assert told(found) == f"{decision}: says nothing of the run of {path}; {remedy}"
    write_json(path, standing("completed"))
    assert told(halving.read_rung, path) == (
        f"{path}: status 'completed' is none of paused, diverged, dropped; delete it"
    )


@pytest.mark.parametrize("found", [{"cell": {}}, {"run": "r"}, {"cell": [], "run": "r"}, {"cell": {}, "run": 1}])
def test_a_choice_says_its_run_and_its_cell(tmp_path, found):
    path = tmp_path / "choice.json"
    write_json(path, found)
    assert told(halving.read_choice, path) == (f"{path}: does not say which cell was chosen; delete it, and run again")
    write_json(path, {"cell": {}, "run": "r"})
    assert halving.read_choice(path) == {"cell": {}, "run": "r"}


# Networks


def test_pictures_are_shown_as_the_protocol_says():
    given = {"crop": "padded", "flip": True, "flip_vertical": True, "channels": "bgr"}
    given |= {"input": {"resolution": 8, "eval_resize": 9, "mean": [0]}}
    one = recipe_of(given)
    assert (one.crop, one.resolution, one.eval_resize, one.padding) == ("padded", 8, 9, 0)
    assert (one.flip, one.flip_vertical, one.channels, one.smallest_area) == (True, True, "bgr", SMALLEST_AREA)
    assert (recipe_of(given | {"padding": 4}).padding, recipe_of(given | {"smallest_area": 0.5}).smallest_area) == (
        4,
        0.5,
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("\n first\nsecond"), "first"),
        (ValueError("x" * 300), "x" * 200),
        (AssertionError(), "AssertionError"),
    ],
)
def test_a_size_that_a_network_does_not_take_is_said_with_its_own(error, reason):
    seen = []

    def forward(inputs):
        seen.append(list(inputs.shape))
        raise error

    network = nn.Identity().train()
    network.forward = forward
    one = SimpleNamespace(network=network, sizes=(32, 36))
    own = "set resolution: 32, or null for each model's own"
    assert told(check_size, one, 8, "m") == f"m: does not take pictures of 8 px ({reason}); {own}"
    assert (seen, network.training) == ([[1, 3, 8, 8]], False)


def test_a_network_costs_its_parameters_and_multiply_adds():
    network = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.Flatten(), nn.Linear(4 * 36, 5)).train()
    # 6 x 6 places of 4 filters of 27, and 144 x 5
    assert cost_of(network, 8) == {"parameters": 108 + 725, "multiply_adds": 36 * 4 * 27 + 720}
    assert not network.training
    assert first_output((1, 2)) == 1
