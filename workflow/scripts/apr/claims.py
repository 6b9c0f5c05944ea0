"""The scorecard: each claim of the paper beside what this study measures, with an interval and a verdict."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from apr.claim_list import OF_REPEATS, VERIFIED, Claim
from apr.claim_measures import Measured, Samples, measure
from apr.comparisons import with_shape
from apr.tables import Table
from apr.wording import with_interval

REPRODUCED, NOT_REPRODUCED, UNDECIDED = "reproduced", "not reproduced", "not decidable"
ABSENT, INCOMPARABLE = "not in this study", "not comparable"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, UNDECIDED, INCOMPARABLE, ABSENT)
DIGITS = {"least_of_best": 0, "largest_of_best": 0} | dict.fromkeys(
    ("largest_error", "mean_error", "quantile_error", "mean_of_repeats", "overlap"), 2
)


def scorecard(
    claims: Sequence[Claim],
    reported: pd.DataFrame,
    shape: pd.DataFrame,
    repeats: Mapping[str, pd.DataFrame],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
) -> Table:
    """Every claim with the measured value and a verdict.

    Args:
        claims: of `claim_list.read_claims`.
        reported: errors (%), [models x tasks], NaN where a model did not complete; a task of no column is absent.
        shape: cumulative depth and width of the population.
        repeats: task -> model, seed, error (%) of its trainings, NaN where one diverged.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of each interval.
        seed: of the bootstrap; all quantities over the same models have the same resamples.

    Raises:
        Problem: a model of the error tables is not in the population.
    """
    samples = Samples(with_shape(reported, shape), resamples, seed)
    rows, shown = [], []
    for claim in claims:
        lacking = lacks(claim, reported, repeats)
        found = None if lacking else measure(claim, samples, repeats, titles)
        result, words = _judged(claim, found, lacking)
        rows.append(_row(claim, found, result, words))
        shown.append(_shown(claim, found, rows[-1]["in_words"]))
    data = pd.DataFrame(rows)
    return Table(data, pd.DataFrame(shown), _caption(data, resamples))


def lacks(claim: Claim, reported: pd.DataFrame, repeats: Mapping[str, pd.DataFrame]) -> list[str]:
    """What a claim needs and the study does not have: tasks, and architectures without repeated trainings."""
    tables = repeats if claim.kind in OF_REPEATS else reported
    lacking = [task for task in claim.tasks if task not in tables]
    if lacking or claim.kind not in OF_REPEATS:
        return lacking
    task = claim.tasks[0]
    return [f"{model} on {task}" for model in claim.models if model not in set(repeats[task]["model"])]


def verdict(low: float, high: float, expected: tuple[float, float]) -> str:
    """Whether a 95 % interval lies wholly inside the expected region, wholly outside, or neither."""
    if expected[0] <= low and high <= expected[1]:
        return REPRODUCED
    return NOT_REPRODUCED if high < expected[0] or low > expected[1] else UNDECIDED


def _judged(claim: Claim, found: Measured | None, lacking: list[str]) -> tuple[str, str]:
    """The verdict, and the words that follow it."""
    if claim.incomparable:
        return INCOMPARABLE, f": {claim.incomparable}"
    if found is None:
        return ABSENT, f": lacks {', '.join(lacking)}"
    result = verdict(found.low, found.high, claim.expected)
    if result != UNDECIDED:
        return result, ""
    unit = "trainings" if claim.kind in OF_REPEATS else "models"
    return result, f" with {found.n} {unit}" + (f": {found.reason}" if found.reason else "")


def _row(claim: Claim, found: Measured | None, result: str, words: str) -> dict:
    found = found or Measured(*[math.nan] * 3, n=0)
    low, high = claim.expected
    return {
        "claim": claim.id,
        "says": claim.says,
        "where": claim.where or "",
        "mark": claim.mark,
        "verified": VERIFIED[claim.mark],
        "reported": claim.reported,
        "expected_low": low,
        "expected_high": high,
        "because": claim.because,
        "measured": found.value,
        "low": found.low,
        "high": found.high,
        "note": found.note,
        "n": found.n,
        "verdict": result,
        "in_words": f"{result}{words}",
    }


def _shown(claim: Claim, found: Measured | None, words: str) -> dict:
    measured = ""
    if found:
        measured = with_interval(found.value, found.low, found.high, DIGITS.get(claim.kind, 3))
        measured += f" ({found.note})" if found.note else ""
    verified = VERIFIED[claim.mark]
    value = claim.reported if isinstance(claim.reported, str) else _plain(claim.reported)
    low, high = map(_plain, claim.expected)
    return {
        "Claim": claim.says,
        "Where": claim.where or "not known",
        "Verified": verified,
        "Paper": value if verified == "verified" else f"{value} ({verified.split()[0]})",
        "Counts as true": f"at least {low}" if math.isinf(claim.expected[1]) else f"{low} to {high}",
        "Measured": measured,
        "n": str(found.n) if found else "",
        "Verdict": words,
    }


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _caption(data: pd.DataFrame, resamples: int) -> str:
    counts = Counter(data["verdict"])
    listed = ", ".join(f"{counts[name]} {name}" for name in VERDICTS)
    doubtful = int((data["verified"] != "verified").sum())
    return (
        f"{len(data)} claims taken from the paper, beside what this study measures: {listed}. In brackets: 95 % "
        f"percentile intervals of {resamples:,} bootstrap resamples of the n models that completed all tasks of the "
        "claim, or of the trainings of single architectures. Differences are paired; for the least of several "
        "differences the bounds are the least of theirs. An interval of a least or largest value cannot reach beyond "
        f"the models of the study. {REPRODUCED.capitalize()}: the interval lies wholly within the region that counts "
        f"as true; {NOT_REPRODUCED}: wholly outside; {UNDECIDED}: neither, with so many models. The paper gives "
        "numbers and words but no regions: all regions are this project's reading. Of the paper's statements "
        f"{doubtful} are not verified but recalled or inferred, as marked. ρ is Spearman's rank correlation of the "
        "models' errors, or of the error with depth or width."
    )
