"""Accuracies that somebody else measured and published in percentages, made into a score table of their own."""

from pathlib import Path

import pandas as pd

from apr.basics.problems import Problem
from apr.runs.metrics import METRICS, part_of
from apr.scores.table import Row, score_row

SHARES = {"top1": "correct_top1", "top5": "correct_top5"}  # columns of timm's files -> what they are shares of
# timm rounds to four decimals (validate.py) and then to three (results/generate_csv_results.py).
ROUNDING = 0.00055  # points
MOST_IMAGES = int(100 / (2 * ROUNDING))  # beyond, two counts would round to one percentage


def read_measured(path: str | Path, images: int, metric: str) -> list[Row]:
    """Read one results CSV of timm (model, img_size, top1, top5 in %) into the rows of a score table.

    A model at two image sizes is two rows here and there; each is named `<model>@<size>`, whether there is another
    size or not, so that a name is the same in every file. Of so few images the counts of correct ones follow exactly
    from three decimals; `images` is checked by that: each percentage has to be a share of them.

    Args:
        path: the CSV; its other columns are not read.
        images: of the test set.
        metric: of the task.

    Raises:
        Problem: the file is missing or no table, lacks a column, names a row twice, or has an impossible percentage.
    """
    if not 1 <= images <= MOST_IMAGES:
        raise Problem(f"{path}: {images} images: only up to {MOST_IMAGES:,} can be counted from three decimals")
    table = _read(path)
    names = table["model"] + "@" + table["img_size"]
    _refuse(path, names, names.duplicated(), names, "appears twice; keep one of the rows")
    counts = {}
    for column, count in SHARES.items():
        shares = pd.to_numeric(table[column], errors="coerce")
        possible = shares.between(0, 100)
        _refuse(path, names, ~possible, table[column], f"is not a percentage (0 to 100) of {column}; correct the row")
        correct = (shares * images / 100).round()
        off = (100 * correct / images - shares).abs() > ROUNDING
        reason = f"is no share of {images:,} images in three decimals; give the test set's number of images"
        _refuse(path, names, off, table[column], f"({column}) {reason}")
        counts[count] = correct.astype(int)
    first, more = SHARES.values()
    reverse = counts[more] < counts[first]
    _refuse(path, names, reverse, table["top5"], "(top5) is less than its top1; correct the row")
    parts = [part_of(images, dict(zip(counts, row, strict=True))) for row in zip(*counts.values(), strict=True)]
    return [score_row(name, {"test": part}, METRICS[metric]) for name, part in zip(names, parts, strict=True)]


def _read(path: str | Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; let Snakemake fetch it") from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: is not a table ({error}); delete it and run again") from error
    missing = [name for name in ("model", "img_size", *SHARES) if name not in table.columns]
    if missing:
        raise Problem(f"{path}: lacks the column {', '.join(missing)}; a results file of timm has it")
    if table.empty:
        raise Problem(f"{path}: holds no model; delete it and run again")
    return table


def _refuse(path: str | Path, names: pd.Series, bad: pd.Series, values: pd.Series, reason: str) -> None:
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise Problem(f"{path}: row {row + 2} (model {names.iloc[row]}): {values.iloc[row]!r} {reason}")
