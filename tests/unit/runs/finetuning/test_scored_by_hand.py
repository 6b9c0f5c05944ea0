"""What is counted and computed of a run's answers, with values worked out by hand; and what a probe takes up again."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from apr.basics.files import file_digest
from apr.basics.problems import Problem
from apr.runs.checkpoints import Checkpointing, save_checkpoint
from apr.runs.finetuning import finetuner, probe
from apr.runs.finetuning.finetuner import FineTuner
from apr.runs.finetuning.scored import (
    COMPUTED,
    counts_of,
    evaluated,
    keep_outputs,
    outputs_of,
    read_outputs,
    score,
    targets_of,
)
from apr.runs.metrics import METRICS
from apr.runs.trainer import Diverged
from apr.statistics.outputs import OF_ONE

TOP1 = METRICS["top1_accuracy"]


def of_classes(*answers, classes=3):
    """Scores whose largest is that of the class given."""
    return np.eye(classes, dtype=np.float32)[list(answers)]


def test_of_equal_scores_the_class_comes_first_that_is_first():
    scores = np.array([[1, 1, 0, 1, 1, 1, 1], [3, 2, 1, 1, 1, 1, 1]], np.float32)
    found = [counts_of(scores, np.array(labels)) for labels in ([0, 0], [1, 0], [5, 1], [6, 4], [2, 5], [3, 6])]
    ones = [(2, 2), (1, 2), (0, 2), (0, 1), (0, 0), (0, 1)]
    assert [(one["correct_top1"], one["correct_top5"]) for one in found] == ones
    assert counts_of(scores[:, :6], np.array([5, 5]))["correct_top5"] == 1
    assert counts_of(scores[:, :2], np.array([1, 0])) == {"correct_top1": 1}


def test_a_part_has_its_counts_and_the_metric_that_is_computed():
    scores, labels = of_classes(0, 1, 1, 1), np.array([0, 0, 1, 2])
    plain = {"n": 4, "correct_top1": 2, "correct_top5": None}
    assert evaluated(scores, labels, TOP1) == plain
    assert evaluated(scores, labels, METRICS["macro_f1"]) == plain | {"macro_f1": 38.888889}
    several = np.array([[1, 0], [1, 1]])
    found = evaluated(np.array([[0.1, 0], [-1, 2]], np.float32), several, METRICS["macro_f1"])
    assert found == {"n": 2, "correct_top1": None, "correct_top5": None, "macro_f1": 83.333333}


def test_f1_is_the_mean_of_the_classes_those_included_that_nothing_is_of():
    labels = np.array([0, 0, 1, 2])  # F1: 2/3, 1/2, 0
    assert score("macro_f1", of_classes(0, 1, 1, 1), labels) == round(100 * 7 / 18, 6)
    assert score("macro_f1", of_classes(0, 1, 1, 1, classes=4), labels) == round(100 * 7 / 24, 6)


def test_each_metric_of_outputs_has_its_function_and_its_interval():
    scored = {name for name, metric in METRICS.items() if metric.scored}
    assert set(COMPUTED) == scored
    assert scored <= set(OF_ONE)


def test_kappa_weighs_errors_by_the_square_of_the_distance():
    labels = np.array([0, 1, 2, 2])  # observed 2, by chance 22 / 4
    assert score("quadratic_weighted_kappa", of_classes(0, 2, 2, 1), labels) == round(100 * 7 / 11, 6)
    assert score("quadratic_weighted_kappa", of_classes(1, 1), np.array([1, 1])) == 100
    assert score("quadratic_weighted_kappa", of_classes(1, 1), np.array([1, 2])) == 0
    assert score("quadratic_weighted_kappa", of_classes(1, 2), np.array([1, 1])) == 0
    assert score("quadratic_weighted_kappa", of_classes(1, 1), np.array([2, 2])) == 0


def test_the_area_is_of_the_difference_of_both_scores():
    scores, labels = np.array([[1, 1], [0, 2], [4, 5], [0, 3]], np.float32), np.array([0, 0, 1, 1])
    assert score("auc", scores, labels) == 75
    assert score("auc", scores + np.array([[0], [0], [1], [0]]) * [0, 1], labels) == 87.5  # a tie counts half
    with pytest.raises(Problem) as found:
        score("auc", scores, np.array([1, 1, 1, 1]))
    assert str(found.value) == (
        "auc: all 4 images are of one class, so that there is no ROC curve; give the part images of both classes, or "
        "take another metric"
    )


def test_outputs_are_those_of_each_part_with_groups_where_there_are_any(tmp_path):
    scores = {"validation": torch.tensor([[1.0, 2.0]], dtype=torch.float64), "test": np.array([[3, 4], [5, 6]])}
    labels = {"validation": np.array([1]), "test": np.array([0, 2]), "train": np.array([0])}
    manifest = {"classes": ["a", "b"], "label_sets": [[0], [1], [0, 1]]}
    arrays = outputs_of(scores, labels, {"test": np.array([7, 8])}, manifest)
    assert {name: (one.dtype.name, one.tolist()) for name, one in arrays.items()} == {
        "validation_scores": ("float32", [[1, 2]]),
        "validation_labels": ("uint8", [[0, 1]]),
        "test_scores": ("float32", [[3, 4], [5, 6]]),
        "test_labels": ("uint8", [[1, 0], [1, 1]]),
        "test_groups": ("int64", [7, 8]),
    }
    assert targets_of(labels["test"], None, 3) is labels["test"]
    path = tmp_path / "outputs.npz"
    digest = keep_outputs(path, arrays)
    assert digest == file_digest(path)
    assert keep_outputs(tmp_path / "again.npz", arrays) == digest
    for given in (digest, None):
        assert {name: one.tolist() for name, one in read_outputs(path, given).items()} == {
            name: one.tolist() for name, one in arrays.items()
        }


def test_outputs_of_another_run_and_none_are_refused(tmp_path):
    path, remedy = tmp_path / "outputs.npz", "delete the run that left it to make it again"
    digest = keep_outputs(path, {"a": np.arange(3)})

    def said(*given):
        with pytest.raises(Problem) as found:
            read_outputs(*given)
        return str(found.value)

    other = "0123456789abcdef"
    text = f"{path}: is not what its run kept (sha256 {digest[:12]}, not 0123456789ab); {remedy}"
    assert said(path, other) == text
    missing = tmp_path / "missing.npz"
    assert said(missing) == said(missing, other) == f"{missing}: is missing; {remedy}"
    for content in (b"", b"PK\3\4", path.read_bytes()[:-9], b"text"):
        path.write_bytes(content)
        assert said(path).startswith(f"{path}: cannot be read (")
        assert said(path).endswith(f"); {remedy}")


def entry(strength, correct=2, **changes):
    parts = {part: {"n": 4, "correct_top1": correct, "correct_top5": None} for part in ("validation", "test")}
    return {"strength": strength, "iterations": 3, "converged": True, "parts": parts} | changes


def test_the_best_is_that_of_the_validation_images_of_equal_ones_the_first():
    entries = [entry(1.0, 2), entry(2.0, 3), entry(4.0, 3), entry(8.0, 1)]
    entries[0]["parts"]["test"]["correct_top1"] = 4
    assert probe.best_of(entries, TOP1) is entries[1]
    assert probe.best_of(entries, METRICS["top1_error"]) is entries[1]
    assert probe.best_of([{"parts": {}}], TOP1) == {"parts": {}}


def test_what_is_reported_is_the_metric_or_else_the_plain_one(caplog):
    parts = {"validation": {"n": 3, "correct_top1": 1, "macro_f1": 12.345}, "test": {"n": 8, "correct_top1": 1}}
    with caplog.at_level(logging.INFO):
        probe._report("first: ", parts, METRICS["macro_f1"])
        probe._report("", {"test": {"n": 8, "correct_top1": None}, "train": parts["test"]}, TOP1)
    plain = "top-1 error 87.50 %"
    assert caplog.messages == [
        f"first: validation {METRICS['macro_f1'].title} 12.35 %, test {plain}",
        "train top-1 accuracy 12.50 %",
    ]


SCORES = {part: torch.arange(12, dtype=torch.float32).reshape(4, 3) for part in ("validation", "test")}
NONE, TYPE = "it does not say which strengths were tried", "its scores are not float32"
LESS = {"test": entry(1.0)["parts"]["test"]}


@pytest.mark.parametrize(
    ("tried", "scores", "fault"),
    [
        ([entry(1.0)], SCORES, None),
        ([entry(1.0), entry(2.0, converged=False)], SCORES, None),
        ([entry(1.0), entry(2.0), entry(3.0)], SCORES, NONE),
        ([], SCORES, NONE),
        ((entry(1.0),), SCORES, NONE),
        (None, SCORES, NONE),
        ([entry(1.0)], None, NONE),
        ([entry(1.0)], {"test": SCORES["test"]}, NONE),
        ([entry(1.0)], SCORES | {"train": SCORES["test"]}, NONE),
        ([entry(1.0)], SCORES | {"test": SCORES["test"].T}, NONE),
        ([entry(1.0)], SCORES | {"test": 1}, NONE),
        ([entry(1.0)], SCORES | {"test": SCORES["test"].double()}, TYPE),
        ([entry(2.0)], SCORES, NONE),
        ([entry(1.0), entry(1.0)], SCORES, NONE),
        ([None], SCORES, NONE),
        ([entry(1.0, more=1)], SCORES, NONE),
        ([entry(1.0, iterations=3.0)], SCORES, NONE),
        ([entry(1.0, converged=1)], SCORES, NONE),
        ([entry(1.0, parts=None)], SCORES, NONE),
        ([entry(1.0, parts=LESS)], SCORES, NONE),
        ([entry(1.0, parts=LESS | {"validation": None})], SCORES, NONE),
        ([entry(1.0, correct=5)], SCORES, NONE),
        ([entry(1.0, correct=None)], SCORES, NONE),
    ],
)
def test_a_probe_takes_up_what_it_can_have_left(tmp_path, caplog, tried, scores, fault):
    checkpointing = Checkpointing(tmp_path / "probe.pt", "print", 60)
    save_checkpoint(checkpointing.path, {"tried": tried, "scores": scores}, "print")
    with caplog.at_level(logging.INFO):
        found = probe._resumed(checkpointing, [1.0, 2.0], {part: (4, 3) for part in SCORES}, TOP1)
    if fault is None:
        assert found[0] == tried
        assert {part: own.tolist() for part, own in found[1].items()} == {
            part: own.tolist() for part, own in SCORES.items()
        }
        assert caplog.messages == [f"resuming after strength {tried[-1]['strength']:g}"]
    else:
        assert found == ([], {})
        assert f"is of this protocol, but {fault}: set aside" in caplog.text


@pytest.mark.parametrize("wrong", [None, (0, 0), (2, 1)])
def test_a_single_output_that_is_not_finite_is_a_divergence(wrong, monkeypatch):
    monkeypatch.setattr(finetuner, "time", SimpleNamespace(monotonic=iter((5.0, 7.5)).__next__))
    answers = torch.arange(6.0).reshape(3, 2)
    if wrong:
        answers[wrong] = torch.inf
    tuner = SimpleNamespace(
        network=torch.nn.Dropout().train(),
        protocol={"batch": 2},
        evaluated=np.array([10.0, 1.0]),
        _forward=lambda rows: answers[rows],
    )
    loader = SimpleNamespace(evaluation=lambda batch: [([0, 1], None), ([2], None)] if batch == 2 else [])
    if wrong:
        with pytest.raises(Diverged):
            FineTuner.outputs(tuner, loader)
        return
    assert FineTuner.outputs(tuner, loader).tolist() == answers.tolist()
    assert tuner.evaluated.tolist() == [13, 3.5]
    assert not tuner.network.training
