"""A finished run that keeps its outputs: written beside its checkpoint and where it is asked for, or taken up again.

Beside the checkpoint, since Snakemake deletes the outputs of a job or group that fails.
"""

import argparse
import logging
import shutil
from pathlib import Path
from typing import Any

from apr.basics.files import atomic_path, file_digest, write_json
from apr.runs.finetuning.scored import Arrays, keep_outputs
from apr.runs.record import read_run


def finish(arguments: argparse.Namespace, run: dict[str, Any], outputs: Arrays) -> None:
    """Write a run and its outputs, the JSON last of all."""
    finished = Path(arguments.checkpoint).with_suffix(".json")
    run = run | {"outputs": keep_outputs(finished.with_suffix(".npz"), outputs)}
    write_json(finished, run)
    _hand_over(finished, arguments, run)


def finished_before(arguments: argparse.Namespace, fingerprint: str) -> dict[str, Any] | None:
    """The run that was finished before, if it is this one and kept its outputs."""
    finished = Path(arguments.checkpoint).with_suffix(".json")
    run = read_run(finished) if finished.exists() else None
    if run is None or run["fingerprint"] != fingerprint:
        return None
    log, outputs = logging.getLogger("apr"), finished.with_suffix(".npz")
    if not outputs.exists() or file_digest(outputs) != run.get("outputs"):
        log.warning("%s: its outputs were not kept; making the run again", finished)
        return None
    log.info("takes the result of an earlier call, %s; delete it to make the run again", finished)
    return run


def take_up(arguments: argparse.Namespace, fingerprint: str) -> dict[str, Any] | None:
    """The same, written where it is asked for."""
    run = finished_before(arguments, fingerprint)
    if run:
        _hand_over(Path(arguments.checkpoint).with_suffix(".json"), arguments, run)
    return run


def leave_off(arguments: argparse.Namespace, run: dict[str, Any]) -> None:
    """Write a run that others stopped before its end; it is not kept beside the checkpoint, since it might go on."""
    write_json(arguments.run, run | {"outputs": keep_outputs(arguments.outputs, {})})


def _hand_over(finished: Path, arguments: argparse.Namespace, run: dict[str, Any]) -> None:
    source, wanted = finished.with_suffix(".npz"), Path(arguments.outputs)
    if wanted.absolute() != source.absolute():
        with atomic_path(wanted) as part:
            shutil.copyfile(source, part)
    write_json(arguments.run, run)
