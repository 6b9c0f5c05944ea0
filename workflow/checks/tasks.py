"""Errors of a study's tasks, networks and population."""

import re

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.models.anynet import Genotype, complexity
from apr.runs.metrics import METRICS
from apr.runs.protocol import UNSAID
from checks.data import Errors, tolerant
from study import PROTOCOL, network_genotype, view_classes

MOST_NAMED = 20  # models of one task that do not exist


def task_errors(config: dict, views: dict, datasets: dict) -> Errors:
    """What is wrong with roles, regimes, views, errors and family tasks that tasks name."""
    tasks, regimes = config["tasks"], config["regimes"]
    references = [name for name, task in tasks.items() if task.get("role") == "reference"]
    if len(references) != 1 and all("role" in task for task in tasks.values()):
        yield ["tasks"], f"exactly one task has the role reference, found {len(references)}: {', '.join(references)}"
    family = [name for name, task in tasks.items() if task.get("role") == "family"]
    lacking: dict[tuple[str, str], list[str]] = {}
    for name, task in tasks.items():
        yield from tolerant(_regime_errors, name, task, regimes, lacking)
        yield from tolerant(_view_errors, name, task, family, views, datasets)
    for (regime, keys), names in lacking.items():
        more = f" and {len(names) - 1} more need" if len(names) > 1 else " needs"
        yield ["regimes", regime], f"lacks {keys}, which task {names[0]}{more}"


def _regime_errors(name: str, task: dict, regimes: dict, lacking: dict[tuple[str, str], list[str]]) -> Errors:
    if task["regime"] not in regimes:
        yield ["tasks", name, "regime"], f"no regime {task['regime']!r}{nearest(task['regime'], regimes)}"
        return
    said = {*UNSAID, *task, *regimes[task["regime"]]}
    missing = [key for key in PROTOCOL if key not in said]
    if missing:
        lacking.setdefault((task["regime"], ", ".join(missing)), []).append(name)


def _view_errors(name: str, task: dict, family: list[str], views: dict, datasets: dict) -> Errors:
    view = task.get("view", name)
    if view not in views:
        yield ["tasks", name, "view"], f"no view or dataset {view!r}{nearest(view, views)}"
        return
    dataset = datasets.get(views[view]["dataset"])
    if dataset and (dataset["split"]["by"] == "none" or dataset["options"].get("train") is False):
        yield ["tasks", name, "view"], f"{dataset['title']} has no training images; take a dataset that has some"
    classes = view_classes(views[view], dataset) if dataset else None
    metric = METRICS.get(task.get("metric"))
    if metric and classes and (fault := metric.fault(classes)):
        yield ["tasks", name, "metric"], fault
    if task.get("closest") is not None and task["closest"] not in family:
        yield ["tasks", name, "closest"], f"no family task {task['closest']!r}{nearest(task['closest'], family)}"
    elif task.get("role") == "target" and "closest" not in task and not classes and family:
        remedy = f"name one of {', '.join(family)}, or give datasets.{views[view]['dataset']}.classes"
        yield ["tasks", name, "closest"], f"is missing: {remedy}"


def network_errors(config: dict) -> Errors:
    """What is wrong with the reference networks, and with the models that tasks name."""
    networks, size = config.get("networks") or {}, config["population"]["size"]
    known = {f"a{number:03d}" for number in range(size)} | networks.keys()
    for name, network in networks.items():
        if "-" in name or re.fullmatch(r"a\d+", name):
            yield ["networks", name], "looks like a model of the population, or holds a -; choose another name"
        try:
            network_genotype(network)
        except Problem as problem:
            yield ["networks", name], str(problem)
    for name, task in config["tasks"].items():
        unknown = [model for model in task.get("models", ()) if model not in known]
        for model in unknown[:MOST_NAMED]:
            hint = nearest(model, networks) if not re.fullmatch(r"a\d+", model) else f" (a000 to a{size - 1:03d})"
            yield ["tasks", name, "models"], f"no model {model!r}{hint}"
        if len(unknown) > MOST_NAMED:
            yield ["tasks", name, "models"], f"and {len(unknown) - MOST_NAMED:,} more that are no models"


