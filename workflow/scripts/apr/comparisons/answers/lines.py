"""Do accuracies on a new test set follow those on the original, and would one choose the same model?"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from apr.comparisons.answers.verdicts import Section, named
from apr.comparisons.since import ANY, SCALES, change_in_words
from apr.comparisons.wording import number, with_interval


def lines_section(
    slopes: pd.DataFrame, models: Mapping[str, pd.DataFrame], retests: Sequence[Mapping[str, Any]]
) -> Section:
    """The answer of all lines.

    Args:
        slopes: the numbers of `retest_lines`.
        models: the numbers of `retest_table`, by the line's name.
        retests: the lines (`name` and `title` are read).
    """
    titles = {retest["name"]: retest["title"] for retest in retests}
    rows = slopes.to_dict("records")
    lines = [_change(rows, titles), _slope(rows, titles), _choice(models, titles)]
    return Section("Do models keep accuracy and order on new test sets?", tuple(lines))


def since_section(found: pd.DataFrame, retests: Sequence[Mapping[str, Any]]) -> Section:
    """Whether the line of 2019 holds for the models since; of the numbers of `since_lines`."""
    titles = {retest["name"]: retest["title"] for retest in retests}
    main = found[(found["scale"] == SCALES[0]) & (found["line"] == "measured") & (found["data"] == ANY)]
    clauses = [f"{titles[row['retest']]} {change_in_words(row)}" for _, row in main.iterrows()]
    return Section("Does the line of 2019 hold for the models since?", (f"Slopes: {named(clauses)}.",))


def _change(rows: list[dict[str, Any]], titles: Mapping[str, str]) -> str:
    kinds: dict[str, list[str]] = {"less": [], "more": [], "": []}
    for row in rows:
        kind = "less" if row["change_high"] < 0 else "more" if row["change_low"] > 0 else ""
        change = with_interval(row["change"], row["change_low"], row["change_high"], 1)
        kinds[kind].append(f"{titles[row['retest']]} {change}")
    words = {"less": "less accurate", "more": "more accurate", "": "no answer"}
    texts = [f"{words[kind]} on {len(some)} of {len(rows)}: {named(some)}" for kind, some in kinds.items() if some]
    return f"Mean change in points: {'. '.join(texts)}."


def _slope(rows: list[dict[str, Any]], titles: Mapping[str, str]) -> str:
    steep = [row for row in rows if row["slope_low"] > 1]
    flat = [row for row in rows if row["slope_high"] < 1]
    none = [row for row in rows if row not in steep and row not in flat]

    def clauses(some: list[dict[str, Any]]) -> str:
        return named(
            f"{titles[row['retest']]} {with_interval(row['slope'], row['slope_low'], row['slope_high'], 2)}"
            for row in some
        )

    texts = [f"each point gained on the original is worth more on {len(steep)} of {len(rows)}: {clauses(steep)}"]
    texts = texts if steep else []
    texts += [f"worth less on {len(flat)}: {clauses(flat)}"] * bool(flat)
    texts += [f"no answer for {len(none)}, whose interval holds 1 or is not known: {clauses(none)}"] * bool(none)
    return f"Slopes: {'. '.join(texts)}."


def _choice(models: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> str:
    """What the best model on the original test set loses on the new one, both as measured."""
    kept, lost = 0, []
    for name, table in models.items():
        chosen = table.loc[table["orig_rank"].idxmin()]
        best = table["new_acc"].max()
        if chosen["new_acc"] == best:
            kept += 1
        else:
            lost.append((best - chosen["new_acc"], f"{titles[name]} {number(best - chosen['new_acc'], 1)}"))
    text = f"The best on the original is the best on the new one in {kept} of {len(models)}"
    clauses = [clause for _, clause in sorted(lost, reverse=True)]
    return f"{text}; it loses points in the others: {named(clauses)}." if lost else f"{text}."
