"""The score table of a task, `results/scores/<task>.csv`: its columns, the one writer and the one reader.

A row is a run: model, seed, `cell_<axis>` for each axis of a grid, status, n (test images), `value` (of the test part,
in the task's metric), the counts behind it, `<part>_<metric>` for what else was evaluated, and where models were
published with one their `family`; then `chosen` (whether the run counts among the cells of a grid), and for the whole
table `metric`, `guess` (a guess's level) and `schema`.
Light: status reads it within Snakemake's process. `apr.scores.frames` makes data frames of it.
"""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from string import ascii_lowercase, digits
from typing import Any

from apr.basics.escaping import plain
from apr.basics.files import atomic_file
from apr.basics.problems import Problem
from apr.runs.metrics import COUNTS, METRICS, SHOWN, Metric, Part
from apr.runs.record import ENDS

SCHEMA = 1
CELL = "cell_"
FIRST, SECOND, LAST = ("model", "seed"), ("status", "n", "value"), ("chosen", "metric", "guess", "schema")
REQUIRED = (*FIRST, *SECOND, *LAST)
STATUSES = ENDS
YES, NO = "yes", "no"

Row = dict[str, Any]


def score_row(
    model: str,
    parts: Mapping[str, Part],
    metric: Metric,
    *,
    status: str = "completed",
    seed: int | None = None,
    guess: float | None = None,
    cell: Mapping[str, Any] | None = None,
) -> Row:
    """One row of a score table, of what a run evaluated: part -> its counts or values (`apr.runs.metrics`)."""
    test = parts["test"]
    row: Row = {"model": model, "seed": seed} | {f"{CELL}{axis}": value for axis, value in (cell or {}).items()}
    row |= {"status": status, "n": test["n"], "value": metric.of(test)} | {name: test.get(name) for name in COUNTS}
    for part, counts in parts.items():
        for name in dict.fromkeys([metric.name, *SHOWN]):
            if (part, name) != ("test", metric.name):
                row[f"{part}_{name}"] = METRICS[name].of(counts)
    return row | {"chosen": YES, "metric": metric.name, "guess": guess, "schema": SCHEMA}


def value_row(
    model: str, value: float, metric: Metric, *, images: int | None, seed: int | None = None, family: str | None = None
) -> Row:
    """One row of a score table of which nothing but the value is known, and perhaps the number of test images."""
    row: Row = {"model": model, "seed": seed, "status": "completed", "n": images, "value": value}
    row |= dict.fromkeys(COUNTS) | {"family": family, "chosen": YES}
    return row | {"metric": metric.name, "guess": None, "schema": SCHEMA}


def write_scores(path: str | Path, rows: Sequence[Row]) -> None:
    """Write a score table atomically; what is not known stays empty."""
    with atomic_file(path) as file:
        writer = csv.DictWriter(file, columns(rows), lineterminator="\n")
        writer.writeheader()
        writer.writerows(written(row) for row in rows)


def columns(rows: Iterable[Row]) -> list[str]:
    """The columns of a table of these rows, in order."""
    found = list(dict.fromkeys(name for row in rows for name in row))
    cells = [name for name in found if name.startswith(CELL)]
    known = {*REQUIRED, *COUNTS, *cells}
    return [*FIRST, *cells, *SECOND, *COUNTS, *(name for name in found if name not in known), *LAST]


def written(row: Row) -> dict[str, str]:
    """A row as the file holds it."""
    return {name: "" if value is None else str(value) for name, value in row.items()}


