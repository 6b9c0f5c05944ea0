"""Retests: the line from models' accuracies on a test set to those on a new one, and how it is summed up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.comparisons.table import Table
from apr.comparisons.wording import with_interval
from apr.scores.paired import paired
from apr.statistics.bootstrap import interval
from apr.statistics.lines import Line, bootstrap_lines, bootstrap_means, bootstrap_variances, fit_line, probit

FEWEST = 3  # models of a line: two points lie on one whatever they are
WITHOUT = {"linear": "without", "probit": "probit_without"}  # scale -> key of a retest
QUANTITIES = ("slope", "offset", "probit_slope", "probit_offset", "change")

EMPTY = np.empty(0)

Retest = Mapping[str, Any]  # name, title, original, new, metric, without, probit_without


@dataclass(frozen=True)
class Fit:
    """A least-squares line through `n` models with its bootstrap; NaN and a reason where there is none.

    `left_out` names the models that the line does not count. On the probit scale the line is one of quantiles.
    `slopes` and `offsets` are of resampled models; `image_slopes` and `image_offsets` of resampled models and test
    images, empty where the numbers of images are not known.
    """

    line: Line
    slopes: NDArray[np.float64]
    offsets: NDArray[np.float64]
    n: int
    left_out: tuple[str, ...]
    reason: str = ""
    image_slopes: NDArray[np.float64] = field(default_factory=lambda: EMPTY)
    image_offsets: NDArray[np.float64] = field(default_factory=lambda: EMPTY)

    @property
    def slope_interval(self) -> tuple[float, float]:
        """95 % percentile interval of the slope, of models and, where their numbers are known, test images."""
        return _either(self.slopes, self.image_slopes)

    @property
    def offset_interval(self) -> tuple[float, float]:
        """95 % percentile interval of the offset, alike."""
        return _either(self.offsets, self.image_offsets)


def pair_retests(tables: Mapping[str, pd.DataFrame], retests: Sequence[Retest]) -> dict[str, pd.DataFrame]:
    """Accuracies of `paired.paired` for each retest, by its name.

    Args:
        tables: test set -> its score table.
        retests: each with its `name`, its test sets `original` and `new`, and the `metric` that is compared.

    Raises:
        Problem: there is no retest, or one has no model in common.
    """
    if not retests:
        raise Problem("comparisons: no line; name two tasks to compare under lines")
    pairs = {}
    for retest in retests:
        try:
            names = retest["original"], retest["new"]
            pairs[retest["name"]] = paired(*(tables[name] for name in names), retest["metric"], names)
        except Problem as problem:
            raise Problem(f"line {retest['name']}: {problem}") from problem
    return pairs


def fit_retest(accuracies: pd.DataFrame, retest: Retest, scale: str, resamples: int, seed: int) -> Fit:
    """The line from original to new accuracies on a scale, "linear" (%) or "probit", with its bootstrap over models.

    Args:
        accuracies: of `paired.paired`.
        retest: names under `without` (linear) and `probit_without` the models that the line does not count.
        scale: of both axes.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    The probit line leaves out models with an accuracy of 0 or 100 %, too, which have no place on that scale.

    Raises:
        Problem: a model that is to be left out is not there.
    """
    without = tuple(retest[WITHOUT[scale]])
    unknown = [model for model in without if model not in accuracies.index]
    if unknown:
        raise Problem(
            f"line {retest['name']}: {WITHOUT[scale]}: no model {unknown[0]} is on both test sets"
            f"{nearest(unknown[0], accuracies.index)}; name models of the score tables"
        )
    counted = accuracies.drop(index=list(without))
    if scale == "probit":
        ends = counted[["orig_acc", "new_acc"]].isin([0, 100]).any(axis=1)
        without, counted = (*without, *counted.index[ends]), counted[~ends]
    x, y = counted["orig_acc"], counted["new_acc"]
    reason = (
        "fewer than three models"
        if len(x) < FEWEST
        else "all original accuracies are equal"
        if x.nunique() == 1
        else ""
    )
    if reason:
        undefined = np.full(resamples, np.nan)
        return Fit(Line(np.nan, np.nan), undefined, undefined, len(x), without, reason)
    noise = [image_noise(counted, side, scale) for side in ("orig", "new")]
    if scale == "probit":
        x, y = probit(x), probit(y)
    slopes, offsets = bootstrap_lines(x, y, resamples, seed)
    images = _with_images(x, slopes, offsets, *noise, seed)
    return Fit(fit_line(x, y), slopes, offsets, len(x), without, "", *images)


def image_noise(accuracies: pd.DataFrame, side: str, scale: str) -> float:
    """Mean variance that the number of test images gives an accuracy, in points² or on the probit scale; else NaN.

    Args:
        accuracies: of `paired.paired`; those of the probit scale lie between 0 and 100 %.
        side: "orig" or "new".
        scale: "linear" or "probit".
    """
    if f"{side}_n" not in accuracies:
        return float("nan")
    share, n = accuracies[f"{side}_acc"] / 100, accuracies[f"{side}_n"]
    variance = share * (1 - share) / n
    slope = 1 / norm.pdf(norm.ppf(share)) if scale == "probit" else 100.0
    return float((variance * slope**2).mean(skipna=False))


def _with_images(
    x: pd.Series, slopes: NDArray, offsets: NDArray, noise_x: float, noise_y: float, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes and offsets [resamples] on other test images; empty where their numbers are not known.

    What the images do to each model apart flattens the slope: it is divided by the share of the variance of x that is
    not noise (at least a tenth). What they do to all models moves the offset; as the counts do not say how much of the
    noise that is, all of it counts for both.
    """
    if np.isnan([noise_x, noise_y]).any():
        return EMPTY, EMPTY
    rng = np.random.default_rng([seed, 6])
    with np.errstate(divide="ignore"):
        kept = np.clip(1 - noise_x / bootstrap_variances(x, len(slopes), seed), 0.1, 1)
    steeper = slopes / kept
    moved = rng.normal(0, noise_y**0.5, len(slopes)) - steeper * rng.normal(0, noise_x**0.5, len(slopes))
    return steeper, offsets + (slopes - steeper) * x.mean() + moved


