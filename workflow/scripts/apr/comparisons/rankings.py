"""Does the ranking of models on one task hold on another, and for whom? Of score tables, whoever published them."""

import math
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from apr.basics.problems import Problem
from apr.comparisons.table import Table
from apr.comparisons.testsets import basis, footnote, marked, points_of, weak_tasks, words_of
from apr.comparisons.wording import left_out, number, p_value, sentence, with_interval
from apr.runs.metrics import Metric
from apr.scores.frames import complete
from apr.scores.tested import Counted, images_of, losses, metric_of
from apr.statistics.bootstrap import holm
from apr.statistics.families import family_spearman
from apr.statistics.ranks import Correlation, spearman
from apr.statistics.regret import winner_regret
from apr.statistics.restricted import among_best, drawn_rho, range_corrected

DRAWS = 1000
NAN = float("nan")


def rankings_table(
    scores: pd.DataFrame,
    ranking: Mapping[str, Any],
    titles: Mapping[str, str],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
    families: pd.Series | None = None,
    found: pd.DataFrame | None = None,
) -> Table:
    """Spearman's rho of each pair of tasks, over all models and over those that the ranking asks for; and the regret.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        ranking: `title`, and the keys of `ranked_pairs`.
        titles: task -> the name that a reader sees.
        resamples: of the models, or of the families.
        seed: of the resamples and of the draws.
        counts: what is known of each task's test images and metric (`apr.scores.tested`); None: nothing.
        families: name of each model's family, of `apr.scores.frames.families_of`.
        found: the numbers, if they are known, of `ranked_pairs` with the same arguments.

    Raises:
        Problem: see `ranked_pairs`.
    """
    data = ranked_pairs(scores, ranking, resamples, seed, counts, families) if found is None else found
    tasks = list(chain(*ranking["pairs"]))
    weak = weak_tasks(scores, counts, tasks)
    titles = marked(titles, weak)
    four_families = "(and four families) " if ranking["by_family"] else ""
    shown = pd.DataFrame([_shown(row, ranking, titles, counts) for row in data.to_dict("records")])
    caption = (
        f"{ranking['title']}: Spearman's ρ between the models' {words_of(counts, tasks)} on one task (ranked on) and "
        f"on another (task), over the n models that have both. {_metrics(counts, tasks)}"
        f"In brackets: {intervals_of(ranking, resamples, counts)}; p (Holm) is, for all rows. "
        f"{''.join(_said(ranking, counts))}"
        "Regret: what is lost on the task by taking the best model of the one ranked on instead of the task's own "
        f"best; models that tie there are averaged; in brackets, of 30 models {four_families}or more, the middle "
        "99 % of the resamples; of median: the regret as a share of the way from the task's best "
        f"model to its median one. {undefined(data, titles)}{left_out(len(scores), data['n'])}{footnote(weak, titles)}"
    )
    return Table(data, shown, caption)


def ranked_pairs(
    scores: pd.DataFrame,
    ranking: Mapping[str, Any],
    resamples: int,
    seed: int,
    counts: Counted | None = None,
    families: pd.Series | None = None,
) -> pd.DataFrame:
    """The numbers of a ranking, a row for each pair of tasks (x, y).

    All correlations are of losses, so that ranks begin with the best model whichever end of a metric is best. Which
    models are restricted to is not chosen again in a resample.

    Args:
        scores: values in the metrics of the tasks, [models x tasks], NaN where a model did not complete.
        ranking: `pairs`, lists of x and y; `above`, a value of x from which on (the better way) rho is computed, too,
            or None; `range_corrected`, whether that rho is corrected, too; `within`, shares of the best models on y;
            `draws`, models that are drawn without replacement, or None; `by_family`, whether families are resampled.
        resamples: of the models, or of the families.
        seed: of the resamples and of the draws.
        counts: what is known of each task's test images and metric; None: nothing.
        families: name of each model's family; a model without one is its own.

    Returns:
        x_task, y_task, x_metric, y_metric, n, rho, low, high, p, p_holm, reason (why something of these is not
        defined, or NaN); families; n_above, rho_above, low_above, high_above; rho_corrected, low_corrected,
        high_corrected; n_within_10, ... (for 10 %); draws, rho_draws, low_draws, high_draws; regret,
        regret_low, regret_high (in the unit of y's metric) and regret_share: so far as the ranking asks for them.

    Raises:
        Problem: no pair, or one that has no model in common; or no family is known where they are to be resampled.
    """
    if not ranking["pairs"]:
        raise Problem(f"rankings: {ranking['name']}: pairs: there is none; name two tasks to compare")
    if not ranking["by_family"]:
        families = None
    elif families is None:
        raise Problem(
            f"rankings: {ranking['name']}: by_family: the score tables name no model's family; "
            "give them a column of families or set by_family to false"
        )
    rows = []
    for x, y in ranking["pairs"]:
        pair = losses(complete(scores, [x, y]), counts)
        limit = None if ranking["above"] is None else metric_of(counts, x).loss(ranking["above"])
        rows.append(
            {"x_task": x, "y_task": y, "x_metric": metric_of(counts, x).name, "y_metric": metric_of(counts, y).name}
            | _row(pair[x], pair[y], ranking, limit, (resamples, seed), images_of(counts, x, y), families)
        )
    data = pd.DataFrame(rows)
    data.insert(data.columns.get_loc("p") + 1, "p_holm", holm(data["p"]))
    return data


