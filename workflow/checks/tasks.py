"""Errors of a study's tasks: where their runs come from, roles, views, metrics, grids, and what they start from."""

import re
from pathlib import Path
from typing import Any

from apr.basics.values import nearest, value_problem
from apr.data.formats import FORMATS, format_options, multi_label
from apr.data.reading.walking import named
from apr.runs.metrics import METRICS
from apr.runs.ways import PROTOCOL, PUBLISHED, WAYS
from checks.data import Errors, Known, tolerant
from checks.grids import choice_errors, grid_errors, search_errors
from checks.renamed import has_old_keys
from study.settings import ROOT, source_name, view_classes
from study.tasks import (
    RANKS,
    draws,
    full_entry,
    grid_of,
    several_count,
    values_of,
    ways_of,
)

WHERE = ", ".join(f"{way}: <regime>" for way in WAYS) + f" or {PUBLISHED}: <source>"
ROLES = ("reference", "family", "target", "variant", "extra")
# keys that only some tasks have, and which
MOST = 10_000  # models of a population
OF_ARCHITECTURES = ("closest", "initial", "continues", "ranks")
GRIDS = ("grid", "choose", "search")


def task_errors(config: dict[str, Any], known: Known) -> Errors:
    """What is wrong with the ways, roles, regimes, views, metrics and family tasks that tasks name."""
    tasks, regimes = config["tasks"], config.get("regimes") or {}
    yield from tolerant(_reference_errors, tasks)
    yield from tolerant(_ranked_errors, tasks, regimes)
    family = [name for name, task in tasks.items() if task.get("role") == "family"]
    lacking: dict[tuple[str, str], list[str]] = {}
    foreign: dict[tuple[str, str], list[str]] = {}
    for name, task in tasks.items():
        ways = ways_of(task)
        if len(ways) > 1:
            yield ["tasks", name], f"has {' and '.join(ways)}; keep one of them"
        elif not ways and not has_old_keys(task):
            yield ["tasks", name], f"does not say where its runs come from; write {WHERE}"
        elif ways == [PUBLISHED]:
            yield from tolerant(_published_errors, name, task, known)
        elif ways:
            yield from tolerant(_regime_errors, name, task, ways[0], regimes, lacking, foreign)
            yield from tolerant(_view_errors, name, task, ways[0], family, known)
            yield from tolerant(grid_errors, name, task, regimes)
            yield from tolerant(choice_errors, name, task, regimes, known)
            yield from tolerant(search_errors, name, task, regimes)
    for (regime, keys), names in lacking.items():
        more = f" and {len(names) - 1} more need" if len(names) > 1 else " needs"
        yield ["regimes", regime], f"lacks {keys}, which task {names[0]}{more}"
    for (regime, way), names in foreign.items():
        keys = _foreign(regimes[regime], way)
        others = f"; neither are {named(keys[1:])}" if keys[1:] else ""
        does = f"and {len(names) - 1} more do" if len(names) > 1 else "does"
        text = f"is no key of a regime to {way}, as task {names[0]} {does}{others}"
        remedy = f"name another regime in tasks.{names[0]}.{way}, or remove {'them' if others else 'it'}"
        yield ["regimes", regime, keys[0]], f"{text}; {remedy}"


def _reference_errors(tasks: dict) -> Errors:
    references = [name for name, task in tasks.items() if task.get("role") == "reference"]
    wanted = any(task.get("role") in ("family", "target") for task in tasks.values())
    complete = all(task.get("role") in ROLES for task in tasks.values() if draws(task))
    if len(references) > 1 or (wanted and not references and complete):
        found = f"{len(references)}: {', '.join(references)}" if references else "none"
        yield ["tasks"], f"exactly one task has the role reference, found {found}; give it to one"


def _ranked_errors(tasks: dict, regimes: dict) -> Errors:
    """Rankings are compared of the same models, each with one score."""
    reference = next((task for task in tasks.values() if task.get("role") == "reference"), None)
    for name, task in tasks.items():
        if task.get("role") not in ("reference", "family", "target") or len(ways_of(task)) != 1:
            continue
        if several_count(grid_of(task, regimes), task.get("choose")):
            text = f"a {task['role']} needs one score a model, and several runs of each would count"
            yield ["tasks", name, "grid"], f"{text}; add choose: {{by: validation}}, or give the task the role variant"
        if reference and len(ways_of(reference)) == 1 and draws(task) != draws(reference):
            text = "has none of the models of the reference, so that their rankings cannot be compared"
            yield ["tasks", name, "role"], f"{text}; leave the role out, and compare by comparisons: {{lines: {{…}}}}"


