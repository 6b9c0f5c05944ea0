"""Before Snakemake writes anything: a folder that cannot take it, or an interruption, is one line with the remedy."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

import first_look
from first_look import full_disk, look
from locked import why_locked
from study import ROOT


def disk(**changes):
    plenty = {"f_blocks": 10**9, "f_frsize": 4096, "f_bavail": 10**9, "f_files": 10**9, "f_favail": 10**9}
    return lambda path: SimpleNamespace(**plenty | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, None),
        ({"f_bavail": 0}, r"the disk is full \(0\.0 MB free on /.*\); free 20 MB or more, or give a folder on another"),
        ({"f_bavail": 4000}, r"16\.4 MB free"),
        ({"f_blocks": 0, "f_bavail": 0}, None),  # file systems that do not say
        ({"f_favail": 0}, "takes no more files"),
        ({"f_files": 0, "f_favail": 0}, None),
    ],
)
def test_a_full_disk_ends_in_one_line(tmp_path, monkeypatch, changes, message):
    monkeypatch.setattr(os, "statvfs", disk(**changes))
    options = ["--directory", str(tmp_path / "study"), "--configfile", str(ROOT / "studies/demo.yaml")]
    if message is None:
        look(options)
        return
    with pytest.raises(SystemExit, match=message) as ended:
        look(options)
    assert str(ended.value).startswith(f"error: {tmp_path / 'study'}: ")
    assert "\n" not in str(ended.value)
    for harmless in ("-n", "-np", "--dry-run", "--unlock", "--delete-all-output"):
        look([*options, harmless])


def test_a_file_system_that_does_not_answer_and_a_folder_of_others_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written to" in full_disk(tmp_path)

    def stale(path):
        raise OSError(116, "Stale file handle")

    monkeypatch.setattr(os, "statvfs", stale)
    assert "does not answer (Stale file handle)" in full_disk(tmp_path)


def test_snakemake_says_it_and_nothing_else(tmp_path):
    code = "import os, types; os.statvfs = lambda _: types.SimpleNamespace(f_blocks=9, f_frsize=1, f_bavail=0)\n"
    code += "import sys; from snakemake.cli import main; main(sys.argv[1:])"
    command = [sys.executable, "-c", code, "-s", str(ROOT / "Snakefile"), "-d", str(tmp_path), "results/population.csv"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "the disk is full" in done.stderr
    assert [line for line in done.stderr.splitlines() if "the disk is full" not in line] == [
        "Using workflow specific profile profiles/default for setting default command line arguments."
    ]
    assert list(tmp_path.iterdir()) == []
    assert first_look.LEAST_FREE <= 10**8


def lock(folder, age=0):
    """Snakemake's lock as a run leaves it that makes the population of a study."""
    for name in (".snakemake/locks/0.output.lock", "results/STATUS"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("results/population.csv\n")
        os.utime(folder / name, (time.time() - age,) * 2)


def test_a_second_run_is_told_of_the_first_in_one_line(tmp_path):
    lock(tmp_path)
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "-d", str(tmp_path), "--quiet", "all"]
    command += ["--configfile", str(ROOT / "studies/demo.yaml"), "--", "results/population.csv"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("Using ")]
    assert line.startswith(
        f"error: {tmp_path}: another run of this study goes on in this folder ({tmp_path}/results/ST"
    )
    assert line.endswith("release its lock: the same snakemake command with --unlock")
    assert (tmp_path / ".snakemake/locks/0.output.lock").exists()
    assert not (tmp_path / "results/population.csv").exists()


def test_a_lock_that_nobody_holds_any_more_comes_with_its_remedy(tmp_path, monkeypatch):
    assert why_locked(tmp_path) is None
    monkeypatch.setattr("locked.ROOT", tmp_path)
    mine, own = tmp_path / "mine/shells", tmp_path / "elsewhere"
    for folder in (mine, own):
        lock(folder, age=7200)
    (mine / "configfiles").touch()
    assert "last heard of 120 minutes ago" in why_locked(mine)
    assert why_locked(mine).endswith("If no other run goes on here, release its lock: make unlock STUDY=mine/shells")
    assert why_locked(own).endswith("the same snakemake command with --unlock")


@pytest.mark.parametrize(
    ("command", "interrupted"),
    [
        (["-P", "workflow/interruptible.py", "--version"], "snakemake/cli.py"),
        (["workflow/mine", "tell", "mine"], "yaml.py"),
    ],
)
def test_ctrl_c_during_imports_ends_in_one_line(tmp_path, command, interrupted):
    module = tmp_path / interrupted
    module.parent.mkdir(exist_ok=True)
    module.with_name("__init__.py").touch()
    module.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (128 + signal.SIGINT, "")
    assert done.stderr == "interrupted; the same command goes on\n"
