"""How much memory there is, by files that say so; and one explanation where it is too little."""

import os
import platform
import resource
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from apr.basics.problems import Problem
from apr.runs.machine import memory
from apr.runs.machine.memory import SHARE, UNKNOWN, free_host_memory, image_budget, keep_freed_memory, memory_explained
from study import ROOT

CPU = torch.device("cpu")
GIB = 2**30


def unlimited(number):
    return resource.RLIM_INFINITY, resource.RLIM_INFINITY


def host(folder, *, available=None, groups="", files=None, sizes=None):
    """A file system that says how much there is."""
    contents = {"proc/self/cgroup": groups, **(files or {})}
    if available is not None:
        contents["proc/meminfo"] = f"MemTotal:  99999999 kB\nMemFree:  7 kB\nMemAvailable:   {available // 1024} kB\n"
    contents["proc/self/status"] = "".join(f"{name}:\t  {size // 1024} kB\n" for name, size in (sizes or {}).items())
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def two(limit, used, cached=0, where="job"):
    """A cgroup of version 2."""
    place = f"sys/fs/cgroup/{where}"
    return {
        f"{place}/memory.max": f"{limit}\n",
        f"{place}/memory.current": f"{used}\n",
        f"{place}/memory.stat": f"anon {used - cached}\nfile {cached}\nfile_mapped 1\n",
    }


def one(limit, used, cached=0, where="job"):
    """A cgroup of version 1."""
    place = f"sys/fs/cgroup/memory/{where}"
    return {
        f"{place}/memory.limit_in_bytes": f"{limit}\n",
        f"{place}/memory.usage_in_bytes": f"{used}\n",
        f"{place}/memory.stat": f"cache 5\ntotal_cache {cached}\n",
    }


def free(*arguments, limits=unlimited, **options):
    return free_host_memory(host(*arguments, **options), limits)


def test_the_machine_says_what_is_available(tmp_path):
    assert free(tmp_path, available=3 * GIB) == 3 * GIB


def test_a_cgroup_of_version_2_limits_and_its_cache_counts_as_free(tmp_path):
    files = two(4 * GIB, 3 * GIB, cached=GIB)
    assert free(tmp_path, available=9 * GIB, groups="0::/job\n", files=files) == 2 * GIB


def test_a_cache_larger_than_what_is_used_adds_nothing_and_one_that_nobody_counts_is_none(tmp_path):
    files = two(4 * GIB, GIB, cached=2 * GIB)
    assert free(tmp_path, available=9 * GIB, groups="0::/job\n", files=files) == 4 * GIB
    (tmp_path / "sys/fs/cgroup/job/memory.stat").unlink()
    assert free_host_memory(tmp_path, unlimited) == 3 * GIB


def test_a_cgroup_of_version_1_does_too(tmp_path):
    groups = "9:name=systemd:/x\n4:cpu,memory:/job\n3:cpuset:/job\n"
    assert free(tmp_path, available=9 * GIB, groups=groups, files=one(4 * GIB, 3 * GIB, cached=GIB)) == 2 * GIB


@pytest.mark.parametrize(("kind", "groups"), [(two, "0::/slurm/job/step\n"), (one, "4:memory:/slurm/job/step\n")])
def test_a_limit_further_up_counts(tmp_path, kind, groups):
    files = kind("max", GIB, where="slurm/job/step") | kind(5 * GIB, 2 * GIB, where="slurm/job")
    files |= kind(8 * GIB, GIB, where="slurm")
    assert free(tmp_path, available=9 * GIB, groups=groups, files=files) == 3 * GIB


def test_in_a_container_the_path_is_the_hosts_and_the_top_has_the_limit(tmp_path):
    files = two(2 * GIB, GIB, where="")
    assert free(tmp_path, available=9 * GIB, groups="0::/docker/4711\n", files=files) == GIB


def test_a_limit_that_is_used_up_leaves_nothing(tmp_path):
    assert free(tmp_path, available=9 * GIB, groups="0::/job\n", files=two(GIB, 3 * GIB)) == 0


