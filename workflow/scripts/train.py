"""Train one model on one task and write its run as JSON. Runs under Snakemake, by hand, or anywhere torch is.

    python workflow/scripts/train.py --task digits --model a000 --genotype 'd=1,1,2,1 w=8,24,32,64 …' \\
        --view results/views/digits.json --packed data/packed/digits --storage pixels \\
        --protocol '{…}' \\
        --run results/runs/digits/a000.json --checkpoint results/checkpoints/digits/a000.pt
"""

import argparse
import logging
import time
from pathlib import Path

from apr.basics.files import digest_of, read_json, write_json
from apr.basics.interruption import Interrupted, leave, listen, stop_if_asked
from apr.basics.leases import Lease
from apr.basics.logs import log_to
from apr.basics.problems import Problem
from apr.data.reading.parts import parts_of
from apr.models.anynet import Genotype
from apr.runs.commands.commandline import naming_keys
from apr.runs.commands.train_options import check_options, check_task, parser
from apr.runs.metrics import part_of
from apr.runs.protocol import full_protocol
from apr.runs.record import new_run, read_run
from apr.scores.table import ranked_model


def main() -> None:
    """Parse the command line, train, and end with the exit code of what happened."""
    command = parser(__doc__)
    arguments = command.parse_args()
    try:
        check_options(arguments)
    except Problem as problem:
        command.error(str(problem))
    with log_to(arguments.log, arguments.history) as log, naming_keys():
        check_task(arguments)
        log.info("%s on %s: loading torch", arguments.model or arguments.rank, arguments.task)
        listen()
        try:
            train(arguments)
        except Interrupted as interrupted:
            leave(interrupted)


def train(arguments: argparse.Namespace) -> None:
    """Train and write the run, unless it was finished before. Nobody else writes it in the meantime."""
    manifest = read_json(arguments.view)
    model = arguments.model or ranked_model(arguments.ranking, arguments.rank)
    source = read_run(f"{arguments.initial_runs}/{model}.json") if arguments.initial_runs else None
    genotype = arguments.genotype or Genotype.parse(source["protocol"]["genotype"])
    protocol = full_protocol(arguments.protocol, genotype=str(genotype), manifest=manifest, source=source)
    # which model a rank is can change: its work is kept under the model's own name
    checkpoint = Path(arguments.checkpoint).with_stem(model) if arguments.rank else Path(arguments.checkpoint)
    finished = checkpoint.with_suffix(".json")
    identity = {"task": arguments.task, "model": model, "protocol": protocol, "rank": arguments.rank}
    with Lease(checkpoint.with_suffix(".lease"), waiting=stop_if_asked) as lease:
        if take_up(finished, arguments, protocol):
            return
        if source and source["outcome"]["status"] == "diverged":
            logging.getLogger("apr").warning(
                "%s diverged on %s: there are no weights to start from", model, source["task"]
            )
            outcome = {"status": "diverged", "epoch": 0, "parts": not_evaluated(manifest)}
            run = new_run(**identity, outcome=outcome, history=[], timing={"seconds": 0.0}, provenance={})
        else:
            checkpointing = {"path": checkpoint, "seconds": arguments.checkpoint_seconds, "check": lease.check}
            run = trained(arguments, identity, genotype, manifest, source, checkpointing)
        lease.check()
        write_json(finished, run)  # kept beside the checkpoint: Snakemake deletes outputs of a job or group that fails
        write_json(arguments.run, run)
        checkpoint.unlink(missing_ok=True)


def trained(
    arguments: argparse.Namespace,
    identity: dict,
    genotype: Genotype,
    manifest: dict,
    source: dict | None,
    checkpointing: dict,
) -> dict:
    """The run, trained from the checkpoint, from its source or from scratch."""
    started = time.monotonic()
    protocol, model = identity["protocol"], identity["model"]

    import torch

    from apr.models.network import build_network
    from apr.models.weights import keep_weights, load_weights, take_over
    from apr.runs.batches import Recipe
    from apr.runs.checkpoints import Checkpointing
    from apr.runs.commands.loaders import open_loaders
    from apr.runs.machine.devices import choose_device, described, machine_of, set_arithmetic, versions
    from apr.runs.progress import Progress
    from apr.runs.trainer import Trainer
    from apr.runs.training import train_network

    machine = machine_of(torch)
    device = torch.device(choose_device(arguments.device, protocol["precision"], machine))
    set_arithmetic(protocol["precision"], torch)
    torch.set_num_threads(arguments.threads)
    torch.backends.cudnn.deterministic = True
    classes = len(manifest["classes"])
    torch.manual_seed(protocol["seed"])
    network = build_network(
        genotype, stem=protocol["stem"], classes=classes, zero_init_final_gamma=protocol["zero_init_final_gamma"]
    )
    progress = Progress()
    if source:
        state = load_weights(f"{arguments.initial_weights}/{model}.pt", source["weights"], device)
        progress = Progress(epoch=protocol["initial"]["epochs"])
        if not progress.epoch:
            take_over(network, state["network"])
    trainer = Trainer(network, protocol, classes, device)
    if progress.epoch:
        progress.history = source["history"]
        trainer.resume(state)
    recipe = Recipe(**{key: protocol[key] for key in ("crop", "resolution", "eval_resize", "padding", "flip")})
    shades = {"mean": manifest["mean"], "sd": manifest["sd"]}
    loaders = open_loaders(arguments, manifest, recipe, device, seed=protocol["seed"], **shades)
    kept = Checkpointing(fingerprint=digest_of(protocol), **checkpointing)
    validation = loaders.get("validation")
    outcome, history, timing = train_network(
        trainer,
        loaders["train"],
        loaders["test"],
        kept,
        validation=validation,
        start=progress,
        evaluate=arguments.evaluate,
    )
    timing["startup_seconds"] = round(time.monotonic() - started - timing["seconds"], 3)
    weights = None
    if arguments.keep_weights and outcome["status"] == "completed":
        optimizer = trainer.optimizer if arguments.keep_optimizer else None
        kept.check()
        weights = keep_weights(arguments.keep_weights, trainer.network, optimizer)
    return new_run(
        **identity,
        outcome=outcome,
        history=history,
        timing=timing,
        provenance=versions(arguments.threads)
        | described(str(device), protocol["precision"], machine, torch)
        | {"fused": trainer.fused},
        weights=weights,
    )


def not_evaluated(manifest: dict) -> dict:
    """The parts that a run which could not begin would have been evaluated on."""
    return {part: part_of(manifest[f"n_{part}"]) for part in parts_of(manifest) if part != "train"}


def take_up(finished: Path, arguments: argparse.Namespace, protocol: dict) -> bool:
    """Write the run that was finished before, if it is this one and kept what it has to."""
    run = read_run(finished) if finished.exists() else None
    if run is None or run["fingerprint"] != digest_of(protocol):
        return False
    lacking = arguments.keep_weights and run["outcome"]["status"] == "completed"
    if lacking and not (run["weights"] and Path(arguments.keep_weights).exists()):
        logging.getLogger("apr").warning("%s: its weights were not kept; training again", finished)
        return False
    logging.getLogger("apr").info("takes the result of an earlier call, %s; delete it to train again", finished)
    write_json(arguments.run, run | ({"rank": arguments.rank} if arguments.rank else {}))
    return True


if __name__ == "__main__":
    main()
