"""A study: the configuration, checked and resolved into populations, datasets, views and tasks.

Parsed in every job of the workflow, so it imports nothing heavy. Everything a rule asks of the configuration is here.
"""

import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from apr.basics.escaping import plain_texts
from apr.runs.protocol import KEYS, UNSAID
from study.figures import figures_shown

ROOT = Path(__file__).resolve().parents[2]
PROTOCOL = tuple(KEYS)
TRAINING = {"threads": 1, "device": "auto", "checkpoint_seconds": 60, "resident_gb": 8}
CLUSTER = {"per_gpu": 1, "minutes_per_job": 60, "images_per_second": 1000, "device": "auto"}
DATASET = {"title": None, "domain": None, "files": [], "folder": None, "unpack": True, "options": {}, "classes": None}
DATASET |= {"images": None, "storage": "pixels", "licence": None, "home": None, "login": None}
SPLIT = {"test_fraction": 0.1, "seed": 0, "by": "image"}
VIEW = {"classes": None, "per_class": None, "cap": None, "seed": 0, "within": None}
TEXTS = ("title", "domain", "licence", "home")  # what is written for readers


@dataclass(frozen=True)
class Task:
    """A view with a regime, the models that are trained so, and the metric it reports.

    `models` is None for the whole population. With `seeds` each model is trained so often, with consecutive seeds. A
    task with `initial` starts each model from its own weights of that task; one with `continues` goes on with the
    training of the `ranks` best and worst models of that task, which only its results can name.
    """

    name: str
    title: str
    view: str
    dataset: str
    role: str
    metric: str
    closest: str | None
    classes: int | None
    models: tuple[str, ...] | None
    seeds: int
    initial: str | None
    continues: str | None
    ranks: int
    protocol: dict[str, Any]

    @property
    def source(self) -> str | None:
        """The task whose runs this one's start from."""
        return self.initial or self.continues


class Study:
    """The resolved configuration of a population and its tasks. `study_of` makes it of a checked one."""

    stages = ("population", "training", "compared", "tables", "figures")
    items = "paper_items.yaml"
    introduction = "workflow.rst"
    whole = "config.yaml, the paper's own study"

    def __init__(self, config: dict[str, Any], registry: dict[str, Any]) -> None:
        self.title: str = config["title"]
        self.population: dict[str, Any] = config["population"]
        self.mirror: str | None = (config.get("data") or {}).get("mirror")
        self.statistics: dict[str, Any] = config["statistics"]
        self.training: dict[str, Any] = TRAINING | (config.get("training") or {})
        self.cluster: dict[str, Any] = {key: config.get(key, value) for key, value in CLUSTER.items()}
        self.datasets = {
            name: resolve_dataset(name, entry, registry) for name, entry in (config.get("datasets") or {}).items()
        }
        whole = {name: {"dataset": name} for name in self.datasets}
        self.views = {name: VIEW | entry for name, entry in (whole | (config.get("views") or {})).items()}
        self._protocols: dict[tuple[str, int], str] = {}
        self.tasks = {
            name: self._task(name, entry, config["regimes"][entry["regime"]]) for name, entry in config["tasks"].items()
        }
        self.figures: dict[str, Any] = figures_shown(self, config.get("figures") or {})
        self.models = [f"a{number:03d}" for number in range(self.population["size"])]
        self.networks: dict[str, dict[str, Any]] = config.get("networks") or {}

    @property
    def reference(self) -> str:
        """The task that stands for ImageNet."""
        return next(name for name, task in self.tasks.items() if task.role == "reference")

    @property
    def family(self) -> list[str]:
        """The reference's subsets of classes, most classes first."""
        members = [task for task in self.tasks.values() if task.role == "family"]
        return [task.name for task in sorted(members, key=lambda task: -(task.classes or 0))]

    @property
    def asked(self) -> list[str]:
        """The tasks that a whole study trains: all but the extra ones."""
        return [name for name, task in self.tasks.items() if task.role != "extra"]

    @property
    def targets(self) -> list[str]:
        """The datasets compared with the reference."""
        return [name for name, task in self.tasks.items() if task.role == "target"]

    def closest(self, target: str) -> str | None:
        """The family task a target is compared with: as configured, else the closest in number of classes."""
        task = self.tasks[target]
        if task.closest or not task.classes:
            return task.closest
        counted = [name for name in self.family if self.tasks[name].classes]
        return min(counted, key=lambda name: abs(math.log(self.tasks[name].classes / task.classes)), default=None)

    @cached_property
    def architectures(self) -> list[dict[str, Any]]:
        """The population, sampled when it is first asked for (a tenth of a second)."""
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

    def runs(self, task: str) -> list[str]:
        """Names of a task's runs: models, with their seeds where there are several, or ranks."""
        settings = self.tasks[task]
        if settings.continues:
            return [f"{end}{rank}" for end in ("best", "worst") for rank in range(1, settings.ranks + 1)]
        models = settings.models or self.models
        if settings.seeds == 1:
            return list(models)
        first = settings.protocol["seed"]
        return [f"{model}-s{seed}" for model in models for seed in range(first, first + settings.seeds)]

    def run(self, task: str, name: str) -> tuple[str | None, int]:
        """Model and seed of a run; the model is None where only results can name it."""
        settings = self.tasks[task]
        if settings.continues:
            return None, settings.protocol["seed"]
        model, _, seed = name.partition("-s")
        return model, int(seed or settings.protocol["seed"])

    def protocol(self, task: str, name: str) -> str:
        """The protocol of a run as JSON."""
        seed = self.run(task, name)[1]
        if (task, seed) not in self._protocols:
            self._protocols[task, seed] = json.dumps(self.tasks[task].protocol | {"seed": seed})
        return self._protocols[task, seed]

    def keeps(self, task: str) -> str | None:
        """What a task's runs have to keep for others: weights, state (with the optimiser's), or nothing."""
        if any(other.continues == task for other in self.tasks.values()):
            return "state"
        return "weights" if any(other.initial == task for other in self.tasks.values()) else None

    def sources(self, task: str) -> list[str]:
        """The runs that a task's runs start from."""
        source = self.tasks[task].source
        if not source:
            return []
        return self.runs(source) if self.tasks[task].continues else list(self.tasks[task].models or self.models)

    @property
    def plan(self) -> dict[str, Any]:
        """Every run that the study has, as plain values: what the audit compares with what is there."""
        return {task: self.planned(task) for task in self.tasks}

    def planned(self, name: str) -> dict[str, Any]:
        """The same of one task."""
        task, runs = self.tasks[name], {}
        for run in self.runs(name):
            model, seed = self.run(name, run)
            runs[run] = {"model": model, "genotype": self.genotypes[model] if model else None, "seed": seed}
        settings = {"title": task.title, "view": task.view, "metric": task.metric, "protocol": task.protocol}
        settings |= {"initial": task.source, "continues": bool(task.continues), "extra": task.role == "extra"}
        return settings | {"runs": runs}

    def _task(self, name: str, entry: dict[str, Any], regime: dict[str, Any]) -> Task:
        view = entry.get("view", name)
        dataset = self.views[view]["dataset"]
        models = entry.get("models")
        protocol = {key: {**UNSAID, **regime, **entry}[key] for key in PROTOCOL}
        protocol |= {key: entry[key] for key in ("initial", "continues") if entry.get(key)}
        return Task(
            name=name,
            title=entry.get("title") or name.replace("_", " "),
            view=view,
            dataset=dataset,
            role=entry["role"],
            metric=entry["metric"],
            closest=entry.get("closest"),
            classes=view_classes(self.views[view], self.datasets[dataset]),
            models=tuple(models) if models else None,
            seeds=entry.get("seeds", 1),
            initial=entry.get("initial"),
            continues=entry.get("continues"),
            ranks=entry.get("ranks", 5),
            protocol=protocol,
        )


