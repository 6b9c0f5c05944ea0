"""What the tables and figures of a study compare: as `comparisons` says, else what follows from roles and tasks."""

import itertools
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from apr.runs.metrics import METRICS, SHOWN
from study.transfer import TransferOf

SINCE = {"highlight": [], "scale": "probit", "fewest": 8, "resamples": 10_000, "published": {}}
NO_CURVES = {"task": None, "models": 0, "zoom_from": None}
SIDES = ("original", "new")
NAMED = ("lines", "since", "rankings", "transfer")  # comparisons that a study names itself
Pairs = list[tuple[str, str]]


class Comparisons:
    """What each table and figure shows; empty where the study lacks it.

    Pairs are of the tasks on the horizontal and on the vertical axis. `lines` and `since` compare test sets:
    {name: {name, title, original, new, metric, without, probit_without}}.
    """

    def __init__(self, study: Any, entries: dict[str, Any]) -> None:
        self.study = study
        self._said = self._defaults() | {key: value for key, value in entries.items() if key not in NAMED}
        self.lines = {name: _line(name, entry) for name, entry in (entries.get("lines") or {}).items()}
        self.since = self._since(entries.get("since"))
        self.transfer = TransferOf(study, entries.get("transfer"))
        rankings = entries.get("rankings") or {}
        self.rankings = {name: _ranking(name, entry) for name, entry in rankings.items()}
        own = {name: {"resamples": entry["resamples"]} for name, entry in rankings.items() if "resamples" in entry}
        self.bootstraps = {name: study.bootstrap | own.get(name, {}) for name in rankings}

    def __getitem__(self, name: str) -> Any:
        """What one of them shows, by its key of `comparisons`."""
        return self._said[name]

    # --- ranks of models on tasks ---

    @cached_property
    def closest(self) -> dict[str, str]:
        """The family member closest to each target, of those that have one."""
        return {target: member for target in self.study.targets if (member := self.study.closest(target))}

    @property
    def reference(self) -> list[str]:
        """The reference, if there is one."""
        return [self.study.reference] if self.study.reference else []

    @property
    def tasks(self) -> list[str]:
        """What most tables compare: reference, targets and the family members closest to them."""
        return [*self.reference, *self.study.targets, *self.closest.values()]

    @cached_property
    def pairs(self) -> dict[str, Pairs]:
        """The panels of each figure of scatterplots."""
        targets, family = self.study.targets, self.study.family
        return {
            "imagenet_vs_targets": _crossed(targets, self.reference),
            "imagenet_vs_family": _crossed(family, self.reference),
            "closest_vs_targets": [(member, target) for target, member in self.closest.items()],
            "classes_vs_images": _crossed(**self["classes_vs_images"]),
            "training_variants": _crossed(**self["training_variants"]),
        }

    def around(self, task: str) -> Pairs:
        """Pairs of one task with the reference and with all of its family."""
        return [(against, task) for against in (*self.reference, *self.study.family) if against != task]

    def two(self, name: str) -> Pairs:
        """The pairs of a comparison that says them as `first: second`."""
        return list(self[name].items())

    def panels(self, pairs: Pairs, columns: int | None = None) -> dict[str, Any]:
        """Parameters of a figure of scatterplots, one for each pair; `columns` where rows have a meaning."""
        return {"pairs": pairs, "columns": columns, "titles": self.study.titles(tasks_of(pairs))}

    @property
    def curves(self) -> dict[str, Any]:
        """Whose curves are drawn; without a task where there are none."""
        return NO_CURVES | (self["curves"] or {})

    @property
    def curve_tasks(self) -> list[str]:
        """The tasks of the figure of curves."""
        return [task for task in (self.curves["task"], *self.curves.get("continued", ())) if task]

    @property
    def followed(self) -> set[str]:
        """The tasks of which every epoch is shown: those of the curves, and those that they continue."""
        return {*self.curve_tasks, *(self.study.tasks[task].continues for task in self.curve_tasks)}

    @property
    def explored(self) -> list[list[str]]:
        """Of each panel of the explorer the tasks, or sizes of models, on its two axes when it opens."""
        transfer = [(self.transfer.settings["reference"], target) for target in self.transfer.targets]
        lines = [tuple(line[side] for side in SIDES) for line in [*self.lines.values(), *self.since["lines"]]]
        ranked = [tuple(pair) for entry in self.rankings.values() for pair in entry["pairs"]]
        ends = [(asked[0], asked[-1])] if (asked := self.study.asked) else []
        pairs = [*self.pairs["imagenet_vs_targets"], *transfer, *lines, *ranked, *ends]
        if not pairs:
            return []
        first, *others = pairs
        second = ("depth", first[1]) if self.study.population else others[0] if others else first
        return [list(first), list(second)]

    @property
    def datasets(self) -> list[str]:
        """The datasets of reference and targets."""
        tasks = [self.study.tasks[name] for name in (*self.reference, *self.study.targets)]
        return list(dict.fromkeys(task.dataset for task in tasks if task.dataset))

    # --- lines through models on two test sets ---

    def sides(self, lines: Iterable[dict[str, Any]]) -> list[str]:
        """The tasks that lines compare, each once."""
        return list(dict.fromkeys(line[side] for line in lines for side in SIDES))

    def _since(self, entry: dict[str, Any] | None) -> dict[str, Any]:
        if not entry:
            return SINCE | {"lines": [], "published": []}
        since = SINCE | entry
        since["lines"] = [_line(name, settings) for name, settings in entry["lines"].items()]
        # the published line that stands beside a measured one has the measured one's name
        since["published"] = [self.lines[other] | {"name": name} for name, other in since["published"].items()]
        return since

    def _defaults(self) -> dict[str, Any]:
        study = self.study
        shown = [*self.reference, *study.targets]
        of_view = {task.view: name for name, task in study.tasks.items() if task.role == "target"}
        variants = {name: of_view.get(task.view) for name, task in study.tasks.items() if task.role == "variant"}
        variants = {name: base for name, base in variants.items() if base and study.tasks[name].trains}
        depth = [name for name in shown if study.tasks[name].trains]
        return {
            **dict.fromkeys(("relative_error", "all_pairs"), shown),
            **dict.fromkeys(("depth_width", "best_shapes"), depth),
            "classes_vs_images": {"targets": study.targets, "against": [*self.reference, *study.family[-1:]]},
            "training_variants": {"targets": [], "against": []},
            "curves": None,
            "balanced": {},
            "references": [],
            "metric_pair": [name for name in depth if _has_both(study.tasks[name].classes)],
            "train_error_vs_depth": [name for name in study.targets if study.tasks[name].trains],
            "repeats": {name: base for name, base in variants.items() if study.tasks[name].repeats_seeds},
            "pretrained": {base: name for name, base in variants.items() if study.tasks[name].initial},
            "initialisation": {
                other.name: name
                for name, task in study.tasks.items()
                for other in study.tasks.values()
                if task.role in ("variant", "extra") and other.role == "target" and _initialised_otherwise(task, other)
            },
        }


