"""What is counted of scores, ties by the order of the classes; and what of a network is trained."""

import numpy as np
import pytest
import torch
from torch import nn

from apr.basics.problems import Problem
from apr.models.pretrained import Pretrained
from apr.runs.finetuning.networks import input_of, with_new_head
from apr.runs.finetuning.scored import counts_of


def test_of_equal_scores_the_first_class_wins():
    scores = np.zeros((3, 10), np.float32)
    assert counts_of(scores, np.array([0, 4, 5])) == {"correct_top1": 1, "correct_top5": 2}
    scores[:, 7] = 1
    assert counts_of(scores, np.array([7, 3, 4])) == {"correct_top1": 1, "correct_top5": 2}


def test_counts_are_those_of_sorted_scores():
    generator = np.random.default_rng(0)
    scores = generator.integers(0, 4, (200, 8)).astype(np.float32)  # many ties
    labels = generator.integers(0, 8, 200)
    order = np.argsort(-scores, axis=1, kind="stable")
    right = order == labels[:, None]
    assert counts_of(scores, labels) == {"correct_top1": right[:, 0].sum(), "correct_top5": right[:, :5].sum()}


class WithAuxiliary(nn.Module):
    """A network with a classifier that only trainings look at, and a layer that nobody does."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.AdaptiveAvgPool2d(1))
        self.fc, self.auxiliary, self.unused = nn.Linear(8, 9), nn.Linear(8, 9), nn.Linear(2, 2)

    def forward(self, inputs):
        features = self.body(inputs).flatten(1)
        return (self.fc(features), self.auxiliary(features)) if self.training else self.fc(features)


def pretrained(network, size=32):
    own = {"input_size": [3, size, size], "crop_pct": 1.0, "mean": [0.5] * 3, "std": [0.5] * 3}
    return Pretrained(network, None, own, 9, None, "a file")


def test_what_the_loss_does_not_reach_is_not_trained():
    """Else its missing momenta would make every checkpoint look like another network's."""
    network = WithAuxiliary()
    network.fc = nn.Linear(8, 9)
    network.auxiliary = nn.Linear(8, 7)
    before = {name: value.clone() for name, value in network.state_dict().items() if not name.startswith("fc.")}
    head = with_new_head(pretrained(network), 4, 32, "own:a.py:b")
    assert sorted(parameter.numel() for parameter in head) == [4, 32]
    frozen = {name.split(".")[0] for name, one in network.named_parameters() if not one.requires_grad}
    assert frozen == {"auxiliary", "unused"}
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def test_a_black_frame_is_refused():
    protocol = {"resolution": None, "eval_resize": 64, "normalisation": "weights"}
    assert input_of(protocol, pretrained(None, 48), {"mean": 0, "sd": 1})["eval_resize"] == 64
    with pytest.raises(Problem, match="eval_resize 64 is less than the 80 px"):
        input_of(protocol, pretrained(None, 80), {"mean": 0, "sd": 1})
