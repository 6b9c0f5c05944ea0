"""Errors of datasets, sources of published results and views; and what all checks share."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from apr.basics.addresses import OF_FOLDERS, SCHEMES, address_problem, folder_problem
from apr.basics.names import name_problem, plain_name
from apr.basics.problems import Problem
from apr.basics.values import nearest, shown
from apr.data.formats import FORMATS, format_options, multi_label, options_problems
from study.settings import ROOT, load_registry, load_sources, own_tables, resolve_dataset, sets_of, source_name

Errors = Iterator[tuple[list, str]]  # path of the key, and what is wrong with it


def tolerant(check: Callable[..., Errors], *arguments: Any) -> Errors:
    """What a check finds before it stumbles over a part that has errors of its own."""
    with suppress(LookupError, TypeError, AttributeError, ValueError, ArithmeticError, Problem):
        yield from check(*arguments)


class Known:
    """What a configuration can name: its datasets and views, as far as they can be resolved, and published results.

    Attributes:
        datasets, views: filled by `data_errors`.
        registry: every source of published results, the user's own tables among them.
        sets: {source: {test set: entry}} of them.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.datasets: dict[str, Any] = {}
        self.views: dict[str, Any] = {}
        tasks = config.get("tasks")
        own = (
            own_tables({name: task for name, task in tasks.items() if isinstance(task, dict)})
            if isinstance(tasks, dict)
            else {}
        )
        self.registry = load_sources() | own
        self.sets = {name: sets_of(entry) for name, entry in self.registry.items()}

    def entry(self, name: str, task: dict[str, Any]) -> dict[str, Any]:
        """How the results that a task takes from elsewhere are read; empty where they are not known."""
        published = task.get("published")
        return self.sets.get(source_name(published), {}).get(task.get("set", name), {}) if published else {}


def data_errors(config: dict[str, Any], known: Known) -> Errors:
    """Errors of a configuration's datasets, sources and views; those that can be resolved are put into `known`."""
    registry, datasets, views = load_registry(), known.datasets, known.views
    mirror = (config.get("data") or {}).get("mirror")
    if isinstance(mirror, str):
        yield from _place_errors(["data", "mirror"], mirror, address_problem(mirror, OF_FOLDERS))
    for name, entry in (config.get("datasets") or {}).items():
        if name in known.registry:
            yield from tolerant(_source_errors, name, entry or {}, known.registry)
        else:
            yield from tolerant(_dataset_errors, name, entry, registry, datasets)
    views |= {name: {"dataset": name, "classes": None} for name in datasets}
    selections = {
        name: {"classes": None, **entry}
        for name, entry in (config.get("views") or {}).items()
        if isinstance(entry, dict)
    }
    views |= selections
    for name, view in selections.items():
        yield from tolerant(_view_errors, name, view, datasets, views)


def _source_errors(name: str, entry: dict[str, Any], registry: dict[str, Any]) -> Errors:
    path = ["datasets", name]
    for key in entry.keys() - {"folder", "files"}:
        text = "is no key of a source of published results, which takes folder or files; give your dataset another name"
        yield [*path, key], text
    if entry.get("folder") and entry.get("files"):
        yield [*path, "files"], "stands beside folder; keep one of them"
    yield from file_errors(path, entry, resolve_dataset(name, entry, registry))
    yield from folder_errors(path, entry)


def _dataset_errors(name: str, entry: dict[str, Any] | None, registry: dict[str, Any], datasets: dict) -> Errors:
    entry = entry or {}
    path, source = ["datasets", name], entry.get("source", name)
    places = [key for key in ("url", "files", "folder") if entry.get(key)]
    if source not in registry and ("source" in entry or not places):
        yield path, f"has no url, files or folder, and no source {source!r} is known{nearest(source, registry)}"
        if not places:
            return
    if len(places) > 1:
        yield [*path, places[0]], f"stands beside {' and '.join(places[1:])}; keep one of them"
    if name.endswith(".trusted"):
        yield path, "ends in .trusted, which marks a file of another dataset; choose another name"
    resolved = resolve_dataset(name, entry, registry)
    datasets[name] = resolved
    yield from file_errors(path, entry, resolved)
    folder = entry.get("folder")
    yield from folder_errors(path, entry)
    if folder and not folder_problem(folder) and (ROOT / folder).is_file():
        yield [*path, "folder"], f"{shown(folder)} is a file; write url: {shown('file:' + folder)} in its place"
    yield from tolerant(_split_errors, [*path, "split"], resolved["split"])
    yield from _format_errors(path, entry, resolved, registry.get(source, {}))