def study_of(config: dict[str, Any]) -> Any:
    """The study of a configuration that has passed `checks.check_config`: a `Study`, or `Retests` where it has some."""
    if "retests" in config:
        from study.retests import Retests

        return Retests(_ordered(config), load_registry())
    return Study(_ordered(config), load_registry())


def resolve_dataset(name: str, entry: dict[str, Any] | None, registry: dict[str, Any]) -> dict[str, Any]:
    """A dataset's entry with what registry and defaults add; own data and format take nothing of the registry."""
    entry = dict(entry or {})
    own = "source" not in entry and "format" in entry and any(map(entry.get, ("url", "files", "folder")))
    known = {} if own else registry.get(entry.pop("source", name), {})
    if "url" in entry:
        entry["files"] = [{"url": entry.pop("url")}]
    if entry.get("folder"):
        entry.setdefault("files", [])
    dataset = DATASET | {"title": name} | known | entry
    dataset["split"] = SPLIT | known.get("split", {}) | entry.get("split", {})
    same = dataset.get("format") == known.get("format")
    dataset["options"] = (known.get("options", {}) if same else {}) | entry.get("options", {})
    dataset["options"] = _sorted(dataset["options"])
    dataset["files"] = [_file(file) for file in dataset["files"]]
    return dataset


def network_genotype(network: dict[str, Any]) -> str:
    """The genotype of an entry of `networks`."""
    from apr.models.anynet import Genotype

    return str(Genotype.of(**{key: value for key, value in network.items() if key != "title"}))


def view_classes(view: dict[str, Any], dataset: dict[str, Any]) -> int | None:
    """Number of classes of a view, where it is known before the data are there."""
    chosen = view["classes"]
    return len(chosen) if isinstance(chosen, list) else chosen or dataset["classes"]


def _ordered(config: dict[str, Any]) -> dict[str, Any]:
    """The same with the keys of all but the tables of datasets, views and tasks in order.

    Snakemake compares parameters as text, so that the order of keys in a file must not matter.
    """
    named = ("datasets", "views", "tasks", "regimes", "networks", "retests", "since", "evaluate")
    return {key: value if key in named else _sorted(value) for key, value in plain_texts(config, TEXTS).items()}


def _sorted(value: Any) -> Any:
    return {key: _sorted(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


def load_registry() -> dict[str, Any]:
    """The sources of resources/datasets.yaml."""
    return read_yaml(ROOT / "resources/datasets.yaml")


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file, in C where that is there: ten times as fast, and every job reads them."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _file(file: dict[str, Any]) -> dict[str, Any]:
    url = str(file.get("url") or "")
    name = f"{url.removeprefix('bundled:')}.npz" if url.startswith("bundled:") else url.rstrip("/").rsplit("/", 1)[-1]
    return {"name": name.removeprefix("file:"), "sha256": None, "md5": None, "bytes": None, **file}
