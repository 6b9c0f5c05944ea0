"""What the command lines of evaluate.py, finetune.py and probe.py have in common, checked before torch is loaded."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from apr.basics.problems import Problem
from apr.models.names import own_file, parse_model
from apr.models.weight_files import check_weights
from apr.runs.commands.commandline import Parser, beside, check_places, device, number, plain


def pretrained_parser(description: str, test_images_alone: bool = False) -> Parser:
    """The options of a script that makes runs of pretrained models, whatever it does with them."""
    parser = Parser(description)
    parser.add_argument("--task", required=True, type=plain, help="name of the task, for the record")
    parser.add_argument(
        "--model", required=True, help="timm:<name>, torchvision:<name>[.<WEIGHTS>], own:<file>:<function>"
    )
    parser.add_argument("--root", default=".", help="folder that the file of a network of one's own is relative to")
    parser.add_argument("--weights", help="a file of weights, or a folder of them by the run's name; default: the hub")
    which = "; its test images are classified" if test_images_alone else ""
    parser.add_argument("--view", required=True, help=f"manifest of the view (JSON){which}")
    parser.add_argument("--packed", required=True, help="packed dataset, without the suffix .bin")
    parser.add_argument("--storage", required=True, choices=["pixels", "encoded"], help="how it is packed")
    parser.add_argument("--run", required=True, help="where the run's JSON goes")
    parser.add_argument("--checkpoint", required=True, help="the checkpoint; a finished run is kept beside it")
    parser.add_argument(
        "--checkpoint-seconds", type=number(float, minimum=0), default=60, help="between two checkpoints (default 60)"
    )
    count = number(int, minimum=1, maximum=4096)
    parser.add_argument("--threads", type=count, default=1, help="CPU threads (default 1); part of the provenance")
    parser.add_argument("--device", type=device, default="auto", help="auto, cpu, cuda, cuda:1, …")
    parser.add_argument("--log", help="also log to this file")
    parser.add_argument("--history", help="also log to this file, which is never emptied")
    return parser


def check_pretrained(
    arguments: argparse.Namespace, written: Mapping[str, str | None], read: Mapping[str, str | None]
) -> None:
    """Refuse a model that has no known form, and files that cannot be read or written.

    Args:
        arguments: of the command line.
        written: option -> the file that it names, of those that the script writes beside run, checkpoint and logs.
        read: the same of those that it reads beside the view.

    Raises:
        Problem: names the option, its value and the remedy.
    """
    try:
        parse_model(arguments.model)
    except Problem as problem:
        raise Problem(f"--model: {problem}") from None
    file = own_file(arguments.model)
    if file and not Path(arguments.root, file).is_file():
        raise Problem(
            f"--model {arguments.model}: there is no file {Path(arguments.root, file)}; give --root, its folder"
        )
    check_weights(arguments.weights)
    places = {"--checkpoint": arguments.checkpoint, **beside(arguments.checkpoint), **written}
    places |= {"--log": arguments.log, "--history": arguments.history}
    if Path(arguments.run).absolute() != Path(arguments.checkpoint).with_suffix(".json").absolute():
        places["--run"] = arguments.run  # the finished run may be kept as the run itself
    check_places({"--view": arguments.view, **read}, places)
