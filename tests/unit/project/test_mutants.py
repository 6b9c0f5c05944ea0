"""The faults that benchmarks/mutants.py puts into code, and the tests that it runs for a module."""

import ast
import itertools
import json
import time
from types import SimpleNamespace

import mutants
import pytest
from faults import _code_faults, _rule_faults, faults_of
from mutants import HANGS, LIBRARY, Copy, modules, refusal, tried, written
from reached import Near, Reached, place_of, reached

CODE = '''"""A docstring with 3 numbers."""
import logging


def clip(values: list[int], most: int = 7) -> list[int]:
    """Another with 4."""
    logging.warning("at most %d", 5)
    if not values and most >= 2:
        raise ValueError(f"none of {6}")
    values.sort(key=len, reverse=True)
    return [min(value + 1, most) for value in values]
'''
RULES = """rule train:
    input:
        unpack(needed),
        view="a.json",
        packed=ancient(f"data/{name('x')}.bin"),
        runs="results/runs/{task}.json",
    params:
        recipe=lambda wildcards, output: 3,
"""


def changed(source, faults):
    return {source[:start] + after + source[end:] for start, end, after in faults}


def test_faults_of_code_are_code_and_leave_words_alone():
    made = changed(CODE, _code_faults(CODE))
    for text in made:
        ast.parse(text)
        assert text != CODE
        for words in ("with 3 numbers", "with 4", '"at most %d", 5', "list[int], most: int"):
            assert words in text
        assert "none of {6}" in text or "raise" not in text
    for piece in (
        *("((not values) or (most >= 2))", "(most > 2)", "most >= 3", "if (values) and", "most: int = 8"),
        *("values.sort(reverse=True)", "values.sort(key=len)", "reverse=False", "max(value + 1, most)"),
        *("(value - 1)", "value + 2", "return None", "2:\n        pass\n", "    pass\n    return"),
    ):
        assert any(piece in text for text in made), piece


def test_faults_of_rules_leave_out_what_keeps_results():
    made = changed(RULES, _rule_faults(RULES))
    assert any("packed=f\"data/{name('x')}.bin\"," in text for text in made)
    assert any("lambda wildcards: 3" in text for text in made)
    assert any("view=" not in text for text in made)
    assert any("recipe" not in text for text in made)
    assert any('runs="results/other_runs/{task}.json"' in text for text in made)


def test_each_module_has_faults_and_a_fault_says_where(monkeypatch):
    (file,) = modules(["basics.randomness"])
    faults = faults_of(file)
    text = file.read_text(encoding="utf-8")
    assert len(faults) > 20
    assert all(text[fault.start : fault.end] == fault.before for fault in faults)
    assert str(faults[0]).startswith(f"{LIBRARY}/basics/randomness.py:")


LOOKED_AT = '''"""Words."""


def sign(number: int) -> int:
    """Its sign."""
    if number < 0:
        return -1
    elif number > 0:
        return 1
    return 0
'''
LOOKS = """import subprocess
import sys

from apr.signs import sign


def test_here():
    assert sign(0) == 0


def test_elsewhere():
    subprocess.run([sys.executable, "-c", "from apr.signs import sign; sign(-2)"], check=True, cwd="workflow/scripts")


def test_wrong():
    assert sign(-1) == 1
"""


def test_a_fault_is_tried_on_the_tests_that_reach_its_block(tmp_path):
    root = tmp_path / "project"
    name, looks = "workflow/scripts/apr/signs.py", "tests/unit/test_signs.py"
    for file, text in {
        name: LOOKED_AT,
        looks: LOOKS,
        "pytest.ini": "[pytest]\npythonpath = workflow/scripts\n",
    }.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    known = tmp_path / "reached.json"
    for _ in range(2):
        found = reached(root, tmp_path, known, ["tests/unit"])
        assert (root / name).read_text() == LOOKED_AT
        assert found.tests(LOOKED_AT, name, 7, 100) == [f"{looks}::test_elsewhere"]  # and not the one that fails
        assert set(found.tests(LOOKED_AT, name, 6, 100)) == {f"{looks}::test_here", f"{looks}::test_elsewhere"}
        assert found.tests(LOOKED_AT, name, 9, 100) == []
        tmp_path.joinpath("times").unlink(missing_ok=True)  # the second time nothing runs


