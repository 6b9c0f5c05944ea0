"""Training one network on one task: SGD, half-period cosine, precise BatchNorm, checkpoints, bit-exact resume.

The regime is that of Radosavovic et al. 2020 as pycls implements it (pycls/core/trainer.py, net.py, optimizer.py).
"""

import itertools
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from apr.basics.interruption import Interrupted, listen
from apr.basics.problems import Problem
from apr.runs.batches import Loader
from apr.runs.checkpoints import (
    Checkpointing,
    infinite,
    load_checkpoint,
    momenta_fault,
    save_checkpoint,
    settings_fault,
    tensors_fault,
)
from apr.runs.memory import memory_explained
from apr.runs.metrics import COUNTS, PLAIN, counted, part_of
from apr.runs.progress import Progress, is_diverging, progress_fault

WARMUP_FACTOR = 0.1
log = logging.getLogger("apr")


class Diverged(Exception):
    """The loss or the outputs are no longer finite."""


def learning_rate(epoch: int, protocol: dict[str, Any]) -> float:
    """Half-period cosine, updated every epoch, with a linear warm-up from a tenth (pycls/core/optimizer.py)."""
    rate = 0.5 * protocol["lr"] * (1 + math.cos(math.pi * epoch / protocol["epochs"]))
    if epoch < protocol["warmup_epochs"]:
        done = epoch / protocol["warmup_epochs"]
        rate *= WARMUP_FACTOR * (1 - done) + done
    return rate


