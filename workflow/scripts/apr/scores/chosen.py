"""Which runs of a grid count: all of them, or for each model those of the cell that is best on one part."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from apr.runs.metrics import METRICS
from apr.runs.record import DROPPED
from apr.scores.table import CELL, NO, YES, Row

Cell = tuple


def choose(rows: Sequence[Row], by: str | None, again: Collection[int] = ()) -> list[Row]:
    """The rows, all of them, with the column `chosen`: "yes" for the runs that count, else "no".

    Of each model the cell counts that is best on the part `by`, in the mean of its seeds and in the direction of the
    table's metric; all seeds of that cell count. A seed is no choice, but chance. A cell of which a run diverged, or
    has no value on that part, is chosen only where no other is left, one that a search dropped last; of equal cells
    the first.

    Args:
        rows: of one score table, all of a metric.
        by: "validation" (or another part), or None where all cells count.
        again: which rows are of runs that train a chosen cell again: they count, and take no part in the choice.

    Raises:
        ValueError: `by` is a part that no run has evaluated.
    """
    if by is None:
        return [row | {"chosen": YES} for row in rows]
    column = "value" if by == "test" else f"{by}_{rows[0]['metric']}" if rows else ""
    if rows and not any(column in row for row in rows):
        raise ValueError(f"no run has the part {by} ({column})")
    cells: dict[str, dict[Cell, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for number, row in enumerate(rows):
        if number in again:
            continue
        cells[row["model"]][_cell(row)].append(row)
    best = {model: min(own, key=lambda cell: _loss(own[cell], column)) for model, own in cells.items()}
    counts = [number in again or _cell(row) == best[row["model"]] for number, row in enumerate(rows)]
    return [row | {"chosen": YES if count else NO} for row, count in zip(rows, counts, strict=True)]


def _cell(row: Mapping) -> Cell:
    return tuple((name, value) for name, value in row.items() if name.startswith(CELL) and name != f"{CELL}seed")


def _loss(rows: Sequence[Row], column: str) -> tuple[int, int, float]:
    """First how many runs have no value, or one of a few epochs; how many were dropped; the mean loss of the others."""
    dropped = sum(row["status"] == DROPPED for row in rows)
    known = [row[column] for row in rows if row.get(column) is not None and row["status"] != DROPPED]
    mean = sum(METRICS[rows[0]["metric"]].loss(value) for value in known) / len(known) if known else 0.0
    return len(rows) - len(known), dropped, mean
