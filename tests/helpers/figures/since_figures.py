"""Models of 2019 and since on new test sets, and the figures of their lines and distances."""

from functools import cache

import numpy as np
import pandas as pd
from scipy.special import ndtr

from apr.comparisons.families import LINE, SINCE, UNDATED
from apr.figures.lines.distances import draw_family_distances
from apr.figures.lines.since import draw_since

BOOTSTRAP = {"resamples": 200, "seed": 0}
TITLES = {"photos": "Photos", "again": "Photos again", "drawings": "Drawings", "dark": "Dark photos (matched exposure)"}
NEW = [name for name in TITLES if name != "photos"]
RETESTS = [{"name": n, "title": TITLES[n], "original": "photos", "new": n, "metric": "top1_accuracy"} for n in NEW]


@cache
def study():
    """Retest -> points: 12 families of 2019, 12 since of which one, "Lifted", is better on drawings, 3 undated."""
    random = np.random.default_rng(0)
    rows = []
    for i in range(27):
        group = LINE if i < 12 else SINCE if i < 24 else UNDATED
        family = "Lifted" if i == 23 else f"Family {i:02}"
        level = random.normal(0.7 if group == LINE else 1.0, 0.25)
        for j in range(6):
            name = f"m{i:02}{j // 2}" if j < 4 else f"m{i:02}{j}"
            rows.append((f"{name}@{j}", name, family, group, family == "Lifted", level + random.normal(0, 0.1)))
    columns = ["model", "weights", "family", "group", "more_data", "x"]
    table = pd.DataFrame(rows, columns=columns).set_index("model")
    pairs = {}
    for name, shift in zip(NEW, (-0.4, -1.0, -0.7), strict=True):
        y = table["x"] + shift + random.normal(0, 0.03, len(table))
        if name == "drawings":
            y += np.where(table["family"] == "Lifted", 0.8, 0)
        points = table.drop(columns="x").assign(orig_acc=100 * ndtr(table["x"]), new_acc=100 * ndtr(y))
        pairs[name] = points[["orig_acc", "new_acc", "weights", "family", "group", "more_data"]]
    return pairs


@cache
def since(scale="probit", highlight=("Lifted",), names=tuple(NEW)):
    retests = [retest for retest in RETESTS if retest["name"] in names]
    return draw_since({name: study()[name] for name in names}, retests, TITLES, list(highlight), scale, **BOOTSTRAP)


@cache
def distances():
    return draw_family_distances(study(), RETESTS, TITLES, 3, **BOOTSTRAP)
