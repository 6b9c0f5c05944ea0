"""All errors of a configuration at once, each as `file: key: what is wrong (did you mean …?)`."""

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema

from apr.anynet import Genotype, complexity
from apr.formats import format_options
from apr.problems import Problem
from checks_figures import figure_errors
from study import PROTOCOL, ROOT, load_registry, network_genotype, read_yaml, resolve_dataset, view_classes

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"


def check_config(config: dict[str, Any], files: Iterable[str | Path]) -> list[str]:
    """Every error of the configuration that `files` (merged in order) made; an empty list if there is none."""
    schema = read_yaml(SCHEMA)
    errors = jsonschema.Draft202012Validator(schema).iter_errors(config)
    found = [message for error in errors for message in _schema_messages(error)]
    found += _cross_checks(config) if not found else _tolerant(_cross_checks, config)
    located = _Locator(files)
    lines = [f"{located.file(path)}: {'.'.join(map(str, path))}: {text}" for path, text in found]
    return list(dict.fromkeys(lines))


def _tolerant(check: Callable[..., Iterator[tuple[list, str]]], *arguments: Any) -> Iterator[tuple[list, str]]:
    """What a check finds before it stumbles over a part that has errors of its own."""
    with suppress(KeyError, TypeError, AttributeError, ValueError):
        yield from check(*arguments)


def _schema_messages(error: jsonschema.ValidationError) -> Iterator[tuple[list, str]]:
    path = list(error.absolute_path)
    if error.validator == "additionalProperties":
        known = error.schema.get("properties", {})
        for key in sorted(set(error.instance) - set(known)):
            yield [*path, key], f"no such key{_nearest(key, known)}"
    elif error.validator == "required":
        for key in sorted(set(error.validator_value) - set(error.instance)):
            yield [*path, key], f"is missing ({_described(error.schema, key)})"
    elif error.validator == "enum":
        options = ", ".join(map(str, error.validator_value))
        yield path, f"{error.instance!r} is not one of {options}{_nearest(error.instance, error.validator_value)}"
    elif error.validator == "type":
        wanted = error.validator_value if isinstance(error.validator_value, str) else " or ".join(error.validator_value)
        yield path, f"{error.instance!r} is a {_kind(error.instance)}, expected {wanted}"
    else:
        yield path, f"{error.message}{_explained(error.schema)}"


def _cross_checks(config: dict[str, Any]) -> Iterator[tuple[list, str]]:
    registry = load_registry()
    datasets = {}
    for name, entry in (config.get("datasets") or {}).items():
        source = (entry or {}).get("source", name)
        own = any(key in (entry or {}) for key in ("url", "files", "folder"))
        if source not in registry and not own:
            hint = _nearest(source, registry)
            yield ["datasets", name], f"has no url, files or folder, and no source {source!r} is known{hint}"
            continue
        datasets[name] = resolve_dataset(name, entry, registry)
        if "format" not in datasets[name]:
            yield ["datasets", name, "format"], "is missing (how the publisher lays out images and labels)"
            continue
        known = format_options(datasets[name]["format"])
        for option in sorted(set(datasets[name]["options"]) - set(known)):
            text = f"{datasets[name]['format']} has no such option{_nearest(option, known)}"
            yield ["datasets", name, "options", option], text
    views = {name: {"dataset": name, "classes": None} for name in datasets}
    selections = {name: {"classes": None, **entry} for name, entry in (config.get("views") or {}).items()}
    views |= selections
    for name, view in selections.items():
        yield from _tolerant(_view_errors, name, view, datasets, views)
    yield from _tolerant(_task_errors, config, views, datasets)
    yield from _tolerant(_network_errors, config)
    yield from _tolerant(_start_errors, config)
    yield from _tolerant(figure_errors, config)
    yield from _tolerant(lambda: _population_errors(config["population"]))


