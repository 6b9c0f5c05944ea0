"""Models on an original and on a new test set, and the figures of the lines through them."""

from functools import cache

import numpy as np
import pandas as pd

from apr.comparisons.retest_lines import pair_retests
from apr.figures.lines.retest import draw_retest

BOOTSTRAP = {"resamples": 200, "seed": 0}
TITLES = {"old": "ImageNet", "new": "ImageNetV2 MatchedFrequency"}


def retest(**changes):
    settings = {
        "name": "new_top1",
        "title": "MatchedFrequency, top-1",
        "original": "old",
        "new": "new",
        "metric": "top1_accuracy",
    }
    return settings | {"without": [], "probit_without": []} | changes


@cache
def errors(n, low=60, seed=0):
    """Score tables of n models, most of them close together, as published ones are."""
    rng = np.random.default_rng(seed)
    correct = rng.integers(7000, 8300, n)
    correct[:3] = [low * 100, low * 100 + 300, low * 100 + 900]
    new = (correct * 1.1 - 2000 + rng.normal(0, 60, n)).round()
    tables = {}
    for task, counts in (("old", correct), ("new", new)):
        table = pd.DataFrame({"n": 10000, "correct_top1": counts, "status": "completed"}, dtype=object)
        table["value"], table["metric"] = counts / 100, "top1_accuracy"
        table.index = [f"m_{i:03}" for i in range(n)]
        tables[task] = table.infer_objects()
    return tables


def pair(n, **kinds):
    return pair_retests(errors(n, **kinds), [retest()])["new_top1"]


@cache
def drawing(n):
    return draw_retest(pair(n), retest(without=["m_000", "m_001"]), TITLES, **BOOTSTRAP)


def several(count):
    names = [f"set_{i}" for i in range(count)]
    retests = [
        retest(name=name, title=f"Test set {i} of a long name, top-1", without=["m_000"] * (i < 2))
        for i, name in enumerate(names)
    ]
    return {name: pair(30, seed=i) for i, name in enumerate(names)}, retests
