"""Fine-tune one pretrained model on one task and write its run as JSON; under Snakemake, by hand, or wherever torch is.

    python workflow/scripts/finetune.py --task eurosat --model timm:resnet18.a1_in1k \\
        --view results/views/eurosat.json --packed data/packed/eurosat --storage pixels --metric macro_f1 \\
        --protocol '{…}' --outputs results/outputs/eurosat/timm.resnet18.a1_in1k.npz \\
        --run results/runs/eurosat/timm.resnet18.a1_in1k.json \\
        --checkpoint results/checkpoints/eurosat/timm.resnet18.a1_in1k.pt
"""

import argparse
import importlib.metadata
import logging
import time
from pathlib import Path
from typing import Any

from apr.basics.files import digest_of
from apr.data.packed import open_packed
from apr.runs.commands.finished import take_up
from apr.runs.commands.scripts import run_script
from apr.runs.commands.transfer_options import parser
from apr.runs.finetuning_protocol import applied, planned_finetuning
from apr.runs.record import new_run


def main() -> None:
    """Fine-tune as the command line says."""
    run_script(parser(__doc__, "finetune"), needed_parts, finetuned)


def needed_parts(arguments: argparse.Namespace) -> list[str]:
    """The parts that a view has to have beside train and test."""
    return ["validation"] if applied(arguments.protocol)["keep_epoch"] == "best" else []


def finetuned(
    arguments: argparse.Namespace, manifest: dict[str, Any], checkpointing: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The run and its outputs, from the checkpoint if there is one; no outputs where an earlier call finished it."""
    started = time.monotonic()

    import torch

    from apr.models.pretrained import load_model
    from apr.runs.checkpoints import Checkpointing
    from apr.runs.commands.loaders import groups_of_parts, open_loaders
    from apr.runs.finetuning.finetuner import FineTuner
    from apr.runs.finetuning.networks import cost_of, input_of, recipe_of, with_new_head
    from apr.runs.finetuning.scored import outputs_of
    from apr.runs.machine.devices import choose_device, described, machine_of, set_arithmetic, versions
    from apr.runs.training import train_network

    planned = planned_finetuning(arguments.model, arguments.protocol, arguments.metric, manifest)
    machine = machine_of(torch)
    device = torch.device(choose_device(arguments.device, planned["precision"], machine))
    set_arithmetic(planned["precision"], torch)
    torch.set_num_threads(arguments.threads)
    torch.backends.cudnn.deterministic = True
    torch.manual_seed(planned["seed"])
    pretrained = load_model(
        arguments.model,
        arguments.weights,
        root=arguments.root,
        trained=planned["start"] == "pretrained",
        image_size=planned["resolution"],
    )
    inputs = input_of(planned, pretrained, manifest)
    protocol = {**planned, "weights": pretrained.weights, "input": inputs}
    protocol |= {"code": pretrained.code} if pretrained.code else {}
    before = take_up(arguments, digest_of(protocol))
    if before:
        return before, None
    head = with_new_head(pretrained, len(manifest["classes"]), inputs["resolution"], arguments.model)
    trainer = FineTuner(pretrained.network, head, protocol, manifest, device)
    shades = {"mean": inputs["mean"], "sd": inputs["sd"], "seed": protocol["seed"]}
    loaders = open_loaders(arguments, manifest, recipe_of(protocol), device, **shades)
    kept = Checkpointing(fingerprint=digest_of(protocol), **checkpointing)
    outcome, history, timing = train_network(
        trainer, loaders["train"], loaders["test"], kept, validation=loaders.get("validation")
    )
    timing["startup_seconds"] = round(time.monotonic() - started - timing["seconds"], 3)
    images, seconds = trainer.evaluated
    timing["evaluated_images_per_second"] = round(images / seconds, 1) if seconds else None
    run = new_run(
        task=arguments.task,
        model=arguments.model,
        protocol=protocol,
        planned=planned,
        cost=cost_of(trainer.network, inputs["resolution"]),
        outcome=outcome,
        history=history,
        timing=timing,
        provenance=versions(arguments.threads)
        | {name: importlib.metadata.version(name) for name in ("timm", "pillow")}
        | described(str(device), protocol["precision"], machine, torch)
        | {"weights": pretrained.source, "weights_resolution": pretrained.sizes[0]},
    )
    groups = groups_of_parts(open_packed(Path(arguments.packed), arguments.storage), manifest)
    scores = trainer.kept["scores"] if outcome["status"] == "completed" else {}
    labels = {part: loaders[part].images.labels.cpu().numpy() for part in scores}
    if scores:
        logging.getLogger("apr").info("its scores are those of epoch %d", outcome["epoch"])
    return run, outputs_of(scores, labels, groups, manifest)


if __name__ == "__main__":
    main()
