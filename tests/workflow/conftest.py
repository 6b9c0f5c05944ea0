"""One tiny study, run once for all tests of the workflow."""

import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from waits import LONGEST
from warm_python import snakemake_script, warm_environment, warm_python

from study import ROOT

TINY = ROOT / "tests/workflow/tiny.yaml"


def snakemake(*arguments, directory, configs=(TINY,), check=True, snakefile=ROOT / "Snakefile"):
    """Run Snakemake on the project; targets come first. Returns the finished process with its output as text."""
    words = ["-s", str(snakefile), *map(str, arguments)]
    words += ["--directory", str(directory), "--configfile", *map(str, configs)]
    command, environment = [warm_python(), snakemake_script(), *words], warm_environment()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=LONGEST, env=environment)
    done.output = done.stdout + done.stderr
    assert not check or done.returncode == 0, done.output[-4000:]
    return done


def planned(done):
    """{rule: number of jobs} of a dry run."""
    table = re.search(r"^job +count\n[- ]+\n(.*?)\n\n", done.output, flags=re.MULTILINE | re.DOTALL)
    if table is None:
        assert "Nothing to be done" in done.output, done.output[-2000:]
        return {}
    jobs = {rule: int(count) for rule, count in (line.split() for line in table[1].splitlines())}
    return {rule: count for rule, count in jobs.items() if rule not in ("total", "all")}


def changed(path, **sections):
    """A copy of the tiny study at `path` with some sections merged in."""

    def merge(base, more):
        for key, value in more.items():
            base[key] = merge(base.get(key) or {}, value) if isinstance(value, dict) else value
        return base

    path.write_text(yaml.safe_dump(merge(yaml.safe_load(TINY.read_text()), sections)))
    return path


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The folder of the finished tiny study, run once for all processes of tests; read it, do not change it."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, done = base / "tiny", base / "tiny.done"
    with (base / "tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            snakemake("-c2", directory=folder)
            done.touch()
    return folder


@pytest.fixture
def copy(finished, tmp_path) -> Path:
    """A copy of the finished study, with its times, to change."""
    shutil.copytree(finished, tmp_path / "study", symlinks=True)
    return tmp_path / "study"


@pytest.fixture
def coloured_folder(tmp_path) -> Path:
    """A folder of class folders with small PNGs, as a user may have one."""
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    for label, colour in {"red": (200, 60, 60), "green": (60, 200, 60), "blue": (60, 60, 200)}.items():
        (tmp_path / "swatches" / label).mkdir(parents=True)
        for number in range(30):
            pixels = np.clip(np.array(colour) + generator.integers(-60, 60, (20, 24, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "swatches" / label / f"{number}.png")
    return tmp_path / "swatches"
