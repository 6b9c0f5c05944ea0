"""`make help` and `make setup`: what a newcomer types first."""

import re
import subprocess
import sys

import pytest

from apr.basics.facts import read_facts
from help import ROOT, make_targets

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def make(*arguments):
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_help_lists_every_target_with_a_sentence_and_every_item():
    text = make("help")
    targets = re.findall(r"^\.PHONY: (\S+)$", MAKEFILE, re.MULTILINE)
    assert [name for name, _ in make_targets(MAKEFILE)] == targets
    for name in targets:
        assert re.search(rf"^  make {name} +\w.*\w", text, re.MULTILINE), name
    for file in ROOT.glob("resources/*items.yaml"):
        for name, entry in read_facts(file)["items"].items():
            line = rf"^  {re.escape(entry['item'])} +{name} +{re.escape(entry['shows'])}$"
            assert bool(re.search(line, text, re.MULTILINE)) == ("{" not in entry["item"])


def test_before_anything_is_set_up_help_says_how_to():
    done = subprocess.run([sys.executable, "-S", "workflow/help.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    assert "  make setup " in done.stdout
    assert "After `make setup`, this also lists every table" in done.stdout


def test_setup_makes_the_environment_and_nothing_else(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    (tmp_path / "envs").mkdir()
    for name in ("bootstrap.lock", "runtime.lock"):
        (tmp_path / "envs" / name).touch()
    done = subprocess.run(["make", "-n", "setup"], cwd=tmp_path, capture_output=True, text=True, check=True)
    steps = ["python3 -m venv .venv", "-r envs/bootstrap.lock", "uv pip sync", "touch .venv/runtime.stamp"]
    places = [done.stdout.index(step) for step in steps]
    assert places == sorted(places)
    assert "snakemake" not in done.stdout


def test_mine_takes_what_make_was_told_and_nothing_of_the_shell_around_it(monkeypatch):
    monkeypatch.setenv("NAME", "a-machine")  # as some systems set it
    text = make("-n", "-o", ".venv/runtime.stamp", "mine", "DATA=/my pictures", "MINUTES=20")
    (look,) = [line for line in text.replace("\\\n", "").splitlines() if "workflow/mine look" in line]
    assert re.search(r'look +--minutes "\$MINUTES" +--cores 2 -- "\$DATA"\);', look), look


@pytest.mark.parametrize(
    ("study", "files"),
    [([], "studies/demo.yaml"), (["STUDY=published"], "studies/published.yaml"), (["STUDY=mine/a"], "b.yaml c.yaml")],
)
def test_the_lock_of_any_study_is_released(tmp_path, study, files):
    (tmp_path / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    for folder in ("demo", "published", "mine/a", ".venv/bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mine/a/configfiles").write_text("b.yaml c.yaml\n")
    (tmp_path / ".venv/bin/snakemake").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / ".venv/bin/snakemake").chmod(0o755)
    command = ["make", "-s", "-o", ".venv/runtime.stamp", "unlock", *study]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    folder = study[0].removeprefix("STUDY=") if study else "demo"
    assert done.stdout == f"--configfile {files} --directory {folder} --unlock\n"
    wrong = subprocess.run([*command, "STUDY=nowhere"], cwd=tmp_path, capture_output=True, text=True)
    assert wrong.returncode != 0
    assert "STUDY=nowhere: there is no such folder" in wrong.stderr
