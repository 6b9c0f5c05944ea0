"""The runs of one task, trained or evaluated here, made into the rows of its score table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apr.basics.problems import Problem
from apr.runs.metrics import METRICS, Metric, check_metric, guess_of, part_of
from apr.runs.protocol import check_protocol, full_protocol, planned_protocol
from apr.runs.record import DROPPED, read_run
from apr.runs.ways import WAYS
from apr.scores.chosen import choose
from apr.scores.table import YES, Row, score_row

Run = dict[str, Any]


def collected(
    plan: Mapping[str, Any], paths: Sequence[str | Path], manifest: Mapping[str, Any], sources: Sequence[str | Path]
) -> list[Row]:
    """The rows of a task's score table.

    Args:
        plan: of the task: title, way, metric, protocol (None of one that is evaluated), the part by which it chooses
            among the cells of a grid, if it does, `rungs` where a search drops some, and `runs`, for each name its
            model, genotype, seed and cell; model and genotype are None where the run itself has to tell, since it
            continues a ranked one, and one with a `choice` is of the cell that is chosen.
        paths: of the runs, in the plan's order.
        manifest: of the task's view.
        sources: the runs that these start from.

    Raises:
        Problem: a run is broken, of another protocol, or of another model or seed than planned, or the metric says
            nothing about so few classes.
    """
    check_metric(plan["title"], plan["metric"], manifest)
    metric = METRICS[plan["metric"]]
    guess = guess_of(metric, manifest)
    starts = {run["model"]: run for run in map(read_run, sources)}
    rows, again = [], []
    for path, planned in zip(paths, plan["runs"].values(), strict=True):
        run = read_run(path)
        model = planned["model"] or run["model"]
        if (run["model"], run["seed"]) != (model, planned["seed"]):
            raise Problem(f"{path}: is a run of {run['model']}, not of {model}; delete it and run again")
        if "choice" in planned:
            again.append((len(rows), run, planned, str(path)))
        else:
            check_current(run, plan, planned, manifest, starts.get(model), str(path))
        rows.append(row_of(run, metric, guess, cell_of(planned, run)))
        if rows[-1]["status"] == "completed" and rows[-1]["value"] is None:
            raise Problem(
                f"{path}: keeps nothing that {metric.name} is computed from; delete the file to make the run again, if "
                "it is older than the metric, or let the task report another one"
            )
    try:
        rows = choose(rows, plan["choose"], {number for number, *_ in again})
    except ValueError as error:
        remedy = f"give its dataset that part, split: {{{plan['choose']}_fraction: 0.1}}, or remove choose"
        raise Problem(f"task {plan['title']}: choose: {error}; {remedy}") from None
    cells = [planned["cell"] for planned in plan["runs"].values()]
    chosen = {row["model"]: cell for row, cell in zip(rows, cells, strict=True) if row["chosen"] == YES and cell}
    for _, run, planned, path in again:
        check_current(run, plan, planned | {"cell": chosen[run["model"]]}, manifest, None, path)
    return rows


def cell_of(planned: Mapping[str, Any], run: Run) -> dict[str, Any]:
    """What the cell of a planned run changes, which only the run tells where its cell was chosen."""
    return (run.get("choice") or {}).get("cell", {}) if "choice" in planned else planned["cell"]


def row_of(run: Run, metric: Metric, guess: float | None, cell: Mapping[str, Any] | None = None) -> Row:
    """The row of a run; one that was dropped has no score on the test part, for which it was not trained enough."""
    outcome = run["outcome"]
    parts = outcome["parts"]
    if outcome["status"] == DROPPED:
        parts = parts | {"test": part_of(parts["test"]["n"])}
    kept = {"status": outcome["status"], "seed": run["seed"], "guess": guess, "cell": cell}
    return score_row(run["model"], parts, metric, **kept)


def check_current(
    run: Run,
    plan: Mapping[str, Any],
    planned: Mapping[str, Any],
    images: Mapping[str, Any],
    start: Run | None,
    path: str,
) -> None:
    """Refuse a run that was not made as its task says.

    Args:
        plan: of the task: way, metric and protocol.
        planned: the run's model, genotype, seed and cell.
        images: of the view, its manifest.
        start: the run that it starts from, if any.

    Raises:
        Problem: names what differs.
    """
    expected = protocol_now(plan, planned | {"model": planned["model"] or run["model"]}, images, start)
    # of pretrained models weights, outputs and preprocessing are known only when the weights are there
    known = run["protocol"] if whole(plan) else {key: run["protocol"].get(key) for key in expected}
    check_protocol(run | {"protocol": known}, expected, path)
    if dropped_otherwise(run, plan):
        text = f"was dropped after epoch {run['rung']['epochs']} by another search than the study's, if it has one"
        raise Problem(f"{path}: {text}. Delete the file to train it on")


def dropped_otherwise(run: Mapping[str, Any], plan: Mapping[str, Any]) -> bool:
    """Whether a run was dropped at a rung that its task does not have."""
    return bool(run.get("rung")) and run["rung"] not in plan.get("rungs", ())


def whole(plan: Mapping[str, Any]) -> bool:
    """Whether a study knows the whole protocol of a task's runs beforehand."""
    return not WAYS[plan["way"]].pretrained


def protocol_now(plan: Mapping[str, Any], planned: Mapping[str, Any], images: Mapping, start: Run | None) -> dict:
    """The protocol of a planned run, as far as it is known, as the study would make it now.

    The arguments are those of `check_current`.
    """
    way = WAYS[plan["way"]]
    if not way.trains:
        return planned_protocol(planned["model"], images)
    seed = {} if planned["seed"] is None else {"seed": planned["seed"]}
    own = {**plan["protocol"], **planned["cell"], **seed}
    if not whole(plan):
        return way.planned(planned["model"], own, plan["metric"], images)
    genotype = planned["genotype"] or (start["protocol"]["genotype"] if start else None)
    return full_protocol(own, genotype=genotype, manifest=images, source=start)
