"""What a log says, to whom, and with which code each end of a program leaves; writes that are safe before they show."""

import errno
import logging
import os
import signal
import socket
import stat
import sys

import pytest

from apr.basics import files, logs
from apr.basics.files import atomic_folder, atomic_path
from apr.basics.interruption import Interrupted, leave
from apr.basics.logs import log_to
from apr.basics.problems import Problem


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Problem("x: is wrong; mend it"), 1, "error: x: is wrong; mend it"),
        (KeyboardInterrupt(), 130, "interrupted by SIGINT; run again"),
        (OSError(errno.ENOSPC, "No space", "y"), 1, "error: y: the disk is full"),
        (MemoryError(), 1, "error: "),
        (OSError("a library's own"), 1, "unexpected error: please report it with this log"),
        (KeyError("x"), 1, "unexpected error: please report it with this log"),
    ],
)
def test_each_error_ends_with_a_line_and_a_code(error, code, said, caplog):
    with pytest.raises(SystemExit) as caught, log_to(None):
        raise error
    assert caught.value.code == code
    (record,) = caplog.records
    assert record.getMessage().startswith(said)
    assert (record.levelname, bool(record.exc_info)) == ("ERROR", "unexpected" in said)


def test_an_exit_keeps_its_code_and_what_ends_well_says_nothing(caplog):
    with pytest.raises(SystemExit) as caught, log_to(None):
        sys.exit(7)
    assert caught.value.code == 7
    with log_to(None) as log:
        assert log is logging.getLogger("apr")
    assert caplog.messages == []


@pytest.fixture
def set_up(monkeypatch):
    """The handlers that `log_to` sets up."""
    kept = {}
    monkeypatch.setattr(logging, "basicConfig", lambda **given: kept.update(given))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)

    def of(*places):
        with log_to(*places):
            return kept["level"], kept["handlers"]

    return of


def line(handler, text="a\x1bb"):
    record = logging.LogRecord("apr", logging.INFO, "", 0, text, (), None)
    record.created, record.process = 0.0, 4711
    return handler.format(record)


def test_without_a_log_all_goes_to_the_terminal(set_up):
    level, (terminal,) = set_up(None)
    assert (level, terminal.level, terminal.stream) == (logging.INFO, logging.NOTSET, sys.stderr)
    assert line(terminal)[8:] == " a�b"


def test_with_a_log_the_terminal_gets_warnings_alone(set_up, tmp_path, monkeypatch):
    _, (terminal, log) = set_up(tmp_path / "deep/x.log")
    assert (terminal.level, log.level) == (logging.WARNING, logging.NOTSET)
    assert (log.baseFilename, log.mode) == (str(tmp_path / "deep/x.log"), "a")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    _, (terminal, history) = set_up(None, tmp_path / "all.log")
    assert (terminal.level, len(line(terminal, "x"))) == (logging.NOTSET, len("00:00:00 x"))
    assert line(history, "x").endswith(f" job 17 {socket.gethostname()} process 4711: x")
    assert line(history, "x").startswith("19")  # the year; by the clock of some places it was still 1969


def test_a_log_that_takes_no_more_says_so_once(tmp_path, capsys):
    handler = logs._file(tmp_path / "x.log")
    for _ in range(2):
        try:
            raise OSError(errno.ENOSPC, "No space")
        except OSError:
            handler.handleError(None)
    handler.close()
    said = capsys.readouterr().err.splitlines()
    assert [text.startswith(f"{tmp_path}/x.log: the log cannot be written: the disk is full") for text in said] == [
        True
    ]


def test_a_termination_is_an_exit_unless_somebody_listens_already(caplog):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with pytest.raises(SystemExit) as caught, log_to(None):
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 143
    assert caplog.messages == ["interrupted by SIGTERM; unfinished files are removed, run again"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN  # the cleaning up is not interrupted
    heard = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    with log_to(None):
        signal.raise_signal(signal.SIGTERM)
    assert heard == [15]


@pytest.mark.parametrize(
    ("number", "job", "slept"), [(15, None, []), (15, "17", [9.0]), (10, "17", [9.0]), (2, "17", [])]
)
def test_a_job_waits_for_slurm_to_end_it_unless_a_user_did(monkeypatch, caplog, number, job, slept):
    caplog.set_level(logging.INFO, "apr")
    waited = []
    monkeypatch.setattr("apr.basics.interruption.time.sleep", waited.append)
    monkeypatch.setattr(logging, "shutdown", lambda: waited.append("written"))
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    if job:
        monkeypatch.setenv("SLURM_JOB_ID", job)
    with pytest.raises(SystemExit) as caught:
        leave(Interrupted(number), 9.0)
    assert caught.value.code == 128 + number
    assert waited == ["written", *slept] if slept else waited == []
    name = signal.Signals(number).name
    told = [f"interrupted by {name}; the checkpoint is written, run again to continue"]
    assert caplog.messages == told + ["waiting for SLURM to end job 17"] * bool(slept)


def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_folder_after(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(files.os, "fsync", lambda handle: done.append(os.path.realpath(f"/proc/self/fd/{handle}")))
    replace = os.replace
    monkeypatch.setattr(files.os, "replace", lambda *names: done.append("named") or replace(*names))
    with atomic_path(tmp_path / "a") as part:
        part.write_text("1")
    assert done == [str(part), "named", str(tmp_path)]
    done.clear()
    with atomic_folder(tmp_path / "set"):
        pass
    assert done == ["named", str(tmp_path)]


def test_a_folder_has_the_mode_that_the_umask_leaves(tmp_path):
    os.umask(0o027)
    with atomic_folder(tmp_path / "set"):
        pass
    assert stat.S_IMODE((tmp_path / "set").stat().st_mode) == 0o750
