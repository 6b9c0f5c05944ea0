"""Live evaluation on a GPU: the answers of the CPU, and it resumes bit for bit."""

import os
import signal

import numpy as np
import pytest
import timm
import torch
from small import checkpointing, packed_images

from apr.basics.interruption import Interrupted
from apr.models.pretrained import load_model
from apr.runs.evaluation import predict

if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

MODEL = "timm:test_resnet.r160_in1k"


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    torch.save(timm.create_model("test_resnet", num_classes=6).state_dict(), tmp_path / "weights.pt")
    return load_model(MODEL, tmp_path / "weights.pt")


def answers(model, folder, *, device, **options):
    packed, labels = packed_images(folder.parent)
    folder.mkdir(exist_ok=True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    rows = np.arange(len(labels))
    return predict(
        model, packed, rows, checkpointing(folder), device=torch.device(device), batch=8, threads=2, **options
    )


def test_the_answers_are_those_of_the_cpu(model, tmp_path):
    gpu, _ = answers(model, tmp_path / "gpu", device="cuda")
    cpu, _ = answers(model, tmp_path / "cpu", device="cpu")
    assert (gpu[:, 0] == cpu[:, 0]).mean() > 0.95  # two outputs may be equal but for the last bits


def test_it_resumes_bit_for_bit(model, tmp_path):
    whole, _ = answers(model, tmp_path / "a", device="cuda")
    with pytest.raises(Interrupted):
        answers(model, tmp_path / "b", device="cuda", on_batch=lambda done: os.kill(os.getpid(), signal.SIGTERM))
    again, timing = answers(model, tmp_path / "b", device="cuda")
    assert timing["resumed_at_image"] == 9
    assert (whole == again).all()
