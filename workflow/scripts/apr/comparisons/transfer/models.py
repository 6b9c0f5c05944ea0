"""Which pretrained model to take: scores, ranks and costs of each, and how far ImageNet accuracy would have told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from apr.comparisons.table import Table
from apr.comparisons.transfer.captions import intervals_of, models_without, rare_labels
from apr.comparisons.transfer.slopes import slopes_basis
from apr.comparisons.transfer.targets import Scored, Transfer
from apr.comparisons.wording import counted, number, with_interval
from apr.statistics.bootstrap import PERCENTILES, holm, interval
from apr.statistics.ranks import FEWEST, Correlation, spearman

NAN = float("nan")
UNEQUAL = 0.05  # p below which a model counts as worse than the best
COSTS = {"parameters": ("Parameters (M)", 1e6, 1), "multiply_adds": ("Multiply-adds (M)", 1e6, 0)}
SPEED = "images_per_second"
ALL = "mean rank"
WORSE = "Worse than the best"


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

    Both are of the models that have an ImageNet accuracy; None where none has one.
    """
    models = transfer.common(scored)
    if not models:
        return None
    own = scored.of(models)
    chosen = int(np.argmax(transfer.imagenet[models].to_numpy()))
    best = int(np.argmin(own.losses.to_numpy()))
    regret = float(own.losses.iloc[chosen] - own.losses.iloc[best])
    low = high = NAN
    if own.draws is not None:
        drawn = own.metric.loss(own.draws)
        low, high = interval(drawn[chosen] - drawn[best])
        low, high = min(low, regret), max(high, regret)
    return Choice(models[chosen], models[best], regret, low, high)


def models_table(transfer: Transfer) -> Table:
    """A row for each target and model, best first, and the models' mean ranks where there are several targets."""
    rows = [row for scored in transfer.targets.values() for row in _rows(transfer, scored)]
    data = pd.DataFrame(rows)
    several = len(transfer.targets) > 1
    blocks = [*rows, *(_mean_ranks(transfer, data) if several else [])]
    costs = [name for name in (*COSTS, SPEED) if data[name].notna().any()]
    shown = pd.DataFrame([_shown(row, transfer, costs) for row in blocks])
    if not several:
        shown = shown.drop(columns="Dataset")
    if (shown[WORSE] == "").sum() + (shown[WORSE] == "best").sum() == len(shown):
        shown = shown.drop(columns=WORSE)  # nothing is known of the images
    return Table(pd.DataFrame(blocks), shown, _caption(transfer, costs), lead=_lead(transfer))


def worse_than_best(scored: Scored) -> tuple[pd.Series, pd.Series]:
    """Each model's loss less that of the best, and Holm's p that there is no difference; NaN: not known.

    A p-value is two-sided, of the difference over its standard error, which is that of the same resampled images.
    """
    losses = scored.losses
    best = int(np.argmin(losses.to_numpy()))
    gaps = losses - losses.iloc[best]
    p = pd.Series(NAN, losses.index)
    if scored.draws is not None:
        drawn = scored.metric.loss(scored.draws)
        apart = drawn - drawn[best]
        with np.errstate(divide="ignore", invalid="ignore"):  # the best has no difference from itself
            p[:] = holm(2 * ndtr(-gaps.to_numpy() / apart.std(axis=1)))
        p = p.fillna(1.0).mask(np.arange(len(p)) == best)  # two models that answer alike differ in nothing
    return gaps, p


