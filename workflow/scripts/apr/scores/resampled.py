"""What the kept outputs of a task's runs tell beyond its score table: scores on resampled images, and what runs cost.

`results/resampled/<task>.npz` has a row for each run that counts and completed, in the order of the score table. It is
made once from all outputs, so that tables and figures need not read them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apr.basics.files import atomic_path
from apr.basics.problems import Problem
from apr.basics.randomness import generator
from apr.data.sources.npz import load_npz, save_npz
from apr.runs.record import read_run
from apr.scores.outputs import Outputs, check_same_images, read_outputs
from apr.scores.table import YES, Row, read_scores
from apr.statistics.outputs import Statistic, image_weights, statistic

COSTS = ("parameters", "multiply_adds", "images_per_second", "resolution", "weights_resolution")
CLOSE = 1e-3  # points between a score table and the outputs


@dataclass(frozen=True)
class Resampled:
    """Runs that count, and their test images.

    Attributes:
        models: full name of each run's model, [runs].
        values: the metric of the task, [runs].
        draws: the same on resampled test images (groups of them, where there are any), alike for all runs of a view,
            float32 [runs, resamples].
        costs: of COSTS: parameters, multiply-adds of an image, images a second while evaluating, and the sizes in
            pixels of the pictures and of those that the weights were made for, [runs]; NaN: unknown.
        images, groups: how many there are in the test part; 0 groups: each image stands for itself.
        positives: how many test images have each class or label, by its name.
    """

    models: list[str]
    values: NDArray[np.float64]
    draws: NDArray[np.float32]
    costs: dict[str, NDArray[np.float64]]
    images: int
    groups: int
    positives: dict[str, int]

    def of_models(self, task: str, seed: int) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
        """Models, their mean values over seeds [models], and draws [models, resamples] of images and seeds."""
        names = list(dict.fromkeys(self.models))
        values, draws = np.empty(len(names)), np.empty((len(names), self.draws.shape[1]))
        for i, name in enumerate(names):
            rows = [row for row, model in enumerate(self.models) if model == name]
            values[i] = self.values[rows].mean()
            random = generator("seeds", task, name, seed)
            drawn = random.integers(len(rows), size=(len(rows), self.draws.shape[1]))
            draws[i] = np.take_along_axis(self.draws[rows].astype(float), drawn, axis=0).mean(axis=0)
        return names, values, draws

    def cost(self, name: str) -> dict[str, float]:
        """Mean of a cost over the runs of each model that know it."""
        known: dict[str, list[float]] = {}
        for model, value in zip(self.models, self.costs[name], strict=True):
            if not np.isnan(value):
                known.setdefault(model, []).append(float(value))
        return {model: float(np.mean(values)) for model, values in known.items()}


def resample(
    table: str | Path,
    runs: Sequence[str | Path],
    outputs: Sequence[str | Path],
    view: Mapping[str, Any],
    resamples: int,
    seed: int,
) -> Resampled:
    """Read the outputs of the runs that count, and score them on resampled test images.

    Args:
        table: the score table of the task, a row for each of `runs`, in their order.
        runs: all runs of the task.
        outputs: of the runs, in their order.
        view: manifest of the task's view. Tasks of one view have the same resamples.
        resamples: of the test images.
        seed: of the resamples.

    Raises:
        Problem: files of other runs or images are mixed, a run has no outputs, or they give another score.
    """
    rows = read_scores(table, all_cells=True)
    if len(rows) != len(runs):
        raise Problem(f"{table}: has {len(rows)} runs, the task {len(runs)}; delete it and run again")
    counted = [
        (row, str(run), str(kept))
        for row, run, kept in zip(rows, runs, outputs, strict=True)
        if row["chosen"] == YES and row["status"] == "completed"
    ]
    if not counted:
        raise Problem(f"{table}: no run completed, so that there is nothing to compare; look at the runs that diverged")
    records, found = [], {}
    for row, run, kept in counted:
        record = read_run(run)
        if record["model"] != row["model"]:
            raise Problem(
                f"{run}: is a run of {record['model']}, not of {row['model']} as in {table}; delete the table"
            )
        records.append(record)
        found[kept] = read_outputs(kept, record.get("outputs"))
    check_same_images(found)
    first = next(iter(found.values()))
    ways = [_statistic(kept, outputs, rows[0]["metric"]) for kept, outputs in found.items()]
    values = [_value(kept, way, len(first.labels), row) for (row, _, kept), way in zip(counted, ways, strict=True)]
    weights = image_weights(len(first.labels), first.groups, resamples, view["view"], seed)
    draws = np.concatenate([np.stack([way(part) for way in ways]) for part in weights], axis=1)
    return Resampled(
        models=[row["model"] for row, _, _ in counted],
        values=np.array(values),
        draws=draws.astype(np.float32),
        costs={name: np.array([_cost(record, name) for record in records]) for name in COSTS},
        images=len(first.labels),
        groups=0 if first.groups is None else len(np.unique(first.groups)),
        positives=_positives(first, view["classes"], str(table)),
    )


def write_resampled(path: str | Path, found: Resampled) -> None:
    """Write an npz file atomically; equal numbers give equal bytes."""
    arrays = {"models": np.array(found.models), "values": found.values, "draws": found.draws, **found.costs}
    arrays |= {"images": np.array([found.images, found.groups])}
    arrays |= {"labels": np.array(list(found.positives)), "positives": np.array(list(found.positives.values()))}
    with atomic_path(path) as part:
        save_npz(part, arrays)


def read_resampled(path: str | Path) -> Resampled:
    """Read what `write_resampled` wrote.

    Raises:
        Problem: the file is missing, damaged, or laid out otherwise.
    """
    if not Path(path).is_file():
        raise Problem(f"{path}: no such file; let Snakemake make it")
    arrays = load_npz(Path(path))
    try:
        images, groups = map(int, arrays["images"])
        counts = zip(arrays["labels"].tolist(), arrays["positives"].tolist(), strict=True)
        costs = {name: arrays[name] for name in COSTS}
        models = arrays["models"].tolist()
        if {len(values) for values in (arrays["values"], arrays["draws"], *costs.values())} != {len(models)}:
            raise ValueError("its rows differ in number")
        return Resampled(models, arrays["values"], arrays["draws"], costs, images, groups, dict(counts))
    except (KeyError, ValueError) as error:
        raise Problem(f"{path}: is laid out by another version ({error}); delete it and run again") from error


def _statistic(path: str, outputs: Outputs, metric: str) -> Statistic:
    try:
        return statistic(metric, outputs.scores, outputs.labels)
    except ValueError as error:
        raise Problem(f"{path}: {error}; let the task report another metric") from error


def _value(path: str, way: Statistic, images: int, row: Row) -> float:
    """The value of the score table, if the outputs give it."""
    value = float(way(np.ones((1, images)))[0])
    if not abs(value - row["value"]) <= CLOSE:
        raise Problem(
            f"{path}: gives {row['metric']} {value:.4f}, the score table {row['value']:.4f}: one of them is of "
            f"another run; delete run, outputs and table of {row['model']} and run again"
        )
    return float(row["value"])


def _cost(record: Mapping[str, Any], name: str) -> float:
    known = dict(record.get("cost") or {})
    known["images_per_second"] = (record.get("timing") or {}).get("evaluated_images_per_second")
    known["resolution"] = (record["protocol"].get("input") or {}).get("resolution")
    known["weights_resolution"] = record["provenance"].get("weights_resolution")
    value = known.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")


def _positives(outputs: Outputs, classes: Sequence[str], table: str) -> dict[str, int]:
    labels, known = outputs.labels, outputs.scores.shape[1]
    if known != len(classes):
        raise Problem(f"{table}: its runs tell {known} classes apart, the view has {len(classes)}; delete the runs")
    counts = labels.sum(axis=0, dtype=int) if labels.ndim == 2 else np.bincount(labels, minlength=known)
    return dict(zip(map(str, classes), counts.tolist(), strict=True))
