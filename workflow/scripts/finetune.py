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

from apr.basics.files import digest_of, write_json
from apr.data.packed import open_packed
from apr.runs.commands.finished import finish, finished_before, leave_off, take_up
from apr.runs.commands.scripts import run_script
from apr.runs.commands.transfer_options import parser
from apr.runs.finetuning.halving import paused, read_rung, settled
from apr.runs.finetuning_protocol import applied, planned_finetuning
from apr.runs.record import DIVERGED, DROPPED, new_run


def main() -> None:
    """Fine-tune as the command line says."""
    run_script(parser(__doc__, "finetune"), prepared, made, written)


def prepared(arguments: argparse.Namespace) -> list[str]:
    """Lay the chosen cell over the protocol; the parts that a view has to have beside train and test."""
    arguments.protocol |= arguments.choice["cell"] if arguments.choice else {}
    return ["validation"] if applied(arguments.protocol)["keep_epoch"] == "best" else []


def made(
    arguments: argparse.Namespace, manifest: dict[str, Any], checkpointing: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The run and its outputs: trained here, unless it is settled already."""
    return not_trained_on(arguments, manifest) or finetuned(arguments, manifest, checkpointing)


def written(arguments: argparse.Namespace, run: dict[str, Any], outputs: dict[str, Any] | None) -> bool:
    """Write the run; whether it is at its end, so that its checkpoint may go."""
    if arguments.pause_after:
        write_json(arguments.run, run)
        return False
    if outputs is not None:
        finish(arguments, run, outputs)
    elif run["outcome"]["status"] == DROPPED:
        leave_off(arguments, run)
    return True


def not_trained_on(arguments: argparse.Namespace, manifest: dict[str, Any]) -> tuple[dict, dict | None] | None:
    """The run of a cell that diverged or was dropped before, and its outputs, which are none; else None."""
    if not arguments.rung:
        return None
    planned = planned_finetuning(arguments.model, arguments.protocol, arguments.metric, manifest)
    run = settled(arguments.rung, arguments.halving, digest_of(planned))
    return run and (run, {} if run["outcome"]["status"] == DIVERGED else None)


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
    fingerprint, pause = digest_of(protocol), arguments.pause_after
    if before := finished_before(arguments, fingerprint) if pause else take_up(arguments, fingerprint):
        return paused(before, pause) if pause else before, None
    head = with_new_head(pretrained, len(manifest["classes"]), inputs["resolution"], arguments.model)
    trainer = FineTuner(pretrained.network, head, protocol, manifest, device)
    shades = {"mean": inputs["mean"], "sd": inputs["sd"], "seed": protocol["seed"]}
    loaders = open_loaders(arguments, manifest, recipe_of(protocol), device, **shades)
    kept = Checkpointing(fingerprint=fingerprint, **checkpointing)
    outcome, history, timing = train_network(
        trainer, loaders["train"], loaders["test"], kept, validation=loaders.get("validation"), pause_after=pause
    )
    timing["startup_seconds"] = round(time.monotonic() - started - timing["seconds"], 3)
    if arguments.rung:
        timing["seconds"] = round(timing["seconds"] + read_rung(arguments.rung)["timing"]["seconds"], 3)
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
        choice=arguments.choice and {key: arguments.choice[key] for key in ("run", "cell", "by")},
    )
    if pause:
        return paused(run, pause), None
    groups = groups_of_parts(open_packed(Path(arguments.packed), arguments.storage), manifest)
    scores = trainer.kept["scores"] if outcome["status"] == "completed" else {}
    labels = {part: loaders[part].images.labels.cpu().numpy() for part in scores}
    if scores:
        logging.getLogger("apr").info("its scores are those of epoch %d", outcome["epoch"])
    return run, outputs_of(scores, labels, groups, manifest)


if __name__ == "__main__":
    main()
