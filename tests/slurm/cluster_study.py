"""A study on the cluster of the tests, run through the profile."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from slurm_cluster import Cluster
from waits import LONGEST, wait_for
from warm_python import snakemake_script, warm_environment, warm_python

from apr.basics.leases import _born
from study import ROOT

STUDY = ROOT / "tests/slurm/study.yaml"
PROMPT = ROOT / "tests/slurm/prompt_snakemake.py"


class Study:
    """A study in a folder, run through the profile on the cluster, or on this machine where there is none."""

    def __init__(self, folder: Path, cluster: Cluster | None, config: Path = STUDY, warm: bool = True) -> None:
        self.folder, self.cluster, self.config, self.warm = folder, cluster, config, warm
        self.log = folder.parent / f"{folder.name}.log"

    def command(self, *arguments: str, per_gpu=1) -> list[str]:
        words = [warm_python(), PROMPT if self.cluster else snakemake_script(), "-s", ROOT / "Snakefile"]
        words += [*arguments, "--configfile", self.config, "--directory", self.folder]
        if self.cluster:
            words += ["--profile", ROOT / "slurm", "--slurm-init-seconds-before-status-checks", "2"]
            # as if these trainings took a quarter of an hour each, which no test does: two share a job
            words += ["--config", "images_per_second=1.5", f"per_gpu={per_gpu}", "minutes_per_job=40"]
        else:
            words += ["--cores", "2"]
        return list(map(str, words))

    def start(self, *arguments: str, **settings) -> subprocess.Popen:
        with self.log.open("a") as file:
            return subprocess.Popen(
                self.command(*arguments, **settings), stdout=file, stderr=file, cwd=ROOT, env=self.environment()
            )

    def run(self, *arguments: str, environment=None, **settings) -> subprocess.CompletedProcess:
        done = subprocess.run(
            self.command(*arguments, **settings),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=self.environment() | (environment or {}),
            timeout=LONGEST,
        )
        done.output = done.stdout + done.stderr
        return done

    def environment(self) -> dict[str, str]:
        if not self.cluster:
            return warm_environment()
        return os.environ | {"OMP_NUM_THREADS": "1", "APRBENCH_WARM": str(int(self.warm))} | self.cluster.environment

    def trainings(self) -> list[tuple[str, str, int]]:
        """Run, job and process of each training that has a checkpoint. What SLURM holds back is released."""
        for line in self.cluster.command("squeue", "-h", "--me", "-t", "PENDING", "-o", "%i %r").splitlines():
            job, _, reason = line.partition(" ")
            if "launch failed" in reason:  # rarely, where a node is back before SLURM has given it up
                self.cluster.command("scontrol", "release", job)
        running = self.cluster.command("squeue", "-h", "--me", "-t", "RUNNING", "-o", "%i").split()
        found = []
        for lease in sorted(self.folder.glob("results/checkpoints/*/*.lease")):
            with suppress(OSError, ValueError):  # it is just given back
                holder = json.loads(lease.read_text())
                alive = holder["job"] in running and holder["born"] == _born(holder["pid"])
                if alive and lease.with_suffix(".pt").exists():
                    found.append((f"{lease.parent.name}/{lease.stem}", holder["job"], holder["pid"]))
        return found

    def held(self, but=()) -> tuple[str, str, int]:
        """A training of another job than `but`. All that have a checkpoint stand still, so that none ends too early."""

        def find():
            for _, _, process in (found := self.trainings()):
                send(process, signal.SIGSTOP)
            return [one for one in found if one[1] not in but]

        return wait_for(find, what="a training with a checkpoint")[0]

    def let_go(self) -> None:
        """Let all trainings go on."""
        for _, _, process in self.trainings():
            send(process, signal.SIGCONT)


def send(process: int, number: signal.Signals) -> None:
    """Send a signal to a process, unless it has just ended."""
    with suppress(ProcessLookupError):
        os.kill(process, number)
