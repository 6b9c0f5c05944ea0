"""A small packed dataset, weights that know half of it, and the plain loop that an evaluation has to equal."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import timm
import torch
from data_helpers import SHIPPED
from PIL import Image

import evaluate
from apr.basics.files import write_json
from apr.data.formats import Listing
from apr.data.packed import open_packed
from apr.data.packing import pack_dataset
from apr.data.views import select_view
from apr.runs.record import read_run

MODEL = "timm:test_resnet.r160_in1k"
WHOLE = {"classes": None, "per_class": None, "cap": None, "seed": 0}


def prepare(folder: Path, listing: Listing, *, storage: str = "encoded", classes: list | None = None) -> Path:
    """Pack all images as the test part (a class's first image is its train part, too) and draw a view."""
    first = {item.label: item for item in reversed(listing.items)}
    train = [replace(item, name=f"train/{item.name}", split="train") for item in first.values()]
    test = [replace(item, split="test") for item in listing.items]
    dataset = pack_dataset(
        Listing([*train, *test], listing.classes),
        folder / "packed",
        folder / "dataset.json",
        name="images",
        storage=storage,
        split=SHIPPED,
    )
    packed = open_packed(folder / "packed", storage)
    write_json(folder / "view.json", select_view("view", {**WHOLE, "classes": classes}, dataset, packed.index))
    return folder


def fit(folder: Path, pictures: list[Image.Image], outputs: list[int]) -> Path:
    """Weights, random but for a last layer that knows every other picture."""
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=1000).eval()
    inputs = torch.stack([reference_transform()(image) for image in pictures])
    features = torch.cat([reference_features(network, inputs), torch.ones(len(inputs), 1)], dim=1).double()
    wanted = torch.nn.functional.one_hot(torch.tensor(outputs), 1000).double()
    solution = torch.linalg.pinv(features[::2], rcond=1e-8) @ wanted[::2]
    network.fc.weight.data = solution[:-1].T.float().contiguous()
    network.fc.bias.data = solution[-1].float()
    torch.save(network.state_dict(), folder / "weights.pt")
    return folder / "weights.pt"


def reference_transform():
    config = timm.data.resolve_model_data_config(timm.create_model(MODEL.removeprefix("timm:")))
    return timm.data.create_transform(**config, is_training=False)


@torch.no_grad()
def reference_features(network, inputs):
    return network.forward_head(network.forward_features(inputs), pre_logits=True)


@torch.no_grad()
def plain_answers(weights: Path, pictures: list[Image.Image]) -> np.ndarray:
    """Pillow, timm's transform and a loop over single images: the five best answers of each."""
    network = timm.create_model("test_resnet", num_classes=1000).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    transform = reference_transform()
    return np.array([network(transform(image)[None])[0].argsort(descending=True)[:5].tolist() for image in pictures])


def plain_counts(answers: np.ndarray, outputs: list[int]) -> dict[str, int]:
    top5 = [output in row for row, output in zip(answers.tolist(), outputs, strict=True)]
    top1 = [output == row[0] for row, output in zip(answers.tolist(), outputs, strict=True)]
    return {"n": len(outputs), "correct_top1": sum(top1), "correct_top5": sum(top5)}


def the_counts(outcome: dict) -> dict[str, int]:
    return outcome["parts"]["test"]


def run(folder: Path, *more: str, name: str = "run", weights: Path | None = None) -> dict:
    """The script's run, in this process."""
    evaluate.evaluate(evaluate.parser().parse_args(arguments(folder, *more, name=name, weights=weights)))
    return read_run(folder / f"{name}.json")


def arguments(folder: Path, *more: str, name: str = "run", weights: Path | None = None) -> list[str]:
    return [
        *["--task", "live", "--model", MODEL, "--view", str(folder / "view.json"), "--packed", str(folder / "packed")],
        *["--storage", "encoded", "--weights", str(weights or folder / "weights.pt")],
        *["--run", str(folder / f"{name}.json"), "--checkpoint", str(folder / f"checkpoints/{name}.pt")],
        *["--device", "cpu", "--batch", "16", *more],
    ]