def _either(*draws: NDArray[np.float64]) -> tuple[float, float]:
    """From the least to the largest bound of the 95 % intervals of several vectors of draws."""
    bounds = np.array([interval(values) for values in draws])
    if np.isnan(bounds).all():
        return float("nan"), float("nan")
    return float(np.nanmin(bounds[:, 0])), float(np.nanmax(bounds[:, 1]))


def retest_lines(
    pairs: Mapping[str, pd.DataFrame], retests: Sequence[Retest], resamples: int, seed: int
) -> pd.DataFrame:
    """One row a retest: slope and offset of both lines and the mean change over all models, each with its interval.

    Args:
        pairs: retest -> accuracies, of `pair_retests`.
        retests: in the order of the rows.
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Returns:
        retest, models (of both test sets), n and probit_n (counted by the lines), and slope, offset (points),
        probit_slope, probit_offset and change (points), each followed by its 95 % interval, _low and _high, which is
        of models and test images; slope_models_low and so on are of models alone, as other studies give them.
    """
    rows = []
    for retest in retests:
        accuracies = pairs[retest["name"]]
        linear, quantiles = (fit_retest(accuracies, retest, scale, resamples, seed) for scale in WITHOUT)
        changes = accuracies["new_acc"] - accuracies["orig_acc"]
        rows.append(
            {"retest": retest["name"], "models": len(accuracies), "n": linear.n, "probit_n": quantiles.n}
            | _numbered("slope", linear.line.slope, linear.slope_interval)
            | _numbered("offset", linear.line.offset, linear.offset_interval)
            | _numbered("probit_slope", quantiles.line.slope, quantiles.slope_interval)
            | _numbered("probit_offset", quantiles.line.offset, quantiles.offset_interval)
            | _numbered("change", changes.mean(), _change_interval(accuracies, resamples, seed))
            | _bounds("slope_models", interval(linear.slopes))
            | _bounds("offset_models", interval(linear.offsets))
        )
    return pd.DataFrame(rows)


