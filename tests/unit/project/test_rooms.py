"""The house: which room imports which, no circle between modules, no file and no folder that is too large to read."""

from collections import Counter
from graphlib import CycleError, TopologicalSorter

import pytest

from code_digest import imports
from study import ROOT

WORKFLOW = ROOT / "workflow"
LIBRARY = WORKFLOW / "scripts/apr"
DATA = ["data", "data/sources", "data/reading", "data/formats"]
RUNS = ["basics", "models", "runs", "runs/machine", "runs/finetuning", *DATA]
COMPARED = [*RUNS, "statistics", "statistics/transfer", "scores", "comparisons", "comparisons/transfer"]

# Each room of the library, and the others that its modules may import.
ROOMS = {
    "basics": [],
    "data/sources": ["basics"],
    "data/reading": ["basics", "data/sources"],
    "data/formats": ["basics", "data/sources", "data/reading"],
    "data": ["basics", *DATA],
    "models": ["basics"],
    "runs/machine": ["basics"],
    "runs": ["basics", "models", "runs/machine", *DATA],
    "runs/finetuning": [*RUNS],
    "runs/commands": [*RUNS],
    "statistics": ["basics"],
    "statistics/transfer": ["basics", "statistics"],
    "scores": [*RUNS, "statistics"],
    "comparisons": [*RUNS, "statistics", "scores"],
    "comparisons/transfer": [*RUNS, "statistics", "statistics/transfer", "scores", "comparisons"],
    "comparisons/answers": COMPARED,
    "claims": COMPARED,
    "figures": COMPARED,
    "figures/ranks": [*COMPARED, "figures"],
    "figures/lines": [*COMPARED, "figures"],
    "figures/transfer": [*COMPARED, "figures"],
    "figures/runs": [*COMPARED, "figures"],
    "figures/explorer": [*COMPARED, "figures"],
    "watch": COMPARED,
}
# Each room of the workflow: folders and flat files beside the library, which any of them may import.
AROUND = {
    "": [],
    "study": [""],
    "checks": ["", "study"],
    "cluster": ["", "study"],
    "warm": [],
    "mine": ["", "study", "checks"],
    "engine": ["", "study", "checks", "cluster", "warm"],
}
LONGEST = {".py": 300, ".smk": 150}  # lines
MOST = 14  # modules in a folder
FLAT = {"workflow/scripts"}  # a rule a script: a prefix (fig_, table_) is their folder


def modules_in(root):
    """Each module below a folder by its dotted name in parts; a package by its own."""
    files = sorted(file for file in root.rglob("*.py") if "__pycache__" not in file.parts)
    names = {file: file.relative_to(root).with_suffix("").parts for file in files}
    return {name[:-1] if name[-1] == "__init__" else name: file for file, name in names.items()}


def imported_by(file, modules):
    """The files that a module names in its import statements, whatever function they stand in."""
    for dots, names in imports(file.read_text(encoding="utf-8")):
        assert not dots, f"{file}: import modules by their whole name"
        known = [names[:end] for end in range(1, len(names) + 1) if names[:end] in modules]
        if known and modules[known[-1]] != file:
            yield modules[known[-1]]


def graph_of(roots):
    modules = {name: file for root in roots for name, file in modules_in(root).items()}
    return {file: set(imported_by(file, modules)) for file in modules.values()}


def against(graph, root, rooms):
    """What is wrong with the imports of the modules below a folder, by a table of its rooms."""

    def room(file):
        return file.parent.relative_to(root).as_posix().replace(".", "")

    known = [file for file in graph if file.is_relative_to(root)]
    strangers = [f"{file} is in no room" for file in known if room(file) not in rooms and file.parent != root]
    return strangers + [
        f"{file.relative_to(root)} imports {other.relative_to(root)}"
        for file in known
        for other in graph[file]
        if other.is_relative_to(root) and room(file) in rooms and room(other) not in [room(file), *rooms[room(file)]]
    ]


@pytest.fixture(scope="module")
def graph():
    return graph_of([WORKFLOW / "scripts", WORKFLOW])


def test_the_library_imports_down_the_rooms_and_knows_nothing_of_the_workflow(graph):
    assert against(graph, LIBRARY, ROOMS) == []
    beyond = {(file, other) for file in graph for other in graph[file] if file.is_relative_to(LIBRARY)}
    assert [(file, other) for file, other in beyond if not other.is_relative_to(LIBRARY)] == []
    text = "\n".join(file.read_text(encoding="utf-8") for file in LIBRARY.rglob("*.py"))
    assert not {names[0] for _, names in imports(text)} & {"snakemake", "yaml_files", "study", "checks", "cluster"}


def test_the_workflow_imports_down_its_rooms(graph):
    around = {file for file in graph if not file.is_relative_to(WORKFLOW / "scripts")}
    assert against({file: graph[file] & around for file in around}, WORKFLOW, AROUND) == []


def test_no_script_imports_a_script_or_the_workflow(graph):
    for script in (WORKFLOW / "scripts").glob("*.py"):
        assert all(other.is_relative_to(LIBRARY) for other in graph[script]), script


def test_no_modules_import_each_other_in_a_circle(graph):
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(str(file.relative_to(WORKFLOW)) for file in error.args[1]))


def test_a_wrong_direction_a_stranger_and_a_circle_are_found(tmp_path):
    texts = {
        "apr/basics/files.py": "def late():\n    from apr.runs.record import read_run\n",
        "apr/runs/record.py": "from apr.basics import files\n",
        "apr/attic/old.py": "import apr.basics.files\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    graph = graph_of([tmp_path])
    found = against(graph, tmp_path / "apr", ROOMS)
    assert found == [
        f"{tmp_path / 'apr/attic/old.py'} is in no room",
        "basics/files.py imports runs/record.py",
    ]
    with pytest.raises(CycleError):
        TopologicalSorter(graph).prepare()


def test_files_and_folders_can_be_overlooked():
    places = [ROOT / name for name in ("workflow", "rules", "tests", "benchmarks")]
    ours = [file for place in places for kind in LONGEST for file in place.rglob(f"*{kind}")]
    assert [file.name for file in ours if len(file.read_text().splitlines()) > LONGEST[file.suffix]] == []
    folders = Counter(
        file.parent.relative_to(ROOT).as_posix() for file in ours if file.suffix == ".py" and file.stem != "__init__"
    )
    assert {name: count for name, count in folders.items() if count > MOST and name not in FLAT} == {}


def test_names_of_test_files_without_a_package_are_unique():
    """pytest imports them by their names alone."""
    found = Counter(
        path.name for path in (ROOT / "tests").rglob("test_*.py") if not (path.parent / "__init__.py").exists()
    )
    assert [name for name, count in found.items() if count > 1] == []
