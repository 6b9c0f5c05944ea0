"""Progress of a running study by task, with an estimate of the time left.

Runs inside Snakemake's own process, so it imports nothing heavy and reads each run once.
"""

import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from apr.basics.files import write_text
from apr.data.reading.parts import parts_of
from apr.runs.finetuning.halving import mean_epochs
from apr.runs.record import DIVERGED, DROPPED, asked_for
from apr.watch.planned import Runs, read_view

ENOUGH = 3  # runs that have to end since the start before a speed is told from them
BAR = 20
SIDE = 224  # pixels of what most pretrained models take, where a protocol leaves it to them
UNKNOWN = "unknown yet"
UNPREPARED = "not prepared"
FINISHED = "Finished."
RUNS_DONE = re.compile(r"(?<=\n)([\d,]+) of ([\d,]+) runs done")

log = logging.getLogger("apr")


@dataclass
class _Progress:
    """A task: its planned runs, those that are done, those that are to be done again, and what the done ones tell."""

    planned: int
    done: int
    outdated: int
    new: int
    seconds: float | None
    diverged: int
    dropped: int
    cost: float | None
    prepared: bool

    @property
    def left(self) -> int:
        return self.planned - self.done


def finished_runs(plan: Mapping[str, Any], root: str | Path) -> dict[str, frozenset[str]]:
    """Names of the planned runs that are there and current, by task: the `baseline` of a status."""
    return _current(Runs(plan, root).look())


def status_text(
    plan: Mapping[str, Any],
    root: str | Path,
    now: float,
    started: float,
    baseline: Mapping[str, frozenset[str]],
    runs: Runs | None = None,
) -> str:
    """The state of a study as text, one line a task.

    The time left is the training time that is still needed over the number of trainings that went on at once since the
    start (their training seconds over the wall's). Where no run of a task has ended, one is taken to last as long as
    one of the task of most similar cost, scaled by epochs x images x pixels.

    Args:
        plan: as for `audit`.
        now, started: seconds since the epoch, of this moment and of the study's start.
        baseline: `finished_runs` at the start.
        runs: remembers what was read for an earlier status.
    """
    if not plan:
        return f"Written {datetime.fromtimestamp(now):%Y-%m-%d %H:%M:%S}; this study trains and evaluates nothing.\n"
    made, plan = (runs or Runs(plan, root)).look(), asked_for(plan, root)
    tasks = {task: _progress(plan, task, made[task], baseline.get(task, frozenset()), Path(root)) for task in plan}
    needed = {task: _needed(progress, tasks) for task, progress in tasks.items()}
    done, planned, old = (sum(getattr(task, key) for task in tasks.values()) for key in ("done", "planned", "outdated"))
    more = f", {old:,} outdated (of other settings or images than the study's now: they are made again)" if old else ""
    head = [
        f"Written {datetime.fromtimestamp(now):%Y-%m-%d %H:%M:%S}, {_duration(now - started)} after the start.",
        f"{done:,} of {planned:,} runs done{more}; time left: {_time_left(tasks, needed, now - started)}.",
    ]
    unprepared = [task for task, progress in tasks.items() if progress.left and not progress.prepared]
    searched = [f"{task} {_pauses(plan[task], root, task)}" for task in tasks if plan[task].get("rungs")]
    if searched:
        head.append(f"Pauses of the search that cells have reached: {', '.join(searched)}.")
    if unprepared:
        head.append(f"Images not prepared yet: {', '.join(unprepared)}.")
    # dropped runs are counted where there may be some
    states = ("outdated", "diverged", *(["dropped"] if searched else []))
    rows = [("task", "done", "", *states, "each", "still needed")]
    for task, progress in tasks.items():
        filled = BAR * progress.done // progress.planned if progress.planned else BAR
        each = _duration(progress.seconds) if progress.seconds else "-"
        count = f"{progress.done:,}/{progress.planned:,}"
        nothing = UNKNOWN if progress.prepared else UNPREPARED
        total = nothing if needed[task] is None else _duration(needed[task]) if progress.left else "-"
        counts = (f"{number:,}" if number else "-" for number in (getattr(progress, state) for state in states))
        rows.append((task, count, "#" * filled + "." * (BAR - filled), *counts, each, total))
    foot = "each: mean time of runs that ended; still needed: their time, were they made one by one."
    return "\n".join([*head, "", *_lines(rows), "", foot, ""])


