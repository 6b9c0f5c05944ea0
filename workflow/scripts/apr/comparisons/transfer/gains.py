"""What augmentation gains, beside what a better architecture gains; and means of logits over datasets."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from apr.basics.problems import Problem
from apr.comparisons.transfer.targets import Scored, Transfer
from apr.statistics.bootstrap import NAN, PERCENTILES, interval
from apr.statistics.transfer.slopes import FEWEST

AUGMENTATION, ARCHITECTURE = "augmentation", "architecture"


@dataclass(frozen=True)
class Ahead:
    """How much more augmentation gains than the architecture on one dataset, in points, with its 95 % interval."""

    target: str
    value: float
    low: float
    high: float


def gains_of(transfer: Transfer, target: str) -> pd.DataFrame:
    """What each model of a target gains, in points of its metric, better being more.

    Returns:
        target, model, imagenet, gain (augmentation: over the same model without; architecture: over the base model,
        both augmented), value, low, high (95 % interval over the same test images and seeds; NaN: not known).
    """
    augmented, plain = transfer.targets[target], transfer.others["augmentation"][target]
    models = transfer.common(augmented, plain)
    base = base_model(transfer, models)
    values, draws = (_upwards(augmented.of(models)), _upwards(plain.of(models)))
    rows = []
    for place, model in enumerate(models):
        of_images = None if values[1] is None or draws[1] is None else values[1][place] - draws[1][place]
        of_models = None if values[1] is None else values[1][place] - values[1][models.index(base)]
        for gain, value, drawn in (
            (AUGMENTATION, values[0][place] - draws[0][place], of_images),
            (ARCHITECTURE, values[0][place] - values[0][models.index(base)], of_models),
        ):
            low, high = (NAN, NAN) if drawn is None else interval(drawn)
            row = {"target": target, "model": model, "imagenet": float(transfer.imagenet[model]), "gain": gain}
            rows.append(row | {"value": value, "low": min(low, value), "high": max(high, value)})
    return pd.DataFrame(rows)


def base_model(transfer: Transfer, models: list[str]) -> str:
    """The model over which architectures gain: that of `after`, or the least accurate of those above the limit."""
    after, within = transfer.settings["after"], transfer.within(models)
    if after in models:
        return after
    above = np.flatnonzero(within["above"]) if "above" in within else np.arange(len(models))
    return models[int(above[0]) if len(above) else 0]


def augmentation_ahead(transfer: Transfer, target: str) -> Ahead:
    """Mean gain of augmentation over the models, less the gain of ImageNet's best architecture over the base model."""
    augmented, plain = transfer.targets[target], transfer.others["augmentation"][target]
    models = transfer.common(augmented, plain)
    base, best = models.index(base_model(transfer, models)), len(models) - 1
    (values, drawn), (without, drawn_without) = _upwards(augmented.of(models)), _upwards(plain.of(models))
    ahead = float((values - without).mean() - (values[best] - values[base]))
    if drawn is None or drawn_without is None:
        return Ahead(target, ahead, NAN, NAN)
    low, high = interval((drawn - drawn_without).mean(axis=0) - (drawn[best] - drawn[base]))
    return Ahead(target, ahead, min(low, ahead), max(high, ahead))


@dataclass(frozen=True)
class Average:
    """Logits of scores, centred on each dataset and averaged over datasets, against ImageNet accuracy.

    Attributes:
        points: model, imagenet (%), value, low, high.
        r: Pearson's correlation of the mean with the logit of ImageNet accuracy, with its 95 % interval over models.
        n, targets: how many models and which datasets.
    """

    points: pd.DataFrame
    r: float
    low: float
    high: float
    targets: list[str]

    @property
    def n(self) -> int:
        """How many models have all datasets."""
        return len(self.points)


def average_of(transfer: Transfer, scored: dict[str, Scored]) -> Average:
    """Kornblith, Shlens, Le (CVPR 2019): log odds, less their mean on the dataset, averaged over datasets.

    A score from a guess's level downwards can have no odds: a dataset with a score of 0 or less, or of 100 %, is an
    error of that dataset.

    Raises:
        Problem: no model has all datasets, or a score has no logit.
    """
    models = transfer.common(*scored.values())
    means, drawn = np.zeros(len(models)), []
    for one in scored.values():
        own = one.of(models)
        shares = _upwards(own)
        if shares[0].min() <= 0 or shares[0].max() >= 100:
            place = int(shares[0].argmin() if shares[0].min() <= 0 else shares[0].argmax())
            raise Problem(
                f"{one.task}: model {models[place]}: a score of {own.values.iloc[place]:g} {one.metric.unit} has no "
                "log odds, which need one between 0 and 100 %; leave the task out of comparisons.transfer.targets"
            )
        logits = _logit(shares[0])
        means += (logits - logits.mean()) / len(scored)
        if shares[1] is not None:
            of_draws = _logit(np.clip(shares[1], 0.05, 99.95))
            drawn.append((of_draws - of_draws.mean(axis=0)) / len(scored))
    bounds = np.full((2, len(models)), NAN)
    if len(drawn) == len(scored):
        bounds = np.percentile(np.sum(drawn, axis=0), PERCENTILES, axis=1)
    points = pd.DataFrame(
        {"model": models, "imagenet": transfer.imagenet[models].to_numpy(dtype=float), "value": means}
    )
    points = points.assign(low=np.minimum(bounds[0], means), high=np.maximum(bounds[1], means))
    x = _logit(points["imagenet"].to_numpy())
    r, low, high = correlation(x, means)
    return Average(points, r, low, high, list(scored))


def correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, float]:
    """Pearson's r of two vectors [models] with its 95 % interval by Fisher's z; NaN where it is not defined."""
    n = len(x)
    if n < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return NAN, NAN, NAN
    r = float(np.corrcoef(x, y)[0, 1])
    if n < FEWEST or abs(r) >= 1:
        return r, NAN, NAN
    reach = ndtri(PERCENTILES[1] / 100) / np.sqrt(n - 3)
    return r, *(float(np.tanh(np.arctanh(r) + side)) for side in (-reach, reach))


def _upwards(scored: Scored) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Scores [models] and draws [models, resamples] turned so that more is better."""
    turned = (lambda values: values) if scored.metric.best == "greatest" else (lambda values: 100 - values)
    values = turned(scored.values.to_numpy(dtype=float))
    return values, None if scored.draws is None else turned(scored.draws)


def _logit(percent: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(percent / (100 - percent))
