"""The accuracies of the same models on two test sets, side by side."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from apr.basics.problems import Problem
from apr.basics.values import alike
from apr.runs.metrics import GREATEST, METRICS

COLUMNS = ("orig_n", "orig_correct", "orig_acc", "new_n", "new_correct", "new_acc")


def paired(
    original: pd.DataFrame, new: pd.DataFrame, metric: str, names: tuple[str, str] = ("original", "new")
) -> pd.DataFrame:
    """Accuracies (%) of the models that completed both test sets, indexed by model, best on the original first.

    Models that tie on the original stand in the order of their names.

    Args:
        original: score table of the original test set, of `frames.read_models`.
        new: that of the new one.
        metric: of METRICS; a table of another one has it too, where its counts tell.
        names: what messages call the two test sets.

    Returns:
        orig_n, orig_correct, orig_acc, new_n, new_correct, new_acc. Where only percentages are known, as of measured
        results that somebody published, the counts of correct images are NaN.

    Raises:
        Problem: no model is in common, or one has no such value, or the metric is an error.
    """
    if METRICS[metric].best != GREATEST:
        raise Problem(f"metric {metric}: the least is best, but test sets are compared by accuracies; name an accuracy")
    sides = [_side(original, metric, "orig"), _side(new, metric, "new")]
    both = sides[0].join(sides[1], how="inner")
    if both.empty:
        one, other = nearest_names(sides[0].index, sides[1].index)
        examples = f", for instance {one} and {other}" if one and other else ""
        raise Problem(
            f"no model completed both test sets: of {len(sides[0]):,} on {names[0]} and {len(sides[1]):,} on "
            f"{names[1]} none has the same name{examples}; compare test sets that the same models were evaluated on, "
            "under the same names"
        )
    for side, name in zip(("orig", "new"), names, strict=True):
        lacking = both.index[both[f"{side}_acc"].isna()]
        if len(lacking):
            raise Problem(
                f"model {lacking[0]}: its {METRICS[metric].title} on the test set {name} is not known; compare another "
                "metric, or import results that have it (where predictions were imported, that log names the file)"
            )
    return both.sort_index().sort_values("orig_acc", ascending=False, kind="stable")[list(COLUMNS)]


def nearest_names(first: Collection[str], second: Collection[str]) -> tuple[str, str]:
    """Two models that may be one under other names: the first of one collection, and the most like it of the other."""
    one = min(first, default="")
    return one, next(iter(alike(one, sorted(second), cutoff=0)), "")


def _side(table: pd.DataFrame, name: str, side: str) -> pd.DataFrame:
    table, metric = table[table["status"] == "completed"], METRICS[name]
    correct = table[metric.count] if metric.count else pd.Series(np.nan, table.index)
    value = (100 * correct / table["n"]).fillna(table["value"].where(table["metric"] == name))
    return pd.DataFrame({f"{side}_n": table["n"], f"{side}_correct": correct, f"{side}_acc": value}).astype(float)
