"""Cells of a grid that are compared before their runs end: how far each has come, which go on, and which is chosen.

A rung is {epochs, of, stay}: after so many `epochs`, `stay` of the `of` cells of a model that are left go on. How far a
run has come by then is a run's JSON whose outcome is `paused` (or `diverged`, or `dropped` at an earlier rung), with
the history up to there.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apr.basics.files import read_json
from apr.basics.problems import Problem
from apr.runs.metrics import METRICS
from apr.runs.record import DIVERGED, DROPPED, PAUSED, read_run

Run = dict[str, Any]
REMEDY = "delete it, and run again"

log = logging.getLogger("apr")


def read_rung(path: str | Path) -> Run:
    """How far a run has come.

    Raises:
        Problem: the file is missing, broken, or is no such run.
    """
    return read_run(str(path), (PAUSED, DIVERGED, DROPPED))


def paused(run: Run, epochs: int) -> Run:
    """How far a run had come after so many epochs; it may have gone on since, or have diverged by then."""
    history = run["history"][:epochs]
    if run["outcome"]["status"] == DIVERGED and len(history) < epochs:
        return run
    outcome = {"status": PAUSED, "epoch": epochs, "parts": history[-1]["parts"]}
    return {key: value for key, value in run.items() if key != "outputs"} | {"outcome": outcome, "history": history}


def halved(runs: Sequence[Run], rung: Mapping[str, int], metric: str) -> dict[str, Any]:
    """Which cells of a model go on: those that are best on the validation images, of equal ones the first.

    A cell that diverged does not go on, even where fewer than `stay` are left.

    Args:
        runs: how far each has come, in the order of the grid.
        rung: where.
        metric: of the task.

    Returns:
        The rung, the metric, and under `cells`, of each run, fingerprint, status, value on the validation images (%;
        None where it diverged) and `goes_on`.

    Raises:
        Problem: a run was not evaluated on validation images.
    """
    values = [_value(run, metric) for run in runs]
    left = [number for number, run in enumerate(runs) if run["outcome"]["status"] == PAUSED]
    best = sorted(left, key=lambda number: METRICS[metric].loss(values[number]))[: rung["stay"]]
    if not best:
        log.warning(
            "%s: no cell is left after epoch %d: all that had not been dropped diverged",
            runs[0]["model"],
            rung["epochs"],
        )
    cells = [
        {"fingerprint": run["fingerprint"], "status": run["outcome"]["status"], "value": value, "goes_on": i in best}
        for i, (run, value) in enumerate(zip(runs, values, strict=True))
    ]
    return {**rung, "metric": metric, "cells": cells}


def mean_epochs(rungs: Sequence[Mapping[str, int]], epochs: int) -> float:
    """Epochs that a cell is trained for in the mean, if none diverges; all of them where there are no rungs."""
    if not rungs:
        return epochs
    ends = [*(rung["epochs"] for rung in rungs), epochs]
    counts = [*(rung["of"] for rung in rungs), rungs[-1]["stay"]]
    return sum(n * (end - before) for n, end, before in zip(counts, ends, [0, *ends[:-1]], strict=True)) / counts[0]


def settled(path: str | Path, halving: str | Path, planned: str) -> Run | None:
    """The run of a cell that does not go on from a rung, diverged or dropped; None of one that does.

    Args:
        path: how far the run has come there.
        halving: which cells go on from there, as `halved` tells.
        planned: the digest of what the study knows of the run's protocol.

    Raises:
        Problem: the files are of other runs than this one.
    """
    run, found = read_rung(path), read_json(halving)
    if run.get("planned") != planned:
        raise Problem(f"{path}: is of another protocol than this run; {REMEDY}")
    if run["outcome"]["status"] != PAUSED:
        return run
    cell = next((one for one in found.get("cells", ()) if one["fingerprint"] == run["fingerprint"]), None)
    if cell is None:
        raise Problem(f"{halving}: says nothing of the run of {path}; {REMEDY}")
    if cell["goes_on"]:
        return None
    rung = {key: found[key] for key in ("epochs", "of", "stay")}
    log.info("dropped after epoch %(epochs)d: %(stay)d of %(of)d cells go on, and this is none of them", rung)
    return run | {"outcome": run["outcome"] | {"status": DROPPED}, "rung": rung}


def read_choice(path: str | Path) -> dict[str, Any]:
    """Which cell of a model was chosen: task, model, by, run, cell and status of `apr.scores.choice.chosen_cell`.

    Raises:
        Problem: the file is missing, or is no choice.
    """
    found = read_json(path)
    if not isinstance(found.get("cell"), dict) or not isinstance(found.get("run"), str):
        raise Problem(f"{path}: does not say which cell was chosen; delete it, and run again")
    return found


def _value(run: Run, metric: str) -> float | None:
    if run["outcome"]["status"] == DIVERGED:
        return None
    parts = run["outcome"]["parts"]
    value = METRICS[metric].of(parts["validation"]) if "validation" in parts else None
    if value is None:
        raise Problem(f"{run['model']} on {run['task']}: has no {metric} of validation images; give the view some")
    return value
