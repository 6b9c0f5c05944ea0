"""What the answer of a study is read from: tables that it makes, and the scores of transfer."""

from typing import Any

from study.files import Files
from study.items import Items


def answer_parts(items: Items, files: Files) -> dict[str, dict[str, Any]]:
    """The parts of the answer by the question that they answer, with their files; empty where a study has none."""
    study, comparisons = items.study, items.comparisons
    parts: dict[str, dict[str, Any]] = {"reference": {}, "rankings": {}, "lines": {}, "transfer": {}}
    if not items.lacking("table_correlations"):
        parts["reference"] = {
            "tables": [_table("correlations"), _table("selection_regret")],
            "reference": study.reference,
            "titles": study.titles(comparisons.tasks),
            "metrics": {task: study.tasks[task].metric for task in study.targets},
        }
    if comparisons.rankings:
        compared = comparisons.rankings.values()
        tasks = dict.fromkeys(task for one in compared for pair in one["pairs"] for task in pair)
        parts["rankings"] = {
            "tables": [_table(f"rankings_{name}") for name in comparisons.rankings],
            "rankings": [{key: one[key] for key in ("name", "title", "above")} for one in compared],
            "titles": study.titles(tasks),
        }
    since = comparisons.since["lines"]
    if comparisons.lines or since:
        parts["lines"] = {
            "slopes": [_table("retest_slopes")] * bool(comparisons.lines),
            "models": [_table(f"retest_{name}") for name in comparisons.lines],
            "since": [_table("since")] * bool(since),
            "retests": list(comparisons.lines.values()),
            "measured": since,
        }
    transfer = comparisons.transfer
    if transfer.targets:
        parts["transfer"] = {
            "scores": files.scores(transfer.tasks("probes")),
            "resampled": transfer.resampled("probes"),
        }
        parts["transfer"] |= transfer.params("probes")
    return parts


def answer_files(parts: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """The files that the parts are read from, by what they are."""
    keys = ("tables", "slopes", "models", "since", "scores", "resampled")
    return {key: [path for part in parts.values() for path in part.get(key, ())] for key in keys}


def _table(name: str) -> str:
    return f"results/tables/{name}.csv"