def correlate_models(
    x: pd.Series,
    y: pd.Series,
    bootstrap: tuple[int, int],
    images: tuple[int | None, int | None],
    families: pd.Series | None,
) -> tuple[Correlation, int]:
    """Spearman's rho of two columns of losses over the same models, and their number of families (of models if None).

    Args:
        x: losses by model.
        y: alike, in the same order.
        bootstrap: resamples and seed.
        images: test images of both tasks, if they are known; of no effect on families.
        families: name of each model's family, which are resampled; None: models are.
    """
    if families is None:
        return spearman(x, y, *bootstrap, images), len(x)
    return family_spearman(x, y, _family_of(x.index, families), *bootstrap)


def _family_of(models: pd.Index, families: pd.Series) -> pd.Series:
    """The name of each model's family; one that has none is its own."""
    alone = pd.Series([f"\0{model}" for model in models], models)  # no family is called so
    return families.reindex(models).fillna(alone)


def _row(
    x: pd.Series,
    y: pd.Series,
    ranking: Mapping[str, Any],
    limit: float | None,
    bootstrap: tuple[int, int],
    images: tuple[int | None, int | None],
    families: pd.Series | None,
) -> dict[str, Any]:
    def over(models: np.ndarray, suffix: str) -> dict[str, Any]:
        found, _ = correlate_models(x[models], y[models], bootstrap, images, families)
        return {f"{name}{suffix}": getattr(found, name) for name in ("n", "rho", "low", "high")}

    whole, count = correlate_models(x, y, bootstrap, images, families)
    row = {name: getattr(whole, name) for name in ("n", "rho", "low", "high", "p")} | {"reason": whole.reason or NAN}
    if families is not None:
        row["families"] = count
    if limit is not None:
        above = (x <= limit).to_numpy()
        row |= over(above, "_above")
        if ranking["range_corrected"]:
            for name in ("rho", "low", "high"):
                row[f"{name}_corrected"] = range_corrected(row[f"{name}_above"], x, above)
    for share in ranking["within"]:
        row |= over(among_best(y, share), f"_within_{percent(share).replace('.', '_')}")
    if ranking["draws"] is not None:
        rhos = drawn_rho(x, y, ranking["draws"], DRAWS, bootstrap[1])
        row |= {"draws": DRAWS} | dict(zip(("rho_draws", "low_draws", "high_draws"), rhos, strict=True))
    members = None if families is None else pd.factorize(_family_of(x.index, families))[0]
    lost = winner_regret(x, y, *bootstrap, members)
    row |= {"regret": lost.regret, "regret_low": lost.low, "regret_high": lost.high}
    return row | {"regret_share": lost.share}


def percent(share: float) -> str:
    """A share in percent: "10", "2.5"."""
    return f"{100 * share:g}"


def limit_of(ranking: Mapping[str, Any], counts: Counted | None) -> str:
    """The limit that models are above, as a title has it: "70 %"."""
    units = {metric_of(counts, x).unit for x, _ in ranking["pairs"]}
    return " ".join(filter(None, [f"{ranking['above']:g}", units.pop() if len(units) == 1 else ""]))


