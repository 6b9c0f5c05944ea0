"""Errors of tasks' protocols: keys that contradict each other, and more than there are images or time for."""

import math
from collections.abc import Callable, Collection
from typing import Any

from apr.basics.values import limit_problem, shown
from apr.runs.protocol import IDLE, contradictions
from apr.runs.ways import AXES, WAYS, Way
from checks.data import Errors, Known, tolerant
from study.tasks import axis_values, cells_of, draws, full_entry, grid_of, regime_of, values_of, ways_of

MOST_TRAININGS = 1_000_000


def protocol_errors(config: dict[str, Any], known: Known) -> Errors:
    """Keys of a task that contradict each other; each names where its value comes from."""
    regimes, at_regimes = config.get("regimes") or {}, set()
    for name, task in config["tasks"].items():
        ways = ways_of(task)
        if len(ways) != 1 or ways[0] not in WAYS or not WAYS[ways[0]].trains:
            continue
        regime = task[ways[0]]
        if not isinstance(regimes.get(regime), dict):
            continue
        merged, way = {**regimes[regime], **task}, WAYS[ways[0]]
        idle = idle_everywhere(task, regimes, way)
        for keys, text in contradictory(merged, way):
            if is_idle(text) and keys not in idle:
                continue
            own = [key for key in keys if key in task]
            if not own:
                at_regimes.add((regime, keys, text))
                continue
            text = contradictory(merged, way, _origin({*task, *(way.unsaid.keys() - regimes[regime].keys())}, regime))
            yield ["tasks", name, own[0]], dict(text)[keys]
        yield from tolerant(_cell_errors, name, task, regimes, way, dict(contradictory(merged, way)))
        if "epochs" in way.keys:  # others take as many images at once as there are
            yield from tolerant(_batch_errors, name, task, regimes, known)
    for regime, keys, text in sorted(at_regimes):
        yield ["regimes", regime, keys[0]], text
    for section in ("regimes", "tasks"):
        for name, entry in (config.get(section) or {}).items():
            yield from tolerant(_range_errors, [section, name, "grid"], entry.get("grid", {}))
    yield from tolerant(_number_errors, config)


def contradictory(
    protocol: dict[str, Any], way: Way, origin: Callable[[str], str] = lambda key: ""
) -> list[tuple[tuple[str, str], str]]:
    """Keys of a protocol that contradict each other where its runs are made in this way."""
    table = (*way.contradictions, *way.of_studies)
    return contradictions({**way.unsaid, **protocol}, origin, keys=way.keys, table=table)


def is_idle(text: str) -> bool:
    """Whether a contradiction is that a key does nothing."""
    return IDLE in text


def idle_everywhere(task: dict, regimes: dict, way: Way) -> set[tuple[str, str]]:
    """Pairs of which the first key does nothing in any cell of a task's grid: in some cell it may have its use."""
    cells = cells_of({key: axis_values(axis) for key, axis in grid_of(task, regimes).items() if key != "seed"})
    merged = {**regime_of(task, regimes), **task}
    each = [{keys for keys, text in contradictory({**merged, **cell}, way) if is_idle(text)} for cell in cells]
    return set.intersection(*each)


def _cell_errors(name: str, task: dict, regimes: dict, way: Way, found: dict) -> Errors:
    """Keys that contradict each other in some cell of the grid, and not without it."""
    grid = {key: axis_values(axis) for key, axis in grid_of(task, regimes).items() if key != "seed"}
    told = set(found)
    idle = idle_everywhere(task, regimes, way)
    for cell in cells_of(grid) if math.prod(map(len, grid.values())) <= MOST_TRAININGS else []:
        for keys, text in contradictory({**regime_of(task, regimes), **task, **cell}, way):
            if keys not in told and (not is_idle(text) or keys in idle):
                told.add(keys)
                yield ["tasks", name, "grid"], f"in the cell {shown(cell)}: {keys[0]}: {text}"


def _range_errors(path: list, grid: dict) -> Errors:
    """Whole numbers that follow each other up to one that their key does not take."""
    for key, axis in grid.items():
        if isinstance(axis, dict) and (problem := limit_problem(axis_values(axis)[-1], AXES[key])):
            text = f"a count of {axis['count']:,} from {axis['first']} on ends at {problem}; lower first or count"
            yield [*path, key, "first"], text


def _origin(task: Collection[str], regime: str) -> Any:
    return lambda key: "" if key in task else f" (inherited from the regime {regime})"


def _batch_errors(name: str, task: dict, regimes: dict, known: Known) -> Errors:
    """A batch that no training step of the view can fill."""
    full = full_entry(name, task, regimes)
    view = known.views[full["view"]]
    most = most_training_images(view, known.datasets[view["dataset"]])
    batch = max(values_of(full, "batch"))
    if most is not None and batch > most:
        within = ["grid"] if "batch" in full["grid"] else []
        origin = _origin(task.get("grid", {}) if within else task, task[ways_of(task)[0]])("batch")
        text = f"batch {shown(batch)}{origin} is larger than the training images of the view {full['view']}"
        yield ["tasks", name, *within, "batch"], f"{text}, at most {most}; lower it"


def most_training_images(view: dict[str, Any], dataset: dict[str, Any]) -> int | None:
    """No more training images than this can a view have; None where that is not known before the data are there."""
    chosen = view.get("classes")
    classes = len(chosen) if isinstance(chosen, list) else chosen or dataset.get("classes")
    caps = [cap for cap in (view.get("per_class"), view.get("cap")) if isinstance(cap, int)]
    return classes * min(caps) if classes and caps else None


def _number_errors(config: dict[str, Any]) -> Errors:
    """More runs than anything could plan, and lists of models that are too short to choose from."""
    size, counts = (config.get("population") or {}).get("size", 0), {}
    ks = config["statistics"].get("regret_k") or [1]
    if size and min(ks) > size:
        yield (
            ["statistics", "regret_k"],
            f"{ks}: every k exceeds the {size} models of the population; add a smaller one",
        )
    for name, task in config["tasks"].items():
        grid = grid_of(task, config.get("regimes") or {})
        cells = math.prod(axis["count"] if isinstance(axis, dict) else len(axis) for axis in grid.values())
        counts[name] = (len(task["models"]) if "models" in task else size * draws(task)) * cells
    if sum(counts.values()) > MOST_TRAININGS:
        largest = max(counts, key=lambda name: counts[name])
        text = f"{sum(counts.values()):,} runs are more than {MOST_TRAININGS:,}"
        yield ["tasks", largest], f"{text}, {counts[largest]:,} of them here; lower population.size or shorten the grid"
