"""Training: it learns, resumes bit for bit, and records divergence."""

import errno
import itertools
import os
import signal

import numpy as np
import pytest
import torch
from small import PROTOCOL, checkpointing, loaders, trainer

from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.metrics import part_of
from apr.runs.optimisation import learning_rate
from apr.runs.trainer import Diverged
from apr.runs.training import train_network


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def run(folder, protocol=PROTOCOL, **options):
    one = trainer(protocol)
    outcome, history, timing = train_network(one, *loaders(folder, protocol), checkpointing(folder), **options)
    return outcome, history, timing, one.network.state_dict()


def test_it_learns_and_reports_counts(tmp_path):
    outcome, history, timing, _ = run(tmp_path, PROTOCOL | {"epochs": 12})
    assert outcome["status"] == "completed"
    test = outcome["parts"]["test"]
    assert test["n"] == 18
    assert 12 <= test["correct_top1"] <= test["correct_top5"] <= 18
    assert [entry["epoch"] for entry in history] == list(range(1, 13))
    assert history[0]["parts"]["train"]["n"] == 32  # 36 images, the incomplete batch dropped
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    assert timing["resumed_at_epoch"] is None


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("stop_at", [(0, 2), (1, 1), (1, 4)])
def test_interrupted_and_resumed_equals_undisturbed(tmp_path, stop_at, precision):
    protocol = PROTOCOL | {"precision": precision}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    outcome, history, _, weights = run(tmp_path / "a", protocol)

    def stop(progress):
        if (progress.epoch, progress.step) == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="SIGTERM"):
        run(tmp_path / "b", protocol, on_step=stop)
    again = run(tmp_path / "b", protocol)
    assert again[2]["resumed_at_epoch"] == stop_at[0] + 1
    assert (outcome, history) == again[:2]
    assert all(torch.equal(value, again[3][name]) for name, value in weights.items())


@pytest.mark.parametrize("epochs", [(), (1,), (2, 3)])
def test_evaluated_less_often_a_run_is_the_same_run(tmp_path, epochs):
    protocol = PROTOCOL | {"epochs": 4, "precise_bn": 16}
    for name in ("every", "rarely"):
        (tmp_path / name).mkdir()
    outcome, history, _, weights = run(tmp_path / "every", protocol)
    rarely = run(tmp_path / "rarely", protocol, evaluate=epochs)
    assert rarely[0] == outcome
    assert all(torch.equal(value, rarely[3][name]) for name, value in weights.items())
    assert [entry["epoch"] for entry in rarely[1] if "test" in entry["parts"]] == sorted({*epochs, 4})
    for full, entry in zip(history, rarely[1], strict=True):
        assert entry["parts"] == {part: full["parts"][part] for part in entry["parts"]}
        assert (entry["lr"], entry["train_loss"]) == (full["lr"], full["train_loss"])


def test_a_training_that_is_evaluated_once_goes_on_where_it_was(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    outcome, history, _, weights = run(tmp_path / "a", evaluate=())

    def stop(progress):
        if (progress.epoch, progress.step) == (1, 2):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="SIGTERM"):
        run(tmp_path / "b", evaluate=(), on_step=stop)
    again = run(tmp_path / "b", evaluate=())
    assert again[2]["resumed_at_epoch"] == 2
    assert (outcome, history) == again[:2]
    assert all(torch.equal(value, again[3][name]) for name, value in weights.items())


def test_streamed_images_train_as_resident_ones(tmp_path):
    resident = run(tmp_path)
    one = trainer(PROTOCOL)
    streamed = train_network(
        one, *loaders(tmp_path, PROTOCOL, resident_bytes=0, workers=2), checkpointing(tmp_path / "other")
    )
    assert resident[:2] == streamed[:2]


@pytest.mark.parametrize("damage", [b"", b"not a checkpoint", None])
def test_a_broken_or_foreign_checkpoint_is_set_aside(tmp_path, damage, caplog):
    place = checkpointing(tmp_path)
    with pytest.raises(Interrupted):
        run(tmp_path, on_step=lambda progress: os.kill(os.getpid(), signal.SIGTERM))
    if damage is None:
        place = checkpointing(tmp_path, fingerprint="another")
    else:
        place.path.write_bytes(damage)
    _, history, timing = train_network(trainer(PROTOCOL), *loaders(tmp_path, PROTOCOL), place)
    assert timing["resumed_at_epoch"] is None
    assert len(history) == PROTOCOL["epochs"]
    assert (tmp_path / "checkpoint.pt.rejected").exists()
    assert "set aside" in caplog.text


def test_a_checkpoint_runs_no_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.system, (f"touch {tmp_path}/executed",))

    torch.save({"fingerprint": "one", "network": Evil()}, tmp_path / "checkpoint.pt")
    outcome, *_ = run(tmp_path)
    assert outcome["status"] == "completed"
    assert not (tmp_path / "executed").exists()


def test_a_loss_that_becomes_nan_is_a_result(tmp_path):
    def poison(progress):
        if (progress.epoch, progress.step) == (1, 1):
            one.network.fc.weight.data.fill_(float("nan"))

    one = trainer(PROTOCOL)
    outcome, history, _ = train_network(one, *loaders(tmp_path, PROTOCOL), checkpointing(tmp_path), on_step=poison)
    assert outcome == {"status": "diverged", "parts": {"test": part_of(18)}, "epoch": 2}
    assert len(history) == 1


def test_outputs_that_are_not_finite_are_divergence(tmp_path):
    one = trainer(PROTOCOL)
    one.network.fc.bias.data.fill_(float("inf"))
    with pytest.raises(Diverged):
        one.evaluate(loaders(tmp_path, PROTOCOL)[1])


def test_top5_only_with_more_than_five_classes(tmp_path):
    one = trainer(PROTOCOL, classes=5)
    assert list(one.counted) == ["correct_top1"]
    assert list(trainer(PROTOCOL, classes=6).counted) == ["correct_top1", "correct_top5"]


def test_schedule_is_half_a_cosine_with_warm_up():
    protocol = {"lr": 0.4, "epochs": 10, "warmup_epochs": 2}
    rates = [learning_rate(epoch, protocol) for epoch in range(10)]
    assert rates[0] == pytest.approx(0.04)
    assert rates[1] == pytest.approx(0.55 * 0.2 * (1 + np.cos(np.pi / 10)))
    assert rates[5] == pytest.approx(0.2)
    assert all(a > b for a, b in itertools.pairwise(rates[2:]))


def test_a_batch_larger_than_the_training_set_is_named(tmp_path):
    with pytest.raises(Problem, match="batch 64 is larger than the 36 training images"):
        run(tmp_path, PROTOCOL | {"batch": 64})


def test_a_full_disk_while_checkpointing_leaves_the_last_checkpoint(tmp_path, monkeypatch):
    with pytest.raises(Interrupted):
        run(tmp_path, on_step=lambda progress: os.kill(os.getpid(), signal.SIGTERM))
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    def fill_the_disk(progress):
        monkeypatch.setattr("apr.basics.files.os.fsync", full)
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Problem, match=r"checkpoint.pt: cannot be written: the disk is full"):
        run(tmp_path, on_step=fill_the_disk)
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    assert not list(tmp_path.glob(".*part*"))
