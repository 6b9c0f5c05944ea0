"""Fine-tuning and probes on a GPU: they learn, agree with the CPU, and resume bit for bit, dropout included."""

import os
import signal

import numpy as np
import probes
import pytest
import torch
import tuned

import apr.runs.training
from apr.basics.interruption import Interrupted

if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tuned.prepare(tmp_path_factory.mktemp("noise"))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_learns(folder, precision):
    made = tuned.run(folder, name=f"learns-{precision}", device="cuda", protocol={"precision": precision})
    assert made["outcome"]["parts"]["test"]["correct_top1"] > 20  # of 24
    assert made["provenance"]["device"] == torch.cuda.get_device_name()


@pytest.mark.parametrize("optimiser", [{}, {"optimiser": "adamw", "lr": 0.002, "decay": "by_rate"}])
@pytest.mark.parametrize("model", [tuned.MODEL, "torchvision:squeezenet1_1"])
def test_interrupted_and_resumed_it_is_the_same(folder, monkeypatch, optimiser, model):
    protocol = {"epochs": 2, **optimiser}
    options = {"device": "cuda", "model": model}
    if model != tuned.MODEL:  # it has dropout
        protocol["start"], options["weights"] = "scratch", None
    whole = tuned.run(folder, name="whole", protocol=protocol, **options)
    train = apr.runs.training._train

    def killed(trainer, loader, held, kept, start, on_step):
        def step(progress):
            if (progress.epoch, progress.step) == (1, 3):
                os.kill(os.getpid(), signal.SIGTERM)

        return train(trainer, loader, held, kept, start, step)

    monkeypatch.setattr(apr.runs.training, "_train", killed)
    with pytest.raises(Interrupted):
        tuned.run(folder, name="again", protocol=protocol, **options)
    monkeypatch.undo()
    again = tuned.run(folder, name="again", protocol=protocol, **options)
    assert again["timing"]["resumed_at_epoch"] == 2
    assert tuned.compared(again) == tuned.compared(whole)
    for name in ("whole", "again"):
        (folder / f"{name}.json").unlink()


def test_a_probe_agrees_with_that_of_the_cpu(tmp_path):
    _, _, features = probes.prepared(tmp_path)
    run, outputs = probes.run(tmp_path, {}, "--device", "cuda")
    (kept,) = (tmp_path / "features").iterdir()
    with np.load(kept) as found:
        for part, own in features.items():
            assert np.abs(found[part] - own).max() < 1e-2 * np.abs(own).max()
    assert run["outcome"]["status"] == "completed"
    assert len(outputs["test_scores"]) == 12