def _rows(transfer: Transfer, scored: Scored) -> Iterator[dict[str, Any]]:
    gaps, p = worse_than_best(scored)
    ranks = scored.losses.rank(method="min").astype(int)
    first = ranks.to_numpy().argmin()
    costs = {name: scored.costs.get(name, {}) for name in (*COSTS, SPEED)}
    for place in np.argsort(ranks.to_numpy(), kind="stable"):
        model = scored.values.index[place]
        values = (scored.values, scored.low, scored.high)
        row = {"target": scored.task, "model": model, "imagenet": float(transfer.imagenet.get(model, NAN))}
        row |= {name: float(of.iloc[place]) for name, of in zip(("value", "low", "high"), values, strict=True)}
        row |= {"rank": float(ranks.iloc[place]), "behind": float(gaps.iloc[place]), "p_holm": float(p.iloc[place])}
        row["worse"] = "best" if place == first else _worse(p.iloc[place])
        yield row | {name: known.get(model, NAN) for name, known in costs.items()}


def _worse(p: float) -> str:
    if np.isnan(p):
        return ""
    return "yes" if p < UNEQUAL else "no"


def _mean_ranks(transfer: Transfer, data: pd.DataFrame) -> list[dict[str, Any]]:
    """A row for each model that has all targets: its mean rank among these, and on how many it is among the best."""
    counts = data.groupby("model", sort=False)["target"].nunique()
    models = list(counts.index[counts == len(transfer.targets)])
    if not models:
        return []
    ranks = pd.DataFrame({task: one.of(models).losses.rank() for task, one in transfer.targets.items()})
    means = ranks.mean(axis=1).sort_values(kind="stable")
    drawn = [
        one.of(models).metric.loss(one.of(models).draws) for one in transfer.targets.values() if one.draws is not None
    ]
    bounds = pd.DataFrame(NAN, means.index, ["low", "high"])
    if len(drawn) == len(transfer.targets):
        of_draws = np.mean([pd.DataFrame(losses).rank().to_numpy() for losses in drawn], axis=0)
        bounds = pd.DataFrame(np.percentile(of_draws, PERCENTILES, axis=1).T, models, ["low", "high"])
    rows = []
    for model, mean in means.items():
        own = data[data["model"] == model]
        equal = int(own["worse"].isin(["best", "no"]).sum())
        row = {
            "target": ALL,
            "model": model,
            "imagenet": own["imagenet"].iloc[0],
            "value": mean,
            "rank": len(rows) + 1.0,
        }
        row |= {"low": np.minimum(mean, bounds["low"][model]), "high": np.maximum(mean, bounds["high"][model])}
        known = own["worse"].ne("").all()
        row |= {"behind": NAN, "p_holm": NAN, "worse": f"on {len(own) - equal} of {len(own)}" if known else ""}
        rows.append(row | {name: own[name].mean() for name in (*COSTS, SPEED)})
    return rows


def _shown(row: Mapping[str, Any], transfer: Transfer, costs: list[str]) -> dict[str, Any]:
    whole = row["target"] == ALL
    scored = None if whole else transfer.targets[row["target"]]
    shown = {"Dataset": "Mean rank" if whole else f"{scored.title} ({scored.metric.title})", "Model": row["model"]}
    shown["ImageNet top-1 (%)"] = "" if np.isnan(row["imagenet"]) else number(row["imagenet"], 1)
    shown["Score"] = _bounded(row["value"], row["low"], row["high"])
    shown["Rank"] = f"{row['rank']:g}"
    shown[WORSE] = row["worse"]
    for name in costs:
        title, unit, digits = COSTS.get(name, ("Images/s", 1.0, 0))
        shown[title] = "" if np.isnan(row[name]) else number(row[name] / unit, digits)
    return shown


def _bounded(value: float, low: float, high: float) -> str:
    return number(value, 1) if np.isnan(low) else with_interval(value, low, high, 1)


def ranking_of(transfer: Transfer, scored: Scored) -> Correlation:
    """Spearman's rho between accuracy on ImageNet and on the target, positive where they agree."""
    models = transfer.common(scored)
    own = scored.of(models)
    images = (transfer.images[transfer.settings["reference"]], own.images if own.metric.counts else None)
    losses = 100 - transfer.imagenet[models].to_numpy(dtype=float), own.losses.to_numpy(dtype=float)
    return spearman(*losses, transfer.settings["resamples"], transfer.seed, images)


