"""Errors of `comparisons.rankings`: the tasks that they name have to be there, in one way, with one score a model."""

from typing import Any

from apr.basics.values import nearest
from apr.runs.metrics import ACCURACY, METRICS
from checks.data import Errors, Known
from study.tasks import draws, grid_of, several_count

WAYS = (("against", "targets"), ("pairs",), ("tasks",))


def ranking_errors(config: dict[str, Any], known: Known) -> Errors:
    """What is wrong with a configuration's rankings, as (path, text)."""
    tasks, regimes = config["tasks"], config.get("regimes") or {}
    for name, ranking in ((config.get("comparisons") or {}).get("rankings") or {}).items():
        path = ["comparisons", "rankings", name]
        said = [way for way in WAYS if any(key in ranking for key in way)]
        if len(said) != 1 or any(key not in ranking for key in said[0]):
            yield path, "says its tasks by against and targets, or by pairs, or by tasks; give one of the three, whole"
            continue
        if "tasks" in ranking and len(ranking["tasks"]) < 2:
            yield [*path, "tasks"], "is one task; name two or more"
        pairs = _pairs(ranking)
        missing = [
            ("against" if task == ranking.get("against") else key, task)
            for key, pair in pairs
            for task in pair
            if task not in tasks
        ]
        for key, task in dict.fromkeys(missing):
            yield [*path, key], f"no task {task!r}{nearest(task, tasks)}"
        if missing:
            continue
        for key, (one, other) in pairs:
            if one == other:
                yield [*path, key], f"{one} is compared with itself; compare two tasks"
            elif draws(tasks[one]) != draws(tasks[other]):
                yield [*path, key], f"{other} has none of the models of {one}; compare tasks of the same models"
        for key, task in dict.fromkeys((key, task) for key, pair in pairs for task in pair):
            entry = tasks[task]
            if several_count(grid_of(entry, regimes), entry.get("choose")) or "repeats" in known.entry(task, entry):
                yield [*path, key], f"several scores of each model of {task} count; name a task that has one"
        if "range_corrected" in ranking and "above" not in ranking:
            yield [*path, "range_corrected"], "corrects what `above` restricts; give above, or remove it"
        if "above" in ranking:
            yield from _bound_errors(path, ranking["above"], pairs, tasks, known)


def _bound_errors(path: list, above: float, pairs: list, tasks: dict, known: Known) -> Errors:
    for task in dict.fromkeys(first for _, (first, _) in pairs):
        metric = METRICS.get(known.entry(task, tasks[task]).get("metric") or tasks[task].get("metric", ACCURACY.name))
        if metric and not min(metric.perfect, metric.worst) < above < max(metric.perfect, metric.worst):
            bounds = f"{metric.worst:g} to {metric.perfect:g}"
            yield [*path, "above"], f"{above:g} is no {metric.title} of {task}, which goes from {bounds}"


def _pairs(ranking: dict[str, Any]) -> list[tuple[str, tuple[str, str]]]:
    """Each pair that is compared, with the key that says it."""
    if "targets" in ranking:
        return [("targets", (ranking["against"], target)) for target in ranking["targets"]]
    if "pairs" in ranking:
        return [("pairs", (against, target)) for target, against in ranking["pairs"].items()]
    first, *others = ranking["tasks"]
    return [("tasks", (first, other)) for other in others]
