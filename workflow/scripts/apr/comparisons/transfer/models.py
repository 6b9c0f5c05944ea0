"""Which pretrained model to take: scores, ranks and costs of each, and how far ImageNet accuracy would have told."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from apr.comparisons.table import Table
from apr.comparisons.transfer.answer import answer_of
from apr.comparisons.transfer.captions import far_below, how_trained, intervals_of, models_without, rare_labels
from apr.comparisons.transfer.choices import UNEQUAL, worse_than_best
from apr.comparisons.transfer.slopes import slopes_basis
from apr.comparisons.transfer.targets import KINDS, Scored, Transfer
from apr.comparisons.wording import bare_interval, number
from apr.statistics.bootstrap import PERCENTILES
from apr.statistics.ranks import FEWEST

NAN = float("nan")
COSTS = {
    "parameters": ("Parameters (M)", 1e6, 1),
    "resolution": ("Resolution (px)", 1.0, 0),
    "multiply_adds": ("Multiply-adds (M)", 1e6, 0),
    "images_per_second": ("Images/s", 1.0, 0),
}
OWN = "weights_resolution"  # px that a model's weights were made for
PROBE = f"As {KINDS['probes']}"
ALL = "mean rank"
WORSE = "Worse than the best"
BOUNDED = {"value": "values", "low": "low", "high": "high"}
ENDS = {"": "values", "_low": "low", "_high": "high"}


def models_table(transfer: Transfer) -> Table:
    """A row for each target and model, best first, and the models' mean ranks where there are several targets."""
    rows = [row for scored in transfer.targets.values() for row in _rows(transfer, scored)]
    data = pd.DataFrame(rows)
    several = len(transfer.targets) > 1
    blocks = [*rows, *(_mean_ranks(transfer, data) if several else [])]
    titles = _cost_titles(data)
    shown = pd.DataFrame([_shown(row, transfer, titles) for row in blocks])
    if data["probe"].isna().all():
        shown = shown.drop(columns=PROBE)
    if not several:
        shown = shown.drop(columns="Dataset")
    if (shown[WORSE] == "").sum() + (shown[WORSE] == "best").sum() == len(shown):
        shown = shown.drop(columns=WORSE)  # nothing is known of the images
    return Table(pd.DataFrame(blocks), shown, _caption(transfer, data, titles), lead=answer_of(transfer))


def _cost_titles(data: pd.DataFrame) -> dict[str, str]:
    """The columns of costs that something is known of; multiply-adds say of pictures of which size."""
    sizes = data["resolution"].dropna().unique()
    titles = {name: title for name, (title, _, _) in COSTS.items() if data[name].notna().any()}
    if "multiply_adds" in titles and len(sizes):
        at = f"{sizes[0]:g} px" if len(sizes) == 1 else "that resolution"
        titles["multiply_adds"] = f"Multiply-adds (M, at {at})"
    return titles


def _rows(transfer: Transfer, scored: Scored) -> Iterator[dict[str, Any]]:
    gaps, p = worse_than_best(transfer, scored)
    ranks = scored.losses.rank(method="min").astype(int)
    probes = transfer.others["probes"].get(scored.task)
    for model in transfer.best_first(scored):
        row = {"target": scored.task, "model": model, "imagenet": float(transfer.imagenet.get(model, NAN))}
        row |= {name: float(getattr(scored, of)[model]) for name, of in BOUNDED.items()}
        row |= {
            f"probe{end}": float(getattr(probes, of).get(model, NAN)) if probes else NAN for end, of in ENDS.items()
        }
        row |= {"rank": float(ranks[model]), "behind": float(gaps[model]), "p_holm": float(p[model])}
        row["worse"] = "best" if ranks[model] == 1 else _worse(p[model])
        yield row | {name: scored.costs.get(name, {}).get(model, NAN) for name in (*COSTS, OWN)}


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
    means = ranks.mean(axis=1)[transfer.ranked(models)[::-1]].sort_values(kind="stable")
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
        row |= dict.fromkeys((f"probe{end}" for end in ENDS), NAN)
        row |= {"behind": NAN, "p_holm": NAN, "worse": f"on {len(own) - equal} of {len(own)}" if known else ""}
        costs = {name: own[name].mean() for name in (*COSTS, OWN)}
        if own["resolution"].nunique() > 1:  # a mean of sizes, and of what each takes, is nobody's
            costs |= dict.fromkeys(("resolution", "multiply_adds"), NAN)
        rows.append(row | costs)
    return rows


def _shown(row: Mapping[str, Any], transfer: Transfer, titles: Mapping[str, str]) -> dict[str, Any]:
    whole = row["target"] == ALL
    scored = None if whole else transfer.targets[row["target"]]
    shown = {"Dataset": "Mean rank" if whole else f"{scored.title} ({scored.metric.title})", "Model": row["model"]}
    shown["ImageNet top-1 (%)"] = "" if np.isnan(row["imagenet"]) else number(row["imagenet"], 1)
    shown["Score"] = bare_interval(row["value"], row["low"], row["high"], 1)
    probe = [row[f"probe{end}"] for end in ENDS]
    shown[PROBE] = "" if np.isnan(probe[0]) else bare_interval(*probe, 1)
    shown["Rank"] = f"{row['rank']:g}"
    shown[WORSE] = row["worse"]
    for name, title in titles.items():
        _, unit, digits = COSTS[name]
        shown[title] = "" if np.isnan(row[name]) else number(row[name] / unit, digits)
    if shown.get(COSTS["resolution"][0]) and not np.isnan(row[OWN]) and row[OWN] != row["resolution"]:
        shown[COSTS["resolution"][0]] += f" (made for {row[OWN]:g})"
    return shown


def _caption(transfer: Transfer, data: pd.DataFrame, titles: Mapping[str, str]) -> str:
    targets = list(transfer.targets.values())
    resamples = transfer.settings["resamples"]
    text = (
        "Pretrained models on each dataset, the best first. Score: that of the test part, with "
        f"{intervals_of(targets, resamples)}."
    )
    probes = list(transfer.others["probes"].values())
    if data["probe"].notna().any():
        text += (
            f" {PROBE}: the score of the same model, not fine-tuned, with a classifier on top, with "
            f"{intervals_of(probes, resamples)}."
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
    if "resolution" in titles:
        text += (
            " Resolution: of the pictures that the scores are of, in brackets of those that the weights were made for, "
            "where that is known and another; multiply-adds are of one picture of the former."
        )
    if "images_per_second" in titles:
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
    said = f"{how_trained([*targets, *probes])}{far_below([*targets, *probes])}"
    return f"{text}{said}{rare_labels(targets)}{models_without(transfer, left_out=False)}"


def _of_counts(targets: Sequence[Scored]) -> str:
    names = [one.title for one in targets if one.metric.counts and one.images]
    if not names:
        return ""
    return " and test images" if len(names) == len(targets) else f" and, for {', '.join(names)}, test images"
