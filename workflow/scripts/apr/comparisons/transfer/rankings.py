"""Study A's questions asked of the same scores: rank correlation, what noise leaves of it, and selection regret."""

from typing import Any

import numpy as np
import pandas as pd

from apr.comparisons.table import Table
from apr.comparisons.transfer.captions import how_trained, intervals_of, models_without
from apr.comparisons.transfer.choices import chosen_by_imagenet, ranking_of
from apr.comparisons.transfer.targets import Scored, Transfer
from apr.comparisons.wording import bare_interval, number, p_value, with_interval
from apr.statistics.bootstrap import holm, interval
from apr.statistics.noise import ceilings

NAN = float("nan")
REGRETS = ("regret", "regret_low", "regret_high", "regret_share")
FEWEST = 3  # models of a ceiling
NOISE, CEILING = "Noise (points)", "Ceiling of ρ"
KEPT = 50  # resamples whose noise is drawn from


def rankings_table(transfer: Transfer) -> Table:
    """A row for each target: Spearman's rho with ImageNet accuracy, its ceiling, and the regret of ImageNet's best."""
    data = pd.DataFrame([_row(transfer, scored) for scored in transfer.targets.values()])
    data.insert(data.columns.get_loc("p") + 1, "p_holm", holm(data["p"]))
    shown = pd.DataFrame([_shown(row, transfer) for row in data.to_dict("records")])
    if data["ceiling"].isna().all():
        shown = shown.drop(columns=[NOISE, CEILING])
    targets = list(transfer.targets.values())
    resamples = transfer.settings["resamples"]
    ceiling = (
        ""
        if data["ceiling"].isna().all()
        else (
            "Noise: SD of a score over resampled test images and seeds, beyond what moves all models alike. Ceiling: "
            "the ρ expected, by that noise alone, with a partner that ranks the models without error as they truly "
            "are, with 95 % intervals over models. "
        )
    )
    caption = (
        "Does the ranking of models on ImageNet hold on other data? ρ: Spearman's, positive where both rank the models "
        "alike, with 95 % intervals in Fisher's z for other models and, where a score is a share of images, other test "
        f"images; p (Holm) is corrected for the number of datasets. {ceiling}Regret: what the most "
        "accurate model on ImageNet loses to the best of the dataset, with the interval of these two on other test "
        "images; of median: as a share of the way from the best model to the median one, where it does not lead "
        f"beyond. Scores have {intervals_of(targets, resamples)}.{how_trained(targets)}{models_without(transfer)}"
    )
    return Table(data, shown, caption)


def _row(transfer: Transfer, scored: Scored) -> dict[str, Any]:
    found, choice = ranking_of(transfer, scored), chosen_by_imagenet(transfer, scored)
    own = scored.of(transfer.common(scored))
    reach = float(own.losses.median() - own.losses.min())
    row: dict[str, Any] = {"target": scored.task, "metric": scored.metric.name}
    row |= {name: getattr(found, name) for name in ("n", "rho", "low", "high", "p")} | {"reason": found.reason or NAN}
    row |= _ceiling(own, transfer)
    if choice is None:
        return row | {"chosen": "", "best": "", **dict.fromkeys(REGRETS, NAN)}
    row |= {"chosen": choice.chosen, "best": choice.best, "regret": choice.regret}
    row |= {"regret_low": choice.low, "regret_high": choice.high}
    return row | {"regret_share": choice.regret / reach if reach > 0 else NAN}


def _ceiling(own: Scored, transfer: Transfer) -> dict[str, float]:
    """Noise and ceiling of a target; NaN where nothing is known of its test images."""
    names = ("noise", "ceiling", "ceiling_low", "ceiling_high")
    if own.draws is None or len(own.values) < FEWEST:
        return dict.fromkeys(names, NAN)
    apart = own.draws - own.draws.mean(axis=0)  # what moves all models alike changes no rank
    apart = apart - apart.mean(axis=1, keepdims=True)
    residuals = list(apart[:, :KEPT])
    found = ceilings(own.losses.to_numpy(dtype=float), residuals, transfer.settings["resamples"], transfer.seed)
    low, high = interval(found.noise_free[1:])
    return dict(zip(names, (float(np.sqrt((apart**2).mean())), float(found.noise_free[0]), low, high), strict=True))


def _shown(row: dict[str, Any], transfer: Transfer) -> dict[str, Any]:
    scored = transfer.targets[row["target"]]
    points = scored.metric.points
    known = not np.isnan(row["ceiling"])
    bounds = row["regret"], row["regret_low"], row["regret_high"]
    regret = bare_interval(*bounds, 1)
    share = row["regret_share"]
    ceiling = with_interval(row["ceiling"], row["ceiling_low"], row["ceiling_high"], 2) if known else ""
    return {
        "Dataset": f"{scored.title} ({scored.metric.title})",
        "n": row["n"],
        "ρ": with_interval(row["rho"], row["low"], row["high"], 2),
        "p": p_value(row["p"]),
        "p (Holm)": p_value(row["p_holm"]),
        NOISE: number(row["noise"], 2) if known else "",
        CEILING: ceiling,
        "Best on ImageNet": row["chosen"],
        "Regret": f"{regret} {points}" if row["chosen"] else "",
        "Of median (%)": "" if np.isnan(share) else "beyond it" if share > 1 else number(100 * share, 0),
    }
