"""A study on disk as trainings would leave it: datasets, views, runs and score tables with made-up counts."""

import copy
import json
import zipfile

from apr.runs.metrics import METRICS, part_of
from apr.runs.protocol import full_protocol
from apr.runs.record import new_run
from apr.scores.collected import row_of
from apr.scores.table import write_scores
from apr.watch.audit import WRONG, wrong

PROTOCOL = {"epochs": 3, "batch": 10, "lr": 0.05, "resolution": 32, "seed": 1, "revision": 1}
CLASSES = [f"c{number}" for number in range(6)]


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1))


def genotype(model):
    return f"genotype of {model}"


def task(models, view="photos", initial=None, continues=False, **protocol):
    """One task of a plan."""
    start = {"continues" if continues else "initial": initial} if initial else {}
    return {
        "title": f"Task on {view}",
        "way": "train",
        "view": view,
        "metric": "top1_error",
        "protocol": PROTOCOL | protocol | start,
        "initial": initial,
        "continues": continues,
        "choose": None,
        "runs": {model: {"model": model, "genotype": genotype(model), "seed": None, "cell": {}} for model in models},
    }


def slots(count):
    """Runs of a task that continues the best and the worst."""
    names = [f"{kind}{number}" for kind in ("best", "worst") for number in range(1, count + 1)]
    return {name: {"model": None, "genotype": None, "seed": None, "cell": {}} for name in names}


def manifests(root, view="photos", classes=CLASSES, train=20, test=10):
    """A dataset and its whole view, written; returns the view's manifest."""
    both = {
        "classes": list(classes),
        "per_class": {"train": [train] * len(classes), "test": [test] * len(classes)},
        "n_train": train * len(classes),
        "n_test": test * len(classes),
    }
    selection = dict.fromkeys(("classes", "per_class", "cap", "within")) | {"seed": 0}
    digests = {"dataset_digest": "bin", "index_digest": "index", "indices_digest": "indices"}
    manifest = {"view": view, "dataset": view, **digests, "selection": selection, **both}
    write_json(
        root / f"results/datasets/{view}.json", {"name": view, "bin_sha256": "bin", "index_sha256": "index", **both}
    )
    write_json(root / f"results/views/{view}.json", manifest)
    return manifest


def run_of(plan, name, model, view, *, correct=30, slot=None, source=None, seconds=10.0):
    """The run of a model on a task; `source` is the run that it starts from, `slot` the rank it stands in."""
    entry = plan[name]
    protocol = full_protocol(entry["protocol"], genotype=genotype(model), manifest=view, source=source)
    test = part_of(view["n_test"], {"correct_top1": correct, "correct_top5": min(view["n_test"], correct + 20)})
    train = part_of(view["n_train"] // 10 * 10, {"correct_top1": 50, "correct_top5": 90})
    if len(view["classes"]) < 6:
        test["correct_top5"] = train["correct_top5"] = None
    parts = {"train": train, "test": test}
    history = [
        {"epoch": epoch + 1, "lr": 0.05, "train_loss": 1.0, "parts": copy.deepcopy(parts)}
        for epoch in range(protocol["epochs"])
    ]
    outcome = {"status": "completed", "epoch": protocol["epochs"], "parts": parts}
    timing = {"seconds": seconds, "images_per_second": 10.0, "resumed_at_epoch": None}
    kept = {"weights": f"weights of {model}", "rank": slot}
    return new_run(
        task=name,
        model=model,
        protocol=protocol,
        outcome=outcome,
        history=history,
        timing=timing,
        provenance={},
        **kept,
    )


def diverged(run):
    """The same, had it diverged in its second epoch."""
    outcome = {"status": "diverged", "epoch": 2, "parts": {"test": part_of(run["outcome"]["parts"]["test"]["n"])}}
    return run | {"outcome": outcome, "history": run["history"][:1]}


def write_run(root, task, name, run):
    write_json(root / f"results/runs/{task}/{name}.json", run)
    weights = root / f"results/weights/{task}/{run['model']}.pt"
    weights.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(weights, "w") as file:  # what torch writes is a zip, too
        file.writestr("data", "weights")


def write_table(root, task, runs, metric="top1_error"):
    """The score table, as collect_scores.py writes it."""
    view = json.loads((root / f"results/views/{runs[0]['protocol']['images']['view']}.json").read_text())
    guess = METRICS[metric].guess(view["per_class"]["test"])
    path = root / f"results/scores/{task}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_scores(path, [row_of(run, METRICS[metric], guess) for run in runs])


def study(root, models=4):
    """A finished study of two datasets, a task from another's weights, and a continuation. Returns plan and runs."""
    names = [f"a{number:03d}" for number in range(models)]
    plan = {
        "photos": task(names),
        "digits": task(names, view="digits"),
        "digits_pretrained": task(names, view="digits", initial="photos"),
        "photos_longer": task([], initial="photos", continues=True, epochs=6) | {"runs": slots(2)},
    }
    views = {view: manifests(root, view) for view in ("photos", "digits")}
    runs = {name: {} for name in plan}
    for number, model in enumerate(names):
        runs["photos"][model] = run_of(plan, "photos", model, views["photos"], correct=40 - number)
        runs["digits"][model] = run_of(plan, "digits", model, views["digits"], correct=20 + number)
        source = runs["photos"][model]
        runs["digits_pretrained"][model] = run_of(plan, "digits_pretrained", model, views["digits"], source=source)
    for slot, model in zip(slots(2), [names[0], names[1], names[-1], names[-2]], strict=True):
        source = runs["photos"][model]
        runs["photos_longer"][slot] = run_of(plan, "photos_longer", model, views["photos"], slot=slot, source=source)
    for name, made in runs.items():
        for run_name, run in made.items():
            write_run(root, name, run_name, run)
        write_table(root, name, list(made.values()))
    return plan, runs


def edit(path, change):
    """Change a JSON file in place; `change` gets its value."""
    value = json.loads(path.read_text())
    change(value)
    path.write_text(json.dumps(value))


def only(result, kind):
    """The findings but for strays; all have to be of one kind, besides score tables that these runs make old."""
    found = [finding for finding in result.findings if finding.kind not in ("stray", "old_table")]
    assert {finding.kind for finding in found} == {kind}
    assert wrong(result.findings) == (kind in WRONG)
    return found
