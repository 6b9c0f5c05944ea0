"""What augmentation gains, beside what a better architecture gains; and means of logits over datasets."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from apr.comparisons.transfer.targets import Scored, Transfer
from apr.comparisons.wording import number
from apr.statistics.bootstrap import NAN, PERCENTILES, interval
from apr.statistics.transfer.slopes import FEWEST

AUGMENTATION, ARCHITECTURE = "augmentation", "architecture"
BOUNDS = (0.05, 99.95)  # % of scores on resampled images, which may have no log odds where the score has


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
        both augmented, of the models whose ImageNet accuracy is known), value, low, high (95 % interval over the same
        test images and seeds; NaN: not known).
    """
    augmented, plain = transfer.targets[target], transfer.others["augmentation"][target]
    known = transfer.common(augmented, plain)
    models = [*known, *(model for model in transfer.unknown(augmented) if model in plain.values)]
    base = models.index(base_model(transfer, known)) if known else None
    values, draws = (_upwards(augmented.of(models)), _upwards(plain.of(models)))
    rows = []
    for place, model in enumerate(models):
        of_images = None if values[1] is None or draws[1] is None else values[1][place] - draws[1][place]
        gains = [(AUGMENTATION, values[0][place] - draws[0][place], of_images)]
        if base is not None and model in known:
            of_models = None if values[1] is None else values[1][place] - values[1][base]
            gains.append((ARCHITECTURE, values[0][place] - values[0][base], of_models))
        for gain, value, drawn in gains:
            low, high = (NAN, NAN) if drawn is None else interval(drawn)
            row = {"target": target, "model": model, "imagenet": float(transfer.imagenet.get(model, NAN)), "gain": gain}
            rows.append(row | {"value": value, "low": min(low, value), "high": max(high, value)})
    return pd.DataFrame(rows)


def base_model(transfer: Transfer, models: list[str]) -> str:
    """The model over which architectures gain: that of `after`, or the least accurate of those above the limit."""
    after, within = transfer.settings["after"], transfer.within(models)
    if after in models:
        return after
    above = np.flatnonzero(within["above"]) if "above" in within else np.arange(len(models))
    return models[int(above[0]) if len(above) else 0]


def augmentation_ahead(transfer: Transfer, target: str) -> Ahead | None:
    """Mean gain of augmentation over the models, less the gain of ImageNet's best architecture over the base model.

    Of the models whose ImageNet accuracy is known; None where none is.
    """
    augmented, plain = transfer.targets[target], transfer.others["augmentation"][target]
    models = transfer.common(augmented, plain)
    if not models:
        return None
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
        without: the models that are left out, since a score has no log odds -> which, in words.
        targets: which datasets.
    """

    points: pd.DataFrame
    r: float
    low: float
    high: float
    without: dict[str, str]
    targets: list[str]

    @property
    def n(self) -> int:
        """How many models have log odds on all datasets."""
        return len(self.points)


def average_of(transfer: Transfer, scored: dict[str, Scored]) -> Average:
    """Kornblith, Shlens, Le (CVPR 2019): log odds, less their mean on the dataset, averaged over datasets.

    A score of 0 or less (a kappa, an F1) or of 100 % has no log odds. A model with one is left out like a model that
    lacks a dataset: its mean over the others would leave out just where it fails, or is perfect. To move such a score
    by half an image, as one does with shares of images (Haldane 1955), means nothing for a kappa below 0.
    """
    every = transfer.common(*scored.values())
    faults: dict[str, list[str]] = {model: [] for model in every}
    for one in scored.values():
        own = one.of(every)
        for model, share, value in zip(every, _upwards(own)[0], own.values, strict=True):
            if not 0 < share < 100:
                faults[model].append(f"{one.title}: {number(value, 1)} {one.metric.unit}".strip())
    models = [model for model in every if not faults[model]]
    means, drawn = np.zeros(len(models)), []
    for one in scored.values():
        values, draws = _upwards(one.of(models))
        logits = _logit(values)
        means += _centred(logits) / len(scored)
        if draws is not None:
            drawn.append(_centred(_logit(np.clip(draws, *BOUNDS))) / len(scored))
    bounds = np.full((2, len(models)), NAN)
    if len(drawn) == len(scored):
        bounds = np.percentile(np.sum(drawn, axis=0), PERCENTILES, axis=1)
    points = pd.DataFrame(
        {"model": models, "imagenet": transfer.imagenet[models].to_numpy(dtype=float), "value": means}
    )
    points = points.assign(low=np.minimum(bounds[0], means), high=np.maximum(bounds[1], means))
    r, low, high = correlation(_logit(points["imagenet"].to_numpy()), means)
    without = {model: ", ".join(texts) for model, texts in faults.items() if texts}
    return Average(points, r, low, high, without, list(scored))


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


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less their mean over the models, the first axis."""
    return values - values.mean(axis=0) if len(values) else values


def _logit(percent: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(percent / (100 - percent))
