"""What the checks of all kinds of studies share: hints, tolerance, and the errors of datasets and views."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from apr.formats import format_options
from study import load_registry, resolve_dataset

Errors = Iterator[tuple[list, str]]  # path of the key, and what is wrong with it


def tolerant(check: Callable[..., Errors], *arguments: Any) -> Errors:
    """What a check finds before it stumbles over a part that has errors of its own."""
    with suppress(KeyError, TypeError, AttributeError, ValueError):
        yield from check(*arguments)


def nearest(name: Any, known: Iterable[Any]) -> str:
    """A hint at the known name that is most like an unknown one; empty where none is."""
    close = difflib.get_close_matches(str(name), [str(key) for key in known], n=1, cutoff=0.5)
    return f" (did you mean {close[0]}?)" if close else ""


def data_errors(config: dict[str, Any], datasets: dict[str, Any], views: dict[str, Any]) -> Errors:
    """Errors of a configuration's datasets and views; those that are resolved are put into the last two arguments."""
    registry = load_registry()
    for name, entry in (config.get("datasets") or {}).items():
        source = (entry or {}).get("source", name)
        own = any(key in (entry or {}) for key in ("url", "files", "folder"))
        if source not in registry and not own:
            hint = nearest(source, registry)
            yield ["datasets", name], f"has no url, files or folder, and no source {source!r} is known{hint}"
            continue
        datasets[name] = resolve_dataset(name, entry, registry)
        if "format" not in datasets[name]:
            yield ["datasets", name, "format"], "is missing (how the publisher lays out images and labels)"
            continue
        known = format_options(datasets[name]["format"])
        for option in sorted(set(datasets[name]["options"]) - set(known)):
            text = f"{datasets[name]['format']} has no such option{nearest(option, known)}"
            yield ["datasets", name, "options", option], text
    views |= {name: {"dataset": name, "classes": None} for name in datasets}
    selections = {name: {"classes": None, **entry} for name, entry in (config.get("views") or {}).items()}
    views |= selections
    for name, view in selections.items():
        yield from tolerant(_view_errors, name, view, datasets, views)


def _view_errors(name: str, view: dict, datasets: dict, views: dict) -> Errors:
    if view["dataset"] not in datasets:
        yield ["views", name, "dataset"], f"no dataset {view['dataset']!r}{nearest(view['dataset'], datasets)}"
        return
    if name in datasets:
        yield ["views", name], "has the name of a dataset, which is the view of all of it; choose another name"
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
