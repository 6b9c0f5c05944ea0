"""The ways in which a task's runs are made: for each the keys of its regime, and which models it takes.

The schema of the configuration, its checks and the study read this table. A way to make runs is an entry here, its
protocol and script, and one rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apr.runs.protocol import KEYS, UNSAID


@dataclass(frozen=True)
class Way:
    """How runs are made.

    Attributes:
        keys: of its regime: what each takes, and within which bounds.
        unsaid: what a key means that a regime does not say.
        pretrained: whether the models are pretrained ones, named by the task; else architectures and networks.
        trains: whether it needs training images and has a seed, so that the configuration says its whole protocol.
    """

    keys: Mapping[str, Mapping[str, Any]]
    unsaid: Mapping[str, Any]
    pretrained: bool
    trains: bool


EVALUATION: dict[str, dict[str, Any]] = {
    "weights": {"type": ["string", "null"]},
    "batch": {"type": "integer", "minimum": 1, "maximum": 100_000},
}
WAYS = {
    "train": Way(KEYS, UNSAID, pretrained=False, trains=True),
    "evaluate": Way(EVALUATION, {"weights": None, "batch": 64}, pretrained=True, trains=False),
}
# The keys of all regimes; what two ways take, one of them may take within narrower bounds.
PROTOCOL = {key: wanted for way in WAYS.values() for key, wanted in way.keys.items()}
PUBLISHED = "published"  # in the place of a way: the scores were published, and no run is made
