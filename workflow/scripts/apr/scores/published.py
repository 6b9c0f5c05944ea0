"""Scores that somebody published in a table, wide or long, made into score tables of their own."""

import csv
import gzip
import hashlib
import io
import logging
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.models.cells import NAMES
from apr.runs.metrics import Metric
from apr.scores.table import Row, value_row

UNITS = {"percent": 1.0, "fraction": 100.0}  # of a metric in %, and the factor that makes a percentage of it
log = logging.getLogger("apr")


def read_published(path: str | Path, sha256: str | None = None) -> pd.DataFrame:
    """Read a table of published scores as text: a CSV in UTF-8, perhaps compressed (.gz).

    Raises:
        Problem: the file is missing, not the one of the digest, no table or empty, not separated by commas, or has a
            column twice or a row with more or fewer cells than columns.
    """
    try:
        data = Path(path).read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if sha256 not in (None, found):
            raise Problem(
                f"{path}: is not the table of its entry (sha256 {found[:12]}… for {sha256[:12]}…); take the "
                "version of `origin`, or check the new one and change the digest"
            )
        text = (gzip.decompress(data) if str(path).endswith(".gz") else data).decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; let Snakemake fetch it, or correct the address") from None
    except UnicodeDecodeError:
        raise Problem(f"{path}: is no text in UTF-8; save it as CSV in UTF-8") from None
    except (csv.Error, OSError, EOFError, zlib.error) as error:
        raise Problem(f"{path}: is not a table ({error}); save it as CSV, separated by commas") from error
    header = [name.strip() for name in rows[0]] if rows else []
    if len(header) == 1 and (other := next((mark for mark in ";\t" if mark in header[0]), None)):
        raise Problem(f"{path}: is separated by {other!r}; save it separated by commas, with points in numbers")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise Problem(f"{path}: has two columns {twice[0]!r}; rename one of them")
    for number, row in enumerate(rows[1:], start=2):
        if row and len(row) != len(header):
            raise Problem(
                f"{path}: row {number} has {len(row)} cells, the first row names {len(header)} columns; put texts with "
                "commas into quotes, and remove commas at the ends"
            )
    numbers = [number for number, row in enumerate(rows) if number and row]
    if not numbers:
        raise Problem(f"{path}: has no row of scores; give a CSV with a row of column names, and a row for each model")
    return pd.DataFrame([rows[number] for number in numbers], [number - 1 for number in numbers], header, dtype=str)


def published_rows(path: str | Path, table: pd.DataFrame, settings: Mapping[str, Any], metric: Metric) -> list[Row]:
    """The rows of one task's score table.

    Rows that say the same twice count once. A model whose cell is empty, and one that the registry leaves out, has no
    row.

    Args:
        path: of the table, for messages.
        table: of `read_published`.
        settings: `model` (the columns that name a model), `column` (the scores) and what else resources/published.yaml
            explains.
        metric: of the task.

    Raises:
        Problem: a column is missing, no row is left, a model stands there twice with different scores, or a score is
            no number or impossible in the metric, as percentages for fractions are.
    """
    family = settings.get("family", {}).get("column")
    for column in (*settings["model"], settings["column"], *settings.get("where", {}), *([family] if family else ())):
        if column not in table.columns:
            remedy = "correct the entry, or take the version of the table that has it"
            raise Problem(f"{path}: lacks the column {column!r}{nearest(column, table.columns)}; {remedy}")
    for column, wanted in settings.get("where", {}).items():
        there = table[column].str.strip()
        table = table[there == str(wanted)]
        if table.empty:
            raise Problem(
                f"{path}: no row has {column} {wanted!r}{nearest(str(wanted), there.unique())}; correct the entry"
            )
    names = _names(path, table, settings)
    rows = pd.DataFrame({"model": names, "cell": table[settings["column"]].str.strip()}, table.index)
    rows["family"] = _families(table, settings)
    if settings.get("family") and (rows["family"] == "").all():
        raise Problem(f"{path}: the pattern of family finds nothing in column {family!r}; correct the entry")
    without = settings.get("without", {})
    _refuse_unknown(path, "leaves out", without, rows["model"])
    rows = rows[~rows["model"].isin(without) & (rows["cell"] != "")]
    if rows.empty:
        raise Problem(f"{path}: column {settings['column']!r} holds no score; correct the entry")
    rows["value"] = _values(path, rows, settings, metric)
    if not settings.get("repeats"):
        rows = _each_once(path, rows, settings["column"])
    seeds = rows.groupby("model").cumcount() if settings.get("repeats") else [None] * len(rows)
    return [
        value_row(row.model, row.value, metric, images=settings.get("images"), seed=seed, family=row.family or None)
        for row, seed in zip(rows.itertuples(), seeds, strict=True)
    ]


