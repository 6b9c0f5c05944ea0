"""Runs on a view with a validation part: it is evaluated beside train and test, and changes neither."""

import json
import os
import signal

import numpy as np
import pytest
import timm
import torch
from data_helpers import SHIPPED, class_folders
from live import WHOLE
from live import run as evaluated
from small import CPU, GENOTYPE, PROTOCOL, checkpointing, loaders, packed_images, trainer

import train
from apr.basics.files import write_json
from apr.basics.interruption import Interrupted
from apr.data.formats import read_listing
from apr.data.packed import open_packed
from apr.data.packing import pack_dataset
from apr.data.views import select_view, view_indices
from apr.models.pretrained import load_model
from apr.runs.batches import Images, Loader
from apr.runs.commands.train_options import parser
from apr.runs.evaluation import predict
from apr.runs.metrics import METRICS
from apr.runs.record import read_run
from apr.runs.training import train_network
from apr.scores.collected import row_of


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def held(tmp_path):
    """A loader of six images, which cannot give training crops."""
    packed, labels = packed_images(tmp_path)
    rows = np.flatnonzero(np.arange(len(labels)) % 9 == 8)
    images = Images(packed, rows, labels[rows], CPU, resident_bytes=2**30, workers=1)
    loader = Loader(images, loaders(tmp_path, PROTOCOL)[0].recipe, mean=[0.5] * 3, sd=[0.25] * 3, seed=3)
    loader._augmented = None
    return loader


def trained(folder, held, **options):
    folder.mkdir(exist_ok=True)
    one = trainer(PROTOCOL)
    made = train_network(one, *loaders(folder, PROTOCOL), checkpointing(folder), validation=held, **options)
    return *made, one


def test_a_validation_part_is_evaluated_and_changes_nothing_else(held, tmp_path):
    outcome, history, _, one = trained(tmp_path / "with", held)
    plain, before, _, other = trained(tmp_path / "without", None)
    assert [list(entry["parts"]) for entry in history] == [["train", "validation", "test"]] * PROTOCOL["epochs"]
    assert outcome["parts"]["validation"] == one.evaluate(held)
    assert 0 < outcome["parts"]["validation"]["correct_top5"] <= outcome["parts"]["validation"]["n"] == 6
    for entry in history:
        del entry["parts"]["validation"]
    assert (outcome, history) == (plain, before)
    weights = other.network.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in one.network.state_dict().items())


def test_interrupted_and_resumed_equals_undisturbed_with_a_validation_part(held, tmp_path):
    outcome, history, *_ = trained(tmp_path / "a", held)

    def stop(progress):
        if (progress.epoch, progress.step) == (1, 2):
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted):
        trained(tmp_path / "b", held, on_step=stop)
    again, after, timing, _ = trained(tmp_path / "b", held)
    assert timing["resumed_at_epoch"] == 2
    assert (again, after) == (outcome, history)


def test_a_run_reports_every_part_of_its_view(tmp_path):
    packed, labels = packed_images(tmp_path)
    index = np.array(packed.index)
    index["split"] = np.array([0, 0, 0, 0, 0, 0, 1, 1, 2])[np.arange(len(labels)) % 9]
    np.save(tmp_path / "noise.index.npy", index)
    about = {"name": "noise", "classes": list("abcdef"), "bin_sha256": "b", "index_sha256": "i"}
    about |= {"mean": [0.5, 0.4, 0.3], "sd": [0.25, 0.2, 0.3]}
    write_json(tmp_path / "view.json", select_view("noise", WHOLE, about, index))
    given = ["--task", "noise", "--model", "a000", "--genotype", str(GENOTYPE), "--view", str(tmp_path / "view.json")]
    given += [
        "--packed",
        str(tmp_path / "noise"),
        "--storage",
        "pixels",
        "--protocol",
        json.dumps(PROTOCOL | {"padding": 0}),
    ]
    given += ["--run", str(tmp_path / "run.json"), "--checkpoint", str(tmp_path / "run.pt"), "--device", "cpu"]
    train.train(parser("").parse_args(given))
    run = read_run(tmp_path / "run.json")
    assert {part: counts["n"] for part, counts in run["outcome"]["parts"].items()} == {
        "train": 32,  # 36 images, the incomplete batch dropped
        "validation": 6,
        "test": 12,
    }
    row = row_of(run, METRICS["top1_error"], None)
    part = run["outcome"]["parts"]["validation"]
    assert row["validation_top1_error"] == pytest.approx(100 * (6 - part["correct_top1"]) / 6)
    assert row["n"] == 12


def test_an_evaluation_reports_the_validation_part_and_keeps_the_tests_answers(tmp_path):
    listing = read_listing(class_folders(tmp_path / "in", dict.fromkeys("abcdefg", 6)), "class_folders")
    split = SHIPPED | {"test_fraction": 0.5, "validation_fraction": 0.3}
    options = {"name": "images", "storage": "encoded", "split": split}
    dataset = pack_dataset(listing, tmp_path / "packed", tmp_path / "dataset.json", **options)
    packed = open_packed(tmp_path / "packed", "encoded")
    view = select_view("view", WHOLE, dataset, packed.index)
    write_json(tmp_path / "view.json", view)
    torch.manual_seed(1)
    torch.save(timm.create_model("test_resnet", num_classes=7).state_dict(), tmp_path / "weights.pt")
    parts = evaluated(tmp_path, "--predictions", str(tmp_path / "best.npy"))["outcome"]["parts"]
    assert {part: counts["n"] for part, counts in parts.items()} == {"test": 21, "validation": 14}
    arrays = view_indices(view, packed.index)
    model = load_model("timm:test_resnet.r160_in1k", tmp_path / "weights.pt")
    for part, counts in parts.items():
        kept = checkpointing(tmp_path / part)
        best, _ = predict(model, packed, arrays[part], kept, device=CPU, batch=4, threads=1)
        right = best == arrays[f"{part}_labels"][:, None]
        assert counts == {"n": len(best), "correct_top1": right[:, 0].sum(), "correct_top5": right.any(1).sum()}
        if part == "test":
            np.testing.assert_array_equal(np.load(tmp_path / "best.npy"), best)
