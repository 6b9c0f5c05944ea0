"""What the study would make now of a planned run: status and audit hold runs against it, as the plan does."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from apr.basics.files import digest_of
from apr.basics.problems import Problem
from apr.runs.finetuning.halving import read_choice
from apr.scores.collected import cell_of, dropped_otherwise, protocol_now, whole
from apr.scores.table import ranked_model

MALFORMED = (OSError, ValueError, KeyError, TypeError, AttributeError)


class Runs:
    """The planned runs that are there, read once each, and compared with what the study would make now.

    A run that cannot be read counts as made, since the study takes it for that: it is the audit's business.
    """

    def __init__(self, plan: Mapping[str, Any], root: str | Path) -> None:
        self.plan, self.root = plan, Path(root)
        self._read: dict[tuple[str, str], tuple[tuple, dict | None]] = {}
        self._views: dict[str, dict | None] = {}
        self._expected: dict[tuple[str, str], tuple[tuple, str]] = {}

    def look(self) -> dict[str, dict[str, tuple[dict | None, bool]]]:
        """{task: {run: (what it says, whether it is current)}}; None for what cannot be read."""
        made = {task: self._made(task) for task in self.plan}
        self._views = {task: read_view(entry, self.root) for task, entry in self.plan.items()}
        return {
            task: {name: (run, run is None or self._current(task, name, run, made)) for name, run in runs.items()}
            for task, runs in made.items()
        }

    def _made(self, task: str) -> dict[str, dict | None]:
        made = {}
        for path, state in _files(self.root / f"results/runs/{task}"):
            name = os.path.basename(path).removesuffix(".json")
            if name in self.plan[task]["runs"]:
                if self._read.get((task, name), (None,))[0] != state:
                    self._read[task, name] = (state, _read(path))
                made[name] = self._read[task, name][1]
        return made

    def _current(self, task: str, name: str, run: dict, made: Mapping[str, Mapping]) -> bool:
        """Whether a run is the one that the study would make now; as long as nothing tells, it is."""
        entry, view = self.plan[task], self._views[task]
        if view is None:
            return True
        if entry["protocol"] is None:  # an evaluation
            images = run["protocol"]["images"]
            return run["model"] == entry["runs"][name]["model"] and all(view.get(key) == images[key] for key in images)
        source, initial = None, entry["initial"]
        if initial:
            source = made[initial].get(run["model"])
            if source is None or (entry["continues"] and self._other_rank(initial, name, run)):
                return False
            if not self._current(initial, run["model"], source, made):
                return False
        key = (view["dataset_digest"], view["indices_digest"], source and (source["fingerprint"], source["weights"]))
        planned = with_cell(entry["runs"][name], run, self.root)
        key = (*key, str(planned["cell"]))
        if self._expected.get((task, name), (None,))[0] != key:
            expected = protocol_now(entry, planned, view, source)
            self._expected[task, name] = (key, digest_of(expected))
        same = self._expected[task, name][1] == run["fingerprint" if whole(entry) else "planned"]
        return same and not dropped_otherwise(run, entry)

    def _other_rank(self, source: str, name: str, run: dict) -> bool:
        try:
            return ranked_model(self.root / f"results/scores/{source}.csv", name) != run["model"]
        except (Problem, *MALFORMED):
            return False


def with_cell(planned: Mapping[str, Any], run: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """A planned run with its cell: of one of a chosen cell that which is chosen now, as far as that is known."""
    if "choice" not in planned:
        return dict(planned)
    try:
        return planned | {"cell": read_choice(root / planned["choice"])["cell"]}
    except (Problem, *MALFORMED):
        return planned | {"cell": cell_of(planned, run)}


def _read(path: str | Path) -> dict | None:
    """What a run says, without its history; None where it cannot be read."""
    try:
        run = json.loads(Path(path).read_text(encoding="utf-8"))
        protocol = {key: run["protocol"].get(key) for key in ("epochs", "genotype", "images")}
        kept = {key: run[key] for key in ("task", "model", "fingerprint")} | {
            "weights": run.get("weights"),
            **{key: run.get(key) for key in ("planned", "rung", "choice")},
        }
        seconds = run["timing"]["seconds"]
        speed = run["timing"].get("images_per_second")
        return kept | {"protocol": protocol, "status": run["outcome"]["status"], "seconds": seconds + 0, "speed": speed}
    except MALFORMED:
        return None


def read_view(entry: Mapping[str, Any], root: Path) -> dict | None:
    """The manifest of a task's view; None before it is drawn."""
    try:
        view = json.loads((root / f"results/views/{entry['view']}.json").read_text(encoding="utf-8"))
        return view if view["n_train"] + view["n_test"] and view["indices_digest"] else None
    except MALFORMED:
        return None


def _files(folder: Path) -> Iterable[tuple[str, tuple[int, int]]]:
    """Path, time and size of the runs in a folder; those that are being written begin with a dot."""
    try:
        with os.scandir(folder) as entries:
            runs = [entry for entry in entries if entry.name.endswith(".json") and entry.name[0] != "."]
        return [(run.path, (run.stat().st_mtime_ns, run.stat().st_size)) for run in runs]
    except OSError:
        return []
