"""The scorecard of the retests: each value of the paper beside the one measured here, with a verdict."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from apr.basics.facts import once, read_entries
from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.claims.claims import VERIFIED, check_keys
from apr.claims.scorecard import ABSENT, INCOMPARABLE, NOT_REPRODUCED, REPRODUCED, UNDECIDED, readable, verdict
from apr.comparisons.retest_lines import Retest, retest_lines
from apr.comparisons.table import Table
from apr.comparisons.wording import number, with_interval

CLOSE = "close"
VERDICTS = (REPRODUCED, CLOSE, NOT_REPRODUCED, INCOMPARABLE, UNDECIDED, ABSENT)
OF_LINES = ("slope", "offset", "slope_low", "slope_high", "offset_low", "offset_high")
OF_MODELS = ("change", "models")
OF_ONE_MODEL = ("orig_acc", "new_acc")
QUANTITIES = (*OF_LINES, *OF_MODELS, *OF_ONE_MODEL)
REQUIRED = ("id", "says", "mark", "paper_value", "digits", "measure")
OPTIONAL = ("tolerance", "because", "incomparable")


@dataclass(frozen=True)
class RetestClaim:
    """A value of the paper, the quantity of a retest that measures it here, and how near the two have to be."""

    id: str
    says: str
    mark: str
    paper_value: float
    digits: int
    quantity: str
    retest: str
    model: str | None
    tolerance: float
    because: str
    incomparable: str | None

    @property
    def expected(self) -> tuple[float, float]:
        """The least and the largest value that count as met."""
        return round(self.paper_value - self.tolerance, 9), round(self.paper_value + self.tolerance, 9)


@dataclass(frozen=True)
class Measured:
    """A quantity with its 95 % interval (NaN where it has none) and the number of models it is over."""

    value: float
    low: float = math.nan
    high: float = math.nan
    n: int | None = None


def read_retest_claims(path: str | Path) -> list[RetestClaim]:
    """Read the list of scores values (resources/retest_claims.yaml explains its keys).

    Raises:
        Problem: the file is missing or no YAML, or an entry lacks a key, has an unknown one or an impossible value.
    """
    entries = read_entries(path, "claims")
    claims = [_claim(entry, f"{path}: claim {entry.get('id', i)}") for i, entry in enumerate(entries, 1)]
    once(path, "claim", [claim.id for claim in claims])
    return claims


def retest_scorecard(
    claims: Sequence[RetestClaim],
    pairs: Mapping[str, pd.DataFrame],
    retests: Sequence[Retest],
    resamples: int,
    seed: int,
) -> Table:
    """Every value of the paper with the one measured here and a verdict.

    Args:
        claims: of `read_retest_claims`.
        pairs: retest -> accuracies, of `retest_lines.pair_retests`.
        retests: of the study, with the models that their lines do not count.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    wanted = {claim.retest for claim in claims}
    lines = retest_lines(pairs, [retest for retest in retests if retest["name"] in wanted], resamples, seed)
    lines = {row["retest"]: row for row in lines.to_dict("records")}
    rows, shown = [], []
    for claim in claims:
        lacking = _lacking(claim, lines, pairs)
        found = None if lacking else _measured(claim, lines[claim.retest], pairs[claim.retest])
        result, words = _judged(claim, found, lacking)
        rows.append(_row(claim, found, result, f"{result}{words}"))
        shown.append(_shown(claim, found, rows[-1]["in_words"]))
    data = pd.DataFrame(rows)
    return Table(data, readable(data, shown), _caption(data, resamples))


def _measured(claim: RetestClaim, line: Mapping[str, Any], accuracies: pd.DataFrame) -> Measured:
    if claim.model:
        return Measured(float(accuracies.loc[claim.model, claim.quantity]))
    # the paper's bounds are of resampled models alone
    quantity = claim.quantity.replace("_low", "_models_low").replace("_high", "_models_high")
    value, n = line[quantity], line["n" if claim.quantity in OF_LINES else "models"]
    if f"{claim.quantity}_low" in line:
        return Measured(value, line[f"{claim.quantity}_low"], line[f"{claim.quantity}_high"], n)
    return Measured(float(value), n=n)


def _lacking(claim: RetestClaim, lines: Mapping[str, Any], pairs: Mapping[str, pd.DataFrame]) -> str:
    if claim.retest not in lines:
        return claim.retest
    return claim.model if claim.model and claim.model not in pairs[claim.retest].index else ""


