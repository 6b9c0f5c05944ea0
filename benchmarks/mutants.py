"""Do the tests notice faults? Put small ones into the code, one at a time, and count those that no test notices.

    python benchmarks/mutants.py runs.training models.network --count 40
    python benchmarks/mutants.py all --count 100 --seed 2 --reached reached.json --json mutants.json
    python benchmarks/mutants.py all workflow --count 100 --seed 2 --near 4 --json mutants.json
    python benchmarks/mutants.py rules --count 12 --tests tests/workflow/test_whole.py tests/workflow/test_triggers.py

A fault is a flipped comparison, another operator, a constant off by one, an argument or a statement that is left out,
`min` for `max` and their like; in a rule it is an `ancient`, an input or a parameter that is left out, an `output` that
a parameter does without, or another path. Faults are drawn by the seed. Each is tried in a copy of the project, made
once at the start, on the unit tests that reach the block of the fault (reached.py runs them once to see), fast ones
first; with --near, which needs no such run, on the files of tests nearest by imports, which have to pass without a
fault; for those of rules, name the tests. A test that hangs has noticed, where without a fault it ends in time. What
survives is printed as `file:line: before -> after`; the results file is written after each fault.
"""

import argparse
import json
import os
import random
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
from reached import Near, reached

LIBRARY = "workflow/scripts/apr"
ROOMS = ("", "study", "checks", "cluster", "engine", "warm", "mine")  # of workflow/, beside the library
HANGS = 1000  # in place of an exit code: the tests were ended for their time
HEAVY = ("torch", "torchvision.models.regnet", "pandas", "scipy.stats", "matplotlib.figure", "PIL.Image")


def modules(names: list[str]) -> list[Path]:
    """The files that names such as runs.training, workflow/checks/config.py, all, workflow or rules stand for."""
    if "rules" in names:
        return sorted((ROOT / "rules").rglob("*.smk"))
    files = sorted((ROOT / LIBRARY).rglob("*.py")) if "all" in names else []
    files += [
        file for room in ROOMS * ("workflow" in names) for file in sorted((ROOT / "workflow" / room).glob("*.py"))
    ]
    names = [name for name in names if name not in ("all", "workflow")]
    files += [ROOT / name if "/" in name else ROOT / LIBRARY / f"{name.replace('.', '/')}.py" for name in names]
    for file in files:
        if not file.is_file():
            sys.exit(f"error: {file.relative_to(ROOT)}: no such file; name a module of the library, or a path")
    return files


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
    tests: dict[Fault, list[str]],
    copies: list[Copy],
    seconds: float,
    keep: Callable[[list[tuple[Fault, bool]]], None],
) -> list[tuple[Fault, bool]]:
    """Each fault, and whether a test noticed it; `keep` is given the results so far after each."""
    results, waiting, free, busy = [], list(reversed(faults)), list(copies), []
    try:
        while waiting or busy:
            while waiting and free:
                fault = waiting.pop()
                free[-1].start(fault, tests[fault])
                busy.append(free.pop())
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
        help="such as runs.training, rules/training.smk; or all (the library), workflow (its other rooms), or rules",
    )
    parser.add_argument("--count", type=int, default=100, help="faults to try (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the draw (default 1)")
    parser.add_argument("--tests", nargs="+", help="tests to run, by default the unit tests that reach the fault")
    parser.add_argument("--reached", type=Path, help="keep in this file which tests reach what, and read it from there")
    parser.add_argument("--near", type=int, help="in place of that: so many files of tests, then three times as many")
    parser.add_argument(
        "--budget", type=float, default=60, help="seconds of tests for a fault, without it (default 60)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="at once (default 2)")
    parser.add_argument("--seconds", type=float, default=1800, help="after which tests hang (default 1800)")
    parser.add_argument("--json", type=Path, help="write the results to this file, after each fault")
    options = parser.parse_args()
    os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    sys.dont_write_bytecode = True
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # so that the tests end, too
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell starts this in the background
    for name in HEAVY:
        __import__(name)
    with tempfile.TemporaryDirectory(prefix="mutants") as folder:
        try_all(options, Path(folder))


def try_all(options: argparse.Namespace, folder: Path) -> None:
    """Draw faults and try them in copies of the project as it is now, which are made before anything is read."""
    copies = [Copy(folder / "0")]
    copies += [Copy(folder / str(number), copies[0].root) for number in range(1, options.jobs)]
    copied = copies[0].root
    sources = {
        name: (copied / name).read_text() for name in (str(file.relative_to(ROOT)) for file in modules(options.modules))
    }
    faults = [fault for name in sources for fault in faults_of(copied / name, copied)]
    chosen = random.Random(options.seed).sample(faults, min(options.count, len(faults)))
    if options.tests:
        tests = dict.fromkeys(chosen, options.tests)
        copies[0].start(None, options.tests)
        while (code := copies[0].ended(options.seconds)) is None:
            time.sleep(0.05)
        if code:
            sys.exit(refusal(code, options.seconds, (folder / "0/output").read_text()))
    elif options.near:
        every = Near(copied)
        near = {one.file: every.tests(one.file) for one in chosen}
        tests = {one: near[one.file][: options.near] for one in chosen}
    else:
        found = reached(copied, folder, options.reached, ["tests/unit"])
        tests = {one: found.tests(sources[one.file], one.file, one.line, options.budget) for one in chosen}

    def keep(results: list[tuple[Fault, bool]]) -> None:
        if options.json:
            written(results, options.json)

    covered = [fault for fault in chosen if tests[fault]]
    results = tried(covered, tests, copies, options.seconds, keep)
    if options.near:
        left = [fault for fault, noticed in results if not noticed]
        more = {fault: near[fault.file][options.near : 4 * options.near] or tests[fault] for fault in left}
        seen = [result for result in results if result[1]]
        results = seen + tried(left, more, copies, options.seconds, lambda found: keep(seen + found))
    results += [(fault, False) for fault in chosen if not tests[fault]]
    keep(results)
    survivors = sorted((fault for fault, noticed in results if not noticed), key=lambda fault: (fault.file, fault.line))
    noticed = len(results) - len(survivors)
    share = f"{noticed / max(1, len(results)):.0%}"
    print(f"\n{noticed} of {len(results)} faults noticed ({share}), drawn of {len(faults):,}.")
    print("\n".join(["Survived:", *map(str, survivors)] if survivors else []))
    for fault in survivors:
        if not tests[fault]:
            print(f"No unit test reaches {fault.file}:{fault.line}")


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
