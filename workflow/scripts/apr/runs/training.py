"""Training one network on one task: SGD, half-period cosine, precise BatchNorm, checkpoints, bit-exact resume.

The regime is that of Radosavovic et al. 2020 as pycls implements it (pycls/core/trainer.py, net.py, optimizer.py).
"""

import logging
import math
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from apr.basics.interruption import Interrupted, listen
from apr.basics.problems import Problem
from apr.runs.batches import Loader
from apr.runs.checkpoints import (
    Checkpointing,
    infinite,
    load_checkpoint,
    save_checkpoint,
    settings_fault,
)
from apr.runs.machine.memory import memory_explained
from apr.runs.metrics import PLAIN, Metric, part_of
from apr.runs.optimisation import learning_rate
from apr.runs.progress import Progress, is_diverging, progress_fault
from apr.runs.record import COMPLETED, DIVERGED, PAUSED
from apr.runs.trainer import Diverged, Trainer

log = logging.getLogger("apr")


def train_network(
    trainer: Trainer,
    train: Loader,
    test: Loader,
    checkpointing: Checkpointing,
    *,
    validation: Loader | None = None,
    start: Progress | None = None,
    pause_after: int | None = None,
    evaluate: Collection[int] | None = None,
    on_step: Callable[[Progress], None] = lambda progress: None,
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Train to the last epoch, from the checkpoint if there is one, else from `start`: outcome, history and timing.

    The network is evaluated on the test part, and on the validation part where there is one, after each epoch, or after
    the last and those that `evaluate` holds (counted from 1): weights do not depend on it. After `pause_after` epochs
    the outcome is `paused`, and the checkpoint is written, from which another call goes on; it may be further on
    already.

    Raises:
        Interrupted: SIGTERM, SIGINT or SIGUSR1 came; the checkpoint is written.
        Problem: fewer training images than one batch, or the memory is full.
    """
    protocol = trainer.protocol
    if len(train.images) < protocol["batch"]:
        raise Problem(
            f"batch {protocol['batch']} is larger than the {len(train.images)} training images; lower the task's batch"
        )
    with memory_explained(trainer.device, f"at batch {protocol['batch']}, {train.recipe.resolution} px"):
        held = ({"validation": validation} if validation else {}) | {"test": test}
        return _train(trainer, train, held, checkpointing, start or Progress(), on_step, pause_after, evaluate)


def _train(
    trainer: Trainer,
    train: Loader,
    held: Mapping[str, Loader],
    checkpointing: Checkpointing,
    start: Progress,
    on_step: Callable[[Progress], None],
    pause_after: int | None = None,
    evaluate: Collection[int] | None = None,
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    protocol = trainer.protocol
    last = pause_after or protocol["epochs"]
    steps = len(train.images) // protocol["batch"]
    progress, resumed = _resume(trainer, checkpointing, start, steps)
    received = listen()
    started = saved = time.monotonic()
    trained = 0
    outcome = {"status": DIVERGED, "parts": {part: part_of(len(one.images)) for part, one in held.items()}}

    def save() -> None:
        nonlocal saved
        checkpointing.check()
        save_checkpoint(checkpointing.path, {**trainer.state(), "progress": vars(progress)}, checkpointing.fingerprint)
        saved = time.monotonic()

    try:
        while progress.epoch < last:
            epoch, epoch_started, first_step = progress.epoch, time.monotonic(), progress.step
            rate = learning_rate(epoch, protocol)
            for group in trainer.optimizer.param_groups:
                group["lr"] = rate
            trainer.train_mode()
            if progress.sums is None:
                progress.sums = trainer.no_sums()
            for inputs, labels in train.training(epoch, protocol["batch"], skip=progress.step):
                trainer.seed(epoch, progress.step)
                progress.sums += trainer.step(inputs, labels)
                progress.step += 1
                trained += len(labels)
                on_step(progress)
                if received or time.monotonic() - saved >= checkpointing.seconds:
                    save()
                if received:
                    raise Interrupted(received.pop(0))
            loss, *counts = progress.sums.tolist()
            if not math.isfinite(loss):
                raise Diverged
            seen = steps * protocol["batch"]
            parts = {"train": trainer.part(seen, counts)}
            if evaluate is None or epoch + 1 in (last, *evaluate):
                trainer.settle_batchnorm(train, epoch)
                parts |= {part: trainer.evaluate(loader, part) for part, loader in held.items()}
            else:
                trainer.leave_unsettled(train)
            entry = {"epoch": epoch + 1, "lr": rate, "train_loss": loss / seen, "parts": parts}
            progress.history.append(entry)
            trainer.keep(entry)
            progress.epoch, progress.step, progress.sums = epoch + 1, 0, None
            speed = (steps - first_step) * protocol["batch"] / (time.monotonic() - epoch_started)
            _report(entry, protocol["epochs"], speed, trainer.metric)
        if pause_after and trained:
            save()
        kept = pause_after or trainer.kept_epoch
        status = PAUSED if pause_after else COMPLETED
        outcome = {"status": status, "epoch": kept, "parts": progress.history[kept - 1]["parts"]}
    except Diverged:
        outcome["epoch"] = progress.epoch + 1
        log.warning("diverged in epoch %d: loss or outputs are not finite; recorded as the result", outcome["epoch"])
    seconds = time.monotonic() - started
    timing = {
        "seconds": round(seconds, 3),
        "images_per_second": round(trained / seconds, 1),
        "resumed_at_epoch": resumed,
    }
    return outcome, progress.history, timing


def _resume(trainer: Trainer, checkpointing: Checkpointing, start: Progress, steps: int) -> tuple[Progress, int | None]:

    def fault(state: dict[str, Any]) -> str | None:
        progress = state.get("progress")
        wrong = progress_fault(progress, trainer.protocol["epochs"], steps) or trainer.fault(state)
        wrong = wrong or settings_fault(state["optimizer"], trainer.optimizer)
        return wrong or (None if is_diverging(progress) else infinite(state))

    state = load_checkpoint(checkpointing.path, checkpointing.fingerprint, trainer.device, fault)
    if state is None:
        return start, None
    trainer.resume(state)
    progress = Progress(**state["progress"])
    log.info("resuming at epoch %d, step %d", progress.epoch + 1, progress.step)
    return progress, progress.epoch + 1


def _report(entry: dict[str, Any], epochs: int, speed: float, metric: Metric) -> None:
    told = [f"loss {entry['train_loss']:.4f}"]
    for part, counts in entry["parts"].items():
        shown = next((one for one in (metric, PLAIN) if one.of(counts) is not None), None)
        if shown:
            told.append(f"{part} {shown.word if shown.counts else shown.title} {shown.of(counts):.2f} %")
    log.info("epoch %d/%d  %s  %.0f images/s", entry["epoch"], epochs, "  ".join(told), speed)
