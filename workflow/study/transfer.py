"""`comparisons.transfer` of a study: how scores on other data follow accuracy on ImageNet."""

from typing import Any

from study.tasks import cell_name

VARIANTS = ("probes", "scratch", "augmentation")  # {target: a task of the same models, otherwise trained}
ABOVE = 70  # % on ImageNet, where Fang et al. (2023) fit a second line
SAID = ("epochs", "resolution", "optimiser", "start", "layers", "classifier")  # keys of a regime that captions say
FEWEST_MODELS, FEWEST_OF_SPLINE = 4, 5  # of an interval; of a bend


class TransferOf:
    """What the tables and figures of transfer compare; `settings` is empty where the study has none."""

    def __init__(self, study: Any, entry: dict[str, Any] | None) -> None:
        self.study = study
        self.settings: dict[str, Any] = _settings(study, entry) if entry else {}

    @property
    def targets(self) -> list[str]:
        """The tasks that models were transferred to."""
        return self.settings.get("targets", [])

    def variants(self, *kinds: str) -> list[str]:
        """The tasks of some kinds of VARIANTS."""
        return [task for kind in kinds for task in self.settings.get(kind, {}).values()]

    def tasks(self, *kinds: str) -> list[str]:
        """The tasks whose scores an item compares, each once: ImageNet, targets, and variants of some kinds."""
        if not self.settings:
            return []
        sources = [self.settings["reference"], self.settings["evaluated"]]
        return list(dict.fromkeys(filter(None, [*sources, *self.targets, *self.variants(*kinds)])))

    def resampled(self, *kinds: str) -> list[str]:
        """The files of resampled test images, of those of these tasks that keep outputs."""
        kept = [task for task in self.tasks(*kinds) if self.study.tasks[task].keeps_outputs]
        return [f"results/resampled/{task}.npz" for task in kept]

    @property
    def keeping(self) -> list[str]:
        """The tasks of transfer that keep outputs."""
        return [task for task in self.tasks(*VARIANTS) if self.study.tasks[task].keeps_outputs]

    def params(self, *kinds: str) -> dict[str, Any]:
        """The parameters of an item: its settings, with the variants of some kinds alone, titles, and the seed."""
        kept = {kind: self.settings.get(kind, {}) if kind in kinds else {} for kind in VARIANTS}
        tasks = self.tasks(*kinds)
        about = {"titles": self.study.titles(tasks), "trained": {task: self._how(task) for task in tasks}}
        return {"settings": self.settings | kept, **about, "seed": self.study.statistics["seed"]}

    def _how(self, name: str) -> dict[str, Any]:
        """What captions say of how the models of a task came by their scores."""
        task = self.study.tasks[name]
        said = {key: task.protocol[key] for key in SAID if key in task.protocol}
        about = {"way": task.way, **said, "choose": task.choose, "again": len(task.seeds)}
        tried = {cell_name({key: value for key, value in cell.items() if key != "seed"}) for cell in task.cells}
        return about | {"grid": {axis: list(of) for axis, of in task.grid.items()}, "tried": len(tried)}

    @property
    def bootstrap(self) -> dict[str, int]:
        """Resamples and seed."""
        return self.study.bootstrap | {key: self.settings[key] for key in ("resamples",) if self.settings}

    def with_models(self, fewest: int) -> list[str]:
        """The targets that have so many models, as far as the configuration says."""
        return [task for task in self.targets if len(self._models(task)) >= fewest or self._models(task) == UNKNOWN]

    @property
    def needs(self) -> dict[str, Any]:
        """What single items are made of, where a study of transfer may lack it."""
        several = self.with_models(FEWEST_MODELS)
        targets = ("table_transfer_slopes", "table_transfer_rankings", "fig_transfer_average")
        return {
            **dict.fromkeys(targets, several),
            "fig_transfer_splines": self.with_models(FEWEST_OF_SPLINE),
            **dict.fromkeys(("fig_transfer_sensitivity", "table_transfer_cells"), self.with_grid),
            "fig_transfer_augmentation": self.variants("augmentation"),
            "fig_transfer_scratch": self.variants("scratch"),
            "table_transfer_scorecard": self.settings.get("paper"),
        }

    @property
    def with_grid(self) -> list[str]:
        """The targets whose models have several cells, of which one is chosen."""
        tasks = [self.study.tasks[task] for task in self.targets]
        return [task.name for task in tasks if task.choose and any(len(axis) > 1 for axis in task.grid.values())]

    def _models(self, task: str) -> tuple[str, ...]:
        models = self.study.tasks[task].models
        return UNKNOWN if models is None else models


UNKNOWN = ("",)  # models of published tables, and of a population


def _settings(study: Any, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with all of its keys, always in one order, since Snakemake compares parameters as text."""
    return {
        "reference": entry["reference"],
        "evaluated": entry.get("evaluated"),
        "targets": list(entry["targets"]),
        "above": entry.get("above", ABOVE),
        "after": entry.get("after"),
        **{kind: dict(entry.get(kind) or {}) for kind in VARIANTS},
        "paper": dict(entry.get("paper") or {}),
        "resamples": entry.get("resamples", study.statistics["resamples"]),
    }
