"""The runs of one task, trained or evaluated here, made into the rows of its score table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apr.basics.problems import Problem
from apr.runs.metrics import METRICS, Metric, check_metric
from apr.runs.protocol import check_protocol, full_protocol, planned_protocol
from apr.runs.record import read_run
from apr.scores.chosen import choose
from apr.scores.table import Row, score_row

Run = dict[str, Any]


def collected(
    plan: Mapping[str, Any], paths: Sequence[str | Path], manifest: Mapping[str, Any], sources: Sequence[str | Path]
) -> list[Row]:
    """The rows of a task's score table.

    Args:
        plan: of the task: title, metric and `runs`. Of a task that is trained also its protocol, and for each name of
            a run its model, genotype and seed, and `cell` where it is one of a grid; model and genotype are None where
            the run itself has to tell, since it continues a ranked one. Else the name of the pretrained model. With
            `choose`, the part by which the cells that count are chosen.
        paths: of the runs, in the plan's order.
        manifest: of the task's view.
        sources: the runs that these start from.

    Raises:
        Problem: a run is broken, of another protocol, or of another model or seed than planned, or the metric says
            nothing about so few classes.
    """
    check_metric(plan["title"], plan["metric"], manifest)
    metric = METRICS[plan["metric"]]
    guess = metric.guess(manifest["per_class"]["test"])
    starts = {run["model"]: run for run in map(read_run, sources)}
    rows = []
    for path, planned in zip(paths, plan["runs"].values(), strict=True):
        run = read_run(path)
        if "protocol" in plan:
            _check_trained(run, plan["protocol"], planned, manifest, starts, str(path))
            cell = planned.get("cell")
        else:
            _check_evaluated(run, planned, manifest, str(path))
            cell = None
        rows.append(row_of(run, metric, guess, cell))
    return choose(rows, plan.get("choose"))


def row_of(run: Run, metric: Metric, guess: float | None, cell: Mapping[str, Any] | None = None) -> Row:
    """The row of a run."""
    outcome = run["outcome"]
    kept = {"status": outcome["status"], "seed": run["seed"], "guess": guess, "cell": cell}
    return score_row(run["model"], outcome["parts"], metric, **kept)


def _check_trained(
    run: Run, protocol: dict, planned: Mapping, manifest: Mapping[str, Any], starts: Mapping[str, Run], path: str
) -> None:
    model = planned["model"] or run["model"]
    start = starts.get(model)
    genotype = planned["genotype"] or (start["protocol"]["genotype"] if start else None)
    own = protocol | {"seed": planned["seed"]}
    check_protocol(run, full_protocol(own, genotype=genotype, manifest=manifest, source=start), path)
    if (run["model"], run["seed"]) != (model, planned["seed"]):
        raise Problem(f"{path}: is a run of {run['model']}, not of {model}; delete it and run again")


def _check_evaluated(run: Run, model: str, manifest: Mapping[str, Any], path: str) -> None:
    if run["model"] != model:
        raise Problem(f"{path}: is a run of {run['model']}, not of {model}; delete it and run again")
    expected = planned_protocol(model, manifest)
    # weights, outputs and preprocessing are known only when the weights are there
    known = {key: run["protocol"].get(key) for key in expected}
    check_protocol(run | {"protocol": known}, expected, path)
