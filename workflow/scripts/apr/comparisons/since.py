"""The models since 2019 against the line of 2019: slope, bend, and each family's distance from the line."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apr.basics.problems import Problem
from apr.comparisons.families import FIRST_YEAR, LINE, SINCE, Families, dated
from apr.comparisons.retest_lines import Retest
from apr.comparisons.table import Table
from apr.comparisons.wording import number, p_value, with_interval
from apr.statistics.bootstrap import holm
from apr.statistics.lines import Line, fit_line, from_probit, probit
from apr.statistics.slope_change import Estimate, bootstrap_fit, estimate, kink, mean_distance, slope_change

SCALES = ("probit", "linear")
FEWEST = 3  # models of a line
ANY, ALONE = "any", "ImageNet-1k"  # data that the models since learned from
LEVEL = 0.05  # of significance


def with_families(accuracies: pd.DataFrame, families: Families) -> pd.DataFrame:
    """Accuracies of `paired.paired` (%) with each model's weights, family and group, of `families.dated`.

    Models with 0 or 100 % on a test set are left out: the probit scale has no place for them.
    """
    values = accuracies[["orig_acc", "new_acc"]]
    kept = values[((values > 0) & (values < 100)).all(axis=1)]
    return kept.join(dated(kept.index, families))


def dated_accuracies(accuracies: pd.DataFrame, families: Families) -> pd.DataFrame:
    """The same of measured results, which hold models of 2019 and since.

    Raises:
        Problem: too few models are left of 2019 or since for a line.
    """
    points = with_families(accuracies, families)
    sides = {"of the 2019 line": points["group"] == LINE} | {
        f"of a family since {FIRST_YEAR} {title}": counted for title, counted in populations(points).items()
    }
    for title, counted in sides.items():
        side = points.loc[counted, "orig_acc"]
        if len(side) < FEWEST or side.nunique() < 2:
            raise Problem(
                f"{len(side)} models {title} are on both test sets, which is too few for a line; "
                "compare measured results of more models, or date them in resources/model_families.yaml"
            )
    return points


def since_lines(
    pairs: Mapping[str, pd.DataFrame], published: Mapping[str, pd.DataFrame], resamples: int, seed: int
) -> pd.DataFrame:
    """One row a retest, scale, 2019 line and data: both lines, the change of slope, the shift, and the bend.

    Args:
        pairs: retest -> points of `dated_accuracies`.
        published: retest -> points of `with_families`, whose models make a second 2019 line beside the same models
            since; their group is not looked at.
        resamples: of the families.
        seed: of the bootstrap.

    Returns:
        retest, scale, line ("measured" or "published"), data (that the models since learned from: "any", or
        "ImageNet-1k" as those of 2019), n_2019, families_2019, n_since, families_since; slope_2019,
        slope_since, change (of slope), shift (since less 2019, in points, at shift_at, the mean original accuracy of
        the models since on the scale), bend (change of slope of the models since beyond bend_at, the best original
        accuracy of 2019) with n_beyond, each with _low, _high and, where it is a change, _p; change_p_independent; and
        change_p_holm and bend_p_holm, adjusted for the retests of the same scale, line and data.
    """
    rows = []
    for scale, (name, points) in product(SCALES, pairs.items()):
        lines = {"measured": points[points["group"] == LINE]}
        if name in published:
            lines["published"] = published[name]
        for (line, before), (data, counted) in product(lines.items(), populations(points).items()):
            start = {"retest": name, "scale": scale, "line": line, "data": data}
            rows.append(start | _compared(before, points[counted], scale, resamples, seed))
    data = pd.DataFrame(rows)
    for quantity in ("change", "bend"):
        alike = data.groupby(["scale", "line", "data"])[f"{quantity}_p"]
        data[f"{quantity}_p_holm"] = alike.transform(lambda p: holm(p))
    return data


def since_table(
    pairs: Mapping[str, pd.DataFrame],
    published: Mapping[str, pd.DataFrame],
    retests: Sequence[Retest],
    resamples: int,
    seed: int,
) -> Table:
    """The table of `since_lines`; retests give the titles."""
    data = since_lines(pairs, published, resamples, seed)
    titles = {retest["name"]: retest["title"] for retest in retests}
    shown = pd.DataFrame(
        {
            "Retest": titles[row.retest],
            "Scale": row.scale,
            "2019 models": f"{row.n_2019:,} {row.line}",
            "Data since": row.data,
            "Models since": f"{row.n_since:,}",
            "2019 slope": with_interval(row.slope_2019, row.slope_2019_low, row.slope_2019_high, 2),
            "Slope since": with_interval(row.slope_since, row.slope_since_low, row.slope_since_high, 2),
            "Change": with_interval(row.change, row.change_low, row.change_high, 2),
            "p": p_value(row.change_p),
            "p (Holm)": p_value(row.change_p_holm),
            "p if independent": p_value(row.change_p_independent),
            "Shift (points)": with_interval(row.shift, row.shift_low, row.shift_high, 1),
            "Bend": with_interval(row.bend, row.bend_low, row.bend_high, 2),
            "p (bend, Holm)": p_value(row.bend_p_holm),
        }
        for row in data.itertuples()
    )
    return Table(data, shown, _caption(data, titles, resamples))


def family_distances(pairs: Mapping[str, pd.DataFrame], fewest: int, resamples: int, seed: int) -> pd.DataFrame:
    """Each family's mean distance from the 2019 line of each retest (effective robustness), in accuracy points.

    The line is fitted on the probit scale to the measured models of 2019, as by Taori et al. (2020, arXiv:2007.00644),
    and the distance is measured accuracy less the line's. Units are weights, a mean of their image sizes; models of
    the line itself do not count, nor families of fewer than `fewest` weights on any retest.

    Args:
        pairs: retest -> points of `dated_accuracies`.
        fewest: weights of a family, at least 2.
        resamples: of the line's families, for its uncertainty.
        seed: of the bootstrap.

    Returns:
        retest, family, n (weights), distance, low, high, p and p_holm, adjusted for all rows; in each retest the
        families stand in the order of their mean over the retests, highest first.

    Raises:
        Problem: no family is large enough.
    """
    rows = []
    for name, points in pairs.items():
        before, others = points[points["group"] == LINE], points[(points["group"] != LINE) & (points["family"] != "")]
        line, drawn = group_line(points, LINE, "probit"), drawn_line(before, "probit", resamples, seed)
        degrees = len(set(clusters(before))) - 1
        for family, members in others.groupby("family"):
            if members["weights"].nunique() >= max(fewest, 2):
                rows.append({"retest": name, "family": family} | _distance(members, line, drawn, degrees))
    counts = pd.Series([row["family"] for row in rows], dtype=object).value_counts()
    common = counts.index[counts == len(pairs)]
    data = pd.DataFrame([row for row in rows if row["family"] in common])
    if data.empty:
        raise Problem(
            f"comparisons: since: no family has {fewest} weights on every test set; lower fewest, or add models"
        )
    order = data.groupby("family")["distance"].mean().sort_values(ascending=False).index
    data["p_holm"] = holm(data["p"])
    data["family"] = pd.Categorical(data["family"], order)
    data["retest"] = pd.Categorical(data["retest"], list(pairs))
    data = data.sort_values(["retest", "family"], ignore_index=True)
    return data.astype({"family": object, "retest": object})


def to_scale(accuracies: pd.DataFrame, scale: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Original and new accuracies [models] on a scale: "linear" (%) or "probit" (quantiles)."""
    values = [accuracies["orig_acc"], accuracies["new_acc"]]
    x, y = (probit(value) if scale == "probit" else value for value in values)
    return x.to_numpy(), y.to_numpy()


