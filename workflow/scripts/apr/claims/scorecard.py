"""The scorecard: each claim of a paper, or of the study itself, beside what it measures, with interval and verdict."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd

from apr.claims.claims import OF_REPEATS, VERIFIED, Claim
from apr.claims.measures import Measured, Samples, measure
from apr.comparisons.shape import with_shape
from apr.comparisons.table import Table
from apr.comparisons.testsets import of_images, weak_tasks
from apr.comparisons.wording import number, with_interval
from apr.scores.tested import Counted, losses, losses_of, metric_of

REPRODUCED, NOT_REPRODUCED, UNDECIDED = "reproduced", "not reproduced", "undecided"
ABSENT, INCOMPARABLE = "not in this study", "not comparable"
HOLDS = {REPRODUCED: "holds", NOT_REPRODUCED: "does not hold"}  # what is said of a prediction
VERDICTS = (REPRODUCED, NOT_REPRODUCED, UNDECIDED, INCOMPARABLE, ABSENT)
PAPER_MODELS, PAPER_SEEDS = 500, 250  # that the paper's own numbers are of; seeds of each single architecture
ONE_SIDED, POWER = 1.645, 1.282  # quantiles of the normal distribution at 95 and 90 %
OF_ERRORS = ("largest_error", "mean_error", "quantile_error")  # these rank no models
IN_PERCENT = (*OF_ERRORS, "mean_of_repeats")
DIGITS = {"least_of_best": 0, "largest_of_best": 0} | dict.fromkeys(
    ("largest_error", "mean_error", "quantile_error", "mean_of_repeats", "overlap"), 2
)


def scorecard(
    claims: Sequence[Claim],
    scores: pd.DataFrame,
    shape: pd.DataFrame,
    repeats: Mapping[str, pd.DataFrame],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Table:
    """Every claim with the measured value and a verdict.

    Args:
        claims: of `claims.read_claims`.
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete; a
            task of no column is absent.
        shape: cumulative depth and width of the population.
        repeats: task -> model, seed, value of its trainings, NaN where one diverged.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of each interval.
        seed: of the bootstrap; all quantities over the same models have the same resamples.
        counts: what is known of each task's test images, which intervals take in; a claim on a task that cannot rank
            the models is undecided.

    Raises:
        Problem: a model of the score tables is not in the population.
    """
    weak = weak_tasks(scores, counts, (task for claim in claims for task in claim.tasks))
    # the paper speaks of errors
    scores = losses(scores, counts)
    repeats = {task: losses_of(table, counts, task) for task, table in repeats.items()}
    samples = Samples(with_shape(scores, shape), resamples, seed, counts)
    rows, shown = [], []
    for claim in claims:
        lacking = lacks(claim, scores, repeats, counts)
        found = None if lacking else measure(claim, samples, repeats, titles)
        blind = [] if claim.kind in (*OF_ERRORS, *OF_REPEATS) else [task for task in claim.tasks if task in weak]
        result, words = _judged(claim, found, lacking, [f"{titles[task]}: {weak[task]}" for task in blind])
        rows.append(_row(claim, found, result, words))
        shown.append(_shown(claim, found, rows[-1]["in_words"]))
    data = pd.DataFrame(rows)
    tasks = [task for claim in claims for task in claim.tasks if task in scores]
    own = bool(claims) and all(claim.predicted for claim in claims)
    return Table(data, readable(data, shown), _caption(data, f"{resamples:,}", of_images(counts, tasks), own))


def readable(data: pd.DataFrame, shown: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """The rows of a scorecard for readers: claims that the study has nothing for are one row with their number."""
    if len(data) == 0 or (count := int((data["verdict"] == ABSENT).sum())) < 2:
        return pd.DataFrame(shown)
    rows = [row for row, result in zip(shown, data["verdict"], strict=True) if result != ABSENT]
    first = next(iter(shown[0]))
    others = f"{count:,} other claims" if rows else f"All {count:,} claims"
    folded = {first: others, "Verdict": f"{ABSENT}: the CSV file names each and what it lacks"}
    return pd.DataFrame([*rows, dict.fromkeys(shown[0], "") | folded])


def lacks(
    claim: Claim, scores: pd.DataFrame, repeats: Mapping[str, pd.DataFrame], counts: Counted | None = None
) -> list[str]:
    """What a claim needs and the study does not have: tasks, errors in %, architectures without repeated trainings."""
    tables = repeats if claim.kind in OF_REPEATS else scores
    lacking = [task for task in claim.tasks if task not in tables]
    if claim.kind in IN_PERCENT:
        lacking += [f"{task} in %" for task in claim.tasks if metric_of(counts, task).unit != "%"]
    if lacking or claim.kind not in OF_REPEATS:
        return lacking
    task = claim.tasks[0]
    return [f"{model} on {task}" for model in claim.models if model not in set(repeats[task]["model"])]


def verdict(low: float, high: float, expected: tuple[float, float]) -> str:
    """Whether an interval lies wholly inside the expected region, wholly outside, or neither."""
    if expected[0] <= low and high <= expected[1]:
        return REPRODUCED
    return NOT_REPRODUCED if high < expected[0] or low > expected[1] else UNDECIDED


def widened(expected: tuple[float, float], found: Measured, paper: float = PAPER_MODELS) -> tuple[float, float]:
    """The expected region, wider by the paper's own sampling error at 95 %: that of this study for `paper` models.

    It stays as it is where there is no sampling error here, as of the least or largest of models. A bound that says a
    direction stays on its side of 0: that a gain is more than nothing does not become less true by the paper's error.
    """
    low, high = expected
    if math.isnan(found.error):
        return expected
    margin = ONE_SIDED * found.error * math.sqrt(found.n / paper)
    return max(low - margin, 0) if low >= 0 else low - margin, min(high + margin, 0) if high <= 0 else high + margin


def equivalence(found: Measured, expected: tuple[float, float], paper: float = PAPER_MODELS) -> str:
    """Reproduced where two one-sided tests at 5 % show that the quantity lies in the widened region.

    Not reproduced where the 95 % interval lies outside of it.
    """
    region = widened(expected, found, paper)
    inside = verdict(*found.inner, region)
    return inside if inside == REPRODUCED else verdict(found.low, found.high, region)


def smallest_difference(found: Measured) -> float:
    """How far inside its region a quantity has to lie for this study to show it, at 5 %, in nine of ten cases."""
    return (ONE_SIDED + POWER) * found.error


def _judged(claim: Claim, found: Measured | None, lacking: list[str], blind: list[str]) -> tuple[str, str]:
    """The verdict, and the words that follow it."""
    if claim.incomparable:
        return INCOMPARABLE, f": {claim.incomparable}"
    if found is None:
        return ABSENT, f": lacks {', '.join(lacking)}"
    if blind:
        return UNDECIDED, f": {'; '.join(blind)}"
    unit = "trainings" if claim.kind in OF_REPEATS else "models"
    if found.reason:
        return UNDECIDED, f" with {found.n} {unit}: {found.reason}"
    result = equivalence(found, claim.expected, papers(claim))
    if result != UNDECIDED:
        return HOLDS[result] if claim.predicted else result, ""
    least = number(smallest_difference(found), DIGITS.get(claim.kind, 2))
    return result, f": {found.n} {unit} could tell only differences above {least}"


def papers(claim: Claim) -> float:
    """How many models, or trainings of an architecture, the paper's own number is of: no number, no sampling error."""
    if claim.predicted:
        return math.inf
    return PAPER_SEEDS if claim.kind in OF_REPEATS else PAPER_MODELS