def _lead(transfer: Transfer) -> str:
    """How far the ranking on ImageNet could be trusted, a line a target."""
    counts = {task: len(transfer.common(scored)) for task, scored in transfer.targets.items()}
    if not any(counts.values()):
        return "ImageNet accuracies of these models are not known, so that nothing can be said of them as a guide."
    lines = [
        f"- {scored.title}: {_guidance(transfer, scored, counts[task])}" for task, scored in transfer.targets.items()
    ]
    return "How far the ranking on ImageNet could be trusted here:\n\n" + "\n".join(lines)


def _guidance(transfer: Transfer, scored: Scored, known: int) -> str:
    """What the ImageNet accuracies of so many of a target's models tell of its scores."""
    if not known:
        return "ImageNet accuracies of its models are not known, so that nothing can be said of them as a guide"
    of = f" of {len(scored.values)}" if known < len(scored.values) else ""
    some = f"{counted(known, 'model')}{of}"
    points, texts = scored.metric.points, []
    if known < FEWEST:
        texts.append(f"{some} with an ImageNet accuracy, too few for ρ and a slope")
    else:
        found = ranking_of(transfer, scored)
        bounded = with_interval(found.rho, found.low, found.high, 2)
        texts.append(f"ρ {found.reason if np.isnan(found.rho) else bounded} over {some}")
    choice = chosen_by_imagenet(transfer, scored)
    if choice and known > 1:
        lost = "nothing" if choice.regret == 0 else f"{_bounded(choice.regret, choice.low, choice.high)} {points}"
        best = f"{choice.chosen}, the best on ImageNet, loses {lost}"
        texts.append(best if choice.chosen == choice.best else f"{best} to {choice.best}")
    if known >= FEWEST:
        slope = transfer.lines(scored)["all"]
        texts.append(f"a point more on ImageNet comes with {with_interval(slope.slope, *slope.bounds, 2)} {points}")
    return "; ".join(texts)


def _caption(transfer: Transfer, costs: list[str]) -> str:
    targets = list(transfer.targets.values())
    resamples = transfer.settings["resamples"]
    text = (
        "Pretrained models on each dataset, the best first. Score: that of the test part, with "
        f"{intervals_of(targets, resamples)}."
    )
    if any(one.draws is not None for one in targets):
        text += (
            f" {WORSE}: yes where the difference on the same images is beyond their noise (two-sided p below "
            f"{UNEQUAL:g}, by Holm for all models of the dataset); a model that is not shown to be worse need not be "
            "as good. The best was found on the same images, so that its score is rather too good."
        )
    if len(targets) > 1:
        text += (
            " Mean rank: over all datasets, among the models that have them all, with the middle 95 % of the resamples "
            "of test images where there are any; there, too, on how many datasets a model is worse than the best."
        )
    if SPEED in costs:
        text += " Images/s: measured while the test part was evaluated, on the machine of that run."
    known = [len(transfer.common(one)) for one in targets]
    if max(known) >= FEWEST:
        text += f" ρ: Spearman's, with 95 % intervals for other models{_of_counts(targets)}."
    if max(known) > 1:
        text += (
            " What the best on ImageNet loses: its distance from the best of the dataset, of the models whose ImageNet "
            "accuracy is known, with the interval of these two models on other test images, where it is known."
        )
    if max(known) >= FEWEST:
        text += f" What a point comes with: the slope over all models, with {slopes_basis(transfer)}."
    return f"{text}{rare_labels(targets)}{models_without(transfer, left_out=False)}"


def _of_counts(targets: list[Scored]) -> str:
    names = [one.title for one in targets if one.metric.counts and one.images]
    if not names:
        return ""
    return " and test images" if len(names) == len(targets) else f" and, for {', '.join(names)}, test images"