def group_line(points: pd.DataFrame, group: str, scale: str) -> Line:
    """Least squares through the models of a group of `dated_accuracies`, on a scale."""
    return fit_line(*to_scale(points[points["group"] == group], scale))


def populations(points: pd.DataFrame) -> dict[str, pd.Series]:
    """The models since, by what they learned from."""
    since = points["group"] == SINCE
    return {ANY: since, ALONE: since & ~points["more_data"]}


def change_in_words(row: pd.Series) -> str:
    """A clause on the slopes of one row of `since_lines`."""
    p = row["change_p_holm"]
    verdict = "changed" if p < LEVEL else "no significant change"
    slopes = " to ".join(number(row[f"slope_{side}"], 2) for side in ("2019", "since"))
    change = with_interval(row["change"], row["change_low"], row["change_high"], 2)
    return f"{slopes}, {verdict} ({change}, p {'< 0.001' if p < 0.001 else f'= {p_value(p)}'})"


def drawn_line(before: pd.DataFrame, scale: str, resamples: int, seed: int) -> NDArray[np.float64]:
    """Offset and slope [resamples, 2] of a line through resampled families; resamples without a line are left out."""
    x, y = to_scale(before, scale)
    drawn = bootstrap_fit(np.stack([np.ones_like(x), x], axis=1), y, clusters(before), resamples, seed)
    return drawn[~np.isnan(drawn[:, 0])]


