"""How the models of a task came by their scores, in words: fine-tuned or not, for how long, at which size."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

How = Mapping[str, Any]  # of one task: way, what its protocol says of it, grid and choose, as the study gives them

FINE_TUNED, FEATURES, SCRATCH = "fine-tuned", "fixed features", "from scratch"
WORDS = {"probe": FEATURES, "evaluate": "evaluated as they are", "published": "as published", "train": SCRATCH}
OPTIMISERS = {"sgd": "SGD", "adamw": "AdamW"}
CLASSIFIERS = {"logistic": "a logistic regression", "neighbours": "nearest neighbours"}
MOST_LISTED = 6  # values of a grid that a sentence lists


def word_of(how: How) -> str:
    """What the models of a task are called: "fine-tuned", "fixed features", "from scratch", ..."""
    if how["way"] != "finetune":
        return WORDS[how["way"]]
    if how.get("start") == "scratch":
        return SCRATCH
    return f"{FINE_TUNED} (the head alone)" if how.get("layers") == "head" else FINE_TUNED


def trained_as(trained: Iterable[tuple[str, How]]) -> str:
    """A sentence on how each task was trained, tasks that were trained alike together; empty where none was here.

    Args:
        trained: title of each task, and how.
    """
    alike: dict[str, list[str]] = {}
    for title, how in trained:
        alike.setdefault(_clause(how), []).append(title)
    if not set(alike) - {WORDS["published"]}:
        return ""
    return f" How: {'; '.join(f'{_listed(titles)}: {clause}' for clause, titles in alike.items())}."


def _clause(how: How) -> str:
    """Such as "fine-tuned for 3 epochs at 64 px by SGD, the best by validation of 2 cells (lr 0.005, 0.02)"."""
    text = word_of(how)
    if "epochs" in how:
        text += f" for {how['epochs']} epoch{'' if how['epochs'] == 1 else 's'}"
    if how.get("classifier"):
        text += f" under {CLASSIFIERS[how['classifier']]}"
    if "resolution" in how:
        text += f" at {how['resolution']} px" if how["resolution"] else " at each model's own resolution"
    grid = how.get("grid") or {}
    if how.get("optimiser") and not any("optimiser" in axis.split(", ") for axis in grid):
        text += f" by {OPTIMISERS.get(how['optimiser'], how['optimiser'])}"
    again = f", which is trained with {how['again']} more seeds" if how.get("again") else ""
    return text + _grid(grid, how.get("choose"), how.get("tried")) + again


def _grid(grid: Mapping[str, Any], choose: str | None, tried: int | None) -> str:
    cells = {axis: values for axis, values in grid.items() if axis != "seed"}
    texts = []
    if count := math.prod(map(len, cells.values())) * bool(cells):
        short = sum(map(len, cells.values())) <= MOST_LISTED and not any(", " in axis for axis in cells)
        names = [
            f"{axis.replace('_', ' ')}{' ' + ', '.join(map(str, values)) if short else ''}"
            for axis, values in cells.items()
        ]
        chosen = f"the best by {choose} of" if choose else "all of"
        some = f"{tried:,} cells drawn from {count:,}" if tried and tried < count else f"{count:,} cells"
        texts.append(f"{chosen} {some} ({'; '.join(names)})" if count > 1 else f"{'; '.join(names)}")
    if seeds := len(grid.get("seed", ())):
        texts.append(f"{seeds} seed{'' if seeds == 1 else 's'}")
    return "".join(f", {text}" for text in texts)


def _listed(titles: Iterable[str]) -> str:
    return ", ".join(titles)
