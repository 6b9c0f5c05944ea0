"""Before Snakemake writes anything: a folder that cannot take it is one line with the reason and the remedy."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import first_look
from first_look import full_disk, look
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
