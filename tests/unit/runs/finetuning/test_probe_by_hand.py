"""Probes by hand: regressions that are as good as it is told, and what is said of each strength."""

import logging

import numpy as np
import pytest

from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.checkpoints import Checkpointing
from apr.runs.finetuning import probe
from apr.runs.finetuning.classifiers import Answers, check_learnable, neighbours


def told(function, *arguments):
    with pytest.raises(Problem) as caught:
        function(*arguments)
    return str(caught.value)


class Fits:
    """A regression that is as good as its strength says."""

    def __init__(self, monkeypatch, tmp_path, **right):
        self.saved = []
        monkeypatch.setattr(probe, "scaled", lambda features: features)
        monkeypatch.setattr(probe, "logistic", self.fitted)
        monkeypatch.setattr(probe, "save_checkpoint", lambda path, state, of: self.saved.append(len(state["tried"])))
        self.kept = Checkpointing(tmp_path / "c.pt", "f", 60)
        self.right = {float(strength.removeprefix("of")): count for strength, count in right.items()}

    def fitted(self, features, targets, classes, strength):
        scores = np.eye(2, dtype=np.float32)[[0, 0, 1, 1]]
        shown = scores[[i if i < self.right[strength] else 3 - i for i in range(4)]]
        return Answers({"train": scores, "validation": shown, "test": scores}, 7, strength != 4)

    def probed(self, strengths, **options):
        labels = dict.fromkeys(("train", "validation", "test"), np.array([0, 0, 1, 1]))
        features = dict.fromkeys(labels, np.zeros((4, 3), np.float32))
        chosen = {"classifier": "logistic", "strengths": strengths, "metric": "top1_accuracy"}
        return probe.probe(features, labels, chosen, {"classes": ["a", "b"]}, self.kept, **options)


def test_each_strength_is_said_and_the_best_is_taken(monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.INFO, "apr")
    one = Fits(monkeypatch, tmp_path, of1=2, of2=4, of4=3)
    outcome, history, scores = one.probed([1.0, 2.0, 4.0])
    assert (outcome["status"], outcome["chosen"]) == ("completed", {"strength": 2.0})
    assert outcome["parts"] == history[1]["parts"]
    assert [(one["strength"], one["iterations"], one["converged"]) for one in history] == [
        (1.0, 7, True), (2.0, 7, True), (4.0, 7, False)
    ]  # fmt: skip
    assert scores["validation"].tolist() == [[1, 0], [1, 0], [0, 1], [0, 1]]
    assert one.saved == [1, 2, 3]
    sound = "train top-1 accuracy 100.00 %, validation top-1 accuracy {} %, test top-1 accuracy 100.00 %"
    stopped = "the fit stopped after 7 iterations without having converged; its scores are those of where it stopped."
    assert caplog.messages == [
        f"strength 1: {sound.format('50.00')}",
        f"strength 2: {sound.format('100.00')}",
        f"strength 4: {sound.format('75.00')}",
        f"strength 4: {stopped} Leave this strength out, if it is chosen",
        "its scores are those of strength 2 (C, the inverse of the regularisation), "
        "the best of 3 on the validation images",
    ]


def test_a_largest_strength_that_is_best_is_said_unless_it_is_the_only_one(monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.INFO, "apr")
    one = Fits(monkeypatch, tmp_path, of1=2, of2=4)
    one.probed([1.0, 2.0])
    said = "strength 2 is the largest of strengths; a larger one may be better still"
    assert (caplog.records[-1].levelname, caplog.messages[-1]) == ("WARNING", said)
    caplog.clear()
    one.probed([2.0])
    assert caplog.messages[1:] == [
        "its scores are those of strength 2 (C, the inverse of the regularisation), the only one"
    ]


def test_of_two_signals_the_first_ends_a_probe_after_its_strength(monkeypatch, tmp_path):
    one, received = Fits(monkeypatch, tmp_path, of1=2, of2=4), []
    monkeypatch.setattr(probe, "listen", lambda: received)
    with pytest.raises(Interrupted) as caught:
        one.probed([1.0, 2.0], on_strength=lambda strength: received.extend([15, 10]))
    assert (caught.value.number, received, one.saved) == (15, [10], [1])


def test_what_cannot_be_learnt_is_said_whole(caplog):
    nothing = "so that there is nothing to learn; give"
    same = "probe: all 3 training images are of the class 'b'"
    assert told(check_learnable, np.array([1, 1, 1]), ["a", "b"]) == f"{same}, {nothing} the view images of others"
    check_learnable(np.array([0, 1, 1]), ["a", "b"])
    assert caplog.messages == []
    differ = "probe: the training images differ in no label"
    assert told(check_learnable, np.array([[0, 1], [0, 1]]), ["a", "b"]) == f"{differ}, {nothing} others"
    assert caplog.messages == [
        "label 'a': no training image has it, so that no image will be said to have it",
        "label 'b': every training image has it, so that every image will be said to have it",
    ]
    check_learnable(np.array([[0, 1], [0, 0]]), ["a", "b"])
    three = {"train": np.eye(3, dtype=np.float32)}
    few = "neighbours 3: there are 3 training images; take 2 or fewer"
    assert told(neighbours, three, np.array([0, 1, 2]), 3, 3) == few
    assert neighbours(three, np.array([0, 1, 2]), 3, 2)["train"].tolist() == [
        [0, 0.5, 0.5],
        [0.5, 0, 0.5],
        [0.5, 0.5, 0],
    ]
