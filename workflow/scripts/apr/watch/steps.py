"""The steps of one call of Snakemake as they come and go, in plain values: what status and terminal tell alike."""

import os
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from apr.basics.escaping import visible

RUNS = "runs"  # the stage whose steps belong to tasks
TAKEN_UP = b"takes the result of an earlier call"  # what a run that was there says in its log
EPOCH = re.compile(rb"epoch \d+/(\d+) .*images/s")  # what a training says in its log after each
SPEED = re.compile(rb"([\d.]+) images/s")
TIME = re.compile(r"^\d\d:\d\d:\d\d (error: )?")
READ = 64_000  # bytes of a log's end

Key = tuple[str, str]  # stage and task; a stage other than RUNS has no tasks


@dataclass(frozen=True)
class Counted:
    """Steps of a stage or task in this call."""

    total: int
    done: int = 0
    running: int = 0
    failed: int = 0
    seconds: float = 0.0  # of those that are done

    @property
    def left(self) -> int:
        """Those that may still come."""
        return max(0, self.total - self.done - self.failed)


@dataclass(frozen=True)
class Pace:
    """How far a run is that goes on: seconds that it would last as a whole, images a second; None before it tells."""

    seconds: float | None
    speed: float | None


@dataclass(frozen=True)
class Call:
    """What goes on in this call.

    Attributes:
        counted: steps by stage and task, in the order of stages.
        paces: of the runs that go on, by task.
        since: when the first run started, in seconds since the epoch; None before.
        taken_up: runs that an earlier call had made.
        warnings: how many there were, and the last of them.
    """

    counted: Mapping[Key, Counted] = field(default_factory=dict)
    paces: Mapping[str, tuple[Pace, ...]] = field(default_factory=dict)
    since: float | None = None
    taken_up: int = 0
    warnings: tuple[int, str] = (0, "")

    @property
    def all(self) -> Counted:
        """The sum over all stages."""
        return total(self.counted.values())

    @property
    def stages(self) -> dict[str, Counted]:
        """Those that are no runs."""
        return {stage: counted for (stage, _), counted in self.counted.items() if stage != RUNS}

    def of(self, task: str) -> Counted:
        """The runs of a task."""
        return self.counted.get((RUNS, task), Counted(0))


def total(several: Iterable[Counted]) -> Counted:
    """Several counts as one."""
    keys = ("total", "done", "running", "failed", "seconds")
    rows = [[getattr(one, key) for key in keys] for one in several]
    return Counted(*map(sum, zip(*rows, strict=True))) if rows else Counted(0)


@dataclass
class _Started:
    key: Key
    log: str
    at: float


class Steps:
    """Counts steps as they start, end and fail; any thread may ask meanwhile.

    Args:
        planned: how many steps this call has, by stage and task, in the order in which they are shown.
        failed: asks how many were given up, by stage and task.
        now: the clock, in seconds since the epoch.
    """

    def __init__(
        self, planned: Mapping[Key, int], failed: Callable[[], Mapping[Key, int]], now: Callable[[], float]
    ) -> None:
        self.planned, self._failed, self._now = dict(planned), failed, now
        self._lock = threading.Lock()
        self._running: dict[int, _Started] = {}
        self._done: dict[Key, int] = {}
        self._seconds: dict[Key, float] = {}
        self._since: float | None = None
        self._taken_up = 0
        self._warnings = (0, "")

    def started(self, number: int, key: Key, log: str) -> None:
        """A step of this number starts (again)."""
        with self._lock:
            self._running[number] = _Started(key, log, self._now())
            if key[0] == RUNS and self._since is None:
                self._since = self._now()

    def ended(self, number: int) -> None:
        """A step has made what it was to make."""
        with self._lock:
            if not (step := self._running.pop(number, None)):
                return
            self._done[step.key] = self._done.get(step.key, 0) + 1
            self._seconds[step.key] = self._seconds.get(step.key, 0.0) + self._now() - step.at
        if step.key[0] == RUNS and TAKEN_UP in _end_of(step.log, 2000):
            self._taken_up += 1

    def stopped(self, number: int) -> None:
        """A step has failed; it may start again."""
        with self._lock:
            self._running.pop(number, None)

    def warned(self, text: str) -> None:
        """Somebody gave a warning."""
        self._warnings = (self._warnings[0] + 1, text)

    def call(self) -> Call:
        """What goes on now."""
        with self._lock:
            running, done, seconds = list(self._running.values()), dict(self._done), dict(self._seconds)
        failed, going = self._failed(), {}
        for step in running:
            going.setdefault(step.key, []).append(step)
        keys = list(dict.fromkeys([*self.planned, *going, *done]))
        counted = {
            key: Counted(
                max(self.planned.get(key, 0), done.get(key, 0)),
                done.get(key, 0),
                len(going.get(key, ())),
                failed.get(key, 0),
                seconds.get(key, 0.0),
            )
            for key in keys
        }
        paces = {
            key[1]: tuple(_pace(step.log, step.at) for step in steps) for key, steps in going.items() if key[0] == RUNS
        }
        return Call(counted, paces, self._since, self._taken_up, self._warnings)


def reason(log: str) -> str:
    """Why a step failed, as its log says it: its last error, else its last line; empty where there is none."""
    lines = [line.strip() for line in _end_of(log, 8000).decode(errors="replace").splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if "error" in line.lower()), lines[-1] if lines else "")
    return visible(TIME.sub("", said))


def _pace(log: str, began: float) -> Pace:
    text = _end_of(log, READ)
    epochs, speeds = EPOCH.findall(text), SPEED.findall(text)
    took = os.path.getmtime(log) - began if epochs else 0  # until the last of them ended
    return Pace(took * int(epochs[-1]) / len(epochs) if took > 0 else None, float(speeds[-1]) if speeds else None)


def _end_of(log: str, size: int) -> bytes:
    try:
        with Path(log).open("rb") as file:
            file.seek(max(0, os.path.getsize(log) - size))
            return file.read()
    except OSError:
        return b""
