"""The JSON of a run: what was trained, how, and what came of it."""

from typing import Any

from apr.files import digest_of, read_json
from apr.problems import Problem

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


def full_protocol(protocol: dict, *, genotype: str, manifest: dict) -> dict:
    """The protocol of one run: the task's, the model's genotype and the exact images.

    manifest: the view's (`results/views/<view>.json`).
    """
    images = {key: manifest[key] for key in ("view", "dataset", "dataset_digest", "indices_digest")}
    return {**protocol, "genotype": genotype, "images": images}


def new_run(
    *, task: str, model: str, protocol: dict, outcome: dict, history: list, timing: dict, provenance: dict
) -> dict:
    """Assemble a run. Everything but `timing` is the same whenever the run is repeated on the same machine."""
    return {
        "schema": SCHEMA,
        "task": task,
        "model": model,
        "seed": protocol["seed"],
        "protocol": protocol,
        "fingerprint": digest_of(protocol),
        "outcome": outcome,
        "history": history,
        "provenance": provenance,
        "timing": timing,
    }


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


def check_protocol(run: dict, expected: dict, path: str) -> None:
    """Refuse a run that was made under another protocol, naming the keys that differ."""
    differing = sorted(_differences(run["protocol"], expected))
    if differing:
        raise Problem(
            f"{path}: was trained under another protocol than the study's; differing: {'; '.join(differing)}. "
            "Delete the file to train it anew, or restore the setting"
        )


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


def _differences(found: Any, expected: Any, key: str = "") -> list[str]:
    if isinstance(found, dict) and isinstance(expected, dict):
        names = sorted(set(found) | set(expected))
        return [d for n in names for d in _differences(found.get(n), expected.get(n), f"{key}.{n}".strip("."))]
    return [] if found == expected else [f"{key} is {found!r}, the study has {expected!r}"]
