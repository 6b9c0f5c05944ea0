"""Does the ranking of models on one task hold on others? In a sentence for each comparison of rankings."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from apr.comparisons.answers.verdicts import BEYOND, REVERSED, Section, verdict, why_open
from apr.comparisons.wording import counted, number, same_as, with_interval


def rankings_section(
    found: Mapping[str, pd.DataFrame],
    rankings: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
) -> Section:
    """The answer of all comparisons of rankings.

    Args:
        found: the numbers of `ranked_pairs`, by the comparison's name.
        rankings: the comparisons (`name`, `title` and `above` are read).
        titles: task -> the name that a reader sees.
    """
    lines = (f"{one['title']}: {_said(found[one['name']], one, titles)}" for one in rankings)
    return Section("Does the ranking of models on one task hold on others?", tuple(lines))


def _said(data: pd.DataFrame, ranking: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    rows = data.to_dict("records")
    kinds = [verdict(row) for row in rows]
    alike = kinds.count(BEYOND)
    if len(rows) == 1 and not alike and REVERSED not in kinds:
        return f"no answer, {why_open(rows[0])}."
    pairs = counted(len(rows), "pair") + " of tasks"
    if not alike and REVERSED not in kinds:
        return f"no answer, on none of {pairs} is ρ beyond chance."
    texts = [f"beyond chance on {alike} of {pairs}" + f", reversed on {kinds.count(REVERSED)}" * (REVERSED in kinds)]

    def named(row: Mapping[str, Any]) -> str:
        return f"{titles[row['x_task']]} and {titles[row['y_task']]}"

    known = [row for row in rows if row["rho"] == row["rho"]]
    least = min(known, key=lambda row: row["rho"])
    bounds = with_interval(least["rho"], least["low"], least["high"], 2)
    ties = same_as([named(row) for row in known if row["rho"] == least["rho"] and row is not least])
    texts.append(f"median ρ {number(data['rho'].median(), 2)}, least {bounds} ({named(least)}{ties})")
    if ranking["above"] is not None:
        clear = int((data["low_above"] > 0).sum())
        texts.append(
            f"from {ranking['above']:g} on, the median is {number(data['rho_above'].median(), 2)}, "
            f"and {clear} of {len(rows)} intervals lie above 0"
        )
    share = data["regret_share"].median()
    texts.append(
        f"choosing there loses, at the median, {number(100 * share, 0)} % of the way from the best to the median model"
    )
    return f"{'; '.join(texts)}."
