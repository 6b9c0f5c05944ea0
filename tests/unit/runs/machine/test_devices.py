"""Which device computes: every kind of machine, as torch and the driver would describe it."""

import os
import stat
from types import SimpleNamespace

import pytest
import torch

from apr.basics.problems import Problem
from apr.runs.machine.devices import (
    Gpu,
    Machine,
    arithmetic,
    choose_device,
    described,
    machine_of,
    nvidia,
    set_arithmetic,
)

LOCKED = ("sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120")
V100, T4, A100 = Gpu("Tesla V100", (7, 0)), Gpu("Tesla T4", (7, 5)), Gpu("NVIDIA A100", (8, 0))
H100, L40 = Gpu("NVIDIA H100", (9, 0)), Gpu("NVIDIA L40", (8, 9))
NO_GPU = Machine("2.13.0+cu130", "13.0", LOCKED)
OLD_DRIVER = Machine("2.13.0+cu130", "13.0", LOCKED, (), "535.54.03", ("Tesla V100, 535.54.03",))


def machine(*gpus, built_for=LOCKED, driver="580.82"):
    return Machine("2.13.0+cu130", "13.0", built_for, gpus, driver)


@pytest.mark.parametrize(
    ("name", "precision", "here", "chosen"),
    [
        ("auto", "bf16", machine(A100), "cuda"),
        ("cuda", "bf16", machine(A100), "cuda"),
        ("cuda:1", "bf16", machine(V100, H100), "cuda:1"),
        ("auto", "fp32", machine(T4), "cuda"),
        ("auto", "tf32", machine(L40), "cuda"),
        ("cpu", "bf16", machine(V100), "cpu"),
        ("cpu", "bf16", OLD_DRIVER, "cpu"),
        ("auto", "bf16", NO_GPU, "cpu"),
        ("auto", "fp32", machine(V100, built_for=("sm_60", "compute_60")), "cuda"),  # translated when it is loaded
        ("auto", "bf16", machine(Gpu("AMD", (9, 4)), built_for=("gfx942",)), "cuda"),
    ],
)
def test_the_device_that_a_name_means(name, precision, here, chosen):
    assert choose_device(name, precision, here) == chosen


def test_a_machine_without_a_gpu_says_that_the_cpu_computes(caplog):
    caplog.set_level("INFO", logger="apr")
    choose_device("auto", "bf16", NO_GPU)
    assert "no GPU here: computing on the CPU" in caplog.text


@pytest.mark.parametrize("name", ["auto", "cuda", "cuda:0"])
def test_a_driver_that_is_too_old_is_never_the_cpu(name):
    """torch.cuda.is_available() is False there, as where there is no GPU."""
    with pytest.raises(Problem) as caught:
        choose_device(name, "bf16", OLD_DRIVER)
    text = str(caught.value)
    for part in (f"--device {name}", "CUDA 13.0, driver 580.65 or newer", "cannot use Tesla V100", "driver 535.54.03"):
        assert part in text
    assert "update the driver, lock a torch that fits it" in text
    assert "--device cpu (`device: cpu` in the study)" in text


def test_a_build_without_cuda_is_named():
    here = Machine("2.13.0+cpu", None, (), (), "580.82", ("NVIDIA A100",))
    with pytest.raises(Problem, match=r"torch 2\.13\.0\+cpu is a build without CUDA and cannot use NVIDIA A100 "):
        choose_device("auto", "fp32", here)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("gpu", [V100, Gpu("newer", (11, 0)), Gpu("Orin", (7, 2))])
def test_a_gpu_that_torch_was_not_built_for_is_named_with_the_remedy(gpu, precision):
    with pytest.raises(Problem) as caught:
        choose_device("auto", precision, machine(gpu))
    text = str(caught.value)
    capability = ".".join(map(str, gpu.capability))
    assert f"{gpu.name} has compute capability {capability}, and torch 2.13.0+cu130 (driver 580.82) was built" in text
    assert "sm_75, sm_80" in text
    assert "lock a torch that fits it (another version in envs/runtime.in, then `make lock`)" in text


def test_code_of_one_generation_runs_on_its_later_members_alone():
    assert choose_device("auto", "bf16", machine(L40, built_for=("sm_80",))) == "cuda"
    with pytest.raises(Problem, match="was built for sm_86"):
        choose_device("auto", "bf16", machine(A100, built_for=("sm_86",)))
    with pytest.raises(Problem, match="was built for sm_90a"):
        choose_device("auto", "bf16", machine(Gpu("next", (9, 1)), built_for=("sm_90a",)))
    with pytest.raises(Problem, match="was built for compute_90"):
        choose_device("auto", "bf16", machine(A100, built_for=("compute_90",)))


def test_bf16_that_would_be_emulated_is_refused():
    with pytest.raises(Problem, match=r"Tesla T4 has compute capability 7\.5 .*bf16 needs 8\.0: set precision: fp32"):
        choose_device("auto", "bf16", machine(T4))


def test_a_gpu_that_is_not_there_is_named():
    with pytest.raises(Problem, match=r"--device cuda:2: there are 2 GPU\(s\) here, cuda:0 to cuda:1"):
        choose_device("cuda:2", "fp32", machine(A100, A100))
    with pytest.raises(Problem, match=r"--device cuda: torch 2\.13\.0\+cu130 sees no GPU here"):
        choose_device("cuda", "fp32", NO_GPU)


def settings(convolution, product):
    cuda = SimpleNamespace(matmul=SimpleNamespace(allow_tf32=product))
    return SimpleNamespace(backends=SimpleNamespace(cudnn=SimpleNamespace(allow_tf32=convolution), cuda=cuda))


