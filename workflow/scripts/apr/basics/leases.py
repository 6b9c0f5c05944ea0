"""Leases: a run is trained by one process at a time, wherever its jobs may be.

A job that outlived its Snakemake, or that a scheduler started twice, would otherwise write into the same files. A lease
is a file with its holder's name, and its time is the holder's heartbeat. It is free again when the holder gives it
back or is known to be dead. What is known depends on where the holder is: a process that can be seen from here is asked
for; of one that cannot (another host, or another container, whose numbers of processes are others) only the heartbeat
tells, and what tells nothing (an empty or garbled file) counts as one without a heartbeat. Whether it beats is seen by
watching, so that no two clocks are compared alone.
"""

import fcntl
import json
import logging
import os
import socket
import stat
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from apr.basics.causes import printable
from apr.basics.files import write_text
from apr.basics.parts import new_part, remove_part, sweep
from apr.basics.problems import Problem

BEAT = 10.0  # seconds between two heartbeats
STALE = 90.0  # seconds without one after which a holder that cannot be seen counts as dead
MISSED = 3  # heartbeats that have to be missed before one's eyes, too, where the file's age says that there was none
REMIND = 60.0  # seconds between two lines of the log while it waits
LARGEST = 65_536  # bytes that are read of a lease

log = logging.getLogger("apr")


class Lease:
    """The right to write one run, or another `thing`. Entering waits until it is free; leaving gives it back.

    `waiting` is called again and again while it waits, and may end that with an exception.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        beat: float = BEAT,
        stale: float = STALE,
        waiting: Callable[[], None] = lambda: None,
        thing: str = "run",
    ) -> None:
        self.thing = thing
        self.path, self.beat, self.stale, self.waiting = Path(path), beat, stale, waiting
        self.holder = {
            "token": uuid.uuid4().hex,
            "job": os.environ.get("SLURM_JOB_ID"),
            "pid": os.getpid(),
            "born": _born(os.getpid()),
            **_place(),
        }
        self._seen: tuple = (None, 0.0)  # the lease as it was seen, and since when it has been so
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> "Lease":
        """Wait for the lease.

        Raises:
            Problem: there is something else in its place, or the file system does not let it be read or taken.
        """
        told = -REMIND
        try:
            while not self._create():
                found = self._found()
                if found is None or self._taken_over(found):
                    continue
                if time.monotonic() - told >= REMIND:
                    log.warning("%s: %s", self.path, self._why(found))
                    told = time.monotonic()
                self.waiting()
                time.sleep(min(1.0, self.beat))
        except OSError as error:
            raise Problem(
                f"{error.filename or self.path}: the lease of this {self.thing} cannot be read or taken "
                f"({error.strerror}); look at who owns the file and its folder, and delete it if nothing works on the "
                f"{self.thing}"
            ) from error
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        with suppress(OSError), _locked(self.path, wait=True):
            if self._held():
                self.path.unlink(missing_ok=True)

    def check(self) -> None:
        """Call before every write.

        Raises:
            Problem: the lease is another process's, since this one was not heard of for a while, or it was deleted.
        """
        try:
            holder = _read(self.path)
        except OSError as error:
            raise Problem(f"{self.path}: cannot be read ({error.strerror}); nothing more was written") from error
        if holder == self.holder:
            return
        deleted = f"the lease of this {self.thing} was deleted or changed"
        taken = f"{described(holder)} took this {self.thing} over" if holder else deleted
        raise Problem(
            f"{self.path}: {taken}; nothing more was written. A process that stands still for more than "
            f"{self.stale:.0f} s loses its {self.thing}; start it again if nothing else works on it"
        )

    def _create(self) -> bool:
        part = new_part(self.path)
        try:
            write_text(part, json.dumps(self.holder))
            os.link(part, self.path)  # atomic, on network file systems too, and the file is complete
        except FileExistsError:
            return False
        finally:
            remove_part(part)
        return True

    def _found(self) -> tuple[dict, float] | None:
        """The holder ({} where the file does not tell) and the time of its last heartbeat; None if there is no lease.

        Raises:
            Problem: there is a folder or another thing in the lease's place.
        """
        try:
            state = self.path.lstat()
        except FileNotFoundError:
            return None
        if not (stat.S_ISREG(state.st_mode) or (stat.S_ISLNK(state.st_mode) and _is_file_or_nothing(self.path))):
            raise Problem(
                f"{self.path}: is no file, although the lease of a {self.thing} belongs there; remove it and run again"
            )
        holder, beat = _read(self.path) or {}, state.st_mtime
        if self._seen[0] != (holder, beat):
            self._seen = (holder, beat), time.monotonic()
        return holder, beat

    def _gone(self, found: tuple[dict, float]) -> str:
        """Why the lease may be taken over; empty where it may not, or where that is not known yet."""
        holder, beat = found
        alive = _alive(holder)
        if alive is not None:
            return "" if alive else "is gone"
        watched = time.monotonic() - self._seen[1]
        if watched >= self.stale or (watched >= MISSED * self.beat and self._now() - beat >= self.stale):
            return f"has given no sign of life for {self.stale:.0f} s"
        return ""

    def _why(self, found: tuple[dict, float]) -> str:
        """What is waited for, and the remedy."""
        holder, _ = found
        who = (
            f"{described(holder)} works on this {self.thing}"
            if holder
            else f"does not say who works on this {self.thing}"
        )
        if _alive(holder):
            return f"{who}; waiting for it to end. If it hangs, end it: kill {holder['pid']}"
        return (
            f"{who}; waiting for it to end, or to give no sign of life for {self.stale:.0f} s. "
            f"If nothing works on the {self.thing}, delete this file"
        )

    def _taken_over(self, found: tuple[dict, float]) -> bool:
        """Remove the lease of a holder that is gone; whether it did. Of several that try, one does."""
        reason = self._gone(found)
        if not reason:
            return False
        with suppress(BlockingIOError), _locked(self.path):
            if self._found() != found:  # somebody else was faster, or it does beat
                return False
            log.warning("%s: %s %s; taking its %s over", self.path, described(found[0]), reason, self.thing)
            self.path.unlink(missing_ok=True)
            sweep(self.path.parent)  # what it had begun
            return True
        return False

    def _now(self) -> float:
        """This moment by the clock of the file system, in seconds since the epoch."""
        now = new_part(self.path)
        try:
            return now.stat().st_mtime
        finally:
            remove_part(now)

    def _held(self) -> bool:
        return _read(self.path) == self.holder

    def _keep(self) -> None:
        while not self._done.wait(self.beat):
            with suppress(OSError):  # a hiccup of the file system; `check` says if it lasted for too long
                if self._held():
                    os.utime(self.path)


def described(holder: dict) -> str:
    """Such as "job 17 on node3 (process 4711)"."""
    if not holder:
        return "its unknown holder"
    job = f"job {printable(str(holder['job']), 40)}" if holder.get("job") else "a process"
    return f"{job} on {printable(holder['host'], 80)} (process {holder['pid']})"


@contextmanager
def _locked(path: Path, wait: bool = False) -> Iterator[None]:
    """Alone with the lease while it is removed: who removes one, locks the file first, as far as the system can.

    Raises:
        BlockingIOError: another process has the lock, and it is not waited for.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except FileNotFoundError:  # a link to nothing, or no file any more
        yield
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise
        except OSError:  # this file system has no locks
            pass
        yield
    finally:
        os.close(handle)


