"""Seed noise, the ceiling that it sets to rank correlations, and correlations corrected for it.

The paper trained each architecture once, so that every error holds the noise of its seed. Architectures that are
trained with many seeds tell how large it is. Assumed is that it is alike for all architectures of a task. The
correction is Spearman's for attenuation (American Journal of Psychology 15, 1904, 72-101), with simulated ceilings in
place of the roots of the reliabilities: noise is added to the errors as `statistics.deconvolution` finds them without
it, so that neither errors nor noise need be normal. benchmarks/README.md has its bias and coverage: within 0.02 for 500
models with errors of one mode up to a lognormal with sigma 1, and noise up to 0.7 of their SD; up to 0.11 too small for
errors in two clusters, heavier tails or 60 models.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from apr.comparisons.table import Table
from apr.comparisons.testsets import footnote, marked, weak_tasks
from apr.comparisons.wording import UNDEFINED, number, p_value, with_interval
from apr.scores.frames import complete
from apr.scores.tested import Counted
from apr.statistics.bootstrap import interval, rank_correlation, resampled_chunks, resampled_rows
from apr.statistics.deconvolution import MOST, without_noise

NAN = float("nan")
FEWEST = 3  # models: of two every rho is 1 or -1
UNLIKE = 0.05  # p below which noise counts as not alike
SIMULATIONS = 3  # for each resample; the observed models have more


@dataclass(frozen=True)
class Ceilings:
    """Of one task, each [1 + resamples], the observed models first.

    `seed_sd` (points of error) is the noise, `reliability` the share of the errors' variance that is not noise.
    `noise_free` is the rho expected between the errors and what they would be without noise, `retrained` between the
    errors and those of a second, independent training of the same models.
    """

    seed_sd: NDArray[np.float64]
    reliability: NDArray[np.float64]
    noise_free: NDArray[np.float64]
    retrained: NDArray[np.float64]


def seed_noise(repeats: pd.DataFrame) -> list[NDArray[np.float64]]:
    """Residuals (points of error) of each architecture's trainings about their mean, scaled by sqrt(n / (n - 1)).

    The mean of their squares is then the unbiased variance. An architecture with fewer than two trainings that
    completed has none.

    Args:
        repeats: model, seed and value, NaN where a training diverged.
    """
    groups = (errors.to_numpy() for _, errors in repeats.dropna(subset="value").groupby("model", sort=False)["value"])
    return [_scaled(errors) for errors in groups if len(errors) > 1]


def ceilings(
    errors: NDArray[np.float64], residuals: Sequence[NDArray[np.float64]], resamples: int, seed: int
) -> Ceilings:
    """Simulate what a rho can reach at most where one or both of its sides are trained with noise.

    Residuals drawn at random are added, once or twice, to the errors without noise. Resampled are the models, by the
    draws of `statistics.ranks` for the same seed, and the seeds of each architecture. A reliability below 0 counts as
    0; there the ceiling with a noise-free partner is 0 too, its limit.

    Args:
        errors: values of the models, [models].
        residuals: of `seed_noise`, [trainings] for each architecture.
        resamples: bootstrap resamples.
        seed: of the bootstrap and of the simulation.
    """
    noise = _drawn(residuals, resamples, seed)
    rng = np.random.default_rng([seed, 2])
    rows = max(20, MOST // len(errors))
    parts = [_simulated(np.tile(errors, (rows, 1)), np.tile(noise[0], (rows, 1)), SIMULATIONS, rng)]
    parts[0] = [values.mean(keepdims=True) for values in parts[0]]
    start = 1
    for drawn in resampled_chunks(len(errors), resamples, seed):
        parts.append(_simulated(errors[drawn], noise[start : start + len(drawn)], SIMULATIONS, rng))
        start += len(drawn)
    return Ceilings(np.sqrt((noise**2).mean(axis=1)), *map(np.concatenate, zip(*parts, strict=True)))


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
        counts: what is known of each task's test images (`apr.comparisons.testsets`); None: nothing.
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
        f"{resamples:,} bootstrap resamples of models and seeds. Assumed is that the noise is alike for all "
        f"architectures of a task. Tasks with two or more repeated architectures: {tested}; Levene's test contradicts "
        f"the assumption (p < {UNLIKE}, not corrected for their number) on {', '.join(unlike) or 'none'}."
    )


def _drawn(residuals: Sequence[NDArray[np.float64]], resamples: int, seed: int) -> NDArray[np.float64]:
    """The residuals, and those of resampled trainings of each architecture, [1 + resamples, trainings]."""
    parts = []
    for position, values in enumerate(residuals):
        drawn = values[resampled_rows(len(values), resamples, [seed, 1, position])]
        parts.append(np.vstack([values, _scaled(drawn)]))
    return np.hstack(parts)


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    n = values.shape[-1]
    return (values - values.mean(axis=-1, keepdims=True)) * math.sqrt(n / (n - 1))


def _simulated(
    errors: NDArray, noise: NDArray, simulations: int, rng: np.random.Generator
) -> tuple[NDArray, NDArray, NDArray]:
    """Reliability and mean rhos without noise and of two trainings, [rows], of errors [rows, models]."""

    def noisy(values: NDArray) -> NDArray:
        return values + np.take_along_axis(noise, rng.integers(noise.shape[1], size=values.shape), axis=1)

    true, reliability = without_noise(errors, (noise**2).mean(axis=1), noisy)
    rhos = []
    for _ in range(simulations):
        one, other = noisy(true), noisy(true)
        rhos.append((rank_correlation(true, one), rank_correlation(one, other)))
    noise_free, retrained = np.mean(rhos, axis=0)
    return reliability, np.where(reliability == 0, 0.0, noise_free), retrained