@pytest.mark.parametrize(("kind", "name"), [(resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")])
def test_the_process_s_own_limits_count(tmp_path, kind, name):
    def limits(number):
        return (3 * GIB if number == kind else resource.RLIM_INFINITY), resource.RLIM_INFINITY

    sizes = {"VmSize": 9 * GIB, "VmData": 9 * GIB} | {name: GIB}
    assert free(tmp_path, available=9 * GIB, sizes=sizes, limits=limits) == 2 * GIB


def test_where_nothing_says_how_much_there_is_the_setting_decides(tmp_path):
    assert free_host_memory(tmp_path, unlimited) == UNKNOWN > 2**60
    assert image_budget(CPU, 7 * GIB, lambda device: UNKNOWN) == 7 * GIB


def test_this_machine_has_some():
    assert 0 < free_host_memory() < UNKNOWN


def test_a_budget_is_what_is_asked_and_never_more_than_a_share_of_what_is_free():
    assert image_budget(CPU, 3 * GIB, lambda device: 100 * GIB) == 3 * GIB
    assert image_budget(CPU, 40 * GIB, lambda device: 10 * GIB) == int(SHARE * 10 * GIB) < 10 * GIB
    assert image_budget(CPU, 40 * GIB, lambda device: 0) == 0


def test_a_budget_asks_the_device(monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: asked.append(device) or (5 * GIB, 80 * GIB))
    assert image_budget(torch.device("cuda:1"), 40 * GIB) == 4 * GIB
    assert asked == [torch.device("cuda:1")]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nGPU 0 has …"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] DefaultCPUAllocator: can't allocate memory"),
        MemoryError("Unable to allocate 12.6 GiB for an array with shape (1, 3)"),
    ],
)
def test_every_kind_of_full_memory_is_a_problem_in_one_line(error):
    with pytest.raises(Problem) as caught, memory_explained(CPU, "at batch 128, 224 px"):
        raise error
    remedy = "free the device, lower training.resident_gb or the batch, or train this task on a larger one"
    said = f"cpu: out of memory at batch 128, 224 px; {remedy} ({str(error).splitlines()[0]})"
    assert str(caught.value) == said


def test_other_errors_pass(tmp_path):
    with pytest.raises(RuntimeError, match="mat1 and mat2"), memory_explained(CPU, "at batch 2"):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


@pytest.mark.parametrize(("refused", "kept"), [((), True), ((-1,), False), ((-3,), False)])
def test_the_c_library_is_told_to_keep_a_gibibyte_of_large_blocks_and_of_the_rest(monkeypatch, refused, kept):
    """M_MMAP_THRESHOLD is -3 and M_TRIM_THRESHOLD -1 in glibc's malloc.h."""
    asked = {}

    def mallopt(number, size):
        asked[number] = size
        return number not in refused

    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: {None: SimpleNamespace(mallopt=mallopt)}[name])
    assert keep_freed_memory() is kept
    assert asked.items() <= {-3: GIB, -1: GIB}.items()
    assert len(asked) == (1 if -3 in refused else 2)
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: SimpleNamespace())
    assert keep_freed_memory() is False


FAULTS = """
import resource, sys
import numpy
sys.path.insert(0, sys.argv[1])
if sys.argv[2] == "kept":
    from apr.runs.machine.memory import keep_freed_memory
    assert keep_freed_memory()
numpy.ones(64 << 20, numpy.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(4):
    numpy.ones(64 << 20, numpy.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told to keep freed memory")
def test_freed_memory_is_kept_for_what_comes_next():
    found = {}
    for how in ("plain", "kept"):
        command = [sys.executable, "-c", FAULTS, str(ROOT / "workflow/scripts"), how]
        # numpy's own remedy against faults, where the system has it, would hide them
        environment = os.environ | {"NUMPY_MADVISE_HUGEPAGE": "0"}
        found[how] = int(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)
    assert found["kept"] < 100 < found["plain"]
