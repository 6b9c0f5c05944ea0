"""Which unit tests are nearest to a file: by imports, room and name. mutants.py takes them where no map is made."""

import ast
from collections import deque
from pathlib import Path

ROOTS = (
    "workflow/scripts",
    "workflow",
    "tests/helpers",
    "tests/helpers/*",
    "benchmarks",
)  # what imports are looked up in
SAME = 1.5  # steps of imports that the same room, or name, is worth


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