def _judged(claim: RetestClaim, found: Measured | None, lacking: str) -> tuple[str, str]:
    """The verdict, and the words that follow it."""
    if found is None:
        return ABSENT, f": lacks {lacking}"
    if claim.incomparable:
        return INCOMPARABLE, f": {claim.incomparable}"
    result = verdict(found.value, found.value, claim.expected)
    if result == UNDECIDED:
        return result, f": no line through {found.n} models"
    if result != REPRODUCED:
        return result, ""
    if number(found.value, claim.digits) == number(claim.paper_value, claim.digits):
        return result, " to the printed digit"
    return CLOSE, f": within {claim.tolerance:g}, not to the printed digit"


def _row(claim: RetestClaim, found: Measured | None, result: str, words: str) -> dict[str, Any]:
    found = found or Measured(math.nan)
    return {
        "claim": claim.id,
        "says": claim.says,
        "mark": claim.mark,
        "verified": VERIFIED[claim.mark],
        "paper_value": claim.paper_value,
        "expected_low": claim.expected[0],
        "expected_high": claim.expected[1],
        "because": claim.because,
        "measured": found.value,
        "low": found.low,
        "high": found.high,
        "n": found.n,
        "verdict": result,
        "in_words": words,
    }


def _shown(claim: RetestClaim, found: Measured | None, words: str) -> dict[str, str]:
    digits = claim.digits + (claim.digits > 0)
    value = ""
    if found and math.isnan(found.low):
        value = number(found.value, digits)
    elif found:
        value = with_interval(found.value, found.low, found.high, digits)
    return {
        "Value": claim.says,
        "Verified": VERIFIED[claim.mark],
        "Paper": number(claim.paper_value, claim.digits),
        "Measured": value,
        "Models": str(found.n) if found and found.n is not None else "",
        "Verdict": words,
    }


def _caption(data: pd.DataFrame, resamples: int) -> str:
    counts = Counter(data["verdict"])
    listed = ", ".join(f"{counts[name]} {name}" for name in VERDICTS)
    reasons = "; ".join(dict.fromkeys(data.loc[data["verdict"] == CLOSE, "because"]))
    close = f" {CLOSE.capitalize()}: not so, but within a stated tolerance ({reasons})." if reasons else ""
    return (
        f"{len(data)} values that the paper reports, beside those measured here: {listed}. {REPRODUCED.capitalize()}: "
        f"prints as in the paper.{close} Measured values have a digit more than the paper prints. In brackets: 95 % "
        f"percentile intervals of {resamples:,} bootstrap resamples of models and test images; bounds that the paper "
        f"reports are measured on resampled models alone, as it did. {INCOMPARABLE.capitalize()}: the "
        "paper's value cannot be met from what is published, for the reason that is given. Models: how many a line "
        "goes through or a mean is over."
    )


def _claim(entry: dict[str, Any], place: str) -> RetestClaim:
    check_keys(entry, place, REQUIRED, OPTIONAL)
    measure = entry["measure"] if isinstance(entry["measure"], dict) else {}
    quantity = measure.get("quantity")
    if quantity not in QUANTITIES:
        known = f"; known: {', '.join(QUANTITIES)}"
        raise Problem(f"{place}: measure.quantity {quantity!r} is not known{nearest(quantity, QUANTITIES, known)}")
    of_one = ("model",) if quantity in OF_ONE_MODEL else ()
    check_keys(measure, f"{place}: measure", ("quantity", "retest", *of_one))
    if entry["mark"] not in VERIFIED:
        raise Problem(f"{place}: mark {entry['mark']!r} is not one of {', '.join(VERIFIED)}")
    for key in ("paper_value", "tolerance"):
        if key in entry and type(entry[key]) not in (int, float):
            raise Problem(f"{place}: {key} is {entry[key]!r}; give a number")
    if type(entry["digits"]) is not int or entry["digits"] < 0:
        raise Problem(f"{place}: digits is {entry['digits']!r}; give the number of printed decimals, 0 or more")
    if ("tolerance" in entry) != ("because" in entry):
        raise Problem(f"{place}: give tolerance and because together, or neither")
    values = {key: entry[key] for key in ("id", "says", "mark", "digits")} | {
        "paper_value": float(entry["paper_value"])
    }
    return RetestClaim(
        **values,
        quantity=quantity,
        retest=measure["retest"],
        model=measure.get("model"),
        tolerance=entry.get("tolerance", 0.5 * 10 ** -entry["digits"]),
        because=entry.get("because", "the printed digit"),
        incomparable=entry.get("incomparable"),
    )
