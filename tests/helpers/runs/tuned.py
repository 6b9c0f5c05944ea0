"""Fine-tunings of tiny networks on a packed dataset with train, validation and test, in this process."""

import json
from pathlib import Path

import numpy as np
import timm
import torch
from data_helpers import SHIPPED

import finetune
from apr.basics.files import write_json
from apr.data.formats import Item, Listing
from apr.data.packed import open_packed
from apr.data.packing import pack_dataset
from apr.data.views import select_view
from apr.runs.commands.scripts import make_run
from apr.runs.commands.transfer_options import check_task, parser
from apr.runs.record import read_run

MODEL = "timm:test_resnet.r160_in1k"
PROTOCOL = {
    "epochs": 3,
    "batch": 8,
    "optimiser": "sgd",
    "lr": 0.02,
    "weight_decay": 1e-4,
    "crop": "random_resized",
    "flip": True,
    "resolution": 32,
    "seed": 1,
    "revision": 1,
}
WHOLE = {"classes": None, "per_class": None, "cap": None, "seed": 0}
COUNTS = {"train": 16, "validation": 6, "test": 8}


def listing(labels=("bird", "cat", "dog"), counts=COUNTS, groups=False) -> Listing:
    """Coloured noise, a colour for each class: learnable within an epoch or two. A class may be a tuple of labels."""
    generator, items = np.random.default_rng(0), []
    for number, label in enumerate(labels):
        colour = generator.integers(0, 156, 3)
        for part, count in counts.items():
            for i in range(count):
                pixels = (colour + generator.integers(0, 100, (32, 32, 3))).astype(np.uint8)
                group = f"{part}{i // 2}" if groups else None
                items.append(Item(f"{part}/{number}_{i}", label, pixels, part, group))
    classes = sorted({one for label in labels for one in ([label] if isinstance(label, str) else label)})
    return Listing(items, classes)


def prepare(folder: Path, of: Listing | None = None) -> Path:
    """Pack it, draw the whole view, and save random weights of the network for 1,000 classes."""
    folder.mkdir(parents=True, exist_ok=True)
    of = of or listing()
    manifest = pack_dataset(
        of, folder / "noise", folder / "dataset.json", name="noise", storage="pixels", split=SHIPPED
    )
    index = open_packed(folder / "noise", "pixels").index
    write_json(folder / "view.json", select_view("noise", WHOLE, manifest, index))
    torch.manual_seed(0)
    torch.save(timm.create_model("test_resnet", num_classes=1000).state_dict(), folder / "weights.pt")
    return folder


def arguments(folder: Path, *more: str, name: str = "run", protocol: dict | None = None, **options: str) -> list[str]:
    """The command line of a fine-tuning."""
    said = {"task": "noise", "model": MODEL, "metric": "top1_accuracy", "weights": folder / "weights.pt"}
    said |= {"view": folder / "view.json", "packed": folder / "noise", "storage": "pixels", "device": "cpu"}
    said |= {"run": folder / f"{name}.json", "outputs": folder / f"{name}.npz"}
    said |= {"checkpoint": folder / f"checkpoints/{name}.pt", "protocol": json.dumps(PROTOCOL | (protocol or {}))}
    said |= options
    return [part for key, value in said.items() if value is not None for part in (f"--{key}", str(value))] + list(more)


def run(folder: Path, *more: str, name: str = "run", protocol: dict | None = None, **options: str) -> dict:
    """The script's run, in this process."""
    command = parser("", "finetune").parse_args(arguments(folder, *more, name=name, protocol=protocol, **options))
    make_run(command, check_task(command, ["train", "test"]), finetune.made, finetune.written)
    return read_run(folder / f"{name}.json")


def compared(one: dict) -> dict:
    """All of a run that has to be the same whenever it is made."""
    return {key: value for key, value in one.items() if key != "timing"}
