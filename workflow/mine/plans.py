"""What is asked of a user's pictures: as much as a machine does in some minutes, and how long that will take.

Seconds are CPU-seconds, measured on one core of an AMD EPYC of the third generation; other machines differ.
"""

import math
from dataclasses import dataclass
from typing import Any

from mine.seen import Seen

MODELS = ("timm:tf_efficientnet_lite0.in1k", "timm:tf_efficientnet_lite1.in1k", "timm:tf_efficientnet_lite2.in1k")
REFERENCE = 220.0  # seconds of its trainings on photos and their subsets, measured with an epoch more of most
PAGES = 150.0  # seconds of planning, tables, figures and the report
STARTED = 1.0  # seconds of a run beside its images
TRAINED = 0.0008  # seconds of an image, shown once in training, at 32 pixels
PROBED = {
    None: 0.055,
    128: 0.012,
    64: 0.004,
}  # of an image that passes a pretrained model (mean of three), by resolution
FITTED = 5.0  # seconds of the regression on its features
EPOCHS = (8, 40)  # fewest and most
BATCHES = {2: 0, 16: 50, 32: 300, 64: 2000}  # images in a step, by the fewest training images: some steps an epoch
FEWEST = 12  # training images of a class, below which classes are left out
SHARE = 0.5  # of the time that is left, for the architectures; the rest is for pretrained models
# fine-tuned or not, and at which resolution: the first that fits, at the coarsest only probed
WAYS = [(True, None), (True, 128), (False, None), (False, 128), (False, 64)]
TUNING = {"epochs": 3, "grid": {"lr": [0.005, 0.02]}}  # without a GPU
BACK_TOO = 3  # passes that a step of training is worth
GPU_SPEED = 20  # cores: far below what docs/performance.md measured of one, since others are slower


@dataclass(frozen=True)
class Plan:
    """How much of the pictures is taken, for how long.

    Attributes:
        classes: how many are drawn; None for all.
        cap: at most so many images of a class in each part; None for all.
        epochs, batch: of the architectures from scratch.
        resolution: at which pretrained models see them; None for each model's own.
        tuned: pretrained models are fine-tuned, too.
        tuning: what of that is another than in studies/mine.yaml.
        images: training images.
        minutes: that all of it takes, about.
    """

    classes: int | None
    cap: int | None
    epochs: int
    batch: int
    resolution: int | None
    tuned: bool
    tuning: dict[str, Any]
    images: int
    minutes: int


def plan_of(
    seen: Seen, *, minutes: float, cores: int, architectures: int, gpu: bool = False, trained: bool = False
) -> Plan:
    """What fits into some minutes.

    Args:
        seen: the pictures.
        minutes: that it may take, about; the reference's own trainings are needed whatever it says.
        cores: that work.
        architectures: that are trained from scratch.
        gpu: that there is one.
        trained: the reference's trainings are there already.
    """
    speed = cores * (GPU_SPEED if gpu else 1)
    fixed = PAGES + (0 if trained else REFERENCE / (speed / cores)) + architectures * STARTED
    left = max(60.0, 60 * minutes * cores - fixed) * (speed / cores)
    train, test = _shares(seen)
    shown = SHARE * left / architectures / TRAINED  # images, all epochs together
    most = max(1, int(shown / EPOCHS[0]))
    classes = max(2, most // FEWEST) if len(seen.classes) * FEWEST > most else None
    classes = classes if classes and classes < len(seen.classes) else None
    taken = sorted(seen.per_class)[-(classes or len(seen.classes)) :]
    cap = _cap([math.ceil(count * train) for count in taken], most)
    images = sum(min(math.ceil(count * train), cap or count) for count in taken)
    epochs = min(max(round(shown / images), EPOCHS[0]), EPOCHS[1])
    passes = BACK_TOO * (3 * 15 if gpu else len(TUNING["grid"]["lr"]) * TUNING["epochs"])
    ways = [(side, tuned, _seconds(side, images, test / train, passes * tuned)) for tuned, side in WAYS]
    resolution, tuned, cost = next((way for way in ways if gpu or way[2] <= (1 - SHARE) * left), ways[-1])
    own = architectures * epochs * images * TRAINED
    whole = fixed + (own + cost) / (speed / cores) + seen.count * seen.seconds
    changed = TUNING if tuned and not gpu else {}
    batch = max(size for size, fewest in BATCHES.items() if images >= fewest)
    return Plan(classes, cap, epochs, batch, resolution, tuned, changed, images, max(1, round(whole / cores / 60)))


def _seconds(side: int | None, images: int, tested: float, passes: int) -> float:
    """CPU-seconds of all pretrained models: probed, and so many more passes of the training images to tune them."""
    return len(MODELS) * (FITTED + PROBED[side] * images * (1 + tested + passes))


def _shares(seen: Seen) -> tuple[float, float]:
    """The shares of the pictures that train and that test (or choose)."""
    if seen.parts:
        train = seen.parts["train"] / seen.count * (1 - seen.split.get("validation_fraction", 0))
    else:
        train = 1 - sum(seen.split.values())
    return train, 1 - train


def _cap(counts: list[int], most: int) -> int | None:
    """The largest cap of a class under which all classes together stay within a number; None where all fit."""
    if sum(counts) <= most:
        return None
    low, high = 1, max(counts)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if sum(min(count, middle) for count in counts) <= most else (low, middle - 1)
    return low