def start_errors(config: dict) -> Errors:
    """Errors of tasks that start from another task's runs."""
    tasks, regimes, size = config["tasks"], config["regimes"], config["population"]["size"]
    full = {name: {"view": name, **regimes.get(task.get("regime"), {}), **task} for name, task in tasks.items()}
    for name in tasks:
        yield from tolerant(_starts_of, name, full, size)


def _starts_of(name: str, full: dict, size: int) -> Errors:
    task = full[name]
    for key in ("initial", "continues"):
        other = task.get(key)
        if other is not None and other == name:
            yield ["tasks", name, key], "a task cannot start from itself; name another one"
        elif other is not None and other not in full:
            yield ["tasks", name, key], f"no task {other!r}{nearest(other, set(full) - {name})}"
        elif other is not None:
            problem = _start_problem(key, task, full[other], other, size)
            if problem:
                yield ["tasks", name, key], problem
    if "ranks" in task and "continues" not in task:
        yield ["tasks", name, "ranks"], "says how many models `continues` takes, and there is none"
    if "initial" in task and "continues" in task:
        yield ["tasks", name], "has both initial and continues; keep one"


def _start_problem(key: str, task: dict, other: dict, name: str, size: int) -> str | None:
    if any(start in other for start in ("initial", "continues", "seeds")):
        return f"{name} has itself initial, continues or seeds; name a task that trains each model once, from scratch"
    if task["stem"] != other["stem"]:
        return f"{name} has the stem {other['stem']}, this task {task['stem']}: the weights would not fit"
    if key == "continues" and task["view"] != other["view"]:
        return f"{name} trains on {other['view']}, this task on {task['view']}; they need the same view"
    if key == "initial":
        whole = [f"a{number:03d}" for number in range(size)]
        lacking = set(task.get("models", whole)) - set(other.get("models", whole))
        return f"{name} does not train {', '.join(sorted(lacking))}" if lacking else None
    if "models" in task or "seeds" in task:
        return "takes its models from the ranks of the other task; remove models and seeds"
    if task["epochs"] <= other["epochs"]:
        return f"{name} ends after {other['epochs']} epochs; give this task more than its {task['epochs']}"
    if 2 * task.get("ranks", 5) > len(other.get("models", range(size))):
        return f"{name} trains too few models for {task.get('ranks', 5)} best and as many worst; lower ranks"
    return None


def population_errors(population: dict) -> Errors:
    """What is wrong with the space of architectures and its band of complexity."""
    low, high = population["megaflops"]
    for key in ("megaflops", "depth", "width"):
        if population[key][0] > population[key][1]:
            yield ["population", key], f"{population[key]}: the first value is larger than the second"
            return
    smallest, largest = (
        complexity(
            Genotype(*([value] * 4 for value in values)),
            stem=population["stem"],
            classes=population["classes"],
            resolution=population["resolution"],
        ).flops
        / 1e6
        for values in (_extreme(population, 0), _extreme(population, 1))
    )
    if high < smallest or low > largest:
        yield (
            ["population", "megaflops"],
            f"no architecture can lie in {low}–{high}: the space reaches from {smallest:.1f} to {largest:.1f}",
        )


def _extreme(population: dict, end: int) -> tuple[int, int, int, int]:
    depth, width = int(population["depth"][end]), max(8, int(population["width"][end]) // 8 * 8)
    bottleneck = (max if end == 0 else min)(population["bottleneck"])
    group = (min if end == 0 else max)(population["group_width"])
    inner = max(1, width // bottleneck)
    group = min(group, inner)
    inner = max(group, round(inner / group) * group)
    return depth, inner * bottleneck, bottleneck, group
