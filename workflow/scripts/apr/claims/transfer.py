"""The scorecard of transfer: each value of the papers beside the one measured here, with a verdict."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from apr.claims.measures import Measured
from apr.claims.scorecard import (
    ABSENT,
    INCOMPARABLE,
    NOT_REPRODUCED,
    REPRODUCED,
    UNDECIDED,
    VERDICTS,
    equivalence,
    readable,
    smallest_difference,
    widened,
)
from apr.claims.transfer_claims import TransferClaim
from apr.comparisons.table import Table
from apr.comparisons.transfer.gains import Ahead, augmentation_ahead, average_of
from apr.comparisons.transfer.slopes import slopes_basis
from apr.comparisons.transfer.targets import Transfer
from apr.comparisons.transfer.trained import FINE_TUNED
from apr.comparisons.wording import number, with_interval

DIGITS = {"slope": 3, "augmentation_ahead": 0, "correlation": 3}


def transfer_scorecard(claims: Sequence[TransferClaim], transfer: Transfer) -> Table:
    """Every value of the papers with the measured one and a verdict.

    A slope is judged where a target is the paper's own dataset (`paper` of the settings), and is not in this study
    otherwise.

    Args:
        claims: of `read_transfer_claims`.
        transfer: of `read_transfer`.
    """
    rows, shown = [], []
    for claim in claims:
        found, lacking = _measured(claim, transfer)
        result, words = _judged(claim, found, lacking)
        rows.append(_row(claim, found, result, words))
        shown.append(_shown(claim, found, rows[-1]["in_words"]))
    data = pd.DataFrame(rows)
    return Table(data, readable(data, shown), _caption(data, transfer))


def _measured(claim: TransferClaim, transfer: Transfer) -> tuple[Measured | None, str]:
    """The quantity of a claim, or what the study lacks for it."""
    own = {dataset: target for target, dataset in transfer.settings["paper"].items()}
    if claim.quantity == "slope":
        return _slope(claim, transfer, own.get(claim.dataset))
    if claim.quantity == "augmentation_ahead":
        return _ahead(transfer, [target for target in own.values() if target in transfer.others["augmentation"]])
    return _correlation(claim, transfer)


def _slope(claim: TransferClaim, transfer: Transfer, target: str | None) -> tuple[Measured | None, str]:
    if target is None:
        return None, f"the paper's {claim.dataset}"
    lines = transfer.lines(transfer.targets[target])
    name = next((line for line in claim.lines if line in lines), None)
    if name is None:
        return None, f"a line over {' or '.join(claim.lines)} of its models (comparisons.transfer)"
    line = lines[name]
    note = transfer.fit_titles()[name]
    return Measured(line.slope, *line.bounds, line.n, note, line.reason, line.inner, line.error), ""


def _ahead(transfer: Transfer, targets: list[str]) -> tuple[Measured | None, str]:
    """On how many datasets augmentation is ahead; from those where it surely is to those where it may be."""
    if not targets:
        return None, "the paper's datasets without augmentation"
    ahead = [augmentation_ahead(transfer, target) for target in targets]
    found: list[Ahead] = [one for one in ahead if one]
    if not found:
        return None, "models with an ImageNet accuracy, with and without augmentation"
    value = sum(one.value > 0 for one in found)
    if any(math.isnan(one.low) for one in found):
        return Measured(value, math.nan, math.nan, len(found), "", "the test images are not known"), ""
    bounds = float(sum(one.low > 0 for one in found)), float(sum(one.high > 0 for one in found))
    return Measured(value, *bounds, len(found), f"of {len(found)}", "", bounds), ""


def _correlation(claim: TransferClaim, transfer: Transfer) -> tuple[Measured | None, str]:
    scored = transfer.targets if claim.trained == FINE_TUNED else transfer.others["probes"]
    if set(scored) != set(transfer.targets):
        return None, claim.trained
    found = average_of(transfer, scored)
    reason = "" if not math.isnan(found.low) else "fewer than four models"
    return Measured(found.r, found.low, found.high, found.n, f"{len(scored)} datasets", reason), ""


def _judged(claim: TransferClaim, found: Measured | None, lacking: str) -> tuple[str, str]:
    if found is None:
        return ABSENT, f": lacks {lacking}"
    if claim.incomparable:
        return INCOMPARABLE, f": {claim.incomparable}"
    if found.reason:
        return UNDECIDED, f": {found.reason}"
    result = equivalence(found, claim.expected, claim.models)
    if result != UNDECIDED or math.isnan(found.error):
        return result, ""
    least = number(smallest_difference(found), DIGITS[claim.quantity])
    return result, f": {found.n} models could tell only differences above {least}"


def _row(claim: TransferClaim, found: Measured | None, result: str, words: str) -> dict:
    found = found or Measured(*[math.nan] * 3, n=0)
    tested = widened(claim.expected, found, claim.models)
    row = {"claim": claim.id, "says": claim.says, "mark": claim.mark, "verified": claim.verified}
    row |= {"paper_value": claim.paper_value, "expected_low": claim.expected[0], "expected_high": claim.expected[1]}
    row |= {"tested_low": tested[0], "tested_high": tested[1], "because": claim.because}
    row |= {"measured": found.value, "low": found.low, "high": found.high, "n": found.n, "note": found.note}
    return row | {"verdict": result, "in_words": f"{result}{words}"}


def _shown(claim: TransferClaim, found: Measured | None, words: str) -> dict[str, str]:
    digits, measured = DIGITS[claim.quantity], ""
    if found and not math.isnan(found.value):
        bounded = with_interval(found.value, found.low, found.high, digits)
        measured = number(found.value, digits) if math.isnan(found.low) else bounded
        measured += f" ({found.note})" if found.note else ""
    doubt = "" if claim.verified == "verified" else f" ({claim.verified})"
    return {
        "Value": claim.says,
        "Verified": claim.verified,
        "Paper": f"{claim.paper_value}{doubt}",
        "Counts as true": _region(claim.expected),
        "Measured": measured,
        "n": str(found.n) if found else "",
        "Verdict": words,
    }


def _region(expected: tuple[float, float]) -> str:
    low, high = (f"{bound:g}".replace("-", "−") for bound in expected)
    if np.isinf(expected[0]):
        return f"at most {high}"
    return f"at least {low}" if np.isinf(expected[1]) else f"{low} to {high}"


def _caption(data: pd.DataFrame, transfer: Transfer) -> str:
    counts = Counter(data["verdict"])
    listed = ", ".join(f"{counts[name]} {name}" for name in VERDICTS)
    doubtful = int((data["verified"] != "verified").sum())
    return (
        f"{len(data)} values that papers report, beside those measured here: {listed}. In brackets: those of slopes "
        f"are {slopes_basis(transfer)}; augmentation is ahead on so many datasets, from those where the 95 % interval "
        "says so to those where it allows it; of correlations in Fisher's z over models. The region that counts as "
        f"true is widened by the paper's own sampling error. {REPRODUCED.capitalize()}: the 90 % interval (two "
        f"one-sided tests at 5 %) lies wholly within it; {NOT_REPRODUCED}: the 95 % interval lies wholly outside; "
        f"{UNDECIDED}: neither. All regions are this project's reading. Not verified, since the source could not be "
        f"read: {doubtful} of the values."
    )