def same_scores(tables: Mapping[str, list[Row]]) -> list[tuple[str, ...]]:
    """Models whose scores are the same in all tables of a source: often one model under several names."""
    values: dict[str, list[Any]] = {}
    for task, rows in tables.items():
        for row in rows:
            values.setdefault(row["model"], []).append((task, row["value"]))
    groups: dict[tuple, list[str]] = {}
    for model, scores in values.items():
        groups.setdefault(tuple(scores), []).append(model)
    return [tuple(models) for models in groups.values() if len(models) > 1]


def summary(same: list[tuple[str, ...]]) -> tuple[int, str]:
    """How many models have all scores of another, and the first of them."""
    return sum(len(models) - 1 for models in same), " and ".join(same[0][:2])


def _names(path: str | Path, table: pd.DataFrame, settings: Mapping[str, Any]) -> pd.Series:
    names = table[settings["model"][0]].str.strip()
    for column in settings["model"][1:]:
        names = names + " " + table[column].str.strip()
    if (names.str.strip() == "").any():
        row = int((names.str.strip() == "").to_numpy().argmax())
        raise Problem(f"{path}: row {table.index[row] + 2}: names no model; remove the row")
    _refuse_unknown(path, "renames", settings.get("renamed", {}), names)
    names = names.replace(settings.get("renamed", {}))
    try:
        for form in filter(None, (settings.get("names"), settings.get("repeats"))):
            names = names.map(NAMES[form])
    except Problem as problem:
        raise Problem(f"{path}: {problem}") from None
    return names


def _families(table: pd.DataFrame, settings: Mapping[str, Any]) -> pd.Series:
    """The part of a column that a pattern finds; all of it without a pattern, and nothing without a column."""
    family = settings.get("family")
    if not family:
        return pd.Series("", table.index)
    pattern = re.compile(family.get("pattern", ".+"))
    found = table[family["column"]].map(pattern.search)
    return found.map(lambda match: match.group() if match else "")


def _refuse_unknown(path: str | Path, does: str, names: Mapping[str, str], models: pd.Series) -> None:
    for name in names:
        if name not in set(models):
            raise Problem(
                f"{path}: the entry {does} {name!r}, which is not there{nearest(name, models)}; correct the entry"
            )


def _values(path: str | Path, rows: pd.DataFrame, settings: Mapping[str, Any], metric: Metric) -> pd.Series:
    values = pd.to_numeric(rows["cell"], errors="coerce")
    marks = rows["cell"].str.contains("[,%]").any()
    hint = " (write it with a point, without comma or %)" if marks else ""
    _refuse(path, rows, ~np.isfinite(values), settings, f"is not a number{hint}")
    unit = settings.get("unit", "percent")
    values = values * (UNITS[unit] if metric.unit == "%" else 1.0) * (-1.0 if settings.get("negated") else 1.0)
    least, most = sorted((metric.perfect, metric.worst))
    said = f"a {unit} of {metric.title}" if metric.unit == "%" else metric.title
    hint = "; write unit: percent" if unit == "fraction" and values.max() > most else ""
    _refuse(path, rows, ~values.between(least, most), settings, f"is not {said}{hint}")
    if metric.unit == "%" and unit == "percent" and len(values) > 1 and 0 < values.max() <= 1:
        highest = f"no {settings['column']!r} is above 1"
        raise Problem(f"{path}: {highest}, as if the percentages were fractions; write unit: fraction")
    return values.round(6)


def _refuse(path: str | Path, rows: pd.DataFrame, bad: pd.Series, settings: Mapping[str, Any], reason: str) -> None:
    if bad.any():
        first = rows[bad].iloc[0]
        where = f"row {first.name + 2} (model {first['model']}): {settings['column']}"
        raise Problem(f"{path}: {where} {first['cell']!r} {reason}; correct the row, or leave the model out (without)")


def _each_once(path: str | Path, rows: pd.DataFrame, column: str) -> pd.DataFrame:
    once = rows.drop_duplicates(["model", "value"])
    twice = once[once["model"].duplicated(keep=False)]
    if len(twice):
        first, second = twice[twice["model"] == twice["model"].iloc[0]].iloc[:2].itertuples()
        raise Problem(
            f"{path}: model {first.model} stands there twice with different scores of {column}: {first.cell} in row "
            f"{first.Index + 2} and {second.cell} in row {second.Index + 2}; name models by more columns (model: […]), "
            "choose rows (where: …), or remove one"
        )
    if len(once) < len(rows):
        log.warning("%s: rows of %s that repeat others count once: %d", path, column, len(rows) - len(once))
    return once
