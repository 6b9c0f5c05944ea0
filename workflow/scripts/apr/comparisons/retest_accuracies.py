"""The table of a retest: each model's accuracy on the original and on the new test set, and its ranks."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from apr.comparisons.table import Table
from apr.comparisons.wording import counted, number, same_as, sentence, with_interval
from apr.statistics.counts import clopper_pearson

DIGITS = 2  # of accuracies and gaps, in %
SIDES = {"orig": "original", "new": "new"}


def retest_table(accuracies: pd.DataFrame, retest: Mapping[str, Any], titles: Mapping[str, str]) -> Table:
    """Both accuracies with 95 % Clopper-Pearson intervals, gap, ranks and change of rank, best on the original first.

    Ranks are 1 to n; models that tie stand in the order of their names. Where only percentages are known, the intervals
    are those of the nearest whole number of images.

    Args:
        accuracies: of `paired.paired`.
        retest: its test sets `original` and `new`, and the `metric` that is compared.
        titles: test set -> the name that a reader sees.

    Returns:
        model, orig_acc, orig_lo, orig_hi, new_acc, new_lo, new_hi, gap (original less new; all in %, two decimals),
        orig_rank, new_rank, delta_rank (original less new: negative where a model falls).
    """
    data = pd.DataFrame({"model": accuracies.index})
    for side in SIDES:
        n, accuracy = accuracies[f"{side}_n"], accuracies[f"{side}_acc"]
        correct = accuracies[f"{side}_correct"].fillna((accuracy * n / 100).round())
        low, high = clopper_pearson(correct, n)
        data[f"{side}_acc"], data[f"{side}_lo"], data[f"{side}_hi"] = accuracy.to_numpy(), low, high
    data["gap"] = data["orig_acc"] - data["new_acc"]
    for side in SIDES:
        data[f"{side}_rank"] = _ranks(accuracies[f"{side}_acc"])
    data["delta_rank"] = data["orig_rank"] - data["new_rank"]
    shown = pd.DataFrame([_shown(row) for _, row in data.iterrows()])
    return Table(data.round(DIGITS), shown, _caption(data, accuracies, retest, titles), DIGITS)


def _ranks(accuracy: pd.Series) -> list[int]:
    """Ranks 1 to n in the order of the models, best first, ties by name."""
    order = accuracy.sort_index().sort_values(ascending=False, kind="stable").index
    return pd.Series(range(1, len(order) + 1), index=order)[accuracy.index].tolist()


def _shown(row: pd.Series) -> dict[str, str]:
    cells = {"Model": row["model"]}
    for side, name in SIDES.items():
        value, low, high = (row[f"{side}_{part}"] for part in ("acc", "lo", "hi"))
        known = not math.isnan(low)
        cells[f"{name.capitalize()} accuracy (%)"] = (
            with_interval(value, low, high, DIGITS) if known else number(value, DIGITS)
        )
    ranks = {f"{name.capitalize()} rank": str(row[f"{side}_rank"]) for side, name in SIDES.items()}
    return cells | {"Gap (points)": number(row["gap"], DIGITS)} | ranks | {"Δ rank": number(row["delta_rank"], 0)}


def _caption(data: pd.DataFrame, accuracies: pd.DataFrame, retest: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    sets = {side: f"{titles[retest[name]]}{_images(accuracies[f'{side}_n'])}" for side, name in SIDES.items()}
    gaps = data.set_index("model")["gap"]
    moves = data.set_index("model")["delta_rank"]
    most = moves.abs().max()
    movers = list(moves.index[moves.abs() == most])
    if most:
        moved = f"{(moves == 0).sum()} of {len(data)} models keep theirs, and none moves more than {most} ("
        moved += f"{', '.join(movers[:3])}{f' and {len(movers) - 3} more' if len(movers) > 3 else ''})"
    else:
        moved = "all models keep theirs"
    models = counted(len(data), "model")
    return (
        f"{sentence(retest['metric'])} of {models} on {sets['orig']} and on {sets['new']}, best on the "
        "original first. In brackets: 95 % Clopper–Pearson intervals. The gap is the original accuracy less the new "
        f"one: {number(gaps.mean(), 1)} points on average, from {_end(gaps, gaps.min())} to {_end(gaps, gaps.max())}. "
        f"Ranks are among these models, ties in the order of their names; "
        f"Δ rank is the original rank less the new one, so that a negative one is a fall. Of the ranks, {moved}."
    )


def _images(n: pd.Series) -> str:
    return f" ({n.iloc[0]:,.0f} images)" if n.nunique(dropna=False) == 1 and n.notna().all() else ""


def _end(gaps: pd.Series, value: float) -> str:
    first, *others = gaps.index[gaps == value]
    return f"{number(value, 1)} ({first}{same_as(others)})"