class Trainer:
    """One network with its optimiser on a device."""

    def __init__(self, network: nn.Module, protocol: dict[str, Any], classes: int, device: torch.device) -> None:
        self.protocol, self.device, self.counted = protocol, device, counted(classes)
        self.layout = torch.channels_last if protocol["channels_last"] else torch.contiguous_format
        with memory_explained(device, "while the network is loaded"):
            self.network = network.to(device, memory_format=self.layout)
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=protocol["lr"],
            momentum=protocol["momentum"],
            nesterov=protocol["nesterov"],
            weight_decay=protocol["weight_decay"],
            fused=True,
        )

    def fault(self, state: dict[str, Any]) -> str | None:
        """What in a saved state does not fit this network and its optimiser; None where it fits."""
        wrong = tensors_fault(state.get("network"), self.network.state_dict())
        return wrong or momenta_fault(state.get("optimizer"), self.optimizer)

    def resume(self, state: dict[str, Any]) -> None:
        """Put saved weights and momenta in place; the optimiser's settings stay those of this protocol.

        Raises:
            Problem: the optimiser's state was not saved, or the state is of another network.
        """
        if "optimizer" not in state:
            raise Problem(
                "the weights were kept without the optimiser's state (or by an earlier version, without its digest), "
                "and cannot be trained on; train the run that kept them again"
            )
        wrong = self.fault(state)
        if wrong:
            raise Problem(
                f"the weights that were kept cannot be trained on: {wrong}; train the run that kept them again"
            )
        self.network.load_state_dict(state["network"])
        own = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state["optimizer"]["state"], "param_groups": own})

    def step(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One update; returns loss sum and counts, float64 [1 + counts], without waiting for the device."""
        outputs = self._forward(inputs)
        loss = functional.cross_entropy(outputs, labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return torch.cat([loss.detach().double().view(1) * len(labels), self._correct(outputs.detach(), labels)])

    @torch.no_grad()
    def settle_batchnorm(self, loader: Loader, epoch: int) -> None:
        """Precise BatchNorm: the mean of batch statistics over `precise_bn` samples replaces the running ones.

        Order, crops and flips of these samples are drawn again, as in pycls.
        """
        norms = [m for m in self.network.modules() if isinstance(m, nn.BatchNorm2d)]
        batch = self.protocol["batch"]
        wanted = min(self.protocol["precise_bn"], len(loader.images)) // batch
        if not wanted:
            return
        statistics = [(torch.zeros_like(n.running_mean), torch.zeros_like(n.running_var)) for n in norms]
        momentum = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 1.0
        self.network.train()
        for inputs, _ in itertools.islice(loader.settling(epoch, batch), wanted):
            self._forward(inputs)
            for norm, (mean, var) in zip(norms, statistics, strict=True):
                mean += norm.running_mean / wanted
                var += norm.running_var / wanted
        for norm, (mean, var), value in zip(norms, statistics, momentum, strict=True):
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(var)
            norm.momentum = value

    @torch.no_grad()
    def evaluate(self, loader: Loader) -> dict[str, Any]:
        """What is counted of all images of a part (`apr.runs.metrics.part_of`).

        Raises:
            Diverged: an output is not finite.
        """
        self.network.eval()
        sums, n = self.no_sums(), 0
        for inputs, labels in loader.evaluation(self.protocol["batch"]):
            outputs = self._forward(inputs)
            broken = (~torch.isfinite(outputs)).any().double().view(1)
            sums += torch.cat([broken, self._correct(outputs, labels)])
            n += len(labels)
        broken, *counts = sums.tolist()
        if broken:
            raise Diverged
        return self.part(n, counts)

    def no_sums(self) -> torch.Tensor:
        """Where the sums of a pass begin: the loss (or what is broken), then each count; float64 [1 + counts]."""
        return torch.zeros(1 + len(COUNTS), dtype=torch.float64, device=self.device)

    def part(self, n: int, counts: Sequence[float]) -> dict[str, Any]:
        """A part of a run of its sums; a count that says nothing of so few classes is None."""
        known = {name: int(count) for name, count in zip(COUNTS, counts, strict=True) if name in self.counted}
        return part_of(n, known)

    def _forward(self, inputs: torch.Tensor) -> torch.Tensor:
        inputs = inputs.contiguous(memory_format=self.layout)
        enabled = self.protocol["precision"] == "bf16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled):
            return self.network(inputs).float()

    def _correct(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        right = outputs.topk(max(self.counted.values())).indices == labels[:, None]
        return torch.stack([right[:, : self.counted.get(name, 1)].sum() for name in COUNTS]).double()


def train_network(
    trainer: Trainer,
    train: Loader,
    test: Loader,
    checkpointing: Checkpointing,
    *,
    validation: Loader | None = None,
    start: Progress | None = None,
    on_step: Callable[[Progress], None] = lambda progress: None,
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Train to the last epoch, from the checkpoint if there is one, else from `start`: outcome, history and timing.

    Each epoch is evaluated on the test part, and on the validation part where there is one.

    Raises:
        Interrupted: SIGTERM, SIGINT or SIGUSR1 came; the checkpoint is written.
        Problem: fewer training images than one batch, or the memory is full.
    """
    protocol = trainer.protocol
    if len(train.images) < protocol["batch"]:
        raise Problem(
            f"batch {protocol['batch']} is larger than the {len(train.images)} training images; lower the task's batch"
        )
    with memory_explained(trainer.device, f"at batch {protocol['batch']}, {protocol['resolution']} px"):
        held = ({"validation": validation} if validation else {}) | {"test": test}
        return _train(trainer, train, held, checkpointing, start or Progress(), on_step)


def _train(
    trainer: Trainer,
    train: Loader,
    held: Mapping[str, Loader],
    checkpointing: Checkpointing,
    start: Progress,
    on_step: Callable[[Progress], None],
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    protocol = trainer.protocol
    steps = len(train.images) // protocol["batch"]
    progress, resumed = _resume(trainer, checkpointing, start, steps)
    received = listen()
    started = saved = time.monotonic()
    trained = 0
    outcome = {"status": "diverged", "parts": {part: part_of(len(one.images)) for part, one in held.items()}}

    def save() -> None:
        nonlocal saved
        checkpointing.check()
        state = {"network": trainer.network.state_dict(), "optimizer": trainer.optimizer.state_dict()}
        save_checkpoint(checkpointing.path, {**state, "progress": vars(progress)}, checkpointing.fingerprint)
        saved = time.monotonic()

    try:
        while progress.epoch < protocol["epochs"]:
            epoch, epoch_started, first_step = progress.epoch, time.monotonic(), progress.step
            rate = learning_rate(epoch, protocol)
            for group in trainer.optimizer.param_groups:
                group["lr"] = rate
            trainer.network.train()
            if progress.sums is None:
                progress.sums = trainer.no_sums()
            for inputs, labels in train.training(epoch, protocol["batch"], skip=progress.step):
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
            trainer.settle_batchnorm(train, epoch)
            seen = steps * protocol["batch"]
            parts = {"train": trainer.part(seen, counts)}
            parts |= {part: trainer.evaluate(loader) for part, loader in held.items()}
            entry = {"epoch": epoch + 1, "lr": rate, "train_loss": loss / seen, "parts": parts}
            progress.history.append(entry)
            progress.epoch, progress.step, progress.sums = epoch + 1, 0, None
            speed = (steps - first_step) * protocol["batch"] / (time.monotonic() - epoch_started)
            _report(entry, protocol["epochs"], speed)
        outcome = {"status": "completed", "epoch": protocol["epochs"], "parts": progress.history[-1]["parts"]}
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


def _report(entry: dict[str, Any], epochs: int, speed: float) -> None:
    errors = "  ".join(f"{part} error {PLAIN.of(counts):.2f} %" for part, counts in entry["parts"].items())
    log.info("epoch %d/%d  loss %.4f  %s  %.0f images/s", entry["epoch"], epochs, entry["train_loss"], errors, speed)
