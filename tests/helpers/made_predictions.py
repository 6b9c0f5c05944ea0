"""A repository of predictions that nobody made, as publishers lay them out."""

import copy
import json

import numpy as np
import pytest
from published import frame

from apr.basics.problems import Problem
from apr.scores.predictions import import_predictions

TOP = "Repository-0123abc"
CLASSES = 12
IDS = {f"n{900 - i:04}": (5 * i + 3) % CLASSES for i in range(CLASSES)}  # neither in the order of names nor of the list
METRIC = "top1_accuracy"
SOURCE = {
    "classes": CLASSES,
    "class_ids": "class_info.json",
    "renamed": {"fisher_model": "fisher"},
    "sets": {
        "old": {"predictions": "predictions/old", "labels": "old.json"},
        "new": {"predictions": "predictions/new", "labels": "new.json"},
    },
}
N = {"old": 60, "new": 40}


def image_list(n, seed):
    """Images, not in the order of their names, and their classes."""
    names = np.random.default_rng(seed).choice(list(IDS), n)
    return [[f"{(7 * i) % n:05}.JPEG", str(name)] for i, name in enumerate(names)]


def top_five(labels, right_at, seed=0):
    """Predictions [n, 5] whose column right_at[i] has the label of image i, and none where it is 5."""
    random = np.random.default_rng(seed)
    rows = np.array([random.permutation([c for c in range(CLASSES) if c != label])[:5] for label in labels])
    for row, (label, column) in enumerate(zip(labels, right_at, strict=True)):
        if column < 5:
            rows[row, column] = label
    return rows


def made(root, models=("alpha", "beta"), right=(30, 10)):
    """A source: the first images of each set are right at rank 1, the next ones at rank 3."""
    top = root / TOP
    for name, n in N.items():
        images = image_list(n, seed=n)
        (top / "predictions" / name).mkdir(parents=True)
        (top / f"{name}.json").write_text(json.dumps({"seed": 1, "image_filenames": images}))
        labels = [IDS[label] for _, label in images]
        for model in models:
            right_at = [0] * right[0] + [2] * right[1] + [5] * (n - sum(right))
            np.save(top / "predictions" / name / f"{model}.npy", top_five(labels, right_at))
    (top / "class_info.json").write_text(json.dumps([{"wnid": w, "cid": c} for w, c in IDS.items()]))
    return root


def labels_of(root, name):
    rows = json.loads((root / TOP / f"{name}.json").read_text())["image_filenames"]
    return np.array([IDS[label] for _, label in rows])


def file_of(root, name="new", model="alpha", suffix="npy"):
    return root / TOP / "predictions" / name / f"{model}.{suffix}"


def source(**changes):
    """The source with changes of its test set `new`."""
    changed = copy.deepcopy(SOURCE)
    changed["sets"]["new"] |= changes
    return changed


def imported(root, entry, labels=None):
    """The score tables as data frames."""
    return {
        name: frame(rows)
        for name, rows in import_predictions(root, entry, dict.fromkeys(entry["sets"], METRIC), labels).items()
    }


def refused(root, message, entry=SOURCE, labels=None):
    with pytest.raises(Problem, match=message):
        imported(root, entry, labels)
