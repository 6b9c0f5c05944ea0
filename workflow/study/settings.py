"""What a study is made of beside its tasks: files of facts, defaults, datasets and sources of published results."""

import re
from pathlib import Path
from typing import Any

import yaml

from apr.runs.metrics import ACCURACY

ROOT = Path(__file__).resolve().parents[2]
TRAINING = {"threads": 1, "device": "auto", "checkpoint_seconds": 60, "resident_gb": 8, "evaluate": "every"}
CLUSTER = {"per_gpu": 1, "minutes_per_job": 60, "images_per_second": 1000, "device": "auto"}
DATASET = {"title": None, "domain": None, "files": [], "folder": None, "unpack": True, "options": {}, "classes": None}
DATASET |= {"images": None, "storage": "pixels", "licence": None, "home": None, "login": None}
SPLIT = {"test_fraction": 0.1, "seed": 0, "by": "image"}
# what of an entry changes how a table is read; the rest explains it
READ = ("model", "column", "unit", "where", "family", "without", "renamed", "names", "repeats", "negated", "images")
OWN = "own_"  # begins the names of sources that are tables of the user's own
VIEW = {"classes": None, "per_class": None, "cap": None, "seed": 0, "within": None}
STATISTICS = {"highlight": 10, "top": 15, "regret_k": [1, 5, 10]}


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file, in C where that is there: ten times as fast, and every job reads them."""
    return yaml.load(Path(path).read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def load_registry() -> dict[str, Any]:
    """The datasets of resources/datasets.yaml."""
    return read_yaml(ROOT / "resources/datasets.yaml")


def load_sources() -> dict[str, Any]:
    """The sources of published results: predictions and measured accuracies, and tables of scores."""
    return read_yaml(ROOT / "resources/predictions.yaml") | read_yaml(ROOT / "resources/published.yaml")


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
    dataset["options"] = ordered(dataset["options"])
    dataset["files"] = [_file(file) for file in dataset["files"]]
    return dataset


def resolve_sources(entries: dict[str, Any], registry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Sources by name, those included that others take their labels from.

    Args:
        entries: what a study says of each; None where it says nothing.
        registry: of `load_sources`.
    """
    sources = {name: resolve_dataset(name, entry, registry) for name, entry in entries.items()}
    for source in list(sources.values()):
        for settings in sets_of(source).values():
            if labels := settings.get("labels_from"):
                sources.setdefault(labels, resolve_dataset(labels, None, registry))
    return sources


def sets_of(source: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The test sets of a source of published results, by name; each of a table with what holds for all of them."""
    table = source.get("table", {})
    return {name: {**table, **entry} for name, entry in source.get("sets", {}).items()}


def source_name(published: Any) -> str:
    """The name of the source that a task names, or of the user's own table."""
    if isinstance(published, str):
        return published
    return f"{OWN}{re.sub(r'[^A-Za-z0-9]+', '_', Path(str(published['file'])).name)}"


def own_tables(tasks: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The sources that the tasks' own tables are, by name, as `load_sources` gives the known ones."""
    sources: dict[str, dict[str, Any]] = {}
    for name, task in tasks.items():
        entry = task.get("published")
        if isinstance(entry, dict):
            file = Path(entry["file"])
            place = {"folder": str(file.parent), "files": [{"name": file.name, "url": None}], "unpack": False}
            source = sources.setdefault(source_name(entry), {"title": str(file), **place, "table": {}, "sets": {}})
            settings = {key: value for key, value in entry.items() if key != "file"}
            source["sets"][name] = settings | {"metric": task.get("metric", ACCURACY.name)}
    return sources


def network_genotype(network: dict[str, Any]) -> str:
    """The genotype of an entry of `networks`."""
    from apr.models.anynet import Genotype

    return str(Genotype.of(**{key: value for key, value in network.items() if key != "title"}))


def view_classes(view: dict[str, Any], dataset: dict[str, Any]) -> int | None:
    """Number of classes of a view, where it is known before the data are there."""
    chosen = view["classes"]
    return len(chosen) if isinstance(chosen, list) else chosen or dataset["classes"]


def ordered(value: Any) -> Any:
    """The same with the keys of all mappings in order, since Snakemake compares parameters as text."""
    return {key: ordered(value[key]) for key in sorted(value, key=str)} if isinstance(value, dict) else value


def _file(file: dict[str, Any]) -> dict[str, Any]:
    url = str(file.get("url") or "")
    name = f"{url.removeprefix('bundled:')}.npz" if url.startswith("bundled:") else url.rstrip("/").rsplit("/", 1)[-1]
    return {"name": name.removeprefix("file:"), "sha256": None, "md5": None, "bytes": None, **file}
