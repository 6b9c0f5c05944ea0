"""Errors of a study of retests: the test sets, models and families that it names have to be there."""

from typing import Any

from apr.basics.addresses import folder_problem
from apr.basics.problems import Problem
from apr.basics.values import nearest, shown
from apr.models.pretrained import parse_model
from checks.data import Errors, data_errors, file_errors, folder_errors, tolerant
from study import ROOT, read_yaml
from study.retests import load_sources, resolve_sources, sets_of

SUMMED_UP = ("slopes", "scorecard")  # tables and figures of all retests


def retest_errors(config: dict[str, Any]) -> Errors:
    """What is wrong with a configuration of retests, as (path, text)."""
    registry, datasets, views = load_sources(), {}, {}
    entries = config.get("sources") or {}
    for name in entries:
        if name not in registry:
            yield ["sources", name], f"no source of this name is known{nearest(name, registry)}"
    sources = resolve_sources({name: entry for name, entry in entries.items() if name in registry}, registry)
    for name, source in sources.items():
        yield from tolerant(file_errors, ["sources", name], entries.get(name) or {}, source)
        yield from tolerant(folder_errors, ["sources", name], entries.get(name) or {})
    yield from data_errors(config, datasets, views)
    for name in sorted(datasets.keys() & sources.keys()):
        yield ["datasets", name], "has the name of a source; choose another name"
    published = {name: entry for source in sources.values() for name, entry in sets_of(source).items()}
    yield from tolerant(_evaluation_errors, config.get("evaluate") or {}, published, views)
    evaluated = (config.get("evaluate") or {}).get("tasks") or {}
    known = dict.fromkeys((*published, *evaluated))
    yield from tolerant(_pair_errors, ["retests"], config.get("retests"), known, registry)
    for name in config.get("retests") or {}:
        if name in SUMMED_UP:
            yield ["retests", name], "is the name of a table of all retests; choose another name"
    if config.get("since"):
        yield from tolerant(_since_errors, config, published, registry)


def _evaluation_errors(evaluate: dict, published: dict, views: dict) -> Errors:
    for model in evaluate.get("models", ()):
        try:
            parse_model(model)
        except Problem as problem:
            yield ["evaluate", "models"], str(problem)
    weights = evaluate.get("weights")
    wrong = folder_problem(weights) if weights else None
    if wrong:
        yield ["evaluate", "weights"], f"{shown(weights)} {wrong}"
    elif weights and not (ROOT / weights).exists():
        text = f"there is no file or folder {ROOT / weights}; correct it, or give null for the weights of the hubs"
        yield ["evaluate", "weights"], text
    for name, task in (evaluate.get("tasks") or {}).items():
        if name in published:
            yield ["evaluate", "tasks", name], "has the name of a published test set; choose another name"
        view = (task or {}).get("view", name)
        if view not in views:
            yield ["evaluate", "tasks", name, "view"], f"no view or dataset {view!r}{nearest(view, views)}"


def _pair_errors(path: list[str], retests: dict, known: dict, registry: dict, kind: str = "test set") -> Errors:
    unlisted = {name: source for source, entry in registry.items() for name in sets_of(entry) if name not in known}
    for name, retest in retests.items():
        for key in ("original", "new"):
            wanted = retest.get(key)
            if wanted in unlisted:
                yield [*path, name, key], f"{wanted!r} is a {kind} of {unlisted[wanted]}; list that under sources"
            elif key in retest and wanted not in known:
                yield [*path, name, key], f"no {kind} {wanted!r}{nearest(wanted, [*known, *unlisted])}"
        if "new" in retest and retest["new"] == retest.get("original"):
            yield [*path, name, "new"], "is the original test set; compare two"


def _since_errors(config: dict, published: dict, registry: dict) -> Errors:
    since = config["since"]
    measured = {name: entry for name, entry in published.items() if "measured" in entry}
    others = {name: entry for name, entry in registry.items() if any("measured" in s for s in sets_of(entry).values())}
    yield from _pair_errors(["since", "retests"], since["retests"], measured, others, "measured test set")
    for name, other in (since.get("published") or {}).items():
        if name not in since["retests"]:
            yield ["since", "published", name], f"no retest of since.retests{nearest(name, since['retests'])}"
        if other not in config["retests"]:
            yield ["since", "published", name], f"no retest {other!r}{nearest(other, config['retests'])}"
    families = [family["name"] for family in read_yaml(ROOT / "resources/model_families.yaml")["families"]]
    for name in since.get("highlight") or ():
        if name not in families:
            yield ["since", "highlight"], f"no family {name!r}{nearest(name, families)}"
