"""The workflow's own modules import no circle, and go one way: engine, cluster and checks ask the study, never back."""

from graphlib import TopologicalSorter

import pytest

from code_digest import imports
from study import ROOT

FOLDER = ROOT / "workflow"
ROOMS = ("study", "checks", "cluster", "engine")
ABOVE = {"study": [], "checks": ["study"], "cluster": ["study"], "engine": ["checks", "cluster", "study"]}


def modules():
    """{module: file} of the rooms; a package is its __init__."""
    found = {}
    for room in ROOMS:
        for file in (FOLDER / room).glob("*.py"):
            found[room if file.stem == "__init__" else f"{room}.{file.stem}"] = file
    return found


def imported(file, known):
    """The modules of the rooms that a file imports."""
    for _, names in imports(file.read_text()):
        yield next((name for end in (2, 1) if (name := ".".join(names[:end])) in known), None)


def graph():
    known = modules()
    return {name: {other for other in imported(file, known) if other} - {name} for name, file in known.items()}


def test_there_is_no_circle():
    order = list(TopologicalSorter(graph()).static_order())
    assert {"study", "study.study", "checks.config", "engine.setup"} <= set(order)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_those_above_it_alone(room):
    rooms = {other.partition(".")[0] for name, found in graph().items() if name.startswith(room) for other in found}
    assert rooms <= {room, *ABOVE[room]}
