"""Made-up results for figures of few or many models, and the figures drawn of them."""

from functools import cache

import numpy as np
import pandas as pd

from apr.figures.ranks.other_errors import draw_other_errors
from apr.figures.runs.curves import draw_training_curves
from apr.figures.runs.densities import draw_seed_densities
from apr.figures.runs.design_space import draw_design_space
from apr.runs.metrics import METRICS, SHOWN, part_of
from apr.scores.table import score_row, write_scores

BOOTSTRAP = {"resamples": 100, "seed": 0}
TITLES = {"photos": "Photos", "long": "Photos, long", "lines": "Lines", "woods": "Woods"}
SPACE = {
    "depth": [1, 16],
    "width": [8, 1024],
    "bottleneck": [1, 2, 4],
    "group_width": [1, 2, 4, 8, 16, 32],
    "megaflops": [360, 400],
    "stem": "res_stem_in",
    "resolution": 224,
    "classes": 1000,
}
OTHER_SPACE = SPACE | {
    "depth": [2, 5],
    "stem": "simple_stem_in",
    "resolution": 32,
    "classes": 18,
    "megaflops": [0.8, 1],
}
KINDS = ["design_space", "curves", "densities", "other_errors"]
WIDTHS = {"design_space": 174, "curves": 120, "densities": 83, "other_errors": 174}
SIZES = [8, 500]


def models(n):
    return [f"a{i:03}" for i in range(n)]


@cache
def pictures(count):
    rng = np.random.default_rng(count)
    sides = [(32, 32), (20, 30), (300, 200)]
    return {
        f"Dataset {i}": [rng.integers(0, 256, (*sides[i % 3], 3), np.uint8) for _ in range(4)] for i in range(count)
    }


@cache
def training(n, epochs=12):
    """Errors that fall with the epochs, to the model's own level."""
    rng = np.random.default_rng(n)
    rows = [
        {"task": "long", "model": model, "epoch": epoch, "value": level + 40 / epoch + rng.normal()}
        for model, level in zip(models(n), rng.normal(20, 4, n), strict=True)
        for epoch in range(1, epochs + 1)
    ]
    return pd.DataFrame(rows)


@cache
def continuation(tasks=("lines", "woods"), each=5):
    rng = np.random.default_rng(1)
    ranks = [f"{end}{i + 1}" for end in ("best", "worst") for i in range(each)]
    rows = [
        {"task": task, "rank": rank, "model": f"a{i:03}", "epoch": epoch, "value": i + 30 / epoch + rng.random() / 2}
        for task in tasks
        for i, rank in enumerate(ranks)
        for epoch in range(1, 11)
    ]
    columns = ["task", "rank", "model", "epoch", "value"]
    return pd.DataFrame(rows, columns=columns).assign(resumed_after=4.0)


@cache
def seeds(**groups):
    """model=(runs, mean, SD)."""
    rng = np.random.default_rng(2)
    frames = [
        pd.DataFrame({"model": model, "seed": range(n), "value": mean + sd * rng.normal(size=n)})
        for model, (n, mean, sd) in groups.items()
    ]
    return pd.concat(frames, ignore_index=True)


@cache
def population(n):
    return pd.Series(np.random.default_rng(n).normal(14, 2, n), index=models(n))


@cache
def other_errors(n):
    rng = np.random.default_rng(n)
    z = rng.normal(size=(n, 4))
    top1 = pd.DataFrame(40 + 5 * z, columns=list(TITLES), index=models(n))
    top5 = top1 / 3 + rng.normal(size=(n, 4)) / 4
    top5["lines"] = np.nan
    shape = pd.DataFrame(
        {"cumulative_depth": rng.integers(4, 40, n), "cumulative_width": rng.integers(20, 200, n) * 8}, index=models(n)
    )
    return {"first": top1, "second": top5, "shape": shape, "train": top1 * 0.8}


def draw_other(n, both=("photos", "long"), deep=("lines", "woods", "photos"), **changed):
    return draw_other_errors(
        metrics=SHOWN, **(other_errors(n) | changed), both=both, deep=deep, titles=TITLES, **BOOTSTRAP
    )


@cache
def drawing(kind, n):
    if kind == "design_space":
        return draw_design_space(pictures(2 if n == 8 else 9), SPACE)
    if kind == "curves":
        return draw_training_curves(training(n), continuation(), 4, TITLES)
    if kind == "densities":
        repeated = seeds(a147=(3 if n == 8 else 250, 11.9, 0.3), a122=(3 if n == 8 else 250, 14.5, 0.5))
        return draw_seed_densities(repeated, population(n), TITLES, "photos")
    return draw_other(n)


def row(model, seed, value, **changed):
    """A row of a score table of 100 test images, of its error (%); None where the run diverged."""
    part = part_of(100, None if value is None else {"correct_top1": round(100 - value)})
    status = "diverged" if value is None else "completed"
    made = score_row(model, {"test": part}, METRICS["top1_error"], status=status, seed=seed)
    return made | {"value": value} | changed


def written(path, *rows):
    write_scores(path, rows)
    return path
