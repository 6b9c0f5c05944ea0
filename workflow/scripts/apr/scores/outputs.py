"""The outputs that a run keeps, `results/outputs/<task>/<run>.npz`: what a model said of each image, and what is true.

For each part there are `<part>_scores` [images, classes], `<part>_labels` (the class of each image, [images], or which
labels it has, [images, labels]) and, where images belong to groups, `<part>_groups` [images]. Rows are in the order of
the view, the same for all models of a task.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apr.basics.problems import Problem
from apr.runs.finetuning.scored import read_outputs as kept_arrays

REMEDY = "delete the run and this file, and run again"


@dataclass(frozen=True)
class Outputs:
    """Scores [images, classes], labels [images] or [images, labels], and numbers of groups [images], if there are."""

    scores: NDArray[np.float32]
    labels: NDArray[np.integer]
    groups: NDArray[np.int64] | None


def read_outputs(path: str | Path, digest: str | None = None, part: str = "test") -> Outputs:
    """Read the outputs of a part of the images.

    Args:
        path: of the file.
        digest: what its run says of it; None: nothing.
        part: train, validation or test.

    Raises:
        Problem: the file is missing, damaged or not the run's, lacks the part, or contradicts itself.
    """
    names = [f"{part}_{name}" for name in ("scores", "labels", "groups")]
    arrays = kept_arrays(path, digest)
    missing = [name for name in names[:2] if name not in arrays]
    if missing:
        raise Problem(f"{path}: lacks {', '.join(missing)}; {REMEDY}")
    found = Outputs(arrays[names[0]], arrays[names[1]], arrays.get(names[2]))
    fault = _fault(found)
    if fault:
        raise Problem(f"{path}: {part}: {fault}; {REMEDY}")
    return found


def check_same_images(outputs: Mapping[str, Outputs]) -> None:
    """Refuse runs of one task that were tested on other images, or on the same in another order.

    Args:
        outputs: by the path of each.

    Raises:
        Problem: names the first that differs.
    """
    first, *others = outputs
    for path in others:
        if not _same(outputs[first].labels, outputs[path].labels) or not _same(
            outputs[first].groups, outputs[path].groups
        ):
            raise Problem(f"{path}: is of other images than {first}, or of other groups of them; {REMEDY}")


def _same(one: NDArray | None, other: NDArray | None) -> bool:
    return other is None if one is None else other is not None and np.array_equal(one, other)


def _fault(found: Outputs) -> str:
    """What contradicts itself; empty where nothing does."""
    scores, labels, groups = found.scores, found.labels, found.groups
    if scores.ndim != 2 or not np.issubdtype(scores.dtype, np.floating) or not len(scores):
        return f"scores are {_said(scores)}, not numbers of [images, classes]"
    if not np.isfinite(scores).all():
        return "scores are not all finite"
    if labels.shape not in (scores.shape, scores.shape[:1]) or labels.dtype.kind not in "iu":
        return f"labels are {_said(labels)}, not whole numbers for each of {len(scores)} images"
    most = 1 if labels.ndim == 2 else scores.shape[1] - 1
    if labels.min() < 0 or labels.max() > most:
        return f"labels go from {labels.min()} to {labels.max()}, not from 0 to {most}"
    if groups is not None and (groups.shape != labels.shape[:1] or groups.dtype.kind not in "iu"):
        return f"groups are {_said(groups)}, not a whole number for each of {len(scores)} images"
    return ""


def _said(array: NDArray[Any]) -> str:
    return f"{array.dtype} {list(array.shape)}"
