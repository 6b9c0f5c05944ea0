"""A tiny packed dataset and trainer for tests of training."""

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from apr.basics.files import atomic_file
from apr.data.packed import INDEX, open_packed
from apr.models.anynet import Genotype
from apr.models.network import build_network
from apr.runs.batches import Images, Loader, Recipe
from apr.runs.checkpoints import Checkpointing
from apr.runs.trainer import Trainer

PROTOCOL = {
    "epochs": 3,
    "batch": 8,
    "lr": 0.05,
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 5e-5,
    "warmup_epochs": 1,
    "precise_bn": 16,
    "resolution": 16,
    "eval_resize": 16,
    "crop": "random_resized",
    "padding": 2,
    "flip": True,
    "stem": "res_stem_cifar",
    "zero_init_final_gamma": False,
    "precision": "fp32",
    "channels_last": True,
    "seed": 3,
    "revision": 1,
}
GENOTYPE = Genotype((1, 2, 1, 1), (8, 16, 16, 24), (1, 2, 1, 4), (8, 4, 16, 2))


def packed_images(folder: Path, *, classes: int = 6, per_class: int = 9, side: int = 16):
    """Coloured noise, a colour a class: learnable within an epoch or two. Opened as packed pixels."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(classes), per_class)
    colours = generator.integers(0, 156, (classes, 3))
    pixels = (colours[labels][:, None, None] + generator.integers(0, 100, (len(labels), side, side, 3))).astype(
        np.uint8
    )
    index = np.zeros(len(labels), INDEX)
    index["bytes"] = side * side * 3
    index["offset"] = np.arange(len(labels)) * side * side * 3
    index["height"] = index["width"] = side
    index["label"] = labels
    with atomic_file(folder / "noise.bin", "wb") as file:
        file.write(pixels.tobytes())
    np.save(folder / "noise.index.npy", index)
    return open_packed(folder / "noise", "pixels"), labels


def encoded_images(folder: Path, *, count: int = 9, side: int = 40):
    """Pictures that JPEG does well on, of different sizes; every ninth is a PNG. Opened as packed encoded bytes."""
    folder.mkdir(exist_ok=True)
    generator = np.random.default_rng(1)
    index, files = np.zeros(count, INDEX), []
    for i in range(count):
        height, width = side + i % 9, side + 2 * (i % 7)
        coarse = generator.integers(0, 256, (6, 6, 3)).astype(np.uint8)
        picture, buffer = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC), io.BytesIO()
        picture.save(buffer, "PNG" if i % 9 == 8 else "JPEG", quality=90)
        files.append(buffer.getvalue())
        index[i] = (sum(map(len, files[:-1])), len(files[-1]), height, width, i % 3, 0)
    with atomic_file(folder / "photos.bin", "wb") as file:
        file.write(b"".join(files))
    np.save(folder / "photos.index.npy", index)
    return open_packed(folder / "photos", "encoded"), index["label"].astype(np.int64)


CPU = torch.device("cpu")


def loaders(folder: Path, protocol: dict, *, resident_bytes: int = 2**30, workers: int = 1, device=CPU):
    """Loaders of the training and the test images."""
    packed, labels = packed_images(folder)
    test = np.arange(len(labels)) % 9 >= 6
    recipe = Recipe(**{key: protocol[key] for key in ("crop", "resolution", "eval_resize", "padding", "flip")})
    both = []
    for part in (~test, test):
        chosen = np.flatnonzero(part)
        images = Images(packed, chosen, labels[chosen], device, resident_bytes=resident_bytes, workers=workers)
        both.append(Loader(images, recipe, mean=[0.5] * 3, sd=[0.25] * 3, seed=protocol["seed"]))
    return both


def trainer(protocol: dict, classes: int = 6, device=CPU, **options: bool) -> Trainer:
    """A freshly initialised network with its optimiser."""
    torch.manual_seed(protocol["seed"])
    network = build_network(GENOTYPE, stem=protocol["stem"], classes=classes)
    return Trainer(network, protocol, classes, device, **options)


def checkpointing(folder: Path, seconds: float = 1e9, fingerprint: str = "one") -> Checkpointing:
    """Checkpoints in `folder`."""
    return Checkpointing(folder / "checkpoint.pt", fingerprint, seconds)
