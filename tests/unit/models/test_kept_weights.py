"""Weights that one run keeps and another starts from: all but the head, of the same network, and of no other run."""

from collections import OrderedDict

import pytest
import torch
from data_helpers import refused_as
from torch import nn

from apr.basics.problems import Problem
from apr.models.heads import replace_head
from apr.models.weights import keep_weights, load_weights, take_over, weights_digest

CPU = torch.device("cpu")


def network(classes, width=3):
    return nn.Sequential(OrderedDict(stem=nn.Linear(2, width), fc=nn.Linear(width, classes)))


def trained(classes=4):
    torch.manual_seed(0)
    net = network(classes)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.5)
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    return net, optimizer


def test_what_was_kept_is_read_again_with_the_optimisers_state_if_that_was_given(tmp_path):
    net, optimizer = trained()
    both = keep_weights(tmp_path / "both.pt", net, optimizer)
    alone = keep_weights(tmp_path / "alone.pt", net, None)
    assert alone == weights_digest(net.state_dict()) != both
    state = load_weights(tmp_path / "both.pt", both, CPU)
    assert state.keys() == {"network", "optimizer"}
    assert torch.equal(state["network"]["fc.bias"], net.fc.bias)
    assert torch.equal(state["optimizer"]["state"][0]["momentum_buffer"], net.stem.weight.grad)
    assert load_weights(tmp_path / "alone.pt", alone, CPU).keys() == {"network"}
    # earlier versions made the digest of the weights alone
    assert load_weights(tmp_path / "both.pt", alone, CPU).keys() == {"network"}


def test_a_digest_tells_names_shapes_values_and_momenta(tmp_path):
    net, optimizer = trained()
    before = keep_weights(tmp_path / "a.pt", net, optimizer)
    assert keep_weights(tmp_path / "a.pt", net, optimizer) == before
    optimizer.state[net.fc.bias]["momentum_buffer"] += 1
    assert keep_weights(tmp_path / "a.pt", net, optimizer) != before
    values = {"a": torch.zeros(2, 3)}
    others = {"b": torch.zeros(2, 3)}, {"a": torch.zeros(3, 2)}, {"a": torch.ones(2, 3)}, {"a": torch.zeros(2, 3).int()}
    assert len({weights_digest(one) for one in (values, *others)}) == 5


def test_weights_of_another_run_or_none_are_refused(tmp_path):
    net, _ = trained()
    path = tmp_path / "a.pt"
    remedy = "delete the run that left it (its JSON under results/runs and under results/checkpoints) to train it again"
    with refused_as(f"{path}: is missing, and another run starts from it; {remedy}"):
        load_weights(path, "x", CPU)
    found = keep_weights(path, net, None)
    with refused_as(f"{path}: does not hold the weights of its run (digest {found[:12]} for {'f' * 12}); {remedy}"):
        load_weights(path, "f" * 64, CPU)
    path.write_bytes(b"damaged")
    with refused_as(f"{path}: cannot be read (UnpicklingError); {remedy}"):
        load_weights(path, found, CPU)


@pytest.mark.parametrize("error", [MemoryError, torch.OutOfMemoryError])
def test_too_little_memory_is_no_fault_of_the_file(tmp_path, monkeypatch, error):
    found = keep_weights(tmp_path / "a.pt", trained()[0], None)

    def full(*_, **__):
        raise error

    monkeypatch.setattr(torch, "load", full)
    with pytest.raises(error):
        load_weights(tmp_path / "a.pt", found, CPU)


def test_another_number_of_classes_keeps_its_own_head():
    net, _ = trained(classes=4)
    other = network(2)
    head = other.fc.weight.clone()
    take_over(other, net.state_dict())
    assert torch.equal(other.stem.weight, net.stem.weight)
    assert torch.equal(other.fc.weight, head)
    same = network(4)
    own = same.fc.weight.clone()
    take_over(same, net.state_dict())
    assert torch.equal(same.fc.weight, own)


def test_another_network_is_refused():
    state = trained()[0].state_dict()
    end = "more do not fit this network; both tasks need the same stem and the same architecture"
    with refused_as(f"initial weights: stem.bias and 1 {end}"):
        take_over(network(4, width=5), state)
    with refused_as(f"initial weights: stem.bias and 0 {end}"):
        take_over(network(4), {name: value for name, value in state.items() if name != "stem.bias"})
    with refused_as(f"initial weights: more.bias and 0 {end}"):
        take_over(network(4), state | {"more.bias": torch.zeros(1)})


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "head", [lambda bias: nn.Linear(3, 7, bias=bias), lambda bias: nn.Conv2d(3, 7, 1, bias=bias)], ids=["linear", "1x1"]
)
def test_a_new_head_is_like_the_old_one_for_other_classes(head, bias):
    """The last layer of so many outputs: neither an earlier one, nor one of other outputs or of a larger kernel."""
    body = [nn.Conv2d(3, 7, 1), nn.Conv2d(7, 3, 3)]
    after = [nn.Conv2d(7, 7, 3)] if isinstance(head(bias), nn.Conv2d) else [nn.ReLU()]
    network = nn.Sequential(*body, head(bias), *after)
    new = replace_head(network, 7, 4, "x")
    assert [tuple(one.shape) for one in new] == [(4, 3, 1, 1)[: new[0].ndim], (4,)][: 1 + bias]
    assert new[0] is network[2].weight
    assert network[0].out_channels == 7
    with pytest.raises(Problem, match="x: no linear layer or 1x1 convolution with 9 outputs"):
        replace_head(network, 9, 4, "x")
