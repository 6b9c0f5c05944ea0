"""The loop of a training by hand: a trainer that only counts, and a clock that goes on with its steps alone."""

import itertools
import logging
import math
from types import SimpleNamespace

import pytest
import torch

import apr.runs.training
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.checkpoints import Checkpointing
from apr.runs.metrics import METRICS, PLAIN, part_of
from apr.runs.trainer import Diverged
from apr.runs.training import train_network

PROTOCOL = {"epochs": 2, "batch": 40, "lr": 0.5}
SUMS = [20.0, 30.0, 38.0]  # of 40 images: loss, and how often the label is the first, or among five
TRAIN = part_of(120, {"correct_top1": 90, "correct_top5": 114})
TEST = part_of(8, {"correct_top1": 2, "correct_top5": 5})
VALIDATION = part_of(5, {"correct_top1": 1, "correct_top5": 4})


class Counting:
    """A step takes two seconds, an evaluation of a part, too."""

    def __init__(self, **changes):
        self.protocol, self.device, self.metric = PROTOCOL | changes, torch.device("cpu"), PLAIN
        self.optimizer, self.kept_epoch, self.now, self.did = SimpleNamespace(param_groups=[{}, {}]), 2, 100.0, []
        self.sums = SUMS

    def state(self):
        return {"network": "weights", "optimizer": "momenta"}

    def resume(self, state):
        self.did.append(f"resume {state['network']}")

    def train_mode(self):
        self.did.append("train")

    def no_sums(self):
        return torch.zeros(3, dtype=torch.float64)

    def seed(self, epoch, step):
        self.did.append((epoch, step))

    def step(self, inputs, labels):
        self.now += 2
        return torch.tensor(self.sums, dtype=torch.float64)

    def part(self, n, counts):
        return part_of(n, {"correct_top1": int(counts[0]), "correct_top5": int(counts[1])})

    def settle_batchnorm(self, loader, epoch):
        self.did.append(f"settle {epoch} {len(loader.images)}")

    def leave_unsettled(self, loader):
        self.did.append(f"leave {len(loader.images)}")

    def evaluate(self, loader, part):
        self.now += 2
        self.did.append(f"evaluate {part} {len(loader.images)}")
        return {"test": TEST, "validation": VALIDATION}[part]

    def keep(self, entry):
        self.did.append(f"keep {entry['epoch']}")


