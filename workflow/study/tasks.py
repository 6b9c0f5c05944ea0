"""A task: a view, where its runs come from, and the metric it reports; its runs are the cells of its grid."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from apr.models.names import run_name
from apr.runs.metrics import ACCURACY
from apr.runs.protocol import STARTS
from apr.runs.ways import PUBLISHED, WAYS
from study.search import Rung, drawn, rungs_of, search_of
from study.settings import sets_of, source_name, view_classes

RANKS = 5
ROLE = "variant"


class Run(NamedTuple):
    """One run of a task: the model, None where only results can name it, and what its cell of the grid changes.

    A run that is made `again` is of the cell that was chosen, which only results can name, with the seed of its cell.
    """

    model: str | None
    cell: dict[str, Any]
    again: bool = False


@dataclass(frozen=True)
class Task:
    """A task, resolved.

    Attributes:
        way: where its runs come from: one of apr.runs.ways.WAYS, or "published".
        regime: the name of the regime, or of the source of published results.
        view, dataset: what its images are of; None where the results are published.
        models: their names; None for the whole population.
        grid: {axis: its values}; an axis is a key of the regime, or several that change together ("optimiser, lr").
            Each model has a run for each combination of them.
        choose: the part of the images on which the cell of each model that counts is chosen; None where all count.
        seeds: with which the chosen cell of each model is trained again.
        search: which cells are tried and how far, of `study.search.search_of`; None where all are trained to the end.
        initial: the task from whose weights each model starts.
        continues: the task whose `ranks` best and worst models go on, which only its results can name.
        protocol: the regime's keys with what the task changes.
        published: how a published test set is read, an entry of `sets` in resources/predictions.yaml or
            resources/published.yaml.
    """

    name: str
    title: str
    way: str
    regime: str
    view: str | None
    dataset: str | None
    role: str
    metric: str
    closest: str | None
    classes: int | None
    models: tuple[str, ...] | None
    grid: dict[str, tuple]
    choose: str | None
    seeds: tuple[int, ...]
    search: dict[str, Any] | None
    initial: str | None
    continues: str | None
    ranks: int
    protocol: dict[str, Any]
    published: dict[str, Any] | None

    @property
    def starts_from(self) -> str | None:
        """The task whose runs this one's start from."""
        return self.initial or self.continues

    @property
    def repeated(self) -> bool:
        """Whether several runs of each model count: seeds, or cells of which none is chosen."""
        return several_count(self.grid, self.choose) or bool(self.seeds)

    @property
    def repeats_seeds(self) -> bool:
        """Whether its runs of a model differ in nothing but the seed."""
        return [key for key, values in self.grid.items() if len(values) > 1] == ["seed"]

    @property
    def trains(self) -> bool:
        """Whether its runs are trainings of architectures."""
        return self.way in WAYS and WAYS[self.way].trains and not WAYS[self.way].pretrained

    @property
    def fits(self) -> bool:
        """Whether its runs learn from training images: architectures from scratch, or pretrained models."""
        return self.way in WAYS and WAYS[self.way].trains

    @property
    def keeps_outputs(self) -> bool:
        """Whether each run keeps its outputs for the test and validation images."""
        return self.way in WAYS and WAYS[self.way].outputs

    def runs(self, population: list[str]) -> dict[str, Run]:
        """Its runs by name: models, with the cells of the grid where there is one, or ranks."""
        if self.way == PUBLISHED:
            return {}
        if self.continues:
            names = (f"{end}{rank}" for end in ("best", "worst") for rank in range(1, self.ranks + 1))
            return dict.fromkeys(names, Run(None, {}))
        models = {name: name for name in population} if self.models is None else self._named()
        ends = {cell_name(cell): Run(None, cell) for cell in self.cells}
        ends |= {f"-chosen-s{seed}": Run(None, {"seed": seed}, again=True) for seed in self.seeds}
        return {
            f"{name}{end}": run._replace(model=model) for name, model in models.items() for end, run in ends.items()
        }

    @cached_property
    def cells(self) -> list[dict[str, Any]]:
        """The cells of the grid that are tried; one that changes nothing where there is no grid."""
        return drawn(cells_of(self.grid), self.search, cell_name)

    @cached_property
    def rungs(self) -> list[Rung]:
        """After how many epochs how many cells of a model go on; none where all are trained to the end."""
        return rungs_of(self.search, len(self.cells), self.protocol.get("epochs"))

    def rung(self, epochs: int) -> Rung | None:
        """The rung after so many epochs; None where cells are compared after others."""
        return next((rung for rung in self.rungs if rung["epochs"] == epochs), None)

    def named_cells(self, name: str) -> dict[str, dict[str, Any]]:
        """The runs of a model, by its short name, that a cell is chosen from, each with what its cell changes."""
        return {f"{name}{cell_name(cell)}": cell for cell in self.cells}

    def short_name(self, model: str) -> str:
        """What the names of a model's runs begin with."""
        return run_name(model) if WAYS[self.way].pretrained else model

    def _named(self) -> dict[str, str]:
        return {self.short_name(model): model for model in self.models}


def cells_of(grid: Mapping[str, tuple]) -> list[dict[str, Any]]:
    """Every combination of a grid's values; one that changes nothing where there is no grid."""
    axes = [[_along(axis, value) for value in values] for axis, values in grid.items()]
    return [{key: value for part in parts for key, value in part.items()} for parts in itertools.product(*axes)]


