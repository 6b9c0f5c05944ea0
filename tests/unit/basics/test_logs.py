"""How a program ends: one line for what a user can correct, a traceback for what only we can."""

import errno
import os
import re
import socket
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from apr.basics.causes import explained, printable, reading
from apr.basics.problems import Problem
from study import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"


def ended(body, log=None):
    """Exit code and stderr of a program with this body."""
    text = f"from apr.basics.logs import log_to\nwith log_to({str(log) if log else None!r}) as log:\n    {body}\n"
    environment = os.environ | {"PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, timeout=1800)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("open('/nowhere/x')", "error: /nowhere/x: there is no such file or folder"),
        ("open('/')", "error: /: is a folder where a file is needed"),
        ("open('a' * 300)", "its name is longer than this file system takes"),
        ("raise OSError(28, 'No space left on device', 'y')", "error: y: the disk is full"),
        ("raise OSError(5, 'Input/output error', 'y')", "error: y: the disk or the network file system failed"),
        ("raise OSError(131, 'State not recoverable', 'y')", "error: y: State not recoverable"),
        ("raise MemoryError", "needs more memory than there is"),
    ],
)
def test_errors_of_the_system_end_in_one_line(body, words):
    code, said = ended(body)
    assert (code, len(said.splitlines())) == (1, 1)
    assert words in said


@pytest.mark.parametrize("body", ["{}['x']", "1 / 0", "'a' + 1", "b'\\xff'.decode()"])
def test_faults_of_our_own_ask_for_a_report(body, tmp_path):
    code, said = ended(body, tmp_path / "x.log")
    assert code == 1
    assert "unexpected error: please report it with this log" in said
    assert "Traceback" in (tmp_path / "x.log").read_text()


def test_a_log_that_cannot_be_written_ends_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    for log in (tmp_path / "file" / "x.log", tmp_path):
        code, said = ended("log.info('hello')", log)
        assert (code, len(said.splitlines())) == (1, 1)
        assert said.startswith(f"error: the log {log} cannot be written: ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("body", ["log.info('a'); log.info('b'); raise OSError(28, 'No', 'y')", "log.info('a')"])
def test_a_disk_with_no_byte_free_is_said_once(body):
    code, said = ended(body, "/dev/full")
    lines = said.splitlines()
    assert "/dev/full: the log cannot be written: the disk is full" in lines[0]
    assert ["error: y: the disk is full" in line for line in lines[1:]] == ([True] if code else [])


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(errno.EACCES, "no", "b"), "b: no permission"),
        (OSError("a library's own"), r"a: cannot be read \(a library's own\): if it is damaged, fetch it again"),
        (UnicodeDecodeError("utf-8", b"caf\xe9", 3, 4, "no"), r"a: holds b'\\xe9', which is not utf-8: save it as"),
        (UnicodeEncodeError("utf-8", "\udce9", 0, 1, "no"), "a: holds a text that cannot be written down"),
        (zlib.error("bad"), r"a: cannot be read \(bad\)"),
        (EOFError(), r"a: cannot be read \(EOFError\)"),
        (RecursionError(), "a: is nested too deeply"),
        (MemoryError(), "a: needs more memory"),
    ],
)
def test_reading_names_file_reason_and_remedy(error, words):
    with pytest.raises(Problem, match=words), reading("a"):
        raise error


def test_reading_lets_our_own_faults_and_problems_pass():
    for error in (KeyError("x"), TypeError("x"), Problem("x")):
        with pytest.raises(type(error), match="x"), reading("a"):
            raise error


def test_a_history_has_dates_and_jobs_and_a_log_the_time_alone(tmp_path):
    text = "from apr.basics.logs import log_to\nwith log_to('x.log', 'all.log') as log:\n    log.info('hello')\n"
    for job in ("7", None):
        environment = os.environ | {"PYTHONPATH": str(SCRIPTS)} | ({"SLURM_JOB_ID": job} if job else {})
        subprocess.run([sys.executable, "-c", text], env=environment, cwd=tmp_path, check=True, timeout=1800)
    assert re.fullmatch(r"(\d\d:\d\d:\d\d hello\n)+", (tmp_path / "x.log").read_text())
    both = (tmp_path / "all.log").read_text().splitlines()
    host = re.escape(socket.gethostname())
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \S+ job 7 {host} process \d+: hello", both[0])
    assert re.fullmatch(rf"\d{{4}}-\d\d-\d\d \S+ {host} process \d+: hello", both[-1])


def test_names_in_messages_are_one_line():
    assert printable("a\nb\udce9\x1b[31m") == "a\\nb\\udce9\\x1b[31m"
    assert len(printable("x" * 999)) < 210
    assert "\n" not in explained(OSError(errno.ENOENT, "no", "a\nb"))
