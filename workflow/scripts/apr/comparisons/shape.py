"""What the models look like: the columns of results/population.csv beside their scores."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from apr.basics.escaping import plain
from apr.basics.problems import Problem

SHAPE = ("cumulative_depth", "cumulative_width")


def read_shape(path: str | Path) -> pd.DataFrame:
    """Read cumulative depth (blocks) and cumulative width (channels) of a population, indexed by model.

    Raises:
        Problem: the file is missing, lacks a column, or names a model twice.
    """
    return read_population(path, SHAPE)


def read_population(path: str | Path, numbers: Sequence[str]) -> pd.DataFrame:
    """Read columns of numbers of a population, indexed by model.

    Raises:
        Problem: the file is missing or no table, lacks a column, names a model twice or has a word for a number.
    """
    try:
        # a model is allowed to be called "NA"
        table = pd.read_csv(path, dtype={"id": str}, keep_default_na=False, na_values={name: [""] for name in numbers})
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; let Snakemake make it") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: is not a table ({error}); delete it and run again") from error
    missing = [name for name in ("id", *numbers) if name not in table.columns]
    if missing:
        raise Problem(f"{path}: lacks the column {', '.join(missing)}; delete it and run again")
    for name in numbers:
        values = pd.to_numeric(table[name], errors="coerce")
        _refuse(path, table, values.isna() & table[name].notna(), name, "is not a number")
        table[name] = values
    table["id"] = table["id"].map(plain)
    _refuse(path, table, table["id"].duplicated(), "id", "appears twice")
    return table.set_index("id")[list(numbers)]


def with_shape(scores: pd.DataFrame, shape: pd.DataFrame) -> pd.DataFrame:
    """Scores with the columns of a population beside them.

    Raises:
        Problem: a model of the score tables is not in the population.
    """
    unknown = scores.index.difference(shape.index)
    if len(unknown):
        raise Problem(
            f"results/population.csv: has no model {unknown[0]} ({len(unknown)} of {len(scores)} models of the score "
            "tables are missing); the tables belong to another population: delete them and run again"
        )
    return scores.join(shape)


def _refuse(path: str | Path, table: pd.DataFrame, bad: pd.Series, column: str, reason: str) -> None:
    if bad.any():
        row = int(bad.to_numpy().argmax())
        value = table[column].iloc[row]
        raise Problem(f"{path}: row {row + 2} (model {table['id'].iloc[row]}): {column} {value!r} {reason}; delete it")
