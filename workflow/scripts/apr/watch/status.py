"""results/STATUS: how far a study is, as text."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from apr.basics.files import write_text
from apr.watch.planned import Runs
from apr.watch.progress import UNKNOWN, Progress, State, duration, state_of
from apr.watch.steps import Call

BAR = 20
UNPREPARED = "not prepared"
FINISHED = "Finished."
RUNS_DONE = re.compile(r"(?<=\n)([\d,]+) of ([\d,]+) runs done")
SHARE = 20  # what looking costs is a 20th of the time at most

log = logging.getLogger("apr")


class Shown(Protocol):
    """Where else the state of a study is shown, each `every` seconds."""

    every: float

    def show(self, state: State) -> None:
        """Show it now."""


def finished_runs(plan: Mapping[str, Any], root: str | Path) -> dict[str, frozenset[str]]:
    """Names of the planned runs that are there and current, by task: the `baseline` of a state."""
    return _current(Runs(plan, root).look())


def status_text(state: State) -> str:
    """A state as text, one line a task."""
    written = f"Written {datetime.fromtimestamp(state.now):%Y-%m-%d %H:%M:%S}"
    tasks, steps = state.tasks, _steps(state.call)
    if not tasks:
        return f"{written}; this study trains and evaluates nothing.\n{steps}"
    done, planned, old = (sum(getattr(task, key) for task in tasks.values()) for key in ("done", "planned", "outdated"))
    more = f", {old:,} outdated (of other settings or images than the study's now: they are made again)" if old else ""
    head = [
        f"{written}, {duration(state.now - state.started)} after the start.",
        f"{done:,} of {planned:,} runs done{more}; time left: {state.time_left}.",
    ]
    searched = [f"{task} {progress.pauses}" for task, progress in tasks.items() if progress.pauses]
    if searched:
        head.append(f"Pauses of the search that cells have reached: {', '.join(searched)}.")
    unprepared = [task for task, progress in tasks.items() if progress.left and not progress.prepared]
    if unprepared:
        head.append(f"Images not prepared yet: {', '.join(unprepared)}.")
    # dropped runs are counted where there may be some
    states = ("outdated", "diverged", *(["dropped"] if searched else []))
    rows = [("task", "done", "", "running", "failed", *states, "images/s", "each", "still needed")]
    rows += [_row(task, progress, state, states) for task, progress in tasks.items()]
    foot = [
        "running, failed: in this call; images/s and each: means of runs that ended, or before of those under way;",
        "still needed: the time of the runs that are left, were they made one by one.",
    ]
    return "\n".join([*head, *steps.splitlines(), "", *_lines(rows), "", *foot, ""])


def _row(task: str, progress: Progress, state: State, states: tuple[str, ...]) -> tuple[str, ...]:
    filled = BAR * progress.done // progress.planned if progress.planned else BAR
    call, needed = state.call.of(task), state.needed[task]
    nothing = UNKNOWN if progress.prepared else UNPREPARED
    numbers = (call.running, call.failed, *(getattr(progress, state) for state in states))
    return (
        task,
        f"{progress.done:,}/{progress.planned:,}",
        "#" * filled + "." * (BAR - filled),
        *(f"{number:,}" if number else "-" for number in numbers),
        f"{progress.speed:,.0f}" if progress.speed else "-",
        duration(progress.seconds) if progress.seconds else "-",
        nothing if needed is None else duration(needed) if progress.left else "-",
    )


def _steps(call: Call) -> str:
    """A line of the steps of this call, and one of the runs that were there."""
    if not call.counted:
        return ""
    told = [f"{stage} {one.done:,}/{one.total:,}" for stage, one in call.stages.items() if one.total]
    text = f"Steps of this call: {call.all.done:,} of {call.all.total:,} done{_listed(told)}.\n"
    return text + (f"{taken_up(call)}.\n" if call.taken_up else "")


def _listed(told: list[str]) -> str:
    return f" ({', '.join(told)})" if told else ""


def taken_up(call: Call) -> str:
    """How many runs were there."""
    return (
        f"{call.taken_up:,} run(s) were taken up from an earlier call; "
        "to make one again delete its JSON in results/runs and in results/checkpoints"
    )


class StatusWriter(threading.Thread):
    """Keeps results/STATUS up to date while a study runs. Never raises: a status is no reason to stop a study.

    Args:
        plan: as for `audit`.
        root: the study's folder.
        more: gives lines that stand above the tasks, such as those of a queue.
        seconds: between two times that the file is written.
        call: gives what goes on.
        shown: where else the state is shown.
    """

    def __init__(
        self,
        plan: Mapping[str, Any],
        root: str | Path,
        more: Callable[[], str] = str,
        seconds: float = 30,
        call: Callable[[], Call] = Call,
        shown: Shown | None = None,
    ) -> None:
        super().__init__(name="status", daemon=True)
        self.plan, self.root, self.seconds, self.more = plan, Path(root), seconds, more
        self.call, self.shown = call, shown
        self.started, self.runs, self.baseline = time.time(), Runs(plan, root), None
        self._ended, self._warned, self._written = threading.Event(), False, 0.0

    def run(self) -> None:
        """Write now and then every `seconds`, until stopped."""
        running = f"Running (this file is renewed every {self.seconds:g} s)."
        every = min(self.seconds, self.shown.every) if self.shown else self.seconds
        while not self._ended.is_set():
            before = time.monotonic()
            self._look(running, write=not self._written or before - self._written >= self.seconds)
            self._ended.wait(max(every, SHARE * (time.monotonic() - before)))

    def stop(self, outcome: str, asked: str = "") -> None:
        """Write a last time; `outcome` is the first line, such as "Finished." or "Stopped with errors."."""
        self._ended.set()
        if self.is_alive():
            self.join()
        self._look(outcome, asked)

    def finish(self, asked: Iterable[str]) -> None:
        """Write a last time, after all that was asked for by name (nothing: the whole study) is there."""
        names = sorted(set(asked) - {"all"})
        self.stop(FINISHED, f" what was asked for: {', '.join(names[:3])}{', …' * (len(names) > 3)}" if names else "")

    def _look(self, outcome: str, asked: str = "", write: bool = True) -> None:
        try:
            if self.baseline is None:  # here, since reading thousands of runs takes seconds
                self.baseline = _current(self.runs.look())
            call = self.call()
            state = state_of(self.plan, self.root, time.time(), self.started, self.baseline, self.runs, call)
            if self.shown:
                self.shown.show(state)
            if write:
                self._write(status_text(state), outcome, asked)
        except Exception as error:
            if not self._warned:
                log.warning("results/STATUS cannot be written (%s); the study goes on", error)
            self._warned = True

    def _write(self, text: str, outcome: str, asked: str) -> None:
        self._written = time.monotonic()
        counts = RUNS_DONE.search(text)
        if outcome == FINISHED and counts and (asked or counts[1] != counts[2]):
            outcome = f"Finished{asked or ' what was asked for'}; the study: {counts[0]}."
        write_text(self.root / "results/STATUS", f"{outcome}\n{self.more()}{text}")


def _current(made: Mapping[str, Mapping[str, tuple[dict | None, bool]]]) -> dict[str, frozenset[str]]:
    return {task: frozenset(name for name, (_, current) in runs.items() if current) for task, runs in made.items()}


def _lines(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
