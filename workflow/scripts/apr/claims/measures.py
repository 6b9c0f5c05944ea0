"""What a claim is measured by: combinations of rank correlations, shapes of the best, errors, errors over seeds.

Each kind of `claims.KINDS` has its function here. A quantity is computed for the observed models and again for each
resample; all quantities over the same models have the same resamples, so that differences are paired.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apr.claims.claims import OF_REPEATS, Claim
from apr.scores.tested import Counted, images_of
from apr.statistics.bootstrap import interval, resampled_rows
from apr.statistics.densities import overlap
from apr.statistics.gains import gain_draws
from apr.statistics.ranks import rho_draws

FEWEST = 4  # models or trainings: of fewer a rho has no interval
ALPHA = 0.05  # of each of the two one-sided tests of a verdict, and of the 95 % interval's two sides together
# Which model is the least or largest depends on which were drawn, and resamples of those that were do not show it.
EXTREMES = {"least_of_best": "least", "largest_of_best": "largest", "largest_error": "largest"}


@dataclass(frozen=True)
class Measured:
    """A quantity with its 95 % interval and number of models or trainings; NaN and a reason where it is undefined.

    `inner` is the interval of two one-sided tests at 5 % (90 %), which an equivalence test asks for, and `error` the
    standard error.
    """

    value: float
    low: float
    high: float
    n: int
    note: str = ""
    reason: str = ""
    inner: tuple[float, float] = (math.nan, math.nan)
    error: float = math.nan


class Sample:
    """Models with all columns, and their resamples.

    Each rho and gain is [2, 1 + resamples], the observed one first: on so many test images, and on endless ones.
    """

    def __init__(self, rows: pd.DataFrame, resamples: int, seed: int, counts: Counted | None) -> None:
        self.rows, self.resamples, self.seed, self.counts = rows, resamples, seed, counts
        self._known: dict[tuple[str, ...], NDArray[np.float64]] = {}

    def rho(self, x: str, y: str) -> NDArray[np.float64]:
        """Spearman's rho of two columns."""
        key = tuple(sorted((x, y)))
        if key not in self._known:
            images = images_of(self.counts, *key)
            drawn = rho_draws(self.rows[key[0]], self.rows[key[1]], self.resamples, self.seed, images)
            self._known[key] = _after(self._rho(*key), drawn)
        return self._known[key]

    def gain(self, target: str, before: str, after: str) -> NDArray[np.float64]:
        """The target's rho with `after` less that with `before`."""
        key = (target, before, after)
        if key not in self._known:
            sides = [(self.rows[name], *images_of(self.counts, name)) for name in key]
            gain = self._rho(after, target) - self._rho(before, target)
            self._known[key] = _after(gain, gain_draws(*sides, self.resamples, self.seed))
        return self._known[key]

    def _rho(self, x: str, y: str) -> float:
        return self.rows[x].rank().corr(self.rows[y].rank())

    def drawn(self, column: str) -> NDArray[np.float64]:
        """A column of the observed and of the resampled models, [1 + resamples, models]."""
        n = len(self.rows)
        draws = np.vstack([np.arange(n), resampled_rows(n, self.resamples, self.seed)])
        return self.rows[column].to_numpy(dtype=float)[draws]


class Samples:
    """The samples of a study: each claim is measured on the models that have all of its columns."""

    def __init__(self, columns: pd.DataFrame, resamples: int, seed: int, counts: Counted | None = None) -> None:
        self.columns, self.resamples, self.seed, self.counts = columns, resamples, seed, counts
        self._known: dict[tuple[str, ...], Sample] = {}

    def of(self, names: Sequence[str]) -> Sample:
        """The models that have all of the named columns."""
        models = self.columns[list(names)].dropna().index
        if tuple(models) not in self._known:
            self._known[tuple(models)] = Sample(self.columns.loc[models], self.resamples, self.seed, self.counts)
        return self._known[tuple(models)]