def raw_rows(path: str | Path) -> list[dict[str, str]]:
    """The rows of a score table as they stand in the file; only its layout is checked.

    Raises:
        Problem: the file is missing, is no table, is laid out otherwise, or lacks a column.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file, strict=True)
            rows, header = list(reader), reader.fieldnames
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; let Snakemake make it") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise Problem(f"{path}: is not a table ({error}); delete it and run again") from error
    if not header:
        raise Problem(f"{path}: is not a table (it is empty); delete it and run again")
    found = rows[0].get("schema") if rows else str(SCHEMA)
    if found != str(SCHEMA):
        number = f"number {found!r}" if found else "by an earlier version"
        raise Problem(f"{path}: is laid out {number}, this version reads number {SCHEMA}; delete it and run again")
    missing = [name for name in (*REQUIRED, *COUNTS) if name not in header]
    if missing:
        raise Problem(f"{path}: lacks the column {', '.join(missing)}; delete it and run again")
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise Problem(f"{path}: row {line}: does not have as many cells as columns; delete the file and run again")
    return rows


def read_scores(path: str | Path, *, all_cells: bool = False) -> list[Row]:
    """Read and check a score table: the runs that count, or all of them, with numbers as numbers and None for none.

    Raises:
        Problem: the file is not a score table of this layout, names a run twice, or holds an impossible value.
    """
    rows = [_read(path, line, row) for line, row in enumerate(raw_rows(path), start=2)]
    seen = set()
    for line, row in enumerate(rows, start=2):
        key = tuple(value for name, value in row.items() if name in FIRST or name.startswith(CELL))
        if key in seen:
            _refuse(path, line, row, "model", "appears twice with one seed")
        if row["metric"] != rows[0]["metric"]:
            _refuse(path, line, row, "metric", f"is not that of the first row, {rows[0]['metric']}")
        seen.add(key)
    return [row for row in rows if all_cells or row["chosen"] == YES]


def ranked_model(path: str | Path, rank: str) -> str:
    """The model at a rank such as best1 or worst2 of a score table; ties go by the model's id.

    Raises:
        Problem: the table has fewer completed runs than that.
    """
    rows = [row for row in read_scores(path) if row["status"] == "completed"]
    losses = [(METRICS[row["metric"]].loss(row["value"]), row["model"]) for row in rows]
    end, number = rank.rstrip(digits), int(rank.lstrip(ascii_lowercase))
    if 2 * number > len(losses):
        raise Problem(f"{path}: {len(losses)} completed runs are too few for {rank}; lower the task's ranks")
    losses.sort(reverse=end == "worst")
    return losses[number - 1][1]


def _read(path: str | Path, line: int, cells: Mapping[str, str]) -> Row:
    row: Row = {name: cells[name] or None for name in cells}
    row["model"] = plain(cells["model"])  # names come from publishers, too
    for name, allowed in (("status", STATUSES), ("chosen", (YES, NO)), ("metric", METRICS)):
        if cells[name] not in allowed:
            _refuse(path, line, row, name, f"is not one of {', '.join(allowed)}")
    for name in cells:
        metric = _metric_of(name, row["metric"])
        if metric or name in ("n", "seed", *COUNTS):
            row[name] = _number(path, line, row, name)
        if (
            metric
            and row[name] is not None
            and not min(metric.perfect, metric.worst) <= row[name] <= max(metric.perfect, metric.worst)
        ):
            _refuse(
                path, line, row, name, f"is not from {metric.worst:g} to {metric.perfect:g}, as a {metric.title} is"
            )
    if row["status"] == "completed" and row["value"] is None:
        _refuse(path, line, row, "value", "is not there although the run completed")
    return row | ({"value": None} if row["status"] != "completed" else {})


@cache
def _metric_of(column: str, own: str) -> Metric | None:
    """The metric that a column holds values of."""
    return METRICS[own] if column in ("value", "guess") else METRICS.get(column.partition("_")[2])


def _number(path: str | Path, line: int, row: Row, name: str) -> float | int | None:
    text = row[name]
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        _refuse(path, line, row, name, "is not a number")
    return int(value) if value.is_integer() and name in ("n", "seed", *COUNTS) else value


def _refuse(path: str | Path, line: int, row: Row, column: str, reason: str) -> None:
    value = row[column]
    said = "" if value is None else f" {value!r}" if isinstance(value, str) else f" {value:g}"
    raise Problem(
        f"{path}: row {line} (model {row['model']}): {column}{said} {reason}; "
        "delete the file and run again, or correct it where it was imported from"
    )
