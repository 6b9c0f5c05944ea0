"""The ways in which a task's runs are made: for each the keys of its regime, and which models it takes.

The schema of the configuration, its checks and the study read this table. A way to make runs is an entry here, its
protocol and script, and one rule.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
        of_studies: more of them that a study is refused for, and not a single run.
        only_with: keys that are read only where another one has a value: {key: (the other, that value)}.
        outputs: whether each run keeps its outputs for the test and validation images.
        planned: what a study knows beforehand of the protocol of a run of a pretrained model that learns: a function of
            its name, the task's protocol with the run's cell, the metric, and the manifest of the view.
    """

    keys: Mapping[str, Mapping[str, Any]]
    unsaid: Mapping[str, Any]
    pretrained: bool
    trains: bool
    contradictions: Sequence[Contradiction] = ()
    of_studies: Sequence[Contradiction] = ()
    only_with: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    outputs: bool = False
    planned: Callable[[str, Mapping[str, Any], str, Mapping[str, Any]], dict[str, Any]] | None = None


EVALUATION: dict[str, dict[str, Any]] = {
    "weights": {"type": ["string", "null"]},
    "batch": {"type": "integer", "minimum": 1, "maximum": 100_000},
}
PADDED = settings.ONLY_WITH["padding"]
WAYS = {
    "train": Way(
        KEYS, UNSAID, pretrained=False, trains=True, contradictions=CONTRADICTIONS, only_with={"padding": PADDED}
    ),
    "finetune": Way(
        settings.FINETUNING,
        settings.UNSAID,
        pretrained=True,
        trains=True,
        contradictions=settings.CONTRADICTIONS,
        of_studies=settings.CONTRADICTIONS_OF_STUDIES,
        only_with=settings.ONLY_WITH,
        outputs=True,
        planned=settings.planned_finetuning,
    ),
    "probe": Way(
        settings.PROBING,
        settings.UNSAID_OF_PROBES,
        pretrained=True,
        trains=True,
        contradictions=settings.CONTRADICTIONS_OF_PROBES,
        only_with=settings.PROBED_WITH,
        outputs=True,
        planned=settings.planned_probe,
    ),
    "evaluate": Way(EVALUATION, {"weights": None, "batch": 64}, pretrained=True, trains=False),
}
# The keys of all regimes; what two ways take, one of them may take within narrower bounds: the widest come last.
PROTOCOL = {key: wanted for way in WAYS.values() for key, wanted in way.keys.items()}
NO_AXES = ("weights", "strengths")  # a place, and a list of which each run chooses one itself
AXES = {key: wanted for way in WAYS.values() if way.trains for key, wanted in way.keys.items() if key not in NO_AXES}
PUBLISHED = "published"  # in the place of a way: the scores were published, and no run is made
