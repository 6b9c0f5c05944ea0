"""How numbers and names are written in tables, titles and captions."""

import math
from collections.abc import Iterable, Sequence

from apr.runs.metrics import METRICS
from apr.statistics.ranks import Correlation

UNDEFINED = "undefined"
NAMED = 2  # of those that share a value with the one that is named
MOST_DIGITS = 8  # beyond which bounds count as equal


def sentence(metric: str) -> str:
    """A metric's title as a sentence begins: "Top-1 accuracy"."""
    title = METRICS[metric].title
    return title[0].upper() + title[1:]


def number(value: float, digits: int) -> str:
    """A rounded number with a true minus sign; "undefined" for NaN."""
    if math.isnan(value):
        return UNDEFINED
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def with_interval(value: float, low: float, high: float, digits: int) -> str:
    """Such as "0.451 [0.210, 0.640]"; "undefined" for NaN, and without bounds "0.451 [no interval]".

    Bounds that differ have as many digits as show it: an interval never looks like a point that it is not.
    """
    if math.isnan(value):
        return UNDEFINED
    if math.isnan(low) or math.isnan(high):
        return f"{number(value, digits)} [no interval]"
    return f"{number(value, digits)} [{', '.join(bounds(low, high, digits))}]"


def bare_interval(value: float, low: float, high: float, digits: int) -> str:
    """The same, without a word where there are no bounds."""
    return number(value, digits) if math.isnan(low) else with_interval(value, low, high, digits)


def listed(names: Sequence[str]) -> str:
    """Such as "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def same_as(others: Sequence[str]) -> str:
    """What follows a value whose holder is named where others have the same, ", the same as b and c"; else nothing."""
    if not others:
        return ""
    return f", the same as {listed(others) if len(others) <= NAMED else f'{len(others):,} others'}"


def bounds(low: float, high: float, digits: int) -> tuple[str, str]:
    """Both bounds of an interval, with more digits where they would look equal and are not."""
    more = next((d for d in range(digits, MOST_DIGITS) if number(low, d) != number(high, d)), digits)
    return number(low, more), number(high, more)


def counted(count: int, thing: str) -> str:
    """Such as "1 model" or "1,045 models"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def p_value(p: float) -> str:
    """Three decimals, "<0.001" below; empty for NaN."""
    if math.isnan(p):
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def rho(result: Correlation, digits: int) -> str:
    """Such as "ρ = 0.45 [0.21, 0.64]" or "ρ undefined"."""
    if math.isnan(result.rho):
        return f"ρ {UNDEFINED}"
    return f"ρ = {with_interval(result.rho, result.low, result.high, digits)}"


def bare_rho(value: float) -> str:
    """Such as "ρ = 0.45" or "ρ undefined"."""
    return f"ρ {UNDEFINED}" if math.isnan(value) else f"ρ = {number(value, 2)}"


def correlation(result: Correlation) -> str:
    """A clause for a caption: rho, interval, p and n, or why rho is undefined."""
    if math.isnan(result.rho):
        return f"{rho(result, 3)}, {result.reason}, n = {result.n}"
    p = "p < 0.001" if result.p < 0.001 else f"p = {p_value(result.p)}"
    return f"{rho(result, 3)}, {p}, n = {result.n}"


def left_out(total: int, counts: Iterable[int]) -> str:
    """A sentence on the models that comparisons leave out: of `total`, `counts` remain in each."""
    fewest = min(counts)
    if fewest == total:
        return f"All {total} models are compared."
    return f"A comparison leaves out the models without a result on its tasks, here up to {total - fewest} of {total}."
