"""Evaluate one pretrained model on one test set, write its run as JSON. Runs under Snakemake, by hand, or anywhere.

    python workflow/scripts/evaluate.py --task imagenetv2_matched_frequency_live --model timm:resnet18.a1_in1k \\
        --view results/views/imagenetv2.json --packed data/packed/imagenetv2 --storage encoded \\
        --run results/runs/imagenetv2_matched_frequency_live/timm.resnet18.a1_in1k.json \\
        --checkpoint results/checkpoints/imagenetv2_matched_frequency_live/timm.resnet18.a1_in1k.pt
"""

import argparse
import importlib.metadata
import logging
import sys
import time
from pathlib import Path

import numpy as np

from apr.basics.files import atomic_path, digest_of, read_json, write_json
from apr.basics.interruption import Interrupted, leave, listen, stop_if_asked
from apr.basics.leases import Lease
from apr.basics.logs import log_to
from apr.basics.problems import Problem
from apr.data.packed import open_packed
from apr.data.views import view_indices
from apr.models.pretrained import load_model
from apr.runs.commands.commandline import BAD_OPTION, Parser, check_images, naming_keys, number, with_keys
from apr.runs.commands.pretrained_options import check_pretrained, pretrained_parser
from apr.runs.protocol import planned_protocol
from apr.runs.record import new_run, read_run


def main() -> None:
    """Parse the command line, evaluate, and end with the exit code of what happened."""
    command = parser()
    arguments = command.parse_args()
    try:
        check_options(arguments)
    except Problem as problem:
        command.error(str(problem))
    with log_to(arguments.log, arguments.history) as log, naming_keys():
        check_view(arguments)
        log.info("%s on %s: loading torch", arguments.model, arguments.task)
        listen()
        try:
            evaluate(arguments)
        except Interrupted as interrupted:
            leave(interrupted)


def parser() -> Parser:
    """The command line."""
    parser = pretrained_parser(__doc__, test_images_alone=True)
    parser.add_argument("--predictions", metavar="FILE", help="also write the five best answers for each image (.npy)")
    count = number(int, minimum=1, maximum=100_000)
    parser.add_argument("--batch", type=count, default=256, help="images at once (default 256); part of the provenance")
    return parser


def check_options(arguments: argparse.Namespace) -> None:
    """Refuse a model that no library has the form of, and files that cannot be read or written.

    Raises:
        Problem: names the option, its value and the remedy.
    """
    check_pretrained(arguments, {"--predictions": arguments.predictions}, {})


def check_view(arguments: argparse.Namespace) -> None:
    """Refuse a view without test images, or with others than those of the packed dataset.

    Raises:
        SystemExit: what is wrong is in the log.
    """
    try:
        manifest = check_images(arguments.view, arguments.packed, arguments.storage)
        if not manifest["n_test"]:
            raise Problem(f"--view {arguments.view}: has no test images; choose another view")
    except Problem as problem:
        logging.getLogger("apr").error("error: %s", with_keys(str(problem)))
        sys.exit(BAD_OPTION)


def evaluate(arguments: argparse.Namespace) -> None:
    """Evaluate and write the run, unless it was finished before. Nobody else writes it in the meantime."""
    started = time.monotonic()
    manifest = read_json(arguments.view)
    checkpoint = Path(arguments.checkpoint)
    finished = checkpoint.with_suffix(".json")
    with Lease(checkpoint.with_suffix(".lease"), waiting=stop_if_asked) as lease:
        checkpointing = {"path": checkpoint, "seconds": arguments.checkpoint_seconds, "check": lease.check}
        run = evaluated_run(arguments, manifest, finished, checkpointing, started)
        lease.check()
        write_json(finished, run)  # kept beside the checkpoint: Snakemake deletes outputs of a job or group that fails
        write_json(arguments.run, run)
        checkpoint.unlink(missing_ok=True)


def evaluated_run(
    arguments: argparse.Namespace, manifest: dict, finished: Path, checkpointing: dict, started: float
) -> dict:
    """The run: the finished one if it is this one, else evaluated from the checkpoint or from the first image."""
    import torch

    from apr.runs.checkpoints import Checkpointing
    from apr.runs.evaluation import outcome_of, output_indices, predict, run_protocol
    from apr.runs.machine.devices import choose_device, described, machine_of, set_arithmetic, versions

    machine = machine_of(torch)
    device = torch.device(choose_device(arguments.device, "fp32", machine))
    set_arithmetic("fp32", torch)  # counts as on a CPU, but for the last bits
    # on a GPU only the threads that prepare images compute here
    torch.set_num_threads(arguments.threads if device.type == "cpu" else 1)
    torch.backends.cudnn.deterministic = True
    packed = open_packed(Path(arguments.packed), arguments.storage)
    indices = view_indices(manifest, packed.index)
    model = load_model(arguments.model, arguments.weights, root=arguments.root)
    output_of = output_indices(manifest["view"], manifest["classes"], model.outputs)
    protocol = run_protocol(planned_protocol(arguments.model, manifest), model)
    before = finished_run(finished, arguments, protocol)
    if before:
        return before
    kept = Checkpointing(fingerprint=digest_of(protocol), **checkpointing)
    startup = time.monotonic() - started
    options = {"device": device, "batch": arguments.batch, "threads": arguments.threads}
    parts = [part for part in ("test", "validation") if part in indices]
    best, timing = predict(model, packed, np.concatenate([indices[part] for part in parts]), kept, **options)
    if arguments.predictions:
        kept.check()
        keep_predictions(Path(arguments.predictions), best[: len(indices["test"])])
    more = {name: importlib.metadata.version(name) for name in ("timm", "pillow")}
    return new_run(
        task=arguments.task,
        model=arguments.model,
        protocol=protocol,
        outcome=outcome_of(best, {part: output_of[indices[f"{part}_labels"]] for part in parts}, model.outputs),
        history=[],
        timing=timing | {"startup_seconds": round(startup, 3)},
        provenance=versions(arguments.threads)
        | more
        | described(str(device), "fp32", machine, torch)
        | {"weights": model.source, "batch": arguments.batch},
    )


def finished_run(finished: Path, arguments: argparse.Namespace, protocol: dict) -> dict | None:
    """The run that was finished before, if it is this one and left what it has to."""
    run = read_run(finished) if finished.exists() else None
    if run is None or run["fingerprint"] != digest_of(protocol):
        return None
    log = logging.getLogger("apr")
    if arguments.predictions and not Path(arguments.predictions).exists():
        log.warning("%s: its predictions were not kept; evaluating again", finished)
        return None
    log.info("takes the result of an earlier call, %s; delete it to evaluate again", finished)
    return run


def keep_predictions(path: Path, best: np.ndarray) -> None:
    """Write the answers, int16 [n, 5], best first, in the order of the view's test images."""
    with atomic_path(path) as part, open(part, "wb") as file:
        np.save(file, best, allow_pickle=False)


if __name__ == "__main__":
    main()
