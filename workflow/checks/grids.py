"""Errors of the grids of tasks, and of what is chosen among their cells."""

from collections.abc import Iterator
from typing import Any

from apr.basics.values import shown, value_problem
from apr.runs.ways import AXES, WAYS
from checks.data import Errors, Known
from study.tasks import axis_values, cell_name, cells_of, flat, full_entry, grid_of, keys_of, values_of, ways_of


def grid_errors(name: str, task: dict, regimes: dict) -> Errors:
    """Axes that the way does not have, values that it does not take, and cells that would share a name."""
    way = ways_of(task)[0]
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


def _wrong_values(key: str, values: Any, way: str, together: bool) -> Iterator[str]:
    """What is wrong with values of a key that the schema, which has the bounds of all ways, lets through."""
    for value in values if together or WAYS[way].keys[key] != AXES[key] else ():
        if text := value_problem(value, WAYS[way].keys[key]):
            yield f"{key}: {text}"


def choice_errors(name: str, task: dict, regimes: dict, known: Known) -> Errors:
    """A choice without cells, or without the part of the images on which it is made."""
    if ways_of(task)[0] == "finetune":
        full = {**WAYS["finetune"].unsaid, **full_entry(name, task, regimes)}
        if "best" in values_of(full, "keep_epoch") and not _part_of(name, task, "validation", known):
            source = known.views[task.get("view", name)]["dataset"]
            text = f"keep_epoch: best chooses an epoch by validation images, and {source} has none; give it some, "
            remedy = f"datasets: {{{source}: {{split: {{validation_fraction: 0.1}}}}}}, or set keep_epoch: last"
            yield ["tasks", name, "view" if "view" in task else "finetune"], text + remedy
    if "choose" not in task:
        return
    path = ["tasks", name, "choose"]
    if not grid_of(task, regimes):
        yield path, "chooses among the cells of a grid, and there is none; give one, or remove it"
    part, source = task["choose"]["by"], known.views[task.get("view", name)]["dataset"]
    if not _part_of(name, task, part, known):
        text = f"{source} has no {part} part; give it one, datasets: {{{source}: {{split: {{{part}_fraction: 0.1}}}}}}"
        yield path, text


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
