"""The JSON of a run: what was trained, how, and what came of it."""

import csv
from collections.abc import Sequence
from pathlib import Path
from string import ascii_lowercase, digits
from typing import Any

from apr.basics.files import digest_of, read_json
from apr.basics.problems import Problem
from apr.runs.protocol import check_protocol, full_protocol

SCHEMA = 1
COLUMNS = [
    "model",
    "n",
    "correct_top1",
    "correct_top5",
    "error",
    "top1_error",
    "top5_error",
    "train_error",
    "status",
    "seed",
]
TOP5_CLASSES = 6  # with five classes or fewer every answer is among the five best


def new_run(
    *,
    task: str,
    model: str,
    protocol: dict,
    outcome: dict,
    history: list,
    timing: dict,
    provenance: dict,
    weights: str | None = None,
    rank: str | None = None,
) -> dict:
    """Assemble a run. Everything but `timing` is the same whenever the run is repeated on the same machine.

    weights: digest of the weights that were kept for other runs; rank: of the model in its source's task (best1).
    """
    return {
        "schema": SCHEMA,
        "task": task,
        "model": model,
        **({"rank": rank} if rank else {}),
        "seed": protocol["seed"],
        "protocol": protocol,
        "fingerprint": digest_of(protocol),
        "weights": weights,
        "outcome": outcome,
        "history": history,
        "provenance": provenance,
        "timing": timing,
    }


def asked_for(plan: dict, root: str | Path) -> dict:
    """The plan without those `extra` tasks of which no run is there: nobody asked for them."""
    return {
        task: entry
        for task, entry in plan.items()
        if not entry.get("extra") or any(Path(root, "results/runs", task).glob("*.json"))
    }


def ranked_model(errors: str | Path, rank: str) -> str:
    """The model at a rank such as best1 (the least error) or worst2 of an error table; ties go by the model's id.

    Raises:
        Problem: the table has fewer completed runs than that.
    """
    with open(errors, newline="", encoding="utf-8") as file:
        rows = [(float(row["error"]), row["model"]) for row in csv.DictReader(file) if row["status"] == "completed"]
    end, number = rank.rstrip(digits), int(rank.lstrip(ascii_lowercase))
    if 2 * number > len(rows):
        raise Problem(f"{errors}: {len(rows)} completed runs are too few for {rank}; lower the task's ranks")
    rows.sort(reverse=end == "worst")
    return rows[number - 1][1]


def read_run(path: str) -> dict:
    """Read and check a run's JSON.

    Raises:
        Problem: it is missing, not JSON, lacks a part or contradicts itself.
    """
    run = read_json(path)
    missing = {"task", "model", "seed", "protocol", "fingerprint", "outcome", "history"} - set(run)
    if missing:
        raise Problem(f"{path}: lacks {', '.join(sorted(missing))}; delete it and run again")
    if digest_of(run["protocol"]) != run["fingerprint"]:
        raise Problem(f"{path}: its protocol was edited after the run (fingerprint differs); delete it and run again")
    outcome = run["outcome"]
    if outcome.get("status") not in ("completed", "diverged"):
        raise Problem(f"{path}: status {outcome.get('status')!r} is neither completed nor diverged; delete it")
    if outcome["status"] == "completed":
        counts = [c for c in (outcome["correct_top1"], outcome["correct_top5"], outcome["n"]) if c is not None]
        if counts != sorted(counts) or outcome["n"] < 1 or counts[0] < 0:
            raise Problem(f"{path}: impossible counts {outcome}; delete it and run again")
    return run


def check_reported(task: str, reported: str, manifest: dict) -> None:
    """Refuse the top-5 error of a view with five classes or fewer, where every answer is among the five best.

    Raises:
        Problem: names task, view and remedy.
    """
    classes = len(manifest["classes"])
    if reported == "top5" and classes < TOP5_CLASSES:
        text = f"says nothing about the {classes} classes of the view {manifest['view']}; set error: top1"
        raise Problem(f"task {task}: error: top5 {text}")


def error_rows(plan: dict, paths: Sequence[str], manifest: dict, sources: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of a task's error table.

    Args:
        plan: of the task: reported (top1 or top5), protocol, and `runs`, for each name its model, genotype and seed;
            model and genotype are None where the run itself has to tell, since it continues a ranked one.
        paths: of the runs, in the plan's order.
        manifest: of the task's view.
        sources: the runs that these start from.

    Raises:
        Problem: a run is broken, of another protocol, or of another model or seed than planned, or there is no
            top-5 error of so few classes.
    """
    check_reported(plan["title"], plan["reported"], manifest)
    starts = {run["model"]: run for run in map(read_run, sources)}
    rows = []
    for path, planned in zip(paths, plan["runs"].values(), strict=True):
        run = read_run(path)
        model = planned["model"] or run["model"]
        start = starts.get(model)
        genotype = planned["genotype"] or (start["protocol"]["genotype"] if start else None)
        protocol = plan["protocol"] | {"seed": planned["seed"]}
        check_protocol(run, full_protocol(protocol, genotype=genotype, manifest=manifest, source=start), path)
        if (run["model"], run["seed"]) != (model, planned["seed"]):
            raise Problem(f"{path}: is a run of {run['model']}, not of {model}; delete it and run again")
        rows.append(error_row(run, plan["reported"]))
    return rows


def error_row(run: dict, reported: str) -> dict[str, Any]:
    """One row of an error table; `reported` (top1 or top5) chooses the column that `error` repeats. In percent."""
    outcome = run["outcome"]
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {"model": run["model"], "status": outcome["status"], "seed": run["seed"], "n": outcome["n"]}
    if outcome["status"] == "completed":
        row["correct_top1"], row["correct_top5"] = outcome["correct_top1"], outcome["correct_top5"]
        row["top1_error"] = percent_wrong(outcome["correct_top1"], outcome["n"])
        row["top5_error"] = percent_wrong(outcome["correct_top5"], outcome["n"])
        row["train_error"] = percent_wrong(outcome["train_correct_top1"], outcome["train_n"])
        row["error"] = row[f"{reported}_error"]
    return row


def percent_wrong(correct: int | None, n: int) -> float | None:
    """Error in percent, rounded to a millionth so that a CSV reads the same everywhere."""
    return None if correct is None else round(100 * (n - correct) / n, 6)
