"""One study of every kind: a published and an evaluated task laid over the demo, and the line through both."""

import csv
import json

import pytest
import yaml

from apr.basics.files import digest_of, file_digest
from study import ROOT

from .conftest import planned
from .made_up import ProjectCopy

MODELS = {"timm.test_vit": "timm:test_vit.r160_in1k", "timm.test_resnet": "timm:test_resnet.r160_in1k"}
IMAGES = 10
SHARE = {"timm.test_vit": 7, "timm.test_resnet": 4}  # of them that a published answer gets right


def published(folder):
    """A source with answers of two models on ten images, and the entry of the registry that declares it."""
    (folder / "answers").mkdir(parents=True)
    labels = [number % 10 for number in range(IMAGES)]
    with open(folder / "labels.npy", "wb") as file:
        import numpy as np

        np.save(file, np.array(labels))
    for name, right in SHARE.items():
        answers = [label if number < right else (label + 1) % 10 for number, label in enumerate(labels)]
        (folder / f"answers/{name}.json").write_text(json.dumps(answers))
    paths = ["labels.npy", *(f"answers/{name}.json" for name in sorted(SHARE))]
    contents = digest_of({path: file_digest(folder / path) for path in paths})
    sets = {"mine": {"title": "Mine", "predictions": "answers", "labels": "labels.npy", "contents": contents}}
    return {"title": "Mine", "files": [], "licence": None, "classes": 10, "renamed": MODELS, "sets": sets}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A small demo with both tasks, in a copy of the project that knows the source."""
    import timm
    import torch

    folder = tmp_path_factory.mktemp("mixed")
    (folder / "weights").mkdir()
    for name, model in (("test_vit", "timm.test_vit"), ("test_resnet", "timm.test_resnet")):
        torch.manual_seed(0)
        weights = timm.create_model(name, num_classes=1000).state_dict()
        torch.save(weights, folder / f"weights/{model}.r160_in1k.pt")
    more = {
        "population": {"size": 6},
        "datasets": {"cifar10.1_predictions": {"folder": str(folder / "source")}},
        "regimes": {"as_published": {"weights": str(folder / "weights")}},
        "tasks": {
            "photos_again": {"models": ["a000", "a001", "a002"]},
            "digits_published": {"published": "cifar10.1_predictions", "set": "mine"},
            "digits_evaluated": {"evaluate": "as_published", "view": "digits", "models": list(MODELS.values())},
        },
        "comparisons": {
            "lines": {"both": {"original": "digits_published", "new": "digits_evaluated", "metric": "top1_accuracy"}}
        },
    }
    registry = yaml.safe_load((ROOT / "resources/predictions.yaml").read_text())
    registry["cifar10.1_predictions"] = published(folder / "source")
    files = {"resources/predictions.yaml": yaml.safe_dump(registry)}
    return ProjectCopy(folder, ROOT / "studies/demo.yaml", more, files)


def test_the_whole_is_one_plan(mixed, tmp_path):
    jobs = planned(mixed.plan(folder=tmp_path))
    counts = {"train": 69, "evaluate": 2, "import_cifar10": 1, "collect_scores": 15, "fig_retest": 1}
    assert {rule: jobs[rule] for rule in counts} == counts
    assert jobs["fig_imagenet_vs_targets"] == jobs["table_audit"] == jobs["table_retest_slopes"] == 1
    jobs = planned(mixed.plan("fig_imagenet_vs_family", folder=tmp_path))
    assert (jobs["train"], "evaluate" in jobs) == (4 * 6, False)  # nothing of the others


def test_the_line_through_both_is_drawn_and_audited(mixed):
    mixed.run("results/figures/retest_both.png", "results/tables/retest_both.csv", "-c2")
    results = mixed.folder / "results"
    with (results / "scores/digits_published.csv").open() as file:
        counted = {row["model"]: int(row["correct_top1"]) for row in csv.DictReader(file)}
    assert counted == {MODELS[name]: right for name, right in SHARE.items()}
    with (results / "tables/retest_both.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert rows.keys() == set(MODELS.values())
    evaluated = json.loads((results / "runs/digits_evaluated/timm.test_vit.r160_in1k.json").read_text())
    test = evaluated["outcome"]["parts"]["test"]
    share = 100 * test["correct_top1"] / test["n"]
    assert float(rows["timm:test_vit.r160_in1k"]["new_acc"]) == pytest.approx(share, abs=0.005)
    assert "2 of 77 runs done" in (results / "STATUS").read_text()
    assert "digits evaluated" in mixed.run("audit", "-c1").output
    (results / "scores/digits_published.csv").write_text("model\n")
    done = mixed.run("audit", "-c1", check=False)
    assert done.returncode != 0
    assert "results/scores/digits_published.csv" in done.output
