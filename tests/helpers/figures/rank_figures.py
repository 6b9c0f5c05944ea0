"""Scores of made-up models on a reference and nine targets, and figures that rank them."""

from functools import cache

import numpy as np
import pandas as pd

from apr.figures.ranks.regret import draw_selection_regret
from apr.figures.ranks.relative import draw_relative_error
from apr.figures.ranks.scatter import draw_scatter
from apr.figures.ranks.shape import draw_error_vs_depth_width

BOOTSTRAP = {"resamples": 100, "seed": 0}
TARGETS = [f"target_{i}" for i in range(9)]
TITLES = {task: task.replace("_", "-").title() for task in ["photos", "few", *TARGETS]}
SIZES = [5, 500]


@cache
def study(n):
    rng = np.random.default_rng(n)
    z = rng.normal(size=n)
    scores = pd.DataFrame({"photos": 40 + 5 * z, "few": 20 + 2 * z + rng.normal(size=n)})
    for i, task in enumerate(TARGETS):
        scores[task] = 30 + (i - 4) * z + 3 * rng.normal(size=n)
    scores[TARGETS[8]] = 0.0
    scores.index = [f"a{i:03}" for i in range(n)]
    shape = pd.DataFrame(
        {"cumulative_depth": rng.integers(4, 40, n), "cumulative_width": rng.integers(20, 200, n) * 8},
        index=scores.index,
    )
    return scores, shape


@cache
def drawing(kind, n):
    scores, shape = study(n)
    if kind == "scatter":
        return draw_scatter(scores, [("photos", task) for task in TARGETS], TITLES, 10, **BOOTSTRAP)
    if kind == "relative":
        return draw_relative_error(scores, "photos", ["photos", *TARGETS], TITLES, **BOOTSTRAP)
    if kind == "shape":
        return draw_error_vs_depth_width(scores, shape, TARGETS[4:], TITLES, **BOOTSTRAP)
    return draw_selection_regret(scores, "photos", TARGETS, dict.fromkeys(TARGETS[:3], "few"), TITLES, **BOOTSTRAP)


def points(ax):
    return np.concatenate([np.asarray(collection.get_offsets()) for collection in ax.collections])
