"""Which process wrote something, and whether it still runs."""

import hashlib
import os
import socket
from pathlib import Path

UNKNOWN = "0" * 8


def place() -> str:
    """Where the numbers of processes mean the same: this running system and, in containers, this PID namespace.

    Eight hexadecimal digits; all zeros where it cannot be told, or where /proc shows the numbers of another place.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        namespace = os.readlink("/proc/self/ns/pid")
        if os.readlink("/proc/self") != str(os.getpid()):
            return UNKNOWN
    except OSError:
        return UNKNOWN
    return hashlib.sha256(f"{socket.gethostname()} {boot} {namespace}".encode()).hexdigest()[:8]


def born(pid: int) -> int:
    """When a process of this place started, so that a number used again is told apart; 0 if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[19])


def is_dead(pid: int, since: int) -> bool:
    """Whether the process of this place that started at `since` (see `born`) is gone."""
    now = born(pid)
    if now:
        return now != since
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # another user's, which /proc may hide
        return False
    return True  # it ended, and its parent has not noticed yet