def _row(claim: Claim, found: Measured | None, result: str, words: str) -> dict:
    found = found or Measured(*[math.nan] * 3, n=0)
    low, high = claim.expected
    tested = widened(claim.expected, found, papers(claim))
    return {
        "claim": claim.id,
        "says": claim.says,
        "where": claim.where or "",
        "mark": claim.mark,
        "verified": VERIFIED[claim.mark],
        "paper_value": claim.paper_value,
        "expected_low": low,
        "expected_high": high,
        "tested_low": tested[0],
        "tested_high": tested[1],
        "because": claim.because,
        "measured": found.value,
        "low": found.low,
        "high": found.high,
        "note": found.note,
        "n": found.n,
        "tells": smallest_difference(found),
        "verdict": result,
        "in_words": f"{result}{words}",
    }


def _shown(claim: Claim, found: Measured | None, words: str) -> dict:
    measured = ""
    if found:
        measured = with_interval(found.value, found.low, found.high, DIGITS.get(claim.kind, 3))
        measured += f" ({found.note})" if found.note else ""
    return {
        "Claim": claim.says,
        **_papers_word(claim),
        "Counts as true": _region(claim, found),
        "Measured": measured,
        "n": str(found.n) if found else "",
        "Tells": number(smallest_difference(found), DIGITS.get(claim.kind, 2)) if found and not found.reason else "",
        "Verdict": words,
    }