def _read(path: Path) -> dict | None:
    """The holder of a lease; None where there is no lease, or none that a holder could have written."""
    try:
        # a pipe, which a link may lead to, would be waited for
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            holder = json.loads(file.read(LARGEST))
    except (FileNotFoundError, ValueError, RecursionError):
        return None
    kinds = {"token": str, "host": str, "pid": int}
    whole = isinstance(holder, dict) and all(isinstance(holder.get(key), kind) for key, kind in kinds.items())
    return holder if whole else None


def _is_file_or_nothing(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return True


def _place() -> dict[str, str | int | None]:
    """The running system and, in it, the process numbers that this process sees; None where that is unknown."""
    host = {"host": socket.gethostname()}
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()
        # in a container that shows the processes of another, no number can be looked up
        own = os.readlink("/proc/self") == str(os.getpid())
        return host | {"boot": boot, "pid_namespace": os.stat("/proc/self/ns/pid").st_ino if own else None}
    except OSError:
        return host | {"boot": None, "pid_namespace": None}


def _alive(holder: dict) -> bool | None:
    """Whether the process of a holder lives; None where it cannot be seen from here."""
    place = _place()
    if None in place.values() or not place.items() <= holder.items() or holder["pid"] < 1:
        return None
    try:
        os.kill(holder["pid"], 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's, which may be hidden
        return True if _born(holder["pid"]) == holder.get("born") else None
    return _born(holder["pid"]) == holder.get("born")


def _born(pid: int) -> str | None:
    """When a process that can be seen started, so that a number used again is told apart; None if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
