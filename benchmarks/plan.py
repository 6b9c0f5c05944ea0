"""What planning costs: dry runs of a study with none and with all of its runs present, beside a bare Snakefile.

    python benchmarks/plan.py --json plan.json
    python benchmarks/plan.py --config tests/workflow/tiny.yaml

The runs are made up in a temporary folder: every planned output as an empty file, its metadata recorded by Snakemake
itself (--touch), until "Nothing to be done" comes true. The peer is a Snakefile with as many jobs as the study has,
each with one input and one output, planned by the same Snakemake with none and with all of its outputs present and
without metadata: what Snakemake itself costs. Seconds are the wall's and the CPU's; the ratios are the CPU's, so that
other work on the machine does not count. The memory is the peak of one process.
"""

import argparse
import csv
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "workflow" / "scripts"))

from apr.basics.files import write_json

ROOT = Path(__file__).resolve().parents[1]
PEER = """
rule all:
    input:
        expand("outputs/{{number}}", number=range({jobs})),


rule make:
    input:
        "source",
    output:
        "outputs/{{number}}",
    shell:
        "touch {{output}}"
"""
# Snakemake with --touch sleeps a tenth of a second in every job; nothing here needs it.
TOUCH = (
    "from snakemake import cli; from snakemake.executors.touch import Executor; Executor.SLEEPING_TIME = 0; cli.main()"
)
DRY = ("--quiet", "rules", "--dry-run")


def snakemake(snakefile: Path, folder: Path, *options: str) -> list[str]:
    """The command line of Snakemake on `snakefile`, working in `folder`."""
    return [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile), "--directory", str(folder), *options]


def measured(command: Sequence[str]) -> dict:
    """Run a dry run; returns wall and CPU seconds, peak memory (MB) and the number of planned jobs.

    Raises:
        SystemExit: it failed.
    """
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        child = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode()
    jobs = re.search(r"^total +(\d+)", text, flags=re.MULTILINE)
    if child.returncode or not (jobs or "Nothing to be done" in text):
        sys.exit(f"error: {' '.join(command)} failed:\n{text[-3000:]}")
    return {
        "wall_seconds": round(wall, 2),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1024),  # kilobytes on Linux
        "jobs": int(jobs[1]) if jobs else 0,
    }


def planned_outputs(study: Sequence[str]) -> list[dict[str, str]]:
    """Every output of the study: output_file and the rule that makes it."""
    return list(csv.DictReader(completed([*study, "--summary"]).splitlines(), delimiter="\t"))


def make_present(paths: Sequence[Path]) -> None:
    """Empty files of one age: none is older than what it is made of."""
    now = time.time()
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (now, now))


def completed(command: Sequence[str]) -> str:
    """Standard output of a command.

    Raises:
        SystemExit: it failed.
    """
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} failed:\n{done.stderr[-3000:]}")
    return done.stdout


def compare(config: Path, figure: str, folder: Path, peer: Path) -> dict[str, dict]:
    """Plan the study and its peer, each with none and with all outputs present; print a line for each."""
    study = snakemake(ROOT / "Snakefile", folder, "--configfile", str(config))
    bare = snakemake(peer / "Snakefile", peer)
    outputs = planned_outputs(study)
    run = next(row["output_file"] for row in outputs if row["rule"] == "train")
    rows: dict[str, dict] = {}
    print(f"{'planned':24} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'jobs':>8}")

    def plan(name: str, command: Sequence[str]) -> None:
        rows[name] = measured(command)
        print(f"{name:24}", *(f"{value:>8}" for value in rows[name].values()), flush=True)

    def plan_all(state: str) -> None:
        for name, targets in {"whole": [], "figure": [figure], "run": [run]}.items():
            plan(f"{name}, {state}", [*study, *DRY, *targets])
        if state == "none present":
            jobs = rows["whole, none present"]["jobs"] - 1  # one is `all`
            (peer / "Snakefile").write_text(PEER.format(jobs=jobs), encoding="utf-8")
        plan(f"peer, {state}", [*bare, *DRY])

    (peer / "source").touch()
    plan_all("none present")
    make_present([folder / row["output_file"] for row in outputs])
    touch = [study[0], "-c", TOUCH, *study[3:], "--touch", "--forceall", "--quiet", "all"]
    completed(touch)
    make_present([peer / "outputs" / str(number) for number in range(rows["peer, none present"]["jobs"] - 1)])
    plan_all("all present")
    left = {name: row["jobs"] for name, row in rows.items() if name.endswith("all present") and row["jobs"]}
    if left:
        sys.exit(f"error: jobs are planned although every output was made up: {left}")
    return rows


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=ROOT / "config.yaml", help="the study (default config.yaml)")
    parser.add_argument("--directory", type=Path, help="where to make up the study (default a temporary folder)")
    parser.add_argument("--figure", default="fig_imagenet_vs_targets", help="target that stands for one figure")
    parser.add_argument("--json", type=Path, help="write the result to this file")
    options = parser.parse_args()
    if options.directory and options.directory.exists() and any(options.directory.iterdir()):
        parser.error(f"--directory {options.directory}: is not empty; name a new one, for its files are made up")
    with tempfile.TemporaryDirectory() as temporary:
        folder, peer = (options.directory or Path(temporary) / "study").resolve(), Path(temporary) / "peer"
        for path in (folder, peer):
            path.mkdir(parents=True, exist_ok=True)
        rows = compare(options.config.resolve(), options.figure, folder, peer)
    ratios = {
        f"ratio_to_peer_{state.replace(' ', '_')}": round(
            rows[f"whole, {state}"]["cpu_seconds"] / rows[f"peer, {state}"]["cpu_seconds"], 2
        )
        for state in ("none present", "all present")
    }
    print(json.dumps(ratios, indent=1))
    result = {"snakemake": version("snakemake"), "cpus": os.cpu_count(), "machine": platform.machine()}
    if options.json:
        write_json(options.json, {**result, **ratios, "plans": rows})


if __name__ == "__main__":
    main()
