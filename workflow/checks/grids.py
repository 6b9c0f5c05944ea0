"""Errors of the grids of tasks, and of what is chosen among their cells."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from apr.basics.values import limit_problem, shown, value_problem
from apr.runs.ways import AXES, WAYS
from checks.data import Errors, Known
from study.tasks import axis_values, cell_name, cells_of, flat, full_entry, grid_of, keys_of, values_of, ways_of

MOST_COMPARED = 10_000  # cells of a grid


def grid_errors(name: str, task: dict, regimes: dict) -> Errors:
    """Axes that the way does not have, values that it does not take, and cells that would share a name."""
    way = ways_of(task)[0]
    yield from _idle_errors(name, task, regimes, way)
    for axis, values in grid_of(task, regimes).items():
        path = ["tasks", name] if axis in task.get("grid", {}) else ["regimes", task[way]]
        path, keys = [*path, "grid", axis], keys_of(axis)
        foreign = [key for key in keys if key in AXES and key not in WAYS[way].keys]
        if foreign:
            yield path, f"{foreign[0]} is no key of a regime to {way}; remove it, or name another regime"
            continue
        if keys[1:]:
            odd = [one for one in values if len(one) != len(keys)]
            if odd:
                yield (
                    path,
                    f"{shown(odd[0])} has {len(odd[0])} values for the {len(keys)} keys {axis}; write one for each",
                )
                continue
        if set(keys) <= AXES.keys():
            wrong = [
                text
                for key, own in flat({axis: values}).items()
                for text in _wrong_values(key, own, way, bool(keys[1:]))
            ]
            if wrong:
                yield path, wrong[0]
        names = [cell_name(cell) for cell in cells_of({axis: axis_values(values)})]
        double = next((text for text in names if names.count(text) > 1), None)
        if double and set(keys) <= AXES.keys():
            yield path, f"two of its values would name their runs {double}; remove one"
        for key in keys:
            if key in task:
                yield ["tasks", name, key], "stands beside an axis of the grid that sets it; remove one of them"


def _idle_errors(name: str, task: dict, regimes: dict, way: str) -> Errors:
    """Axes that nothing reads in any cell, and cells that differ in nothing that is read."""
    grid = grid_of(task, regimes)
    full, only_with = {**WAYS[way].unsaid, **full_entry(name, task, regimes)}, WAYS[way].only_with
    whole = all(len(value) == len(keys_of(axis)) for axis, of in grid.items() if keys_of(axis)[1:] for value in of)
    if not whole:  # an error of its own
        return
    idle = False
    for axis in grid:
        for key in keys_of(axis):
            other, value = only_with.get(key, (key, None))
            if other != key and value not in values_of(full, other):
                idle, path = True, ["tasks", name] if axis in task.get("grid", {}) else ["regimes", task[way]]
                says = shown(values_of(full, other)[0])
                what = f"{key} does nothing in any cell, since {other} is {says}"
                yield [*path, "grid", axis], f"{what}; take it out, or set {other}: {value}"
    axes = {axis: axis_values(values) for axis, values in grid.items()}
    unread = any(key in only_with for axis in grid for key in keys_of(axis))
    if idle or not unread or math.prod(map(len, axes.values())) > MOST_COMPARED:
        return
    read: dict[tuple, dict] = {}
    for cell in cells_of(axes):
        merged = {**full, **cell}
        kept = {key: merged[key] for key in cell if key not in only_with or _is_read(key, merged, only_with)}
        same = read.setdefault(tuple((key, repr(value)) for key, value in kept.items()), cell)
        if same is not cell:
            idle_keys = ", ".join(key for key in cell if key not in kept)
            text = f"the cells {shown(same)} and {shown(cell)} are one, since {idle_keys} does nothing there; keep one"
            yield ["tasks", name, "grid"], f'{text}, by an axis of several keys, as "{", ".join(grid)}": [[…], …]'
            return


def _is_read(key: str, protocol: dict, only_with: Mapping[str, tuple[str, str]]) -> bool:
    other, value = only_with[key]
    return protocol[other] == value


def _wrong_values(key: str, values: Any, way: str, together: bool) -> Iterator[str]:
    """What is wrong with values of a key that the schema, which has the bounds of all ways, lets through."""
    for value in values if together or WAYS[way].keys[key] != AXES[key] else ():
        if text := value_problem(value, WAYS[way].keys[key]):
            yield f"{key}: {text}"


def choice_errors(name: str, task: dict, regimes: dict, known: Known) -> Errors:
    """A choice without cells, or without the part of the images on which it is made."""
    way = ways_of(task)[0]
    full = {**WAYS[way].unsaid, **full_entry(name, task, regimes)}
    choices = {
        "finetune": (
            "keep_epoch: best chooses an epoch",
            "set keep_epoch: last",
            "best" in values_of(full, "keep_epoch"),
        ),
        "probe": ("strengths: one is chosen", "say one alone, as strengths: [1.0]", _tries_strengths(full)),
    }
    what, otherwise, chooses = choices.get(way, ("", "", False))
    if chooses and not _part_of(name, task, "validation", known):
        source = known.views[task.get("view", name)]["dataset"]
        text = f"{what} by validation images, and {source} has none; give it some, "
        remedy = f"datasets: {{{source}: {{split: {{validation_fraction: 0.1}}}}}}, or {otherwise}"
        yield ["tasks", name, "view" if "view" in task else way], text + remedy
    if "choose" not in task:
        return
    path = ["tasks", name, "choose"]
    if not grid_of(task, regimes):
        yield path, "chooses among the cells of a grid, and there is none; give one, or remove it"
    part, source = task["choose"]["by"], known.views[task.get("view", name)]["dataset"]
    if not _part_of(name, task, part, known):
        text = f"{source} has no {part} part; give it one, datasets: {{{source}: {{split: {{{part}_fraction: 0.1}}}}}}"
        yield path, text
    if "seeds" in task["choose"]:
        yield from ([[*path, "seeds"], text] for text in _seed_faults(task, full))


def _seed_faults(task: dict, full: dict) -> Iterator[str]:
    """What is wrong with the seeds of a chosen cell."""
    seeds, way = task["choose"]["seeds"], ways_of(task)[0]
    if way != "finetune":
        yield f"trains a chosen cell again, and only fine-tunings are; this task has {way}: remove it"
        return
    if isinstance(seeds, dict) and (text := limit_problem(axis_values(seeds)[-1], AXES["seed"])):
        yield f"a count of {seeds['count']:,} from {seeds['first']} on ends at {text}; lower first or count"
    if "seed" in full["grid"]:
        yield "stands beside an axis of the grid that sets the seed of all cells; remove one of them"
    elif (own := full.get("seed")) in axis_values(seeds):
        yield f"{own} is the seed of the grid's own runs; take others"


def search_errors(name: str, task: dict, regimes: dict) -> Errors:
    """A search that tries nothing, or whose cells cannot be compared on the way."""
    if "search" not in task:
        return
    path, way, search = ["tasks", name, "search"], ways_of(task)[0], task["search"]
    full = {**WAYS[way].unsaid, **full_entry(name, task, regimes)}
    if not full["grid"]:
        yield path, "tries cells of a grid, and there is none; give one, or remove it"
        return
    if not task.get("choose"):
        yield path, "ends with the best cell of each model; add choose: {by: validation}"
    if not {"cells", "halving"} & search.keys():
        yield path, "says neither cells nor halving; give one of them, or remove it"
    if "seed" in search and "cells" not in search:
        yield [*path, "seed"], "draws cells, and there is no number of them; add cells, or remove it"
    count = math.prod(len(axis_values(axis)) for axis in full["grid"].values())
    if search.get("cells", 0) > count:
        yield [*path, "cells"], f"{search['cells']} are more than the {count} cells of the grid; lower it"
    lacking = [key for key in ("halving", "from_epochs") if key not in search]
    if len(lacking) == 1:
        yield [*path, *({"halving", "from_epochs"} - {*lacking})], f"goes with {lacking[0]}; give both, or none"
    elif not lacking:
        yield from ([[*path, key], text] for key, text in _halving_faults(search, full, way, count))


def _halving_faults(search: dict, full: dict, way: str, count: int) -> Iterator[tuple[str, str]]:
    """Why cells cannot be compared before they end, by the key that says so."""
    if way != "finetune":
        yield "halving", f"pauses fine-tunings, and this task has {way}; keep cells alone, or remove the search"
        return
    for key, remedy in (("epochs", "give all cells as many"), ("seed", "say seeds under choose")):
        if key in flat(full["grid"]):
            yield "halving", f"compares cells, and {key} is an axis of the grid; {remedy}, or remove halving"
            return
    epochs = full["epochs"]
    if search["from_epochs"] >= epochs:
        yield "from_epochs", f"{search['from_epochs']} is not less than the {epochs} epochs of a whole run; lower it"
    if count < 2:
        yield "halving", "compares cells, and there is one; give the grid more, or remove the search"


def _tries_strengths(full: dict) -> bool:
    """Whether a probe tries several strengths in some cell."""
    return "logistic" in values_of(full, "classifier") and len(full.get("strengths") or ()) > 1


def _part_of(name: str, task: dict, part: str, known: Known) -> bool:
    """Whether a task's dataset has a part: shipped, or cut out of train."""
    dataset = known.datasets[known.views[task.get("view", name)]["dataset"]]
    return bool(_ships(dataset, part) or dataset["split"].get(f"{part}_fraction"))


def _ships(dataset: dict, part: str) -> bool:
    """Whether an option names a part that is shipped, and a column or a pattern says of each image which it is in."""
    options = dataset["options"]
    said = {"csv_labels": options.get("split"), "file_names": "(?P<split>" in str(options.get("pattern"))}
    named = any(value for option, value in options.items() if option.startswith(part))
    return named and bool(said.get(dataset.get("format"), True))
