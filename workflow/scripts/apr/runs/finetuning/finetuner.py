"""A pretrained network with a new head on other data: its step, its evaluation, and its best epoch.

After sample_train.py of mlfoundations/imagenet-applications-transfer. The step is that of `apr.runs.trainer`.
"""

import time
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from apr.basics.randomness import generator
from apr.runs.batches import Loader
from apr.runs.finetuning.networks import first_output
from apr.runs.finetuning.scored import evaluated, targets_of
from apr.runs.metrics import METRICS
from apr.runs.trainer import Diverged, Trainer

KEPT = {"epoch": int, "scores": dict, "loss": float}  # of the best epoch


class FineTuner(Trainer):
    """A network with a new head, and its optimiser, on a device.

    Args:
        network: moved there.
        head: the parameters of its head, all that is trained where the protocol says `layers: head`.
        protocol: of the run.
        manifest: of the view: classes, and `label_sets` where images have several labels.
        device: where it trains.
    """

    def __init__(
        self,
        network: nn.Module,
        head: list[nn.Parameter],
        protocol: dict[str, Any],
        manifest: dict[str, Any],
        device: torch.device,
    ) -> None:
        self.head_alone = protocol["layers"] == "head"
        if self.head_alone:
            own = {id(parameter) for parameter in head}
            for parameter in network.parameters():
                parameter.requires_grad_(id(parameter) in own)
        classes = len(manifest["classes"])
        # steps are not recorded: these networks draw random numbers (dropout), and some synchronise
        super().__init__(network, protocol, classes, device, recorded=False, fused=False)
        self.metric, self.sets = METRICS[protocol["metric"]], manifest.get("label_sets")
        self.classes, self.kept = classes, {"epoch": 0, "scores": {}}
        self._scores: dict[str, torch.Tensor] = {}
        self.evaluated = np.zeros(2)  # images, and seconds that it took
        if self.sets is not None:
            table = targets_of(np.arange(len(self.sets)), self.sets, classes)
            self._targets = torch.from_numpy(table).float().to(device)
            self.counted = {}  # the largest outputs say nothing of how many labels are right

    @property
    def kept_epoch(self) -> int:
        """The epoch, counted from 1, whose scores are the run's: the best on the validation images, or the last."""
        return self.kept["epoch"]

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: also the outputs of the best epoch so far."""
        return super().state() | {"kept": self.kept}

    def resume(self, state: dict[str, Any]) -> None:
        """Put saved weights, momenta and outputs in place."""
        super().resume(state)
        self.kept = state["kept"] | {"scores": {part: own.cpu() for part, own in state["kept"]["scores"].items()}}

    def fault(self, state: dict[str, Any]) -> str | None:
        """What in a saved state does not fit; None where it fits."""
        kept = state.get("kept")
        whole = isinstance(kept, dict) and isinstance(kept.get("scores"), dict) and kept.keys() <= KEPT.keys()
        whole = whole and all(isinstance(kept[key], KEPT[key]) for key in kept)
        done = whole and kept["epoch"] > 0
        if done and (not kept["scores"] or (self.protocol["keep_epoch"] == "best" and "loss" not in kept)):
            return "it does not say which outputs are the best so far"
        if not whole or not all(
            isinstance(one, torch.Tensor) and one.ndim == 2 and one.shape[1] == self.classes
            for one in kept["scores"].values()
        ):
            return "it does not say which outputs are the best so far"
        return super().fault(state)

    def train_mode(self) -> None:
        """Before the steps of an epoch: a body that is not trained keeps its statistics, too."""
        self.network.train(not self.head_alone)

    def seed(self, epoch: int, step: int) -> None:
        """Before a step: what it draws, as for dropout, depends on the seed, the epoch and the step alone."""
        torch.manual_seed(int(generator("step", self.protocol["seed"], epoch, step).integers(2**63)))

    def evaluate(self, loader: Loader, part: str = "test") -> dict[str, Any]:
        """What is counted of all images of a part, with the value of the metric.

        Raises:
            Diverged: an output is not finite.
        """
        scores = self.outputs(loader)
        labels = loader.images.labels.cpu().numpy()
        self._scores[part] = scores
        return evaluated(scores.numpy(), targets_of(labels, self.sets, self.classes), self.metric)

    @torch.no_grad()
    def outputs(self, loader: Loader) -> torch.Tensor:
        """The outputs for all images of a part, float32 [n, classes] on the CPU.

        Raises:
            Diverged: one is not finite.
        """
        self.network.eval()
        started = time.monotonic()
        batches = [self._forward(inputs).cpu() for inputs, _ in loader.evaluation(self.protocol["batch"])]
        scores = torch.cat(batches)
        self.evaluated += np.array([len(scores), time.monotonic() - started])
        if not torch.isfinite(scores).all():
            raise Diverged
        return scores

    def keep(self, entry: dict[str, Any]) -> None:
        """Take the outputs of an epoch for the run's where it is better than those before, or the last one."""
        if self.protocol["keep_epoch"] == "last":
            better = entry["epoch"] == self.protocol["epochs"]
        else:
            loss = self.metric.loss(self.metric.of(entry["parts"]["validation"]))
            better = not self.kept["epoch"] or loss < self.kept["loss"]
            self.kept |= {"loss": float(loss)} if better else {}
        if better:
            self.kept |= {"epoch": entry["epoch"], "scores": dict(self._scores)}

    def _loss(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if self.sets is None:
            return functional.cross_entropy(outputs, labels)
        return functional.binary_cross_entropy_with_logits(outputs, self._targets[labels])

    def _forward(self, inputs: torch.Tensor) -> torch.Tensor:
        inputs = inputs.contiguous(memory_format=self.layout)
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.protocol["precision"] == "bf16"):
            return first_output(self.network(inputs)).float()

    def _correct(self, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        if not self.counted:
            return torch.zeros(2, dtype=torch.float64, device=self.device)
        return super()._correct(outputs, labels)
