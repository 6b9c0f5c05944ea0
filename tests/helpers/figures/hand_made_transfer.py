"""Scores of a few models on ImageNet and on other data, made by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd

from apr.comparisons.transfer.targets import Scored, Transfer
from apr.runs.metrics import METRICS

NAN = float("nan")
TUNED = {"way": "finetune"}
IMAGENET = {"b": 60.0, "c": 70.0, "a": 80.0, "d": 80.0}


def scored(values, metric="top1_accuracy", draws=None, bounds=None, title="Own", **more):
    """Scores by model; `bounds` is how far the interval reaches from each."""
    values = pd.Series(values, dtype=float)
    low, high = (pd.Series(NAN, values.index) if bounds is None else values + reach for reach in (bounds or (0, 0)))
    about = {"guess": None, "images": None, "groups": None, "rare": {}, "costs": {}, "diverged": (), "how": TUNED}
    draws = None if draws is None else np.array(draws, dtype=float)
    return Scored("own", title, METRICS[metric], values, draws, low, high, **about | more)


def transfer(target, imagenet=IMAGENET, images=None, others=None, **settings):
    """A study of one target, or of several by task."""
    used = {"reference": "imagenet", "evaluated": None, "targets": ["own"], "above": None, "after": None, "paper": {}}
    targets = target if isinstance(target, dict) else {"own": target}
    targets = {task: replace(one, task=task) for task, one in targets.items()}
    kinds = {"probes": {}, "scratch": {}, "augmentation": {}} | (others or {})
    sources = {"imagenet": pd.Series(imagenet, dtype=float)}
    titles = {"imagenet": "ImageNet"}
    return Transfer(used | {"resamples": 20} | settings, sources, {"imagenet": images}, targets, kinds, titles, 0)
