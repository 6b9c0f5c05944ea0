"""Errors of a study's own claims: a file that can be read, of tasks whose models can be compared."""

from typing import Any

from apr.basics.problems import Problem
from apr.basics.values import nearest
from apr.claims.claims import read_claims
from checks.data import Errors, Known
from study import ROOT
from study.tasks import draws, ways_of

PATH = ["claims"]


def claim_errors(config: dict[str, Any], known: Known) -> Errors:
    """What is wrong with the file of `claims` and with the tasks that its claims are measured on."""
    file = config.get("claims")
    if file is None:
        return
    try:
        claims = read_claims(ROOT / file)
    except Problem as problem:
        yield PATH, str(problem)
        return
    # of a task that does not say how its runs are made, that is the error
    trained = [name for name, task in config["tasks"].items() if draws(task) or not ways_of(task)]
    for claim in claims:
        for task in claim.tasks:
            if task not in trained:
                yield PATH, f"{file}: claim {claim.id}: no task {task!r} trains models here{nearest(task, trained)}"