def _split_errors(path: list, split: dict) -> Errors:
    """What contradicts itself in a split: no image would be left to train on."""
    test, validation = split["test_fraction"], split.get("validation_fraction", 0)
    where = [*path, "validation_fraction"]
    if validation and split["by"] == "none":
        yield (
            where,
            f"{validation:g} leaves nothing to cut it from: by: none makes all a test set; leave one of them out",
        )
    elif validation and test + validation >= 1:
        yield (
            where,
            f"{validation:g} and test_fraction {test:g} leave no training image: their sum has to be below 1",
        )


def _format_errors(path: list, entry: dict, resolved: dict, known: dict) -> Errors:
    if "format" not in resolved:
        yield [*path, "format"], "is missing (how the publisher lays out images and labels)"
        return
    layout = resolved["format"]
    if layout not in FORMATS:
        yield [*path, "format"], f"{shown(layout)} is not one of {', '.join(FORMATS)}{nearest(layout, FORMATS)}"
        return
    own = entry.get("options") or {}
    for option, text in options_problems(layout, resolved["options"]):
        inherited = option in known.get("options", {}) and option not in own
        whose = f" (it is an option of {known['format']}, from resources/datasets.yaml)" if inherited else ""
        yield [*path, "options", option], text + whose
    options = resolved["options"]
    pattern = options.get("pattern")
    grouped = options.get("group") or layout == "point_annotations" or "(?P<group>" in str(pattern)
    if resolved["split"]["by"] == "released" and multi_label(layout, options):
        yield (
            [*path, "split", "by"],
            "released: draws of each class, and images here may have several labels; write image",
        )
    if resolved["split"]["by"] == "group" and not grouped:
        remedy = "set options: group, or split" if "group" in format_options(layout) else "split"
        yield [*path, "split", "by"], f"group: {layout} gives no group so; {remedy} by image"


def folder_errors(path: list, entry: dict[str, Any], key: str = "folder") -> Errors:
    """What a text that names a folder says that no folder is called."""
    folder = entry.get(key)
    if isinstance(folder, str):
        yield from _place_errors([*path, key], folder, folder_problem(folder))


def _place_errors(path: list, place: str, problem: str | None) -> Errors:
    if problem:
        yield path, f"{shown(place)} {problem}"


def file_errors(path: list, entry: dict[str, Any], resolved: dict[str, Any]) -> Errors:
    """Names of a source's files, given or taken from their addresses, that cannot be names of files."""
    names = [file["name"] for file in resolved["files"]]
    for number, (name, file) in enumerate(zip(names, resolved["files"], strict=True)):
        given = entry["files"][number] if entry.get("files") else {}
        where = [*path, "files", number, "name"] if "name" in given else [*path, "files", number, "url"]
        where = [*path, "url"] if entry.get("url") else where
        if not file.get("url") and not name:
            yield where, "is null: give a name, and put the file there by hand"
            continue
        wrong = address_problem(str(file["url"]), SCHEMES) if file.get("url") else None
        if wrong:
            at = [*path, "url"] if entry.get("url") else [*path, "files", number, "url"]
            yield at, f"{shown(file['url'])} {wrong}"
            continue
        problem = name_problem(name)
        if problem:
            proposal = f"{{url: {shown(file['url'])}, name: {shown(plain_name(str(name)))}}}"
            remedy = proposal if "files" in where else f"files: [{proposal}] in place of url"
            yield where, f"the name {shown(name)} of the file {problem}; write {remedy}"
        elif name in names[:number]:
            yield where, f"two files have the name {shown(name)}; give one of them another name: {{url: …, name: …}}"


def _view_errors(name: str, view: dict, datasets: dict, views: dict) -> Errors:
    if view["dataset"] not in datasets:
        yield ["views", name, "dataset"], f"no dataset {view['dataset']!r}{nearest(view['dataset'], datasets)}"
        return
    if name in datasets:
        yield ["views", name], "has the name of a dataset, which is the view of all of it; choose another name"
    dataset = datasets[view["dataset"]]
    if multi_label(dataset.get("format", ""), dataset["options"]):
        for key in ("classes", "per_class", "cap", "within"):
            if view.get(key) is not None:
                text = "an image may have several labels, and a view of such images takes all; leave this key out"
                yield ["views", name, key], f"{view['dataset']}: {text}"
    asked, held = view["classes"], datasets[view["dataset"]]["classes"]
    if isinstance(asked, int) and held and asked > held:
        yield ["views", name, "classes"], f"asks for {asked} classes, but {view['dataset']} has {held}"
    within = view.get("within")
    if within is not None and (within not in views or within == name):
        yield ["views", name, "within"], f"no other view {within!r}{nearest(within, set(views) - {name})}"
    elif within is not None:
        outer = views[within]
        if outer["dataset"] != view["dataset"]:
            yield ["views", name, "within"], f"{within} is a view of {outer['dataset']}, not of {view['dataset']}"
        elif isinstance(outer.get("classes"), int) and isinstance(asked, int) and asked > outer["classes"]:
            yield ["views", name, "classes"], f"asks for {asked} classes within {within}, which has {outer['classes']}"
