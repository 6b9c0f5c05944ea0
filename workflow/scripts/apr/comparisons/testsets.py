"""What the test images of tasks can tell: how many there are, what a guess errs, and which tasks tell models apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import binom, chi2

from apr.comparisons.wording import p_value
from apr.scores.table import read_errors

MARK = " †"
GUESS_COLUMN = "guess_error"  # of an error table, beside `apr.runs.record.COLUMNS`
TAIL = 0.025  # of a model's count, below what a guess would have
ALIKE = 0.05  # p above which models count as no more different than their test noise makes them
MOST = 0.5  # share of the models


@dataclass(frozen=True)
class Counts:
    """Number of test images of a task, and the error (%) of who always names the likeliest classes; None: not known."""

    images: int | None = None
    guess: float | None = None


UNKNOWN = Counts()
Counted = Mapping[str, Counts]


def guess_error(test_images: Sequence[int], best: int) -> float:
    """Error (%) of a guess that names the `best` (1 or 5) largest classes, of test images by class."""
    images = sorted(test_images, reverse=True)
    return round(100 * (1 - sum(images[:best]) / sum(images)), 6)


def counts_of_view(view: Mapping[str, Any], reported: str) -> Counts:
    """What the manifest of a view tells of the test images of a task that reports top1 or top5."""
    images = view["per_class"]["test"]
    return Counts(sum(images), guess_error(images, 5 if reported == "top5" else 1))


def read_counts(paths: Iterable[str | Path]) -> dict[str, Counts]:
    """Read what is known of the test images of `<task>.csv` files; where models differ, their least number counts.

    Raises:
        Problem: see `apr.scores.table.read_errors`.
    """
    return {Path(path).stem: counts_of(read_errors(path)) for path in paths}


def counts_of(table: pd.DataFrame) -> Counts:
    """What an error table knows of its test images."""
    images = table.loc[table["status"] == "completed", "n"].dropna()
    guess = pd.to_numeric(table.get(GUESS_COLUMN, pd.Series(dtype=float)), errors="coerce").dropna()
    return Counts(int(images.min()) if len(images) else None, float(guess.iloc[0]) if len(guess) else None)


def images_of(counts: Counted | None, *tasks: str) -> tuple[int | None, ...]:
    """Number of test images of each task; None where it is not known (or where the name is of no task)."""
    return tuple((counts or {}).get(task, UNKNOWN).images for task in tasks)


def weakness(errors: pd.Series, counts: Counts) -> str:
    """Why a ranking by these errors (%, one a model) says nothing; empty where it may, or where images are not known.

    Either most models' counts are as a guess's, or not below it by more than its noise (binomial, 2.5 %); or all counts
    are as alike as those of one model (chi-square test of equal shares, p > 0.05). The noise is taken as independent
    between models, which overstates it where they are tested on the same images.
    """
    errors = errors.dropna()
    n = counts.images
    if n is None or len(errors) < 2 or errors.nunique() == 1:
        return ""
    wrong = (errors.to_numpy(dtype=float) * n / 100).round()
    if counts.guess is not None:
        guessing = int((binom.cdf(wrong, n, counts.guess / 100) > TAIL).sum())
        if guessing > MOST * len(errors):
            return (
                f"{guessing} of {len(errors)} models err as much as a guess ({counts.guess:.1f} %) or more, within the "
                f"noise of {n:,} test images"
            )
    share = wrong.mean() / n
    if not 0 < share < 1:
        return ""
    p = float(chi2.sf(((wrong - n * share) ** 2).sum() / (n * share * (1 - share)), len(errors) - 1))
    if p > ALIKE:
        return f"its {len(errors)} models differ by no more than the noise of {n:,} test images (p = {p_value(p)})"
    return ""


def weak_tasks(reported: pd.DataFrame, counts: Counted | None, tasks: Iterable[str]) -> dict[str, str]:
    """The tasks whose models cannot be ranked, with the reason of `weakness`."""
    known = {task: (counts or {}).get(task, UNKNOWN) for task in dict.fromkeys(tasks) if task in reported}
    reasons = {task: weakness(reported[task], of_task) for task, of_task in known.items()}
    return {task: reason for task, reason in reasons.items() if reason}


def marked(titles: Mapping[str, str], weak: Iterable[str]) -> dict[str, str]:
    """Titles with a dagger behind those of tasks whose models cannot be ranked."""
    weak = set(weak)
    return {task: f"{title}{MARK}" if task in weak else title for task, title in titles.items()}


def footnote(weak: Mapping[str, str], titles: Mapping[str, str]) -> str:
    """A sentence for a caption that says what the daggers mean; empty without one."""
    if not weak:
        return ""
    clauses = "; ".join(f"{titles[task].removesuffix(MARK)}: {reason}" for task, reason in weak.items())
    return f" †: the task cannot rank the models and is left out of means ({clauses})."


def basis(
    resamples: int,
    counts: Counted | None,
    tasks: Iterable[str],
    alone: str = "the numbers of test images are not known",
) -> str:
    """What the intervals of rho in a table or figure are of, for its caption; `alone`: why of models, if they are."""
    return (
        f"95 % intervals in Fisher's z, with the standard error of {resamples:,} bootstrap resamples of the models or, "
        f"where that is larger, Bonett and Wright's; {of_images(counts, tasks, alone)}; fewer than four models have "
        "none; p is not corrected for the number of tests"
    )


def of_images(
    counts: Counted | None, tasks: Iterable[str], alone: str = "the numbers of test images are not known"
) -> str:
    """Whether intervals hold for other test images too, for a caption."""
    numbers = images_of(counts, *dict.fromkeys(tasks))
    known = sorted(number for number in numbers if number is not None)
    if not known:
        return f"they are of models alone, since {alone}"
    several = f"{known[0]:,}" if known[0] == known[-1] else f"{known[0]:,} to {known[-1]:,}"
    some = (
        "" if len(known) == len(numbers) else f" of {len(known)} of {len(numbers)} tasks (of the others models alone)"
    )
    return (
        f"they hold for models and test images: binomial counts of {several} images{some}, as they are and with their "
        "noise taken back"
    )
