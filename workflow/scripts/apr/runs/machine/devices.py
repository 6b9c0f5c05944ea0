"""The device that computes: which it is, whether it can do what it is asked, and the arithmetic that it really uses.

What torch and the machine say is collected in a `Machine`; the choice is a function of that.
"""

import logging
import os
import platform
import re
import shutil
import subprocess
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apr.basics.problems import Problem

REDUCED = (8, 0)  # the capability from which bf16 and TF32 are arithmetic of the GPU; torch emulates bf16 below it
OLDEST_DRIVER = {"11": "450.80", "12": "525.60", "13": "580.65"}  # by the CUDA that torch was built for
HIDDEN = ("", "-1", "NoDevFiles")  # values of CUDA_VISIBLE_DEVICES that hide every GPU on purpose
VERSION = re.compile(r"\b\d{3,}(\.\d+)+")  # of a driver
ANOTHER_LOCK = "lock a torch that fits it (another version in envs/runtime.in, then `make lock`)"
ON_PURPOSE = "--device cpu (`device: cpu` in the study) to use the CPU on purpose"

log = logging.getLogger("apr")


@dataclass(frozen=True)
class Gpu:
    """A GPU that torch sees, with its compute capability, such as (8, 0)."""

    name: str
    capability: tuple[int, int]


