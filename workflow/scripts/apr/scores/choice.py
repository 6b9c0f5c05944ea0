"""The cell of a model that is trained again with other seeds: the one that the validation images chose."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apr.basics.problems import Problem
from apr.runs.metrics import METRICS
from apr.runs.record import COMPLETED, read_run
from apr.scores.chosen import choose
from apr.scores.collected import row_of
from apr.scores.table import YES

log = logging.getLogger("apr")


def chosen_cell(
    paths: Sequence[str | Path], cells: Mapping[str, Mapping[str, Any]], metric: str, by: str
) -> dict[str, Any]:
    """Which of a model's cells is chosen, as the score table says it.

    Args:
        paths: of the runs.
        cells: their names, in the same order, each with what its cell changes.
        metric: of the task.
        by: the part of the images.

    Returns:
        task, model, by; run, cell, status: of the chosen one.

    Raises:
        Problem: a run is broken, or was not evaluated on that part.
    """
    runs = [read_run(path) for path in paths]
    own = [{key: value for key, value in cell.items() if key != "seed"} for cell in cells.values()]
    rows = [row_of(run, METRICS[metric], None, cell) for run, cell in zip(runs, own, strict=True)]
    try:
        marked = choose(rows, by)
    except ValueError as error:
        raise Problem(f"{paths[0]}: {error}; give its dataset that part, or remove choose") from None
    place = next(number for number, row in enumerate(marked) if row["chosen"] == YES)
    run, name = runs[place], list(cells)[place]
    if run["outcome"]["status"] != COMPLETED:
        log.warning("%s on %s: no cell was trained to the end; takes %s", run["model"], run["task"], name)
    found = {"task": run["task"], "model": run["model"], "by": by, "run": name, "cell": own[place]}
    return found | {"status": run["outcome"]["status"]}
