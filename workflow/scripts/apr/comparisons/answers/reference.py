"""Does the ranking of models on the reference hold on the targets, and what does it cost to choose by it?"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from apr.comparisons.answers.verdicts import BEYOND, OPEN, REVERSED, Section, named, verdict, why_open
from apr.comparisons.wording import counted, number, with_interval
from apr.runs.metrics import METRICS

MEAN = "mean"  # the row of means, which answers nothing


def reference_section(
    correlations: pd.DataFrame,
    regret: pd.DataFrame,
    reference: str,
    titles: Mapping[str, str],
    metrics: Mapping[str, str],
) -> Section:
    """The answer that the tables of correlations and of selection regret hold.

    Args:
        correlations: the numbers of `correlation_table`.
        regret: the numbers of `regret_table`.
        reference: the task that models are chosen on.
        titles: task -> the name that a reader sees.
        metrics: task -> its metric, whose points a regret is in.
    """
    rows = correlations[correlations["target"] != MEAN].to_dict("records")
    lines = [_agreement(rows, titles), _closest(rows, titles), _cost(regret, reference, titles, metrics)]
    question = f"Does the ranking of models on {titles[reference]} hold on the targets?"
    return Section(question, tuple(filter(None, lines)))


def _agreement(rows: list[dict[str, Any]], titles: Mapping[str, str]) -> str:
    found: dict[str, list[str]] = {BEYOND: [], REVERSED: [], OPEN: []}
    for row in rows:
        title = titles[row["target"]]
        if isinstance(row["weak"], str):
            found[OPEN].append(f"{title} ({row['weak']})")
        elif (kind := verdict(row)) == OPEN:
            found[OPEN].append(f"{title} ({why_open(row)})")
        else:
            found[kind].append(f"{title} (ρ = {with_interval(row['rho'], row['low'], row['high'], 2)})")
    yes, reverse, none = found.values()
    if not yes and not reverse:
        return f"No answer can be given: {named(none)}."
    texts = [f"Yes, beyond chance, on {len(yes)} of {len(rows)}: {named(yes)}." if yes else f"On none of {len(rows)}."]
    texts += [f"Reversed on {len(reverse)}: {named(reverse)}."] * bool(reverse)
    texts += [f"No answer for {len(none)}: {named(none)}."] * bool(none)
    return " ".join(texts)


def _closest(rows: list[dict[str, Any]], titles: Mapping[str, str]) -> str:
    """Whether the closest family member ranks the models better than the reference; empty where there is none."""
    with_member = [row for row in rows if isinstance(row["closest"], str) and row["closest"]]
    if not with_member:
        return ""
    strong = [row for row in with_member if not isinstance(row["weak"], str)]
    better, worse = ([row for row in strong if side(row)] for side in (_gains, _loses))
    if not better and not worse:
        return (
            "No answer whether the subset with about as many classes would rank them better: of "
            f"{counted(len(with_member), 'difference')} of ρ none is beyond chance."
        )
    texts = []
    for word, some in (("better", better), ("worse", worse)):
        gains = (
            f"{titles[row['target']]} by {titles[row['closest']]}, ρ {number(abs(row['gain']), 2)} "
            f"{'higher' if word == 'better' else 'lower'}"
            for row in some
        )
        texts += [f"{word} on {len(some)} of {len(with_member)} ({named(gains)})"] * bool(some)
    return f"The subset with about as many classes ranks them {', '.join(texts)}."


def _gains(row: dict[str, Any]) -> bool:
    return row["gain_low"] > 0


def _loses(row: dict[str, Any]) -> bool:
    return row["gain_high"] < 0


def _cost(regret: pd.DataFrame, reference: str, titles: Mapping[str, str], metrics: Mapping[str, str]) -> str:
    """What the best model on the reference loses on each target; empty where no single model was chosen."""
    winners = regret[(regret["chosen_on"] == reference) & (regret["k"] == 1)].to_dict("records")
    clauses = []
    for row in winners:
        if isinstance(row["weak"], str):
            continue
        lost = with_interval(row["regret"], row["low"], row["high"], 1) if row["holds"] else number(row["regret"], 1)
        points = METRICS[metrics[row["target"]]].points
        chance = number(row["random"], 1)
        clauses.append(f"{titles[row['target']]} {lost} {points}, a model taken at random {chance}")
    if not winners:
        return ""
    if not clauses:
        return f"What choosing on {titles[reference]} costs cannot be said: no target can rank the models."
    fewest = min(row["n"] for row in winners)
    rough = (
        "" if all(row["holds"] for row in winners) else f" Of {fewest} models such losses have no interval to trust."
    )
    return f"Taking the best on {titles[reference]} loses: {named(clauses)}.{rough}"
