"""Which model is the best of a dataset, which ones it beats beyond noise, and what ImageNet's best would have lost."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr

from apr.comparisons.transfer.targets import Scored, Transfer
from apr.statistics.bootstrap import holm, interval
from apr.statistics.ranks import Correlation, spearman

NAN = float("nan")
UNEQUAL = 0.05  # p below which a model counts as worse than the best


@dataclass(frozen=True)
class Choice:
    """What is lost by taking the model that is best on ImageNet: points of the metric, with its 95 % interval."""

    chosen: str
    best: str
    regret: float
    low: float
    high: float


def chosen_by_imagenet(transfer: Transfer, scored: Scored) -> Choice | None:
    """The regret of ImageNet's best model against the target's, both as measured, on other test images.

    Both are of the models that have an ImageNet accuracy, ties as in `Transfer.ranked`; None where none has one.
    """
    models = transfer.common(scored)
    if not models:
        return None
    own = scored.of(models)
    chosen, best = len(models) - 1, models.index(transfer.best_first(own)[0])
    regret = float(own.losses.iloc[chosen] - own.losses.iloc[best])
    low = high = NAN
    if own.draws is not None:
        drawn = own.metric.loss(own.draws)
        low, high = interval(drawn[chosen] - drawn[best])
        low, high = min(low, regret), max(high, regret)
    return Choice(models[chosen], models[best], regret, low, high)


def worse_than_best(transfer: Transfer, scored: Scored) -> tuple[pd.Series, pd.Series]:
    """Each model's loss less that of the best, and Holm's p that there is no difference; NaN: not known, or the best.

    A p-value is two-sided, of the difference over its standard error, which is that of the same resampled images.
    """
    losses = scored.losses
    best = losses.index.get_loc(transfer.best_first(scored)[0])
    gaps = losses - losses.iloc[best]
    p = pd.Series(NAN, losses.index)
    if scored.draws is not None:
        drawn = scored.metric.loss(scored.draws)
        apart = drawn - drawn[best]
        with np.errstate(divide="ignore", invalid="ignore"):  # the best has no difference from itself
            p[:] = holm(2 * ndtr(-gaps.to_numpy() / apart.std(axis=1)))
        p = p.fillna(1.0).mask(np.arange(len(p)) == best)  # two models that answer alike differ in nothing
    return gaps, p


def ranking_of(transfer: Transfer, scored: Scored) -> Correlation:
    """Spearman's rho between accuracy on ImageNet and on the target, positive where they agree."""
    models = transfer.common(scored)
    own = scored.of(models)
    images = (transfer.images[transfer.settings["reference"]], own.images if own.metric.counts else None)
    losses = 100 - transfer.imagenet[models].to_numpy(dtype=float), own.losses.to_numpy(dtype=float)
    return spearman(*losses, transfer.settings["resamples"], transfer.seed, images)
