"""Errors of `comparisons.transfer`: the tasks that it names have to be there, and to be of the kind that it "
"compares."""

from typing import Any

from apr.basics.values import nearest
from apr.claims.transfer_claims import read_transfer_claims
from apr.runs.metrics import ACCURACY, METRICS, PLAIN
from apr.runs.ways import PUBLISHED, WAYS
from checks.data import Errors, Known
from study.settings import ROOT
from study.tasks import full_entry, ways_of
from study.transfer import VARIANTS

PATH = ["comparisons", "transfer"]
OF_IMAGENET = (ACCURACY.name, PLAIN.name)


def transfer_errors(config: dict[str, Any], known: Known) -> Errors:
    """What is wrong with the tasks of transfer, as (path, text)."""
    transfer = (config.get("comparisons") or {}).get("transfer")
    if not isinstance(transfer, dict):
        return
    tasks = {name: full_entry(name, task, config.get("regimes") or {}) for name, task in config["tasks"].items()}
    named = list(_named(transfer))
    missing = [(path, task) for path, task in named if task not in tasks]
    for path, task in missing:
        yield [*PATH, *path], f"no task {task!r}{nearest(task, tasks)}"
    if missing:
        return
    for key in ("reference", "evaluated"):
        task = transfer.get(key)
        if task and _metric(task, tasks, known) not in OF_IMAGENET:
            yield [*PATH, key], f"{task} reports no top-1 accuracy; name the task that holds that on ImageNet"
    for task in transfer.get("targets", ()):
        if task in (transfer.get("reference"), transfer.get("evaluated")):
            yield (
                [*PATH, "targets"],
                f"{task} is the ImageNet of the comparison; name the tasks that it is compared with",
            )
    for kind in VARIANTS:
        for target, task in (transfer.get(kind) or {}).items():
            if target not in transfer.get("targets", ()):
                yield [*PATH, kind, target], f"is none of targets{nearest(target, transfer.get('targets', ()))}"
            elif task == target:
                yield (
                    [*PATH, kind, target],
                    "is compared with itself; name a task of the same models, otherwise trained",
                )
            elif (fault := _unlike(tasks[target], tasks[task], known, target, task)) != "":
                yield [*PATH, kind, target], fault
    yield from _after_errors(transfer, tasks)
    for task in dict.fromkeys(task for _, task in named):
        if ways_of(tasks[task])[:1] and not _counts_once(tasks[task]):
            text = f"several cells of each model of {task} would count; add choose: {{by: validation}} to it"
            yield [*PATH, *next(path for path, one in named if one == task)], text
    yield from _paper_errors(transfer)


def _named(transfer: dict[str, Any]) -> Any:
    """Where and which tasks it names."""
    for key in ("reference", "evaluated"):
        if isinstance(transfer.get(key), str):
            yield [key], transfer[key]
    yield from ((["targets"], task) for task in transfer.get("targets", ()) if isinstance(task, str))
    for kind in VARIANTS:
        for target, task in (transfer.get(kind) or {}).items():
            yield [kind, target], task


def _metric(name: str, tasks: dict[str, Any], known: Known) -> str:
    return known.entry(name, tasks[name]).get("metric") or tasks[name].get("metric", ACCURACY.name)


def _unlike(target: dict, other: dict, known: Known, name: str, other_name: str) -> str:
    """Why two tasks are no variants of each other; empty where they may be."""
    metrics = [_metric(one, {one: entry}, known) for one, entry in ((name, target), (other_name, other))]
    if metrics[0] != metrics[1] and all(metric in METRICS for metric in metrics):
        return f"{other_name} reports {metrics[1]}, the target {metrics[0]}; compare scores of one metric"
    if PUBLISHED not in target and PUBLISHED not in other and target["view"] != other["view"]:
        return f"{other_name} is of the view {other['view']}, the target of {target['view']}; compare the same images"
    models = [set(entry.get("models") or ()) for entry in (target, other)]
    if all(models) and not models[0] & models[1]:
        return f"{other_name} has none of the models of {name}; compare the same models"
    return ""


def _counts_once(task: dict[str, Any]) -> bool:
    """Whether each model has one score, but for seeds, which are averaged."""
    axes = [key for key, axis in task["grid"].items() if key != "seed" and (isinstance(axis, dict) or len(axis) > 1)]
    return not axes or bool(task.get("choose")) or not any(way in task for way in WAYS)


def _after_errors(transfer: dict[str, Any], tasks: dict[str, Any]) -> Errors:
    """The model of `after` has to be one of the targets' models, as far as the configuration lists them."""
    after, targets = transfer.get("after"), [tasks[task] for task in transfer.get("targets", ())]
    if not isinstance(after, str) or any(PUBLISHED in task or not task.get("models") for task in targets):
        return
    models = list(dict.fromkeys(model for task in targets for model in task["models"]))
    if after not in models:
        yield [*PATH, "after"], f"no target has a model {after!r}{nearest(after, models)}; name one of their models"


def _paper_errors(transfer: dict[str, Any]) -> Errors:
    paper = transfer.get("paper") or {}
    datasets = {claim.dataset for claim in read_transfer_claims(ROOT / "resources/transfer_claims.yaml")}
    for target, dataset in paper.items():
        if target not in transfer.get("targets", ()):
            yield [*PATH, "paper", target], f"is none of targets{nearest(target, transfer.get('targets', ()))}"
        if dataset not in datasets:
            known = sorted(name for name in datasets if name)
            text = f"the paper has no dataset {dataset!r}{nearest(dataset, known)}; it has {', '.join(known)}"
            yield [*PATH, "paper", target], text
