"""Scores of the same models on ImageNet and on the datasets that they were transferred to, with their intervals."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from apr.basics.escaping import plain
from apr.basics.problems import Problem
from apr.comparisons.transfer.trained import FEATURES, SCRATCH, How, word_of
from apr.runs.finetuning_protocol import FAR_BELOW
from apr.runs.metrics import ACCURACY, METRICS, PLAIN, Metric
from apr.scores.frames import read_runs
from apr.scores.resampled import Resampled, read_resampled
from apr.statistics.bootstrap import interval
from apr.statistics.counts import clopper_pearson
from apr.statistics.transfer.slopes import Slope, fit_slope

RARE = 20  # test images of a label below which its part of a metric hangs on a few
KINDS = {"probes": FEATURES, "scratch": SCRATCH, "augmentation": "without augmentation"}
FITS = ("all", "above", "after")

Settings = Mapping[str, Any]  # comparisons.transfer of a study, with every key


@dataclass(frozen=True)
class Scored:
    """The scores of one task.

    Attributes:
        values: the metric by model, the mean where several seeds count; models that completed.
        draws: the same on resampled test images and seeds, [models, resamples]; None where outputs are not kept.
        low, high: 95 % interval of each model's score; NaN where nothing is known of the test images.
        guess: the level of a guess; None: not known.
        images, groups: of the test part; None: not known, or not in groups.
        rare: labels with few positives in the test part, with their number.
        costs: parameters, multiply_adds, images_per_second, resolution and weights_resolution (px) -> by model.
        diverged: models of which no run completed.
        how: how its models came by their scores, see `apr.comparisons.transfer.trained`.
    """

    task: str
    title: str
    metric: Metric
    values: pd.Series
    draws: NDArray[np.float64] | None
    low: pd.Series
    high: pd.Series
    guess: float | None
    images: int | None
    groups: int | None
    rare: dict[str, int]
    costs: dict[str, dict[str, float]]
    diverged: tuple[str, ...]
    how: How

    def of(self, models: Sequence[str]) -> "Scored":
        """The same of some of its models, in their order."""
        rows = self.values.index.get_indexer(list(models))
        parts = {name: getattr(self, name).iloc[rows] for name in ("values", "low", "high")}
        return replace(self, **parts, draws=None if self.draws is None else self.draws[rows])

    @property
    def losses(self) -> pd.Series:
        """Distances from the perfect value: the least is best, whatever the metric."""
        return self.metric.loss(self.values)

    @property
    def label(self) -> str:
        """What an axis says: "EuroSAT accuracy (%)"."""
        return f"{self.title} {self.metric.label}"

    @property
    def word(self) -> str:
        """What its models are called: "fine-tuned", "fixed features", ..."""
        return word_of(self.how)

    @property
    def far_below(self) -> dict[str, tuple[float, float]]:
        """Models whose pictures were far smaller than those that their weights were made for; both sizes in pixels."""
        if self.word == SCRATCH:
            return {}
        used, own = (self.costs.get(name, {}) for name in ("resolution", "weights_resolution"))
        both = {model: (used[model], own[model]) for model in self.values.index if model in used and model in own}
        return {model: sizes for model, sizes in both.items() if sizes[0] < FAR_BELOW * sizes[1]}


@dataclass(frozen=True)
class Transfer:
    """What a study transfers: ImageNet accuracies (%) by task that holds them, targets, and variants of targets.

    `others` has for each of KINDS the tasks that a target's models were also scored in: as fixed features, from
    scratch, without augmentation.
    """

    settings: Settings
    sources: dict[str, pd.Series]
    images: dict[str, int | None]
    targets: dict[str, Scored]
    others: dict[str, dict[str, Scored]]
    titles: Mapping[str, str]
    seed: int

    @property
    def imagenet(self) -> pd.Series:
        """Accuracies of the reference, by which models are better than others."""
        return self.sources[self.settings["reference"]]

    def common(self, *scored: Scored, source: str | None = None) -> list[str]:
        """The models that have ImageNet accuracies and all of these scores, from the least accurate on ImageNet on.

        There may be none: ImageNet then says nothing of these scores.
        """
        known = [self.sources[source or self.settings["reference"]], *(one.values for one in scored)]
        return [model for model in self.ranked(self.imagenet.index) if all(model in s for s in known)]

    def ranked(self, models: Iterable[str]) -> list[str]:
        """These models, each once: those without ImageNet accuracy, then from the least accurate on ImageNet on.

        Of equally accurate ones the first by name comes last. That is how all ties are broken: of models that score
        alike, the last in this order counts as the best.
        """
        by_name = sorted(set(models), reverse=True)
        return sorted(by_name, key=lambda model: float(self.imagenet.get(model, -np.inf)))

    def best_first(self, scored: Scored) -> list[str]:
        """The models of a task from the best score on; of equal scores in the order of `ranked`, the last first."""
        return sorted(reversed(self.ranked(scored.values.index)), key=lambda model: float(scored.losses[model]))

    def unknown(self, scored: Scored) -> list[str]:
        """The models of a task that have no ImageNet accuracy."""
        return [model for model in scored.values.index if model not in self.imagenet]

    def within(self, models: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        """The models of each line: all, those above the limit, those better than the model of `after`."""
        accuracy = self.imagenet[list(models)].to_numpy()
        found = {"all": np.ones(len(models), bool)}
        if self.settings["above"] is not None:
            found["above"] = accuracy > self.settings["above"]
        if self.after is not None:
            found["after"] = accuracy > self.imagenet[self.after]
        return found

    @property
    def after(self) -> str | None:
        """The model of `after`; None where there is none, or its ImageNet accuracy is not known."""
        after = self.settings["after"]
        return after if after in self.imagenet else None

    def lines(self, scored: Scored, source: str | None = None) -> dict[str, Slope]:
        """The lines through the models of a task, by FITS."""
        models = self.common(scored, source=source)
        own = scored.of(models)
        x = self.sources[source or self.settings["reference"]][models].to_numpy(dtype=float)
        resamples = self.settings["resamples"]
        return {
            name: fit_slope(x, own.values.to_numpy(dtype=float), own.draws, within, resamples, self.seed)
            for name, within in self.within(models).items()
        }

    def fit_titles(self) -> dict[str, str]:
        """What a reader sees as the names of the lines."""
        above = self.settings["above"]
        titles = {"all": "all models"}
        if above is not None:
            titles["above"] = f"above {above:g} %"
        if self.after is not None:
            titles["after"] = f"better than {short_names([self.after])[self.after]}"
        return titles


def read_transfer(
    settings: Settings,
    scores: Iterable[str | Path],
    resampled: Iterable[str | Path],
    titles: Mapping[str, str],
    seed: int,
    trained: Mapping[str, How],
) -> Transfer:
    """Read all that a study transfers.

    Args:
        settings: of `comparisons.transfer`, with every key.
        scores: a score table for each task that they name.
        resampled: files of `apr.scores.resampled` for those tasks whose outputs are kept.
        titles: task -> the name that a reader sees.
        seed: of the statistics.
        trained: task -> how its models came by their scores, see `apr.comparisons.transfer.trained`.

    Raises:
        Problem: a file is damaged, or a score table holds no model that completed.
    """
    titles = {task: plain(title) for task, title in titles.items()}
    tables = {Path(path).stem: read_runs(path) for path in scores}
    kept = {Path(path).stem: read_resampled(path) for path in resampled}
    sources = {name: tables[name] for name in (settings["reference"], settings["evaluated"]) if name}

    def scored(task: str) -> Scored:
        return _scored(task, tables[task], kept.get(task), titles, seed, trained[task])

    return Transfer(
        settings,
        sources={name: _accuracies(name, table) for name, table in sources.items()},
        images={name: None if table["n"].isna().all() else int(table["n"].min()) for name, table in sources.items()},
        targets={task: scored(task) for task in settings["targets"] if task in tables},
        others={
            kind: {target: scored(task) for target, task in (settings[kind] or {}).items() if task in tables}
            for kind in KINDS
        },
        titles=titles,
        seed=seed,
    )


def short_names(models: Iterable[str]) -> dict[str, str]:
    """Names for figures: without library and weights, as far as that leaves them different."""
    models = list(models)
    found = {model: model.rpartition(":")[2] for model in models}
    bare = {model: name.partition(".")[0] for model, name in found.items()}
    once = {name for name in bare.values() if list(bare.values()).count(name) == 1}
    return {model: bare[model] if bare[model] in once else found[model] for model in models}


def _accuracies(task: str, table: pd.DataFrame) -> pd.Series:
    metric = METRICS[table["metric"].iloc[0]] if len(table) else ACCURACY
    if metric not in (ACCURACY, PLAIN):
        raise Problem(
            f"task {task}: reports {metric.title}; comparisons.transfer needs top-1 accuracies on ImageNet there"
        )
    done = table[table["status"] == "completed"].groupby("model", sort=False)["value"].mean()
    return done if metric == ACCURACY else 100 - done


def _scored(
    task: str, table: pd.DataFrame, kept: Resampled | None, titles: Mapping[str, str], seed: int, how: How
) -> Scored:
    done = table[table["status"] == "completed"]
    if done.empty:
        raise Problem(f"task {task}: no run completed, so that there is nothing to compare; look at its runs")
    metric, guess = METRICS[done["metric"].iloc[0]], done["guess"].dropna()
    about: dict[str, Any] = {"guess": float(guess.iloc[0]) if len(guess) else None, "groups": None, "rare": {}}
    about["how"] = how
    if kept is not None:
        names, values, draws = kept.of_models(task, seed)
        bounds = np.array([interval(row) for row in draws])
        about |= {"images": kept.images, "groups": kept.groups or None}
        if not metric.counts:  # a share of all images hangs on no label
            about["rare"] = {plain(label): count for label, count in kept.positives.items() if count < RARE}
        costs = {name: kept.cost(name) for name in kept.costs}
    else:
        means = done.groupby("model", sort=False)[["value", "n"]].mean()
        names, values, draws, costs = list(means.index), means["value"].to_numpy(), None, {}
        known = means["n"].notna().all()
        about["images"] = int(means["n"].min()) if known else None
        bounds = np.full((len(names), 2), np.nan)
        if known and metric.counts:
            bounds = np.stack(clopper_pearson((values * means["n"] / 100).round(), means["n"]), axis=1)
    low, high = np.minimum(bounds[:, 0], values), np.maximum(bounds[:, 1], values)
    by_model = {name: pd.Series(column, names) for name, column in (("values", values), ("low", low), ("high", high))}
    diverged = tuple(model for model in table["model"].unique() if model not in set(names))
    return Scored(task, titles[task], metric, **by_model, draws=draws, costs=costs, diverged=diverged, **about)
