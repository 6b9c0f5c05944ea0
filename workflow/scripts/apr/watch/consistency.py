"""What contradicts itself among a run, its view, its dataset and its score table, in words."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from apr.basics.files import read_json
from apr.basics.problems import Problem
from apr.data.reading.parts import parts_of
from apr.runs.metrics import METRICS, part_fault
from apr.runs.record import DIVERGED, DROPPED
from apr.scores.table import raw_rows, written

MALFORMED = (KeyError, TypeError, AttributeError, IndexError, ValueError)


def impossible(run: dict, view: Mapping[str, Any]) -> str:
    """What contradicts the view or the run's own history; empty where all is possible."""
    protocol, outcome, history = run["protocol"], run["outcome"], run["history"]
    if "classifier" in protocol:
        odd = _impossible_probe(protocol, outcome, history, view)
        return f"{odd[0]}; delete it" if odd else ""
    if "epochs" not in protocol:  # an evaluation
        fault = part_fault(outcome["parts"]["test"], protocol["outputs"], view["n_test"])
        return f"test {fault}; delete it" if fault else ""
    epochs, batch = protocol["epochs"], protocol["batch"]
    images = {"train": view["n_train"] // batch * batch}  # the last, incomplete batch of an epoch is left out
    before = protocol["initial"]["epochs"] if "initial" in protocol else 0  # epochs of the run that it continues
    own = [entry for entry in history if entry["epoch"] > before]
    odd = []
    ended = outcome["status"] != DIVERGED
    entries = [*own, *([outcome] if ended else [])]
    parts = set(parts_of(view))
    for entry in entries:
        if entry["parts"].keys() != parts:
            if entry is not outcome and entry["parts"].keys() == {"train"}:  # an epoch that nothing shows
                continue
            odd.append(
                f"epoch {entry['epoch']}: was evaluated on {_listed(entry['parts'])}, its view has {_listed(parts)}"
            )
            continue
        for part, counts in entry["parts"].items():
            n = images.get(part, view[f"n_{part}"])
            if fault := part_fault(counts, len(view["classes"]), n, several="label_sets" in view):
                odd.append(f"epoch {entry['epoch']}: {part} {fault}")
    if not odd and outcome["parts"]["test"]["n"] != view["n_test"]:
        odd.append(f"test has {outcome['parts']['test']['n']} images, its view {view['n_test']}")
    if [entry["epoch"] for entry in history] != list(range(1, len(history) + 1)):
        odd.append("its history leaves out or repeats an epoch")
    if ended:
        wanted = outcome["epoch"] if outcome["status"] == DROPPED else epochs
        if len(history) != wanted:
            odd.append(f"its history has {len(history)} epochs of {wanted}")
        # the last, or the one that was best on the validation images
        kept = next((entry for entry in history if entry["epoch"] == outcome["epoch"]), {"parts": None})
        if any(outcome[key] != kept[key] for key in outcome.keys() & kept.keys()):
            odd.append(f"its outcome is not that of its epoch {outcome['epoch']}")
    return f"{odd[0]}; delete it" if odd else ""


def _impossible_probe(protocol: Mapping, outcome: Mapping, history: Sequence, view: Mapping[str, Any]) -> list[str]:
    """The same of a probe, whose history has an entry for each strength that it tried."""
    odd, parts = [], set(parts_of(view))
    for entry in [*history, outcome]:
        where = f"strength {entry['strength']:g}: " if "strength" in entry else ""
        if entry["parts"].keys() != parts:
            odd.append(f"{where}was evaluated on {_listed(entry['parts'])}, its view has {_listed(parts)}")
            continue
        for part, counts in entry["parts"].items():
            if fault := part_fault(counts, len(view["classes"]), view[f"n_{part}"], several="label_sets" in view):
                odd.append(f"{where}{part} {fault}")
    tried = [entry["strength"] for entry in history]
    if tried != protocol.get("strengths", []):
        odd.append(f"tried the strengths {tried} of {protocol.get('strengths', [])}")
    chosen = [entry["parts"] for entry in history if entry["strength"] == outcome["chosen"]["strength"]]
    if history and chosen != [outcome["parts"]]:
        odd.append("its outcome is not that of its chosen strength")
    return odd


def _listed(parts: Iterable[str]) -> str:
    return ", ".join(sorted(parts))


def differing_table(path: Path, expected: Sequence[dict | None]) -> str:
    """How a score table differs from the rows that its runs make (None: not known); empty where it does not."""
    try:
        found = raw_rows(path)
    except (Problem, OSError) as error:
        return str(error).removeprefix(f"{path}: ")
    if len(found) != len(expected):
        return f"has {len(found)} rows where {len(expected)} runs are planned"
    differing = [
        f"row {line}: {column} is {row.get(column)!r}, its run says {value!r}"
        for line, (row, run) in enumerate(zip(found, expected, strict=True), start=2)
        for column, value in (written(run) if run else {}).items()
        if row.get(column) != value
    ]
    more = f", and {len(differing) - 1:,} more" if len(differing) > 1 else ""
    return differing[0] + more if differing else ""


def of_another_study(path: Path, expected: Sequence[dict | None]) -> bool:
    """Whether a score table is of more runs than are planned, or reports another metric: no damage does that."""
    try:
        found = raw_rows(path)
    except (Problem, OSError):
        return False
    if len(found) != len(expected):
        return len(found) > len(expected)
    return any(
        run and row["metric"] in METRICS and row["metric"] != run["metric"]
        for row, run in zip(found, expected, strict=True)
    )


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
        return [(file, f"its runs cannot be compared with it: {str(problem).removeprefix(f'{root}/')}")]
    except MALFORMED as error:
        return [(file, f"cannot be compared with its dataset ({type(error).__name__}: {error}); delete it")]


def _miscounted(manifest: Mapping[str, Any]) -> list[str]:
    odd = []
    for part in parts_of(manifest):
        counts, total = manifest["per_class"][part], manifest[f"n_{part}"]
        if manifest.get("label_sets") is not None:  # an image counts for each of its labels
            if len(counts) != len(manifest["classes"]) or not 0 <= min(counts) <= max(counts) <= total:
                odd.append(
                    f"{part}: {len(counts)} counts for {len(manifest['classes'])} labels, up to {max(counts):,} of "
                    f"{total:,} images; delete it"
                )
        elif sum(counts) != total or len(counts) != len(manifest["classes"]) or min(counts) < 0:
            odd.append(
                f"{part}: {len(counts)} counts for {len(manifest['classes'])} classes, with a sum of {sum(counts):,} "
                f"where it says {total:,}; delete it"
            )
    return odd


def _beyond(view: Mapping[str, Any], dataset: Mapping[str, Any]) -> list[str]:
    """What a view has that its dataset has not."""
    if view["dataset_digest"] != dataset["bin_sha256"] or view["index_digest"] != dataset["index_sha256"]:
        return ["was drawn from other images than the packed ones; delete it"]
    unknown = [label for label in view["classes"] if label not in dataset["classes"]]
    if unknown:
        return [f"has the class {unknown[0]!r}, which its dataset does not have; delete it"]
    whole = not any(view["selection"][key] for key in ("classes", "per_class", "cap", "within"))
    if whole and view["classes"] != dataset["classes"]:
        return [
            f"has {len(view['classes'])} of {len(dataset['classes'])} classes, though it selects nothing; delete it"
        ]
    odd = []
    nothing = [0] * len(view["classes"])
    for part in parts_of(dataset):
        there = dict(zip(dataset["classes"], dataset["per_class"][part], strict=True))
        for label, count in zip(view["classes"], view["per_class"].get(part, nothing), strict=True):
            if count > there[label] or (whole and count < there[label]):
                odd.append(f"{part}: class {label!r} has {count:,} images, its dataset {there[label]:,}; delete it")
    return odd
