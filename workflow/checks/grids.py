"""Errors of the grids of tasks, and of what is chosen among their cells."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from apr.basics.values import shown, value_problem
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
