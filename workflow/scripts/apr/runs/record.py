"""The JSON of a run: what was trained, how, and what came of it."""

from collections.abc import Sequence
from pathlib import Path

from apr.basics.files import digest_of, read_json
from apr.basics.problems import Problem
from apr.runs.metrics import is_part

COMPLETED, DIVERGED, DROPPED = "completed", "diverged", "dropped"  # how a run ends
PAUSED = "paused"  # one that may go on
ENDS = (COMPLETED, DIVERGED, DROPPED)
SCHEMA = 2  # of a run's JSON: its outcome, and each epoch of its history, by part


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
    planned: dict | None = None,
    cost: dict | None = None,
    rank: str | None = None,
    choice: dict | None = None,
) -> dict:
    """Assemble a run. Everything but `timing` is the same whenever the run is repeated on the same machine.

    outcome: status, and under `parts` what was counted of each part that was evaluated (`apr.runs.metrics.part_of`);
    history: an entry an epoch, with the same parts;
    weights: digest of the weights that were kept for other runs; planned: what a study knew of the protocol beforehand,
    where that is not all; cost: parameters and multiply-adds of the network; rank: of the model in its source's task
    (best1); choice: the run and the cell that were chosen, of one that trains the chosen cell again.
    """
    return {
        "schema": SCHEMA,
        "task": task,
        "model": model,
        **({"rank": rank} if rank else {}),
        **({"choice": choice} if choice else {}),
        "seed": protocol["seed"],
        "protocol": protocol,
        "fingerprint": digest_of(protocol),
        **({"planned": digest_of(planned)} if planned else {}),
        **({"cost": cost} if cost else {}),
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


def read_run(path: str, statuses: Sequence[str] = ENDS) -> dict:
    """Read and check a run's JSON, which has one of some statuses.

    Raises:
        Problem: it is missing, not JSON, laid out as by another version, lacks something or contradicts itself.
    """
    run = read_json(path)
    if run.get("schema") != SCHEMA:
        raise Problem(
            f"{path}: is laid out as number {run.get('schema')!r}, this version reads number {SCHEMA}; delete it and "
            "run again, or go on with the version that made it"
        )
    missing = {"task", "model", "seed", "protocol", "fingerprint", "outcome", "history"} - set(run)
    if missing:
        raise Problem(f"{path}: lacks {', '.join(sorted(missing))}; delete it and run again")
    if digest_of(run["protocol"]) != run["fingerprint"]:
        raise Problem(f"{path}: its protocol was edited after the run (fingerprint differs); delete it and run again")
    outcome = run["outcome"]
    if outcome.get("status") not in statuses:
        raise Problem(f"{path}: status {outcome.get('status')!r} is none of {', '.join(statuses)}; delete it")
    if outcome["status"] != DIVERGED:
        parts = outcome.get("parts")
        if not isinstance(parts, dict) or "test" not in parts or not all(map(is_part, parts.values())):
            raise Problem(f"{path}: impossible counts {outcome}; delete it and run again")
    return run
