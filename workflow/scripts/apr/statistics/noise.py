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
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apr.statistics.bootstrap import rank_correlation, resampled_chunks, resampled_rows
from apr.statistics.deconvolution import MOST, without_noise

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
