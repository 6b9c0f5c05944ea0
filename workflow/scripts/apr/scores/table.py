"""Error tables: one row a model, read, checked and set side by side."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from apr.basics.escaping import plain
from apr.basics.problems import Problem

NUMBERS = ("n", "correct_top1", "correct_top5", "error", "top1_error", "top5_error", "train_error", "seed")
PERCENTAGES = ("error", "top1_error", "top5_error", "train_error")
COLUMNS = ("model", *NUMBERS, "status")
STATUSES = ("completed", "diverged")
SHAPE = ("cumulative_depth", "cumulative_width")


def read_errors(path: str | Path) -> pd.DataFrame:
    """Read the error table of one task, indexed by model; errors in %, empty (NaN) where a run diverged.

    Raises:
        Problem: the file is missing, lacks a column, names a model twice, or holds an impossible value.
    """
    table = read_table(path, key="model", text=("status",), numbers=NUMBERS)
    for column in PERCENTAGES:
        _refuse(path, table, (table[column] < 0) | (table[column] > 100), column, "is not a percentage (0 to 100)")
    _refuse(path, table, ~table["status"].isin(STATUSES), "status", f"is not one of {', '.join(STATUSES)}")
    unknown = (table["status"] == "completed") & table["error"].isna()
    _refuse(path, table, unknown, "error", "has no value although the run completed")
    return table


def read_shape(path: str | Path) -> pd.DataFrame:
    """Read cumulative depth (blocks) and cumulative width (channels) of a population, indexed by model.

    Raises:
        Problem: the file is missing, lacks a column, or names a model twice.
    """
    return read_table(path, key="id", text=(), numbers=SHAPE)[list(SHAPE)]


def read_reported(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read `<task>.csv` files into reported errors (%), [models x tasks], NaN where a model did not complete."""
    return side_by_side({Path(path).stem: read_errors(path) for path in paths})


def side_by_side(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Reported errors (%), [models x tasks]; NaN where a model is absent or did not complete."""
    return pd.DataFrame({task: table["error"].where(table["status"] == "completed") for task, table in tables.items()})


def complete(reported: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """The models that completed all of `tasks`, [models x tasks].

    Raises:
        Problem: no model did.
    """
    tasks = list(dict.fromkeys(tasks))
    rows = reported[tasks].dropna()
    if rows.empty:
        counts = ", ".join(f"{task} ({reported[task].count()})" for task in tasks)
        raise Problem(
            f"no model completed all of {counts}: compare tasks of one population, and look at the runs that diverged"
        )
    return rows


def align(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Reported errors (%) of the models that completed all tasks, [models x tasks].

    Raises:
        Problem: no model did.
    """
    return complete(side_by_side(tables), list(tables))


def read_table(path: str | Path, key: str, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Read a table indexed by `key`, with some columns of text and some of numbers, which alone may be empty.

    Raises:
        Problem: the file is missing or no table, lacks a column, has a key twice or a word for a number.
    """
    # a model is allowed to be called "NA"
    kinds = dict.fromkeys((key, *text), str)
    try:
        table = pd.read_csv(path, dtype=kinds, keep_default_na=False, na_values={name: [""] for name in numbers})
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; let Snakemake make it") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: is not a table ({error}); delete it and run again") from error
    missing = [name for name in (key, *text, *numbers) if name not in table.columns]
    if missing:
        raise Problem(f"{path}: lacks the column {', '.join(missing)}; delete it and run again")
    for name in numbers:
        values = pd.to_numeric(table[name], errors="coerce")
        _refuse(path, table, values.isna() & table[name].notna(), name, "is not a number", key)
        table[name] = values
    table[key] = table[key].map(plain)  # names come from publishers, too
    _refuse(path, table, table[key].duplicated(), key, "appears twice", key)
    return table.set_index(key)


def _refuse(path: str | Path, table: pd.DataFrame, bad: pd.Series, column: str, reason: str, key: str = "") -> None:
    if not bad.any():
        return
    row = int(bad.to_numpy().argmax())
    model = table[key].iloc[row] if key else table.index[row]
    value = table[column].iloc[row]
    value = repr(value) if isinstance(value, str) else f"{value:g}" if pd.notna(value) else ""
    raise Problem(
        f"{path}: row {row + 2} (model {model}): {column} {value} {reason}; "
        "delete the file and run again, or mend it where it was imported from"
    )
