"""What contradicts itself among a run, its view, its dataset and its error table, in words."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from apr.files import read_json
from apr.problems import Problem
from apr.runs import COLUMNS, TOP5_CLASSES
from apr.views import SPLITS

MALFORMED = (KeyError, TypeError, AttributeError, IndexError, ValueError)


def impossible(run: dict, view: Mapping[str, Any]) -> str:
    """What contradicts the view or the run's own history; empty where all is possible."""
    protocol, outcome, history = run["protocol"], run["outcome"], run["history"]
    n, epochs, batch = view["n_test"], protocol["epochs"], protocol["batch"]
    train_n = view["n_train"] // batch * batch  # the last, incomplete batch of an epoch is left out
    top5 = len(view["classes"]) >= TOP5_CLASSES
    before = protocol["initial"]["epochs"] if "initial" in protocol else 0  # epochs of the run that it continues
    own = [entry for entry in history if entry["epoch"] > before]
    odd = []
    if outcome["n"] != n:
        odd.append(f"n is {outcome['n']}, its view has {n} test images")
    for entry in [*own, *([outcome] if outcome["status"] == "completed" else [])]:
        where = f"epoch {entry['epoch']}: "
        if entry["train_n"] != train_n:
            odd.append(f"{where}train_n is {entry['train_n']}, whole batches of its view make {train_n}")
        for prefix, most in (("", n), ("train_", train_n)):
            one, five = entry[f"{prefix}correct_top1"], entry[f"{prefix}correct_top5"]
            if (five is not None) != top5 or not 0 <= one <= (five if top5 else most) <= most:
                odd.append(f"{where}{prefix}correct_top1 is {one}, {prefix}correct_top5 {five}, of {most}")
    if [entry["epoch"] for entry in history] != list(range(1, len(history) + 1)):
        odd.append("its history leaves out or repeats an epoch")
    if outcome["status"] == "completed":
        if len(history) != epochs:
            odd.append(f"its history has {len(history)} epochs of {epochs}")
        if any(outcome[key] != history[-1][key] for key in outcome.keys() & history[-1].keys() - {"epoch"}):
            odd.append("its outcome is not that of its last epoch")
    return f"{odd[0]}; delete it" if odd else ""


def differing_rows(path: Path, expected: Sequence[dict | None]) -> list[str]:
    """How the rows of an error table differ from those that its runs make (None: not known)."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            found = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return [f"cannot be read ({error}); delete it"]
    if len(found) != len(expected):
        return [f"has {len(found)} rows where {len(expected)} runs are planned; delete it"]
    differing = []
    for line, (row, run) in enumerate(zip(found, expected, strict=True), start=2):
        for column in COLUMNS if run else ():
            value = "" if run[column] is None else str(run[column])
            if row.get(column) != value:
                differing.append(f"row {line}: {column} is {row.get(column)!r}, its run says {value!r}; delete it")
    return differing


def mixed_devices(runs: Iterable[dict]) -> str:
    """On which kinds of device, in which arithmetic, runs of a task were made; empty where all are of one kind."""
    kinds: Counter[str] = Counter()
    for run in runs:
        provenance = run.get("provenance") or {}  # one that had no weights to start from computed nothing
        if provenance.get("device"):
            kinds[f"{provenance['device']} ({provenance.get('arithmetic', 'arithmetic not recorded')})"] += 1
    listed = ", ".join(f"{kind}: {count:,}" for kind, count in kinds.most_common())
    return f"was made on several kinds of device, whose rounding differs: {listed} run(s)" if len(kinds) > 1 else ""


def contradictions(name: str, root: Path) -> list[tuple[str, str]]:
    """(file, what is wrong with it) of a view beside its dataset."""
    file = f"results/views/{name}.json"
    try:
        view = read_json(root / file)
        dataset_file = f"results/datasets/{view['dataset']}.json"
        odd = [(file, says) for says in _miscounted(view)]
        dataset = read_json(root / dataset_file)
        odd += [(dataset_file, says) for says in _miscounted(dataset)]
        return odd + [(file, says) for says in _beyond(view, dataset)]
    except Problem as problem:
        return [(file, f"its runs cannot be held against it: {str(problem).removeprefix(f'{root}/')}")]
    except MALFORMED as error:
        return [(file, f"cannot be held against its dataset ({type(error).__name__}: {error}); delete it")]


def _miscounted(manifest: Mapping[str, Any]) -> list[str]:
    odd = []
    for split in SPLITS:
        counts, total = manifest["per_class"][split], manifest[f"n_{split}"]
        if sum(counts) != total or len(counts) != len(manifest["classes"]) or min(counts) < 0:
            odd.append(
                f"{split}: {len(counts)} counts for {len(manifest['classes'])} classes, with a sum of {sum(counts):,} "
                f"where it says {total:,}; delete it"
            )
    return odd


def _beyond(view: Mapping[str, Any], dataset: Mapping[str, Any]) -> list[str]:
    """What a view has that its dataset has not."""
    if view["dataset_digest"] != dataset["bin_sha256"] or view["index_digest"] != dataset["index_sha256"]:
        return ["was drawn from other images than the packed ones; delete it"]
    unknown = [label for label in view["classes"] if label not in dataset["classes"]]
    if unknown:
        return [f"has the class {unknown[0]!r}, which its dataset has not; delete it"]
    whole = not any(view["selection"][key] for key in ("classes", "per_class", "cap", "within"))
    if whole and view["classes"] != dataset["classes"]:
        return [
            f"has {len(view['classes'])} of {len(dataset['classes'])} classes, though it selects nothing; delete it"
        ]
    odd = []
    for split in SPLITS:
        there = dict(zip(dataset["classes"], dataset["per_class"][split], strict=True))
        for label, count in zip(view["classes"], view["per_class"][split], strict=True):
            if count > there[label] or (whole and count < there[label]):
                odd.append(f"{split}: class {label!r} has {count:,} images, its dataset {there[label]:,}; delete it")
    return odd
