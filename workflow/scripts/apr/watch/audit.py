"""Audit of a study: is every planned run there, made as the study says, and possible?"""

import os
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from apr.basics.files import file_digest, read_json
from apr.basics.problems import Problem
from apr.runs.metrics import METRICS, guess_of
from apr.runs.record import COMPLETED, asked_for, read_run
from apr.scores.chosen import choose
from apr.scores.collected import cell_of, check_current, row_of
from apr.scores.table import Row, ranked_model, read_scores
from apr.watch.consistency import (
    MALFORMED,
    contradictions,
    differing_table,
    impossible,
    mixed_devices,
    of_another_study,
)
from apr.watch.planned import with_cell

# What a planned run can be: each is exactly one of these.
STATES = ("complete", "diverged", "dropped", "to_do", "missing", "outdated", "unreadable", "misplaced", "out_of_range")
# What the command that made the study makes again by itself.
AGAIN = {
    "missing": "not there although the score table is",
    "outdated": "not made as the study says now",
    "old_table": "score table(s) to be made again",
}
WRONG = {
    "unreadable": "not readable as a run",
    "misplaced": "in another run's place",
    "out_of_range": "impossible beside the view",
    "weights": "whose kept weights are missing or damaged",
    "outputs": "whose outputs, image by image, are missing or of another run",
    "classes": "with class counts that contradict each other",
    "table": "score table(s) unlike their runs",
}
DEVICES, STRAY = "devices", "stray"
NOTED = {DEVICES: "made on several kinds of device", STRAY: "planned by no task, and used by none"}


