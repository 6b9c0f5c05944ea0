"""The errors of models as they would be without noise: what repeated training or endless test images would give."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

ROUNDS = 4  # of the fixed point: more follow the sample's own accidents (benchmarks/README.md has the simulation)
MOST = 20_000  # simulated values of one vector: a mean over so many that its own noise does not matter
Noisy = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def without_noise(errors: NDArray, noise_variance: NDArray, noisy: Noisy) -> tuple[NDArray, NDArray]:
    """Sorted errors without noise, [rows, models], and the share of their variance that is not noise, [rows].

    The sorted values are moved until noise spreads them as the observed ones are spread (a fixed point in the quantile
    function, four rounds). They start from the observed errors, shrunk towards their mean to the right variance; unlike
    those alone they also have the right shape where the errors are skewed.

    Args:
        errors: as observed, [rows, models].
        noise_variance: mean variance of the noise, [rows].
        noisy: adds noise to such errors.
    """
    observed = np.sort(errors, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        reliability = np.clip(1 - noise_variance / observed.var(axis=1, ddof=1), 0, 1)
    mean = observed.mean(axis=1, keepdims=True)
    true = mean + np.sqrt(reliability)[:, None] * (observed - mean)
    for _ in range(ROUNDS):
        true = np.sort(true + observed - np.sort(noisy(true), axis=1), axis=1)
    return true, reliability


def counted(errors: NDArray, images: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Errors (%) on `images` test images drawn for each model, of models with such errors (%) on endless ones."""
    return rng.binomial(images, np.clip(errors, 0, 100) / 100) * (100 / images)


def count_variance(errors: NDArray, images: int) -> NDArray[np.float64]:
    """Mean variance (points²) of errors (%) that are counted on so many images, [rows] of [rows, models]; unbiased."""
    return (errors * (100 - errors)).mean(axis=1) / max(images - 1, 1)


def on_endless_images(errors: NDArray, images: int, seed: int) -> NDArray[np.float64]:
    """The errors (%) of models [models], in their order, as endless test images would have them spread."""
    rows = max(20, MOST // len(errors))
    rng = np.random.default_rng([seed, 3])
    tiled = np.tile(np.asarray(errors, dtype=float), (rows, 1))
    true, reliability = without_noise(tiled, count_variance(tiled, images), lambda values: counted(values, images, rng))
    mean = np.full(len(errors), np.mean(errors))
    quantiles = true.mean(axis=0) if reliability[0] > 0 else mean
    moved = np.empty(len(errors))
    moved[np.argsort(errors, kind="stable")] = np.clip(quantiles, 0, 100)
    return moved
