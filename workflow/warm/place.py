"""What a process inherits and cannot simply be given afterwards: two in the same place are interchangeable."""

import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SOCKETS = "APRBENCH_WARM_SOCKETS"  # the variable with the folder that they lie in
THREADS = ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")
# These no import depends on, or what has read them is told again after the fork (`server`). Of GPUs nothing is known
# before it.
FREE = {*(f"{name}_NUM_THREADS" for name in THREADS), "VECLIB_MAXIMUM_THREADS", "CUDA_VISIBLE_DEVICES"}
FREE |= {"TMPDIR", "TMP", "TEMPDIR", "TEMP", "PWD", "OLDPWD", "SHLVL", "_"}
FREE |= {"PS1", "PS2"}  # an activated environment sets a prompt, and the shells of Snakemake's jobs take it away
STATUS = {"Umask", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"}
LIMITS = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
SPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")


def place_of_process() -> dict[str, Any]:
    """The place of this process, in values that JSON keeps as they are.

    Raises:
        OSError: the system does not say.
    """
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        # python and python3 of one environment are the same
        "interpreter": [os.path.realpath(sys.executable), os.path.dirname(sys.executable), sys.version],
        "folder": os.getcwd(),
        "root": list(os.stat("/")[1:3]),
        "user": [*os.getresuid(), *os.getresgid(), *sorted(os.getgroups())],
        "rights": {key: status[key].strip() for key in sorted(STATUS & status.keys())},
        "session": os.getsid(0),
        "priority": [os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)],
        "cores": sorted(os.sched_getaffinity(0)),
        "limits": [list(resource.getrlimit(limit)) for limit in LIMITS],
        "cgroup": Path("/proc/self/cgroup").read_text(),
        "namespaces": [os.readlink(f"/proc/self/ns/{name}") for name in SPACES],
        "memory score": Path("/proc/self/oom_score_adj").read_text(),
        "environment": {key: value for key, value in sorted(os.environ.items()) if key not in FREE},
    }


def difference(one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """What two places do not share, in words; None if they are the same."""
    variables = [place["environment"] for place in (one, other)]
    for name in sorted(variables[0].keys() | variables[1].keys()):
        if variables[0].get(name) != variables[1].get(name):
            return f"another value of the variable {name}"
    return next((f"another {key}" for key in one if one[key] != other.get(key)), None)
