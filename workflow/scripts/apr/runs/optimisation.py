"""Optimisers and learning rates: pycls' for trainings from scratch, and those of fine-tuning.

Sources: pycls/core/optimizer.py; sample_train.py of mlfoundations/imagenet-applications-transfer.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch

WARMUP_FACTOR = 0.1


def make_optimizer(parameters: Iterable[torch.nn.Parameter], protocol: Mapping[str, Any]) -> torch.optim.Optimizer:
    """The optimiser of a protocol: SGD, or AdamW where `optimiser` says so.

    AdamW multiplies its weight decay by the learning rate; with `decay: by_rate` it is divided by the rate before, as the
    released code of Fang et al. does.
    """
    decay, common = protocol["weight_decay"], {"lr": protocol["lr"], "fused": True}
    if protocol.get("optimiser") == "adamw":
        return torch.optim.AdamW(
            parameters, weight_decay=decay / protocol["lr"] if protocol["decay"] == "by_rate" else decay, **common
        )
    own = {"momentum": protocol["momentum"], "nesterov": protocol["nesterov"]}
    return torch.optim.SGD(parameters, weight_decay=decay, **own, **common)


def learning_rate(epoch: int, protocol: Mapping[str, Any]) -> float:
    """The rate of an epoch, counted from 0.

    A half-period cosine with a linear warm-up from a tenth (pycls/core/optimizer.py), or with `schedule: steps` a
    multiplication by `gamma` at each of the milestones; updated every epoch.
    """
    if protocol.get("schedule") == "steps":
        return protocol["lr"] * protocol["gamma"] ** sum(epoch >= milestone for milestone in protocol["milestones"])
    rate = 0.5 * protocol["lr"] * (1 + math.cos(math.pi * epoch / protocol["epochs"]))
    if epoch < protocol.get("warmup_epochs", 0):
        done = epoch / protocol["warmup_epochs"]
        rate *= WARMUP_FACTOR * (1 - done) + done
    return rate
