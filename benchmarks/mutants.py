"""Do the tests notice faults? Put small ones into the code, one at a time, and count those that no test notices.

    python benchmarks/mutants.py training batches network --count 40
    python benchmarks/mutants.py all --count 100 --seed 2 --json mutants.json
    python benchmarks/mutants.py rules/training.smk workflow/study/files.py --tests tests/workflow/test_whole.py

A fault is a flipped comparison, another operator, a constant off by one, an argument or a statement that is left out,
`min` for `max` and their like; in a rule it is an `ancient`, an input or a parameter that is left out. Faults are drawn
by the seed. Each is tried in a copy of the project, made once at the start, on the unit tests that import the module
(or a helper that does), those named like it first. A test that hangs has noticed, where without a fault it ends in
time. What survives is printed as `file:line: before -> after`; the results file is written after each fault.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from faults import ROOT, Fault, faults_of

LIBRARY = "workflow/scripts/apr"
HANGS = 1000  # in place of an exit code: the tests were ended for their time
HEAVY = ("torch", "torchvision.models.regnet", "pandas", "scipy.stats", "matplotlib.figure", "PIL.Image")


def modules(names: list[str]) -> list[Path]:
    """The files that names such as training, figures.scatter, workflow/checks/config.py or all stand for."""
    if names == ["all"]:
        return sorted((ROOT / LIBRARY).rglob("*.py"))
    files = [ROOT / name if "/" in name else ROOT / LIBRARY / f"{name.replace('.', '/')}.py" for name in names]
    for file in files:
        if not file.is_file():
            sys.exit(f"error: {file.relative_to(ROOT)}: no such file; name a module of the library, or a path")
    return files


def mapped_tests(file: Path) -> list[str]:
    """The unit tests that import a module, or a helper that does; those that are named like it first."""
    name = file.stem if not file.is_relative_to(ROOT / LIBRARY) else _dotted(file)
    parent = re.escape(name.rpartition(".")[0] or " ")
    direct = rf"^\s*(from|import) {re.escape(name)}\b|^\s*from {parent} import .*\b{file.stem}\b"
    imports = re.compile(direct, re.M)
    files = [*(ROOT / "tests/unit").rglob("*.py"), *(ROOT / "tests/helpers").rglob("*.py")]
    unit = {path: path.read_text(encoding="utf-8") for path in files}
    helpers = {path.stem for path, text in unit.items() if imports.search(text) and not path.name.startswith("test_")}
    second = re.compile(rf"^from ({'|'.join(helpers)}) import" if helpers else "(?!)", re.M)
    chosen = [
        path
        for path, text in unit.items()
        if path.name.startswith("test_") and (imports.search(text) or second.search(text))
    ]
    chosen.sort(key=lambda path: (file.stem not in path.stem, not imports.search(unit[path]), path.name))
    return [str(path.relative_to(ROOT)) for path in chosen]


def _dotted(file: Path) -> str:
    return ".".join(file.relative_to(ROOT / LIBRARY).with_suffix("").parts).join(["apr.", ""]).removesuffix(".__init__")


class Copy:
    """A copy of the project in which faults are tried, and the test that goes on in it."""

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.root, self.fault, self.process, self.begun = folder / "project", None, 0, 0.0
        self.sound = ""  # the file as it is without the fault
        if source != ROOT:
            shutil.copytree(source, self.root, symlinks=True)
            if (source.parent / "shared").exists():
                (folder / "shared").symlink_to((source.parent / "shared").resolve())
            return
        listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        for name in subprocess.check_output(listed, cwd=ROOT, text=True).split("\0"):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        for beside in (ROOT.parent / "shared", ROOT / ".venv"):
            if beside.exists():
                (folder / "shared" if beside.name == "shared" else self.root / ".venv").symlink_to(beside.resolve())

    def start(self, fault: Fault | None, tests: list[str]) -> None:
        """Put a fault in and test, in a process that has the heavy imports already."""
        self.fault, self.begun = fault, time.monotonic()
        if fault:
            self.sound = text = (self.root / fault.file).read_text(encoding="utf-8")
            (self.root / fault.file).write_text(text[: fault.start] + fault.after + text[fault.end :], encoding="utf-8")
        self.process = os.fork()
        if not self.process:
            self._test(tests)

    def _test(self, tests: list[str]) -> None:
        os.setpgid(0, 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.chdir(self.root)
        with open(self.root.parent / "output", "w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        import pytest

        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *tests])))

    def ended(self, seconds: float) -> int | None:
        """Pytest's exit code, 0 if all tests passed, HANGS if they took longer; None while they run."""
        done, status = os.waitpid(self.process, os.WNOHANG)
        if not done and time.monotonic() - self.begun > seconds:
            os.killpg(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
            return self._restored(HANGS)
        return self._restored(os.waitstatus_to_exitcode(status)) if done else None

    def _restored(self, code: int) -> int:
        if self.fault:
            (self.root / self.fault.file).write_text(self.sound, encoding="utf-8")
        return code


def tried(
    faults: list[Fault],
    tests: dict[str, list[str]],
    copies: list[Copy],
    seconds: float,
    keep: Callable[[list[tuple[Fault, bool]]], None],
) -> list[tuple[Fault, bool]]:
    """Each fault, and whether a test noticed it; `keep` is given the results so far after each."""
    results, waiting, free, busy = [], list(reversed(faults)), list(copies), []
    try:
        while waiting or busy:
            while waiting and free:
                busy.append(free.pop())
                fault = waiting.pop()
                busy[-1].start(fault, tests[fault.file])
            for copy in list(busy):
                code = copy.ended(seconds)
                if code is not None:
                    results.append((copy.fault, code != 0))
                    keep(results)
                    said = "noticed " if code else "SURVIVED"
                    print(f"{len(results)}/{len(faults)} {said} {copy.fault}", flush=True)
                    busy.remove(copy)
                    free.append(copy)
            time.sleep(0.05)
    finally:
        for copy in busy:
            os.killpg(copy.process, signal.SIGKILL)
    return results


def main() -> None:
    """Draw faults, try them, and print the share that was noticed and what survived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "modules",
        nargs="+",
        help="such as runs.training, figures.ranks.scatter, rules/training.smk; or all",
    )
    parser.add_argument("--count", type=int, default=100, help="faults to try (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (default 1)")
    parser.add_argument("--tests", nargs="+", help="tests to run, by default those that import the module")
    parser.add_argument("--jobs", type=int, default=2, help="at once (default 2)")
    parser.add_argument("--seconds", type=float, default=1800, help="after which tests hang (default 1800)")
    parser.add_argument("--json", type=Path, help="write the results to this file, after each fault")
    options = parser.parse_args()
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the tests end, too
    for name in HEAVY:
        __import__(name)
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        try_all(options, Path(folder))


def try_all(options: argparse.Namespace, folder: Path) -> None:
    """Draw faults and try them in copies of the project as it is now, which are made before anything is read."""
    copies = [Copy(folder / "0")]
    copies += [Copy(folder / str(number), copies[0].root) for number in range(1, options.jobs)]
    files = modules(options.modules)
    tests = {str(file.relative_to(ROOT)): options.tests or mapped_tests(file) for file in files}
    copied = copies[0].root
    faults = [fault for file in files for fault in faults_of(copied / file.relative_to(ROOT), copied)]
    untested = sorted({fault.file for fault in faults if not tests[fault.file]})
    chosen = random.Random(options.seed).sample(faults, min(options.count, len(faults)))
    every = sorted({test for fault in chosen for test in tests[fault.file]})
    copies[0].start(None, every)
    while (code := copies[0].ended(options.seconds)) is None:
        time.sleep(0.05)
    if code:
        sys.exit(refusal(code, options.seconds, (folder / "0/output").read_text()))

    def keep(results: list[tuple[Fault, bool]]) -> None:
        if options.json:
            written(results, options.json)

    covered = [fault for fault in chosen if tests[fault.file]]
    results = tried(covered, tests, copies, options.seconds, keep)
    results += [(fault, False) for fault in chosen if not tests[fault.file]]
    keep(results)
    survivors = sorted((fault for fault, noticed in results if not noticed), key=lambda fault: (fault.file, fault.line))
    noticed = len(results) - len(survivors)
    share = f"{noticed / max(1, len(results)):.0%}"
    print(f"\n{noticed} of {len(results)} faults noticed ({share}), drawn of {len(faults):,}.")
    print("\n".join(["Survived:", *map(str, survivors)] if survivors else []))
    if untested:
        print(f"No unit test imports: {', '.join(untested)}")


def refusal(code: int, seconds: float, output: str) -> str:
    """Why no fault can be tried: the tests are too slow, or fail by themselves."""
    if code == HANGS:
        return (
            f"error: without any fault the tests take longer than --seconds {seconds:g}: raise it, or name fewer tests"
        )
    return f"error: without any fault the tests fail:\n{output[-3000:]}"


def written(results: list[tuple[Fault, bool]], path: Path) -> None:
    """Write the results so far, whole or not at all."""
    rows = [asdict(fault) | {"noticed": seen} for fault, seen in results]
    found = {"noticed": sum(seen for _, seen in results), "tried": len(results), "faults": rows}
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(found, indent=1) + "\n")
    part.replace(path)


if __name__ == "__main__":
    main()
