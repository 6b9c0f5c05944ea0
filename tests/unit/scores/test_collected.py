"""Runs, made into the rows of a score table."""

import pytest

from apr.basics.files import digest_of, write_json
from apr.basics.problems import Problem
from apr.runs.metrics import part_of
from apr.runs.protocol import full_protocol, planned_protocol
from apr.runs.record import SCHEMA, new_run
from apr.scores.collected import collected, dropped_otherwise

MODELS = ["timm:a", "torchvision:b.V2"]
MANIFEST = {"view": "v", "dataset": "d", "dataset_digest": "1", "indices_digest": "2"}
MANIFEST |= {"classes": list("abcdefghij"), "per_class": {"test": [5] * 10}}
RUNS = {model: {"model": model, "genotype": None, "seed": None, "cell": {}} for model in MODELS}
PLAN = {"title": "T", "metric": "top1_accuracy", "way": "evaluate", "protocol": None, "choose": None, "runs": RUNS}


@pytest.fixture
def runs(tmp_path):
    def write(**changes):
        paths = []
        for number, model in enumerate(MODELS):
            protocol = planned_protocol(model, MANIFEST) | {"weights": f"w{number}", "outputs": 1000} | changes
            part = part_of(50, {"correct_top1": 30 + number, "correct_top5": 40})
            outcome = {"status": "completed", "parts": {"test": part}}
            run = {
                "schema": SCHEMA,
                "task": "t",
                "model": model,
                "seed": None,
                "protocol": protocol,
                "history": [],
                "outcome": outcome,
            }
            paths.append(tmp_path / f"{number}.json")
            write_json(paths[-1], run | {"fingerprint": digest_of(protocol)})
        return paths

    return write


def test_a_row_for_each_model_under_its_full_name(runs):
    rows = collected(PLAN, runs(), MANIFEST, [])
    assert [row["model"] for row in rows] == MODELS
    assert [row["value"] for row in rows] == [60, 62]
    assert {(row["metric"], row["guess"], row["test_top5_error"]) for row in rows} == {("top1_accuracy", 10.0, 20.0)}
    assert "train_top1_error" not in rows[0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": {**MANIFEST, "indices_digest": "3"}}, "images.indices_digest is '3', the study has '2'"),
        ({"revision": 0}, "revision is 0"),
    ],
)
def test_a_run_of_other_images_or_of_an_older_revision_is_refused(runs, changes, message):
    with pytest.raises(Problem, match=message):
        collected(PLAN, runs(**changes), MANIFEST, [])


def test_a_run_of_another_model_is_refused(runs):
    with pytest.raises(Problem, match=r"is a run of torchvision:b.V2, not of timm:a"):
        collected(PLAN, runs()[::-1], MANIFEST, [])


def test_a_run_that_keeps_nothing_of_the_metric_is_named(tmp_path):
    manifest = MANIFEST | {"classes": [f"c{number}" for number in range(9)]}
    protocol = full_protocol({"epochs": 1, "seed": 1}, genotype="g", manifest=manifest)
    outcome = {"status": "completed", "epoch": 1, "parts": {"test": part_of(5, {"correct_top1": 3})}}
    run = new_run(task="t", model="a", protocol=protocol, outcome=outcome, history=[], timing={}, provenance={})
    write_json(tmp_path / "a.json", run)
    runs = {"a": {"model": "a", "genotype": "g", "seed": 1, "cell": {}}}
    plan = PLAN | {"way": "train", "protocol": {"epochs": 1}, "runs": runs, "metric": "top5_accuracy"}
    with pytest.raises(Problem, match=r"a.json: keeps nothing that top5_accuracy is computed from; delete the file"):
        collected(plan, [tmp_path / "a.json"], manifest, [])


def test_the_cells_of_a_grid_stand_in_the_table_and_the_chosen_one_counts(tmp_path):
    runs, paths = {}, []
    for number, (lr, right) in enumerate({0.1: 3, 0.2: 4}.items()):
        protocol = full_protocol({"epochs": 1, "lr": lr, "seed": 1}, genotype="g", manifest=MANIFEST)
        parts = {part: part_of(5, {"correct_top1": right}) for part in ("test", "validation")}
        outcome = {"status": "completed", "epoch": 1, "parts": parts}
        run = new_run(task="t", model="a", protocol=protocol, outcome=outcome, history=[], timing={}, provenance={})
        paths.append(tmp_path / f"{number}.json")
        write_json(paths[-1], run)
        runs[f"a-{number}"] = {"model": "a", "genotype": "g", "seed": 1, "cell": {"lr": lr}}
    plan = PLAN | {"way": "train", "protocol": {"epochs": 1}, "runs": runs, "choose": "validation"}
    rows = collected(plan, paths, MANIFEST, [])
    assert [(row["cell_lr"], row["validation_top1_accuracy"], row["chosen"]) for row in rows] == [
        (0.1, 60.0, "no"),
        (0.2, 80.0, "yes"),
    ]


RUNG = {"epochs": 1, "of": 4, "stay": 2}


@pytest.mark.parametrize(
    ("rung", "rungs", "otherwise"),
    [
        (None, [], False),
        (RUNG, [RUNG], False),
        (RUNG, [], True),
        (RUNG, [RUNG | {"stay": 1}], True),
        (RUNG, None, True),
    ],
)
def test_a_run_was_dropped_otherwise_where_the_study_has_not_that_rung(rung, rungs, otherwise):
    run = {"rung": rung} if rung else {}
    assert dropped_otherwise(run, {} if rungs is None else {"rungs": rungs}) == otherwise
