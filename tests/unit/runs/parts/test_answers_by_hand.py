"""Evaluations and features by hand: pictures that are numbers, and a clock that goes on with each batch alone."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import apr.runs.evaluation
import apr.runs.finetuning.features
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.checkpoints import Checkpointing
from apr.runs.evaluation import outcome_of, predict, run_protocol
from apr.runs.finetuning.features import (
    Features,
    extract,
    features_file,
    identity_of,
    keep_features,
    read_features,
    recipe_of,
    width_of,
)

CPU = torch.device("cpu")
SHOWN = torch.eye(7)  # picture n is of class n


def told(function, *arguments, **named):
    with pytest.raises(Problem) as caught:
        function(*arguments, **named)
    return str(caught.value)


class Slow(nn.Module):
    """A network that takes two seconds for a batch and gives its inputs."""

    def __init__(self):
        super().__init__()
        self.now, self.sizes = 100.0, []

    def forward(self, inputs):
        self.now += 2
        self.sizes.append(len(inputs))
        return inputs


@pytest.fixture
def slow(monkeypatch):
    """Its clock is that of evaluations and of features; what is saved is noted."""
    one = Slow()
    one.saved, one.state, one.checked = [], None, 0

    def check():
        one.checked += 1

    def save(path, state, fingerprint):
        assert (path, fingerprint, one.checked) == ("c.pt", "f", len(one.saved) + 1)
        one.saved.append({key: value for key, value in state.items() if key not in ("best", "rows")})

    for module in (apr.runs.evaluation, apr.runs.finetuning.features):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: one.now))
        monkeypatch.setattr(module, "save_checkpoint", save)
        monkeypatch.setattr(module, "load_checkpoint", lambda *given: one.state)
    one.kept = lambda seconds: Checkpointing("c.pt", "f", seconds, check)
    return one


def predicted(slow, seconds=1e9, **options):
    """The answers for pictures 0 to 6, by twos."""
    packed = SimpleNamespace(read=lambda row: np.full((1, 1, 3), row, np.uint8))
    model = SimpleNamespace(network=slow, outputs=7, transform=lambda image: SHOWN[image.getpixel((0, 0))[0]])
    given = {"device": CPU, "batch": 2, "threads": 0} | options
    return predict(model, packed, np.arange(7), slow.kept(seconds), **given)


def test_an_evaluation_says_how_fast_it_was_and_saves_after_its_seconds(slow, caplog):
    caplog.set_level(logging.INFO, "apr")
    best, timing = predicted(slow, seconds=4)
    assert (best.shape, best.dtype, best[:, 0].tolist()) == ((7, 5), np.int16, [0, 1, 2, 3, 4, 5, 6])
    assert slow.sizes == [2, 2, 2, 1]
    assert timing == {"seconds": 8.0, "images_per_second": 0.9, "resumed_at_image": None}
    assert slow.saved == [{"done": 4}, {"done": 7}]
    assert caplog.messages == ["4 of 7 images, 1 images/s", "7 of 7 images, 1 images/s"]


def test_an_evaluation_goes_on_behind_what_is_done(slow, caplog):
    caplog.set_level(logging.INFO, "apr")
    slow.state = {"best": torch.full((7, 5), 6, dtype=torch.int16), "done": 1}
    best, timing = predicted(slow, seconds=6)
    assert best[:, 0].tolist() == [6, 1, 2, 3, 4, 5, 6]
    assert timing == {"seconds": 6.0, "images_per_second": 1.0, "resumed_at_image": 2}
    assert caplog.messages == ["resuming at image 2 of 7", "7 of 7 images, 1 images/s"]


def test_of_two_signals_the_first_ends_an_evaluation_after_its_batch(slow, monkeypatch):
    received = []
    monkeypatch.setattr(apr.runs.evaluation, "listen", lambda: received)
    with pytest.raises(Interrupted) as caught:
        predicted(slow, on_batch=lambda done: received.extend([15, 10]) if done == 4 else None)
    assert (caught.value.number, received, slow.saved) == (15, [10], [{"done": 4}])


def test_a_memory_that_an_evaluation_fills_is_explained(slow):
    def full(done):
        raise MemoryError

    said = "cpu: out of memory at batch 2; give a smaller --batch, or free the device (MemoryError)"
    assert told(predicted, slow, on_batch=full) == said


def test_what_is_wrong_with_a_models_outputs_is_said_whole(slow):
    slow.forward = lambda inputs: inputs[:, :3]
    assert told(predicted, slow) == "the model gives (2, 3) for 2 images, not 7 outputs for each"
    slow.forward = lambda inputs: inputs.where(inputs != 1, torch.inf)
    assert told(predicted, slow) == "the model's outputs are not finite; its weights are damaged: fetch them again"


def test_each_part_is_said_with_its_error(caplog):
    caplog.set_level(logging.INFO, "apr")
    labels = {"test": np.array([3, 5]), "validation": np.array([9, 1, 1])}
    best = np.array([[3, 1], [1, 2], [9, 8], [1, 0], [1, 2]])
    assert outcome_of(best, labels, 10)["status"] == "completed"
    said = ["top-1 error 50.00 % of 2 test images", "top-1 error 0.00 % of 3 validation images"]
    assert caplog.messages == said


def test_a_protocol_says_which_code_a_network_is_of_where_there_is_some():
    model = SimpleNamespace(weights="w", outputs=3, preprocessing={"size": 8}, code=None)
    whole = {"seed": 1, "weights": "w", "outputs": 3, "preprocessing": {"size": 8}}
    assert run_protocol({"seed": 1, "weights": "planned"}, model) == whole
    model.code = "digest"
    assert run_protocol({"seed": 1}, model) == whole | {"code": "digest"}


# Features


def loaders(**sizes):
    """Of each part, so many pictures of one number each."""

    def of(n):
        def evaluation(batch, first):
            return ((torch.arange(i, min(i + batch, n)).float()[:, None], None) for i in range(first, n, batch))

        return SimpleNamespace(images=type("Images", (list,), {"device": CPU})(range(n)), evaluation=evaluation)

    return {part: of(n) for part, n in sizes.items()}


def extracted(slow, seconds=1e9, **options):
    parts, taken = extract(slow, 1, loaders(train=5, test=3), 2, slow.kept(seconds), **options)
    return {part: own[:, 0].tolist() for part, own in parts.items()}, taken


def test_an_extraction_says_how_fast_it_was_and_saves_after_its_seconds(slow, caplog):
    caplog.set_level(logging.INFO, "apr")
    assert extracted(slow, seconds=4) == ({"train": [0, 1, 2, 3, 4], "test": [0, 1, 2]}, 10.0)
    assert slow.sizes == [2, 2, 1, 2, 1]
    assert slow.saved == [{"done": 4, "seconds": 4.0}, {"done": 7, "seconds": 8.0}]
    assert caplog.messages == ["4 of 8 images, 1 images/s", "7 of 8 images, 1 images/s"]


@pytest.mark.parametrize(
    ("done", "train", "test", "sizes"),
    [
        (1, [9, 1, 2, 3, 4], [0, 1, 2], [2, 2, 2, 1]),
        (5, [9] * 5, [0, 1, 2], [2, 1]),
        (6, [9] * 5, [9, 1, 2], [2]),
        (8, [9] * 5, [9] * 3, []),
    ],
)
def test_an_extraction_goes_on_behind_what_is_done(slow, caplog, done, train, test, sizes):
    caplog.set_level(logging.INFO, "apr")
    slow.state = {"rows": torch.full((8, 1), 9.0), "done": done, "seconds": 30.0}
    assert extracted(slow) == ({"train": train, "test": test}, 30 + 2 * len(sizes))
    assert slow.sizes == sizes
    assert caplog.messages == [f"resuming at image {done + 1} of 8"]


def test_a_resumed_extraction_is_as_fast_as_what_it_did_itself(slow, caplog):
    caplog.set_level(logging.INFO, "apr")
    slow.state = {"rows": torch.zeros(8, 1), "done": 4, "seconds": 30.0}
    slow.forward = lambda inputs: setattr(slow, "now", slow.now + 0.25) or inputs
    extracted(slow, seconds=0.5)
    assert slow.saved == [{"done": 7, "seconds": 30.5}]
    assert caplog.messages == ["resuming at image 5 of 8", "7 of 8 images, 6 images/s"]


def test_of_two_signals_the_first_ends_an_extraction_after_its_batch(slow, monkeypatch):
    received = []
    monkeypatch.setattr(apr.runs.finetuning.features, "listen", lambda: received)
    with pytest.raises(Interrupted) as caught:
        extracted(slow, on_batch=lambda done: received.extend([15, 10]) if done == 4 else None)
    assert (caught.value.number, received, slow.saved) == (15, [10], [{"done": 4, "seconds": 4.0}])


def test_what_an_extraction_refuses_is_said_whole(slow):
    def full(done):
        raise MemoryError

    remedy = "lower the task's batch, or free the device (MemoryError)"
    assert told(extracted, slow, on_batch=full) == f"cpu: out of memory at batch 2; {remedy}"
    slow.forward = lambda inputs: inputs.where(inputs != 1, torch.inf)
    assert told(extracted, slow) == "the model's features are not finite; its weights are damaged: fetch them again"


@pytest.mark.parametrize(
    ("found", "shape"), [(torch.zeros(1, 2, 3), "[1, 2, 3]"), (torch.zeros(3), "[3]"), ((torch.zeros(1, 3),), "tuple")]
)
def test_a_network_gives_one_row_of_features_for_a_picture(found, shape):
    network = nn.Identity()
    network.forward = lambda inputs: found
    said = f"m: without its head it gives {shape} for a picture, not one row; take another model"
    assert told(width_of, network, 8, "m") == said
    seen = []
    network.forward = lambda inputs: seen.append((list(inputs.shape), network.training)) or torch.zeros(1, 4)
    assert width_of(network, 8, "m") == 4
    assert seen == [([1, 3, 8, 8], False)]


def test_features_are_of_what_changes_them_alone_and_shown_as_in_an_evaluation():
    whole = dict.fromkeys(("model", "weights", "code", "input", "channels", "images", "revision"), 1)
    first = identity_of(whole)
    assert all(identity_of(whole | {key: 2}) != first for key in whole)
    assert identity_of(whole | {"classifier": "logistic", "metric": "auc", "seed": 3}) == first
    assert str(features_file("f", "timm:a.b", "0123456789abcdef")) == "f/timm.a.b-0123456789ab.npz"
    recipe = recipe_of({"input": {"resolution": 8, "eval_resize": 9, "mean": 0}, "channels": "bgr"})
    assert (recipe.crop, recipe.resolution, recipe.eval_resize, recipe.padding) == ("centre", 8, 9, 0)
    assert (recipe.flip, recipe.flip_vertical, recipe.channels) == (False, False, "bgr")


ROWS = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(
    ("parts", "of", "seconds", "fault"),
    [
        ({"a": ROWS, "b": ROWS[:1]}, "i", 0.0, None),
        ({"a": ROWS, "b": ROWS[:1]}, "j", 1.0, "holds the features of other weights, images or sizes"),
        ({"a": ROWS}, "i", 1.0, "does not hold the parts of the view"),
        ({"a": ROWS, "b": ROWS[:1]}, "i", -1.0, "does not hold the parts of the view"),
        ({"a": ROWS, "b": ROWS[:1]}, "i", float("nan"), "does not hold the parts of the view"),
        ({"a": ROWS, "b": ROWS}, "i", 1.0, "does not hold a row for each image"),
        ({"a": ROWS, "b": ROWS[:1, :2]}, "i", 1.0, "does not hold a row for each image"),
        ({"a": ROWS.astype(np.float64), "b": ROWS[:1]}, "i", 1.0, "does not hold a row for each image"),
        ({"a": ROWS[..., None], "b": ROWS[:1, :, None]}, "i", 1.0, "does not hold a row for each image"),
        ({"a": ROWS, "b": ROWS[:1] * np.float32("inf")}, "i", 1.0, "holds features that are not finite"),
    ],
)
def test_kept_features_are_taken_where_they_are_whole(tmp_path, caplog, parts, of, seconds, fault):
    path = tmp_path / "f.npz"
    assert read_features(path, "i", {"a": 2, "b": 1}) is None
    assert caplog.messages == []
    keep_features(path, of, Features(parts, seconds, {"torch": "2"}))
    found = read_features(path, "i", {"a": 2, "b": 1})
    assert caplog.messages == ([f"{path}: {fault}; extracting the features again"] if fault else [])
    assert (found is None) == bool(fault)
    if found:
        assert (found.seconds, found.provenance, found.parts.keys()) == (seconds, {"torch": "2"}, parts.keys())
        assert all((found.parts[part] == own).all() for part, own in parts.items())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda kept: kept.pop("about"), "cannot be read (KeyError)"),
        (lambda kept: kept.update(about=np.array("[1")), "cannot be read (JSONDecodeError)"),
        (lambda kept: kept.update(about=np.array("[]")), "cannot be read (TypeError)"),
        (lambda kept: kept.update(about=np.array("{}")), "cannot be read (KeyError)"),
        (lambda kept: kept.update(test=kept["test"][:, 0]), "does not hold a row for each image"),
        (lambda kept: kept.update(test=np.float32(1)), "does not hold a row for each image"),
        (lambda kept: kept.update(test=np.array([{}], object)), "cannot be read (ValueError)"),
        (lambda kept: kept.clear(), "cannot be read (KeyError)"),
    ],
)
def test_features_in_a_file_that_holds_something_else_are_named(tmp_path, caplog, change, says):
    path = tmp_path / "f.npz"
    keep_features(path, "i", Features({"test": ROWS}, 1.0, {}))
    kept = dict(np.load(path))
    change(kept)
    np.savez(path, **kept)
    assert read_features(path, "i", {"test": 2}) is None
    assert caplog.messages == [f"{path}: {says}; extracting the features again"]


def test_features_in_a_file_that_ends_too_early_are_named(tmp_path, caplog):
    path = tmp_path / "f.npz"
    keep_features(path, "i", Features({"test": ROWS}, 1.0, {}))
    whole = path.read_bytes()
    for length, error in ((0, "EOFError"), (30, "BadZipFile"), (len(whole) - 9, "BadZipFile")):
        path.write_bytes(whole[:length])
        assert read_features(path, "i", {"test": 2}) is None
        assert caplog.messages[-1] == f"{path}: cannot be read ({error}); extracting the features again"
