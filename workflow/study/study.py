"""A study: the configuration, checked and resolved into models, datasets, views, tasks and what is compared.

Parsed in every job of the workflow, so it imports nothing heavy. What a rule asks of the configuration is here.
"""

import hashlib
import json
import math
from dataclasses import fields
from functools import cached_property
from typing import Any

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.runs.protocol import IDLE, contradictions
from apr.runs.ways import PUBLISHED, WAYS
from study.comparisons import Comparisons
from study.search import choice_file
from study.settings import (
    CLUSTER,
    OWN,
    READ,
    STATISTICS,
    TRAINING,
    VIEW,
    load_sources,
    network_genotype,
    own_tables,
    resolve_dataset,
    resolve_sources,
    source_name,
)
from study.tasks import Run, Task, task_of


class Study:
    """The resolved configuration. `study_of` makes it of a checked one.

    Attributes:
        datasets: also the sources of published results, which are fetched and unpacked as datasets are.
        views: every dataset is one, of its own name and whole.
        claims: the file of its own, relative to the project's folder; None: the first paper's are judged.
        comparisons: what tables and figures compare.
    """

    def __init__(self, config: dict[str, Any], registry: dict[str, Any]) -> None:
        self.title: str = config["title"]
        self.claims: str | None = config.get("claims")
        self.population: dict[str, Any] = config.get("population") or {}
        self.mirror: str | None = (config.get("data") or {}).get("mirror")
        self.statistics: dict[str, Any] = STATISTICS | config["statistics"]
        self.training: dict[str, Any] = TRAINING | (config.get("training") or {})
        self.cluster: dict[str, Any] = {key: config.get(key, value) for key, value in CLUSTER.items()}
        self.networks: dict[str, dict[str, Any]] = config.get("networks") or {}
        self.datasets, self.views = _data_of(config, registry)
        regimes = config.get("regimes") or {}
        self.tasks: dict[str, Task] = {
            name: task_of(name, entry, regimes, self.views, self.datasets) for name, entry in config["tasks"].items()
        }
        self.models = [f"a{number:03d}" for number in range(self.population.get("size", 0))]
        self.comparisons = Comparisons(self, config.get("comparisons") or {})
        self._runs: dict[str, dict[str, Run]] = {}
        self._protocols: dict[tuple, str] = {}

    # --- tasks ---

    @property
    def reference(self) -> str | None:
        """The task that stands for ImageNet."""
        return next((name for name, task in self.tasks.items() if task.role == "reference"), None)

    @property
    def family(self) -> list[str]:
        """The reference's subsets of classes, most classes first."""
        members = [task for task in self.tasks.values() if task.role == "family"]
        return [task.name for task in sorted(members, key=lambda task: -(task.classes or 0))]

    @property
    def targets(self) -> list[str]:
        """The tasks compared with the reference."""
        return [name for name, task in self.tasks.items() if task.role == "target"]

    @property
    def asked(self) -> list[str]:
        """The tasks that a whole study makes: all but the extra ones."""
        return [name for name, task in self.tasks.items() if task.role != "extra"]

    def made_by(self, way: str) -> list[str]:
        """The tasks whose runs come from one of apr.runs.ways.WAYS, or whose results are published."""
        return [name for name, task in self.tasks.items() if task.way == way]

    @property
    def halved(self) -> list[str]:
        """The tasks of whose cells some are dropped on the way."""
        return [name for name, task in self.tasks.items() if task.rungs]

    @property
    def chosen_again(self) -> list[str]:
        """The tasks whose chosen cells are trained again."""
        return [name for name, task in self.tasks.items() if task.seeds]

    @property
    def run_here(self) -> list[str]:
        """The tasks that have runs."""
        return [name for name, task in self.tasks.items() if task.way != PUBLISHED]

    def published(self, source: str) -> dict[str, dict[str, Any]]:
        """The tasks whose results a source publishes, each with how its test set is read."""
        return {
            name: self.tasks[name].published for name in self.made_by(PUBLISHED) if self.tasks[name].regime == source
        }

    @cached_property
    def tables(self) -> dict[str, dict[str, Any]]:
        """The tasks whose scores stand in published tables: their source, its file and digest, the metric,
        and how they are read."""
        found: dict[str, dict[str, Any]] = {}
        for name in self.made_by(PUBLISHED):
            task = self.tasks[name]
            if "column" in task.published:
                file = self.datasets[task.regime]["files"][0]
                found[name] = {"source": task.regime, "file": file["name"], "sha256": file["sha256"]}
                found[name] |= {
                    "metric": task.metric,
                    "read": {key: task.published[key] for key in READ if key in task.published},
                }
        return found

    def tables_of(self, own: bool) -> dict[str, dict[str, Any]]:
        """Those of them that are tables of the user's own, or those that are not."""
        return {name: table for name, table in self.tables.items() if table["source"].startswith(OWN) == own}

    def metrics(self, source: str) -> dict[str, str]:
        """The metrics of the tasks whose results a source publishes."""
        return {name: self.tasks[name].metric for name in self.published(source)}

    def metrics_on(self, view: str) -> dict[str, str]:
        """The metrics of the tasks of a view, which have to say something about its classes."""
        return {name: task.metric for name, task in self.tasks.items() if task.view == view}

    @property
    def bootstrap(self) -> dict[str, int]:
        """Resamples and seed."""
        return {key: self.statistics[key] for key in ("resamples", "seed")}

    def titles(self, tasks: Any = None) -> dict[str, str]:
        """What a reader sees as the tasks' names; of all by default."""
        return {name: self.tasks[name].title for name in (self.tasks if tasks is None else tasks)}

    def closest(self, target: str) -> str | None:
        """The family task a target is compared with: as configured, else the closest in number of classes."""
        task = self.tasks[target]
        if task.closest or not task.classes:
            return task.closest
        counted = [name for name in self.family if self.tasks[name].classes]
        return min(counted, key=lambda name: abs(math.log(self.tasks[name].classes / task.classes)), default=None)

    # --- models ---

    @cached_property
    def architectures(self) -> list[dict[str, Any]]:
        """The population, sampled when it is first asked for (a tenth of a second)."""
        if not self.population:
            return []
        from apr.models.population import Space, sample_population

        settings = self.population
        return sample_population(
            Space(**{key: tuple(settings[key]) for key in ("depth", "width", "bottleneck", "group_width")}),
            size=settings["size"],
            seed=settings["seed"],
            band=tuple(1e6 * bound for bound in settings["megaflops"]),
            stem=settings["stem"],
            classes=settings["classes"],
            resolution=settings["resolution"],
        )

    @cached_property
    def genotypes(self) -> dict[str, str]:
        """The genotype of each model by its id, the reference networks included."""
        drawn = {model["id"]: model["genotype"] for model in self.architectures}
        return drawn | {name: network_genotype(network) for name, network in self.networks.items()}

    def prepare(self) -> None:
        """Draw the population now. A band that holds too few architectures is a Problem."""
        _ = self.architectures

    def complexity(self, name: str, task: Task) -> dict[str, int]:
        """Multiply-adds, parameters and activations of a model as a task trains it."""
        from apr.models.anynet import Genotype, complexity

        settings = {"stem": task.protocol["stem"], "resolution": task.protocol["resolution"]}
        return complexity(Genotype.parse(self.genotypes[name]), classes=task.classes, **settings)._asdict()

    # --- runs ---

    def runs(self, task: str) -> dict[str, Run]:
        """A task's runs by name."""
        if task not in self._runs:
            self._runs[task] = self.tasks[task].runs(self.models)
        return self._runs[task]

    def run(self, task: str, name: str) -> Run:
        """A run by its task and name.

        Raises:
            Problem: the task has no such run.
        """
        run = self.runs(task).get(name)
        if run is None:
            raise Problem(f"task {task} has no run {name!r}{nearest(name, self.runs(task))}")
        return run

    def protocol(self, task: str, name: str) -> str:
        """The protocol of a training as JSON.

        A key that does nothing in this cell, and would be refused for that, has the value that says nothing.
        """
        cell, way = self.run(task, name).cell, WAYS[self.tasks[task].way]
        key = (task, json.dumps(cell))
        if key not in self._protocols:
            said = {key: value for key, value in self.tasks[task].protocol.items() if key != "weights"} | cell
            found = contradictions(said, keys=way.keys, table=way.contradictions)
            said |= {pair[0]: way.unsaid.get(pair[0], 0) for pair, text in found if IDLE in text}
            self._protocols[key] = json.dumps(said)
        return self._protocols[key]

    def keeps(self, task: str) -> str | None:
        """What a task's runs have to keep for others: weights, state (with the optimiser's), or nothing."""
        if any(other.continues == task for other in self.tasks.values()):
            return "state"
        return "weights" if any(other.initial == task for other in self.tasks.values()) else None

    def sources(self, task: str) -> list[str]:
        """Names of the runs that a task's runs start from."""
        source = self.tasks[task].starts_from
        if not source:
            return []
        return list(self.runs(source) if self.tasks[task].continues else self.tasks[task].models or self.models)

    def options(self, task: str) -> list[str]:
        """The options of a training that not every task has: where it starts, what it keeps, when it is evaluated."""
        settings, kept, options = self.tasks[task], self.keeps(task), []
        epochs = self.training["evaluate"]
        if settings.way == "train" and epochs != "every" and task not in self.comparisons.followed:
            options.append(f"--evaluate={epochs if isinstance(epochs, str) else ','.join(map(str, epochs))}")
        if source := settings.starts_from:
            options += [f"--initial-runs=results/runs/{source}", f"--initial-weights=results/weights/{source}"]
        if settings.continues:
            options.append(f"--ranking=results/ranking/{settings.continues}.csv")
        return options + (["--keep-optimizer"] if kept == "state" else [])

    def effective(self, config: dict[str, Any]) -> dict[str, Any]:
        """The configuration with everything that defaults and the registry add."""
        keys = [field.name for field in fields(Task)]
        tasks = {name: {key: getattr(task, key) for key in keys} for name, task in self.tasks.items()}
        return {"config": config, "tasks": tasks, "datasets": self.datasets, "views": self.views}

    def digest(self, config: dict[str, Any]) -> str:
        """A digest of the effective configuration."""
        return hashlib.sha256(json.dumps(self.effective(config)).encode()).hexdigest()

    @property
    def plan(self) -> dict[str, Any]:
        """Every run that the study has, as plain values: what status and audit compare with what is there."""
        return {task: self.planned(task) for task in self.tasks}

    def planned(self, name: str) -> dict[str, Any]:
        """A task with its runs, {name: {model, genotype, seed, cell}}, as plain values.

        The genotype is None of pretrained models, and with the model where only results can name it. The protocol is
        None where the configuration says nothing of it. A run of the chosen cell has the file of the `choice`; its cell
        here is empty. `rungs` says how a search halves the cells.
        """
        task, runs, genotypes = self.tasks[name], {}, self.genotypes
        seed = task.protocol.get("seed") if task.fits else None  # a probe has none
        for run, (model, cell, again) in self.runs(name).items():
            runs[run] = {"model": model, "genotype": genotypes.get(model)}
            runs[run]["seed"] = cell.get("seed", seed)
            runs[run]["cell"] = {key: value for key, value in cell.items() if key != "seed"}
            if again:
                runs[run]["choice"] = choice_file(name, task.short_name(model))
        about = {"title": task.title, "way": task.way, "view": task.view, "metric": task.metric, "choose": task.choose}
        about |= {"protocol": task.protocol if task.fits else None, "extra": task.role == "extra"}
        # absent where there are none: a ranking would be made again for another plan, and what continues it trained
        about |= {"rungs": task.rungs} if task.rungs else {}
        return about | {"initial": task.starts_from, "continues": bool(task.continues), "runs": runs}


def _data_of(config: dict[str, Any], registry: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Datasets and views of a configuration, by name; sources of published results are datasets without a view."""
    known, entries = load_sources() | own_tables(config["tasks"]), config.get("datasets") or {}
    own = {name: entry for name, entry in entries.items() if name not in known}
    datasets = {name: resolve_dataset(name, entry, registry) for name, entry in own.items()}
    published = [source_name(task[PUBLISHED]) for task in config["tasks"].values() if PUBLISHED in task]
    named = [name for name in entries if name in known]
    used = {name: entries.get(name) for name in dict.fromkeys([*published, *named])}
    whole = {name: {"dataset": name} for name in datasets}
    views = {name: VIEW | entry for name, entry in (whole | (config.get("views") or {})).items()}
    return datasets | resolve_sources(used, known), views
