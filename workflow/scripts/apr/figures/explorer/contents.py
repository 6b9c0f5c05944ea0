"""What the explorer shows: every model with its size and stages, every task with its scores, runs and curves."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from apr.basics.files import file_digest
from apr.basics.problems import Problem
from apr.comparisons.shape import read_population
from apr.figures.explorer.curves import Followed, follow_runs
from apr.models.anynet import Genotype
from apr.runs.metrics import METRICS
from apr.runs.ways import PUBLISHED
from apr.scores.table import CELL, Row, read_scores

# Sizes by which models are filtered and that may stand on an axis: key, title, and the factor that it is counted in.
SIZES = (
    ("depth", "Cumulative depth (blocks)", 1),
    ("width", "Cumulative width (channels)", 1),
    ("parameters_million", "Parameters (million)", 1e6),
    ("multiply_adds_million", "Multiply-adds (million)", 1e6),
)
FROM = {
    "train": "trained here",
    "finetune": "fine-tuned here",
    "probe": "probed here",
    "evaluate": "evaluated here",
    PUBLISHED: "published",
}
Plan = Mapping[str, Mapping[str, Any]]


def read_contents(
    title: str,
    plan: Plan,
    axes: Sequence[Sequence[str]],
    scores: Iterable[str | Path],
    population: str | Path | None = None,
    root: str | Path = ".",
) -> dict[str, Any]:
    """Read score tables and the runs behind them into plain values, which a page holds as JSON.

    Of several runs of a model that count (seeds, say) a task's value is the mean of those that completed.

    Args:
        title: of the study.
        plan: task -> title, way, metric and planned runs (`study.planned`).
        axes: of each panel the tasks or sizes on its two axes at first; a size that no model has becomes a task.
        scores: `<task>.csv` of each task, in the plan's order.
        population: results/population.csv, where there is one.
        root: the folder that holds results/runs.

    Returns:
        `title`; `sizes`, those that some model has; `axes`; `models`, each with its name and, where they are known,
        family, sizes and stages; `tasks`, each with name, title, metric, `of` (numbers of models) and their `values`
        (None: no completed run), `runs` {number of a model: [[which, value]]}, or `run` where all are alike, `epochs`
        and `curves` {number of a model: [values at these epochs, one list a run]}, and the digest of its table.

    Raises:
        Problem: the plan has no task, or a score table, the population or a run is missing or broken.
    """
    if not plan:
        raise Problem("the study has no task that `all` makes: give one a role other than `extra` to explore it")
    tables = {task: (path, read_scores(path)) for task, path in zip(plan, scores, strict=True)}
    followed = {task: follow_runs(task, plan[task], rows, root) for task, (_, rows) in tables.items()}
    models = _models({task: rows for task, (_, rows) in tables.items()}, plan, followed, population)
    numbers = {model["name"]: number for number, model in enumerate(models)}
    tasks = [
        _task(task, plan[task], rows, numbers, followed[task]) | {"digest": file_digest(path)[:16]}
        for task, (path, rows) in tables.items()
    ]
    sizes = [{"key": key, "title": name} for key, name, _ in SIZES if any(key in model for model in models)]
    known = {size["key"] for size in sizes} | set(plan)
    shown = [[axis if axis in known else next(iter(plan)) for axis in panel] for panel in axes]
    return {"title": title, "sizes": sizes, "axes": shown, "models": models, "tasks": tasks}


def _models(
    tables: Mapping[str, Sequence[Row]], plan: Plan, followed: Mapping[str, Followed], population: str | Path | None
) -> list[dict[str, Any]]:
    """Every model of the score tables, in the order in which they name it."""
    genotypes = {run["model"]: run["genotype"] for task in plan.values() for run in task["runs"].values()}
    counted: dict[str, dict[str, float]] = {}
    for one in followed.values():
        for name, count in one.parameters.items():
            counted.setdefault(name, {"parameters_million": count})
    if population is not None:
        drawn = read_population(population, ("params", "flops"))
        named = {"params": "parameters_million", "flops": "multiply_adds_million"}
        counted |= drawn.rename(columns=named).to_dict(orient="index")
    models: dict[str, dict[str, Any]] = {}
    for row in (row for rows in tables.values() for row in rows):
        model = models.setdefault(row["model"], {"name": row["model"]})
        if row.get("family"):
            model.setdefault("family", row["family"])
    for name, model in models.items():
        known = counted.get(name, {})
        if text := genotypes.get(name):
            genotype = Genotype.parse(text)
            known |= {"depth": genotype.cumulative_depth, "width": genotype.cumulative_width}
            model["stages"] = _stages(genotype)
        model |= {key: float(known[key]) / unit for key, _, unit in SIZES if known.get(key) is not None}
    return list(models.values())


def _stages(genotype: Genotype) -> dict[str, Any]:
    plain = {"block": genotype.block, "depths": genotype.depths, "widths": genotype.widths}
    if genotype.block == "bottleneck":
        plain |= {"bottlenecks": genotype.bottlenecks, "groups": genotype.group_widths}
    return plain


def _task(
    name: str, plan: Mapping[str, Any], rows: Sequence[Row], numbers: Mapping[str, int], followed: Followed
) -> dict[str, Any]:
    metric = METRICS[plan["metric"]]
    of_model: dict[int, list[Row]] = {}
    for row in rows:
        of_model.setdefault(numbers[row["model"]], []).append(row)
    which = {number: [[_which(row), row["value"]] for row in own] for number, own in of_model.items()}
    alike = {tuple(run[0] for run in runs) for runs in which.values()}
    single = len(alike) == 1 and len(next(iter(alike))) == 1
    return {
        "name": name,
        "title": plan["title"],
        "metric": metric.title,
        "label": metric.label,
        "unit": metric.unit,
        "best": metric.best,
        "perfect": metric.perfect,
        "from": FROM[plan["way"]],
        "of": list(of_model),
        "values": [_mean([row["value"] for row in own]) for own in of_model.values()],
        "lost": sum(row["value"] is None for row in rows),
        "count": len(rows),
        "run": next(iter(alike))[0] if single else None,
        "runs": {} if single else which,
        "epochs": followed.epochs,
        "curves": {numbers[model]: curves for model, curves in followed.curves.items()},
    }


def _mean(values: Sequence[float | None]) -> float | None:
    completed = [value for value in values if value is not None]
    return round(math.fsum(completed) / len(completed), 6) if completed else None


def _which(row: Row) -> str:
    """What tells a run from the others of its model: the cell of a grid and the seed; empty where it has neither."""
    cell = [f"{key.removeprefix(CELL)} {value}" for key, value in row.items() if key.startswith(CELL) and value]
    return ", ".join([*cell, *([] if row["seed"] is None else [f"seed {row['seed']}"])])
