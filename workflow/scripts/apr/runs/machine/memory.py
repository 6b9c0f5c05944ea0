"""How much memory a training may use, and the one explanation of having too little of it."""

import ctypes
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch

from apr.basics.problems import Problem

UNKNOWN = 1 << 62  # nothing says how much there is
SHARE = 0.8  # of what is free: the training itself needs memory too
FULL = re.compile(r"out of memory|can't allocate memory|not enough memory", re.IGNORECASE)
REMEDY = "free the device, lower training.resident_gb or the batch, or train this task on a larger one"
# names in a cgroup's folder: its limit, what it uses, and the part of that which is files' pages and can be dropped
CGROUPS = {
    "cgroup2": ("memory.max", "memory.current", "file"),
    "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache"),
}
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
KEPT = 1 << 30  # bytes up to which freed memory is kept
LIMITS = {resource.RLIMIT_AS: "VmSize", resource.RLIMIT_DATA: "VmData"}


@contextmanager
def memory_explained(device: torch.device, doing: str, remedy: str = REMEDY) -> Iterator[None]:
    """Say what a full memory was too small for.

    Raises:
        Problem: memory ran out, of the device or of the host.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:  # torch's are RuntimeErrors, not all of them of one class
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and not FULL.search(str(error)):
            raise
        said = (str(error).splitlines() or [type(error).__name__])[0]
        raise Problem(f"{device}: out of memory {doing}; {remedy} ({said})") from error


def keep_freed_memory() -> bool:
    """Let this process keep memory that it frees for what it needs next; whether the C library can be told so.

    By default glibc gives large blocks back to the system, so that on a CPU every batch and activation is made of new
    pages, a quarter of a training step's time. It takes some more memory: docs/performance.md.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, KEPT) and mallopt(M_TRIM_THRESHOLD, KEPT))


def image_budget(device: torch.device, most: int, free: Callable[[torch.device], int] | None = None) -> int:
    """Bytes of images to keep on the device: `most`, and never more than it, or the job on it, has left."""
    return max(0, min(most, int(SHARE * (free or free_memory)(device))))


def free_memory(device: torch.device) -> int:
    """Bytes that are free on the device now."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_host_memory()


def free_host_memory(root: Path = Path("/"), limit_of: Callable[[int], tuple[int, int]] = resource.getrlimit) -> int:
    """Bytes that this process may still take: the least of the machine's, its cgroups' and its own limits' rest."""
    free = [_kilobytes(root / "proc/meminfo", "MemAvailable")]
    free += [rest for folder, names in _cgroups(root) if (rest := _rest(folder, *names)) is not None]
    for number, name in LIMITS.items():
        limit = limit_of(number)[0]
        if limit != resource.RLIM_INFINITY:
            free.append(limit - (_kilobytes(root / "proc/self/status", name) or 0))
    return max(0, min((value for value in free if value is not None), default=UNKNOWN))


def _cgroups(root: Path) -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """The folders of this process's memory cgroups, version 1 and 2, up to the topmost: each may have a limit."""
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            top = root / "sys/fs/cgroup" / ("memory" if controllers else "")
            place = top / path.lstrip("/")
            # inside a container the path is the host's, and the folder on top is the container's own
            for folder in dict.fromkeys([place, *place.parents]):
                if folder.is_relative_to(top):
                    yield folder, CGROUPS["memory" if controllers else "cgroup2"]


def _rest(folder: Path, limit: str, used: str, droppable: str) -> int | None:
    with suppress(OSError, ValueError):
        most = int((folder / limit).read_text())  # "max" where there is none
        taken = int((folder / used).read_text())
        with suppress(OSError):
            for line in (folder / "memory.stat").read_text().splitlines():
                if line.startswith(f"{droppable} "):
                    taken -= int(line.split()[1])
        return most - max(0, taken)
    return None


def _kilobytes(path: Path, key: str) -> int | None:
    with suppress(OSError):
        found = re.search(rf"^{key}:\s+(\d+) kB", path.read_text(encoding="utf-8"), re.MULTILINE)
        return int(found.group(1)) * 1024 if found else None
    return None
