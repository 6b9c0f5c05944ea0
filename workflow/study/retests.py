"""A study of retests: the same models on an original and on a new test set, from published results or evaluated here.

The configuration, checked and resolved into sources, test sets, retests and evaluations. Parsed in every job of the
workflow, so it imports nothing heavy.
"""

from dataclasses import dataclass
from typing import Any

from apr.models.pretrained import run_name
from apr.runs.metrics import ACCURACY
from study import CLUSTER, ROOT, VIEW, read_yaml, resolve_dataset

EVALUATE = {"models": [], "weights": None, "batch": 64, "threads": 1, "device": "auto", "checkpoint_seconds": 60}
SINCE = {"highlight": [], "scale": "probit", "fewest": 8, "resamples": 10_000, "published": {}}


@dataclass(frozen=True)
class Evaluation:
    """A test set on which every model of the study is evaluated."""

    name: str
    title: str
    view: str
    dataset: str


class Retests:
    """The resolved configuration of a study of retests. `study.study_of` makes it of a checked one.

    Attributes:
        sources: published results, of resources/predictions.yaml; each is among the `datasets`, too.
        tasks: test sets that are evaluated here.
        titles: of all test sets that sources or evaluations make a score table of.
        retests: {name: {name, title, original, new, metric, without, probit_without}}.
        since: the same of measured results (`retests`), and how they are compared; None where the study has none.
    """

    stages = ("retested", "retest", "evaluate")
    items = "retest_items.yaml"
    introduction = "retest.rst"
    whole = "studies/retest.yaml"

    def __init__(self, config: dict[str, Any], registry: dict[str, Any]) -> None:
        self.title: str = config["title"]
        self.mirror: str | None = (config.get("data") or {}).get("mirror")
        self.statistics: dict[str, Any] = config["statistics"]
        self.cluster: dict[str, Any] = {key: config.get(key, value) for key, value in CLUSTER.items()}
        self.sources = resolve_sources(config.get("sources") or {}, load_sources())
        own = config.get("datasets") or {}
        self.datasets = self.sources | {name: resolve_dataset(name, entry, registry) for name, entry in own.items()}
        whole = {name: {"dataset": name} for name in own}
        self.views = {name: VIEW | entry for name, entry in (whole | (config.get("views") or {})).items()}
        evaluate = config.get("evaluate") or {}
        self.evaluate: dict[str, Any] = EVALUATE | {key: value for key, value in evaluate.items() if key != "tasks"}
        self.models = {run_name(model): model for model in self.evaluate["models"]}
        self.tasks = {name: self._task(name, entry) for name, entry in (evaluate.get("tasks") or {}).items()}
        published = {
            name: entry["title"] for source in self.sources.values() for name, entry in sets_of(source).items()
        }
        self.titles = published | {name: task.title for name, task in self.tasks.items()}
        self.retests = {name: _retest(name, entry) for name, entry in config["retests"].items()}
        self.since = self._since(config["since"]) if config.get("since") else None

    def prepare(self) -> None:
        """Nothing has to be drawn."""

    def runs(self, task: str) -> list[str]:
        """Names of a task's runs: the models."""
        return list(self.models)

    @property
    def plan(self) -> dict[str, Any]:
        """Every run that the study has, as plain values."""
        return {task: self.planned(task) for task in self.tasks}

    def planned(self, name: str) -> dict[str, Any]:
        """The same of one task."""
        task = self.tasks[name]
        return {"title": task.title, "view": task.view, "metric": ACCURACY.name, "runs": dict(self.models)}

    def _task(self, name: str, entry: dict[str, Any] | None) -> Evaluation:
        entry = entry or {}
        view = entry.get("view", name)
        title = entry.get("title") or name.replace("_", " ")
        return Evaluation(name=name, title=title, view=view, dataset=self.views[view]["dataset"])

    def _since(self, entry: dict[str, Any]) -> dict[str, Any]:
        since = SINCE | entry
        since["retests"] = [_retest(name, settings) for name, settings in entry["retests"].items()]
        # the published line that stands beside a measured one has the measured one's name
        since["published"] = [self.retests[other] | {"name": name} for name, other in since["published"].items()]
        return since


def resolve_sources(entries: dict[str, Any], registry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sources by name, those included that others take their labels from."""
    sources = {name: resolve_dataset(name, entry, registry) for name, entry in entries.items()}
    for source in list(sources.values()):
        for settings in sets_of(source).values():
            if labels := settings.get("labels_from"):
                sources.setdefault(labels, resolve_dataset(labels, None, registry))
    return sources


def sets_of(source: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The test sets of a source, by the name of their score table."""
    return source.get("sets", {})


def load_sources() -> dict[str, Any]:
    """The sources of resources/predictions.yaml."""
    return read_yaml(ROOT / "resources/predictions.yaml")


def _retest(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    """A retest with all of its keys, always in one order, since Snakemake compares parameters as text."""
    keys = ("original", "new", "metric")
    lists = {key: list(entry.get(key, ())) for key in ("without", "probit_without")}
    return {"name": name, "title": entry.get("title", name)} | {key: entry[key] for key in keys} | lists
