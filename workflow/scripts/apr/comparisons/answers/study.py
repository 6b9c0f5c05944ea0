"""The answer of a whole study, from the numbers of its tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apr.comparisons.answers.lines import lines_section, since_section
from apr.comparisons.answers.rankings import rankings_section
from apr.comparisons.answers.reference import reference_section
from apr.comparisons.answers.verdicts import answer_text
from apr.comparisons.table import read_csv
from apr.comparisons.transfer.answer import answer_of
from apr.comparisons.transfer.targets import read_transfer

Paths = Sequence[str | Path]


def study_answer(
    reference: Mapping[str, Any], rankings: Mapping[str, Any], lines: Mapping[str, Any], transfer: Mapping[str, Any]
) -> str:
    """What a study answers, in paragraphs and lists of plain text; each part is empty where the study has none.

    Args:
        reference: `tables`, those of correlations and of selection regret, and the further arguments of
            `reference_section`.
        rankings: `tables`, one a comparison, and the further arguments of `rankings_section`.
        lines: `slopes`, `models` (a table a line) and `since`, each a list of tables; `retests` and `measured`, the
            lines of the first two and of the last.
        transfer: the arguments of `read_transfer`.
    """
    texts = []
    if reference:
        correlations, regret = map(read_csv, reference["tables"])
        texts.append(reference_section(correlations, regret, **_but_tables(reference)))
    if rankings:
        names = [one["name"] for one in rankings["rankings"]]
        found = dict(zip(names, map(read_csv, rankings["tables"]), strict=True))
        texts.append(rankings_section(found, **_but_tables(rankings)))
    if lines:
        names = [one["name"] for one in lines["retests"]]
        models = dict(zip(names, map(read_csv, lines["models"]), strict=True))
        texts += [lines_section(read_csv(path), models, lines["retests"]) for path in lines["slopes"]]
        texts += [since_section(read_csv(path), lines["measured"]) for path in lines["since"]]
    text = answer_text(texts)
    if transfer:
        text = "\n\n".join(filter(None, [text, answer_of(read_transfer(**transfer))]))
    return text


def _but_tables(part: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if key != "tables"}
