"""The ways in which a task's runs are made: for each the keys of its regime, and which models it takes.

The schema of the configuration, its checks and the study read this table. A way to make runs is an entry here, its
protocol and script, and one rule.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apr.runs import finetuning_protocol as settings
from apr.runs.protocol import CONTRADICTIONS, KEYS, UNSAID, Contradiction


@dataclass(frozen=True)
class Way:
    """How runs are made.

    Attributes:
        keys: of its regime: what each takes, and within which bounds.
        unsaid: what a key means that a regime does not say.
        pretrained: whether the models are pretrained ones, named by the task; else architectures and networks.
        trains: whether it needs training images and has a seed.
        contradictions: keys that cannot stand beside each other.
        outputs: whether each run keeps its outputs for the test and validation images.
    """

    keys: Mapping[str, Mapping[str, Any]]
    unsaid: Mapping[str, Any]
    pretrained: bool
    trains: bool
    contradictions: Sequence[Contradiction] = ()
    outputs: bool = False


EVALUATION: dict[str, dict[str, Any]] = {
    "weights": {"type": ["string", "null"]},
    "batch": {"type": "integer", "minimum": 1, "maximum": 100_000},
}
WAYS = {
    "train": Way(KEYS, UNSAID, pretrained=False, trains=True, contradictions=CONTRADICTIONS),
    "finetune": Way(
        settings.FINETUNING,
        settings.UNSAID,
        pretrained=True,
        trains=True,
        contradictions=settings.CONTRADICTIONS,
        outputs=True,
    ),
    "evaluate": Way(EVALUATION, {"weights": None, "batch": 64}, pretrained=True, trains=False),
}
# The keys of all regimes; what two ways take, one of them may take within narrower bounds: the widest come last.
PROTOCOL = {key: wanted for way in WAYS.values() for key, wanted in way.keys.items()}
AXES = {key: wanted for way in WAYS.values() if way.trains for key, wanted in way.keys.items() if key != "weights"}
PUBLISHED = "published"  # in the place of a way: the scores were published, and no run is made
