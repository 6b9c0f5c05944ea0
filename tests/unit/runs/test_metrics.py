import re

import pytest

from apr.basics.problems import Problem
from apr.runs.metrics import METRICS, counted, is_part, part_fault, part_of
from study import ROOT

LIBRARY = ROOT / "workflow"


def test_metrics_of_counts():
    part = part_of(40, {"correct_top1": 30, "correct_top5": 39})
    assert {name: metric.of(part) for name, metric in METRICS.items() if metric.counts} == {
        "top1_error": 25.0,
        "top5_error": 2.5,
        "top1_accuracy": 75.0,
        "top5_accuracy": 97.5,
    }
    assert METRICS["top5_error"].of(part_of(40, {"correct_top1": 30})) is None


def test_a_guess_names_the_largest_classes():
    assert METRICS["top1_error"].guess([50, 30, 20]) == 50
    assert METRICS["top1_accuracy"].guess([50, 30, 20]) == 50
    assert METRICS["top1_error"].guess([10] * 10) == 90
    assert METRICS["top5_error"].guess([10] * 10) == 50
    assert METRICS["top5_accuracy"].guess([50, 10, 10, 10, 10, 5, 5]) == 90
    assert METRICS["top5_error"].guess([50, 10, 10, 10, 10, 5, 5]) == 10


def test_the_loss_of_an_accuracy_is_the_error_and_its_own_inverse():
    accuracy, error = METRICS["top1_accuracy"], METRICS["top1_error"]
    assert (accuracy.loss(80.0), error.loss(20.0)) == (20.0, 20.0)
    assert accuracy.loss(accuracy.loss(80.0)) == 80.0


def test_metrics_of_published_results_are_values_alone():
    for name in ("mean_per_class_recall", "ssim", "loss"):
        assert METRICS[name].of(part_of(40, {"correct_top1": 30})) is None
        with pytest.raises(Problem, match=name):
            METRICS[name].guess([50, 50])
    assert METRICS["ssim"].loss(0.25) == 0.75
    assert METRICS["loss"].loss(0.25) == 0.25


def test_few_classes():
    assert METRICS["top5_error"].fault(6) == ""
    assert METRICS["top5_error"].fault(5) == "top5_error says nothing about 5 classes; use top1_error"
    assert METRICS["top5_accuracy"].fault(2).endswith("use top1_accuracy")
    assert list(counted(5)) == ["correct_top1"]
    assert list(counted(6)) == ["correct_top1", "correct_top5"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"n": 41}, "has 41 images, its view 40"),
        ({"correct_top1": 39}, "counts correct_top1 39, correct_top5 38 of 40 images"),
        ({"correct_top1": -1}, "correct_top1 -1"),
        ({"correct_top5": None}, "correct_top5 None"),
    ],
)
def test_impossible_parts_are_said(changes, fault):
    part = part_of(40, {"correct_top1": 30, "correct_top5": 38}) | changes
    assert fault in part_fault(part, classes=6, n=40)
    assert bool(part_fault(part, classes=6, n=40)) == bool(fault)
    assert not is_part({"n": 40})


def test_nothing_else_names_a_metric():
    """How many answers count is said by the metrics and by the score tables alone."""
    own = {LIBRARY / "scripts/apr/runs/metrics.py", *LIBRARY.glob("scripts/apr/scores/*.py")}
    own.add(LIBRARY / "checks/renamed.py")  # old names
    own.add(LIBRARY / "scripts/apr/statistics/outputs.py")  # the interval of each metric, by its name
    sources = {*LIBRARY.rglob("*.py"), *(ROOT / "rules").glob("*.smk"), ROOT / "Snakefile"} - own
    naming = [
        path.relative_to(ROOT).as_posix()
        for path in sources
        if re.search(r"(?i)top_?[15]\b|top[-_]?[15]_", path.read_text())
    ]
    assert naming == []
