"""What thousands of jobs cost Snakemake and SLURM's controller: no-op trainings through the profile.

    python benchmarks/slurm_load.py --json load.json                 on a cluster of its own on this machine
    python benchmarks/slurm_load.py --trainings 2000 --minutes-per-job 60

Planning, grouping, submitting, polling and the controller are real; in place of a batch's Snakemake a job only touches
its outputs, since on one machine the jobs of a whole cluster would be measured. Two rounds: one training a job, and
batches of the length that --minutes-per-job asks for. The last line says what that means for the paper's study.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("workflow", "workflow/scripts", "tests/slurm")]

import yaml  # noqa: E402
from slurm_cluster import Cluster, missing  # noqa: E402

from apr.basics.files import write_json  # noqa: E402
from cluster.estimates import batch_size  # noqa: E402
from study import read_yaml, study_of  # noqa: E402

PAPER = ROOT / "config.yaml"
# In place of sbatch: the same call with a job that only touches the outputs of its targets.
SBATCH = """#!/bin/bash
last="${{@: -1}}"
case "$last" in
  --wrap=*--target-jobs*)
    runs=$(grep -oE "train:[^' ]*" <<<"$last" | sed -E 's|train:task=(.*),model=(.*)|\\1/\\2|' | tr '\\n' ' ')
    touch='for run in '$runs'; do touch results/runs/$run.json logs/train/$run.log logs/benchmarks/train/$run.tsv; done'
    exec {sbatch} "${{@:1:$#-1}}" --wrap="$touch" ;;
esac
exec {sbatch} "$@"
"""


def study(models: int) -> dict:
    """Two tasks of so many models each."""
    config = read_yaml(ROOT / "tests/slurm/study.yaml")
    config["population"] |= {"size": models, "width": [8, 256], "depth": [1, 4], "megaflops": [0.2, 20]}
    return config


def submitted(cluster: Cluster) -> list[str]:
    """When each job that the controller remembers was submitted."""
    text = cluster.command("squeue", "--states=all", "-h", "-O", "SubmitTime")
    return sorted(line.strip() for line in text.splitlines() if line.strip())


def burst(times: list[str]) -> float:
    """Jobs submitted per second while nothing had to be waited for: those until the queue held 200 (profile: jobs)."""
    first = [datetime.fromisoformat(text) for text in times[:200]]
    return round(len(first) / max(1.0, (first[-1] - first[0]).total_seconds()), 1)


def peak_mb(pid: int) -> float:
    """Peak memory of a process so far (MB)."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) / 1024 if found else 0.0
    except OSError:
        return 0.0


def rpcs(cluster: Cluster) -> dict[str, int]:
    """Requests to the controller by type since the last reset."""
    text = cluster.command("sdiag").partition("message type")[2].partition("by user")[0]
    return {name: int(count) for name, count in re.findall(r"(REQUEST_\w+)\s*\(\s*\d+\)\s*count:(\d+)", text)}


def round_of(cluster: Cluster, config: Path, folder: Path, names: list[str], minutes: float) -> dict:
    """Run all trainings once; returns what it took."""
    command = [sys.executable, "-m", "snakemake", *(f"results/runs/{name}.json" for name in names)]
    command += ["-s", str(ROOT / "Snakefile"), "--profile", str(ROOT / "slurm"), "--configfile", str(config)]
    command += ["--directory", str(folder), "--quiet", "all", "--config"]
    command += ["images_per_second=1000", "per_gpu=1", f"minutes_per_job={minutes:g}"]
    cluster.command("sdiag", "--reset")
    before = len(submitted(cluster))
    environment = os.environ | cluster.environment
    environment["PATH"] = os.pathsep.join([str(folder / "bin"), environment["PATH"]])
    started, memory = time.monotonic(), 0.0
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    while process.poll() is None:
        memory = max(memory, peak_mb(process.pid))
        time.sleep(0.5)
    wall = time.monotonic() - started
    if process.returncode:
        sys.exit(f"error: Snakemake ended with {process.returncode}; its log is under {folder}/.snakemake/log")
    times = submitted(cluster)[before:]
    return {
        "trainings": len(names),
        "jobs": len(times),
        "wall_seconds": round(wall, 1),
        "jobs_per_second": round(len(times) / wall, 2),
        "submitted_per_second": burst(times),
        "snakemake_peak_mb": round(memory),
        "rpcs": rpcs(cluster),
    }


def main() -> None:
    """Parse the command line, run both rounds, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trainings", type=int, default=1000, help="in each round (default 1000)")
    parser.add_argument("--minutes-per-job", type=float, default=20, help="of the second round (default 20)")
    parser.add_argument("--json", metavar="FILE", help="also write the numbers here")
    arguments = parser.parse_args()
    if missing():
        sys.exit(f"error: SLURM is not installed ({', '.join(missing())} missing); run: make test-slurm")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        config = folder / "study.yaml"
        config.write_text(yaml.safe_dump(study(arguments.trainings // 2)))
        tasks = study_of(read_yaml(config))
        names = [f"{task}/{run}" for task in tasks.tasks for run in tasks.runs(task)]
        cluster = Cluster(folder / "cluster")
        cluster.start()
        try:
            rounds = {
                label: measured_round(cluster, config, folder / label, names, minutes)
                for label, minutes in (("alone", 0.001), ("batched", arguments.minutes_per_job))
            }
        finally:
            cluster.stop()
    report(rounds, arguments.json)


def measured_round(cluster: Cluster, config: Path, folder: Path, names: list[str], minutes: float) -> dict:
    """One round in a folder of its own, with the images prepared."""
    (folder / "bin").mkdir(parents=True)
    for task in {name.split("/")[0] for name in names}:
        for place in ("results/runs", "logs/train", "logs/benchmarks/train"):
            (folder / place / task).mkdir(parents=True)
    shim = folder / "bin/sbatch"
    shim.write_text(SBATCH.format(sbatch=cluster.which("sbatch")))
    shim.chmod(0o755)
    prepare = [sys.executable, "-m", "snakemake", "results/views/digits.json", "-s", str(ROOT / "Snakefile")]
    prepare += ["--configfile", str(config), "--directory", str(folder), "--cores", "1", "--quiet", "all"]
    subprocess.run(prepare, check=True, cwd=ROOT)
    return round_of(cluster, config, folder, names, minutes)


def report(rounds: dict, path: str | None) -> None:
    """Print the rounds and what they say of the paper's study."""
    for label, result in rounds.items():
        calls = ", ".join(f"{name.removeprefix('REQUEST_').lower()} {count}" for name, count in result["rpcs"].items())
        print(f"{label}: {result['trainings']} trainings in {result['jobs']} jobs, {result['wall_seconds']} s")
        print(f"  {result['jobs_per_second']} jobs/s, {result['submitted_per_second']} submitted/s at first")
        print(f"  Snakemake {result['snakemake_peak_mb']} MB at most; requests to the controller: {calls}")
    paper = study_of(read_yaml(PAPER))
    jobs = sum(-(-len(paper.runs(task)) // batch_size(paper, task)) for task in paper.tasks)
    trainings = sum(len(paper.runs(task)) for task in paper.tasks)
    print(
        f"the paper's {trainings:,} trainings: {jobs:,} jobs of about an hour for the controller to take in and to end "
        f"instead of {trainings:,}; polling is one squeue every 30 to 180 s, however many they are"
    )
    if path:
        write_json(path, {"rounds": rounds, "paper": {"trainings": trainings, "jobs": jobs}})


if __name__ == "__main__":
    main()