def _published_errors(name: str, task: dict, known: Known) -> Errors:
    source, wanted = source_name(task[PUBLISHED]), task.get("set", name)
    for key in task:
        if key in ("view", "models", *OF_ARCHITECTURES, *GRIDS, *PROTOCOL):
            yield ["tasks", name, key], "is no key of a task whose results are published; remove it"
    if isinstance(task[PUBLISHED], dict):
        yield from _own_table_errors(["tasks", name], task, known.registry[source]["title"])
        return
    if source not in known.sets:
        yield ["tasks", name, PUBLISHED], f"no source {source!r} is known{nearest(source, known.sets)}"
    elif wanted not in known.sets[source]:
        others = [other for other, sets in known.sets.items() if wanted in sets]
        hint = f" (it is one of {others[0]})" if others else nearest(wanted, known.sets[source])
        text = f"{source} has no test set {wanted!r}{hint}; write set: and one of {', '.join(known.sets[source])}"
        yield ["tasks", name, "set"], text if known.sets[source] else f"{source} has no test sets; name another source"
    elif "metric" in task and task["metric"] != (measured := known.sets[source][wanted].get("metric", task["metric"])):
        yield ["tasks", name, "metric"], f"{wanted} was published as {measured}; remove the key"


def _own_table_errors(path: list, task: dict, file: str) -> Errors:
    if "set" in task:
        yield [*path, "set"], "is no key of a task with a table of one's own; name the column in published"
    if "metric" not in task:
        yield [*path, "metric"], f"is missing ({', '.join(METRICS)})"
    pattern = task[PUBLISHED].get("family", {}).get("pattern", "")
    try:
        re.compile(pattern)
    except re.error as error:
        yield [*path, PUBLISHED, "family", "pattern"], f"{pattern!r} is no regular expression ({error})"
    if "://" in task[PUBLISHED]["file"]:
        yield [*path, PUBLISHED, "file"], f"{task[PUBLISHED]['file']}: is an address; download it, and give the file"
    elif str(Path(task[PUBLISHED]["file"])) != file:
        yield [*path, PUBLISHED, "file"], f"has the name of another table, {file}; rename one of the two"
    elif not (ROOT / file).is_file():
        yield [*path, PUBLISHED, "file"], f"{file}: no such file; it is looked for in the project's folder"


def _foreign(entry: dict, way: str) -> list[str]:
    """The keys of a regime or a task that runs of this way do not take."""
    drawn = WAYS[way].trains and not WAYS[way].pretrained
    keys = [
        *(() if drawn else (*OF_ARCHITECTURES, *(() if WAYS[way].trains else GRIDS))),
        "set",
        *(key for key in PROTOCOL if key not in WAYS[way].keys),
    ]
    return [key for key in entry if key in keys]


def _regime_errors(name: str, task: dict, way: str, regimes: dict, lacking: dict, foreign: dict) -> Errors:
    """A task's regime and keys; what other tasks find in the regime, too, goes into `lacking` and `foreign`."""
    regime, keys = task[way], WAYS[way].keys
    described = {
        "role": f"{', '.join(ROLES[:-1])} or {ROLES[-1]}: what figures show it as",
        "metric": ", ".join(METRICS),
    }
    needed = ["metric"] if WAYS[way].pretrained else ["role", "metric"]
    for key in needed if WAYS[way].trains else ():
        if key not in task and not has_old_keys(task):
            yield ["tasks", name, key], f"is missing ({described[key]})"
    computed = [one.name for one in METRICS.values() if one.counts or (one.scored and WAYS[way].outputs)]
    if task.get("metric") in METRICS and task["metric"] not in computed:
        scored = METRICS[task["metric"]].scored
        known = (
            f"of tasks that {_either([way for way in WAYS if WAYS[way].outputs])}" if scored else "of published results"
        )
        yield ["tasks", name, "metric"], f"{task['metric']} is known {known} alone; take one of {', '.join(computed)}"
    narrow = [key for key in keys if keys[key] != PROTOCOL[key]]  # the schema has the bounds of all ways
    for key in _foreign(task, way):
        yield ["tasks", name, key], f"is no key of a task with {way}; remove it"
    for key in task:
        if key in narrow and (text := value_problem(task[key], keys[key])):
            yield ["tasks", name, key], text
    if regime not in regimes:
        yield ["tasks", name, way], f"no regime {regime!r}{nearest(regime, regimes)}"
        return
    settings = regimes[regime]
    if _foreign(settings, way):
        foreign.setdefault((regime, way), []).append(name)
    for key in settings:
        if key in narrow and (text := value_problem(settings[key], keys[key])):
            yield ["regimes", regime, key], text
    said = {*WAYS[way].unsaid, *task, *settings}
    missing = [key for key in keys if key not in said]
    if missing:
        lacking.setdefault((regime, ", ".join(missing)), []).append(name)


