"""The runs behind a score table: how each one's score went over the epochs, and how many parameters its model has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apr.basics.escaping import plain
from apr.runs.metrics import METRICS
from apr.runs.record import read_run
from apr.scores.table import CELL, Row

POINTS = 20  # of a curve, the first and the last epoch among them: 500 models on 30 tasks stay a page of a few MB
MOST = 5  # curves of a model
Curve = list[float | None]


@dataclass(frozen=True)
class Followed:
    """Of one task: the epochs that are shown, each model's curves at these (None: no value), and its parameters."""

    epochs: list[int]
    curves: dict[str, list[Curve]]
    parameters: dict[str, int]


def follow_runs(task: str, plan: Mapping[str, Any], rows: Sequence[Row], root: str | Path) -> Followed:
    """Read the runs that count: the task's metric on the test images after up to POINTS epochs, to four digits.

    Args:
        task: its name.
        plan: of the task: its metric, and `runs`, for each name its model, seed and cell; a model is None where the run
            itself tells it.
        rows: of its score table, those that count.
        root: the folder that holds results/runs.

    Raises:
        Problem: a run is missing or broken.
    """
    metric = METRICS[plan["metric"]]
    found: list[tuple[str, dict[int, float]]] = []
    parameters: dict[str, int] = {}
    for model, run in _counting(task, plan, rows, root):
        tested = {entry["epoch"]: entry["parts"].get("test") for entry in run["history"] if "epoch" in entry}
        values = {epoch: metric.of(part) for epoch, part in tested.items() if part}
        found.append((model, {epoch: value for epoch, value in values.items() if value is not None}))
        if "cost" in run:
            parameters.setdefault(model, run["cost"]["parameters"])
    epochs = _thinned(sorted({epoch for _, values in found for epoch in values}))
    curves: dict[str, list[Curve]] = {}
    for model, values in found:
        own = curves.setdefault(model, [])
        if values and len(own) < MOST:
            own.append([float(f"{values[epoch]:.4g}") if epoch in values else None for epoch in epochs])
    return Followed(epochs, {model: own for model, own in curves.items() if own}, parameters)


def _counting(
    task: str, plan: Mapping[str, Any], rows: Sequence[Row], root: str | Path
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The runs that the rows are of, each with its model."""
    axes = [name for name in (rows[0] if rows else ()) if name.startswith(CELL)]
    wanted = {_key(row["model"], row["seed"], [row[axis] for axis in axes]) for row in rows}
    for name, planned in plan["runs"].items():
        cell = [planned["cell"].get(axis.removeprefix(CELL)) for axis in axes]
        if planned["model"] is None or _key(planned["model"], planned["seed"], cell) in wanted:
            run = read_run(str(Path(root, "results/runs", task, f"{name}.json")))
            if _key(run["model"], run["seed"], cell) in wanted:
                yield plain(run["model"]), run


def _key(model: str, seed: int | None, cell: Sequence[Any]) -> tuple[str, ...]:
    return plain(model), *("" if value is None else str(value) for value in (seed, *cell))


def _thinned(epochs: list[int]) -> list[int]:
    """Up to POINTS of them, evenly, with both ends."""
    steps = min(len(epochs), POINTS) - 1
    return [epochs[round(i * (len(epochs) - 1) / steps)] for i in range(steps + 1)] if steps > 0 else epochs
