"""What a run answered, image by image: its file, and the metrics that are computed from it.

Metrics are those of scikit-learn, which is imported only where one is asked for. Predictions: the class with the
largest score; of several labels those with a probability of 0.5 or more, a score above 0.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apr.basics.files import atomic_file, file_digest
from apr.basics.problems import Problem
from apr.data.packed import multi_hot
from apr.runs.metrics import Metric, counted, part_of

Arrays = Mapping[str, NDArray]


def targets_of(labels: NDArray[np.int64], label_sets: list[list[int]] | None, classes: int) -> NDArray:
    """What a run's outputs are held against.

    Args:
        labels: of the images, [n]: classes, or where `label_sets` is given their numbers.
        label_sets: the classes of each set of labels; None where every image has one label.
        classes: how many there are.

    Returns:
        int64 [n], or uint8 [n, classes] with a 1 for each label.
    """
    if label_sets is None:
        return labels
    return multi_hot(labels, label_sets, classes)


def score(metric: str, scores: NDArray[np.float32], targets: NDArray) -> float:
    """The metric (%) of scores [n, classes] and targets (`targets_of`), rounded to a millionth.

    Raises:
        KeyError: nothing computes the metric.
        Problem: the area under the ROC curve of images that are all of one class.
    """
    return round(100 * COMPUTED[metric](scores, targets), 6)


def evaluated(scores: NDArray[np.float32], targets: NDArray, metric: Metric) -> dict[str, Any]:
    """What is counted of a part, with the value of the metric; of equal scores the class comes first that is first.

    Args:
        scores: float32 [n, classes].
        targets: `targets_of`; of several labels nothing is counted.
        metric: of the task.
    """
    found = part_of(len(scores), counts_of(scores, targets) if targets.ndim == 1 else {})
    if metric.scored:
        found[metric.name] = score(metric.name, scores, targets)
    return found


def counts_of(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, int]:
    """How often the label [n] is among the first answers of scores [n, classes], by the name of the count.

    Its place is the number of classes with a larger score, and of those with the same one that come before it.
    """
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    before = np.arange(scores.shape[1]) < labels[:, None]
    place = ((scores > own) | ((scores == own) & before)).sum(axis=1)
    return {name: int((place < most).sum()) for name, most in counted(scores.shape[1]).items()}


def outputs_of(scores: Mapping[str, Any], labels: Arrays, groups: Arrays, manifest: Mapping[str, Any]) -> Arrays:
    """A run's outputs as `keep_outputs` takes them.

    Args:
        scores: of each part, float32 [n, classes], an array or a tensor on the CPU.
        labels: of each part, their numbers [n].
        groups: of each part, [n]; empty where the dataset has none.
        manifest: of the view.
    """
    arrays = {}
    for part in scores:
        arrays[f"{part}_scores"] = np.asarray(scores[part], np.float32)
        arrays[f"{part}_labels"] = targets_of(labels[part], manifest.get("label_sets"), len(manifest["classes"]))
        if part in groups:
            arrays[f"{part}_groups"] = groups[part]
    return arrays


def keep_outputs(path: str | Path, arrays: Arrays) -> str:
    """Write a run's outputs atomically; return the SHA-256 of the file, which is the same for the same outputs.

    Args:
        path: where to, `.npz`.
        arrays: for each of validation (where there is one) and test, `<part>_scores` float32 [n, classes],
            `<part>_labels` int64 [n] or uint8 [n, classes], and where the dataset has groups `<part>_groups` int64 [n].
    """
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    with atomic_file(path, "wb") as file:
        file.write(buffer.getbuffer())
    return file_digest(path)


def read_outputs(path: str | Path, digest: str | None = None) -> dict[str, NDArray]:
    """The outputs of a run, as `keep_outputs` takes them.

    Args:
        path: of the file.
        digest: that stands in the run; None where nothing is compared.

    Raises:
        Problem: the file is missing, is none, or is of another run.
    """
    remedy = "delete the run that left it to make it again"
    try:
        found = file_digest(path) if digest else None
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except FileNotFoundError:
        raise Problem(f"{path}: is missing; {remedy}") from None
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise Problem(f"{path}: cannot be read ({error}); {remedy}") from error
    if found != digest:
        raise Problem(f"{path}: is not what its run kept (sha256 {found[:12]}, not {digest[:12]}); {remedy}")
    return arrays


def _auc(scores: NDArray[np.float32], targets: NDArray) -> float:
    from sklearn.metrics import roc_auc_score

    if targets.min() == targets.max():
        raise Problem(
            f"auc: all {len(targets)} images are of one class, so that there is no ROC curve; give the part images of "
            "both classes, or take another metric"
        )
    return float(roc_auc_score(targets, scores[:, 1].astype(np.float64) - scores[:, 0]))


def _macro_f1(scores: NDArray[np.float32], targets: NDArray) -> float:
    from sklearn.metrics import f1_score

    if targets.ndim == 2:
        return float(f1_score(targets, scores > 0, average="macro", zero_division=0))
    classes = np.arange(scores.shape[1])
    return float(f1_score(targets, scores.argmax(axis=1), labels=classes, average="macro", zero_division=0))


def _kappa(scores: NDArray[np.float32], targets: NDArray) -> float:
    from sklearn.metrics import cohen_kappa_score

    predicted = scores.argmax(axis=1)
    if predicted.min() == predicted.max() == targets.min() == targets.max():
        return 1.0  # 0 / 0 in the formula, where all agree on one class
    value = cohen_kappa_score(targets, predicted, labels=np.arange(scores.shape[1]), weights="quadratic")
    return float(value)


# every metric of METRICS that is `scored`, by the function that computes it
COMPUTED = {"auc": _auc, "macro_f1": _macro_f1, "quadratic_weighted_kappa": _kappa}
