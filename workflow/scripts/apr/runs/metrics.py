"""The metrics that a task may report: each one entry of METRICS, and one function.

A part of a run (training, validation or test images) keeps what its metrics are computed from: `n`, the number of
images, and how often the label is among the first answers (COUNTS). What counts do not suffice for stands in the part
under its own name: fine-tuning and probes compute some such metrics from their outputs (`scored`, see
apr.runs.finetuning.scored), others are known of published tables alone. Light, since planning reads it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apr.basics.problems import Problem

COUNTS = {"correct_top1": 1, "correct_top5": 5}  # how often the label is among so many first answers
OLDEST = ("correct_top1", "correct_top5")  # counts that every run has; it may be older than others
LEAST, GREATEST = "least", "greatest"

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Metric:
    """How good a model is on a part of a dataset.

    `title` stands in sentences, `word` and `words` (one, several) where the task says which, as in "Digits error (%)".
    `best` is the end that is best, `perfect` the value there and `worst` the one at the other end. `guess` gives the
    level of whoever names the largest classes, of the numbers of test images by class. Where `counts` is true, the
    metric is a share (%) of the images, those right or those not by `count`, and `compute` takes a part of a run.
    `few` is the number of classes up to which the metric says nothing, `most` the number from which on it does not.
    `scored` says that it is computed from a run's outputs; `ordered`, that the order of the classes counts;
    `multilabel`, that it is defined for images with several labels.
    """

    name: str
    title: str
    word: str
    words: str
    unit: str
    best: str
    perfect: float
    worst: float
    guess: Callable[[Sequence[int]], float]
    compute: Callable[..., float | None]
    counts: bool
    count: str | None = None
    few: int = 1
    most: int | None = None
    scored: bool = False
    ordered: bool = False
    multilabel: bool = False

    @property
    def label(self) -> str:
        """What an axis says behind the name of a task: "error (%)"."""
        return f"{self.word} ({self.unit})" if self.unit else self.word

    @property
    def points(self) -> str:
        """What a difference is counted in: "error points"."""
        return f"{self.word} points" if self.unit == "%" else self.word

    def of(self, part: Part) -> float | None:
        """The metric of a part of a run; None where it is not known."""
        return self.compute(part) if self.counts else part.get(self.name)

    def loss(self, value: Any) -> Any:
        """The distance from the perfect value, so that the least is best; of numbers, arrays and tables alike.

        It is its own inverse: the value again, of a loss.
        """
        return value if self.best == LEAST else self.perfect - value

    def fault(self, classes: int) -> str:
        """Why the metric says nothing about so few classes; empty where it does."""
        if self.most is not None and classes > self.most:
            return f"{self.name} is of {self.most} classes, and there are {classes}; use {_scored_instead(self)}"
        if classes > self.few:
            return ""
        return f"{self.name} says nothing about {classes} classes; use {_instead(self, classes)}"


def _share(key: str, right: bool) -> Callable[[Part], float | None]:
    """A share (%) of a part's images, rounded to a millionth so that a table reads the same everywhere."""

    def compute(part: Part) -> float | None:
        count, n = part.get(key), part["n"]
        return None if count is None else round(100 * (count if right else n - count) / n, 6)

    return compute


def _guess(best: int, right: bool) -> Callable[[Sequence[int]], float]:
    def guess(test_images: Sequence[int]) -> float:
        images = sorted(test_images, reverse=True)
        share = sum(images[:best]) / sum(images)
        return round(100 * (share if right else 1 - share), 6)

    return guess


def _of_answers(count: str, right: bool) -> Metric:
    best = COUNTS[count]
    word, words, end = ("accuracy", "accuracies", GREATEST) if right else ("error", "errors", LEAST)
    return Metric(
        name=f"top{best}_{word}",
        title=f"top-{best} {word}",
        word=word,
        words=words,
        unit="%",
        best=end,
        perfect=100.0 if right else 0.0,
        worst=0.0 if right else 100.0,
        guess=_guess(best, right),
        compute=_share(count, right),
        counts=True,
        count=count,
        few=best,  # of five classes every answer is among the five best
    )


def _published(name: str, title: str, unit: str = "%", perfect: float = 100.0, worst: float = 0.0) -> Metric:
    """A metric that others computed, known as a value alone."""
    word = title.rpartition(" ")[2]
    best = GREATEST if perfect > worst else LEAST
    words = {"accuracy": "accuracies", "index": "indices", "loss": "losses", "similarity": "similarities"}.get(
        word, f"{word}s"
    )

    def unknown(part: Part) -> None:
        return None

    def no_guess(test_images: Sequence[int]) -> float:
        raise Problem(f"metric {name}: what a guess would score is not known")

    return Metric(name, title, word, words, unit, best, perfect, worst, no_guess, unknown, counts=False)