def loader(images, resolution=16):
    def training(epoch, batch, skip):
        return (("inputs", range(batch)) for _ in range(images // batch - skip))

    return SimpleNamespace(images=range(images), recipe=SimpleNamespace(resolution=resolution), training=training)


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """A function that trains on 121 images, and which checkpoints it wrote: when, and how far it was."""
    saved = []
    checks = []

    def train(one, seconds=1e9, state=None, **options):
        def save(path, kept, fingerprint):
            assert (path, fingerprint, kept["network"], kept["optimizer"]) == (tmp_path, "f", "weights", "momenta")
            assert len(checks) == len(saved) + 1
            saved.append((one.now, kept["progress"]["epoch"], kept["progress"]["step"]))

        monkeypatch.setattr(apr.runs.training, "time", SimpleNamespace(monotonic=lambda: one.now))
        monkeypatch.setattr(apr.runs.training, "save_checkpoint", save)
        monkeypatch.setattr(apr.runs.training, "load_checkpoint", lambda *given: state)
        kept = Checkpointing(tmp_path, "f", seconds, lambda: checks.append(1))
        return train_network(one, loader(121), loader(8), kept, **options)

    train.saved = saved
    return train


def test_an_epoch_is_its_sums_its_parts_and_a_line_in_the_log(trained, caplog):
    caplog.set_level(logging.INFO, "apr")
    one = Counting()
    outcome, history, timing = trained(one, validation=loader(5))
    parts = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
    assert history == [{"epoch": n + 1, "lr": lr, "train_loss": 0.5, "parts": parts} for n, lr in ((0, 0.5), (1, 0.25))]
    assert outcome == {"status": "completed", "epoch": 2, "parts": parts}
    assert timing == {"seconds": 20.0, "images_per_second": 12.0, "resumed_at_epoch": None}  # 240 images, 12 + 8 s
    end = "loss 0.5000  train error 25.00 %  validation error 80.00 %  test error 75.00 %  12 images/s"
    assert caplog.messages == [f"epoch {number}/2  {end}" for number in (1, 2)]
    assert {group["lr"] for group in one.optimizer.param_groups} == {0.25}
    epochs = [
        ["train", *((n, step) for step in range(3)), f"settle {n} 121", "evaluate validation 5", "evaluate test 8"]
        for n in (0, 1)
    ]
    assert one.did == [*epochs[0], "keep 1", *epochs[1], "keep 2"]
    assert trained.saved == []


def test_checkpoints_come_when_their_seconds_are_over_since_the_last(trained):
    trained(Counting(), seconds=8)  # an evaluation ends at 108 and 116
    assert trained.saved == [(110.0, 1, 1)]


def test_checkpoints_come_at_their_very_second(trained):
    trained(Counting(), seconds=6, validation=loader(5))
    assert trained.saved == [(106.0, 0, 3), (112.0, 1, 1)]


def test_a_training_goes_on_within_an_epoch(trained, caplog):
    caplog.set_level(logging.INFO, "apr")
    before = {"epoch": 1, "lr": 0.5, "train_loss": 0.75, "parts": {"train": TRAIN, "test": TEST}}
    sums = torch.tensor([100.0, 20.0, 70.0], dtype=torch.float64)
    progress = {"epoch": 1, "step": 2, "sums": sums, "history": [before]}
    one = Counting()
    outcome, history, timing = trained(one, state={"network": "kept", "progress": progress})
    train = part_of(120, {"correct_top1": 50, "correct_top5": 108})
    after = {"epoch": 2, "lr": 0.25, "train_loss": 1.0, "parts": {"train": train, "test": TEST}}
    assert history == [before, after]
    assert outcome == {"status": "completed", "epoch": 2, "parts": after["parts"]}
    assert timing == {"seconds": 4.0, "images_per_second": 10.0, "resumed_at_epoch": 2}
    assert one.did == ["resume kept", "train", (1, 2), "settle 1 121", "evaluate test 8", "keep 2"]
    resumed = "resuming at epoch 2, step 2"
    assert caplog.messages == [resumed, "epoch 2/2  loss 1.0000  train error 58.33 %  test error 75.00 %  10 images/s"]


def test_the_epoch_that_a_trainer_keeps_is_the_runs(trained):
    one = Counting()
    one.kept_epoch = 1
    one.evaluate = lambda loader, part: part_of(8, {"correct_top1": 4 - one.did.count("train"), "correct_top5": 8})
    outcome, *_ = trained(one)
    assert (outcome["epoch"], outcome["parts"]["test"]["correct_top1"]) == (1, 3)


def test_a_pause_is_evaluated_and_saved_once(trained):
    one = Counting(epochs=3)
    outcome, history, _ = trained(one, pause_after=2, evaluate=())
    assert outcome == {"status": "paused", "epoch": 2, "parts": {"train": TRAIN, "test": TEST}}
    assert [list(entry["parts"]) for entry in history] == [["train"], ["train", "test"]]
    assert [did for did in one.did if str(did)[0] in "sl"] == ["leave 121", "settle 1 121"]
    assert trained.saved == [(114.0, 2, 0)]


def test_at_a_pause_that_was_reached_before_nothing_is_written(trained, monkeypatch):
    one, ticks = Counting(), itertools.count()
    one_epoch = {"epoch": 1, "lr": 0.5, "train_loss": 0.75, "parts": {"train": TRAIN, "test": TEST}}
    state = {"network": "kept", "progress": {"epoch": 1, "step": 0, "sums": None, "history": [one_epoch]}}
    monkeypatch.setattr(Counting, "now", property(lambda self: next(ticks), lambda self, value: None), raising=False)
    outcome, _, timing = trained(one, state=state, pause_after=1)
    assert (outcome["status"], timing["images_per_second"], timing["resumed_at_epoch"]) == ("paused", 0.0, 2)
    assert trained.saved == []


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_divergence_is_the_result_and_said(trained, caplog, loss):
    one = Counting()
    one.sums = [loss, 1.0, 1.0]
    outcome, history, timing = trained(one, validation=loader(5))
    assert outcome == {"status": "diverged", "parts": {"validation": part_of(5), "test": part_of(8)}, "epoch": 1}
    assert history == []
    assert timing == {"seconds": 6.0, "images_per_second": 20.0, "resumed_at_epoch": None}
    said = "diverged in epoch 1: loss or outputs are not finite; recorded as the result"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("WARNING", said)]


def test_outputs_that_are_not_finite_in_the_second_epoch_leave_the_first(trained, caplog):
    one = Counting()

    def evaluate(loader, part):
        if one.did.count("train") == 2:
            raise Diverged
        return TEST

    one.evaluate = evaluate
    outcome, history, _ = trained(one)
    assert (outcome["status"], outcome["epoch"], len(history)) == ("diverged", 2, 1)
    assert "diverged in epoch 2: " in caplog.text


def test_of_two_signals_the_first_ends_a_training_after_its_step(trained, monkeypatch):
    received = []
    monkeypatch.setattr(apr.runs.training, "listen", lambda: received)
    with pytest.raises(Interrupted) as caught:
        trained(Counting(), on_step=lambda progress: received.extend([15, 10]) if progress.step == 2 else None)
    assert (caught.value.number, received) == (15, [10])
    assert trained.saved == [(104.0, 0, 2)]


def test_the_log_shows_the_metric_of_the_task_where_it_is_known(trained, caplog):
    caplog.set_level(logging.INFO, "apr")
    one = Counting(epochs=1)
    one.kept_epoch, one.metric = 1, METRICS["auc"]
    one.evaluate = lambda loader, part: TEST | {"auc": 87.5}
    trained(one)
    assert f"train error 25.00 %  test {METRICS['auc'].title} 87.50 %" in caplog.text
    caplog.clear()
    one = Counting(epochs=1)
    one.kept_epoch = 1
    one.evaluate = lambda loader, part: part_of(8)
    trained(one)
    assert caplog.messages == ["epoch 1/1  loss 0.5000  train error 25.00 %  20 images/s"]


def test_a_batch_of_all_images_goes_and_one_more_does_not(trained):
    trained(Counting(batch=121))
    with pytest.raises(Problem) as caught:
        trained(Counting(batch=122))
    assert str(caught.value) == "batch 122 is larger than the 121 training images; lower the task's batch"
