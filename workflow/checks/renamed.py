"""Keys of earlier versions of the configuration, and what they are called now."""

from typing import Any

ACCURACY = "is called metric now; top1 is top1_accuracy, top5 is top5_accuracy"
RENAMED = {
    ("figures",): "is called comparisons now",
    ("retests",): "is now lines in comparisons: {lines: {…}}, whose test sets are tasks",
    ("lines",): "belongs to comparisons: {lines: {…}}",
    ("comparisons", "retests"): "is called lines now",
    ("regimes", "*", "seeds"): "is now an axis of the grid: grid: {seed: {first: …, count: …}}",
    ("sources",): (
        "is now said by tasks: tasks: {imagenet_val: {published: imagenetv2_predictions}}; where a source's files lie "
        "elsewhere, name it in datasets"
    ),
    ("since",): "is now in comparisons: {since: {…}}, whose retests are called lines",
    ("evaluate",): (
        "is now said by tasks: {evaluate: <regime>, models: […]}; weights and batch belong to that regime, threads, "
        "device and checkpoint_seconds to training"
    ),
    ("tasks", "*", "regime"): "is called train now",
    ("tasks", "*", "error"): "is called metric now; top1 is top1_error, top5 is top5_error",
    ("tasks", "*", "seeds"): "is now an axis of the grid: grid: {seed: {first: …, count: …}}",
    ("comparisons", "top1_vs_top5"): "is called metric_pair now",
    ("comparisons", "lines", "*", "error"): ACCURACY,
    ("comparisons", "since", "lines", "*", "error"): ACCURACY,
    ("comparisons", "since", "retests"): "is called lines now",
}


def renamed(path: list[Any], key: str) -> str | None:
    """What a key of an earlier version is called now; None where it never was one."""
    full = [*path, key]
    for old, text in RENAMED.items():
        if len(old) == len(full) and all(part in ("*", found) for part, found in zip(old, full, strict=True)):
            return text
    return None


def has_old_keys(task: dict[str, Any]) -> bool:
    """Whether a task has keys of an earlier version, which say more than what it lacks for them."""
    return any(old[0] == "tasks" and old[-1] in task for old in RENAMED)
