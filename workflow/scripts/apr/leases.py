"""Leases: a run is trained by one process at a time, wherever its jobs may be.

A job that outlived its Snakemake, or that a scheduler started twice, would otherwise write into the same files. A lease
is a file with its holder's name, and its time is the holder's heartbeat. It is free again when the holder gives it
back, is known to be dead (same host), or has not beaten for a while (another host).
"""

import json
import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from apr.files import write_text
from apr.problems import Problem

BEAT = 10.0  # seconds between two heartbeats
STALE = 90.0  # seconds without one after which a holder on another host counts as dead
REMIND = 60.0  # seconds between two lines of the log while it waits

log = logging.getLogger("apr")


class Lease:
    """The right to write one run. Entering waits until it is free; leaving gives it back.

    `waiting` is called again and again while it waits, and may end that with an exception.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        beat: float = BEAT,
        stale: float = STALE,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self.path, self.beat, self.stale, self.waiting = Path(path), beat, stale, waiting
        self.holder = {
            "token": uuid.uuid4().hex,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "born": _born(os.getpid()),
            "job": os.environ.get("SLURM_JOB_ID"),
        }
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> "Lease":
        told = -REMIND
        while not self._create():
            found = self._free()
            if found and time.monotonic() - told >= REMIND:
                log.warning("%s: %s works on this run; waiting for it to end", self.path, described(found))
                told = time.monotonic()
            self.waiting()
            time.sleep(min(1.0, self.beat))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        if self._held():
            self.path.unlink(missing_ok=True)

    def check(self) -> None:
        """Call before every write.

        Raises:
            Problem: another process has taken the lease, since this one was not heard of for a while.
        """
        if not self._held():
            raise Problem(
                f"{self.path}: another process took this run over, since this one stood still for more than "
                f"{self.stale:.0f} s; nothing was written, and the other goes on"
            )

    def _create(self) -> bool:
        part = self.path.with_name(f".{self.path.name}.{self.holder['token']}")
        write_text(part, json.dumps(self.holder))
        try:
            os.link(part, self.path)  # atomic, on network file systems too, and the file is complete
        except FileExistsError:
            return False
        finally:
            part.unlink()
        return True

    def _free(self) -> dict | None:
        """Remove the lease of a holder that is dead; return the holder if it lives."""
        found, age = _read(self.path), self._age()
        if found is None or age is None:
            return None
        if age < self.stale and not _dead(found, self.holder["host"]):
            return found
        log.warning("%s: %s is gone; taking its run over", self.path, described(found))
        taken = self.path.with_name(f".{self.path.name}.{self.holder['token']}.dead")
        try:
            os.rename(self.path, taken)
        except FileNotFoundError:
            return None
        if _read(taken) != found:  # somebody else was faster, and this is the new holder's
            with suppress(FileExistsError):
                os.link(taken, self.path)
        taken.unlink()
        return None

    def _age(self) -> float | None:
        """Seconds since the last heartbeat, by the clock of the file system."""
        now = self.path.with_name(f".{self.path.name}.{self.holder['token']}.now")
        now.touch()
        try:
            return now.stat().st_mtime - self.path.stat().st_mtime
        except FileNotFoundError:
            return None
        finally:
            now.unlink()

    def _held(self) -> bool:
        return _read(self.path) == self.holder

    def _keep(self) -> None:
        while not self._done.wait(self.beat):
            if self._held():
                os.utime(self.path)


def described(holder: dict) -> str:
    """Such as "job 17 on node3 (process 4711)"."""
    job = f"job {holder['job']}" if holder.get("job") else "a process"
    return f"{job} on {holder['host']} (process {holder['pid']})"


def _read(path: Path) -> dict | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _dead(holder: dict, host: str) -> bool:
    return holder["host"] == host and _born(holder["pid"]) != holder["born"]


def _born(pid: int) -> str | None:
    """When a process of this host started, so that a number used again is told apart; None if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]
