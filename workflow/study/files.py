"""Where a study's files lie, and how published ones are declared, by the names of tasks and datasets."""

import os
import random
import re
from collections.abc import Iterable
from typing import Any

from apr.models.names import OWN, SUFFIXES, own_file, parse_model, run_name
from study.search import choice_file, halving_file, rung_file
from study.settings import ROOT, load_sources
from study.study import Study

SOURCE_KEYS = ("classes", "class_ids", "name_ends", "renamed")


class Files:
    """The files of a study, relative to its folder; those that a user has already, absolute."""

    def __init__(self, study: Study) -> None:
        self.study = study

    # --- scores and runs ---

    def scores(self, tasks: Iterable[str]) -> list[str]:
        """The score tables of tasks, each once."""
        return [f"results/scores/{task}.csv" for task in dict.fromkeys(tasks)]

    def runs(self, task: str) -> list[str]:
        """The runs of a task."""
        return [f"results/runs/{task}/{name}.json" for name in self.study.runs(task)]

    def outputs(self, task: str) -> list[str]:
        """What the runs of a task answered, image by image; empty where they keep nothing of it."""
        names = self.study.runs(task) if self.study.tasks[task].keeps_outputs else ()
        return [f"results/outputs/{task}/{name}.npz" for name in names]

    def code(self, task: str, name: str) -> str | None:
        """The file that builds the network of a run, where it is of the user's own."""
        model = self.study.run(task, name).model
        return self.of_user(own_file(model)) if model and model.startswith(f"{OWN}:") else None

    def weights(self, task: str, name: str) -> str | None:
        """The file of a pretrained model's weights that a task's regime names, if it can be told by its name."""
        settings = self.study.tasks[task]
        # an evaluation of an earlier version would run again for an input that it did not have
        place = self.of_user(settings.protocol["weights"]) if settings.keeps_outputs else None
        if place is None or not os.path.isdir(place):
            return place
        model = self.study.run(task, name).model
        names = [run_name(model)]
        library, name = parse_model(model)
        if library == "torchvision":  # a file named after the architecture may hold them, too
            names.append(f"{library}.{name.partition('.')[0]}")
        files = (os.path.join(place, f"{each}{suffix}") for each in names for suffix in SUFFIXES)
        return next(filter(os.path.isfile, files), None)

    def cells(self, task: str, model: str) -> list[str]:
        """The runs of a model, by its short name, that its cell is chosen from."""
        return [f"results/runs/{task}/{name}.json" for name in self.study.tasks[task].named_cells(model)]

    def rungs(self, task: str, epochs: str, model: str) -> list[str]:
        """How far the cells of a model, by its short name, have come after so many epochs."""
        return [rung_file(task, epochs, name) for name in self.study.tasks[task].named_cells(model)]

    def before(self, task: str, name: str, epochs: str | None) -> dict[str, str]:
        """What a run waits for that the cells of its model have to do first; empty of most runs.

        Args:
            task, name: of the run.
            epochs: after which it pauses; None where it goes on to the end.
        """
        settings, run = self.study.tasks[task], self.study.run(task, name)
        model = settings.short_name(run.model) if run.again or settings.rungs else ""
        if run.again:
            return {"choice": choice_file(task, model)}
        pauses = [rung["epochs"] for rung in settings.rungs if epochs is None or rung["epochs"] < int(epochs)]
        if not pauses:
            return {}
        return {"rung": rung_file(task, pauses[-1], name), "halving": halving_file(task, pauses[-1], model)}

    def sources(self, task: str) -> list[str]:
        """The runs that a task's runs start from."""
        return [f"results/runs/{self.study.tasks[task].starts_from}/{name}.json" for name in self.study.sources(task)]

    def some_runs(self, task: str | None, count: int) -> list[str]:
        """Some of a task's runs, drawn by the seed of the statistics."""
        runs = self.runs(task) if task else []
        return sorted(random.Random(self.study.statistics["seed"]).sample(runs, min(count, len(runs))))

    def views(self, tasks: Iterable[str]) -> list[str]:
        """The views of tasks."""
        return [f"results/views/{self.study.tasks[task].view}.json" for task in tasks]

    # --- what publishers ship ---

    def declared(self, dataset: str, name: str | None = None) -> Any:
        """What is declared of one file of a dataset, or of all."""
        keys = ("name", "bytes", "sha256", "md5")
        all_files = [{key: file[key] for key in keys} for file in self.study.datasets[dataset]["files"]]
        return all_files if name is None else next(file for file in all_files if file["name"] == name)

    def address(self, dataset: str, name: str) -> str | None:
        """Where a file of a dataset is fetched from; None where a user fetches it by hand."""
        return next(file["url"] for file in self.study.datasets[dataset]["files"] if file["name"] == name)

    def fetched(self, dataset: str) -> list[str]:
        """Files with an address. Those that a user fetches by hand are no inputs: a forced run would delete them."""
        return [f"data/raw/{dataset}/{file['name']}" for file in self.study.datasets[dataset]["files"] if file["url"]]

    def logins(self, dataset: str) -> dict[str, str | None]:
        """What a user has to do to fetch each file of a dataset by hand.

        It is said of files without an address; of one that has an address only where all have, since it then fails.
        """
        about = self.study.datasets[dataset]
        some_without = any(not file["url"] for file in about["files"])
        return {file["name"]: None if file["url"] and some_without else about["login"] for file in about["files"]}

    def bundled(self, dataset: str, name: str | None = None) -> bool:
        """Whether one file of a dataset, or any, is made of what ships with the dependencies."""
        files = [file for file in self.study.datasets[dataset]["files"] if name in (None, file["name"])]
        return any((file["url"] or "").startswith("bundled:") for file in files)

    def folder(self, dataset: str) -> str | None:
        """A folder that the user has already; relative to the project's root."""
        return self.of_user(self.study.datasets[dataset]["folder"])

    def of_user(self, place: str | None) -> str | None:
        """A file or folder of the user's, absolute or relative to the project's root."""
        return str(ROOT / place) if place else None

    def names_encoding(self, dataset: str) -> str | None:
        """Encoding of names in archives; where nothing is unpacked, it changes nothing."""
        return self.folder(dataset) or self.study.datasets[dataset]["options"].get("names_encoding")

    # --- published results ---

    def of_source(self, source: str, name: str) -> str:
        """A file of a source: downloaded, or in a folder that the user has already."""
        folder = self.folder(source)
        return f"{folder}/{name}" if folder else f"data/raw/{source}/{name}"

    @property
    def fetched_tables(self) -> list[str]:
        """The sources of published tables that are fetched, each once; the others are in a folder."""
        sources = dict.fromkeys(table["source"] for table in self.study.tables.values())
        return [source for source in sources if not self.folder(source)]

    def tables(self, tables: dict[str, dict[str, Any]]) -> list[str]:
        """The file of each published table."""
        return [self.of_source(table["source"], table["file"]) for table in tables.values()]

    def labels(self, source: str) -> dict[str, list[str]]:
        """Files of labels that test sets of a source take from others, and the manifests of these."""
        sets = self.study.published(source).values()
        others = dict.fromkeys(entry["labels_from"] for entry in sets if "labels_from" in entry)
        names = {other: load_sources()[other]["files"][0]["name"] for other in others}
        files = [self.of_source(other, name) for other, name in names.items()]
        return {"verified": [f"data/raw/{other}.json" for other in others], "labels": files}

    def source(self, name: str) -> dict[str, Any]:
        """How the test sets of a source of predictions are read, by the names of the tasks that show them."""
        about = {key: self.study.datasets[name][key] for key in SOURCE_KEYS if key in self.study.datasets[name]}
        return about | {"sets": self.study.published(name)}


def all_there(paths: Iterable[str]) -> bool:
    """Whether all files are there. Snakemake misses no file that something newer was made of."""
    return all(map(os.path.exists, paths))


def one_of(names: Iterable[str]) -> str:
    """A pattern for a wildcard that is one of the names; for none it matches nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"