def test_fast_tests_of_a_module_come_first_and_the_others_as_long_as_there_is_time():
    times = {"tests/a.py::slow": 50.0, "tests/a.py::fast": 1.0, "tests/test_x.py::own": 4.0}
    found = Reached({"x.py:2": list(times)}, times)
    assert found.tests("def f():\n    return 1\n", "x.py", 2, 10) == ["tests/test_x.py::own", "tests/a.py::fast"]
    assert (
        found.tests("def f():\n    return 1\n", "x.py", 1, 1000)[-1] == "tests/a.py::slow"
    )  # outside: the whole file's
    assert place_of("def f():\n    return 1\n", "x.py", 1) is None


def test_the_nearest_tests_are_those_of_fewest_imports_of_the_same_room_and_name(tmp_path):
    for name, text in {
        "workflow/scripts/apr/runs/steps.py": "from apr.basics import files",
        "workflow/scripts/apr/basics/files.py": "",
        "tests/helpers/made/runs_made.py": "import apr.runs.steps",
        "tests/unit/basics/test_files.py": "from apr.basics.files import read",
        "tests/unit/basics/test_others.py": "import apr.basics.files  # and more",
        "tests/unit/runs/test_whole.py": "import runs_made",
        "tests/unit/runs/test_steps.py": "def test():\n    from apr.runs import steps",
        "tests/unit/test_none.py": "import json",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    near = Near(tmp_path)
    assert near.tests("workflow/scripts/apr/runs/steps.py") == [
        f"tests/unit/runs/test_{name}.py" for name in ("steps", "whole")
    ]
    assert near.tests("workflow/scripts/apr/basics/files.py") == [
        *(f"tests/unit/basics/test_{name}.py" for name in ("files", "others")),
        *(f"tests/unit/runs/test_{name}.py" for name in ("steps", "whole")),
    ]


def test_the_rooms_of_the_workflow_stand_beside_the_library():
    names = {str(file.relative_to(mutants.ROOT)) for file in modules(["all", "workflow"])}
    assert {"workflow/study/tasks.py", "workflow/yaml_files.py", f"{LIBRARY}/runs/training.py"} <= names
    assert not [name for name in names if name.startswith("workflow/scripts/") and not name.startswith(LIBRARY)]


def test_an_unknown_module_is_named():
    with pytest.raises(SystemExit, match="no such file; name a module of the library, or a path"):
        modules(["trainings"])


def test_slow_tests_without_a_fault_are_called_slow():
    assert "take longer than --seconds 30: raise it" in refusal(HANGS, 30, "")
    assert refusal(1, 30, "x" * 9000).endswith("fail:\n" + "x" * 3000)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with one file, whose tests pass, or hang, as its text says; only while they hang does time pass."""
    clock = itertools.count()

    def now():
        return next(clock) if "<=" in (tmp_path / "copy/project/a.py").read_text() else 0

    monkeypatch.setattr(mutants, "time", SimpleNamespace(monotonic=now, sleep=time.sleep))
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.py").write_text("x = 1 < 2\n")

    def test(self, tests):
        mutants.os.setpgid(0, 0)
        text = (self.root / "a.py").read_text()
        while "<=" in text:
            time.sleep(0.01)
        mutants.os._exit("2" in text)

    monkeypatch.setattr(Copy, "_test", test)
    return source


def test_faults_are_of_the_copy_and_results_are_kept_after_each(project, tmp_path):
    copy = Copy(tmp_path / "copy", project)
    faults = faults_of(copy.root / "a.py", copy.root)
    (project / "a.py").write_text("edited meanwhile\n")
    kept = []
    results = tried(faults, {fault: [] for fault in faults}, [copy], 2.5, lambda found: kept.append(len(found)))
    assert kept == list(range(1, len(faults) + 1))
    assert (copy.root / "a.py").read_text() == "x = 1 < 2\n"
    noticed = {fault.after: seen for fault, seen in results}
    assert noticed.pop("3") is False
    assert set(noticed.values()) == {True}
    written(results, tmp_path / "found.json")
    assert json.loads((tmp_path / "found.json").read_text())["tried"] == len(faults)


def test_tests_that_take_too_long_are_told_from_those_that_fail(project, tmp_path):
    (project / "a.py").write_text("x = 1 <= 2\n")
    copy = Copy(tmp_path / "copy", project)
    copy.start(None, [])
    while (code := copy.ended(2.5)) is None:
        time.sleep(0.01)
    assert code == HANGS