def _papers_word(claim: Claim) -> dict[str, str]:
    """Where the paper says it, and what; nothing of a prediction."""
    if claim.predicted:
        return {}
    verified = VERIFIED[claim.mark]
    value = claim.paper_value if isinstance(claim.paper_value, str) else _plain(claim.paper_value)
    return {
        "Where": claim.where or "not known",
        "Verified": verified,
        "Paper": value if verified == "verified" else f"{value} ({verified.split()[0]})",
    }


def _region(claim: Claim, found: Measured | None) -> str:
    """The region of the claim, and the wider one that the verdict is of."""
    said = _between(claim.expected)
    tested = widened(claim.expected, found, papers(claim)) if found else claim.expected
    wider = _between((round(tested[0], 3) + 0.0, round(tested[1], 3) + 0.0))
    return said if wider == said else f"{said}; tested: {wider}"


def _between(region: tuple[float, float]) -> str:
    low, high = map(_plain, region)
    return f"at least {low}" if math.isinf(region[1]) else f"{low} to {high}"


def _plain(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _caption(data: pd.DataFrame, resamples: str, images: str, own: bool) -> str:
    counts = Counter(data["verdict"])
    names = (HOLDS.get(name, name) if own else name for name in VERDICTS if not own or name != INCOMPARABLE)
    listed = ", ".join(f"{counts[name]} {name}" for name in names)
    yes, no = (HOLDS[name] if own else name for name in (REPRODUCED, NOT_REPRODUCED))
    whose = "predictions, written before the study was run" if own else "claims taken from the paper"
    region = (
        "A prediction holds in the region that it names; that was written before, too. "
        if own
        else "The region that counts as true is widened by the paper's own "
        f"sampling error, that of {PAPER_MODELS} models or {PAPER_SEEDS} trainings of an architecture, but not across "
        "0; the verdict is of the wider one (tested). "
    )
    doubtful = int((data["verified"] != "verified").sum())
    source = (
        ""
        if own
        else "The paper gives numbers and words but no regions: all regions are this project's reading. Of the paper's "
        f"statements {doubtful} are not verified but recalled or inferred, as marked. "
    )
    return (
        f"{len(data)} {whose}, beside what this study measures: {listed}. In brackets: 95 % "
        f"intervals of {resamples} bootstrap resamples of the n models that completed all tasks of the claim (those of "
        "ρ in Fisher's z, no narrower than Bonett and Wright's), or of the trainings of single architectures. Those of "
        f"ρ: {images}; those of errors are of models or trainings alone. Differences of ρ are paired and no narrower "
        "than Meng, Rosenthal and Rubin's; the least of several is corrected for their number (Bonferroni). The least "
        "or largest value of models has no interval and decides nothing, since it hangs on which models were drawn; "
        f"the row says whether the claim holds of these. {region}"
        f"{yes.capitalize()}: the 90 % interval (two one-sided tests at 5 %) lies wholly within it; "
        f"{no}: the 95 % interval lies wholly outside; {UNDECIDED}: neither. Tells: the smallest "
        "difference that this study can tell, how far within its region a quantity has to lie to be shown there in "
        f"nine of ten studies like this. {source}ρ is Spearman's rank correlation of the "
        "models' errors, or of the error with depth or width."
    )
