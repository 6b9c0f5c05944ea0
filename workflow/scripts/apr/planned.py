"""What the study would make now of a planned run: status and audit hold runs against it, as the plan does."""

from collections.abc import Mapping
from typing import Any

from apr.runs import full_protocol


def protocol_now(entry: Mapping[str, Any], name: str, images: Mapping[str, Any], source: Mapping | None) -> dict:
    """The protocol of a planned run.

    Args:
        entry: of the task in the plan: protocol, and for each run its model, genotype and seed.
        name: of the run.
        images: the view's manifest.
        source: the run that it starts from, with what `full_protocol` asks of it, if any.
    """
    planned = entry["runs"][name]
    genotype = planned["genotype"] or source["protocol"]["genotype"]
    seed = {} if planned["seed"] is None else {"seed": planned["seed"]}
    return full_protocol({**entry["protocol"], **seed}, genotype=genotype, manifest=images, source=source)
