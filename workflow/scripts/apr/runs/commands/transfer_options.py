"""The command lines of finetune.py and probe.py, checked before torch is loaded."""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from apr.basics.files import read_json
from apr.basics.problems import Problem
from apr.basics.values import unique_keys
from apr.data.reading.parts import parts_of
from apr.runs.commands.commandline import BAD_OPTION, Parser, check_images, number, with_keys
from apr.runs.commands.pretrained_options import check_pretrained, pretrained_parser
from apr.runs.finetuning.halving import read_choice
from apr.runs.metrics import ACCURACY, METRICS, check_metric
from apr.runs.protocol import check_protocol_keys
from apr.runs.ways import WAYS


def parser(description: str, way: str) -> Parser:
    """The command line of a script that makes runs of pretrained models in a way of apr.runs.ways.WAYS."""
    parser = pretrained_parser(description)
    parser.add_argument("--metric", choices=list(METRICS), default=ACCURACY.name, help="what the task reports")
    parser.add_argument(
        "--protocol", required=True, type=protocol_of(way), help="how: a JSON object, or @ and the name of a file"
    )
    pauses = way == "finetune"
    parser.add_argument("--outputs", required=not pauses, help="where its outputs for each image go (.npz)")
    parser.add_argument(
        "--resident-gb", type=number(float, minimum=0), default=8, help="keep images up to this size on the device"
    )
    if pauses:
        cells = parser.add_argument_group("cells of a grid")
        epochs = number(int, minimum=1, maximum=100_000)
        cells.add_argument("--pause-after", type=epochs, help="so many epochs; --run then says how far it has come")
        cells.add_argument("--rung", help="what --run said at the pause before")
        cells.add_argument("--halving", help="which cells of the model go on from there")
        cells.add_argument(
            "--choice", type=_choice, help="which cell was chosen: its settings are laid over the protocol"
        )
    return parser


def protocol_of(way: str) -> Callable[[str], dict[str, Any]]:
    """The type of --protocol: a JSON object, or the file named after an @, with the keys of a way."""
    keys = WAYS[way]

    def protocol(text: str) -> dict[str, Any]:
        try:
            found = read_json(text[1:]) if text.startswith("@") else json.loads(text, object_pairs_hook=unique_keys)
            check_protocol_keys(found, keys.keys, keys.unsaid, keys.contradictions)
        except (Problem, OSError) as problem:
            raise argparse.ArgumentTypeError(str(problem)) from None
        except (ValueError, RecursionError) as error:
            raise argparse.ArgumentTypeError(f"is not JSON ({error}); give {{…}}, or @ and a file's name") from None
        return found

    return protocol


def check_options(arguments: argparse.Namespace) -> None:
    """Refuse a model that has no known form, and files that cannot be read or written.

    Raises:
        Problem: names the option, its value and the remedy.
    """
    read = _check_cells(arguments) if "choice" in arguments else {}
    check_pretrained(arguments, {"--outputs": arguments.outputs}, read)


def _check_cells(arguments: argparse.Namespace) -> dict[str, str | None]:
    """The files that a fine-tuning reads of the cells of its model, if their options go together."""
    pause, epochs = arguments.pause_after, arguments.protocol["epochs"]
    if not pause and not arguments.outputs:
        raise Problem("--outputs: is missing; only with --pause-after there are none")
    if pause and pause >= epochs:
        raise Problem(f"--pause-after {pause}: the run ends after {epochs} epochs; lower it, or leave it out")
    if bool(arguments.rung) != bool(arguments.halving):
        lacking = "halving" if arguments.rung else "rung"
        raise Problem(f"--{lacking}: is missing; --rung and --halving go together")
    if arguments.choice and (pause or arguments.rung):
        raise Problem("--choice: a chosen cell is trained to the end; leave out --pause-after, --rung and --halving")
    return {f"--{name}": getattr(arguments, name) for name in ("rung", "halving")}


def _choice(text: str) -> dict[str, Any]:
    """The type of --choice."""
    try:
        return read_choice(text)
    except (Problem, OSError) as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def check_task(arguments: argparse.Namespace, needed: Sequence[str]) -> dict[str, Any]:
    """The manifest of the view; images that cannot be learnt from as the task asks are refused.

    Args:
        arguments: of the command line.
        needed: parts that the view has to have.

    Raises:
        SystemExit: what is wrong is in the log.
    """
    try:
        manifest = check_images(arguments.view, arguments.packed, arguments.storage)
        check_metric(arguments.task, arguments.metric, manifest)
        for part in needed:
            if not manifest.get(f"n_{part}"):
                drawn = "set split: {validation_fraction: 0.1} of its dataset, or more where it has few images"
                remedy = drawn if part == "validation" else "give its dataset some"
                raise Problem(f"--view {arguments.view}: has no {part} images; {remedy}")
        check_classes(arguments, manifest)
        batch = arguments.protocol["batch"]
        if "epochs" in arguments.protocol and manifest["n_train"] < batch:
            text = f"is larger than the {manifest['n_train']} training images of the view {manifest['view']}"
            raise Problem(f"--protocol: batch {batch} {text}; lower the task's batch")
    except Problem as problem:
        logging.getLogger("apr").error("error: %s", with_keys(str(problem)))
        sys.exit(BAD_OPTION)
    return manifest


def check_classes(arguments: argparse.Namespace, manifest: Mapping[str, Any]) -> None:
    """Refuse, or say, that a part lacks images of a class: what a metric says of it then.

    Raises:
        Problem: the area under the ROC curve of a part whose images are all of one class.
    """
    for part in parts_of(manifest):
        counts = zip(manifest["classes"], manifest["per_class"][part], strict=True)
        empty = [label for label, count in counts if not count]
        if empty and arguments.metric == "auc":
            raise Problem(
                f"--metric auc: the {part} part of the view {manifest['view']} has no image of the class {empty[0]!r}, "
                "so that there is no ROC curve; enlarge the part, or take another metric"
            )
        if empty:
            more = f" and {len(empty) - 1} more" if empty[1:] else ""
            log = logging.getLogger("apr")
            log.warning("%s: no %s image of class %r%s", manifest["view"], part, empty[0], more)
