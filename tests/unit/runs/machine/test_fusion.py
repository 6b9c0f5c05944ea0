"""What a GPU fuses computes what torch computes, by the same names: on a GPU, or in Triton's interpreter."""

import copy

import pytest
import torch
from small import GENOTYPE
from torch.nn import functional

from apr.models.network import build_network
from apr.runs.machine.fusion import MergedConv, Norm, Pool, fuse, fusible, merged_groups

pytest.importorskip("triton", reason="needs Triton, which comes with torch on Linux")

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 1e-2}  # bf16 keeps 8 bits of each output


def picture(*shape, kind=torch.float32, mean=0.0):
    values = (torch.randn(*shape, device=DEVICE) * 2 + mean).to(kind)
    return values.contiguous(memory_format=torch.channels_last).requires_grad_()


def distance(one, other):
    return ((one.double() - other.double()).norm() / other.double().norm()).item()


@pytest.mark.parametrize("kind", TOLERANCE)
@pytest.mark.parametrize(("relu", "added"), [(True, True), (True, False), (False, False), (False, True)])
@pytest.mark.parametrize("channels", [2, 24, 130])
def test_a_norm_with_what_follows(kind, relu, added, channels):
    torch.manual_seed(0)
    x = picture(3, channels, 5, 6, kind=kind, mean=7.0)
    other = picture(3, channels, 5, 6, kind=kind) if added else None
    plain = torch.nn.BatchNorm2d(channels).to(DEVICE)
    plain.weight.data.uniform_(-1, 1)
    plain.bias.data.normal_()
    fused, exact = Norm(copy.deepcopy(plain), relu=relu), copy.deepcopy(plain).double()
    given = [x, other] if added else [x]
    doubles = [one.detach().double().requires_grad_() for one in given]

    def expected():
        found = exact(doubles[0]) + (doubles[1] if added else 0)
        return found.relu() if relu else found

    gradient = torch.randn(3, channels, 5, 6, device=DEVICE).to(kind)
    y, reference = fused(x, other), expected()
    y.backward(gradient)
    reference.backward(gradient.double())
    pairs = [(y, reference), (fused.weight.grad, exact.weight.grad), (fused.bias.grad, exact.bias.grad)]
    pairs += [(one.grad, double.grad) for one, double in zip(given, doubles, strict=True)]
    pairs += [(one, other) for (_, one), (_, other) in zip(fused.named_buffers(), exact.named_buffers(), strict=True)]
    fused.eval(), exact.eval()
    pairs.append((fused(x, other), expected()))
    assert max(distance(*pair) for pair in pairs if pair[1].any()) < TOLERANCE[kind]
    assert y.dtype == kind


@pytest.mark.parametrize("shape", [(2, 32, 8, 8), (3, 6, 7, 9), (1, 70, 5, 4), (2, 1, 1, 1)])
def test_a_max_pool(shape):
    torch.manual_seed(0)
    x = picture(*shape).detach().relu().requires_grad_()  # many values are equal
    other = x.detach().clone().requires_grad_()
    y, expected = Pool()(x), functional.max_pool2d(other, 3, 2, 1)
    assert torch.equal(y, expected)
    gradient = torch.randn_like(expected)
    y.backward(gradient)
    expected.backward(gradient)
    assert torch.allclose(x.grad, other.grad, atol=1e-6)


def test_what_is_no_number_stays_none():
    x = picture(1, 8, 4, 4).detach()
    x[0, 0, 1, 1] = float("nan")
    assert Pool()(x)[0, 0].isnan().all()
    assert Norm(torch.nn.BatchNorm2d(8).to(DEVICE), relu=True)(x)[0, 0].isnan().all()


@pytest.mark.parametrize("stem", ["res_stem_in", "res_stem_cifar"])
def test_a_network_keeps_its_names_and_computes_the_same(stem):
    torch.manual_seed(0)
    plain = build_network(GENOTYPE, stem=stem, classes=6).to(DEVICE, memory_format=torch.channels_last)
    fused = copy.deepcopy(plain)
    fuse(fused, merge=True)
    assert any(isinstance(module, MergedConv) for module in fused.modules())
    assert not any(isinstance(module, torch.nn.ReLU | torch.nn.MaxPool2d) for module in fused.modules())
    for names in ("state_dict", "named_parameters", "named_buffers"):
        assert list(dict(getattr(fused, names)())) == list(dict(getattr(plain, names)()))
    x = torch.randn(4, 3, 32, 32, device=DEVICE).contiguous(memory_format=torch.channels_last)
    for mode in (True, False):
        one, other = fused.train(mode)(x), plain.train(mode)(x)
        assert distance(one, other) < 1e-4
    fused.load_state_dict(plain.state_dict())


@pytest.mark.parametrize(
    ("channels", "groups", "merged"),
    [
        (96, 96, 1),  # depthwise has kernels of its own
        (96, 12, 1),  # eight channels each are wide enough
        (96, 48, 8),  # two become sixteen
        (216, 108, 4),  # sixteen do not divide them, eight do
        (24, 12, 12),  # so few are one convolution
        (130, 65, 65),  # groups of two that cannot be merged, too
        (260, 65, 1),  # groups of four stay
        (96, 32, 32),  # three channels each are slow in any case
        (960, 320, 1),
    ],
)
def test_how_many_groups_become_one(channels, groups, merged):
    assert merged_groups(channels, groups) == merged
    assert groups % merged == 0


def test_where_the_kernels_cannot_run_torch_does_and_the_log_says_why(caplog):
    assert not fusible(torch.device("cpu"))
    assert not caplog.text
    if not torch.cuda.is_available():
        assert not fusible(torch.device("cuda"))
        assert "the kernels that fuse BatchNorm cannot be used (" in caplog.text
