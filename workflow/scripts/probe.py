"""Probe one pretrained model on one task: its features, as they are, under a logistic regression or nearest neighbours.

Features are extracted once for a model and a view, and kept for other probes of them. Under Snakemake, by hand, or
wherever torch is:

    python workflow/scripts/probe.py --task eurosat_probe --model timm:resnet18.a1_in1k \\
        --view results/views/eurosat.json --packed data/packed/eurosat --storage pixels --metric macro_f1 \\
        --protocol '{"classifier": "logistic"}' --features results/features/eurosat \\
        --outputs results/outputs/eurosat_probe/timm.resnet18.a1_in1k.npz \\
        --run results/runs/eurosat_probe/timm.resnet18.a1_in1k.json \\
        --checkpoint results/checkpoints/eurosat_probe/timm.resnet18.a1_in1k.pt
"""

import argparse
import importlib.metadata
import time
from pathlib import Path
from typing import Any

from apr.basics.files import digest_of
from apr.basics.problems import Problem
from apr.data.packed import open_packed
from apr.data.views import view_indices
from apr.runs.commands.commandline import Parser
from apr.runs.commands.finished import finish, take_up
from apr.runs.commands.scripts import run_script
from apr.runs.commands.transfer_options import parser
from apr.runs.finetuning_protocol import UNSAID_OF_PROBES, planned_probe, strengths_of
from apr.runs.record import new_run


def command_line() -> Parser:
    """The command line."""
    command = parser(__doc__, "probe")
    command.add_argument("--features", metavar="FOLDER", required=True, help="where features are kept for other probes")
    return command


def main() -> None:
    """Probe as the command line says."""
    run_script(command_line(), prepared, probed, written)


def prepared(arguments: argparse.Namespace) -> list[str]:
    """Complete the protocol; the parts that a view has to have beside train and test.

    Raises:
        Problem: the folder of features is a file.
    """
    if Path(arguments.features).exists() and not Path(arguments.features).is_dir():
        raise Problem(f"--features {arguments.features}: is a file; name a folder")
    arguments.protocol = UNSAID_OF_PROBES | arguments.protocol
    return ["validation"] if strengths_of(arguments.protocol)[1:] else []


def written(arguments: argparse.Namespace, run: dict[str, Any], outputs: dict[str, Any] | None) -> bool:
    """Write the run, unless it was finished before; its checkpoint may go."""
    if outputs is not None:
        finish(arguments, run, outputs)
    return True


def probed(
    arguments: argparse.Namespace, manifest: dict[str, Any], checkpointing: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The run and its outputs; no outputs where an earlier call finished it."""
    started = time.monotonic()

    import torch
    from threadpoolctl import threadpool_limits

    from apr.models.pretrained import load_model
    from apr.runs.checkpoints import Checkpointing
    from apr.runs.commands.kept_features import features_of
    from apr.runs.commands.loaders import groups_of_parts
    from apr.runs.finetuning.networks import input_of
    from apr.runs.finetuning.probe import probe as fit
    from apr.runs.finetuning.scored import outputs_of
    from apr.runs.machine.memory import memory_explained

    planned = planned_probe(arguments.model, arguments.protocol, arguments.metric, manifest)
    torch.set_num_threads(arguments.threads)
    pretrained = load_model(arguments.model, arguments.weights, root=arguments.root, image_size=planned["resolution"])
    inputs = input_of(planned, pretrained, manifest)
    protocol = {**planned, "weights": pretrained.weights, "input": inputs}
    protocol |= {"code": pretrained.code} if pretrained.code else {}
    before = take_up(arguments, digest_of(protocol))
    if before:
        return before, None
    packed = open_packed(Path(arguments.packed), arguments.storage)
    indices = view_indices(manifest, packed.index)
    labels = {part: indices[f"{part}_labels"] for part in ("train", "validation", "test") if part in indices}
    startup = time.monotonic() - started
    features, cost = features_of(
        arguments, manifest, protocol, pretrained, {part: len(labels[part]) for part in labels}
    )
    fitting = time.monotonic()
    kept = Checkpointing(fingerprint=digest_of(protocol), **checkpointing)
    full = memory_explained(torch.device("cpu"), "while the classifier is fitted", "run it where there is more")
    with full, threadpool_limits(limits=arguments.threads):
        outcome, history, scores = fit(features.parts, labels, protocol, manifest, kept)
    ended = time.monotonic()
    images = sum(map(len, labels.values()))
    run = new_run(
        task=arguments.task,
        model=arguments.model,
        protocol=protocol,
        planned=planned,
        cost=cost,
        outcome=outcome,
        history=history,
        timing={
            "seconds": round(ended - started - startup, 3),
            "startup_seconds": round(startup, 3),
            "fitting_seconds": round(ended - fitting, 3),
            "extraction_seconds": round(features.seconds, 3),
            "evaluated_images_per_second": round(images / features.seconds, 1) if features.seconds else None,
        },
        provenance={**features.provenance, "scikit-learn": importlib.metadata.version("scikit-learn")}
        | {"weights": pretrained.source, "weights_resolution": pretrained.sizes[0]},
    )
    held = {part: own for part, own in scores.items() if part != "train"}
    return run, outputs_of(held, labels, groups_of_parts(packed, manifest), manifest)


if __name__ == "__main__":
    main()
