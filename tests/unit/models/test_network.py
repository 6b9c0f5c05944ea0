"""The built network: its initial weights beside torchvision's and pycls' rules, and float32 from the pooling on."""

import math

import pytest
import torch
from small import GENOTYPE
from torch import nn
from torchvision.models import resnet18

from apr.models.anynet import Genotype
from apr.models.network import build_network

RESNET18 = Genotype.parse("d=2,2,2,2 w=64,128,256,512 block=basic")
VANILLA = Genotype.parse("d=2,1 w=16,32 block=vanilla strides=1,2")


def built(genotype=GENOTYPE, seed=0, **options):
    torch.manual_seed(seed)
    return build_network(genotype, **({"stem": "res_stem_in", "classes": 7} | options))


def norms(network):
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)}


def starting_at(network, value):
    return [name for name, norm in norms(network).items() if (norm.weight == value).all()]


def test_by_default_every_gamma_starts_at_one_and_every_beta_at_zero():
    network = built()
    assert starting_at(network, 1) == list(norms(network))
    assert len(norms(network)) == 20  # the stem's, three of each of the five blocks, and four shortcuts'
    assert all((norm.bias == 0).all() for norm in norms(network).values())
    assert {(norm.eps, norm.momentum) for norm in norms(network).values()} == {(1e-5, 0.1)}


def test_zero_init_final_gamma_is_pycls_final_bn_and_changes_nothing_else():
    """pycls marks `c_bn` of each bottleneck (blocks.py, init_weights): neither the shortcut's nor the stem's."""
    one, zero = built(), built(zero_init_final_gamma=True)
    expected = [
        f"trunk_output.block{s + 1}.block{s + 1}-{i}.f.c.1" for s, d in enumerate((1, 2, 1, 1)) for i in range(d)
    ]
    assert starting_at(zero, 0) == expected
    assert starting_at(zero, 1) == [name for name in norms(one) if name not in expected]
    differing = [n for n, value in one.state_dict().items() if not torch.equal(value, zero.state_dict()[n])]
    assert differing == [f"{name}.weight" for name in expected]


def test_basic_blocks_start_as_torchvisions_resnet_does():
    options = {"classes": 1000, "zero_init_final_gamma": True}
    theirs, ours = resnet18(zero_init_residual=True), built(RESNET18, **options)
    shapes = [[norms(net)[name].weight.shape for name in starting_at(net, 0)] for net in (theirs, ours)]
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == 8
    assert all(name.endswith("bn2") for name in starting_at(ours, 0))
    assert starting_at(built(RESNET18, classes=1000), 0) == []


def test_blocks_without_a_shortcut_never_start_at_zero():
    assert starting_at(built(VANILLA, zero_init_final_gamma=True), 0) == []


def test_a_block_that_starts_at_zero_is_its_shortcut():
    network = built(zero_init_final_gamma=True).train()
    block = network.trunk_output.block2[1]  # same width, stride 1
    inputs = torch.rand(4, 16, 8, 8)
    assert torch.equal(block(inputs), inputs)


@pytest.mark.parametrize("genotype", [GENOTYPE, RESNET18, VANILLA])
def test_convolutions_and_the_head_have_the_spread_of_pycls(genotype):
    checked = 0
    network = built(genotype, classes=50)
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.weight.numel() >= 1000:
            deviation = math.sqrt(2 / (module.kernel_size[0] ** 2 * module.out_channels))
            assert module.weight.std().item() == pytest.approx(deviation, rel=0.1)
            assert abs(module.weight.mean().item()) < 0.1 * deviation
            assert module.bias is None
            checked += 1
    assert checked >= 2
    assert network.fc.weight.std().item() == pytest.approx(0.01, rel=0.15)
    assert (network.fc.bias == 0).all()


def test_initial_weights_follow_the_seed():
    first, again, other = (built(seed=seed).state_dict() for seed in (5, 5, 6))
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    weights = [name for name, value in first.items() if value.dim() > 1]
    assert not any(torch.equal(first[name], other[name]) for name in weights)


def test_pooling_and_head_are_float32_under_autocast():
    """A head in bf16 rounds to 8 bits: two classes of a trained network are then often equal, and the index decides."""
    network = built(classes=100).eval()
    nn.init.normal_(network.fc.weight, std=0.01)
    seen = []
    network.trunk_output.register_forward_hook(lambda module, inputs, outputs: seen.append(outputs))
    inputs = torch.randn(16, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(inputs)
    assert seen[0].dtype == torch.bfloat16  # the body is not
    assert logits.dtype == torch.float32
    pooled = seen[0].float().mean(dim=(2, 3))
    assert torch.allclose(logits, pooled @ network.fc.weight.T + network.fc.bias, atol=1e-6)
    ties = sum(100 - len(set(row.tolist())) for row in logits)
    rounded = sum(100 - len(set(row.bfloat16().tolist())) for row in logits)
    assert ties == 0 < rounded


def test_the_head_trains_in_float32_under_autocast():
    network = built().train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = network(torch.randn(4, 3, 32, 32))
    outputs.sum().backward()
    assert network.fc.weight.grad.dtype == torch.float32
    assert not torch.equal(network.fc.weight.grad, network.fc.weight.grad.bfloat16().float())


@pytest.mark.parametrize(
    ("stem", "sides"), [("res_stem_in", (32, 8, 8)), ("simple_stem_in", (32, 16, 16)), ("res_stem_cifar", (32, 32, 32))]
)
def test_stems_halve_as_their_names_say(stem, sides):
    network = built(stem=stem).eval()
    side, stemmed, first = sides
    inputs = network.stem(torch.zeros(1, 3, side, side))
    assert inputs.shape[2:] == (stemmed, stemmed)
    assert network.trunk_output.block1(inputs).shape[2:] == (first, first)
    assert network.trunk_output(inputs).shape[2:] == (first // 8, first // 8)
