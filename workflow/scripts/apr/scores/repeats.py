"""Error tables of tasks that train the same architectures with many seeds."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.integrate import trapezoid
from scipy.stats import gaussian_kde

from apr.basics.problems import Problem

GRID = 200  # points of a density
TAILS = 4  # bandwidths beyond the least and the greatest error: a Gaussian has 0.03 % of its peak there
KINDS = {"model": str, "seed": "int64", "error": float, "status": str}


def read_repeats(path: str | Path) -> pd.DataFrame:
    """Read model, seed and reported error (%) of each run of a task; the error is NaN where a run diverged.

    Unlike `apr.scores.table.read_errors`, a model may stand in several rows, once for each seed.

    Raises:
        Problem: the file is missing, is no error table, holds an impossible value, or has a model's seed twice.
    """
    try:
        # Only the error may be empty: a model is allowed to be called "NA".
        table = pd.read_csv(path, usecols=list(KINDS), dtype=KINDS, keep_default_na=False, na_values={"error": [""]})
    except FileNotFoundError:
        raise Problem(f"{path}: no such file; let Snakemake make it") from None
    except ValueError as error:  # pandas': a column is missing, a word stands for a number, the file is empty
        raise Problem(f"{path}: is not an error table ({error}); delete it and run again") from error
    completed = table["status"] == "completed"
    reasons = {
        "appears twice": table.duplicated(["model", "seed"]),
        "has an error outside 0 to 100 %": (table["error"] < 0) | (table["error"] > 100),
        "is neither completed nor diverged": ~completed & (table["status"] != "diverged"),
        "has no error although the run completed": completed & table["error"].isna(),
    }
    for reason, bad in reasons.items():
        if bad.any():
            row = table[bad].iloc[0]
            raise Problem(f"{path}: model {row['model']}, seed {row['seed']}: {reason}; delete the file and run again")
    return table[["model", "seed"]].assign(error=table["error"].where(completed))


def overlap(first: ArrayLike, second: ArrayLike) -> float:
    """Common area of two Gaussian kernel densities, 0 (apart) to 1 (the same); NaN where one has equal errors only."""
    first, second = np.asarray(first), np.asarray(second)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return math.nan
    kernels = gaussian_kde(first), gaussian_kde(second)
    tail = TAILS * max(kernel.covariance.item() for kernel in kernels) ** 0.5
    grid = np.linspace(min(first.min(), second.min()) - tail, max(first.max(), second.max()) + tail, GRID)
    return float(trapezoid(np.minimum(*(kernel(grid) for kernel in kernels)), grid))
