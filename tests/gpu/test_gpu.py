"""The same training on a GPU: augmentation as on the CPU, it learns, and it resumes bit for bit."""

import os
import signal

import numpy as np
import pytest
import torch
from small import PROTOCOL, checkpointing, loaders, trainer

from apr.basics.interruption import Interrupted
from apr.basics.randomness import uniforms
from apr.runs.augmentation import DRAWS, sample, training_windows
from apr.runs.machine.devices import choose_device, described, machine_of, set_arithmetic
from apr.runs.machine.fusion import MergedConv, merged_groups
from apr.runs.machine.memory import free_memory, image_budget
from apr.runs.machine.replay import Replay
from apr.runs.training import train_network

if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

GPU = torch.device("cuda")
CHANNELS_LAST = torch.channels_last


def run(folder, protocol, **options):
    torch.backends.cudnn.deterministic = True
    one = trainer(protocol, device=GPU)
    return train_network(one, *loaders(folder, protocol, device=GPU), checkpointing(folder), **options)


def test_augmentation_is_that_of_the_cpu():
    generator = np.random.default_rng(0)
    pixels = torch.from_numpy(generator.integers(0, 256, (4 * 40 * 60, 3), dtype=np.uint8))
    sizes, offsets = np.array([[40, 60]] * 4), np.arange(4) * 40 * 60
    draws = uniforms(0, 0, np.arange(4), DRAWS)
    windows = training_windows("random_resized", sizes, draws, resolution=32, padding=0, flip=True)
    results = [
        sample(
            pixels.to(device),
            offsets,
            sizes,
            windows,
            resolution=32,
            mean=torch.full((3,), 0.5, device=device),
            sd=torch.full((3,), 0.25, device=device),
        ).cpu()
        for device in ("cpu", GPU)
    ]
    assert torch.allclose(*results, atol=1e-4)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_trains_and_resumes_bit_for_bit(tmp_path, precision):
    protocol = PROTOCOL | {"precision": precision, "epochs": 6}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    outcome, history, _ = run(tmp_path / "a", protocol)
    assert history[-1]["train_loss"] < history[0]["train_loss"]
    with pytest.raises(Interrupted):
        run(tmp_path / "b", protocol, on_step=lambda progress: os.kill(os.getpid(), signal.SIGTERM))
    assert run(tmp_path / "b", protocol)[:2] == (outcome, history)


def products(precision):
    """A matrix product and a convolution of float32 values, and how far they are from those of float64."""
    set_arithmetic(precision, torch)
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(512, 512, generator=generator, dtype=torch.float64).to(GPU) for _ in range(2))
    image, kernel = torch.randn(8, 64, 32, 32, generator=generator), torch.randn(64, 64, 3, 3, generator=generator)
    image, kernel = image.double().to(GPU), kernel.double().to(GPU)
    pairs = [(left.float() @ right.float(), left @ right)]
    convolve = torch.nn.functional.conv2d
    pairs.append((convolve(image.float(), kernel.float()), convolve(image, kernel)))
    return [((found.double() - exact).abs().mean() / exact.abs().mean()).item() for found, exact in pairs]


def test_fp32_is_float32_and_tf32_is_not():
    assert max(products("fp32")) < 1e-5
    if torch.cuda.get_device_capability(GPU) >= (8, 0):
        assert min(products("tf32")) > 1e-5


def test_a_full_gpu_keeps_no_images_and_the_budget_is_what_it_has():
    free = free_memory(GPU)
    assert 0 < image_budget(GPU, 2**60) < free <= torch.cuda.get_device_properties(GPU).total_memory


def test_the_provenance_names_this_gpu(record_property):
    here = machine_of(torch)
    set_arithmetic("fp32", torch)
    said = described(choose_device("auto", "fp32", here), "fp32", here, torch)
    assert said["device"] == torch.cuda.get_device_name()
    assert said["arithmetic"] == "fp32"
    assert said["driver"]
    record_property("measured", f"{said}, torch {torch.__version__}")


def test_logits_are_float32(tmp_path):
    protocol = PROTOCOL | {"precision": "bf16"}
    one, (train, _) = trainer(protocol, device=GPU), loaders(tmp_path, protocol, device=GPU)
    seen = []
    one.network.register_forward_hook(lambda module, inputs, outputs: seen.append(outputs))
    one.step(*next(train.training(0, 8)))
    assert seen[0].dtype == torch.float32
    assert not torch.equal(seen[0], seen[0].bfloat16().float())


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_recorded_steps_equal_plain_ones_bit_for_bit(tmp_path, precision):
    protocol = PROTOCOL | {"precision": precision, "epochs": 6}
    torch.backends.cudnn.deterministic = True
    runs = []
    for recorded in (True, False):
        (tmp_path / str(recorded)).mkdir()
        both = loaders(tmp_path / str(recorded), protocol, device=GPU)
        one = trainer(protocol, device=GPU, recorded=recorded)
        runs.append(train_network(one, *both, checkpointing(tmp_path / str(recorded)))[:2])
        assert isinstance(one._updates, Replay) == recorded
        assert not recorded or (one._updates.graph and one._evaluating.graph and one._settling.graph)
    assert runs[0] == runs[1]


def test_fused_steps_agree_with_plain_ones(tmp_path):
    protocol = PROTOCOL | {"resolution": 64, "eval_resize": 64, "stem": "res_stem_in"}
    train, _ = loaders(tmp_path, protocol, device=GPU)
    batches, losses, states = list(train.training(0, 8))[:2], [], []
    for fused in (True, False):
        one = trainer(protocol, device=GPU, recorded=False, fused=fused)
        assert one.fused == fused
        one.train_mode()
        one.optimizer.param_groups[0]["lr"] = 1e-3
        losses.append([one.step(*batch)[0].item() for batch in batches])
        states.append(one.network.state_dict())
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert list(states[0]) == list(states[1])
    for name, values in states[0].items():
        assert torch.allclose(values, states[1][name], rtol=1e-2, atol=1e-3), name


@pytest.mark.parametrize(("channels", "groups"), [(96, 48), (24, 12), (260, 130), (130, 65), (96, 32)])
def test_merged_groups_give_the_same_convolution(channels, groups):
    torch.manual_seed(0)
    set_arithmetic("fp32", torch)
    plain = torch.nn.Conv2d(channels, channels, 3, 2, 1, groups=groups, bias=False).to(GPU, memory_format=CHANNELS_LAST)
    merged = MergedConv(plain, merged_groups(channels, groups))
    assert merged.merged > 1
    x = torch.randn(4, channels, 9, 9, device=GPU).contiguous(memory_format=CHANNELS_LAST)
    one, other = plain(x), merged(x)
    assert torch.allclose(one, other, atol=1e-5)
    given = torch.randn_like(one)
    of_plain, of_merged = (torch.autograd.grad(found, plain.weight, given)[0] for found in (one, other))
    assert torch.allclose(of_plain, of_merged, atol=1e-4)
