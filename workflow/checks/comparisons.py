"""Errors of a configuration's `comparisons`: the tasks that they name have to be of the kind that they show."""

from collections.abc import Iterator
from typing import Any

from apr.basics.values import nearest
from apr.runs.protocol import KEYS, UNSAID
from checks.data import Errors, Known
from checks.renamed import has_old_keys
from study.settings import VIEW
from study.tasks import axis_values, draws, full_entry, several_count, values_of

ELSEWHERE = ("lines", "since", "rankings", "transfer")  # checks.lines, checks.rankings, checks.transfer


def comparison_errors(config: dict[str, Any], known: Known) -> Errors:
    """What is wrong with the tasks that the comparisons of ranks name, as (path, text)."""
    regimes = config.get("regimes") or {}
    tasks = {name: full_entry(name, task, regimes) for name, task in config["tasks"].items()}
    figures = {key: value for key, value in (config.get("comparisons") or {}).items() if key not in ELSEWHERE}
    unknown = [(keys, name) for keys, name in _named(figures) if name not in tasks]
    for keys, name in unknown:
        yield ["comparisons", *keys], f"no task {name!r}{nearest(name, tasks)}"
    if unknown:
        return
    if figures.get("curves"):
        yield from _curve_errors(figures["curves"], tasks)
    for keys, name in _named({key: figures[key] for key in figures if key not in (*PAIRS, "curves", "references")}):
        if _several(tasks[name]) or "continues" in tasks[name] or _trains_networks(tasks[name], config):
            yield (
                ["comparisons", *keys],
                f"{name} does not train each model of the population once; name a task that does",
            )
        elif keys[0] in OF_TRAININGS and _untrained(tasks[name]):
            yield ["comparisons", *keys], UNTRAINED.format(name)
    for name in figures.get("references", ()):
        if not _trains_networks(tasks[name], config):
            yield ["comparisons", "references"], f"{name} does not train `networks` alone; name a task whose models are"
    views = {name: VIEW | {"dataset": name} for name in known.datasets}
    views |= {name: VIEW | view for name, view in (config.get("views") or {}).items()}
    for key, problem in PAIRS.items():
        for first, second in (figures.get(key) or {}).items():
            untrained = [name for name in (first, second) if _untrained(tasks[name])]
            if key == "repeats" and _equal_by_structure(tasks[first], known):
                continue
            if untrained:
                yield ["comparisons", key, first], UNTRAINED.format(untrained[0])
                continue
            text = problem(tasks[first], tasks[second], views)
            if text:
                yield ["comparisons", key, first], f"{first}: {second}: {text}"


def _curve_errors(curves: dict, tasks: dict) -> Errors:
    for name in curves.get("continued", ()):
        if "continues" not in tasks[name]:
            yield ["comparisons", "curves", "continued"], f"{name} continues no other task; name one that does"
    task = tasks[curves["task"]]
    if _several(task) or "continues" in task or not draws(task):
        yield ["comparisons", "curves", "task"], f"{curves['task']} does not train each of its models once"
    elif curves["zoom_from"] >= min(values_of(task, "epochs")):
        yield (
            ["comparisons", "curves", "zoom_from"],
            f"{curves['task']} ends after {min(values_of(task, 'epochs'))} epochs; lower it",
        )


def _repeats(repeated: dict, base: dict, views: dict) -> str | None:
    if [key for key, axis in repeated["grid"].items() if len(axis_values(axis)) > 1] != ["seed"]:
        return "the grid of the first is not of seeds alone; it has to train its models several times, otherwise alike"
    return None if repeated["view"] == base["view"] else "the two train on different views"


def _equal_by_structure(task: dict, known: Known) -> bool:
    """Whether its published table holds models several times, under the name of their structure."""
    return "repeats" in known.entry(task["view"], task)


def _balanced(task: dict, balanced: dict, views: dict) -> str | None:
    if not views[balanced["view"]]["cap"]:
        return f"the view {balanced['view']} of the second has no `cap`"
    one, other = views[task["view"]], views[balanced["view"]]
    same = all(one[key] == other[key] for key in ("dataset", "classes"))
    return None if same else "the two are of different images or classes"


def _pretrained(scratch: dict, pretrained: dict, views: dict) -> str | None:
    if "initial" not in pretrained:
        return "the second has no `initial`; it has to start from the weights of another task"
    return None if scratch["view"] == pretrained["view"] else "the two train on different views"


def _initialisation(task: dict, other: dict, views: dict) -> str | None:
    one, two = ({**UNSAID, **either} for either in (task, other))
    if one["zero_init_final_gamma"] == two["zero_init_final_gamma"]:
        return f"zero_init_final_gamma is {str(one['zero_init_final_gamma']).lower()} in both; it has to differ"
    keys = ("view", *KEYS, "initial")
    differing = [key for key in keys if key != "zero_init_final_gamma" and one.get(key) != two.get(key)]
    return (
        f"the two differ in {', '.join(differing)}, too; they may in zero_init_final_gamma alone" if differing else None
    )


UNTRAINED = "{} trains no models; name a task that does"
OF_TRAININGS = ("depth_width", "best_shapes", "train_error_vs_depth", "metric_pair")
PAIRS = {"initialisation": _initialisation, "repeats": _repeats, "balanced": _balanced, "pretrained": _pretrained}


def _several(task: dict) -> bool:
    return several_count(task["grid"], task.get("choose"))


def _untrained(task: dict) -> bool:
    return not draws(task) and not has_old_keys(task)


def _trains_networks(task: dict, config: dict) -> bool:
    networks = config.get("networks") or {}
    return "models" in task and all(model in networks for model in task["models"])


def _named(figures: dict) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where and which tasks the figures name."""
    for key, value in figures.items():
        if isinstance(value, list):
            yield from (((key,), name) for name in value)
        elif key in PAIRS:
            yield from (((key,), name) for pair in value.items() for name in pair)
        elif isinstance(value, dict):
            yield from (((key, *keys), name) for keys, name in _named(value))
        elif key == "task":
            yield (key,), value