def _view_errors(name: str, view: dict, datasets: dict, views: dict) -> Iterator[tuple[list, str]]:
    if view["dataset"] not in datasets:
        yield ["views", name, "dataset"], f"no dataset {view['dataset']!r}{_nearest(view['dataset'], datasets)}"
        return
    if name in datasets:
        yield ["views", name], "has the name of a dataset, which is the view of all of it; choose another name"
    asked, held = view["classes"], datasets[view["dataset"]]["classes"]
    if isinstance(asked, int) and held and asked > held:
        yield ["views", name, "classes"], f"asks for {asked} classes, but {view['dataset']} has {held}"
    within = view.get("within")
    if within is not None and (within not in views or within == name):
        yield ["views", name, "within"], f"no other view {within!r}{_nearest(within, set(views) - {name})}"
    elif within is not None:
        outer = views[within]
        if outer["dataset"] != view["dataset"]:
            yield ["views", name, "within"], f"{within} is a view of {outer['dataset']}, not of {view['dataset']}"
        elif isinstance(outer.get("classes"), int) and isinstance(asked, int) and asked > outer["classes"]:
            yield ["views", name, "classes"], f"asks for {asked} classes within {within}, which has {outer['classes']}"


def _task_errors(config: dict, views: dict, datasets: dict) -> Iterator[tuple[list, str]]:
    tasks, regimes = config["tasks"], config["regimes"]
    references = [name for name, task in tasks.items() if task.get("role") == "reference"]
    if len(references) != 1 and all("role" in task for task in tasks.values()):
        yield ["tasks"], f"exactly one task has the role reference, found {len(references)}: {', '.join(references)}"
    family = [name for name, task in tasks.items() if task.get("role") == "family"]
    for name, task in tasks.items():
        if "regime" not in task:
            continue
        if task["regime"] not in regimes:
            yield ["tasks", name, "regime"], f"no regime {task['regime']!r}{_nearest(task['regime'], regimes)}"
        else:
            missing = [key for key in PROTOCOL if key not in task and key not in regimes[task["regime"]]]
            if missing:
                yield ["regimes", task["regime"]], f"lacks {', '.join(missing)}, which task {name} needs"
        view = task.get("view", name)
        if view not in views:
            yield ["tasks", name, "view"], f"no view or dataset {view!r}{_nearest(view, views)}"
            continue
        dataset = datasets.get(views[view]["dataset"])
        classes = view_classes(views[view], dataset) if dataset else None
        if task.get("error") == "top5" and classes and classes <= 5:
            yield ["tasks", name, "error"], f"top5 says nothing about {classes} classes; use top1"
        if task.get("closest") is not None and task["closest"] not in family:
            yield ["tasks", name, "closest"], f"no family task {task['closest']!r}{_nearest(task['closest'], family)}"
        elif task.get("role") == "target" and "closest" not in task and not classes and family:
            remedy = f"name one of {', '.join(family)}, or give datasets.{views[view]['dataset']}.classes"
            yield ["tasks", name, "closest"], f"is missing: {remedy}"


def _network_errors(config: dict) -> Iterator[tuple[list, str]]:
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
                hint = _nearest(model, networks) if not re.fullmatch(r"a\d+", model) else f" (a000 to a{size - 1:03d})"
                yield ["tasks", name, "models"], f"no model {model!r}{hint}"


def _start_errors(config: dict) -> Iterator[tuple[list, str]]:
    """Errors of tasks that start from another task's runs."""
    tasks = config["tasks"]
    full = {name: {"view": name, **config["regimes"][task["regime"]], **task} for name, task in tasks.items()}
    for name, task in tasks.items():
        for key in ("initial", "continues"):
            other = task.get(key)
            if other is not None and other == name:
                yield ["tasks", name, key], "a task cannot start from itself; name another one"
            elif other is not None and other not in tasks:
                yield ["tasks", name, key], f"no task {other!r}{_nearest(other, set(tasks) - {name})}"
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


def _population_errors(population: dict) -> Iterator[tuple[list, str]]:
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

    def __init__(self, files: Iterable[str | Path]) -> None:
        self.contents = {str(file): read_yaml(file) for file in files}

    def file(self, path: list) -> str:
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


def _nearest(name: Any, known: Iterable[Any]) -> str:
    close = difflib.get_close_matches(str(name), [str(key) for key in known], n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def _described(schema: dict, key: str) -> str:
    return schema.get("properties", {}).get(key, {}).get("description", "required").rstrip(".")


def _explained(schema: dict) -> str:
    return f" ({schema['description'].rstrip('.')})" if "description" in schema else ""


def _kind(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "mapping"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