def _view_errors(name: str, task: dict, way: str, family: list[str], known: Known) -> Errors:
    view, views = task.get("view", name), known.views
    if view not in views:
        yield ["tasks", name, "view"], f"no view or dataset {view!r}{nearest(view, views)}"
        return
    dataset = known.datasets.get(views[view]["dataset"])
    no_training = dataset and (dataset["split"]["by"] == "none" or dataset["options"].get("train") is False)
    if no_training and WAYS[way].trains:
        yield ["tasks", name, "view"], f"{dataset['title']} has no training images; take a dataset that has some"
    classes = view_classes(views[view], dataset) if dataset else None
    metric = METRICS.get(task.get("metric"))
    if classes and metric and (fault := metric.fault(classes)):
        yield ["tasks", name, "metric"], fault
    elif metric and metric.ordered and dataset and _unordered(dataset):
        text = f"{metric.name} counts how far apart grades are, and nothing says their order; set datasets."
        remedy = f"{views[view]['dataset']}.options: {{classes_order: [lowest, …, highest]}}, or numeric"
        yield ["tasks", name, "metric"], f"{text}{remedy}"
    elif metric and dataset and not metric.multilabel and multi_label(dataset.get("format", ""), dataset["options"]):
        several = " or ".join(one.name for one in METRICS.values() if one.multilabel)
        text = f"{metric.name} is of images with one label, and those of {dataset['title']} may have several"
        yield (
            ["tasks", name, "metric"],
            f"{text}; use {several}, with {_either([way for way in WAYS if WAYS[way].outputs])}",
        )
    if task.get("closest") is not None and task["closest"] not in family:
        yield ["tasks", name, "closest"], f"no family task {task['closest']!r}{nearest(task['closest'], family)}"
    elif task.get("role") == "target" and "closest" not in task and not classes and family:
        remedy = f"name one of {', '.join(family)}, or give datasets.{views[view]['dataset']}.classes"
        yield ["tasks", name, "closest"], f"is missing: {remedy}"


def _unordered(dataset: dict) -> bool:
    """Whether the order of a dataset's classes could be said, and is not."""
    layout = dataset.get("format")
    return (
        layout in FORMATS and "classes_order" in format_options(layout) and not dataset["options"].get("classes_order")
    )


def _either(names: list[str]) -> str:
    return " or ".join(names)


def start_errors(config: dict[str, Any], known: Known) -> Errors:
    """Errors of tasks that start from another task's runs."""
    tasks, regimes = config["tasks"], config.get("regimes") or {}
    size = (config.get("population") or {}).get("size", MOST)  # that there is none is an error of its own
    for name in tasks:
        yield from tolerant(_starts_of, name, tasks, regimes, size)


def _starts_of(name: str, tasks: dict, regimes: dict, size: int) -> Errors:
    task = tasks[name]
    for key in ("initial", "continues"):
        other = task.get(key)
        if other is not None and other == name:
            yield ["tasks", name, key], "a task cannot start from itself; name another one"
        elif other is not None and other not in tasks:
            yield ["tasks", name, key], f"no task {other!r}{nearest(other, set(tasks) - {name})}"
        elif other is not None:
            here, there = full_entry(name, task, regimes), full_entry(other, tasks[other], regimes)
            problem = _start_problem(key, here, there, other, size)
            if problem:
                yield ["tasks", name, key], problem
    if "ranks" in task and "continues" not in task:
        yield ["tasks", name, "ranks"], "says how many models `continues` takes, and there is none"
    if "initial" in task and "continues" in task:
        yield ["tasks", name], "has both initial and continues; keep one"


def _start_problem(key: str, task: dict, other: dict, name: str, size: int) -> str | None:
    if not draws(other):
        return f"{name} trains no models; name a task that does"
    if any(other.get(start) for start in ("initial", "continues", "grid")):
        return f"{name} has itself initial, continues or a grid; name a task that trains each model once, from scratch"
    stems = [stem for stem in values_of(task, "stem") if stem != other["stem"]]
    if stems:
        text = f"{name} has the stem {other['stem']}, this task {' and '.join(stems)}: the weights would not fit"
        return f"{text}; give this task the stem {other['stem']} alone"
    if key == "continues" and task["view"] != other["view"]:
        return f"{name} trains on {other['view']}, this task on {task['view']}; they need the same view"
    if key == "initial":
        whole = [f"a{number:03d}" for number in range(size)]
        lacking = set(task.get("models", whole)) - set(other.get("models", whole))
        return f"{name} does not train {named(sorted(lacking))}; name others under models" if lacking else None
    if "models" in task or task["grid"]:
        return "takes its models from the ranks of the other task; remove models and grid"
    if task["epochs"] <= other["epochs"]:
        return f"{name} ends after {other['epochs']} epochs; give this task more than its {task['epochs']}"
    if 2 * task.get("ranks", RANKS) > len(other.get("models", range(size))):
        return f"{name} trains too few models for {task.get('ranks', 5)} best and as many worst; lower ranks"
    return None