@pytest.mark.parametrize(
    ("precision", "expected"), [("fp32", (False, False)), ("bf16", (False, False)), ("tf32", (True, True))]
)
def test_tf32_is_off_unless_it_is_asked_for(precision, expected):
    fake = settings(True, True)
    set_arithmetic(precision, fake)
    assert (fake.backends.cudnn.allow_tf32, fake.backends.cuda.matmul.allow_tf32) == expected


def test_torch_itself_is_set():
    set_arithmetic("tf32", torch)
    assert torch.backends.cudnn.allow_tf32
    assert torch.backends.cuda.matmul.allow_tf32
    set_arithmetic("fp32", torch)
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize(
    ("device", "precision", "capability", "flags", "said"),
    [
        ("cuda", "fp32", (8, 0), (False, False), "fp32"),
        ("cuda", "tf32", (8, 0), (True, True), "tf32"),
        ("cuda", "fp32", (8, 0), (True, False), "tf32, head fp32"),
        ("cuda", "tf32", (7, 5), (True, True), "fp32"),
        ("cpu", "tf32", None, (True, True), "fp32"),
        ("cuda:1", "bf16", (9, 0), (False, False), "bf16, head fp32"),
        ("cpu", "bf16", None, (False, False), "bf16, head fp32"),
    ],
)
def test_the_arithmetic_is_what_torch_does_and_not_what_was_asked(device, precision, capability, flags, said):
    assert arithmetic(device, precision, capability, settings(*flags)) == said


def test_provenance_of_a_gpu_and_of_the_cpu():
    here = machine(V100, A100)
    assert described("cuda:1", "bf16", here, settings(False, False)) == {
        "device": "NVIDIA A100",
        "capability": "8.0",
        "driver": "580.82",
        "cuda": "13.0",
        "arithmetic": "bf16, head fp32",
    }
    assert described("cuda", "fp32", here, settings(False, False))["device"] == "Tesla V100"
    expected = {"device": "cpu", "capability": None, "driver": None, "cuda": None, "arithmetic": "fp32"}
    assert described("cpu", "fp32", here, settings(False, False)) == expected


class Cuda:
    """torch.cuda of a machine with these GPUs."""

    def __init__(self, *gpus):
        self.gpus = gpus

    def is_available(self):
        return bool(self.gpus)

    def device_count(self):
        return len(self.gpus)

    def get_device_name(self, number):
        return self.gpus[number].name

    def get_device_capability(self, number):
        return self.gpus[number].capability

    def get_arch_list(self):
        return list(LOCKED)


def test_torch_is_asked_for_each_gpu():
    fake = SimpleNamespace(__version__="2.13.0", version=SimpleNamespace(cuda="13.0"), cuda=Cuda(V100, A100))
    found = machine_of(fake)
    assert (found.gpus, found.built_for, found.cuda, found.torch) == ((V100, A100), LOCKED, "13.0", "2.13.0")
    assert found.present == ()


def smi(folder, text, code=0):
    """A PATH with an nvidia-smi that says this."""
    program = folder / "bin/nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


def loaded(folder, *gpus):
    """/proc of a machine with NVIDIA's driver."""
    place = folder / "proc/driver/nvidia"
    place.mkdir(parents=True)
    text = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue Jun  6\nGCC version:  gcc 12.2.0\n"
    (place / "version").write_text(text)
    for gpu in gpus:
        (place / "gpus" / gpu).mkdir(parents=True)
    return folder


def test_a_machine_without_nvidia(tmp_path):
    assert nvidia(root=tmp_path, environment={"PATH": str(tmp_path)}) == (None, ())


def test_nvidia_smi_names_gpus_and_driver(tmp_path):
    environment = smi(tmp_path, "Tesla V100-SXM2-16GB, 535.54.03\nTesla V100-SXM2-16GB, 535.54.03")
    assert nvidia(root=tmp_path, environment=environment) == ("535.54.03", ("Tesla V100-SXM2-16GB, 535.54.03",) * 2)


def test_a_driver_without_a_gpu_is_no_gpu(tmp_path):
    environment = smi(tmp_path, "No devices were found", 6)
    assert nvidia(root=loaded(tmp_path), environment=environment) == ("535.54.03", ())


def test_a_driver_that_does_not_answer_is_a_gpu(tmp_path):
    environment = smi(tmp_path, "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", 9)
    driver, present = nvidia(root=tmp_path, environment=environment)
    assert driver is None
    assert present[0].startswith("a GPU that nvidia-smi does not reach NVIDIA-SMI has failed")


def test_the_kernel_knows_gpus_without_nvidia_smi(tmp_path):
    bare = {"PATH": str(tmp_path)}
    assert nvidia(root=loaded(tmp_path / "two", "0000:01:00.0", "0000:02:00.0"), environment=bare) == (
        "535.54.03",
        ("GPU 0000:01:00.0", "GPU 0000:02:00.0"),
    )
    assert nvidia(root=loaded(tmp_path / "none"), environment=bare) == ("535.54.03", ("a GPU with NVIDIA's driver",))
    (tmp_path / "empty/proc/driver/nvidia/gpus").mkdir(parents=True)
    assert nvidia(root=tmp_path / "empty", environment=bare) == (None, ())


@pytest.mark.parametrize("value", ["", "-1", "NoDevFiles"])
def test_gpus_that_are_hidden_on_purpose_are_none(tmp_path, value):
    environment = smi(tmp_path, "NVIDIA A100, 580.82") | {"CUDA_VISIBLE_DEVICES": value}
    assert nvidia(root=tmp_path, environment=environment) == ("580.82", ())
    assert nvidia(root=tmp_path, environment=environment | {"CUDA_VISIBLE_DEVICES": "0"})[1] != ()
