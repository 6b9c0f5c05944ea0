"""A folder in which the trainings of one call (on a cluster: of one job) share decoded pictures, as long as it runs."""

import atexit
import logging
import os
import tempfile
from pathlib import Path

from apr.basics.parts import new_part, remove_part

VARIABLE = "APRBENCH_DECODED"  # apr/runs/commands/loaders.py reads it

log = logging.getLogger("snakemake.logging")


def share_decoded() -> None:
    """Make the folder, named in the environment of all jobs; it goes with this process, or, killed, with the next."""
    os.environ.pop(VARIABLE, None)  # that of a Snakemake on another node that started this one
    try:
        folder = new_part(Path(tempfile.gettempdir(), "aprbench-decoded"), folder=True)
    except OSError as error:
        log.warning(f"Every training decodes its pictures itself: there is no place to share them ({error}).")
        return
    os.environ[VARIABLE] = str(folder)
    atexit.register(remove_part, folder)
