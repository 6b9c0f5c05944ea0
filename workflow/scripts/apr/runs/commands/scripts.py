"""How finetune.py and probe.py go from a command line to a run: checks, log, signals, lease, and what is written."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from apr.basics.interruption import Interrupted, leave, listen, stop_if_asked
from apr.basics.leases import Lease
from apr.basics.logs import log_to
from apr.basics.problems import Problem
from apr.runs.commands.commandline import Parser, naming_keys
from apr.runs.commands.transfer_options import check_options, check_task
from apr.runs.finetuning.scored import Arrays

# Of a command line, the manifest of its view and where checkpoints go: the run and its outputs, none of a run that was
# finished before.
Made = tuple[dict[str, Any], Arrays | None]
Make = Callable[[argparse.Namespace, dict[str, Any], dict[str, Any]], Made]
Write = Callable[[argparse.Namespace, dict[str, Any], Arrays | None], bool]


def run_script(
    command: Parser, prepare: Callable[[argparse.Namespace], Sequence[str]], make: Make, write: Write
) -> None:
    """Parse the command line, make the run, and end with the exit code of what happened.

    Args:
        command: the command line.
        prepare: checks and completes its arguments; says which parts the view has to have beside train and test.
        make: makes the run.
        write: writes it, unless it has no outputs since it was finished before; whether its checkpoint may go.
    """
    arguments = command.parse_args()
    try:
        check_options(arguments)
        more = prepare(arguments)
    except Problem as problem:
        command.error(str(problem))
    with log_to(arguments.log, arguments.history) as log, naming_keys():
        manifest = check_task(arguments, ["train", "test", *more])
        log.info("%s on %s: loading torch", arguments.model, arguments.task)
        listen()
        try:
            make_run(arguments, manifest, make, write)
        except Interrupted as interrupted:
            leave(interrupted)


def make_run(arguments: argparse.Namespace, manifest: dict[str, Any], make: Make, write: Write) -> None:
    """Make and write the run, unless it was finished before. Nobody else writes it in the meantime."""
    checkpoint = Path(arguments.checkpoint)
    with Lease(checkpoint.with_suffix(".lease"), waiting=stop_if_asked) as lease:
        run, outputs = make(
            arguments, manifest, {"path": checkpoint, "seconds": arguments.checkpoint_seconds, "check": lease.check}
        )
        lease.check()
        if write(arguments, run, outputs):
            checkpoint.unlink(missing_ok=True)