def _change_interval(accuracies: pd.DataFrame, resamples: int, seed: int) -> tuple[float, float]:
    means = bootstrap_means(accuracies["new_acc"] - accuracies["orig_acc"], resamples, seed)
    noise = sum(image_noise(accuracies, side, "linear") for side in ("orig", "new"))
    moved = np.random.default_rng([seed, 7]).normal(0, noise**0.5, resamples) if noise >= 0 else np.nan
    return _either(means, means + moved)


def slopes_table(pairs: Mapping[str, pd.DataFrame], retests: Sequence[Retest], resamples: int, seed: int) -> Table:
    """The table of `retest_lines`, with a caption that says which models each line leaves out."""
    data = retest_lines(pairs, retests, resamples, seed)
    shown = pd.DataFrame(
        {
            "Retest": retest["title"],
            "Models": row.models,
            "In the line": row.n,
            "Slope": with_interval(row.slope, row.slope_low, row.slope_high, 3),
            "Offset (points)": with_interval(row.offset, row.offset_low, row.offset_high, 1),
            "In the probit line": row.probit_n,
            "Probit slope": with_interval(row.probit_slope, row.probit_slope_low, row.probit_slope_high, 3),
            "Probit offset": with_interval(row.probit_offset, row.probit_offset_low, row.probit_offset_high, 3),
            "Mean change (points)": with_interval(row.change, row.change_low, row.change_high, 1),
        }
        for retest, row in zip(retests, data.itertuples(), strict=True)
    )
    caption = (
        "Least-squares lines from the models' accuracy on the original test set to that on the new one, in %: new = "
        "slope · original + offset. A slope of 1 is a loss (or gain) that is the same for all models; above 1, each "
        "point gained on the original test set comes with more than a point on the new one. The offset is the line's "
        "value at an original accuracy of 0 %. The probit line relates the accuracies' quantiles of the normal "
        "distribution. The mean change, new less original accuracy, is over all models. In brackets: "
        f"{lines_basis(pairs.values(), resamples)}. {lines_leave_out(data, retests)}"
    )
    return Table(data, shown, caption)


def lines_leave_out(data: pd.DataFrame, retests: Sequence[Retest]) -> str:
    """Sentences that name the models that the lines of `retest_lines` do not count, once for all retests alike."""
    ends = sum(data["models"] - data["probit_n"]) - sum(len(retest["probit_without"]) for retest in retests)
    sentences = []
    for scale, name in (("linear", "lines"), ("probit", "probit lines")):
        groups: dict[tuple[str, ...], list[str]] = {}
        for retest in retests:
            groups.setdefault(tuple(retest[WITHOUT[scale]]), []).append(retest["title"])
        clauses = [f"{', '.join(models)} ({'; '.join(titles)})" for models, titles in groups.items() if models]
        if scale == "probit" and ends:
            clauses.append(f"{ends:,} model{'s' if ends > 1 else ''} with an accuracy of 0 or 100 %")
        sentences.append(f"Not in the {name}: {'; '.join(clauses)}." if clauses else f"All models are in the {name}.")
    return " ".join(sentences)


def _numbered(name: str, value: float, limits: tuple[float, float]) -> dict[str, float]:
    return {name: value} | _bounds(name, limits)


def _bounds(name: str, limits: tuple[float, float]) -> dict[str, float]:
    return {f"{name}_low": limits[0], f"{name}_high": limits[1]}


def lines_basis(pairs: Iterable[pd.DataFrame], resamples: int) -> str:
    """What the intervals of lines and mean changes are of, for a caption."""
    numbers = pd.concat([accuracies.reindex(columns=["orig_n", "new_n"]) for accuracies in pairs])
    known = numbers.stack().dropna()
    if known.empty:
        images = "of the models alone, since the numbers of test images are not known"
    else:
        some = "" if len(known) == numbers.size else ", where their numbers are known"
        images = (
            f"of the models and of the test images ({known.min():,.0f} to {known.max():,.0f}{some}): binomial counts, "
            "whose noise is taken out of the slope and counts as common to all models in offset and mean change"
        )
    return f"95 % percentile intervals of {resamples:,} bootstrap resamples {images}"
