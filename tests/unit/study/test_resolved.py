"""Studies as text: what rules ask of a configuration is what it was when somebody looked at it."""

import hashlib
import json
from dataclasses import fields

import pytest
from golden import checked

from cluster.estimates import batch_size, preparation_limit, time_limit, training_minutes
from study import ROOT, read_yaml, study_of
from study.answer import answer_files, answer_parts
from study.files import Files
from study.items import Items
from study.tasks import Task

LONG = 160  # characters of a value; of a longer one the beginning, and a digest of the rest
STUDIES = ("config", *(f"studies/{name}" for name in ("demo", "retest", "published", "transfer_demo", "slices")))
FLAGS = ("starts_from", "repeated", "repeats_seeds", "trains", "fits", "keeps_outputs", "rungs")
COMPARED = ("relative_error", "depth_width", "best_shapes", "balanced", "references", "metric_pair", "repeats")
COMPARED += ("train_error_vs_depth", "pretrained", "initialisation", "classes_vs_images", "training_variants")
SIMPLE = ("closest", "reference", "tasks", "pairs", "curves", "curve_tasks", "explored", "datasets", "since")


def short(value):
    text = json.dumps(value, default=str, ensure_ascii=False).replace(str(ROOT), "")
    return text if len(text) <= LONG else f"{text[:LONG]} … {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def of_task(study, files, name):
    task, runs = study.tasks[name], list(study.runs(name))
    yield from ((field.name, getattr(task, field.name)) for field in fields(Task) if field.name != "published")
    yield from ((flag, getattr(task, flag)) for flag in FLAGS)
    yield "runs", [len(runs), runs[:1], runs[-1:]]
    if runs and task.protocol:
        yield "protocols", [study.protocol(name, run) for run in {runs[0]: 0, runs[-1]: 0}]
    planned = study.planned(name)
    some = {run: planned["runs"][run] for run in {*runs[:1], *runs[-1:]}}
    yield "planned", {key: value for key, value in planned.items() if key != "runs"} | dict(sorted(some.items()))
    yield "options", [study.options(name), study.keeps(name), study.sources(name)[:2], study.closest(name)]
    yield "files", [files.sources(name)[-1:], files.outputs(name)[:1], files.some_runs(name, 3)]
    if runs and task.view:
        yield (
            "limits",
            [
                *(training_minutes(study, name), batch_size(study, name), time_limit(study, name, 2)),
                *(time_limit(study, name, 1, rung["epochs"]) for rung in task.rungs),
            ],
        )
    if runs and task.trains and not task.continues:
        yield "complexity", study.complexity(study.runs(name)[runs[-1]].model, task)


def of_dataset(study, files, name):
    yield from study.datasets[name].items()
    yield "preparation", preparation_limit(study, name, 2)
    yield "files", [files.declared(name)[:1], files.fetched(name)[:2], files.logins(name), files.bundled(name)]
    yield "place", [files.folder(name), files.names_encoding(name), files.labels(name)]


def of_items(items, files):
    for kind in ("table_", "fig_"):
        yield kind, items.made(kind)
    yield "lacking", {target: items.refusal(target)[:90] for target in items.facts if items.lacking(target)}
    yield "rows", [row["target"] for row in items.rows]
    yield "by name", [sorted(items.by_name), items.trained, items.sized, items.claimed, items.paper_values]
    yield "settings", [items.settings(task) for task in items.trained[:2]]
    yield "networks", items.networks(items.comparisons["references"])
    parts = answer_parts(items, files)
    yield "answer", {name: list(part) for name, part in parts.items()} | answer_files(parts)


def of_comparisons(study):
    compared = study.comparisons
    yield from ((name, compared[name]) for name in COMPARED)
    yield from ((name, getattr(compared, name)) for name in SIMPLE)
    yield from compared.lines.items()
    yield from compared.rankings.items()
    yield "bootstraps", compared.bootstraps
    transfer = compared.transfer
    yield (
        "transfer",
        [transfer.settings, transfer.keeping, transfer.with_grid, transfer.bootstrap, transfer.tasks("scratch")],
    )
    if transfer.settings:
        yield "transfer of all", transfer.params("probes", "scratch", "augmentation")
        yield "transfer needs", {name: bool(value) for name, value in transfer.needs.items()}


def told(study):
    files, items = Files(study), Items(study)
    found = [(f"task {name}", of_task(study, files, name)) for name in study.tasks]
    found += [(f"dataset {name}", of_dataset(study, files, name)) for name in study.datasets]
    found += [("views", study.views.items()), ("items", of_items(items, files)), ("compared", of_comparisons(study))]
    own = ("reference", "family", "targets", "asked", "halved", "chosen_again", "run_here", "bootstrap", "statistics")
    more = ("training", "cluster", "population", "mirror", "tables")
    found.append(("study", ((name, getattr(study, name)) for name in (*own, *more))))
    for title, values in found:
        yield from (f"{title}: {key}: {short(value)}" for key, value in values if value)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_is_resolved_as_it_was(name):
    study = study_of(read_yaml(ROOT / f"{name}.yaml"))
    checked(f"studies/{name.rpartition('/')[2]}", "\n".join(told(study)) + "\n")


def test_the_digest_of_a_study_is_of_all_that_it_resolves_to():
    config = read_yaml(ROOT / "studies/demo.yaml")
    found = {study_of(config).digest(config) for _ in range(2)}
    assert [len(digest) for digest in found] == [64]
    changed = config | {"statistics": config["statistics"] | {"seed": 1}}
    assert study_of(changed).digest(changed) not in found
    assert study_of(changed).digest(config) == study_of(config).digest(config)  # a seed is of no task and no data
    more = config | {"tasks": config["tasks"] | {"digits": config["tasks"]["digits"] | {"epochs": 11}}}
    assert study_of(more).digest(config) not in found
