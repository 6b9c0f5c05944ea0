"""Features: extracted once, resumed to the bit, kept, and taken only where they are what is asked for."""

import json
import logging
import os
import signal

import numpy as np
import pytest
import torch
from probes import NAME, prepared, put_weights, run
from small import CPU, checkpointing

import apr.runs.commands.kept_features
from apr.basics.interruption import Interrupted
from apr.data.packed import open_packed
from apr.data.views import view_indices
from apr.runs.batches import Images, Loader, Recipe
from apr.runs.checkpoints import save_checkpoint
from apr.runs.finetuning.features import extract

RECIPE = Recipe("centre", 32, 32, 0, flip=False)
SIZES = {"train": 24, "validation": 18, "test": 12}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def noise(tmp_path):
    return prepared(tmp_path)


def loaders(folder, manifest):
    packed = open_packed(folder / "noise", "pixels")
    indices = view_indices(manifest, packed.index)
    images = {
        part: Images(packed, indices[part], indices[f"{part}_labels"], CPU, resident_bytes=0, workers=1)
        for part in SIZES
    }
    return {part: Loader(own, RECIPE, mean=[0.5] * 3, sd=[0.25] * 3, seed=0) for part, own in images.items()}


# after the first batch, at the end of a part, after a part's last, smaller batch, and after the last image
@pytest.mark.parametrize("stop_at", [10, 24, 42, 54])
def test_interrupted_and_resumed_equals_undisturbed(noise, stop_at):
    folder, manifest, _ = noise
    network, own = put_weights(folder / "weights"), loaders(folder, manifest)
    ends = [10, 20, 24, 34, 42, 52, 54]
    whole, _ = extract(network, 96, own, 10, checkpointing(folder / "a"))
    assert {part: values.shape for part, values in whole.items()} == {part: (n, 96) for part, n in SIZES.items()}

    def stop(done):
        if done == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="SIGTERM"):
        extract(network, 96, own, 10, checkpointing(folder / "b"), on_batch=stop)
    seen = []
    again, seconds = extract(network, 96, own, 10, checkpointing(folder / "b"), on_batch=seen.append)
    assert seen == [end for end in ends if end > stop_at]
    assert seconds > 0
    for part in SIZES:
        np.testing.assert_array_equal(again[part], whole[part])


@pytest.mark.parametrize("change", [{"done": 99}, {"done": "all"}, {"rows": torch.zeros(54, 3)}, {"seconds": None}])
def test_a_checkpoint_that_does_not_fit_is_set_aside(noise, change, caplog):
    folder, manifest, _ = noise
    network, own, kept = put_weights(folder / "weights"), loaders(folder, manifest), checkpointing(folder / "a")
    whole, _ = extract(network, 96, own, 60, kept)
    save_checkpoint(kept.path, {"rows": torch.zeros(54, 96), "done": 24, "seconds": 1.0} | change, kept.fingerprint)
    again, _ = extract(network, 96, own, 60, kept)
    assert "is of this protocol, but" in caplog.text
    np.testing.assert_array_equal(again["train"], whole["train"])


def test_a_second_classifier_and_other_strengths_take_the_kept_features(noise, monkeypatch, caplog):
    folder, *_ = noise
    first, _ = run(folder, {"strengths": [0.1, 1]})
    (file,) = (folder / "features").glob("*.npz")
    assert [path.name for path in (folder / "features").iterdir()] == [file.name]
    before = file.read_bytes()

    def never(*arguments, **options):
        raise AssertionError("extracted again")

    monkeypatch.setattr(apr.runs.commands.kept_features, "extract", never)
    with caplog.at_level(logging.INFO):
        second, _ = run(folder, {"classifier": "neighbours", "neighbours": 3}, name="near")
        third, _ = run(folder, {"strengths": [0.1]}, name="other")
    assert caplog.text.count(f"takes the features that an earlier probe kept, {file}") == 2
    for key in ("extraction_seconds", "evaluated_images_per_second"):
        assert first["timing"][key] == second["timing"][key] == third["timing"][key]
    assert first["provenance"] == second["provenance"]
    assert file.read_bytes() == before
    chosen = next(entry for entry in first["history"] if entry["strength"] == 0.1)
    assert chosen["parts"] == third["outcome"]["parts"]


@pytest.mark.parametrize("change", [{"channels": "bgr"}, {"normalisation": "imagenet"}, {"revision": 2}])
def test_another_input_has_features_of_its_own(noise, change):
    folder, *_ = noise
    run(folder, {"strengths": [0.1]})
    run(folder, {"strengths": [0.1], **change}, name="other")
    assert len(list((folder / "features").glob("*.npz"))) == 2


def test_features_of_other_weights_are_not_taken(noise, caplog):
    folder, *_ = noise
    of_first, _ = run(folder, {"strengths": [0.1]})
    (first,) = (folder / "features").glob("*.npz")
    put_weights(folder / "weights", seed=1)
    of_second, _ = run(folder, {"strengths": [0.1]})
    assert of_first["protocol"]["weights"] != of_second["protocol"]["weights"]
    (second,) = set((folder / "features").glob("*.npz")) - {first}
    assert second.name.startswith(f"{NAME}-")
    right = dict(np.load(second))
    second.write_bytes(first.read_bytes())  # under the name of the second, whatever brought it there
    again, _ = run(folder, {"strengths": [0.1]}, name="again")
    assert "holds the features of other weights, images or sizes; extracting" in caplog.text
    assert again["outcome"] == of_second["outcome"]
    np.testing.assert_array_equal(np.load(second)["train"], right["train"])


def test_a_damaged_file_is_made_again(noise, caplog):
    folder, *_ = noise
    first, _ = run(folder, {"strengths": [0.1]})
    (file,) = (folder / "features").glob("*.npz")
    kept = dict(np.load(file))
    np.savez(file, **kept | {"test": kept["test"][:5]})
    again, _ = run(folder, {"strengths": [0.1]}, name="again")
    assert f"{file}: does not hold a row for each image; extracting the features again" in caplog.text
    assert again["outcome"] == first["outcome"]
    assert json.loads(str(np.load(file)["about"]))["of"] == json.loads(str(kept["about"]))["of"]
    np.testing.assert_array_equal(np.load(file)["test"], kept["test"])