def _scored(name: str, title: str, worst: float, guess: Callable[[Sequence[int]], float], **more: Any) -> Metric:
    """A metric (%) that is computed from a run's outputs."""
    word = title.rpartition(" ")[2]

    def unknown(part: Part) -> None:
        return None

    return Metric(
        name, title, word, f"{word}s", "%", GREATEST, 100.0, worst, guess, unknown, counts=False, scored=True, **more
    )


def _guess_f1(test_images: Sequence[int]) -> float:
    """The macro F1 (%) of whoever names the largest class always: of that class 2p / (1 + p), of the others 0."""
    share = max(test_images) / sum(test_images)
    return round(100 * 2 * share / (1 + share) / len(test_images), 6)


METRICS = {
    metric.name: metric
    for metric in (
        _of_answers("correct_top1", right=False),
        _of_answers("correct_top5", right=False),
        _of_answers("correct_top1", right=True),
        _of_answers("correct_top5", right=True),
        _published("mean_per_class_recall", "mean per-class recall"),
        _scored("macro_f1", "macro F1 score", 0.0, _guess_f1, multilabel=True),
        _scored(
            "quadratic_weighted_kappa", "quadratic weighted kappa", -100.0, lambda images: 0.0, few=2, ordered=True
        ),
        _published("worst_group_accuracy", "worst-group accuracy"),
        _published("worst_group_top5_accuracy", "worst-group top-5 accuracy"),
        _published("mean_recall_at_1", "mean recall"),
        _published("jaccard", "Jaccard index"),
        _published("pixel_accuracy", "pixel accuracy"),
        _scored("auc", "ROC area", 0.0, lambda images: 50.0, most=2),
        _published("ssim", "structural similarity", "", 1.0, -1.0),
        _published("loss", "test loss", "", 0.0, math.inf),
    )
}
PLAIN = METRICS["top1_error"]  # what a log shows, whatever the task reports
ACCURACY = METRICS["top1_accuracy"]  # of published results, where nothing else is said
SHOWN = ("top1_error", "top5_error")  # what a score table has of each part besides the task's own metric


def _instead(metric: Metric, classes: int) -> str:
    """Metrics of the same kind for so few classes."""
    return " or ".join(m.name for m in METRICS.values() if m.counts and m.word == metric.word and classes > m.few)


def _scored_instead(metric: Metric) -> str:
    return " or ".join(m.name for m in METRICS.values() if m.scored and m is not metric and m.most is None)


def counted(classes: int) -> dict[str, int]:
    """The counts that say something of so many classes, with the number of answers of each."""
    return {name: answers for name, answers in COUNTS.items() if classes > answers or answers == 1}


def part_of(n: int, counts: Mapping[str, int] | None = None) -> dict[str, Any]:
    """A part of a run: its images and its counts, None where a count says nothing or is not known."""
    return {"n": n} | {name: (counts or {}).get(name) for name in COUNTS}


def part_fault(part: Part, classes: int, n: int, *, several: bool = False) -> str:
    """What is impossible about a part of so many images and classes; empty where nothing is.

    `several` says that an image may have several labels, so that nothing is counted.
    """
    if part["n"] != n:
        return f"has {part['n']} images, its view {n}"
    known = [name for name in ({} if several else counted(classes)) if name in part]  # a run may be older than a count
    found = {name: part[name] for name in COUNTS if part.get(name) is not None}
    if list(found) != known or not _rising([0, *found.values(), n]):
        return f"counts {', '.join(f'{name} {part.get(name)}' for name in COUNTS)} of {n} images"
    return ""


def is_part(value: Any) -> bool:
    """Whether a value read from elsewhere has the counts of a part, as far as one can tell without its view."""
    if not isinstance(value, dict) or not value.keys() >= {"n", *OLDEST} or type(value["n"]) is not int:
        return False
    counts = [value[name] for name in COUNTS if value.get(name) is not None]
    return value["n"] > 0 and all(type(count) is int for count in counts) and _rising([0, *counts, value["n"]])


def check_metric(task: str, metric: str, manifest: Mapping[str, Any]) -> None:
    """Refuse a metric that says nothing about the classes of a view.

    Raises:
        Problem: names task, view and remedy.
    """
    fault = METRICS[metric].fault(len(manifest["classes"]))
    if "label_sets" in manifest and not METRICS[metric].multilabel:
        several = " or ".join(one.name for one in METRICS.values() if one.multilabel)
        fault = f"{metric} is of images with one label, and these may have several; use {several}"
    if fault:
        raise Problem(f"task {task}: metric: {fault} (view {manifest['view']})")


def guess_of(metric: Metric, manifest: Mapping[str, Any]) -> float:
    """What a guess scores on the test images of a view: naming the largest classes, or of several labels all."""
    images = manifest["per_class"]["test"]
    if "label_sets" not in manifest:
        return metric.guess(images)
    shares = [count / manifest["n_test"] for count in images]
    return round(100 * sum(2 * share / (1 + share) for share in shares) / len(shares), 6)


def _rising(values: Sequence[int]) -> bool:
    return list(values) == sorted(values)
