"""Score tables as data frames: one row a model, or one a training, and several tables side by side."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from apr.basics.escaping import plain
from apr.basics.problems import Problem
from apr.scores.paired import nearest_names
from apr.scores.table import CELL, STATUSES, columns, read_scores

FAMILY = "family"  # a column of published tables
TEXTS = ("model", "status", "chosen", "metric", FAMILY)


def read_runs(path: str | Path) -> pd.DataFrame:
    """Read every run of a score table that counts, one a row.

    Raises:
        Problem: see `apr.scores.table.read_scores`.
    """
    rows = read_scores(path)
    table = pd.DataFrame(rows, columns=columns(rows))
    numbers = [name for name in table if name not in TEXTS and not name.startswith(CELL)]
    return table.astype(dict.fromkeys(numbers, float))


def read_models(path: str | Path) -> pd.DataFrame:
    """Read the score table of a task that has one run a model, indexed by model; NaN where a run diverged.

    Raises:
        Problem: see `apr.scores.table.read_scores`; or a model has several runs.
    """
    table = read_runs(path)
    twice = table.loc[table["model"].duplicated(), "model"]
    if len(twice):
        raise Problem(
            f"{path}: model {twice.iloc[0]}: has several runs that count (with several seeds, say); compare a task "
            "that has one run a model, or choose one of its cells"
        )
    return table.set_index("model")


def read_repeats(path: str | Path) -> pd.DataFrame:
    """Read model, seed and value of each run of a task that has several a model; the value is NaN where one diverged.

    Raises:
        Problem: see `apr.scores.table.read_scores`.
    """
    table = read_runs(path)
    if table["seed"].isna().any():
        raise Problem(f"{path}: model {table['model'][table['seed'].isna()].iloc[0]}: seed is not there; run again")
    return table[["model", "seed", "value"]]


def read_values(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Read `<task>.csv` files into values, [models x tasks], NaN where a model did not complete."""
    return side_by_side({Path(path).stem: read_models(path) for path in paths})


def read_column(paths: Iterable[str | Path], column: str) -> pd.DataFrame:
    """Read another part or metric (`train_top1_error`, say) alike; NaN too where a table does not have it."""
    tables = {Path(path).stem: read_models(path) for path in paths}
    own = {task: "value" if column == f"test_{table['metric'].iloc[0]}" else column for task, table in tables.items()}
    return pd.DataFrame(
        {task: _completed(table.reindex(columns=["status", own[task]])) for task, table in tables.items()}
    )


def families_of(tables: Mapping[str, pd.DataFrame]) -> pd.Series | None:
    """The family of each model from the `family` columns of score tables; None where no table names one.

    Args:
        tables: of `read_models` or `read_runs`, by task.

    Returns:
        Names by model; a model without one is absent.

    Raises:
        Problem: tables name different families of a model.
    """
    known: dict[str, tuple[str, str]] = {}
    for task, table in tables.items():
        if FAMILY not in table:
            continue
        by_model = table if table.index.name == "model" else table.set_index("model")
        for model, family in by_model[FAMILY].dropna().items():
            name = plain(family)
            other, where = known.setdefault(model, (name, task))
            if name != other:
                raise Problem(
                    f"{task}: model {model}: family {name!r} is {other!r} in {where}; correct one where it was "
                    "imported from"
                )
    return pd.Series({model: name for model, (name, _) in known.items()}, name=FAMILY) if known else None


def side_by_side(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Values [models x tasks]; NaN where a model is absent or did not complete."""
    return pd.DataFrame({task: _completed(table[["status", "value"]]) for task, table in tables.items()})


def _completed(table: pd.DataFrame) -> pd.Series:
    return table.iloc[:, 1].where(table["status"] == STATUSES[0])


def complete(scores: pd.DataFrame, tasks: Sequence[str]) -> pd.DataFrame:
    """The models that completed all of `tasks`, [models x tasks].

    Raises:
        Problem: no model did.
    """
    tasks = list(dict.fromkeys(tasks))
    rows = scores[tasks].dropna()
    if rows.empty:
        counts = ", ".join(f"{task} ({scores[task].count()})" for task in tasks)
        sides = [scores.index[scores[task].notna()] for task in tasks[:2]]
        one, other = nearest_names(*sides) if len(sides) > 1 else ("", "")
        examples = f" (for instance {one} and {other})" if one and other else ""
        raise Problem(
            f"no model completed all of {counts}: compare tasks of one population, look at the runs that diverged, and "
            f"call a model by one name everywhere{examples}"
        )
    return rows