def measure(claim: Claim, samples: Samples, repeats: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> Measured:
    """The quantity of a claim over the models that completed all of its tasks, or over the seeds of its architectures.

    The interval is that of the resamples. A least difference is above a bound where each of the differences is, and
    below it where one of them is, whose level is divided by their number (Bonferroni). A least or largest value of
    models has no interval, since the bootstrap of an extreme does not cover it: it says what holds in this sample.

    Args:
        claim: its tasks are columns of `samples`, or tables of `repeats` that have its architectures.
        samples: errors (%), or losses, of the tasks and the shape of the models.
        repeats: task -> model, seed, value (an error or loss) of its trainings, NaN where one diverged.
        titles: task -> the name that a reader sees.
    """
    if claim.kind in OF_REPEATS:
        table = repeats[claim.tasks[0]].dropna(subset="value")
        errors = [table.loc[table["model"] == model, "value"].to_numpy() for model in claim.models]
        n, unit = min(map(len, errors)), "trainings"
    else:
        sample = samples.of(claim.columns)
        n, unit = len(sample.rows), "models"
    if n < FEWEST:
        return _undefined(n, f"fewer than {FEWEST} {unit}")
    if claim.kind in OF_REPEATS:
        values, note = OF_SEEDS[claim.kind](_over_seeds(errors, samples.resamples, samples.seed)), f"{n} trainings each"
    else:
        values, note = OF_MODELS[claim.kind](sample, claim.arguments, titles)
    if np.isnan(np.asarray(values)[..., 0]).any():
        return _undefined(n, "all errors of a task are equal")
    if claim.kind in EXTREMES:
        return _of_this_sample(claim, float(values[0]), n, note)
    return summed_up(values, n, note)


def summed_up(values: NDArray[np.float64], n: int, note: str = "") -> Measured:
    """The least of several quantities, the observed ones first, with the intervals of `Measured`.

    Args:
        values: [1 + resamples], [rows, 1 + resamples] whose intervals are taken together, or several of these.
    """
    values = values[(None,) * (3 - values.ndim)]
    parts = len(values)
    least = values[values[:, 0, 0].argmin()]

    def bounds(tail: float) -> tuple[float, float]:
        ends = [interval(rows[:, 1:], (100 * tail, 100 * (1 - tail / parts))) for rows in values]
        return min(low for low, _ in ends), min(high for _, high in ends)

    (low, high), inner = bounds(ALPHA / 2), bounds(ALPHA)
    drawn = [row[~np.isnan(row)] for row in least[:, 1:]]
    error = max((float(row.std()) for row in drawn if row.size), default=math.nan)
    return Measured(float(least[0, 0]), low, high, n, note, inner=inner, error=error)


def _of_this_sample(claim: Claim, value: float, n: int, note: str) -> Measured:
    low, high = claim.expected
    holds = "holds" if low <= value <= high else "does not hold"
    reason = f"it cannot be decided, since the {EXTREMES[claim.kind]} of models depends on which were drawn; "
    return Measured(value, math.nan, math.nan, n, note, reason=f"{reason}of these models it {holds}")


def _after(observed: float, draws: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([np.full((len(draws), 1), observed), draws])


def _undefined(n: int, reason: str) -> Measured:
    return Measured(*[math.nan] * 3, n=n, reason=reason)


def _mean(values: list[NDArray]) -> tuple[NDArray, str]:
    return np.mean(values, axis=0), ""


def _min_gain(sample: Sample, arguments: dict, titles: Mapping[str, str]) -> tuple[NDArray, str]:
    gains = np.stack([sample.gain(*gain) for gain in arguments["gains"]])
    return gains, f"on {titles[arguments['gains'][gains[:, 0, 0].argmin()][0]]}"


def _ordered(sample: Sample, arguments: dict, titles: Mapping[str, str]) -> tuple[NDArray, str]:
    steps = list(pairwise(arguments["pairs"]))
    falls = np.stack([_fall(sample, more, less) for more, less in steps])
    more, less = steps[falls[:, 0, 0].argmin()]
    return falls, f"between {titles[more[1]]} and {titles[less[1]]}"


def _fall(sample: Sample, more: Sequence[str], less: Sequence[str]) -> NDArray[np.float64]:
    for shared in set(more) & set(less):
        (after,), (before,) = ([name for name in pair if name != shared] or [shared] for pair in (more, less))
        return sample.gain(shared, before, after)
    return sample.rho(*more) - sample.rho(*less)


def _of_best(reduce: Callable, sample: Sample, arguments: dict) -> tuple[NDArray, str]:
    k = max(1, min(arguments["k"], len(sample.rows) // 4))
    best = np.argsort(sample.drawn(arguments["task"]), axis=1, kind="stable")[:, :k]
    chosen = np.take_along_axis(sample.drawn(arguments["shape"]), best, axis=1)
    return reduce(chosen, axis=1), f"of the {k} best" if k > 1 else "of the best"


def _over_seeds(errors: list[NDArray], resamples: int, seed: int) -> list[NDArray]:
    """The observed and the resampled trainings of each architecture, [1 + resamples, trainings] each."""
    drawn = (resampled_rows(len(values), resamples, [seed, position]) for position, values in enumerate(errors))
    return [np.vstack([values, values[rows]]) for values, rows in zip(errors, drawn, strict=True)]


# Each gives [1 + resamples] or [2, 1 + resamples], or several of these where the least is meant, and a note.
OF_MODELS: dict[str, Callable[[Sample, dict, Mapping[str, str]], tuple[NDArray, str]]] = {
    "rho": lambda sample, a, _: (sample.rho(a["x"], a["y"]), ""),
    "mean_rho": lambda sample, a, _: _mean([sample.rho(*pair) for pair in a["pairs"]]),
    "mean_pairwise_rho": lambda sample, a, _: _mean([sample.rho(*pair) for pair in combinations(a["tasks"], 2)]),
    "ordered": _ordered,
    "gain": lambda sample, a, _: (sample.gain(a["target"], a["before"], a["after"]), ""),
    "mean_gain": lambda sample, a, _: _mean([sample.gain(*gain) for gain in a["gains"]]),
    "min_gain": _min_gain,
    "gain_difference": lambda sample, a, _: (sample.gain(*a["first"]) - sample.gain(*a["second"]), ""),
    "least_of_best": lambda sample, a, _: _of_best(np.min, sample, a),
    "largest_of_best": lambda sample, a, _: _of_best(np.max, sample, a),
    "largest_error": lambda sample, a, _: (sample.drawn(a["task"]).max(axis=1), ""),
    "mean_error": lambda sample, a, _: (sample.drawn(a["task"]).mean(axis=1), ""),
    "quantile_error": lambda sample, a, _: (np.quantile(sample.drawn(a["task"]), a["share"], axis=1), ""),
}
OF_SEEDS: dict[str, Callable[[list[NDArray]], NDArray]] = {
    "mean_of_repeats": lambda drawn: drawn[0].mean(axis=1),
    "overlap": lambda drawn: np.array([overlap(*both) for both in zip(*drawn, strict=True)]),
}
