"""The search among the cells of a task's grid: which cells are tried, after how many epochs which go on, and its files.

Successive halving (Jamieson and Talwalkar 2016): after a few epochs the best 1 / halving of a model's cells go on, for
`halving` times as many epochs, until one is left or its epochs are over. Each cell is trained by its own whole schedule
and pauses, so that the run of one that goes on is that of the full grid.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rung = dict[str, int]  # after so many `epochs` `stay` of the `of` cells go on
DEFAULTS = {"cells": None, "seed": 0, "halving": None, "from_epochs": None}


def search_of(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """The search of a task's entry with all of its keys; None where all cells are trained to the end."""
    return DEFAULTS | entry["search"] if entry.get("search") else None


def drawn(
    cells: Sequence[dict[str, Any]], search: Mapping[str, Any] | None, name: Callable[[dict], str]
) -> list[dict[str, Any]]:
    """The cells that are tried, in the grid's order: the same for all models, and among those of a longer draw.

    Args:
        cells: all of the grid.
        search: of `search_of`.
        name: of a cell; the draw goes by names, so that it keeps what it can where the grid grows.
    """
    if not search or search["cells"] is None:
        return list(cells)

    def order(cell: dict[str, Any]) -> str:
        return hashlib.sha256(f"{search['seed']}{name(cell)}".encode()).hexdigest()

    chosen = sorted(cells, key=order)[: search["cells"]]
    return [cell for cell in cells if cell in chosen]


def rungs_of(search: Mapping[str, Any] | None, cells: int, epochs: int | None) -> list[Rung]:
    """After how many epochs how many of a model's cells go on; none where nothing is halved.

    Args:
        search: of `search_of`.
        cells: how many are tried.
        epochs: of a whole run.
    """
    rungs: list[Rung] = []
    if not search or not search["halving"] or epochs is None:
        return rungs
    pause, left = search["from_epochs"], cells
    while left > 1 and pause < epochs:
        stay = max(1, left // search["halving"])
        rungs.append({"epochs": pause, "of": left, "stay": stay})
        pause, left = pause * search["halving"], stay
    return rungs


def rung_file(task: str, epochs: int | str, run: str) -> str:
    """How far a run has come after so many epochs."""
    return f"results/rungs/{task}/{epochs}/{run}.json"


def halving_file(task: str, epochs: int | str, model: str) -> str:
    """Which cells of a model, by its short name, go on after so many epochs."""
    return f"results/halvings/{task}/{epochs}/{model}.json"


def choice_file(task: str, model: str) -> str:
    """Which cell of a model, by its short name, was chosen."""
    return f"results/choices/{task}/{model}.json"
