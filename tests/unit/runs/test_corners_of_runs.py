"""Machines, models and arguments at the edge: no answer of nvidia-smi, outputs of another shape, empty names."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small import checkpointing

from apr.basics.problems import Problem
from apr.runs.checkpoints import save_checkpoint
from apr.runs.commands.commandline import beside
from apr.runs.evaluation import _best, predict
from apr.runs.machine.devices import _nvidia_smi, _runs, nvidia
from apr.runs.machine.memory import memory_explained


def program(folder, text, code=0):
    path = folder / "nvidia-smi"
    path.write_text(f"#!/bin/sh\n{text}\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "code", "lines"),
    [
        ("echo 'A, 1.2'; echo ''; echo 'B, 1.2'", 0, ["A, 1.2", "B, 1.2"]),
        ("echo 'No devices were found'", 6, []),
        ("echo 'has failed' >&2", 9, ["a GPU that nvidia-smi does not reach has failed"]),
        ("", 0, ["a GPU that nvidia-smi does not reach"]),
    ],
)
def test_what_nvidia_smi_says(tmp_path, text, code, lines):
    assert _nvidia_smi(program(tmp_path, text, code)) == lines


def test_a_program_that_cannot_be_run_gives_no_answer(tmp_path):
    assert _nvidia_smi(str(tmp_path / "none")) == ["a GPU for which nvidia-smi gives no answer"]


def test_a_driver_that_says_its_version_is_not_asked(tmp_path):
    version = tmp_path / "proc/driver/nvidia/version"
    version.parent.mkdir(parents=True)
    version.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat\n")
    program(tmp_path, "echo 'A, 1.2.3'")
    environment = {"PATH": str(tmp_path)}
    assert nvidia(asked=False, root=tmp_path, environment=environment) == ("535.104.05", ())
    assert nvidia(asked=True, root=tmp_path, environment=environment) == ("535.104.05", ("A, 1.2.3",))
    assert nvidia(asked=True, root=tmp_path, environment=environment | {"CUDA_VISIBLE_DEVICES": "-1"})[1] == ()
    assert nvidia(asked=True, root=tmp_path, environment={"PATH": ""})[1] == ("a GPU with NVIDIA's driver",)
    assert nvidia(asked=True, root=tmp_path / "none", environment={"PATH": ""}) == (None, ())


def test_codes_run_on_their_generation_and_ptx_on_newer_ones():
    for capability, built, runs in (
        ((8, 0), ("sm_80",), True),
        ((8, 6), ("sm_80",), True),
        ((8, 0), ("sm_86",), False),
        ((9, 0), ("sm_80",), False),
        ((9, 0), ("compute_80",), True),
        ((7, 5), ("compute_80",), False),
        ((9, 0), ("sm_90a",), True),
        ((9, 1), ("sm_90a",), False),
        ((10, 0), ("sm_100",), True),
        ((9, 0), ("gfx90a",), True),
    ):
        assert _runs(capability, built) is runs, (capability, built)


def test_a_model_gives_as_many_outputs_as_asked_and_the_best_come_first():
    logits = torch.tensor([[0.1, 0.9, 0.5], [3.0, 1.0, 2.0]])
    assert _best(lambda inputs: logits, torch.zeros(2, 1), 3, 2).tolist() == [[1, 2], [0, 2]]
    with pytest.raises(Problem, match=r"gives \(2, 3\) for 2 images, not 4 outputs for each"):
        _best(lambda inputs: logits, torch.zeros(2, 1), 4, 2)
    with pytest.raises(Problem, match="not finite"):
        _best(lambda inputs: logits / 0, torch.zeros(2, 1), 3, 2)


def test_an_error_that_is_not_of_memory_stays_what_it_is():
    with pytest.raises(RuntimeError, match="shapes"), memory_explained(torch.device("cpu"), "here"):
        raise RuntimeError("shapes do not fit")
    words = r"cpu: out of memory here; .* \(MemoryError\)"
    with pytest.raises(Problem, match=words), memory_explained(torch.device("cpu"), "here"):
        raise MemoryError


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_a_checkpoint_needs_a_name(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problem, match="is a folder; name a file in it"):
        beside(name)
    with pytest.raises(Problem, match="is a folder"):
        beside(str(tmp_path))
    assert [path.name for path in beside("a/b.pt").values()] == ["b.json", "b.lease"]


@pytest.mark.parametrize(
    ("change", "resumed"),
    [
        ({}, 3),
        ({"done": 0}, 1),
        ({"done": 4}, 5),
        ({"done": 5}, None),
        ({"done": -1}, None),
        ({"done": "2"}, None),
        ({"best": torch.zeros(4, 2, dtype=torch.int16)}, None),
        ({"best": torch.zeros(4, 2, dtype=torch.int16), "done": -1}, None),
        ({"best": None}, None),
    ],
)
def test_an_evaluation_goes_on_from_a_checkpoint_that_fits_it_alone(tmp_path, change, resumed, caplog):
    packed = SimpleNamespace(read=lambda row: np.full((1, 1, 3), row, np.uint8))
    shown = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    model = SimpleNamespace(
        network=torch.nn.Identity(), outputs=3, transform=lambda image: shown[int(np.asarray(image)[0, 0, 0])]
    )
    kept = checkpointing(tmp_path)
    state = {"best": torch.full((4, 3), 7, dtype=torch.int16), "done": 2} | change
    save_checkpoint(kept.path, state, kept.fingerprint)
    best, timing = predict(model, packed, np.arange(4), kept, device=torch.device("cpu"), batch=2, threads=1)
    assert timing["resumed_at_image"] == resumed
    assert ("is of this protocol, but" in caplog.text) == (resumed is None)
    done = resumed - 1 if resumed else 0
    assert (best[:done] == 7).all()
    assert best[done:, 0].tolist() == [0, 1, 2, 2][done:]
