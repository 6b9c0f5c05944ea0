"""The same training on a GPU: augmentation as on the CPU, it learns, and it resumes bit for bit."""

import os
import signal

import numpy as np
import pytest
import torch
from small import PROTOCOL, checkpointing, loaders, trainer

from apr.augmentation import DRAWS, sample, training_windows
from apr.interruption import Interrupted
from apr.randomness import uniforms
from apr.training import train_network

if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

GPU = torch.device("cuda")


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
