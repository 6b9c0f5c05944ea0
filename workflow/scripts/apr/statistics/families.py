"""Rank correlation of models of families: what is resampled is families (cluster bootstrap).

Models of one family (one architecture, one source of weights) resemble each other, so that an interval that takes them
for independent is too narrow (Cameron, Gelbach, Miller, Review of Economics and Statistics 90:414, 2008).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from apr.statistics.bootstrap import CACHED, resampled_chunks, resampled_correlation, times_drawn, two_vectors
from apr.statistics.ranks import FEWEST, Correlation, spearman
from apr.statistics.slope_change import estimate


def family_spearman(
    x: ArrayLike, y: ArrayLike, families: Sequence[str], resamples: int, seed: int
) -> tuple[Correlation, int]:
    """Spearman's rho with the percentile interval and p-value of resampled families, and the number of families.

    The interval is the middle 95 % of the resamples, the p-value (of rho being 0) twice the share of them on the other
    side of 0. Both are of models and families alone, whatever the test images, and both are NaN with a reason for fewer
    than four families; a perfect rho leaves all resamples equal. Rho itself is that of `spearman`.

    Args:
        x: values, [models].
        y: alike.
        families: name of each model's family, [models].
        resamples: of the families; those that are constant are left out.
        seed: of the bootstrap.

    Raises:
        ValueError: see `two_vectors`; or there are not as many families' names as models.
    """
    x, y = two_vectors(x, y)
    names, members = np.unique(np.asarray(families, dtype=str), return_inverse=True)
    if members.shape != x.shape:
        raise ValueError(f"expected the family of each of {len(x)} models, got {members.size}")
    found = replace(spearman(x, y, 0, seed), p=float("nan"))
    if found.reason or len(names) < FEWEST:
        return replace(found, reason=found.reason or "fewer than four families"), len(names)
    spread = estimate(found.rho, family_bootstrap(x, y, members, resamples, seed))
    return replace(found, low=spread.low, high=spread.high, p=spread.p), len(names)


def family_bootstrap(
    x: NDArray, y: NDArray, members: NDArray[np.int64], resamples: int, seed: int
) -> NDArray[np.float64]:
    """Rho of the models of resampled families, [resamples]; NaN where they are constant.

    Args:
        x: values, [models].
        y: alike.
        members: number of each model's family, from 0 without gaps, [models].
        resamples: of the families.
        seed: of the bootstrap.
    """
    chunks = resampled_chunks(int(members.max()) + 1, resamples, seed, rows=max(1, CACHED // len(x)))
    return np.concatenate([resampled_correlation(x, y, times_drawn(rows)[:, members]) for rows in chunks])
