"""train.py in this process: what the seed, the protocol and the machine leave in the run."""

import json
import os
import stat
import subprocess
import sys

import numpy as np
import pytest
import torch
from live import WHOLE
from small import GENOTYPE, PROTOCOL, packed_images

import apr.runs.batches
import apr.runs.machine.devices
import apr.runs.machine.memory
import train
from apr.basics.files import write_json
from apr.basics.problems import Problem
from apr.data.views import select_view
from apr.models.network import build_network
from apr.runs.batches import Recipe
from apr.runs.commands.loaders import open_loaders
from apr.runs.commands.train_options import parser
from apr.runs.record import read_run

BARE = PROTOCOL | {"epochs": 1, "precise_bn": 0, "warmup_epochs": 0, "padding": 0}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """54 packed pictures of 24 pixels in six classes, a third of them for testing, and the view of all."""
    folder = tmp_path_factory.mktemp("data")
    packed, labels = packed_images(folder, side=24)
    index = np.array(packed.index)
    index["split"] = np.arange(len(labels)) % 9 >= 6
    np.save(folder / "noise.index.npy", index)
    about = {"name": "noise", "classes": list("abcdef"), "bin_sha256": "b", "index_sha256": "i"}
    about |= {"mean": [0.5, 0.4, 0.3], "sd": [0.25, 0.2, 0.3]}
    write_json(folder / "view.json", select_view("noise", WHOLE, about, index))
    return folder


def arguments(folder, out, protocol, *more):
    return [
        *["--task", "noise", "--model", "a000", "--genotype", str(GENOTYPE), "--view", str(folder / "view.json")],
        *["--packed", str(folder / "noise"), "--storage", "pixels", "--protocol", json.dumps(protocol)],
        *["--run", str(out / "run.json"), "--checkpoint", str(out / "checkpoint.pt"), "--device", "cpu", *more],
    ]


def parsed(folder, out, protocol, *more):
    return parser("").parse_args(arguments(folder, out, protocol, *more))


def trained(folder, out, protocol, *more):
    out.mkdir(exist_ok=True)
    train.train(parsed(folder, out, protocol, *more))
    return read_run(out / "run.json")


@pytest.fixture(scope="module")
def still(data, tmp_path_factory):
    """{seed: (run, weights)} of two seeds, at a rate that leaves the weights where they begin."""
    made = {}
    for seed in (3, 4):
        out = tmp_path_factory.mktemp(f"seed{seed}")
        protocol = BARE | {"seed": seed, "lr": 1e-12}
        run = trained(data, out, protocol, "--keep-weights", str(out / "weights.pt"))
        made[seed] = run, torch.load(out / "weights.pt", weights_only=True)["network"]
    return made


def test_initial_weights_are_those_of_the_protocols_seed(still):
    for seed, (_, weights) in still.items():
        torch.manual_seed(seed)
        expected = build_network(GENOTYPE, stem="res_stem_cifar", classes=6).state_dict()
        for name, value in expected.items():
            assert "running" in name or "num" in name or torch.allclose(weights[name], value, atol=1e-6), name


def test_two_seeds_are_two_trainings(still):
    (one, first), (other, second) = still.values()
    assert not torch.equal(first["stem.0.0.weight"], second["stem.0.0.weight"])
    assert one["history"][0]["train_loss"] != other["history"][0]["train_loss"]
    assert (one["seed"], other["seed"]) == (3, 4)
    assert one["fingerprint"] != other["fingerprint"]


def test_a_repetition_is_the_same_but_for_its_timing(data, still, tmp_path):
    again = trained(data, tmp_path / "again", BARE | {"lr": 1e-12}, "--keep-weights", str(tmp_path / "weights.pt"))
    assert {**again, "timing": None} == {**still[3][0], "timing": None}


def test_gamma_starts_where_the_protocol_says(data, tmp_path):
    protocol = BARE | {"lr": 1e-12, "zero_init_final_gamma": True}
    run = trained(data, tmp_path / "zero", protocol, "--keep-weights", str(tmp_path / "weights.pt"))
    weights = torch.load(tmp_path / "weights.pt", weights_only=True)["network"]
    assert weights["trunk_output.block1.block1-0.f.c.1.weight"].abs().max() < 1e-6
    assert weights["trunk_output.block1.block1-0.f.a.1.weight"].min() > 0.999
    assert run["protocol"]["zero_init_final_gamma"] is True
    assert run["protocol"]["images"]["view"] == "noise"


