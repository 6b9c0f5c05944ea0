"""Numbers of training and its evaluation, worked out by hand: a step, the counts, the rates, the draws."""

import math
import signal
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small import CPU, PROTOCOL, checkpointing, loaders, trainer
from torch import nn

import apr.runs.batches
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.optimisation import learning_rate
from apr.runs.trainer import Diverged, Trainer
from apr.runs.training import train_network

# Ranks of the label's logit: 1, 2, 5, 6, 1, 7 of seven classes
LOGITS = torch.tensor(
    [
        [9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        [8.0, 9.0, 1.0, 2.0, 3.0, 4.0, 5.0],
        [5.0, 9.0, 8.0, 7.0, 6.0, 1.0, 2.0],
        [4.0, 9.0, 8.0, 7.0, 6.0, 5.0, 1.0],
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0],
        [1.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0],
    ]
)
LABELS = torch.tensor([0, 0, 0, 0, 6, 0])


class Known(nn.Module):
    """A network whose outputs are its inputs times one weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    def forward(self, inputs):
        return self.weight * inputs.flatten(1)


def fixed(**changes):
    return Trainer(Known(), PROTOCOL | {"channels_last": False} | changes, 7, CPU)


def evaluated(one, outputs, labels, batch=4):
    batches = [(outputs[i : i + batch][:, :, None, None], labels[i : i + batch]) for i in range(0, len(labels), batch)]
    return one.evaluate(SimpleNamespace(evaluation=lambda size: iter(batches)))


def test_top1_and_top5_are_counted_over_all_batches():
    assert evaluated(fixed(), LOGITS, LABELS) == {
        "n": 6,
        "correct_top1": 2,
        "correct_top5": 4,
    }  # top-4 would be 3, top-6 5


def test_with_five_classes_there_is_no_top5():
    one = Trainer(Known(), PROTOCOL | {"channels_last": False}, 5, CPU)
    found = evaluated(one, LOGITS[:, :5], torch.tensor([0, 0, 0, 0, 4, 0]))
    assert found == {"n": 6, "correct_top1": 2, "correct_top5": None}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_one_output_that_is_not_finite_is_divergence(value):
    outputs = LOGITS.clone()
    outputs[1, 3] = value
    with pytest.raises(Diverged):
        evaluated(fixed(), outputs, LABELS)


def test_a_step_counts_loss_and_answers_before_its_update():
    sums = fixed(lr=10.0).step(LOGITS[:, :, None, None], LABELS)
    rows = zip(LOGITS.tolist(), LABELS.tolist(), strict=True)
    loss = sum(math.log(sum(map(math.exp, row))) - row[label] for row, label in rows)
    assert sums.tolist() == pytest.approx([loss, 2, 4], rel=1e-6)  # the sum over images, without label smoothing


@pytest.mark.parametrize("nesterov", [False, True])
def test_three_steps_are_a_hand_written_sgd(nesterov):
    """lr 0.2, momentum 0.5, weight decay 0.1 (pycls/core/optimizer.py); the mean of the losses is followed."""
    generator = np.random.default_rng(0)
    inputs, labels = generator.normal(size=(5, 3)), np.array([0, 1, 1, 2, 0])
    weight, bias = generator.normal(size=(3, 3)), generator.normal(size=3)
    network = nn.Sequential(nn.Flatten(), nn.Linear(3, 3))
    network[1].weight.data, network[1].bias.data = (torch.from_numpy(v.copy()).float() for v in (weight, bias))
    changes = {"lr": 0.2, "momentum": 0.5, "weight_decay": 0.1, "nesterov": nesterov, "channels_last": False}
    one = Trainer(network, PROTOCOL | changes, 3, CPU)
    velocity = [np.zeros((3, 3)), np.zeros(3)]
    for _ in range(3):
        one.step(torch.from_numpy(inputs).float()[:, :, None, None], torch.from_numpy(labels))
        outputs = inputs @ weight.T + bias
        odds = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        odds[np.arange(5), labels] -= 1
        gradients = [odds.T @ inputs / 5 + 0.1 * weight, odds.mean(axis=0) + 0.1 * bias]
        velocity = [0.5 * v + g for v, g in zip(velocity, gradients, strict=True)]
        updates = [g + 0.5 * v if nesterov else v for v, g in zip(velocity, gradients, strict=True)]
        weight, bias = weight - 0.2 * updates[0], bias - 0.2 * updates[1]
    assert network[1].weight.detach().numpy() == pytest.approx(weight, abs=1e-5)
    assert network[1].bias.detach().numpy() == pytest.approx(bias, abs=1e-5)


def test_batchnorm_decays_too():
    one = trainer(PROTOCOL | {"weight_decay": 0.1})
    (group,) = one.optimizer.param_groups
    assert len(group["params"]) == len(list(one.network.parameters()))
    assert (group["weight_decay"], group["dampening"]) == (0.1, 0)


def test_the_rate_of_every_epoch():
    """Half a cosine over the epochs: the first has the whole rate, none is zero (pycls, lr_fun_cos)."""
    rates = [learning_rate(epoch, {"lr": 0.05, "epochs": 4, "warmup_epochs": 0}) for epoch in range(4)]
    assert rates == pytest.approx([0.05, 0.042677669529663685, 0.025, 0.007322330470336313], rel=1e-12)
    warm = [learning_rate(epoch, {"lr": 1.0, "epochs": 10, "warmup_epochs": 5}) for epoch in (0, 1, 4, 5)]
    cosine = [0.5 * (1 + math.cos(math.pi * epoch / 10)) for epoch in (0, 1, 4, 5)]
    assert warm == pytest.approx([0.1 * cosine[0], 0.28 * cosine[1], 0.82 * cosine[2], cosine[3]])


def test_each_epoch_trains_with_its_own_rate(tmp_path):
    used, one = [], trainer(PROTOCOL)
    _, history, _ = train_network(
        *(one, *loaders(tmp_path, PROTOCOL), checkpointing(tmp_path)),
        on_step=lambda progress: used.append((progress.epoch, one.optimizer.param_groups[0]["lr"])),
    )
    rates = [learning_rate(epoch, PROTOCOL) for epoch in range(3)]
    assert [entry["lr"] for entry in history] == rates
    assert used == [(epoch, rates[epoch]) for epoch in range(3) for _ in range(4)]  # 36 images in batches of 8


def test_draws_are_those_of_the_seed_and_the_epoch(tmp_path, monkeypatch):
    asked = []
    for name in ("order", "uniforms"):
        draw = getattr(apr.runs.batches, name)

        def noted(seed, epoch, *rest, name=name, draw=draw):
            asked.append((name, seed, epoch))
            return draw(seed, epoch, *rest)

        monkeypatch.setattr(apr.runs.batches, name, noted)
    protocol = PROTOCOL | {"seed": 8, "epochs": 2}
    train_network(trainer(protocol), *loaders(tmp_path, protocol), checkpointing(tmp_path))
    settling = [apr.runs.batches.SETTLING, apr.runs.batches.SETTLING + 1]
    assert [key[1:] for key in asked if key[0] == "order"] == [(8, 0), (8, settling[0]), (8, 1), (8, settling[1])]
    assert {key[1:] for key in asked if key[0] == "uniforms"} == {(8, 0), (8, settling[0]), (8, 1), (8, settling[1])}


def test_what_an_epoch_records(tmp_path):
    """The loss is the mean over the images of the steps; the counts are those of the steps, before each update."""
    protocol = PROTOCOL | {"epochs": 1, "lr": 1e-9, "warmup_epochs": 0}
    one, (train, test) = trainer(protocol), loaders(tmp_path, protocol)
    expected = trainer(protocol)
    losses, right = [], 0
    with torch.no_grad():
        expected.network.train()
        for inputs, labels in train.training(0, 8):
            outputs = expected.network(inputs)
            losses.append(float(nn.functional.cross_entropy(outputs, labels)))
            right += int((outputs.argmax(dim=1) == labels).sum())
    outcome, (entry,), _ = train_network(one, train, test, checkpointing(tmp_path))
    parts = entry["parts"]
    assert entry["train_loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert (parts["train"]["correct_top1"], parts["train"]["n"], entry["epoch"]) == (right, 32, 1)
    assert outcome == {"status": "completed", "epoch": 1, "parts": parts}
    assert parts["test"] == one.evaluate(test)


@pytest.mark.parametrize(("wanted", "batches"), [(7, 0), (8, 1), (20, 2), (10_000, 4)])
def test_precise_batchnorm_takes_whole_batches_up_to_its_number(tmp_path, wanted, batches):
    protocol = PROTOCOL | {"precise_bn": wanted}
    one, (train, _) = trainer(protocol), loaders(tmp_path, protocol)
    before = {name: value.clone() for name, value in one.network.state_dict().items()}
    seen = []
    one.network.register_forward_pre_hook(lambda module, inputs: seen.append(len(inputs[0])))
    one.settle_batchnorm(train, 0)
    assert seen == [8] * batches
    norms = [module for module in one.network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {norm.momentum for norm in norms} == {0.1}
    changed = {name for name, value in one.network.state_dict().items() if not torch.equal(value, before[name])}
    assert all("running" in name or "num_batches" in name for name in changed)
    assert bool(changed) == bool(batches)


def test_an_evaluation_uses_running_statistics_and_changes_nothing(tmp_path):
    one, (_, test) = trainer(PROTOCOL), loaders(tmp_path, PROTOCOL)
    before = {name: value.clone() for name, value in one.network.state_dict().items()}
    assert one.evaluate(test) == one.evaluate(test)
    assert all(torch.equal(value, before[name]) for name, value in one.network.state_dict().items())
    one.protocol = PROTOCOL | {"batch": 5}
    counts = one.evaluate(test)
    one.protocol = PROTOCOL | {"batch": 18}
    assert one.evaluate(test) == counts  # not of the batch's statistics


def test_bf16_computes_the_body_in_bf16_and_the_loss_in_float32(tmp_path):
    losses = {}
    for precision in ("fp32", "bf16"):
        protocol = PROTOCOL | {"precision": precision}
        one, (train, _) = trainer(protocol), loaders(tmp_path, protocol)
        kinds = []
        one.network.stem.register_forward_hook(lambda module, inputs, outputs, kinds=kinds: kinds.append(outputs.dtype))
        one.network.register_forward_hook(lambda module, inputs, outputs, kinds=kinds: kinds.append(outputs.dtype))
        one.network.train()
        losses[precision] = float(one.step(*next(train.training(0, 8)))[0])
        assert kinds == [torch.bfloat16 if precision == "bf16" else torch.float32, torch.float32]
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.05)


@pytest.mark.parametrize("layout", [True, False])
def test_layout_of_images_and_weights(layout, tmp_path):
    protocol = PROTOCOL | {"channels_last": layout}
    one, (train, _) = trainer(protocol), loaders(tmp_path, protocol)
    seen = []
    one.network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    one.step(*next(train.training(0, 8)))
    kind = torch.channels_last if layout else torch.contiguous_format
    assert seen[0].is_contiguous(memory_format=kind)
    convolution = one.network.trunk_output.block2[0].f.b[0].weight
    assert convolution.is_contiguous(memory_format=kind)


def test_a_lease_that_was_lost_refuses_the_checkpoint(tmp_path):
    def lost():
        raise Problem("another process took this run over")

    place = checkpointing(tmp_path, seconds=0)
    place = type(place)(place.path, place.fingerprint, place.seconds, lost)
    with pytest.raises(Problem, match="took this run over"):
        train_network(trainer(PROTOCOL), *loaders(tmp_path, PROTOCOL), place)
    assert not place.path.exists()


def test_a_checkpoint_comes_after_its_seconds_and_not_before(tmp_path):
    for seconds, expected in ((0, 12), (1e9, 0)):
        checks = []
        place = checkpointing(tmp_path, seconds=seconds)
        place = type(place)(place.path, place.fingerprint, seconds, lambda checks=checks: checks.append(1))
        (tmp_path / "checkpoint.pt").unlink(missing_ok=True)
        train_network(trainer(PROTOCOL), *loaders(tmp_path, PROTOCOL), place)
        assert len(checks) == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGUSR1])
def test_each_signal_saves_and_ends(tmp_path, number):
    with pytest.raises(Interrupted) as caught:
        train_network(
            *(trainer(PROTOCOL), *loaders(tmp_path, PROTOCOL), checkpointing(tmp_path)),
            on_step=lambda progress: signal.raise_signal(number),
        )
    assert caught.value.number == number
    assert (tmp_path / "checkpoint.pt").exists()


def test_a_full_memory_while_training_is_explained(tmp_path):
    def full(progress):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nmore")

    with pytest.raises(Problem, match=r"^cpu: out of memory at batch 8, 16 px; .*training.resident_gb.*2\.00 GiB"):
        train_network(trainer(PROTOCOL), *loaders(tmp_path, PROTOCOL), checkpointing(tmp_path), on_step=full)


def test_a_batch_as_large_as_the_training_set_is_one_step(tmp_path):
    protocol = PROTOCOL | {"batch": 36, "epochs": 1}
    _, (entry,), _ = train_network(trainer(protocol), *loaders(tmp_path, protocol), checkpointing(tmp_path))
    assert entry["parts"]["train"]["n"] == 36
