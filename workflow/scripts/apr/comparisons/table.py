"""One writer for all tables: CSV for machines, Markdown for readers, a caption for the report."""

import csv as csv_module
import io
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from apr.basics.escaping import markdown_caption, markdown_cell, rst, rst_caption
from apr.basics.files import atomic_file, write_text


@dataclass(frozen=True)
class Table:
    """`data`, written with so many `decimals` or in full, `shown` as readable strings, `caption` in plain text.

    What a reader has to know before the table stands above it: the `lead`.
    """

    data: pd.DataFrame
    shown: pd.DataFrame
    caption: str
    decimals: int | None = None
    lead: str = ""


def save_table(table: Table, csv: str | Path, md: str | Path, caption: str | Path) -> None:
    """Write the three files of a table, each atomically; the caption holds the readable form, for the report."""
    write_csv(csv, table.data, table.decimals)
    lead = f"{markdown_caption(table.lead)}\n\n" if table.lead else ""
    write_text(md, f"{lead}{markdown(table.shown)}\n{markdown_caption(table.caption)}\n")
    texts = [f"{rst_caption(table.lead)}\n\n"] * bool(table.lead) + [restructured(table.shown)]
    write_text(caption, "".join([*texts, f"\n{rst_caption(table.caption)}\n"]))


def write_csv(path: str | Path, data: pd.DataFrame, decimals: int | None = None) -> None:
    """Write a data frame without its index, atomically; undefined values stay empty, what UTF-8 cannot say is "?"."""
    form = "%.10g" if decimals is None else f"%.{decimals}f"
    text = data.to_csv(index=False, float_format=form, lineterminator="\n")
    with atomic_file(path, "wb") as file:
        file.write(text.encode(errors="replace"))


def read_csv(path: str | Path) -> pd.DataFrame:
    """The numbers of a table as `write_csv` wrote them: only an empty cell is undefined."""
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def markdown(shown: pd.DataFrame) -> str:
    """A Markdown table whose columns line up; the first is set left, the others right."""
    rows = [[markdown_cell(str(cell)) for cell in row] for row in [shown.columns, *shown.itertuples(index=False)]]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        _line([cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))])
        for row in rows
    ]
    rule = _line(["-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)])
    return "\n".join([lines[0], rule, *lines[1:]]) + "\n"


def restructured(shown: pd.DataFrame) -> str:
    """The table in reStructuredText."""
    text = io.StringIO()
    writer = csv_module.writer(text, quoting=csv_module.QUOTE_ALL, lineterminator="\n")
    writer.writerows([[rst(str(cell)) for cell in row] for row in [shown.columns, *shown.itertuples(index=False)]])
    return ".. csv-table::\n   :header-rows: 1\n\n" + textwrap.indent(text.getvalue(), "   ")


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
