"""A copy of the project to edit, with a study of it; and every output of a study there without a training."""

import os
import shutil
import sys
import time
from pathlib import Path

import yaml
from plan import TOUCH, completed, make_present, planned_outputs
from plan import snakemake as command

from study import ROOT

from .conftest import snakemake

PARTS = ("Snakefile", "config.yaml", "rules", "studies", "workflow", "resources", "profiles", "slurm", "envs")


class ProjectCopy:
    """A copy of the project, and a study of it in a folder of its own.

    `more` is laid over the study's configuration; `files` are texts in place of the project's.
    """

    def __init__(
        self, folder: Path, config: Path, more: dict | None = None, files: dict[str, str] | None = None
    ) -> None:
        self.project, self.folder = folder / "project", folder / "study"
        self.project.mkdir()
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, self.project / part)
        for name, text in (files or {}).items():
            (self.project / name).write_text(text)
        self.configs = [shutil.copy(config, folder / "config.yaml"), folder / "small.yaml"]
        self.configs[1].write_text(yaml.safe_dump(more or {}))

    def run(self, *words, check=True):
        """Run Snakemake on the study."""
        options = {"directory": self.folder, "configs": self.configs, "check": check}
        return snakemake(*words, snakefile=self.project / "Snakefile", **options)

    def plan(self, *targets, folder=None, more=None, check=True):
        """A dry run; `more` is laid over the configuration."""
        configs = list(self.configs)
        if more:
            configs.append(self.folder.with_name("more.yaml"))
            configs[-1].write_text(yaml.safe_dump(more))
        options = {"directory": folder or self.folder, "configs": configs, "check": check}
        return snakemake(*targets, "-n", snakefile=self.project / "Snakefile", **options)


class MadeUp(ProjectCopy):
    """A copy of which everything that the study makes is there."""

    def __init__(self, folder: Path, config: Path, more: dict | None = None) -> None:
        super().__init__(folder, config, more)
        study = command(self.project / "Snakefile", self.folder, "--configfile", *map(str, self.configs))
        make_present([self.folder / row["output_file"] for row in planned_outputs(study)])
        touch = ["--touch", "--forceall", "--cores", "1000", "--quiet", "all"]
        completed([sys.executable, "-c", TOUCH, *study[3:], *touch])

    def renew(self) -> None:
        """Give every file of the project a new time, as a fresh clone has it."""
        later = time.time() + 60
        for file in self.project.rglob("*"):
            os.utime(file, (later, later))