def test_provenance_says_what_computed(still):
    provenance = still[3][0]["provenance"]
    said = {key: provenance[key] for key in ("device", "capability", "driver", "cuda", "arithmetic", "threads")}
    nothing = dict.fromkeys(("capability", "driver", "cuda"))
    assert said == {"device": "cpu", "arithmetic": "fp32", "threads": 1, **nothing}
    assert provenance["torch"] == torch.__version__
    assert provenance["cpu_capability"] == torch.backends.cpu.get_cpu_capability()


@pytest.mark.parametrize(("precision", "arithmetic"), [("bf16", "bf16, head fp32"), ("tf32", "fp32"), ("fp32", "fp32")])
def test_precision_and_the_arithmetic_that_comes_of_it(data, tmp_path, precision, arithmetic):
    torch.backends.cudnn.allow_tf32 = precision != "tf32"
    run = trained(data, tmp_path / precision, BARE | {"precision": precision})
    assert run["provenance"]["arithmetic"] == arithmetic
    assert torch.backends.cudnn.allow_tf32 == torch.backends.cuda.matmul.allow_tf32 == (precision == "tf32")


def opened(options, manifest):
    """The loaders of both parts, as train.py opens them."""
    recipe = Recipe(**{key: PROTOCOL[key] for key in ("crop", "resolution", "eval_resize", "padding", "flip")})
    shades = {"mean": manifest["mean"], "sd": manifest["sd"], "seed": PROTOCOL["seed"]}
    return open_loaders(options, manifest, recipe, torch.device("cpu"), **shades)


def test_pictures_are_normalised_by_the_view_and_both_parts_share_one_budget(data, tmp_path, monkeypatch):
    """The training part is 36 x 1,728 bytes, the test part 18 x 1,728."""
    options = parsed(data, tmp_path, BARE)
    manifest = json.loads((data / "view.json").read_text())
    size = 3 * 24 * 24
    for free, resident in ((54 * size, (True, True)), (54 * size - 1, (True, False)), (36 * size - 1, (False, True))):
        monkeypatch.setattr(
            apr.runs.machine.memory,
            "free_memory",
            lambda device, free=free: -int(-free // apr.runs.machine.memory.SHARE),
        )
        both = opened(options, manifest)
        assert tuple(loader.images.resident for loader in both.values()) == resident
    monkeypatch.setattr(apr.runs.machine.memory, "free_memory", lambda device: 10**9)
    options.resident_gb = 36 * size / 2**30
    both = opened(options, manifest)
    assert tuple(loader.images.resident for loader in both.values()) == (True, False)
    for loader in both.values():
        assert loader.mean.tolist() == pytest.approx([0.5, 0.4, 0.3])
        assert loader.sd.tolist() == pytest.approx([0.25, 0.2, 0.3])
        assert loader.seed == 3
    assert {part: len(loader.images) for part, loader in both.items()} == {"train": 36, "test": 18}
    assert both["train"].images.labels.tolist() == [i // 6 for i in range(36)]


def test_a_full_memory_ends_with_one_line_and_nothing_is_left(data, tmp_path, monkeypatch, caplog):
    def full(pixels):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 12.60 GiB.")

    monkeypatch.setattr(apr.runs.batches, "_as_tensor", full)
    monkeypatch.setattr(sys, "argv", ["train.py", *arguments(data, tmp_path, BARE)])
    with pytest.raises(SystemExit) as caught:
        train.main()
    assert caught.value.code == 1
    assert "error: cpu: out of memory while 36 images" in caplog.text
    assert "please report" not in caplog.text
    assert os.listdir(tmp_path) == []


def test_a_gpu_that_torch_cannot_use_ends_the_program(data, tmp_path):
    """nvidia-smi knows a GPU, and torch (as with a driver that is too old) sees none."""
    smi = tmp_path / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho 'Tesla V100-SXM2-16GB, 470.57.02'\n")
    smi.chmod(smi.stat().st_mode | stat.S_IXUSR)
    environment = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    environment["PATH"] = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, train.__file__, *arguments(data, tmp_path / "out", BARE, "--device", "auto")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1800, check=False, env=environment)
    assert done.returncode == 1
    assert "cannot use Tesla V100-SXM2-16GB, 470.57.02" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out/run.json").exists()


def test_a_gpu_without_bf16_is_refused_before_anything_is_loaded(data, tmp_path, monkeypatch):
    old = apr.runs.machine.devices.Machine(
        "2.13", "13.0", ("sm_75",), (apr.runs.machine.devices.Gpu("Tesla T4", (7, 5)),), "580.82"
    )
    monkeypatch.setattr(apr.runs.machine.devices, "machine_of", lambda torch: old)
    options = parsed(data, tmp_path, BARE | {"precision": "bf16"}, "--device", "auto")
    with pytest.raises(Problem, match=r"Tesla T4 has compute capability 7\.5.*precision: fp32"):
        train.train(options)
    assert not (tmp_path / "run.json").exists()
