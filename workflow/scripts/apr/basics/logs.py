"""Logs that somebody can read at 3 a.m."""

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from apr.basics.causes import explained
from apr.basics.escaping import visible
from apr.basics.problems import Problem


@contextmanager
def log_to(path: str | Path | None, history: str | Path | None = None) -> Iterator[logging.Logger]:
    """Log to `path`, and warnings and errors also to stderr; without a path log everything to stderr.

    `history` gets the same with dates, job and process: Snakemake empties a log when a job is tried again.
    A Problem, an error of the operating system or a lack of memory ends the program with its message and exit code 1,
    without a traceback; SIGTERM ends it as an exception does, so that unfinished files are removed.
    """
    handlers: list[logging.Handler] = [_Terminal(sys.stderr)]
    if path:
        handlers[0].setLevel(logging.WARNING)
        handlers.append(_file(path))
    if history:
        job = f"job {os.environ['SLURM_JOB_ID']} " if "SLURM_JOB_ID" in os.environ else ""
        handlers.append(_file(history))
        handlers[-1].setFormatter(_Visible(f"%(asctime)s {job}{socket.gethostname()} process %(process)d: %(message)s"))
    for handler in handlers:
        if handler.formatter is None:
            handler.setFormatter(_Visible("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=handlers)
    log = logging.getLogger("apr")
    try:
        _end_cleanly()
        yield log
    except Problem as problem:
        log.error("error: %s", problem)
        sys.exit(1)
    except KeyboardInterrupt:
        log.error("interrupted by SIGINT; run again")
        sys.exit(128 + signal.SIGINT)
    except (OSError, MemoryError) as error:
        if isinstance(error, OSError) and error.errno is None:  # a library's own, such as that of requests
            _unexpected(log)
        log.error("error: %s", explained(error))
        sys.exit(1)
    except Exception:
        _unexpected(log)


def _unexpected(log: logging.Logger) -> NoReturn:
    log.exception("unexpected error: please report it with this log")
    sys.exit(1)


def _end_cleanly() -> None:
    """Turn SIGTERM into an exception, unless somebody caught it already."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_IGN)  # a second one must not interrupt the cleaning up
    logging.getLogger("apr").warning("interrupted by SIGTERM; unfinished files are removed, run again")
    sys.exit(128 + number)


class _Visible(logging.Formatter):
    """Names of files, which may hold anything, move no cursor."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def _file(path: str | Path) -> logging.Handler:
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return _LogFile(path, mode="a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        _say(f"error: the log {path} cannot be written: {explained(error)}")
        sys.exit(1)


def _say(text: str) -> None:
    with suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


class _Terminal(logging.StreamHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Whoever listened is gone."""


class _LogFile(logging.FileHandler):
    told = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Say once that the log takes no more; the program goes on, and the terminal still gets its warnings."""
        if not self.told:
            self.told = True
            _say(f"{self.baseFilename}: the log cannot be written: {explained(sys.exc_info()[1])}")

    def close(self) -> None:
        """Close, though what is still to be written may find no room."""
        with suppress(OSError):
            super().close()
