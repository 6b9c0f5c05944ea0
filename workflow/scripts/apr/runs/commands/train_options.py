"""The command line of train.py, checked before torch is loaded."""

import argparse
import logging
import re
import sys
from pathlib import Path

from apr.basics.problems import Problem
from apr.models.anynet import Genotype
from apr.runs.commands.commandline import (
    BAD_OPTION,
    Parser,
    beside,
    check_images,
    check_places,
    device,
    number,
    plain,
    protocol,
    with_keys,
)
from apr.runs.metrics import METRICS, PLAIN, check_metric
from apr.runs.protocol import STARTS


def parser(description: str) -> Parser:
    """The command line."""
    parser = Parser(description)
    parser.add_argument("--task", required=True, type=plain, help="name of the task, for the record")
    parser.add_argument("--metric", choices=list(METRICS), default=PLAIN.name, help="what the task reports")
    parser.add_argument("--model", type=plain, help="id in the population, e.g. a000")
    parser.add_argument("--genotype", type=genotype, help="the model's genotype, as in population.csv")
    parser.add_argument("--view", required=True, help="manifest of the view (JSON)")
    parser.add_argument("--packed", required=True, help="packed dataset, without the suffix .bin")
    parser.add_argument("--storage", required=True, choices=["pixels", "encoded"], help="how it is packed")
    parser.add_argument(
        "--protocol", required=True, type=protocol, help="how to train: a JSON object, or @ and the name of a file"
    )
    parser.add_argument("--run", required=True, help="where the run's JSON goes")
    parser.add_argument("--checkpoint", required=True, help="the checkpoint; a finished run is kept beside it")
    parser.add_argument(
        "--checkpoint-seconds", type=number(float, minimum=0), default=60, help="between two checkpoints (default 60)"
    )
    parser.add_argument(
        "--threads",
        type=number(int, minimum=1, maximum=4096),
        default=1,
        help="CPU threads (default 1); part of the provenance",
    )
    parser.add_argument("--device", type=device, default="auto", help="auto, cpu, cuda, cuda:1, …")
    parser.add_argument(
        "--resident-gb",
        type=number(float, minimum=0),
        default=8,
        help="keep images up to this size in the device's memory",
    )
    parser.add_argument(
        "--evaluate",
        type=evaluated_epochs,
        default="every",
        help="after which epochs: every (default), last, or their numbers, as 10,20; always after the last",
    )
    parser.add_argument("--log", help="also log to this file")
    parser.add_argument("--history", help="also log to this file, which is never emptied")
    start = parser.add_argument_group("start from another run, if the protocol has `initial` or `continues`")
    start.add_argument("--initial-runs", help="folder of the other task's runs")
    start.add_argument("--initial-weights", help="folder of the weights that they kept")
    start.add_argument("--rank", help="in place of --model and --genotype: best1, worst3, …")
    start.add_argument("--ranking", help="the score table that says which model has that rank")
    keep = parser.add_argument_group("keep the weights for other runs")
    keep.add_argument("--keep-weights", metavar="FILE", help="where to")
    keep.add_argument("--keep-optimizer", action="store_true", help="with what is needed to continue the training")
    return parser


def evaluated_epochs(text: str) -> tuple[int, ...] | None:
    """The type of --evaluate: the numbers of epochs beside the last; None for every epoch."""
    if text in ("every", "last"):
        return None if text == "every" else ()
    if not re.fullmatch(r"[1-9][0-9]{0,5}(,[1-9][0-9]{0,5})*", text):
        raise argparse.ArgumentTypeError(f"{text!r}: write every, last, or numbers of epochs, as 10,20")
    return tuple(map(int, text.split(",")))


def genotype(text: str) -> Genotype:
    """The type of --genotype."""
    try:
        return Genotype.parse(text)
    except Problem as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None


def check_options(arguments: argparse.Namespace) -> None:
    """Refuse options that are missing beside others, do not go with them, or name no usable file.

    Raises:
        Problem: names the option, its value and the remedy.
    """
    start = next((key for key in STARTS if arguments.protocol.get(key)), None)
    given = {option.replace("_", "-"): value for option, value in vars(arguments).items() if value}
    if ("model" in given) == ("rank" in given):
        raise Problem("--model: give either --model, or --rank with --ranking")
    if arguments.rank and not re.fullmatch(r"(best|worst)[1-9][0-9]{0,3}", arguments.rank):
        raise Problem(f"--rank {arguments.rank}: write best1, worst3, …")
    needs = {"rank": ("ranking", "initial-runs"), "ranking": ("rank",), "keep-optimizer": ("keep-weights",)}
    needs |= {"initial-runs": ("initial-weights",), "initial-weights": ("initial-runs",)}
    for option, others in needs.items():
        lacking = [other for other in others if option in given and other not in given]
        if lacking:
            raise Problem(f"--{option}: needs --{lacking[0]} beside it")
    if start and "initial-runs" not in given:
        raise Problem(f"--protocol: has {start}; give --initial-runs and --initial-weights, or leave it out")
    if not start and "initial-runs" in given:
        raise Problem("--initial-runs: the protocol has neither initial nor continues; add one, or leave this out")
    if "genotype" not in given and "initial-runs" not in given:
        raise Problem("--genotype: is needed beside --model; population.csv has it")
    for option in ("initial-runs", "initial-weights"):
        if option in given and not Path(given[option]).is_dir():
            raise Problem(f"--{option} {given[option]}: there is no such folder; name that of the other task's")
    read = {"--view": arguments.view, "--ranking": arguments.ranking}
    written = {"--checkpoint": arguments.checkpoint, **beside(arguments.checkpoint)}
    written |= {"--keep-weights": arguments.keep_weights, "--log": arguments.log, "--history": arguments.history}
    if Path(arguments.run).absolute() != Path(arguments.checkpoint).with_suffix(".json").absolute():
        written["--run"] = arguments.run  # the finished run may be kept as the run itself
    check_places(read, written)


def check_task(arguments: argparse.Namespace) -> None:
    """Refuse images that cannot be trained on as the task asks.

    Raises:
        SystemExit: what is wrong is in the log.
    """
    try:
        manifest = check_images(arguments.view, arguments.packed, arguments.storage)
        try:
            check_metric(arguments.task, arguments.metric, manifest)
        except Problem as problem:
            raise Problem(f"--metric {arguments.metric}: {problem}") from None
        if manifest["n_train"] < arguments.protocol["batch"]:
            text = f"is larger than the {manifest['n_train']} training images of the view {manifest['view']}"
            raise Problem(f"--protocol: batch {arguments.protocol['batch']} {text}; lower the task's batch")
    except Problem as problem:
        logging.getLogger("apr").error("error: %s", with_keys(str(problem)))
        sys.exit(BAD_OPTION)
