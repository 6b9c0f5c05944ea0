"""How an answer is put together: sections of sentences, and what lies beyond chance and what does not."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from apr.basics.escaping import rst_caption, visible
from apr.basics.files import write_text
from apr.comparisons.wording import number, with_interval
from apr.statistics.ranks import FEWEST

LEVEL = 0.05  # of p, by Holm for all rows of the table
MOST_NAMED = 5  # tasks of a clause; the table has them all
BEYOND, REVERSED, OPEN = "beyond chance", "reversed", "open"


@dataclass(frozen=True)
class Section:
    """A question that a study asks, and its answer in sentences."""

    question: str
    lines: tuple[str, ...]


def answer_text(sections: Iterable[Section]) -> str:
    """The sections as paragraphs and lists of plain text."""
    return "\n\n".join(f"{one.question}\n\n" + "\n".join(f"- {line}" for line in one.lines) for one in sections)


def save_answer(text: str, txt: str | Path, caption: str | Path) -> None:
    """Write an answer as plain text for readers and terminals, and in reStructuredText, each atomically."""
    write_text(txt, f"{visible(text)}\n")
    write_text(caption, f"{rst_caption(text)}\n")


def verdict(row: Mapping[str, float]) -> str:
    """Whether a rank correlation with its interval and p (`p_holm`) is of one sign beyond chance, and of which."""
    if math.isnan(row["rho"]) or math.isnan(row["low"]) or not row["p_holm"] < LEVEL:
        return OPEN
    return BEYOND if row["low"] > 0 else REVERSED if row["high"] < 0 else OPEN


def why_open(row: Mapping[str, float]) -> str:
    """Why a rank correlation gives no answer."""
    n = int(row["n"])
    if n < FEWEST:
        return f"{n} models, of at least {FEWEST}"
    if math.isnan(row["rho"]):
        return "ρ is undefined"
    rho = f"ρ = {with_interval(row['rho'], row['low'], row['high'], 2)} of {n} models"
    if math.isnan(row["low"]) or row["low"] <= 0 <= row["high"]:
        return f"{rho}: it may be chance"
    return f"{rho}, p (Holm) = {number(row['p_holm'], 2)}: it may be chance"


def named(clauses: Iterable[str]) -> str:
    """As many of the clauses as a sentence takes, and the number of the others."""
    clauses = list(clauses)
    more = len(clauses) - MOST_NAMED
    return "; ".join([*clauses[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])
