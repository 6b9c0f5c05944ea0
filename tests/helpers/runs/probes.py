"""A small packed dataset with all three parts, weights of a tiny network, and probe.py run on them in this process."""

import json
from pathlib import Path

import numpy as np
import timm
import torch
from live import WHOLE
from sklearn.preprocessing import StandardScaler
from small import packed_images

import probe
from apr.basics.files import file_digest, write_json
from apr.data.packed import PackedImages, open_packed
from apr.data.views import select_view, view_indices
from apr.runs.commands.scripts import make_run
from apr.runs.record import read_run

MODEL = "timm:test_resnet.r160_in1k"
NAME = "timm.test_resnet.r160_in1k"
PARTS = [0, 0, 0, 0, 2, 2, 2, 1, 1]  # of the nine pictures of each class: train, validation and test
PROTOCOL = {"resolution": 32, "eval_resize": 32, "batch": 8}


def prepare(folder: Path, *, classes: int = 6, parts: list = PARTS, wrong: int = 0) -> dict:
    """Coloured noise, a colour a class, some of it under another class; returns the manifest of its view."""
    packed, labels = packed_images(folder, classes=classes, side=24)
    index = np.array(packed.index)
    index["split"] = np.array(parts)[np.arange(len(labels)) % 9]
    odd = np.random.default_rng(1).permutation(len(labels))[:wrong]
    index["label"][odd] = (index["label"][odd] + 1) % classes
    np.save(folder / "noise.index.npy", index)
    about = {"name": "noise", "classes": list("abcdef")[:classes], "bin_sha256": "b"}
    about |= {
        "index_sha256": file_digest(folder / "noise.index.npy"),
        "mean": [0.5, 0.4, 0.3],
        "sd": [0.25, 0.2, 0.3],
    }
    return written(folder, select_view("noise", WHOLE, about, index))


def several_labels(folder: Path, manifest: dict, names: list, label_sets: list) -> dict:
    """The view again, its classes taken for sets of labels."""
    counts = {
        part: [sum(n for n, own in zip(sets, label_sets, strict=True) if label in own) for label in range(len(names))]
        for part, sets in manifest["per_class"].items()
    }
    return written(folder, manifest | {"classes": names, "label_sets": label_sets, "per_class": counts})


def written(folder: Path, manifest: dict) -> dict:
    write_json(folder / "view.json", manifest)
    return manifest


def put_weights(folder: Path, seed: int = 0) -> torch.nn.Module:
    """Random weights in a folder of them; the network without its head."""
    torch.manual_seed(seed)
    network = timm.create_model("test_resnet", num_classes=1000).eval()
    folder.mkdir(exist_ok=True)
    torch.save(network.state_dict(), folder / f"{NAME}.pt")
    network.reset_classifier(0)
    return network


def arguments(folder: Path, protocol: dict, *more: str, name: str = "run", metric: str = "top1_accuracy") -> list[str]:
    return [
        *["--task", "noise", "--model", MODEL, "--view", str(folder / "view.json"), "--packed", str(folder / "noise")],
        *["--storage", "pixels", "--metric", metric, "--protocol", json.dumps(PROTOCOL | protocol)],
        *["--weights", str(folder / "weights"), "--features", str(folder / "features"), "--device", "cpu"],
        *["--run", str(folder / f"{name}.json"), "--outputs", str(folder / f"{name}.npz")],
        *["--checkpoint", str(folder / f"checkpoints/{name}.pt"), *more],
    ]


def run(folder: Path, protocol: dict, *more: str, **options) -> tuple[dict, dict]:
    """The run, and its outputs."""
    given = probe.command_line().parse_args(arguments(folder, protocol, *more, **options))
    probe.prepared(given)
    make_run(given, json.loads((folder / "view.json").read_text()), probe.probed, probe.written)
    with np.load(given.outputs) as outputs:
        return read_run(given.run), dict(outputs)


def view_labels(folder: Path, manifest: dict) -> dict[str, np.ndarray]:
    """The labels of each part of a view."""
    indices = view_indices(manifest, open_packed(folder / "noise", "pixels").index)
    return {part: indices[f"{part}_labels"] for part in ("train", "validation", "test")}


@torch.no_grad()
def plain_features(network: torch.nn.Module, packed: PackedImages, rows: np.ndarray) -> np.ndarray:
    """One picture after another, scaled to the input by torch's own interpolation."""
    mean, sd = (torch.tensor(network.pretrained_cfg[key])[:, None, None] for key in ("mean", "std"))
    found = []
    for row in rows:
        picture = torch.from_numpy(packed.read(int(row)).copy()).permute(2, 0, 1)[None] / 255
        resized = torch.nn.functional.interpolate(picture, (32, 32), mode="bilinear", align_corners=False)
        found.append(network((resized[0] - mean)[None] / sd)[0].numpy())
    return np.stack(found)


def prepared(folder: Path) -> tuple[Path, dict, dict[str, np.ndarray]]:
    """A folder with packed images, a view and weights; its manifest; and each part's features, plainly extracted."""
    manifest = prepare(folder, wrong=12)
    network = put_weights(folder / "weights")
    packed = open_packed(folder / "noise", "pixels")
    indices = view_indices(manifest, packed.index)
    features = {part: plain_features(network, packed, indices[part]) for part in ("train", "validation", "test")}
    return folder, manifest, features


def scaled(features: dict) -> dict[str, np.ndarray]:
    """Each feature with mean 0 and SD 1 on the training images."""
    scaler = StandardScaler().fit(features["train"].astype(float))
    return {part: scaler.transform(features[part].astype(float)) for part in ("train", "validation", "test")}
