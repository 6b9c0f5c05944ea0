"""train.py on encoded pictures: kept, shared, decoded anew, or resumed, the run is the same."""

import json
import os
import signal

import numpy as np
import pytest
from live import WHOLE
from small import GENOTYPE, PROTOCOL, encoded_images

import apr.runs.trainer
import train
from apr.basics.files import write_json
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.data.packed import PackedImages
from apr.data.views import select_view
from apr.runs.commands.loaders import SHARED
from apr.runs.commands.train_options import parser
from apr.runs.record import read_run
from engine.decoded import VARIABLE

SHORT = PROTOCOL | {"epochs": 2, "padding": 0, "resolution": 24, "eval_resize": 28}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """36 photo-like pictures in three classes, a quarter of them for testing, and the view of all."""
    folder = tmp_path_factory.mktemp("data")
    index = np.array(encoded_images(folder, count=36)[0].index)
    index["split"] = np.arange(36) % 4 == 3
    np.save(folder / "photos.index.npy", index)
    about = {"name": "photos", "classes": list("abc"), "bin_sha256": "b", "index_sha256": "i"}
    about |= {"mean": [0.5, 0.4, 0.3], "sd": [0.25, 0.2, 0.3]}
    write_json(folder / "view.json", select_view("photos", WHOLE, about, index))
    return folder


def trained(data, out, *more):
    """The run without what may differ between two."""
    train.train(
        parser("").parse_args(
            [
                *["--task", "photos", "--model", "a000", "--genotype", str(GENOTYPE)],
                *["--view", str(data / "view.json"), "--packed", str(data / "photos"), "--storage", "encoded"],
                *["--protocol", json.dumps(SHORT), "--device", "cpu", *more],
                *["--run", str(out / "run.json"), "--checkpoint", str(out / "checkpoint.pt")],
            ]
        )
    )
    run = read_run(out / "run.json")
    del run["timing"]
    return run


def decoded_of(monkeypatch):
    """The pictures that are decoded from now on."""
    seen, read = [], PackedImages.read
    monkeypatch.setattr(PackedImages, "read", lambda self, i: seen.append(i) or read(self, i))
    return seen


def test_kept_shared_and_decoded_anew_are_the_same_run(data, tmp_path, monkeypatch, caplog):
    assert SHARED == VARIABLE  # what the workflow sets is what the library reads
    caplog.set_level("INFO")
    seen = decoded_of(monkeypatch)
    anew = trained(data, tmp_path / "anew", "--resident-gb", "0")
    assert len(seen) == 2 * (24 + 16 + 9)  # epochs, each with precise BatchNorm's 16 pictures and the test part
    assert "train images are decoded in every pass: their pixels take 0.000" in caplog.text
    seen.clear()
    assert trained(data, tmp_path / "kept") == anew
    assert sorted(seen) == list(range(36))
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv(SHARED, str(tmp_path / "shared"))
    for name, decoded in (("first", 36), ("second", 0)):
        seen.clear()
        assert trained(data, tmp_path / name) == anew
        assert len(seen) == decoded


def test_a_run_resumed_with_other_pictures_kept_is_the_same(data, tmp_path, monkeypatch):
    """It begins with pictures that are decoded anew, and goes on with a shared copy."""
    whole = trained(data, tmp_path / "whole")
    update, steps = apr.runs.trainer.Trainer.step, []

    def stopped(self, inputs, labels):
        steps.append(1)
        if len(steps) == 5:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(self, inputs, labels)

    monkeypatch.setattr(apr.runs.trainer.Trainer, "step", stopped)
    with pytest.raises(Interrupted):
        trained(data, tmp_path / "stopped", "--resident-gb", "0")
    monkeypatch.setenv(SHARED, str(tmp_path))
    assert trained(data, tmp_path / "stopped") == whole
    assert len(steps) == 6


def test_a_damaged_picture_ends_it_with_its_name(data, tmp_path):
    damaged = tmp_path / "data"
    damaged.mkdir()
    for file in data.iterdir():
        (damaged / file.name).write_bytes(file.read_bytes())
    start = int(np.load(damaged / "photos.index.npy")["offset"][6])
    with open(damaged / "photos.bin", "r+b") as file:
        file.seek(start + 20)
        file.write(bytes(200))
    for how in ((), ("--resident-gb", "0")):
        with pytest.raises(Problem, match=r"photos\.bin: image 6 cannot be decoded"):
            trained(damaged, tmp_path / "out", *how)
        assert not (tmp_path / "out" / "run.json").exists()
