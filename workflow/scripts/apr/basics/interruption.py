"""Signals that end a training: it saves its work first, and then ends as whoever sent the signal expects."""

import logging
import os
import signal
import sys
import time
from typing import NoReturn

NUMBERS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
PATIENCE = 600.0  # seconds that a SLURM job waits to be killed; grace times are longer only where preemption is rare

_received: list[int] = []


class Interrupted(Exception):
    """A signal ended the program after it saved what it had."""

    def __init__(self, number: int, saved: str = "the checkpoint is written") -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}; {saved}, run again to continue")
        self.number = number


def listen() -> list[int]:
    """Catch SIGTERM, SIGINT and SIGUSR1 from now on; their numbers are appended to the list that is returned."""
    for number in NUMBERS:
        signal.signal(number, lambda caught, frame: _received.append(caught))
    return _received


def stop_if_asked() -> None:
    """Where there is nothing to save.

    Raises:
        Interrupted: a signal came.
    """
    if _received:
        raise Interrupted(_received.pop(0), "nothing was begun")


def leave(interrupted: Interrupted, patience: float = PATIENCE) -> NoReturn:
    """End the program with the signal's exit code.

    A job that SLURM is about to kill (time limit, preemption, `scancel`) waits for it, up to `patience` seconds: then
    SLURM knows why the job ended and requeues one that was preempted. One that ends by itself counts as failed.
    """
    log = logging.getLogger("apr")
    log.warning("%s", interrupted)
    if "SLURM_JOB_ID" in os.environ and interrupted.number != signal.SIGINT:
        log.info("waiting for SLURM to end job %s", os.environ["SLURM_JOB_ID"])
        logging.shutdown()
        time.sleep(patience)
    sys.exit(128 + interrupted.number)
