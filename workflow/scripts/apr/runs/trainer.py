"""One network with its optimiser: the step, precise BatchNorm and evaluation, as pycls takes them.

Sources: pycls/core/trainer.py, net.py, optimizer.py.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from apr.basics.problems import Problem
from apr.runs.batches import Loader
from apr.runs.checkpoints import momenta_fault, tensors_fault
from apr.runs.machine.fusion import fuse, fusible
from apr.runs.machine.memory import memory_explained
from apr.runs.machine.replay import Replay
from apr.runs.metrics import COUNTS, PLAIN, counted, part_of
from apr.runs.optimisation import make_optimizer


class Diverged(Exception):
    """The loss or the outputs are no longer finite."""


class Trainer:
    """One network with its optimiser on a device.

    Args:
        network: moved there.
        protocol: of the run.
        classes: how many there are.
        device: where it trains.
        recorded: on a GPU, replay what is the same for every batch; without, the results are the same, later.
        fused: on a GPU, and channels last, fuse what a network of `apr.models.network` does one by one.
    """

    def __init__(
        self,
        network: nn.Module,
        protocol: dict[str, Any],
        classes: int,
        device: torch.device,
        *,
        recorded: bool = True,
        fused: bool = True,
    ) -> None:
        self.protocol, self.device, self.counted = protocol, device, counted(classes)
        self.metric = PLAIN  # what the log shows
        self.layout = torch.channels_last if protocol["channels_last"] else torch.contiguous_format
        with memory_explained(device, "while the network is loaded"):
            self.network = network.to(device, memory_format=self.layout)
        self.fused = fused and self.layout == torch.channels_last and fusible(device)
        if self.fused:
            fuse(self.network, merge=protocol["precision"] == "bf16")
        self.optimizer = make_optimizer([one for one in network.parameters() if one.requires_grad], protocol)
        recorded = recorded and device.type == "cuda"
        if device.type == "cuda" and device.index is not None:
            torch.cuda.set_device(device)  # streams and recordings are of the current one
        pool = torch.cuda.graph_pool_handle() if recorded else None
        self._updates, self._settling, self._evaluating = (
            Replay(one, device, protocol["batch"], pool) if recorded else one
            for one in (self._update, self._settle, self._judge)
        )
        self._rate = torch.zeros((), device=device)  # the learning rate, where a recorded step reads it
        self._norms = [m for m in self.network.modules() if isinstance(m, nn.BatchNorm2d)]
        self._statistics = [torch.zeros_like(n.running_mean) for n in self._norms for _ in range(2)]

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

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}

    def train_mode(self) -> None:
        """Before the steps of an epoch."""
        self.network.train()

    def seed(self, epoch: int, step: int) -> None:
        """Before a step, counted from 0, for networks that draw random numbers in it: this one draws none."""

    def keep(self, entry: dict[str, Any]) -> None:
        """After an epoch was evaluated, with its entry in the history."""

    @property
    def kept_epoch(self) -> int:
        """The epoch, counted from 1, whose scores are the run's: the last."""
        return self.protocol["epochs"]

    def step(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """One update; returns loss sum and counts, float64 [1 + counts], without waiting for the device."""
        self._rate.fill_(self.optimizer.param_groups[0]["lr"])
        return self._updates(inputs, labels)

    @torch.no_grad()
    def settle_batchnorm(self, loader: Loader, epoch: int) -> None:
        """Precise BatchNorm: the mean of batch statistics over `precise_bn` samples replaces the running ones.

        Order, crops and flips of these samples are drawn again, as in pycls. The number of batches is recorded with the
        rest, so that it is always of the same images.
        """
        batch = self.protocol["batch"]
        self._wanted = self._settled(loader)
        if not self._wanted:
            return
        momentum = [norm.momentum for norm in self._norms]
        for norm in self._norms:
            norm.momentum = 1.0
        for sums in self._statistics:
            sums.zero_()
        self.network.train()
        for inputs, _ in loader.settling(epoch, batch, self._wanted):
            self._settling(inputs)
        for norm, mean, var, value in zip(
            self._norms, self._statistics[::2], self._statistics[1::2], momentum, strict=True
        ):
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(var)
            norm.momentum = value

    def leave_unsettled(self, loader: Loader) -> None:
        """In place of precise BatchNorm where no evaluation follows: its batches count, so that the end is the same."""
        for norm in self._norms:
            norm.num_batches_tracked += self._settled(loader)

    def _settled(self, loader: Loader) -> int:
        """How many batches precise BatchNorm takes."""
        return min(self.protocol.get("precise_bn", 0), len(loader.images)) // self.protocol["batch"]

    @torch.no_grad()
    def evaluate(self, loader: Loader, part: str = "test") -> dict[str, Any]:
        """What is counted of all images of a part, test or validation (`apr.runs.metrics.part_of`).

        Raises:
            Diverged: an output is not finite.
        """
        self.network.eval()
        sums, n = self.no_sums(), 0
        for inputs, labels in loader.evaluation(self.protocol["batch"]):
            sums += self._evaluating(inputs, labels)
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

    def _update(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        outputs = self._forward(inputs)
        loss = self._loss(outputs, labels)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        with self._rate_on_device():
            self.optimizer.step()
        return torch.cat([loss.detach().double().view(1) * len(labels), self._correct(outputs.detach(), labels)])

    def _loss(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(outputs, labels)

    @contextmanager
    def _rate_on_device(self) -> Iterator[None]:
        """A recorded step would keep the number that it was recorded with; on a GPU each step reads the tensor."""
        rates = [group["lr"] for group in self.optimizer.param_groups]
        try:
            if self.device.type == "cuda":
                for group in self.optimizer.param_groups:
                    group["lr"] = self._rate
            yield
        finally:
            for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate

    def _settle(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs = self._forward(inputs)
        for norm, mean, var in zip(self._norms, self._statistics[::2], self._statistics[1::2], strict=True):
            mean += norm.running_mean / self._wanted
            var += norm.running_var / self._wanted
        return outputs

    def _judge(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        outputs = self._forward(inputs)
        broken = (~torch.isfinite(outputs)).any().double().view(1)
        return torch.cat([broken, self._correct(outputs, labels)])

    def _forward(self, inputs: torch.Tensor) -> torch.Tensor:
        inputs = inputs.contiguous(memory_format=self.layout)
        enabled = self.protocol["precision"] == "bf16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=enabled):
            return self.network(inputs).float()

    def _correct(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        right = outputs.topk(max(self.counted.values())).indices == labels[:, None]
        return torch.stack([right[:, : self.counted.get(name, 1)].sum() for name in COUNTS]).double()
