"""A run as it would be written, of a model and images that nobody has."""

from apr.runs.metrics import part_of
from apr.runs.protocol import full_protocol
from apr.runs.record import new_run

MANIFEST = {"view": "v", "dataset": "d", "dataset_digest": "x", "indices_digest": "y", "classes": ["a", "b"]}
PARTS = {
    "test": part_of(8, {"correct_top1": 6, "correct_top5": 7}),
    "train": part_of(40, {"correct_top1": 39, "correct_top5": 40}),
}
OUTCOME = {"status": "completed", "parts": PARTS}


def a_run(**outcome):
    protocol = full_protocol({"epochs": 3, "lr": 0.1, "seed": 4}, genotype="d=1 w=8 b=1 g=1", manifest=MANIFEST)
    outcome = OUTCOME | outcome
    return new_run(
        task="t", model="a000", protocol=protocol, outcome=outcome, history=[], timing={"seconds": 1}, provenance={}
    )
