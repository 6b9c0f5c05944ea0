"""What is known of a task's test: how many images there are, what a guess would score, and in which metric."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from apr.runs.metrics import METRICS, PLAIN, Metric
from apr.scores.frames import families_of, read_models, read_runs, side_by_side


@dataclass(frozen=True)
class Counts:
    """Number of test images of a task and the score of a guess in its metric; None: not known."""

    images: int | None = None
    guess: float | None = None
    metric: Metric = PLAIN


UNKNOWN = Counts()
Counted = Mapping[str, Counts]


def counts_of_view(view: Mapping[str, Any], metric: str) -> Counts:
    """What the manifest of a view tells of the test of a task with this metric."""
    images = view["per_class"]["test"]
    return Counts(sum(images), METRICS[metric].guess(images), METRICS[metric])


def read_counts(paths: Iterable[str | Path]) -> dict[str, Counts]:
    """Read what `<task>.csv` files tell of their tests; where models differ, their least number of images counts.

    Raises:
        Problem: see `apr.scores.table.read_scores`.
    """
    return {Path(path).stem: counts_of(read_runs(path)) for path in paths}


def read_once(
    paths: Iterable[str | Path],
) -> tuple[pd.DataFrame, dict[str, Counts], pd.Series | None]:
    """Read values [models x tasks], what is known of the tests, and the families of models, each file once.

    Raises:
        Problem: see `read_values` and `families_of` of `apr.scores.frames`.
    """
    tables = {Path(path).stem: read_models(path) for path in paths}
    counts = {task: counts_of(table) for task, table in tables.items()}
    return side_by_side(tables), counts, families_of(tables)


def counts_of(table: pd.DataFrame) -> Counts:
    """What a score table tells of its test."""
    images = table.loc[table["status"] == "completed", "n"].dropna()
    guess = table["guess"].dropna()
    metric = METRICS[table["metric"].iloc[0]] if len(table) else PLAIN
    return Counts(int(images.min()) if len(images) else None, float(guess.iloc[0]) if len(guess) else None, metric)


def metric_of(counts: Counted | None, task: str) -> Metric:
    """The metric of a task; of a name that is none, or of which nothing is known, an error in %."""
    return (counts or {}).get(task, UNKNOWN).metric


def images_of(counts: Counted | None, *tasks: str) -> tuple[int | None, ...]:
    """Number of test images of each task whose metric is a share of them; None where it is not, or not known."""
    known = ((counts or {}).get(task, UNKNOWN) for task in tasks)
    return tuple(one.images if one.metric.counts else None for one in known)


def losses(scores: pd.DataFrame, counts: Counted | None) -> pd.DataFrame:
    """Scores turned round where the greatest is best, so that the least is: what choices and ranks are made of.

    The loss of an accuracy is the error; columns of which nothing is known stay as they are.
    """
    return scores.apply(lambda column: metric_of(counts, column.name).loss(column))


def losses_of(repeats: pd.DataFrame, counts: Counted | None, task: str) -> pd.DataFrame:
    """The same of the trainings of one task: model, seed, value."""
    return repeats.assign(value=metric_of(counts, task).loss(repeats["value"]))
