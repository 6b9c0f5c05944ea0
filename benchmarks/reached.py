"""Which unit tests reach which blocks of the code, or are near; mutants.py tries a fault on those.

A copy of the project is run once with a note at the head of each block (the body of a function, of an `if`, of a loop),
so that what tests reach in other processes counts, too. What a fixture reaches counts for all tests of its file.
"""

import ast
import hashlib
import json
import os
import subprocess
import sys
from collections import defaultdict, deque
from collections.abc import Iterator
from pathlib import Path

CODE = "workflow"
ROOTS = (
    "workflow/scripts",
    "workflow",
    "workflow/warm",
    "tests/helpers",
    "tests/helpers/*",
    "benchmarks",
)  # what imports are looked up in
SAME = 1.5  # steps of imports that the same room, or name, is worth
NOTE = '''"""Notes which test reaches which block; here for as long as benchmarks/reached.py looks."""
import os
_open, _write, _close, _seen, _last = os.open, os.write, os.close, set(), [""]


def reached(place):
    """Note a place once for each test."""
    _last[0] = os.environ.get("PYTEST_CURRENT_TEST", "") or _last[0]
    if (place, _last[0]) not in _seen:
        _seen.add((place, _last[0]))
        try:
            file = _open(f"{FOLDER}/{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
            _write(file, f"{place}\\t{_last[0]}\\n".encode())
            _close(file)
        except OSError:
            pass
'''
PLUGIN = '''"""Writes down how long each test took, and which failed."""
import json

def pytest_runtest_logreport(report):
    with open(TIMES, "a") as file:
        file.write(json.dumps([report.nodeid, report.duration, report.failed]) + "\\n")
'''


def blocks(source: str) -> dict[int, tuple[int, int]]:
    """{first line: (first, last)} of the blocks within functions."""
    found, lines = {}, source.splitlines()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for body in _bodies(function):
                statements = body[1:] if _is_docstring(body[0]) else body
                if statements:
                    first = min([statements[0].lineno, *(one.lineno for one in _decorators(statements[0]))])
                    if not lines[first - 1].lstrip().startswith("elif "):
                        found[first] = first, statements[-1].end_lineno
    return found


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for inner in ast.walk(node):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(inner, field, None)
            if isinstance(body, list) and body and not isinstance(inner, ast.ClassDef):
                yield body


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _decorators(node: ast.stmt) -> list[ast.expr]:
    return getattr(node, "decorator_list", [])


def noted(source: str, name: str) -> str:
    """The source with a note at the head of each block."""
    lines = source.splitlines(keepends=True)
    for first in sorted(blocks(source), reverse=True):
        indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip())]
        lines.insert(first - 1, f"{indent}_reached({f'{name}:{first}'!r})\n")
    top = ast.parse(source).body
    place = top[0].end_lineno if top and _is_docstring(top[0]) else 0
    lines.insert(place, "from apr._reached import reached as _reached\n")
    return "".join(lines)


def place_of(source: str, name: str, line: int) -> str | None:
    """The innermost block in which a line stands; None outside of functions."""
    around = [(last - first, first) for first, last in blocks(source).values() if first <= line <= last]
    return f"{name}:{min(around)[1]}" if around else None


class Reached:
    """The tests that reach each place, how long they take, and which fail without any fault."""

    def __init__(self, places: dict[str, list[str]], times: dict[str, float]) -> None:
        self.places, self.times = places, times

    def tests(self, source: str, name: str, line: int, seconds: float) -> list[str]:
        """The tests for a fault at a line, fast ones first, up to so many seconds in all (one at least).

        Outside of functions: those that reach any block of the file.
        """
        place = place_of(source, name, line)
        places = [place] if place else [one for one in self.places if one.startswith(f"{name}:")]
        every = sorted({test for one in places for test in self.places.get(one, ())}, key=self._rank(name))
        chosen, total = [], 0.0
        for test in every:
            total += self.times[test]
            if total > seconds and chosen:
                break
            chosen.append(test)
        return chosen

    def _rank(self, name: str):  # noqa: ANN202 - a key for sorting
        stem = Path(name).stem
        return lambda test: (self.times[test] * (0.2 if stem in test.partition("::")[0] else 1), test)


def reached(root: Path, folder: Path, known: Path | None, selected: list[str]) -> Reached:
    """Run the unit tests in a copy of the project; results in `known` are used again while their files are the same."""
    code = sorted((root / CODE).rglob("*.py"))
    state = _digest([*code, *sorted((root / "tests").glob("*.py"))])
    before = json.loads(known.read_text()) if known and known.exists() else {}
    before = before.get("files", {}) if before.get("state") == state else {}
    files = {}
    for path in (path for one in selected for path in ([root / one] if one.endswith(".py") else _below(root / one))):
        name, digest = str(path.relative_to(root)), _digest([path])
        files[name] = before[name] if before.get(name, {}).get("digest") == digest else {"digest": digest}
    new = [name for name, about in files.items() if "times" not in about]
    for name, found in _looked(root, folder, code, new).items():
        files[name] |= found
    if known:
        known.write_text(json.dumps({"state": state, "files": files}))
    places, times = defaultdict(list), {}
    for about in files.values():
        times |= about["times"]
        for place, tests in about["places"].items():
            places[place] += [test for test in tests if test in about["times"]]
    return Reached(places, times)


