"""Logs that somebody can read at 3 a.m."""

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apr.escaping import visible
from apr.problems import Problem


@contextmanager
def log_to(path: str | Path | None, history: str | Path | None = None) -> Iterator[logging.Logger]:
    """Log to `path`, and warnings and errors also to stderr; without a path log everything to stderr.

    `history` gets the same with dates, job and process: Snakemake empties a log when a job is tried again.
    A Problem ends the program with its message and exit code 1, without a traceback.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
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
        yield log
    except Problem as problem:
        log.error("error: %s", problem)
        sys.exit(1)
    except Exception:
        log.exception("unexpected error: please report it with this log")
        sys.exit(1)


class _Visible(logging.Formatter):
    """Names of files, which may hold anything, move no cursor."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def _file(path: str | Path) -> logging.Handler:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return logging.FileHandler(path, mode="a", encoding="utf-8", errors="backslashreplace")
