"""A study on the cluster of the tests, run through the profile."""

import os
import subprocess
import sys
from pathlib import Path

from slurm_cluster import Cluster
from waits import LONGEST

from study import ROOT

STUDY = ROOT / "tests/slurm/study.yaml"


class Study:
    """A study in a folder, run through the profile on the cluster."""

    def __init__(self, folder: Path, cluster: Cluster | None, config: Path = STUDY) -> None:
        self.folder, self.cluster, self.config = folder, cluster, config
        self.log = folder.parent / f"{folder.name}.log"

    def command(self, *arguments: str, per_gpu=1, minutes_per_job=3.5) -> list[str]:
        words = [*[sys.executable, "-m", "snakemake", "-s", ROOT / "Snakefile"], *arguments]
        words += ["--configfile", self.config, "--directory", self.folder]
        if self.cluster:
            words += ["--profile", ROOT / "slurm", "--slurm-init-seconds-before-status-checks", "2"]
            # as if these trainings took a minute each: three share a job
            words += ["--config", "images_per_second=80", f"per_gpu={per_gpu}", f"minutes_per_job={minutes_per_job}"]
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
        threads = {"OMP_NUM_THREADS": "1"}
        return os.environ | threads | (self.cluster.environment if self.cluster else {})