def _below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("test_*.py"))


def _digest(files: list[Path]) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


def _looked(root: Path, folder: Path, code: list[Path], tests: list[str]) -> dict[str, dict]:
    """{test file: places with the tests that reach them, times of the tests that pass}."""
    if not tests:
        return {}
    before = {path: path.read_text(encoding="utf-8") for path in code}
    notes, plugin, times = folder / "notes", folder / "plugin", folder / "times"
    for new in (notes, plugin):
        new.mkdir()
    (plugin / "test_times.py").write_text(f"TIMES = {str(times)!r}\n{PLUGIN}")
    extra = root / CODE / "scripts/apr/_reached.py"
    extra.write_text(f"FOLDER = {str(notes)!r}\n{NOTE}")
    for path, text in before.items():
        if path.parent != root / CODE / "scripts":
            path.write_text(noted(text, str(path.relative_to(root))), encoding="utf-8")
    try:
        times.touch()
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "test_times",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
        ]
        path = os.pathsep.join([str(plugin), os.environ.get("PYTHONPATH", "")])
        command += ["--continue-on-collection-errors", *tests]
        subprocess.run(command, cwd=root, env=os.environ | {"PYTHONPATH": path})
    finally:
        for path, text in before.items():
            path.write_text(text, encoding="utf-8")
        extra.unlink()
    return _gathered(tests, times, notes)


def _gathered(tests: list[str], times: Path, notes: Path) -> dict[str, dict]:
    found = {name: {"places": {}, "times": {}} for name in tests}
    failed = set()
    for line in times.read_text().splitlines():
        test, seconds, wrong = json.loads(line)
        taken = found[test.partition("::")[0]]["times"]
        taken[test] = taken.get(test, 0) + seconds
        failed |= {test} if wrong else set()
    for test in failed:
        print(f"left out, since it fails without a fault: {test}", flush=True)
        del found[test.partition("::")[0]]["times"][test]
    for file in notes.iterdir():
        for line in file.read_text().splitlines():
            place, _, rest = line.partition("\t")
            test, _, phase = rest.rpartition(" ")
            about = found.get(test.partition("::")[0])
            if about:
                tests_there = list(about["times"]) if phase == "(setup)" else [test]
                known = about["places"].setdefault(place, [])
                known += [one for one in tests_there if one not in known]
    return found


class Near:
    """The tests of a project, and how many imports lie between each and every file."""

    def __init__(self, root: Path) -> None:
        self.root, self._modules, self._known = root, {}, {}
        for folder in (place for pattern in ROOTS for place in sorted(root.glob(pattern)) if place.is_dir()):
            for file in sorted(folder.rglob("*.py")):
                name = file.relative_to(folder).with_suffix("").parts
                self._modules.setdefault(name[:-1] if name[-1] == "__init__" else name, file)
        self.steps = {test: self._steps(test) for test in sorted((root / "tests/unit").rglob("test_*.py"))}

    def tests(self, name: str) -> list[str]:
        """The files of tests that import a file, however far away, nearest first, then shortest."""
        file = self.root / name

        def far(test: Path) -> tuple[float, int, Path]:
            near = (file.stem in test.stem) + (file.parent.name == test.parent.name)
            return self.steps[test][file] - SAME * near, test.stat().st_size, test

        found = sorted((test for test, steps in self.steps.items() if file in steps), key=far)
        return [str(test.relative_to(self.root)) for test in found]

    def _steps(self, test: Path) -> dict[Path, int]:
        steps, waiting = {test: 0}, deque([test])
        beside = test.parent / "conftest.py"
        if beside.exists():
            steps[beside] = 0
            waiting.append(beside)
        while waiting:
            file = waiting.popleft()
            for other in self._imported(file):
                if other not in steps:
                    steps[other] = steps[file] + 1
                    waiting.append(other)
        return steps

    def _imported(self, file: Path) -> set[Path]:
        if file not in self._known:
            nodes, found = ast.walk(ast.parse(file.read_text(encoding="utf-8"))), set()
            for node in nodes:
                names = [one.name.split(".") for one in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [[*node.module.split("."), one.name] for one in node.names]
                for parts in names:
                    known = [self._modules.get(tuple(parts[:end])) for end in range(len(parts), 0, -1)]
                    found |= {next((one for one in known if one), file)}
            self._known[file] = found
        return self._known[file]
