"""Every model's score on every dataset, and the cells of the grid that they come from, as tables."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from apr.comparisons.table import Table
from apr.comparisons.transfer.captions import how_trained, intervals_of, models_without, rare_labels
from apr.comparisons.transfer.targets import Transfer
from apr.comparisons.wording import counted, number, with_interval
from apr.runs.metrics import METRICS, Metric
from apr.runs.record import COMPLETED, DROPPED
from apr.scores.table import CELL, YES, read_scores

NAN = float("nan")
ENDS = ("best", "median", "worst")


def scores_table(transfer: Transfer) -> Table:
    """A row for each model, the most accurate on ImageNet first, a column for each dataset; guesses in the last row."""
    models = list(dict.fromkeys(model for one in transfer.targets.values() for model in one.values.index))
    accuracy = transfer.imagenet.reindex(models).sort_values(ascending=False, kind="stable")
    rows, shown = [], []
    for model in accuracy.index:
        row: dict[str, Any] = {"model": model, "imagenet": accuracy[model]}
        cells = {"Model": model, "ImageNet top-1 (%)": "" if np.isnan(accuracy[model]) else number(accuracy[model], 1)}
        for task, one in transfer.targets.items():
            value, low, high = (of.get(model, NAN) for of in (one.values, one.low, one.high))
            row |= {task: value, f"{task}_low": low, f"{task}_high": high}
            text = "" if np.isnan(value) else number(value, 1) if np.isnan(low) else with_interval(value, low, high, 1)
            cells[_column(transfer, task)] = text
        rows.append(row)
        shown.append(cells)
    guesses = {
        _column(transfer, task): number(one.guess, 1) for task, one in transfer.targets.items() if one.guess is not None
    }
    if guesses:
        shown.append({"Model": "a guess", "ImageNet top-1 (%)": ""} | guesses)
    targets = list(transfer.targets.values())
    caption = (
        f"Scores of {counted(len(models), 'model')} on the test part of each dataset, in brackets "
        f"{intervals_of(targets, transfer.settings['resamples'])}. A guess: the level that is reached without a "
        f"look at the images.{how_trained(targets)}{rare_labels(targets)}{models_without(transfer, left_out=False)}"
    )
    return Table(pd.DataFrame(rows), pd.DataFrame(shown).fillna(""), caption)


def cells_of(path: str | Path) -> pd.DataFrame:
    """For each model of a task with a grid: what its cells score, and which was chosen.

    Returns:
        model; best, median, worst: of the cells' scores on test, of those that were trained to the end; chosen, by
        validation; chosen_by_test, the best; each in the metric, means over the seeds that all cells have; optimism:
        how much better the last is, in points; cells, how many completed; dropped, how many a search dropped; of all
        runs of the chosen cell, those with further seeds as well, seeds, mean and sd; and cell_<axis> of the chosen
        one, as text.

    Raises:
        Problem: see `apr.scores.table.read_scores`.
    """
    rows = read_scores(path, all_cells=True)
    axes = [name for name in rows[0] if name.startswith(CELL) and name != f"{CELL}seed"] if rows else []
    table = pd.DataFrame(rows)
    if table.empty or not (table["status"] == COMPLETED).any():
        return pd.DataFrame(columns=["model"])
    metric = METRICS[rows[0]["metric"]]
    table[axes] = table[axes].fillna("").astype(str)
    found = []
    for model, every in table.groupby("model", sort=False):
        done = every[every["status"] == COMPLETED]
        # seeds that the chosen cell alone has would set it against means of fewer
        shared = set.intersection(*(set(cell["seed"].astype(str)) for _, cell in every.groupby(axes)))
        own = done[done["seed"].astype(str).isin(shared)]
        if own.empty:
            continue
        values = done.loc[done["chosen"] == YES, "value"]
        counts = {"dropped": int((every["status"] == DROPPED).sum()), "seeds": len(values)}
        counts |= {"mean": float(values.mean()), "sd": float(values.std(ddof=1)) if len(values) > 1 else NAN}
        cells = own.groupby(axes, sort=False).agg(
            value=("value", "mean"), chosen=("chosen", lambda c: (c == YES).any())
        )
        found.append({"model": model} | _of_model(cells, metric) | counts | _chosen_cell(cells, axes))
    return pd.DataFrame(found)


def cells_table(tables: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> Table:
    """The chosen cell of each model on each dataset, with the scores of the others.

    Args:
        tables: task -> `cells_of`.
        titles: task -> the name that a reader sees.
    """
    data = pd.concat([table.assign(target=task) for task, table in tables.items()], ignore_index=True)
    axes = [name for name in data if name.startswith(CELL)]
    dropped, repeated = (
        bool((data.get(name, pd.Series()) > most).any()) for name, most in (("dropped", 0), ("seeds", 1))
    )
    more = [*(["dropped"] if dropped else []), *(["seeds", "mean", "sd"] if repeated else [])]
    columns = ["target", "model", *axes, "chosen", "chosen_by_test", "optimism", *ENDS, "cells", *more]
    data = data.reindex(columns=columns)
    shown = pd.DataFrame(
        [
            {"Dataset": titles[row["target"]], "Model": row["model"]}
            | {axis.removeprefix(CELL).replace("_", " "): _text(row[axis]) for axis in axes}
            | {"Score": number(row["chosen"], 1), "Best on test": number(row["chosen_by_test"], 1)}
            | {"Median": number(row["median"], 1), "Worst": number(row["worst"], 1), "Cells": row["cells"]}
            | ({"Dropped": row["dropped"]} if dropped else {})
            | (_seeds(row) if repeated else {})
            for row in data.to_dict("records")
        ]
    )
    means = "; ".join(f"{titles[task]} {_mean(table['optimism'])}" for task, table in tables.items() if len(table))
    caption = (
        "The cell of the grid that counts for each model: the best on the validation part, in the mean of its seeds. "
        "Score: of that cell, on the test part. Best on test: of the cell that would be chosen on the test part "
        f"itself, which is too good by its choice; mean difference in points: {means}. Median and worst are of all "
        "cells that completed, on the test part."
    )
    if dropped:
        caption += (
            " Dropped: cells that the search did not train to the end, since others were better on the validation part "
            "before; nothing is known of their scores, which may lie beyond those of the others."
        )
    if repeated:
        caption += " Seeds, mean, SD: of all trainings of the chosen cell, whose mean counts everywhere else."
    return Table(data, shown, caption)


def _seeds(row: Mapping[str, Any]) -> dict[str, Any]:
    """How far the seeds of the chosen cell differ."""
    return {"Seeds": row["seeds"], "Mean": number(row["mean"], 1), "SD": number(row["sd"], 2)}


def _of_model(cells: pd.DataFrame, metric: Metric) -> dict[str, Any]:
    losses = metric.loss(cells["value"])
    chosen = cells.loc[cells["chosen"], "value"]
    best, worst = (float(cells["value"].iloc[place]) for place in (int(losses.argmin()), int(losses.argmax())))
    value = float(chosen.iloc[0]) if len(chosen) else NAN
    row = {"best": best, "median": float(cells["value"].median()), "worst": worst, "chosen": value}
    return row | {"chosen_by_test": best, "optimism": abs(best - value), "cells": len(cells)}


def _chosen_cell(cells: pd.DataFrame, axes: list[str]) -> dict[str, str]:
    chosen = cells.index[cells["chosen"]]
    if not len(chosen):
        return dict.fromkeys(axes, "")
    values = chosen[0] if isinstance(chosen[0], tuple) else (chosen[0],)
    return dict(zip(axes, values, strict=True))


def _column(transfer: Transfer, task: str) -> str:
    one = transfer.targets[task]
    unit = f", {one.metric.unit}" if one.metric.unit else ""
    return f"{one.title} ({one.metric.title}{unit})"


def _mean(values: pd.Series) -> str:
    return "not known" if values.isna().all() else number(values.mean(), 2)


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)  # NaN: an axis of another task
