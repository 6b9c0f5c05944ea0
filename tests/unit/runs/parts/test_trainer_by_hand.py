"""A trainer by hand: what it refuses to go on from, what it keeps of its counts, and the rate where a GPU reads it."""

from types import SimpleNamespace

import pytest
import torch
from small import CPU, PROTOCOL
from torch import nn

import apr.runs.trainer
from apr.basics.problems import Problem
from apr.runs.trainer import Trainer

FIXED = PROTOCOL | {"channels_last": False, "batch": 4}


def line(**changes):
    """Three numbers in, seven out."""
    return Trainer(nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 7)), FIXED | changes, 7, CPU)


def told(function, *arguments):
    with pytest.raises(Problem) as caught:
        function(*arguments)
    return str(caught.value)


def test_a_training_is_gone_on_with_from_its_own_state_alone():
    one, other = line(), line()
    one.step(torch.ones(2, 3, 1, 1), torch.tensor([0, 1]))
    state = one.state()
    assert state.keys() == {"network", "optimizer"}
    other.resume(state)
    for name, value in one.network.state_dict().items():
        assert torch.equal(other.network.state_dict()[name], value)
    moved = other.optimizer.state_dict()["state"]
    assert torch.equal(moved[3]["momentum_buffer"], state["optimizer"]["state"][3]["momentum_buffer"])
    assert moved[3]["momentum_buffer"].abs().min() > 0
    end = "train the run that kept them again"
    assert told(other.resume, {"network": state["network"]}) == (
        "the weights were kept without the optimiser's state (or by an earlier version, without its digest), "
        f"and cannot be trained on; {end}"
    )
    for spoilt, fault in (
        ({"network": None}, "holds no weights"),
        ({"optimizer": {}}, "its optimiser's state cannot be read"),
        ({"network": None, "optimizer": {}}, "holds no weights"),
    ):
        assert other.fault(state | spoilt) == fault
        assert told(other.resume, state | spoilt) == f"the weights that were kept cannot be trained on: {fault}; {end}"
    assert other.fault({"network": state["network"]}) == "its optimiser's state cannot be read"
    assert other.fault(state) is None


def test_what_needs_no_gradient_is_not_trained():
    network = nn.Sequential(nn.Flatten(), nn.Linear(3, 7))
    network[1].weight.requires_grad = False
    (group,) = Trainer(network, FIXED, 7, CPU).optimizer.param_groups
    assert [len(one) for one in group["params"]] == [7]


def test_sums_begin_at_nothing_and_become_a_part():
    one = line()
    begin = one.no_sums()
    assert (begin.tolist(), begin.dtype) == ([0, 0, 0], torch.float64)
    assert one.part(9, [3.0, 8.0]) == {"n": 9, "correct_top1": 3, "correct_top5": 8}
    few = Trainer(nn.Linear(3, 5), FIXED, 5, CPU)
    assert few.part(9, [3.0, 3.0]) == {"n": 9, "correct_top1": 3, "correct_top5": None}
    assert (one.kept_epoch, line(epochs=8).kept_epoch) == (3, 8)


def test_precise_batchnorm_takes_the_mean_of_the_statistics_of_its_batches():
    """Of 0, 2, 0, 2 the mean is 1 and the variance 4/3, of four fours 4 and 0."""
    one, asked = line(precise_bn=8), []
    batches = [torch.tensor(values)[:, None, None, None].expand(4, 3, 1, 1) for values in ([0.0, 2, 0, 2], [4.0] * 4)]

    def settling(epoch, batch, count):
        asked.append((epoch, batch, count))
        return ((inputs, None) for inputs in batches)

    norm = one.network[0]
    norm.momentum = 0.3
    one.network.eval()
    for _ in range(2):  # sums begin anew
        one.settle_batchnorm(SimpleNamespace(images=range(9), settling=settling), 5)
        assert norm.running_mean.tolist() == [2.5] * 3
        assert norm.running_var.tolist() == pytest.approx([2 / 3] * 3)
        assert (norm.momentum, norm.training) == (0.3, True)
    assert asked == [(5, 4, 2)] * 2
    one.protocol["precise_bn"] = 3
    one.settle_batchnorm(SimpleNamespace(images=range(9)), 5)
    assert norm.num_batches_tracked == 4


@pytest.mark.parametrize(("wanted", "images", "batches"), [(16, 40, 4), (15, 40, 3), (40, 11, 2), (None, 40, 0)])
def test_without_an_evaluation_the_batches_of_precise_batchnorm_still_count(wanted, images, batches):
    one = line(precise_bn=wanted)
    if wanted is None:
        del one.protocol["precise_bn"]
    one.leave_unsettled(SimpleNamespace(images=range(images)))
    assert one.network[0].num_batches_tracked == batches


def test_on_a_gpu_a_step_reads_the_rate_that_it_was_given():
    """Here the CPU is told that it is a GPU."""
    one = line(lr=0.25)
    one.device = SimpleNamespace(type="cuda")
    (group,) = one.optimizer.param_groups
    with pytest.raises(ZeroDivisionError), one._rate_on_device():
        0 / (group["lr"] is not one._rate)
    assert group["lr"] == 0.25
    one.device = CPU
    with one._rate_on_device():
        assert group["lr"] == 0.25
    group["lr"] = 0.125
    one.step(torch.ones(2, 3, 1, 1), torch.tensor([0, 1]))
    assert one._rate.item() == 0.125


def test_a_network_that_finds_no_room_is_explained(monkeypatch):
    class Large(nn.Module):
        def to(self, device, memory_format):
            raise torch.OutOfMemoryError("CUDA out of memory")

    remedy = "free the device, lower training.resident_gb or the batch, or train this task on a larger one"
    said = f"cpu: out of memory while the network is loaded; {remedy} (CUDA out of memory)"
    assert told(Trainer, Large(), FIXED, 7, CPU) == said


def test_layers_are_fused_only_channels_last_where_a_device_can(monkeypatch):
    fused = []
    monkeypatch.setattr(apr.runs.trainer, "fusible", lambda device: device == CPU)
    monkeypatch.setattr(apr.runs.trainer, "fuse", lambda network, merge: fused.append(merge))
    network = nn.Linear(3, 7)
    for changes, options, fuses in (
        ({"channels_last": True, "precision": "bf16"}, {}, [True]),
        ({"channels_last": True}, {}, [False]),
        ({"channels_last": True}, {"fused": False}, []),
        ({"channels_last": False}, {}, []),
    ):
        fused.clear()
        assert Trainer(network, FIXED | changes, 7, CPU, **options).fused is bool(fuses)
        assert fused == fuses
