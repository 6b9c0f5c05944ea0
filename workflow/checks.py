"""All errors of a configuration at once, each as `file: key: what is wrong (did you mean …?)`."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema

from apr.anynet import Genotype, complexity
from apr.problems import Problem
from apr.runs import UNSAID
from checks_common import Errors, data_errors, nearest, tolerant
from checks_figures import figure_errors
from checks_retest import retest_errors
from study import PROTOCOL, ROOT, network_genotype, read_yaml, view_classes

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
RETEST_SCHEMA = ROOT / "workflow/schemas/retest.schema.yaml"


def check_config(config: dict[str, Any], files: Iterable[str | Path]) -> list[str]:
    """Every error of the configuration that `files` (merged in order) made; an empty list if there is none."""
    errors = jsonschema.Draft202012Validator(schema_of(config)).iter_errors(config)
    found = [message for error in errors for message in _schema_messages(error)]
    check = retest_errors if "retests" in config else _cross_checks
    found += check(config) if not found else tolerant(check, config)
    located = _Locator(files, config)
    lines = [f"{located.file(path)}: {'.'.join(map(str, path))}: {text}" for path, text in found]
    return list(dict.fromkeys(lines))


def schema_of(config: dict[str, Any]) -> dict[str, Any]:
    """The schema of a configuration's kind of study."""
    schema = read_yaml(SCHEMA)
    if "retests" not in config:
        return schema
    return read_yaml(RETEST_SCHEMA) | {"$defs": schema["properties"] | schema["$defs"]}


def _schema_messages(error: jsonschema.ValidationError) -> Errors:
    path = list(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in sorted(set(error.instance) - set(known)):
            yield [*path, key], f"no such key{nearest(key, known)}"
    elif error.validator == "required":
        for key in sorted(set(error.validator_value) - set(error.instance)):
            yield [*path, key], f"is missing ({_described(error.schema, key)})"
    elif error.validator == "enum":
        options = ", ".join(map(str, error.validator_value))
        yield path, f"{error.instance!r} is not one of {options}{nearest(error.instance, error.validator_value)}"
    elif error.validator == "type":
        wanted = error.validator_value if isinstance(error.validator_value, str) else " or ".join(error.validator_value)
        yield path, f"{error.instance!r} is a {_kind(error.instance)}, expected {wanted}"
    else:
        yield path, f"{error.message}{_explained(error.schema)}"


def _cross_checks(config: dict[str, Any]) -> Errors:
    datasets: dict[str, Any] = {}
    views: dict[str, Any] = {}
    yield from data_errors(config, datasets, views)
    yield from tolerant(_task_errors, config, views, datasets)
    yield from tolerant(_network_errors, config)
    yield from tolerant(_start_errors, config)
    yield from tolerant(figure_errors, config)
    yield from tolerant(lambda: _population_errors(config["population"]))


def _task_errors(config: dict, views: dict, datasets: dict) -> Errors:
    tasks, regimes = config["tasks"], config["regimes"]
    references = [name for name, task in tasks.items() if task.get("role") == "reference"]
    if len(references) != 1 and all("role" in task for task in tasks.values()):
        yield ["tasks"], f"exactly one task has the role reference, found {len(references)}: {', '.join(references)}"
    family = [name for name, task in tasks.items() if task.get("role") == "family"]
    for name, task in tasks.items():
        if "regime" not in task:
            continue
        if task["regime"] not in regimes:
            yield ["tasks", name, "regime"], f"no regime {task['regime']!r}{nearest(task['regime'], regimes)}"
        else:
            said = {*UNSAID, *task, *regimes[task["regime"]]}
            missing = [key for key in PROTOCOL if key not in said]
            if missing:
                yield ["regimes", task["regime"]], f"lacks {', '.join(missing)}, which task {name} needs"
        view = task.get("view", name)
        if view not in views:
            yield ["tasks", name, "view"], f"no view or dataset {view!r}{nearest(view, views)}"
            continue
        dataset = datasets.get(views[view]["dataset"])
        if dataset and (dataset["split"]["by"] == "none" or dataset["options"].get("train") is False):
            yield ["tasks", name, "view"], f"{dataset['title']} has no training images; take a dataset that has some"
        classes = view_classes(views[view], dataset) if dataset else None
        if task.get("error") == "top5" and classes and classes <= 5:
            yield ["tasks", name, "error"], f"top5 says nothing about {classes} classes; use top1"
        if task.get("closest") is not None and task["closest"] not in family:
            yield ["tasks", name, "closest"], f"no family task {task['closest']!r}{nearest(task['closest'], family)}"
        elif task.get("role") == "target" and "closest" not in task and not classes and family:
            remedy = f"name one of {', '.join(family)}, or give datasets.{views[view]['dataset']}.classes"
            yield ["tasks", name, "closest"], f"is missing: {remedy}"


def _network_errors(config: dict) -> Errors:
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
        for model in task.get("models", ()):
            if model not in known:
                hint = nearest(model, networks) if not re.fullmatch(r"a\d+", model) else f" (a000 to a{size - 1:03d})"
                yield ["tasks", name, "models"], f"no model {model!r}{hint}"


def _start_errors(config: dict) -> Errors:
    """Errors of tasks that start from another task's runs."""
    tasks = config["tasks"]
    full = {name: {"view": name, **config["regimes"][task["regime"]], **task} for name, task in tasks.items()}
    for name, task in tasks.items():
        for key in ("initial", "continues"):
            other = task.get(key)
            if other is not None and other == name:
                yield ["tasks", name, key], "a task cannot start from itself; name another one"
            elif other is not None and other not in tasks:
                yield ["tasks", name, key], f"no task {other!r}{nearest(other, set(tasks) - {name})}"
            elif other is not None:
                problem = _start_problem(key, full[name], full[other], other, config["population"]["size"])
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


def _population_errors(population: dict) -> Errors:
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


class _Locator:
    """Finds the file that sets a key: the last one that has it, or the deepest part of its path."""

    def __init__(self, files: Iterable[str | Path], config: dict[str, Any]) -> None:
        self.contents = {str(file): read_yaml(file) for file in files}
        self.config = config

    def file(self, path: list) -> str:
        if (
            path
            and path[0] in self.config
            and not any(path[0] in (content or {}) for content in self.contents.values())
        ):
            return "--config, or a profile's `config`"
        depths = {name: self._depth(content, path) for name, content in self.contents.items()}
        deepest = max(depths.values(), default=0)
        names = [name for name, depth in depths.items() if depth == deepest]
        return names[-1] if names else "config"

    @staticmethod
    def _depth(content: Any, path: list) -> int:
        for depth, key in enumerate(path):
            if not isinstance(content, dict) or key not in content:
                return depth
            content = content[key]
        return len(path)


def _described(schema: dict, key: str) -> str:
    return schema.get("properties", {}).get(key, {}).get("description", "required").rstrip(".")


def _explained(schema: dict) -> str:
    return f" ({schema['description'].rstrip('.')})" if "description" in schema else ""


def _kind(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "mapping"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