def keys_of(axis: str) -> list[str]:
    """The keys that an axis of a grid sets: one, or several together, as in "optimiser, lr"."""
    return axis.split(", ")


def flat(grid: Mapping[str, Any]) -> dict[str, tuple]:
    """The values of each key that a grid sets, whether alone or together with others."""
    found: dict[str, tuple] = {}
    for axis, values in grid.items():
        parts = [_along(axis, value) for value in axis_values(values)]
        found |= {key: tuple(dict.fromkeys(part[key] for part in parts)) for key in keys_of(axis)}
    return found


def _along(axis: str, value: Any) -> dict[str, Any]:
    keys = keys_of(axis)
    return dict(zip(keys, value, strict=True)) if keys[1:] else {axis: value}


def cell_name(cell: Mapping[str, Any]) -> str:
    """What a run's name says of its cell after the model's: "-lr0.01-s1001", "-flip_true"."""
    parts = [(key, value) for key, value in cell.items() if key != "seed"]
    named = [f"-{key}{value!r}" if _is_number(value) else f"-{key}_{_written(value)}" for key, value in parts]
    return "".join([*named, *([f"-s{cell['seed']}"] if "seed" in cell else [])])


def draws(entry: Mapping[str, Any]) -> bool:
    """Whether a task's entry trains architectures: models of the population, or networks."""
    return any(WAYS[way].trains and not WAYS[way].pretrained for way in ways_of(entry) if way in WAYS)


def regime_of(entry: Mapping[str, Any], regimes: Mapping[str, Any]) -> dict[str, Any]:
    """The regime of a task's entry; empty where it has none."""
    names = [entry[way] for way in ways_of(entry) if way in WAYS]
    return (regimes.get(names[0]) if names else None) or {}


def grid_of(entry: Mapping[str, Any], regimes: Mapping[str, Any]) -> dict[str, Any]:
    """The axes of a task's grid: the regime's, and the task's own."""
    return {**regime_of(entry, regimes).get("grid", {}), **entry.get("grid", {})}


def full_entry(name: str, entry: Mapping[str, Any], regimes: Mapping[str, Any]) -> dict[str, Any]:
    """A task's entry with what its regime says."""
    return {"view": name, **regime_of(entry, regimes), **entry, "grid": grid_of(entry, regimes)}


def values_of(entry: Mapping[str, Any], key: str) -> tuple:
    """The values that a key of a full entry has in the cells of its grid."""
    return flat(entry["grid"]).get(key, (entry.get(key),))


def several_count(grid: Mapping[str, Any], choose: Any) -> bool:
    """Whether several runs of each model count: seeds, or cells of which none is chosen."""
    several = [key for key, axis in grid.items() if len(axis_values(axis)) > 1]
    again = isinstance(choose, Mapping) and "seeds" in choose
    return "seed" in several or again or bool(several and not choose)


def axis_values(axis: Any) -> tuple:
    """The values of an axis of a grid: a list of them, or whole numbers from `first` on."""
    if isinstance(axis, Mapping):
        return tuple(range(axis["first"], axis["first"] + axis["count"]))
    return tuple(axis)


def ways_of(entry: Mapping[str, Any]) -> list[str]:
    """Where the runs of a task's entry come from: the keys of the ways that it has, one in a valid configuration."""
    return [way for way in (*WAYS, PUBLISHED) if way in entry]


def task_of(name: str, entry: Mapping[str, Any], regimes: Mapping, views: Mapping, datasets: Mapping) -> Task:
    """The task of an entry of a checked configuration.

    Args:
        regimes: of the configuration.
        views, datasets: resolved; sources of published results are among the datasets.
    """
    (way,) = ways_of(entry)
    regime, published, view, dataset, classes, protocol = entry[way], None, None, None, None, {}
    if way == PUBLISHED:
        regime = source_name(regime)
        source = datasets[regime]
        published, classes = sets_of(source)[entry.get("set", name)], source.get("classes")
        grid: dict[str, Any] = {}
    else:
        view = entry.get("view", name)
        dataset = views[view]["dataset"]
        classes = view_classes(views[view], datasets[dataset])
        settings = regime_of(entry, regimes)
        protocol = {key: {**WAYS[way].unsaid, **settings, **entry}[key] for key in WAYS[way].keys}
        protocol |= {key: entry[key] for key in STARTS if entry.get(key)}
        grid = grid_of(entry, regimes)
    models = entry.get("models")
    return Task(
        name=name,
        title=entry.get("title") or (published or {}).get("title") or name.replace("_", " "),
        way=way,
        regime=regime,
        view=view,
        dataset=dataset,
        role=entry.get("role", ROLE),
        metric=entry.get("metric") or (published or {}).get("metric", ACCURACY.name),
        closest=entry.get("closest"),
        classes=classes,
        models=tuple(models) if models else None,
        grid={axis: axis_values(grid[axis]) for key in protocol for axis in grid if keys_of(axis)[0] == key},
        choose=(entry.get("choose") or {}).get("by"),
        seeds=axis_values((entry.get("choose") or {}).get("seeds", ())),
        search=search_of(entry),
        initial=entry.get("initial"),
        continues=entry.get("continues"),
        ranks=entry.get("ranks", RANKS),
        protocol=protocol,
        published=published,
    )


def _written(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value).lower()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