def intervals_of(ranking: Mapping[str, Any], resamples: int, counts: Counted | None) -> str:
    """What the intervals of a ranking are of, for a caption."""
    if not ranking["by_family"]:
        return basis(resamples, counts, dict.fromkeys(chain(*ranking["pairs"])))
    return (
        f"the middle 95 % of {resamples:,} bootstrap resamples of the models' families (cluster bootstrap; a model of "
        "no known family is its own), whatever the test images; fewer than four families have none; p is twice the "
        "share of resamples on the other side of 0, one at least, and not corrected for the number of tests"
    )


def undefined(data: pd.DataFrame, titles: Mapping[str, str]) -> str:
    """A sentence on the pairs of `ranked_pairs` whose rho or interval is not defined; empty without one."""
    rows = data.dropna(subset="reason")
    clauses = (f"{titles[x]} and {titles[y]} ({why})" for x, y, why in rows[["x_task", "y_task", "reason"]].to_numpy())
    return f"Not defined, in part or whole: {'; '.join(clauses)}. " if len(rows) else ""


def _shown(
    row: dict[str, Any], ranking: Mapping[str, Any], titles: Mapping[str, str], counts: Counted | None
) -> dict[str, Any]:
    x, y = row["x_task"], row["y_task"]

    def rho(suffix: str) -> str:
        return with_interval(*(row[f"{name}{suffix}"] for name in ("rho", "low", "high")), 3)

    shown = {"Task": titles[y], "Ranked on": titles[x], "n": row["n"], "ρ": rho("")}
    shown |= {"p": p_value(row["p"]), "p (Holm)": p_value(row["p_holm"])}
    if "families" in row:
        shown["Families"] = row["families"]
    if ranking["above"] is not None:
        limit = limit_of(ranking, counts)
        shown |= {f"n from {limit} on": row["n_above"], f"ρ from {limit} on": rho("_above")}
        if ranking["range_corrected"]:
            shown[f"ρ from {limit} on (corrected for range)"] = rho("_corrected")
    for share in map(percent, ranking["within"]):
        suffix = f"_within_{share.replace('.', '_')}"
        shown |= {f"n of best {share} %": row[f"n{suffix}"], f"ρ of best {share} %": rho(suffix)}
    if ranking["draws"] is not None:
        shown[f"ρ of {ranking['draws']:,} drawn"] = rho("_draws")
    targets = [target for _, target in ranking["pairs"]]
    same = len({metric_of(counts, target).points for target in targets}) == 1
    known = not math.isnan(row["regret_low"])
    bounds = row["regret"], row["regret_low"], row["regret_high"]
    regret = with_interval(*bounds, 2) if known else number(row["regret"], 2)
    shown[f"Regret ({points_of(counts, targets)})" if same else "Regret"] = (
        regret if same else f"{regret} {metric_of(counts, y).points}"
    )
    return shown | {"Of median (%)": number(100 * row["regret_share"], 0)}


def _said(ranking: Mapping[str, Any], counts: Counted | None) -> Iterator[str]:
    """A sentence on each column that not every ranking has."""
    if ranking["above"] is not None:
        limit = limit_of(ranking, counts)
        yield f"From {limit} on: over the models that have {limit} or better on the task ranked on. "
        if ranking["range_corrected"]:
            yield (
                "Corrected for range: that ρ and its interval by Thorndike's Case 2 (Sackett and Yang, 2000) with "
                "the ranks on the task ranked on; it takes their relation for linear and their scatter for even. "
            )
    if ranking["within"]:
        shares = " or ".join(f"{percent(share)} %" for share in ranking["within"])
        yield (
            f"Of best {shares}: over the models than which fewer than so many are better on the task, so that ties at "
            "the limit are in; a resample has the same limit. "
        )
    if ranking["draws"] is not None:
        yield (
            f"Of {ranking['draws']:,} drawn: mean and middle 95 % of ρ over {ranking['draws']:,} models drawn without "
            f"replacement, {DRAWS:,} times. "
        )


def _metrics(counts: Counted | None, tasks: list[str]) -> str:
    """A sentence on what the tasks report."""
    metrics: list[Metric] = list({metric_of(counts, task).name: metric_of(counts, task) for task in tasks}.values())
    if len(metrics) == 1:
        return f"{sentence(metrics[0].name)}: the {metrics[0].best} is the best. "
    ends = "; ".join(f"{metric.title}, the {metric.best} is the best" for metric in metrics)
    return f"The tasks report different metrics ({ends}). "