@dataclass(frozen=True)
class Machine:
    """What torch and the machine say of GPUs.

    torch: its version; cuda: the CUDA it was built for, None without; built_for: the code that it holds (sm_80, …);
    gpus: those that it can reach; driver: NVIDIA's; present: GPUs of the machine, whether torch reaches them or not.
    """

    torch: str
    cuda: str | None
    built_for: tuple[str, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    driver: str | None = None
    present: tuple[str, ...] = ()


def machine_of(torch: Any) -> Machine:
    """Ask torch, and where it sees no GPU ask NVIDIA's driver."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch warns of is an error here, with a remedy
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        names = [Gpu(torch.cuda.get_device_name(i), torch.cuda.get_device_capability(i)) for i in range(count)]
        built_for = tuple(torch.cuda.get_arch_list())
    driver, present = nvidia(asked=not names)
    return Machine(torch.__version__, torch.version.cuda, built_for, tuple(names), driver, present)


def nvidia(
    asked: bool = True, root: Path = Path("/"), environment: Mapping[str, str] = os.environ
) -> tuple[str | None, tuple[str, ...]]:
    """The version of NVIDIA's driver, and (if `asked`) the GPUs that it knows and that nobody hides."""
    folder, driver = root / "proc/driver/nvidia", None
    with suppress(OSError):
        found = VERSION.search((folder / "version").read_text(encoding="utf-8"))
        driver = found and found.group()
    program = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if not asked and driver:
        return driver, ()
    if program:
        lines = _nvidia_smi(program)
        versions = [found.group() for line in lines if (found := VERSION.search(line))]
        driver = driver or next(iter(versions), None)
    else:
        lines = [f"GPU {path.name}" for path in sorted((folder / "gpus").glob("*"))]
        if folder.is_dir() and not (folder / "gpus").is_dir():
            lines = ["a GPU with NVIDIA's driver"]
    hidden = environment.get("CUDA_VISIBLE_DEVICES") in HIDDEN
    return driver, () if hidden or not asked else tuple(lines)


def choose_device(name: str, precision: str, machine: Machine) -> str:
    """The device for a name: `auto` is the first GPU, and the CPU only where the machine has none.

    Raises:
        Problem: there is a GPU, but torch cannot use it, or it lacks the arithmetic of `precision`.
    """
    if name == "cpu":
        return name
    if not machine.gpus:
        if name == "auto" and not machine.present:
            log.info("no GPU here: computing on the CPU")
            return "cpu"
        raise Problem(f"--device {name}: {_out_of_reach(machine)}")
    number = int(name.partition(":")[2] or 0)
    if number >= len(machine.gpus):
        raise Problem(
            f"--device {name}: there are {len(machine.gpus)} GPU(s) here, cuda:0 to cuda:{len(machine.gpus) - 1}"
        )
    gpu = machine.gpus[number]
    described = f"--device {name}: {gpu.name} has compute capability {_dotted(gpu.capability)}"
    if not _runs(gpu.capability, machine.built_for):
        raise Problem(
            f"{described}, and torch {machine.torch} (driver {machine.driver}) was built for "
            f"{', '.join(machine.built_for)}: {ANOTHER_LOCK}, use another GPU, or {ON_PURPOSE}"
        )
    if precision == "bf16" and gpu.capability < REDUCED:
        raise Problem(
            f"{described} (driver {machine.driver}), and bf16 needs {_dotted(REDUCED)}: set precision: fp32, "
            "or use another GPU"
        )
    return "cuda" if name == "auto" else name


def set_arithmetic(precision: str, torch: Any) -> None:
    """Float32 is float32, in TF32 only where `precision` is tf32; torch's own default for convolutions is TF32."""
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def arithmetic(device: str, precision: str, capability: tuple[int, int] | None, torch: Any) -> str:
    """What is really computed with, as torch is set now: a CPU, or a GPU too old for it, has no TF32."""
    reduced = device != "cpu" and capability is not None and capability >= REDUCED
    parts = (torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32)
    convolution, product = ("tf32" if allowed and reduced else "fp32" for allowed in parts)
    if precision == "bf16":
        return f"bf16, head {product}"
    return product if product == convolution else f"{convolution}, head {product}"


def described(device: str, precision: str, machine: Machine, torch: Any) -> dict[str, Any]:
    """Device, capability, driver, CUDA and arithmetic, for the provenance of a run."""
    gpu = None if device == "cpu" else machine.gpus[int(device.partition(":")[2] or 0)]
    return {
        "device": gpu.name if gpu else device,
        "capability": _dotted(gpu.capability) if gpu else None,
        "driver": machine.driver if gpu else None,
        "cuda": machine.cuda if gpu else None,
        "arithmetic": arithmetic(device, precision, gpu and gpu.capability, torch),
    }


def versions(threads: int) -> dict:
    """Versions and the host; the same for every repetition on one machine."""
    import numpy
    import torch
    import torchvision

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "numpy": numpy.__version__,
        "machine": platform.machine(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": threads,
    }


def _nvidia_smi(program: str) -> list[str]:
    """A line for each GPU that nvidia-smi names, or what it says in place of them."""
    try:
        query = [program, "--query-gpu=name,driver_version", "--format=csv,noheader"]
        done = subprocess.run(query, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ["a GPU for which nvidia-smi gives no answer"]
    if "no devices were found" in (done.stdout + done.stderr).lower():
        return []
    lines = [line.strip() for line in (done.stdout or done.stderr).splitlines() if line.strip()]
    return lines if lines and not done.returncode else [" ".join(["a GPU that nvidia-smi does not reach", *lines[:1]])]


def _out_of_reach(machine: Machine) -> str:
    if not machine.present:
        return f"torch {machine.torch} sees no GPU here; check the job's request and the driver, or take {ON_PURPOSE}"
    if machine.cuda is None:
        why, remedy = "is a build without CUDA and", "install a build with CUDA (envs/runtime.lock has one)"
    else:
        oldest = OLDEST_DRIVER.get(machine.cuda.partition(".")[0])
        why = f"(CUDA {machine.cuda}{f', driver {oldest} or newer' if oldest else ''})"
        remedy = f"update the driver, {ANOTHER_LOCK}"
    present = f"{machine.present[0]} (driver {machine.driver or 'unknown'})"
    return f"torch {machine.torch} {why} cannot use {present}: {remedy}, or take {ON_PURPOSE}"


def _runs(capability: tuple[int, int], built_for: tuple[str, ...]) -> bool:
    """Whether one of torch's codes runs: compiled for its generation (sm_…), or PTX for newer ones (compute_…)."""
    codes = [found.groups() for code in built_for if (found := re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", code))]
    for kind, major, minor, exact in codes:
        built = (int(major), int(minor))
        if built == capability or (
            not exact and built <= capability and (kind == "compute" or built[0] == capability[0])
        ):
            return True
    return not codes  # AMD's are named otherwise


def _dotted(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))
