"""What the tests of tasks can tell: which of them tell models apart, and what captions say of images and metrics."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from scipy.stats import binom, chi2

from apr.comparisons.wording import p_value
from apr.runs.metrics import LEAST
from apr.scores.tested import UNKNOWN, Counted, Counts, images_of, metric_of

MARK = " †"
TAIL = 0.025  # of a model's count, below what a guess would have
ALIKE = 0.05  # p above which models count as no more different than their test noise makes them
MOST = 0.5  # share of the models


def weakness(scores: pd.Series, counts: Counts) -> str:
    """Why a ranking by these scores (one a model) says nothing; empty where it may, or where that is not known.

    Either most models' counts are as a guess's, or not better by more than its noise (binomial, 2.5 %); or all counts
    are as alike as those of one model (chi-square test of equal shares, p > 0.05). The noise is taken as independent
    between models, which overstates it where they are tested on the same images. A metric that is no share of the
    images has no such noise.
    """
    scores, metric, n = scores.dropna(), counts.metric, counts.images
    if n is None or not metric.counts or len(scores) < 2 or scores.nunique() == 1:
        return ""
    wrong = (metric.loss(scores).to_numpy(dtype=float) * n / 100).round()
    if counts.guess is not None:
        guessing = int((binom.cdf(wrong, n, metric.loss(counts.guess) / 100) > TAIL).sum())
        if guessing > MOST * len(scores):
            compared = "err as much as" if metric.best == LEAST else "are as good as"
            reverse = "more" if metric.best == LEAST else "worse"
            return (
                f"{guessing} of {len(scores)} models {compared} a guess ({counts.guess:.1f} %) or {reverse}, within "
                f"the noise of {n:,} test images"
            )
    share = wrong.mean() / n
    if not 0 < share < 1:
        return ""
    p = float(chi2.sf(((wrong - n * share) ** 2).sum() / (n * share * (1 - share)), len(scores) - 1))
    if p > ALIKE:
        return f"its {len(scores)} models differ by no more than the noise of {n:,} test images (p = {p_value(p)})"
    return ""


def weak_tasks(scores: pd.DataFrame, counts: Counted | None, tasks: Iterable[str]) -> dict[str, str]:
    """The tasks whose models cannot be ranked, with the reason of `weakness`."""
    known = {task: (counts or {}).get(task, UNKNOWN) for task in dict.fromkeys(tasks) if task in scores}
    reasons = {task: weakness(scores[task], of_task) for task, of_task in known.items()}
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
    tasks = list(tasks)
    return (
        f"95 % intervals in Fisher's z, with the standard error of {resamples:,} bootstrap resamples of the models or, "
        f"where that is larger, Bonett and Wright's; {of_images(counts, tasks, alone)}; fewer than four models have "
        f"none; p is not corrected for the number of tests{_turned(counts, tasks)}"
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


def word_of(counts: Counted | None, tasks: Iterable[str]) -> str:
    """What tasks report, for a sentence: "error" or "accuracy" where they are alike, else "score"."""
    words = {metric_of(counts, task).word for task in tasks}
    return words.pop() if len(words) == 1 else "score"


def words_of(counts: Counted | None, tasks: Iterable[str]) -> str:
    """The same of several models: "errors", "accuracies" or "scores"."""
    words = {metric_of(counts, task).words for task in tasks}
    return words.pop() if len(words) == 1 else "scores"


def label_of(counts: Counted | None, tasks: Iterable[str]) -> str:
    """What an axis of several tasks says: "Error (%)", or "Score" where their metrics differ."""
    labels = {metric_of(counts, task).label for task in tasks}
    return (labels.pop() if len(labels) == 1 else "score").capitalize()


def best_end(counts: Counted | None, task: str) -> str:
    """What the best model of a task has: the "least error", the "greatest accuracy"."""
    metric = metric_of(counts, task)
    return f"{metric.best} {metric.word}"


def points_of(counts: Counted | None, tasks: Iterable[str]) -> str:
    """What differences are counted in: "error points", or "points" where the metrics of the tasks differ."""
    points = {metric_of(counts, task).points for task in tasks}
    return points.pop() if len(points) == 1 else "points"


def _turned(counts: Counted | None, tasks: Sequence[str]) -> str:
    """A clause on tasks whose best ends differ, or nothing."""
    if len({metric_of(counts, task).best for task in tasks}) < 2:
        return ""
    return "; each task is ranked from its best model to its worst, whichever end of its scores is the best"
