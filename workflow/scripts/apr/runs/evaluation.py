"""Classify the images of a view by a pretrained model, with checkpoints: the answers, then the counts."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from PIL import Image

from apr.basics.interruption import Interrupted, listen
from apr.basics.problems import Problem
from apr.data.packed import PackedImages
from apr.models.pretrained import Pretrained
from apr.runs.checkpoints import Checkpointing, load_checkpoint, save_checkpoint, tensors_fault
from apr.runs.machine.memory import memory_explained
from apr.runs.metrics import COUNTS, PLAIN, counted, part_of

IMAGENET_CLASSES = 1000
BEST = max(COUNTS.values())
AHEAD = 2  # batches prepared while the device works

log = logging.getLogger("apr")


def output_indices(view: str, classes: Sequence[str], outputs: int) -> np.ndarray:
    """Which of a model's outputs each class of a view is, int64 [k].

    The 1,000 outputs of an ImageNet model are in ascending order of the WordNet ids. A class is looked up by its name:
    a WordNet id, or the number of the output, as ImageNetV2 calls its folders. Hence a view may have some of the 1,000
    classes, in any order. Any other model needs as many outputs as the view has classes, in the same order.

    Raises:
        Problem: a class is none of the 1,000, appears twice, or the numbers differ.
    """
    if outputs != IMAGENET_CLASSES:
        if outputs == len(classes):
            return np.arange(outputs)
        larger = "fine-tuned on ImageNet-1k" if outputs > IMAGENET_CLASSES else "trained on these classes"
        raise Problem(
            f"view {view!r}: has {len(classes)} classes, the model {outputs} outputs, and nothing says which is which; "
            f"take weights that were {larger} (timm calls ImageNet-1k's `…_in1k`)"
        )
    from timm.data import ImageNetInfo

    number = {wnid: i for i, wnid in enumerate(ImageNetInfo("imagenet-1k").label_names())}
    found: dict[int, str] = {}
    for label in classes:
        decimal = label.isascii() and label.isdecimal() and int(label) < IMAGENET_CLASSES
        index = int(label) if decimal else number.get(label)
        if index is None:
            raise Problem(
                f"view {view!r}: class {label!r} is none of ImageNet's 1,000 (a WordNet id such as n01440764, or 0 to "
                "999); take a view of those classes, or weights that were trained on this view's"
            )
        if index in found:
            raise Problem(f"view {view!r}: classes {found[index]!r} and {label!r} are the same one of ImageNet's 1,000")
        found[index] = label
    return np.fromiter(found, np.int64, len(found))


def predict(
    model: Pretrained,
    packed: PackedImages,
    rows: np.ndarray,
    checkpointing: Checkpointing,
    *,
    device: torch.device,
    batch: int,
    threads: int,
    on_batch: Callable[[int], None] = lambda done: None,
) -> tuple[np.ndarray, dict[str, Any]]:
    """The model's best answers for the images `rows`, from the checkpoint on if there is one, and the timing.

    Returns:
        Outputs in descending order of their value, int16 [n, 5], or fewer than 5 if the model has fewer.

    Raises:
        Interrupted: SIGTERM, SIGINT or SIGUSR1 came; the checkpoint is written.
        Problem: outputs are not finite or not as many as the model says, or the device's memory is full.
    """
    best = torch.full((len(rows), min(BEST, model.outputs)), -1, dtype=torch.int16)

    def fault(state: dict[str, Any]) -> str | None:
        wrong = tensors_fault({"best": state.get("best")}, {"best": best})
        whole = isinstance(state.get("done"), int) and 0 <= state["done"] <= len(rows)
        return wrong or (None if whole else "does not say how many images are done")

    state = load_checkpoint(checkpointing.path, checkpointing.fingerprint, torch.device("cpu"), fault)
    done = resumed = 0
    if state is not None:
        best, done = state["best"], state["done"]
        resumed = done
        log.info("resuming at image %d of %d", done + 1, len(rows))
    received = listen()
    started = saved = time.monotonic()

    def save() -> None:
        nonlocal saved
        checkpointing.check()
        save_checkpoint(checkpointing.path, {"best": best, "done": done}, checkpointing.fingerprint)
        log.info("%d of %d images, %.0f images/s", done, len(rows), (done - resumed) / (time.monotonic() - started))
        saved = time.monotonic()

    with memory_explained(device, f"at batch {batch}", "give a smaller --batch, or free the device"):
        network = model.network.to(device)
        for inputs in _inputs(model, packed, rows[done:], batch, threads):
            answers = _best(network, inputs.to(device), model.outputs, best.shape[1])
            best[done : done + len(inputs)] = answers.to("cpu", torch.int16)
            done += len(inputs)
            on_batch(done)
            if received or time.monotonic() - saved >= checkpointing.seconds:
                save()
            if received:
                raise Interrupted(received.pop(0))
    seconds = time.monotonic() - started
    timing = {
        "seconds": round(seconds, 3),
        "images_per_second": round((len(rows) - resumed) / seconds, 1),
        "resumed_at_image": resumed + 1 if state is not None else None,
    }
    return best.numpy(), timing


def outcome_of(best: np.ndarray, labels: Mapping[str, np.ndarray], outputs: int) -> dict[str, Any]:
    """The outcome of a run: how often the label is among the first answers, by part.

    Args:
        best: answers, best first [n, at most 5], part after part.
        labels: of each part the output that each image belongs to.
        outputs: of the model; a count that says nothing of so few is not made.
    """
    parts, start = {}, 0
    for part, own in labels.items():
        right = best[start : start + len(own)] == own[:, None]
        start += len(own)
        parts[part] = part_of(len(own), {name: int(right[:, :k].sum()) for name, k in counted(outputs).items()})
        log.info("%s %.2f %% of %d %s images", PLAIN.title, PLAIN.of(parts[part]), len(own), part)
    return {"status": "completed", "parts": parts}


def run_protocol(planned: Mapping[str, Any], model: Pretrained) -> dict[str, Any]:
    """The whole protocol of a run: what was planned, and what the weights bring along."""
    found = {"weights": model.weights, "outputs": model.outputs, "preprocessing": model.preprocessing}
    return {**planned, **found, **({"code": model.code} if model.code else {})}


def _inputs(
    model: Pretrained, packed: PackedImages, rows: np.ndarray, batch: int, threads: int
) -> Iterator[torch.Tensor]:
    """Batches float32 [n, 3, H, W] in the order of `rows`, prepared ahead; Pillow lets threads run side by side."""

    def prepared(row: int) -> torch.Tensor:
        return model.transform(Image.fromarray(packed.read(row)))

    with ThreadPoolExecutor(max(1, threads)) as pool:
        waiting: deque[list] = deque()
        try:
            for start in range(0, len(rows), batch):
                waiting.append([pool.submit(prepared, int(row)) for row in rows[start : start + batch]])
                if len(waiting) > AHEAD:
                    yield torch.stack([future.result() for future in waiting.popleft()])
            while waiting:
                yield torch.stack([future.result() for future in waiting.popleft()])
        finally:
            pool.shutdown(cancel_futures=True)


@torch.inference_mode()
def _best(network: torch.nn.Module, inputs: torch.Tensor, outputs: int, best: int) -> torch.Tensor:
    values = network(inputs)
    if values.shape != (len(inputs), outputs):
        raise Problem(f"the model gives {tuple(values.shape)} for {len(inputs)} images, not {outputs} outputs for each")
    if not torch.isfinite(values).all():
        raise Problem("the model's outputs are not finite; its weights are damaged: fetch them again")
    return values.topk(best).indices
