"""Which optimiser a protocol makes, and the rates of its epochs, worked out by hand."""

import pytest
import torch

from apr.runs.optimisation import learning_rate, make_optimizer

PLAIN = {"lr": 0.5, "weight_decay": 0.01, "momentum": 0.9, "nesterov": True}


@pytest.mark.parametrize(
    ("changes", "kind", "settings"),
    [
        ({}, torch.optim.SGD, {"weight_decay": 0.01, "momentum": 0.9, "nesterov": True}),
        ({"optimiser": "sgd", "nesterov": False}, torch.optim.SGD, {"momentum": 0.9, "nesterov": False}),
        ({"optimiser": "adamw", "decay": "by_rate"}, torch.optim.AdamW, {"weight_decay": 0.02}),
        ({"optimiser": "adamw", "decay": "plain"}, torch.optim.AdamW, {"weight_decay": 0.01}),
        ({"optimiser": "adamw", "decay": "plain", "weight_decay": 0.0}, torch.optim.AdamW, {"weight_decay": 0.0}),
    ],
)
def test_an_optimiser_has_the_settings_of_its_protocol(changes, kind, settings):
    parameter = torch.nn.Parameter(torch.ones(2))
    found = make_optimizer([parameter], PLAIN | changes)
    assert type(found) is kind
    (group,) = found.param_groups
    assert group["params"] == [parameter]
    expected = {"lr": 0.5, "fused": True} | settings
    assert {key: group[key] for key in expected} == expected


def test_rates_fall_along_a_cosine_or_by_steps():
    cosine = {"lr": 8.0, "epochs": 4}
    rates = [learning_rate(epoch, cosine) for epoch in (0, 1, 2, 3, 4)]
    assert rates == pytest.approx([8, 4 + 8**0.5, 4, 4 - 8**0.5, 0])
    warm = cosine | {"warmup_epochs": 2}  # from a tenth: 0.1, 0.55
    assert [learning_rate(epoch, warm) for epoch in (0, 1, 2)] == pytest.approx([0.8, 0.55 * (4 + 8**0.5), 4])
    steps = {"lr": 8.0, "schedule": "steps", "gamma": 0.5, "milestones": [1, 3]}
    assert [learning_rate(epoch, steps) for epoch in (0, 1, 2, 3, 4)] == [8, 4, 4, 2, 2]