class StatusWriter(threading.Thread):
    """Keeps results/STATUS up to date while a study runs. Never raises: a status is no reason to stop a study.

    `more` gives lines that stand above the tasks, such as those of a queue.
    """

    def __init__(
        self,
        plan: Mapping[str, Any],
        root: str | Path,
        more: Callable[[], str] | None = None,
        seconds: float = 30,
    ) -> None:
        super().__init__(name="status", daemon=True)
        self.plan, self.root, self.seconds, self.more = plan, Path(root), seconds, more
        self.started, self.runs, self.baseline = time.time(), Runs(plan, root), None
        self._ended, self._warned = threading.Event(), False

    def run(self) -> None:
        """Write now and then every `seconds`, until stopped."""
        running = f"Running (this file is renewed every {self.seconds:g} s)."
        self._write(running)
        while not self._ended.wait(self.seconds):
            self._write(running)

    def stop(self, outcome: str, asked: str = "") -> None:
        """Write a last time; `outcome` is the first line, such as "Finished." or "Stopped with errors."."""
        self._ended.set()
        if self.is_alive():
            self.join()
        self._write(outcome, asked)

    def finish(self, asked: Iterable[str]) -> None:
        """Write a last time, after all that was asked for by name (nothing: the whole study) is there."""
        names = sorted(set(asked) - {"all"})
        self.stop(FINISHED, f" what was asked for: {', '.join(names[:3])}{', …' * (len(names) > 3)}" if names else "")

    def _write(self, outcome: str, asked: str = "") -> None:
        try:
            if self.baseline is None:  # here, since reading thousands of runs takes seconds
                self.baseline = _current(self.runs.look())
            text = status_text(self.plan, self.root, time.time(), self.started, self.baseline, self.runs)
            more = self.more() if self.more else ""
            counts = RUNS_DONE.search(text)
            if outcome == FINISHED and counts and (asked or counts[1] != counts[2]):
                outcome = f"Finished{asked or ' what was asked for'}; the study: {counts[0]}."
            write_text(self.root / "results/STATUS", f"{outcome}\n{more}{text}")
        except Exception as error:
            if not self._warned:
                log.warning("results/STATUS cannot be written (%s); the study goes on", error)
            self._warned = True


def _current(made: Mapping[str, Mapping[str, tuple[dict | None, bool]]]) -> dict[str, frozenset[str]]:
    return {task: frozenset(name for name, (_, current) in runs.items() if current) for task, runs in made.items()}


def _progress(plan: Mapping[str, Any], task: str, made: Mapping, before: frozenset, root: Path) -> _Progress:
    done = {name: run for name, (run, current) in made.items() if current}
    new = done.keys() - before
    # those that ended since the start tell of this machine
    seconds = [run["seconds"] for name, run in done.items() if run and (len(new) < ENOUGH or name in new)]
    seconds = [value for value in seconds if value > 0]  # nothing was trained where the source diverged
    return _Progress(
        planned=len(plan[task]["runs"]),
        done=len(done),
        outdated=len(made) - len(done),
        new=len(new),
        seconds=sum(seconds) / len(seconds) if seconds else None,
        diverged=sum(run["status"] == DIVERGED for run in done.values() if run),
        dropped=sum(run["status"] == DROPPED for run in done.values() if run),
        cost=_cost(plan, task, root),
        prepared=read_view(plan[task], root) is not None,
    )


def _pauses(entry: Mapping[str, Any], root: str | Path, task: str) -> str:
    """How many pauses of its search the cells of a task have reached, of how many: "12/16"."""
    cells = [name for name, run in entry["runs"].items() if "choice" not in run]
    places = [Path(root, f"results/rungs/{task}/{rung['epochs']}") for rung in entry["rungs"]]
    return (
        f"{sum((place / f'{name}.json').exists() for place in places for name in cells):,}/{len(cells) * len(places):,}"
    )


def _cost(plan: Mapping[str, Any], task: str, root: Path) -> float | None:
    """Epochs x images x pixels of one training; None before the view is drawn."""
    entry = plan[task]
    if entry["protocol"] is None:  # an evaluation, which models of very different cost share
        return None
    protocol, before = entry["protocol"], plan[entry["initial"]]["protocol"]["epochs"] if entry["continues"] else 0
    epochs = mean_epochs(entry.get("rungs", ()), protocol.get("epochs", 1))  # a probe passes every image once
    epochs = max(1, epochs - before)
    view = read_view(entry, root)
    if view is None:
        return None
    return epochs * sum(view[f"n_{part}"] for part in parts_of(view)) * (protocol["resolution"] or SIDE) ** 2


def _needed(progress: _Progress, tasks: Mapping[str, _Progress]) -> float | None:
    """Training seconds that a task still needs; None where nothing tells."""
    if not progress.left:
        return 0.0
    if progress.seconds:
        return progress.left * progress.seconds
    known = [task for task in tasks.values() if task.seconds and task.cost]
    if not progress.cost or not known:
        return None
    nearest = min(known, key=lambda task: abs(math.log(task.cost / progress.cost)))
    return progress.left * nearest.seconds * progress.cost / nearest.cost


def _time_left(tasks: Mapping[str, _Progress], needed: Mapping[str, float | None], wall: float) -> str:
    if not any(task.left for task in tasks.values()):
        return "none"
    ended = [task for task in tasks.values() if task.new and task.seconds]
    trained = sum(task.new * task.seconds for task in ended)
    if sum(task.new for task in ended) < ENOUGH or wall <= 0:
        return f"{UNKNOWN} (fewer than {ENOUGH} runs have ended since the start)"
    unknown = [task for task, seconds in needed.items() if seconds is None]
    more = f", and what {', '.join(unknown)} will take, whose images are not prepared yet" if unknown else ""
    concurrency = trained / wall
    at_once = f"{concurrency:.1f}" if concurrency < 10 else f"{concurrency:,.0f}"
    seconds = sum(filter(None, needed.values()))
    about = "at least" if unknown else "about"
    return f"{about} {_duration(seconds / concurrency)}, at a pace of {at_once} runs at once{more}"


def _duration(seconds: float) -> str:
    """Such as 40 s, 12 min, 3 h 20 min or 4 d 6 h."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{minutes // 60} h {minutes % 60} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _lines(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
