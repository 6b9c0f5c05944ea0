"""Errors of the lines through models on two test sets: what they name has to be there."""

from typing import Any

from apr.basics.values import nearest
from apr.runs.ways import PUBLISHED
from checks.data import Errors, Known, tolerant
from study.settings import ROOT, read_yaml
from study.tasks import draws, grid_of, several_count

SUMMED_UP = ("slopes", "scorecard")  # tables and figures of all lines
LINES, SINCE = ["comparisons", "lines"], ["comparisons", "since"]


def line_errors(config: dict[str, Any], known: Known) -> Errors:
    """What is wrong with a configuration's lines, as (path, text)."""
    comparisons = config.get("comparisons") or {}
    lines, since = comparisons.get("lines") or {}, comparisons.get("since")
    regimes = config.get("regimes") or {}
    yield from tolerant(_pair_errors, LINES, lines, config["tasks"], regimes, known)
    for name in lines:
        if name in SUMMED_UP:
            yield [*LINES, name], "is the name of a table of all lines; choose another name"
    if since:
        yield from tolerant(_since_errors, since, lines, config["tasks"], regimes, known)


def _pair_errors(path: list[str], lines: dict, tasks: dict, regimes: dict, known: Known) -> Errors:
    published = {name: source for source, sets in known.sets.items() for name in sets}
    for name, line in lines.items():
        for key in ("original", "new"):
            wanted = line.get(key)
            if key in line and wanted not in tasks and wanted in published:
                text = f"no task {wanted!r}; add it, {wanted}: {{published: {published[wanted]}}}"
                yield [*path, name, key], text
            elif key in line and wanted not in tasks:
                yield [*path, name, key], f"no task {wanted!r}{nearest(wanted, [*tasks, *published])}"
        if "new" in line and line["new"] == line.get("original"):
            yield [*path, name, "new"], "is the original test set; compare two"
        sides = [tasks[line[key]] for key in ("original", "new") if line.get(key) in tasks]
        if len(sides) == 2 and draws(sides[0]) != draws(sides[1]):
            text = f"{line['new']} has none of the models of {line['original']}"
            yield [*path, name], f"{text}; compare tasks that the same models were trained or evaluated on"
        for key in ("original", "new"):
            task = tasks.get(line.get(key), {})
            if several_count(grid_of(task, regimes), task.get("choose")):
                text = f"several runs of each model of {line[key]} would count"
                yield [*path, name, key], f"{text}; name a task that has one, or add choose: {{by: validation}} to it"


def _since_errors(since: dict, lines: dict, tasks: dict, regimes: dict, known: Known) -> Errors:
    path = [*SINCE, "lines"]
    yield from _pair_errors(path, since["lines"], tasks, regimes, known)
    for name, line in since["lines"].items():
        for key in ("original", "new"):
            task = tasks.get(line.get(key))
            if task and "measured" not in known.sets.get(task.get(PUBLISHED), {}).get(task.get("set", line[key]), {}):
                yield [*path, name, key], f"{line[key]} is no measured test set; name a task of timm-results"
    for name, other in (since.get("published") or {}).items():
        if name not in since["lines"]:
            yield [*SINCE, "published", name], f"no line of comparisons.since{nearest(name, since['lines'])}"
        if other not in lines:
            yield [*SINCE, "published", name], f"no line {other!r} of comparisons.lines{nearest(other, lines)}"
    families = [family["name"] for family in read_yaml(ROOT / "resources/model_families.yaml")["families"]]
    for name in since.get("highlight") or ():
        if name not in families:
            yield [*SINCE, "highlight"], f"no family {name!r}{nearest(name, families)}"
