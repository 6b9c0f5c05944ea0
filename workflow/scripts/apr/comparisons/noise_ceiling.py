"""The noise of seeds and the ceiling that it sets to rank correlations, as a table."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from apr.comparisons.table import Table
from apr.comparisons.testsets import footnote, marked, weak_tasks
from apr.comparisons.wording import UNDEFINED, number, p_value, with_interval
from apr.scores.frames import complete
from apr.scores.tested import Counted
from apr.statistics.bootstrap import interval
from apr.statistics.noise import Ceilings, ceilings, seed_noise

NAN = float("nan")
FEWEST = 3  # models: of two every rho is 1 or -1
UNLIKE = 0.05  # p below which noise counts as not alike


def noise_ceiling_table(
    scores: pd.DataFrame,
    repeats: Mapping[str, pd.DataFrame],
    bases: Mapping[str, str],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
) -> Table:
    """Seed noise, reliability and the two ceilings of rho for each task whose noise is measured.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        repeats: repeated task -> model, seed, value (NaN where a training diverged).
        bases: repeated task -> the task of the population whose noise it measures.
        titles: task -> the name that a reader sees.
        resamples: bootstrap resamples of models and seeds.
        seed: of the bootstrap and of the simulations.
        counts: what is known of each task's test images (`apr.scores.tested`); None: nothing.
    """
    weak = weak_tasks(scores, counts, bases.values())
    titles = marked(titles, weak)
    rows = [_row(repeated, task, scores, repeats[repeated], resamples, seed) for repeated, task in bases.items()]
    shown = pd.DataFrame([_shown(row, titles) for row in rows] or {"Task": []})
    return Table(
        pd.DataFrame(rows or {"repeated": [], "task": []}),
        shown,
        f"{_caption(rows, titles, resamples)}{footnote(weak, titles)}",
    )


def _row(
    repeated: str, task: str, scores: pd.DataFrame, repeats: pd.DataFrame, resamples: int, seed: int
) -> dict[str, str | float]:
    errors = complete(scores, [task])[task].to_numpy()
    residuals = seed_noise(repeats)
    row = {
        "repeated": repeated,
        "task": task,
        "architectures": len(residuals),
        "trainings": sum(map(len, residuals)),
        "n": len(errors),
        "population_sd": errors.std(ddof=1) if len(errors) > 1 else NAN,
        **_alike(residuals),
    }
    found = ceilings(errors, residuals, resamples, seed) if residuals and len(errors) >= FEWEST else None
    for name in Ceilings.__dataclass_fields__:
        values = getattr(found, name) if found else np.array([NAN])
        low, high = interval(values[1:]) if not math.isnan(values[0]) else (NAN, NAN)
        row |= {name: float(values[0]), f"{name}_low": low, f"{name}_high": high}
    return row


def _alike(residuals: Sequence[NDArray]) -> dict[str, float]:
    """Ratio of the largest to the least seed SD, and p of Levene's test (about medians) that all are alike."""
    if len(residuals) < 2:
        return {"sd_ratio": NAN, "levene_p": NAN}
    sds = [math.sqrt((values**2).mean()) for values in residuals]
    if max(sds) == 0:
        return {"sd_ratio": NAN, "levene_p": NAN}
    return {
        "sd_ratio": max(sds) / min(sds) if min(sds) > 0 else math.inf,
        "levene_p": float(stats.levene(*residuals).pvalue),
    }


def _shown(row: dict, titles: Mapping[str, str]) -> dict[str, str]:
    def estimate(name: str, digits: int) -> str:
        return with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"], digits)

    alike = "one architecture only" if row["architectures"] < 2 else UNDEFINED
    if not math.isnan(row["sd_ratio"]):
        alike = f"{number(row['sd_ratio'], 2)} (p = {p_value(row['levene_p'])})".replace("= <", "< ")
    return {
        "Task": titles[row["task"]],
        "Architectures": row["architectures"],
        "Trainings": row["trainings"],
        "Seed SD (points)": estimate("seed_sd", 2),
        "Largest / least SD": alike,
        "Population SD (points)": number(row["population_sd"], 2),
        "n": row["n"],
        "Reliability": estimate("reliability", 3),
        "Ceiling, noise-free partner": estimate("noise_free", 3),
        "Ceiling, two trainings": estimate("retrained", 3),
    }


def _caption(rows: Sequence[dict], titles: Mapping[str, str], resamples: int) -> str:
    if not rows:
        return "No task of this study trains its architectures with several seeds, so that the noise is not measured."
    unlike = [titles[row["task"]] for row in rows if row["levene_p"] < UNLIKE]
    tested = sum(not math.isnan(row["levene_p"]) for row in rows)
    return (
        "How much of the errors' spread is noise of the seed, and the rank correlation that it allows at most. Seed "
        "SD: of trainings that differ in the seed only, pooled over the repeated architectures. Reliability: the share "
        "of the variance between the population's n models, trained once each, that is not noise; 0 where the noise is "
        "as large. Ceilings: Spearman's ρ expected of the errors with a partner without noise that ranks the models "
        "alike, and of two independent trainings of the same models, both simulated with the trainings' own "
        "residuals, added to the errors as they would be spread without noise (deconvolved, so that they may be "
        "skewed). In brackets: 95 % percentile intervals of "
        f"{resamples:,} bootstrap resamples of models and seeds. The noise is assumed to be alike for all "
        f"architectures of a task. Tasks with two or more repeated architectures: {tested}; Levene's test contradicts "
        f"the assumption (p < {UNLIKE}, not corrected for their number) on {', '.join(unlike) or 'none'}."
    )