def tasks_of(pairs: Pairs) -> list[str]:
    """The tasks of pairs, each once."""
    return list(dict.fromkeys(task for pair in pairs for task in pair))


def _crossed(targets: Iterable[str], against: Iterable[str]) -> Pairs:
    """Every target against each of `against`, a row of panels for each target."""
    return [(x, y) for y in targets for x in against]


def _line(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A line with all of its keys, always in one order, since Snakemake compares parameters as text."""
    keys = (*SIDES, "metric")
    lists = {key: list(entry.get(key, ())) for key in ("without", "probit_without")}
    return {"name": name, "title": entry.get("title", name)} | {key: entry[key] for key in keys} | lists


def _ranking(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A comparison of rankings with all of its keys, always in one order."""
    tasks = entry.get("tasks", ())
    pairs = [list(pair) for pair in itertools.combinations(tasks, 2)]
    pairs += [[entry["against"], target] for target in entry.get("targets", ())]
    pairs += [[against, target] for target, against in entry.get("pairs", {}).items()]
    return {
        "name": name,
        "title": entry.get("title", name),
        "pairs": pairs,
        "above": entry.get("above"),
        "within": list(entry.get("within", ())),
        "draws": entry.get("draws"),
        "range_corrected": entry.get("range_corrected", False),
        "by_family": entry.get("by_family", False),
        "matrix": bool(tasks),
    }


def _has_both(classes: int | None) -> bool:
    """Whether both metrics that a figure sets against each other say something about so many classes."""
    return bool(classes) and not any(METRICS[name].fault(classes) for name in SHOWN)


def _initialised_otherwise(task: Any, other: Any) -> bool:
    """Whether two tasks differ in how the last BatchNorm of a block starts, and in nothing else."""
    differing = {key for key in {*task.protocol, *other.protocol} if task.protocol.get(key) != other.protocol.get(key)}
    return (task.view, task.models, task.grid) == (other.view, other.models, other.grid) and differing == {
        "zero_init_final_gamma"
    }
