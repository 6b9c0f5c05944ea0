"""Unfinished files and folders: they go with their process, whatever ends it, and never those of a living one."""

import os
import signal
import subprocess
import sys
import time

import pytest

from apr.basics import files, parts
from apr.basics.files import atomic_file, atomic_folder, atomic_path, write_text
from apr.basics.problems import Problem
from study import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"
WRITE = """
import sys, time
from pathlib import Path
from apr.basics.files import atomic_folder, atomic_path
from apr.basics.logs import log_to
with log_to(None), atomic_path(sys.argv[1] + "/a.json"), atomic_folder(sys.argv[1] + "/set") as part:
    (part / "inside").mkdir()
    (part / "inside" / "1.jpg").write_text("1")
    Path(sys.argv[1] + "/begun").touch()
    time.sleep(1800)
"""


@pytest.fixture(autouse=True)
def _fresh():
    """Each test is a new process as far as sweeping goes."""
    parts._swept.clear()


def begun(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE, str(folder)],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 1800
    while not (folder / "begun").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    return process


def unfinished(folder):
    return sorted(path.name for path in folder.iterdir() if ".part" in path.name)


def test_a_killed_process_is_swept_after_and_a_living_one_is_not(tmp_path):
    process = begun(tmp_path)
    assert len(unfinished(tmp_path)) == 2
    write_text(tmp_path / "b.json", "b")
    assert len(unfinished(tmp_path)) == 2
    process.kill()
    process.wait()
    assert len(unfinished(tmp_path)) == 2
    parts._swept.clear()
    write_text(tmp_path / "b.json", "b")
    assert unfinished(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_asked_for_end_cleans_up(tmp_path, number):
    process = begun(tmp_path)
    process.send_signal(number)
    _, said = process.communicate(timeout=1800)
    assert process.returncode == 128 + number
    assert f"interrupted by {number.name}" in said
    assert "Traceback" not in said
    assert unfinished(tmp_path) == []


def test_a_number_that_is_used_again_is_told_apart(tmp_path):
    part = tmp_path / f".x.{parts._place()}-{os.getpid()}-1-abcdefgh.part.json"
    part.touch()
    write_text(tmp_path / "b.json", "b")
    assert not part.exists()


@pytest.mark.parametrize("silent", [10.0, 10 * parts.STALE])
def test_a_part_of_another_host_goes_when_it_was_not_touched_for_long(tmp_path, silent):
    part = tmp_path / ".set.0badcafe-1-1-abcdefgh.part"
    (part / "inside").mkdir(parents=True)
    then = time.time() - silent
    os.utime(part, (then, then))
    write_text(tmp_path / "b.json", "b")
    assert part.exists() == (silent < parts.STALE)


def test_what_is_no_part_stays(tmp_path):
    names = [".a.part", ".a.json", "a.part.json", ".x.0badcafe-1-1.part", ".x.0badcafe-1-1-abcdefgh.party"]
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    write_text(tmp_path / "b.json", "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "b.json"])


def test_parts_are_touched_while_they_are_written(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "BEAT", 0.02)
    monkeypatch.setattr(parts, "_beating", None)
    with atomic_path(tmp_path / "a") as part:
        os.utime(part, (0, 0))
        end = time.monotonic() + 1800
        while not part.stat().st_mtime:
            assert time.monotonic() < end
            time.sleep(0.01)


def test_long_names_leave_room(tmp_path):
    for name in ("é" * 127, "a" * 240 + ".json", "a." + "b" * 250):
        with atomic_file(tmp_path / name) as file:
            file.write("1")
        assert (tmp_path / name).read_text() == "1"


def test_a_folder_takes_the_place_of_an_older_one_only_when_it_is_whole(tmp_path):
    for text in ("old", "new"):
        with atomic_folder(tmp_path / "set") as part:
            (part / text).touch()
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["new"]
    with pytest.raises(KeyError), atomic_folder(tmp_path / "set") as part:
        raise KeyError
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_an_error_of_what_is_read_is_not_blamed_on_what_is_written(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a"):
        (tmp_path / "nothing").read_bytes()
    (tmp_path / "folder").mkdir()
    with pytest.raises(Problem, match=r"folder: cannot be written: is a folder"):
        write_text(tmp_path / "folder", "")
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match=r"x: cannot be written: a part of its path is a file"):
        write_text(tmp_path / "file" / "x", "")
    assert unfinished(tmp_path) == []


def test_files_is_the_one_way(tmp_path):
    """No other module makes temporary files beside its targets."""
    makers = [path.name for path in (SCRIPTS / "apr").rglob("*.py") if "mkstemp" in path.read_text()]
    assert makers == ["parts.py"]
    assert files.new_part is parts.new_part
