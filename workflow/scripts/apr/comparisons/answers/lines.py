"""Do accuracies on a new test set follow those on the original, and would one choose the same model?"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from apr.comparisons.answers.verdicts import Section, named
from apr.comparisons.since import ANY, SCALES, change_in_words
from apr.comparisons.wording import number, same_as, with_interval


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
    return _sorted_out(rows, "change", 0, ("the models' mean accuracy falls", "it rises"), titles, "points")


def _slope(rows: list[dict[str, Any]], titles: Mapping[str, str]) -> str:
    worth = "a point gained on the original is worth {} there"
    return _sorted_out(rows, "slope", 1, (worth.format("less"), worth.format("more")), titles, "points")


def _sorted_out(
    rows: list[dict[str, Any]],
    quantity: str,
    level: float,
    words: tuple[str, str],
    titles: Mapping[str, str],
    unit: str,
) -> str:
    """On how many lines a quantity lies below a level beyond chance, and above it, with the ends of both."""
    rows = sorted(rows, key=lambda row: row[quantity])
    below = [row for row in rows if row[f"{quantity}_high"] < level]
    above = [row for row in rows if row[f"{quantity}_low"] > level][::-1]
    digits = 2 if quantity == "slope" else 1

    def said(row: dict[str, Any]) -> str:
        value = with_interval(row[quantity], row[f"{quantity}_low"], row[f"{quantity}_high"], digits)
        return f"{value} {unit} ({titles[row['retest']]})"

    texts = []
    for word, some in zip(words, (below, above), strict=True):
        ends = " to ".join(said(row) for row in (some if len(some) < 3 else (some[0], some[-1])))
        texts += [f"{word} on {len(some)} of {len(rows)} new test sets: {ends}"] * bool(some)
    undecided = [row for row in rows if row not in below and row not in above]
    none = named(said(row) for row in undecided)
    texts += [f"no answer for {len(undecided)}, whose interval holds {level:g} or is not known: {none}"] * bool(none)
    text = ". ".join(text[0].upper() + text[1:] for text in texts)
    return f"{text}."


def _choice(models: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> str:
    """What the best model on the original test set loses on the new one, both as measured."""
    lost = {}
    for name, table in models.items():
        lost[titles[name]] = table["new_acc"].max() - table.loc[table["orig_rank"].idxmin(), "new_acc"]
    kept = sum(points == 0 for points in lost.values())
    most = max(lost, key=lost.__getitem__)
    ties = same_as([name for name in lost if lost[name] == lost[most] and name != most])
    dearest = f"at most {number(lost[most], 1)} points, on {most}{ties}"
    if not kept:
        return f"Taking the best on the original costs {dearest}."
    text = f"Taking the best on the original costs nothing on {kept} of {len(lost)}"
    return f"{text}." if kept == len(lost) else f"{text}; {dearest}."
