"""First lines of tables that are no headers, or lack a name."""

import csv
from collections.abc import Collection, Sequence
from pathlib import Path

from apr.basics.problems import Problem
from apr.data.reading.walking import LeftOut, is_picture

ODD_SIGNS = "^~:#/!$&*+@§¦¬\x1f\x01"


def with_index_column(
    path: Path, columns: list[str], rows: Sequence[tuple[int, list[str]]], left: LeftOut
) -> list[str]:
    """The columns, with one without a name in front where each row begins with a name of its own, as R writes it."""
    if not rows or any(len(cells) != len(columns) + 1 for _, cells in rows):
        return columns
    first = [cells[0] for _, cells in rows]
    if (
        len(set(first)) < len(first)
        or "" in first
        or any(map(is_picture, first))
        or any(not cells[-1] for _, cells in rows)
    ):
        return columns
    left.note(f"{path}: each row has one cell more than the header: the first is taken for the row's name")
    return ["", *columns]


def refuse_no_header(
    path: Path, line: str, columns: Sequence[str], wanted: Sequence[str], pictures: Collection[str]
) -> None:
    """Refuse a first line that is data, or that another sign parts.

    Args:
        path: of the table.
        line: its first.
        columns: as they were found in it.
        wanted: columns that it has to have.
        pictures: names of pictures, with and without suffix.

    Raises:
        Problem: with what to write.
    """
    if set(wanted) <= set(columns):
        return
    data = next((cell for cell in columns if is_picture(cell) or (cell and cell.split("/")[-1] in pictures)), None)
    if data:
        raise Problem(
            f"{path}: has no column {wanted[0]!r}: its first line looks like data, not a header ({data!r}): add a line "
            f"in front that names the columns, such as `{wanted[0]},label`"
        )
    for sign in ODD_SIGNS:
        cells = [cell.strip() for cell in next(csv.reader([line], delimiter=sign), [])]
        if len(cells) > 1 and set(wanted) <= set(cells):
            raise Problem(f"{path}: its columns seem to be separated by {sign!r}: set options: delimiter: {sign!r}")
