"""Progress of a running study by task, with an estimate of the time left.

Runs inside Snakemake's own process, so it imports nothing heavy and reads few files.
"""

import csv
import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from apr.files import write_text
from apr.runs import asked_for

SAMPLED = 20  # runs of a task that are read for their time
ENOUGH = 3  # runs that have to end since the start before a speed is told from them
BAR = 20
UNKNOWN = "unknown yet"

log = logging.getLogger("apr")


@dataclass
class _Progress:
    """A task: its planned runs, those that are done, and what the sampled ones tell."""

    planned: int
    done: int
    new: int
    seconds: float | None
    diverged: str
    cost: float | None

    @property
    def left(self) -> int:
        return self.planned - self.done


def finished_runs(plan: Mapping[str, Any], root: str | Path) -> dict[str, frozenset[str]]:
    """Names of the planned runs that are there, by task: the `baseline` of a status."""
    return {task: _made(Path(root) / f"results/runs/{task}") & entry["runs"].keys() for task, entry in plan.items()}


def status_text(
    plan: Mapping[str, Any], root: str | Path, now: float, started: float, baseline: Mapping[str, frozenset[str]]
) -> str:
    """The state of a study as text, one line a task.

    The time left is the training time that is still needed over the number of trainings that went on at once since the
    start (their training seconds over the wall's). Where no run of a task has ended, one is taken to last as long as
    one of the task of most similar cost, scaled by epochs x images x pixels.

    Args:
        plan: as for `audit`.
        now, started: seconds since the epoch, of this moment and of the study's start.
        baseline: `finished_runs` at the start.
    """
    plan = asked_for(plan, root)
    present = finished_runs(plan, root)
    tasks = {task: _progress(plan, task, present[task], baseline.get(task, frozenset()), Path(root)) for task in plan}
    needed = {task: _needed(progress, tasks) for task, progress in tasks.items()}
    done, planned = (sum(getattr(task, key) for task in tasks.values()) for key in ("done", "planned"))
    if not plan:
        return f"Written {datetime.fromtimestamp(now):%Y-%m-%d %H:%M:%S}; this study trains and evaluates nothing.\n"
    head = [
        f"Written {datetime.fromtimestamp(now):%Y-%m-%d %H:%M:%S}, {_duration(now - started)} after the start.",
        f"{done:,} of {planned:,} runs done; time left: {_time_left(tasks, needed, now - started)}.",
    ]
    rows = [("task", "done", "", "diverged", "each", "still needed")]
    for task, progress in tasks.items():
        filled = BAR * progress.done // progress.planned if progress.planned else BAR
        each = _duration(progress.seconds) if progress.seconds else "-"
        count = f"{progress.done:,}/{progress.planned:,}"
        total = UNKNOWN if needed[task] is None else _duration(needed[task]) if progress.left else "-"
        rows.append((task, count, "#" * filled + "." * (BAR - filled), progress.diverged, each, total))
    foot = (
        "each: mean time of runs that ended; still needed: their time, were they made one by one.\n"
        f"diverged: from the error table, else of up to {SAMPLED} runs read."
    )
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
        self.started, self.baseline = time.time(), finished_runs(plan, root)
        self._ended, self._warned = threading.Event(), False

    def run(self) -> None:
        """Write now and then every `seconds`, until stopped."""
        running = f"Running (this file is renewed every {self.seconds:g} s)."
        self._write(running)
        while not self._ended.wait(self.seconds):
            self._write(running)

    def stop(self, outcome: str) -> None:
        """Write a last time; `outcome` is the first line, such as "Finished." or "Stopped with errors."."""
        self._ended.set()
        if self.is_alive():
            self.join()
        self._write(outcome)

    def _write(self, outcome: str) -> None:
        try:
            text = status_text(self.plan, self.root, time.time(), self.started, self.baseline)
            more = self.more() if self.more else ""
            write_text(self.root / "results/STATUS", f"{outcome}\n{more}{text}")
        except Exception as error:
            if not self._warned:
                log.warning("results/STATUS cannot be written (%s); the study goes on", error)
            self._warned = True


def _made(folder: Path) -> frozenset[str]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError:
        return frozenset()
    return frozenset(name.removesuffix(".json") for name in names if name.endswith(".json") and name[0] != ".")


def _progress(plan: Mapping[str, Any], task: str, done: frozenset, before: frozenset, root: Path) -> _Progress:
    new = done - before
    # those that ended since the start tell of this machine
    sampled = _spread(sorted(new)) if len(new) >= ENOUGH else _spread(sorted(done))
    read = [run for name in sampled if (run := _read(root / f"results/runs/{task}/{name}.json"))]
    seconds = [run["timing"]["seconds"] for run in read]
    diverged = sum(run["outcome"]["status"] == "diverged" for run in read)
    return _Progress(
        planned=len(plan[task]["runs"]),
        done=len(done),
        new=len(new),
        seconds=sum(seconds) / len(seconds) if seconds else None,
        diverged=_diverged(root / f"results/errors/{task}.csv") or (f"{diverged} of {len(read)}" if read else "-"),
        cost=_cost(plan, task, root),
    )


def _spread(names: list[str]) -> list[str]:
    """At most SAMPLED of them, spread evenly."""
    count = min(SAMPLED, len(names))
    return [names[position * len(names) // count] for position in range(count)]


def _read(path: Path) -> dict | None:
    """A run with a training time; None where it cannot be read, which is the audit's business."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        return run if run["timing"]["seconds"] > 0 and run["outcome"]["status"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _diverged(table: Path) -> str:
    """How many diverged by the error table; empty where there is none."""
    try:
        with table.open(encoding="utf-8", newline="") as file:
            return str(sum(row.get("status") == "diverged" for row in csv.DictReader(file)))
    except (OSError, ValueError, csv.Error):
        return ""


def _cost(plan: Mapping[str, Any], task: str, root: Path) -> float | None:
    """Epochs x images x pixels of one training; None before the view is drawn."""
    entry = plan[task]
    if "protocol" not in entry:  # an evaluation, which models of very different cost share
        return None
    protocol, before = entry["protocol"], plan[entry["initial"]]["protocol"]["epochs"] if entry["continues"] else 0
    epochs = max(1, protocol["epochs"] - before)
    try:
        view = json.loads((root / f"results/views/{entry['view']}.json").read_text(encoding="utf-8"))
        return epochs * (view["n_train"] + view["n_test"]) * protocol["resolution"] ** 2
    except (OSError, ValueError, KeyError, TypeError):
        return None


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