@dataclass(frozen=True)
class Finding:
    """Something noteworthy: its kind (of AGAIN, WRONG or NOTED), task, the file, and what it is."""

    kind: str
    task: str
    path: str
    says: str


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        states: {task: {state: number of planned runs}}.
        findings: in the order of the plan, strays last.
        trains: whether all planned runs are trainings.
    """

    states: dict[str, dict[str, int]]
    findings: list[Finding]
    trains: bool = True


def audit(plan: Mapping[str, Any], root: str | Path) -> Audit:
    """Hold every planned run, its view and its score table against each other and against the plan.

    A run that is not there yet is no finding as long as its task has no score table.

    Args:
        plan: {task: {title, way, view, metric, protocol, initial, continues, runs: {name: run}}}, a run being its
            {model, genotype, seed, cell};
            the protocol is None of a task that is evaluated, the view too of one whose results are published.
        root: the study's directory, the one that holds `results`.
    """
    tasks = [_Task(name, plan, Path(root)) for name in asked_for(plan, root)]
    states = {task.name: task.states() for task in tasks}
    findings = [finding for task in tasks for finding in task.findings] + _strays(plan, Path(root))
    return Audit(states, findings, trains=all(task.entry["protocol"] for task in tasks))


def wrong(findings: Sequence[Finding]) -> bool:
    """Whether something is wrong: neither what is made again by itself nor runs that no task plans are."""
    return any(finding.kind in WRONG for finding in findings)


class _Task:
    """One task of the plan on disk."""

    def __init__(self, name: str, plan: Mapping[str, Any], root: Path) -> None:
        self.name, self.plan, self.entry, self.root = name, plan, plan[name], root
        self.made = _made(root / f"results/runs/{name}")
        self.findings: list[Finding] = []

    def states(self) -> dict[str, int]:
        """Count the planned runs by state, and note the findings."""
        path = f"results/scores/{self.name}.csv"
        collected = (self.root / path).exists()
        if self.entry["view"] is None:
            return self._published(path) if collected else dict.fromkeys(STATES, 0)
        if self.made & set(self.entry["runs"]) or (self.root / f"results/views/{self.entry['view']}.json").exists():
            for file, says in contradictions(self.entry["view"], self.root):
                self._note("classes", file, says)
        counts, rows, runs = dict.fromkeys(STATES, 0), [], []
        for name in self.entry["runs"]:
            run = None
            if name in self.made:
                run, state, says = self._checked(name)
            else:
                state, says = ("missing", f"is missing, though {path} is there") if collected else ("to_do", "")
            counts[state] += 1
            runs += [run] if run else []
            rows.append(self._row(run, name) if run else None)
            if state in WRONG or state in AGAIN:
                self._note(state, self._path(name), says)
            elif run and run.get("weights"):
                self._check_weights(name, run["model"])
            if run and run.get("outputs"):
                self._check_outputs(run, name)
        if self.entry["choose"] and rows and None not in rows:
            with suppress(ValueError):  # without that part no cell can be chosen, and collecting says so
                again = {number for number, run in enumerate(self.entry["runs"].values()) if "choice" in run}
                rows = choose(rows, self.entry["choose"], again)
        if says := mixed_devices(runs):
            self._note(DEVICES, f"results/runs/{self.name}", says)
        if collected and (says := differing_table(self.root / path, rows)):
            self._note("old_table" if self._table_is_old(path, counts, rows) else "table", path, says)
        return counts

    def _published(self, path: str) -> dict[str, int]:
        """Whether the score table of published results can be read; no run is planned."""
        try:
            read_scores(self.root / path)
        except (Problem, OSError) as error:
            self._note("table", path, str(error).removeprefix(f"{self.root / path}: "))
        return dict.fromkeys(STATES, 0)

    def _row(self, run: dict, name: str) -> Row:
        """What the score table has to say of a run by itself: not whether it is chosen among several."""
        metric = METRICS[self.entry["metric"]]
        guess = guess_of(metric, self.view) if self.view else None
        row = row_of(run, metric, guess, cell_of(self.entry["runs"][name], run))
        unknown = [key for key, told in (("chosen", not self.entry["choose"]), ("guess", self.view)) if not told]
        return {key: value for key, value in row.items() if key not in unknown}

    def _table_is_old(self, path: str, counts: Mapping[str, int], rows: Sequence[Mapping | None]) -> bool:
        """Whether Snakemake makes the score table again by itself: runs are to come or newer, or the study changed."""
        table = self.root / path
        if counts["missing"] or counts["outdated"]:
            return True
        runs = [self.root / self._path(name) for name in self.entry["runs"] if name in self.made]
        if any(run.stat().st_mtime_ns > table.stat().st_mtime_ns for run in runs):
            return True
        return of_another_study(table, rows)

    @cached_property
    def source(self) -> "_Task":
        """The task whose runs this one's start from."""
        return _Task(self.entry["initial"], self.plan, self.root)

    @cached_property
    def view(self) -> dict | None:
        """Manifest of the view; None where it cannot be read, which is a finding of its own."""
        try:
            return read_json(self.root / f"results/views/{self.entry['view']}.json")
        except Problem:
            return None

    def _path(self, name: str) -> str:
        return f"results/runs/{self.name}/{name}.json"

    def _note(self, kind: str, path: str, says: str) -> None:
        self.findings.append(Finding(kind, self.name, path, says))

    def _check_weights(self, name: str, model: str) -> None:
        """Whether the kept weights are a whole file; that they are the right ones, only loading them tells."""
        path = f"results/weights/{self.name}/{model}.pt"
        if not zipfile.is_zipfile(self.root / path):
            self._note("weights", f"{path}, {self._path(name)}", "the weights are missing or cut short; delete both")

    def _check_outputs(self, run: dict, name: str) -> None:
        """Whether a run's outputs, image by image, are those that it kept."""
        path = f"results/outputs/{self.name}/{name}.npz"
        file = self.root / path
        if not file.is_file() or file_digest(file) != run["outputs"]:
            what = "of another run, or damaged" if file.is_file() else "missing"
            self._note("outputs", f"{path}, {self._path(name)}", f"the outputs are {what}; delete both")

    def _checked(self, name: str) -> tuple[dict | None, str, str]:
        """The run (None where it cannot be read), its state, and what is wrong with it."""
        path = self.root / self._path(name)
        try:
            run = read_run(str(path))
            misplaced = self._misplaced(run, name)
            outdated = "" if misplaced else self._outdated(run, name)
            odd = impossible(run, self.view) if self.view else ""
            self._row(run, name)
        except Problem as problem:
            return None, "unreadable", str(problem).removeprefix(f"{path}: ")
        except (OSError, *MALFORMED) as error:
            return None, "unreadable", f"is no run of this version ({type(error).__name__}: {error}); delete it"
        state = run["outcome"]["status"].replace(COMPLETED, "complete")
        if misplaced:
            state = "misplaced"
        elif outdated or odd:
            state = "outdated" if outdated else "out_of_range"
        return run, state, misplaced or outdated or odd

    def _misplaced(self, run: dict, name: str) -> str:
        """Of what else the run is; empty where it is that of its place."""
        model = self.entry["runs"][name]["model"] or run["model"]
        if (run["task"], run["model"]) != (self.name, model):
            return f"is the run of {run['model']} on {run['task']}; delete it"
        if self.entry["continues"] and run.get("rank") != name:
            return f"is the run of rank {run.get('rank')}; delete it"
        return ""

    def _outdated(self, run: dict, name: str) -> str:
        """Why the run is not the one that the study would make now; empty where it is."""
        model, path, initial = run["model"], self._path(name), self.entry["initial"]
        if self.entry["continues"] and (other := self._other_rank(model, name)):
            return other
        try:
            source = read_run(str(self.root / f"results/runs/{initial}/{model}.json")) if initial else None
        except Problem as problem:
            return f"started from a run that is not there any more ({problem})"
        if source and (says := self.source._outdated(source, model)):
            return f"started from {initial}/{model}, which is outdated ({says})"
        try:
            images = self.view or run["protocol"]["images"]
            check_current(run, self.entry, with_cell(self.entry["runs"][name], run, self.root), images, source, path)
        except Problem as problem:
            return str(problem).removeprefix(f"{path}: ").partition(". Delete")[0]
        return ""

    def _other_rank(self, model: str, name: str) -> str:
        """Why the run does not continue the model that its rank means now; empty where that is not known."""
        table = f"results/scores/{self.entry['initial']}.csv"
        try:
            present = ranked_model(self.root / table, name)
        except (Problem, OSError, *MALFORMED):
            return ""
        return "" if model == present else f"continues {model}, but {name} of {table} is {present}"


def _strays(plan: Mapping[str, Any], root: Path) -> list[Finding]:
    """Runs that no task plans."""
    folder = root / "results/runs"
    strays = []
    for task in sorted(os.listdir(folder) if folder.is_dir() else []):
        made = _made(folder / task)
        if task in plan:
            for name in sorted(made - set(plan[task]["runs"])):
                strays.append(Finding(STRAY, task, f"results/runs/{task}/{name}.json", "the task does not plan it"))
        elif made:
            strays.append(Finding(STRAY, task, f"results/runs/{task}", f"{len(made):,} run(s) of no task of the study"))
    return strays


def _made(folder: Path) -> set[str]:
    """Names of the runs in a folder; those that are being written begin with a dot."""
    names = os.listdir(folder) if folder.is_dir() else []
    return {name.removesuffix(".json") for name in names if name.endswith(".json") and not name.startswith(".")}