def clusters(points: pd.DataFrame) -> NDArray[np.str_]:
    """The family of each model [models]; weights without one are their own."""
    return points["family"].where(points["family"] != "", points["weights"]).to_numpy(dtype=str)


def _compared(before: pd.DataFrame, since: pd.DataFrame, scale: str, resamples: int, seed: int) -> dict:
    both = pd.concat([before, since])
    x, y = to_scale(both, scale)
    after, families = np.arange(len(both)) >= len(before), clusters(both)
    result = slope_change(x, y, after, families, resamples, seed)
    bend, beyond = kink(x[after], y[after], x[~after].max(), families[after], resamples, seed)
    percent = from_probit if scale == "probit" else np.asarray
    heights, drawn = percent(result.heights), percent(result.resampled_heights)
    shift = estimate(float(heights[1] - heights[0]), drawn[:, 1] - drawn[:, 0])
    return (
        {"n_2019": len(before), "families_2019": len(set(families[~after]))}
        | {"n_since": len(since), "families_since": len(set(families[after]))}
        | _numbered("slope_2019", result.slope_before)
        | _numbered("slope_since", result.slope_after)
        | _numbered("change", result.change)
        | {"change_p": result.change.p, "change_p_independent": result.p_independent}
        | _numbered("shift", shift)
        | {"shift_p": shift.p, "shift_at": float(percent(result.at))}
        | _numbered("bend", bend)
        | {"bend_p": bend.p, "bend_at": before["orig_acc"].max(), "n_beyond": beyond}
    )


def _distance(members: pd.DataFrame, line: Line, drawn: NDArray[np.float64], degrees: int) -> dict[str, float]:
    x, _ = to_scale(members, "probit")
    distances = (members["new_acc"] - from_probit(line.at(x))).groupby(members["weights"]).mean()
    sizes = members.groupby("weights")["new_acc"].transform("size").to_numpy()
    heights = from_probit(drawn[:, :1] + drawn[:, 1:] * x) @ (1 / sizes / len(distances))
    found = mean_distance(distances, float(np.var(heights)), degrees)
    return {"n": found.n, "distance": found.mean, "low": found.low, "high": found.high, "p": found.p}


def _numbered(name: str, found: Estimate) -> dict[str, float]:
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}


def _caption(data: pd.DataFrame, titles: Mapping[str, str], resamples: int) -> str:
    measured = data[data["line"] == "measured"]
    most = measured.loc[measured["n_2019"].idxmax()]
    clauses = []
    for name, rows in measured[measured["scale"] == SCALES[0]].groupby("retest", sort=False):
        every, alone = (rows[rows["data"] == kind].iloc[0] for kind in (ANY, ALONE))
        shift = with_interval(every["shift"], every["shift_low"], every["shift_high"], 1)
        clauses.append(
            f"- {titles[name]}: {change_in_words(every)}, shift {shift} points; "
            f"of the models on {ALONE}'s images alone {change_in_words(alone)}"
        )
    published = ""
    if (data["line"] == "published").any():
        published = (
            "Published: the models whose predictions the study of 2019 published, in place of the measured ones. "
        )
    return (
        "Does the line of 2019 hold for the models since? Each row compares the line, from accuracy on the original "
        "test set to that on the new one, through the models of 2019 with that through the models since. Of 2019 are "
        "weights that were published by then and learned from ImageNet-1k's images alone (at most "
        f"{most.n_2019:,} models of {most.families_2019} families), since are those of families published in "
        f"{FIRST_YEAR} or later ({most.n_since:,} of {most.families_since}); the rest cannot be dated and does not "
        f"count. Data: what the models since learned from, {ANY} or {ALONE}'s images alone. {published}Change: slope "
        "since less slope of 2019. Shift: the line since less the line of 2019, in accuracy points, at the "
        "mean original accuracy of the models since. Bend: change of slope of the models since beyond the best "
        "original accuracy of 2019. Slopes are those of accuracies in % (linear) or of their quantiles of the normal "
        f"distribution (probit). In brackets: 95 % percentile intervals of {resamples:,} bootstrap resamples of the "
        "families, since models of one family resemble each other, on the test images that there are; so are the "
        "p-values, but for the one that takes all models for independent (HC3). Holm's correction is for the number of "
        "test sets on a scale. Slopes of the "
        "measured models on the probit scale:\n\n" + "\n".join(clauses)
    )
