"""What an audit found, as a table, as Markdown, and in a line: what is wrong, and what to do about it."""

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from apr.comparisons.table import Table
from apr.watch.audit import AGAIN, NOTED, STRAY, WRONG, Audit, Finding


def audit_table(result: Audit, titles: Mapping[str, str]) -> Table:
    """What each task's planned runs are and what else was found; all tasks in the last row."""
    rows = []
    for task, states in result.states.items():
        kinds = Counter(finding.kind for finding in result.findings if finding.task == task)
        others = {kind: kinds[kind] for kind in ("old_table", "weights", "outputs", "classes", "table", *NOTED)}
        rows.append({"task": task, "planned": sum(states.values()), **states, **others})
    data = pd.DataFrame(rows)
    if not data["dropped"].any():  # few studies drop runs
        data = data.drop(columns="dropped")
    total = data.drop(columns="task").sum()
    total[STRAY] = sum(finding.kind == STRAY for finding in result.findings)
    shown = pd.concat([data.assign(task=data["task"].map(titles)), pd.DataFrame([{"task": "All tasks", **total}])])
    shown.columns = [name.replace("_", " ").capitalize() for name in shown.columns]
    return Table(data, shown, _caption(result, total))


def described(findings: Sequence[Finding], most: int | None = None) -> str:
    """The findings by kind, as Markdown; of each kind at most `most`. What is made again takes a line a table."""
    parts = []
    for kind, meaning in {**WRONG, **AGAIN, **NOTED}.items():
        chosen = [finding for finding in findings if finding.kind == kind]
        if chosen:
            lines = _by_task(chosen) if kind in AGAIN else [f"- {finding.path}: {finding.says}" for finding in chosen]
            more = [f"- and {len(lines) - most:,} more"] if most and len(lines) > most else []
            title = f"## {kind.replace('_', ' ').capitalize()}: {meaning}"
            parts.append("\n".join([title, "", *lines[:most], *more, ""]))
    return "\n".join(parts)


def _by_task(findings: Sequence[Finding]) -> list[str]:
    """A line for each task: how many files, which, and what the first of them is."""
    lines = []
    for task in dict.fromkeys(finding.task for finding in findings):
        own = [finding for finding in findings if finding.task == task]
        which = f"{len(own):,} runs of {task}, the first " if len(own) > 1 else ""
        lines.append(f"- {which}{own[0].path}: {own[0].says}")
    return lines


def remedy(findings: Sequence[Finding]) -> str:
    """What to do about what is wrong, in one line."""
    bad = [finding for finding in findings if finding.kind in WRONG]
    delete = list(dict.fromkeys(finding.path for finding in bad))
    more = f" and {len(delete) - 3:,} more, all named in results/audit.md" if len(delete) > 3 else ""
    count = "1 finding is" if len(bad) == 1 else f"{len(bad):,} findings are"
    names = ", ".join(delete[:3])
    return f"{count} wrong: delete {names}{more}; then run snakemake for the whole study again, and audit it again"


def to_come(findings: Sequence[Finding]) -> str:
    """What the command that made the study does when it is given again, in one line; empty where it does nothing."""
    counts = Counter(finding.kind for finding in findings)
    runs, tables = counts["missing"] + counts["outdated"], counts["old_table"]
    what = [f"{runs:,} run(s)"] * (runs > 0) + [f"{tables:,} score table(s)"] * (tables > 0)
    if not what:
        return ""
    return (
        f"The command that made the study makes {' and '.join(what)} again when it is repeated, with the same "
        "configuration files. Delete what it leaves out: Snakemake has no record of how that was made"
    )


def _caption(result: Audit, total: Mapping[str, int]) -> str:
    found = Counter(finding.kind for finding in result.findings)
    bad = [f"{found[kind]:,} {meaning}" for kind, meaning in WRONG.items() if found[kind]]
    made_again = [f"{found[kind]:,} {meaning}" for kind, meaning in AGAIN.items() if found[kind]]
    again = f"Made again by the same command: {'; '.join(made_again)}. " if made_again else ""
    strays = f" {found[STRAY]:,} file(s) or folder(s) are planned by no task." if found[STRAY] else ""
    dropped = f", {total['dropped']:,} were dropped by a search" if "dropped" in total else ""
    what = "trainings" if result.trains else "runs"
    return (
        f"Of {total['planned']:,} planned {what} {total['complete']:,} are complete, {total['diverged']:,} diverged"
        f"{dropped} and {total['to_do']:,} are still to do. {again}"
        f"{'Wrong: ' + '; '.join(bad) if bad else 'Nothing is wrong'}.{strays} Each planned run is counted once: "
        "complete, diverged, to do (its task has no score table yet), missing (it has one), outdated (another "
        "protocol, images or source than the study's), unreadable, misplaced (of another model, task or rank) or "
        "out of range (impossible beside its view). Classes: views or data sets whose counts contradict each other. "
        "Table: a score table that its runs do not give; old table: one that is made again. Devices: runs of one task "
        "were made on several kinds. Stray: runs that the task does not plan."
    )
