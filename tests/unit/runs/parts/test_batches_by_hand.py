"""Batches by hand: channels and flips of a recipe, which threads decode, and what a GPU is given."""

import types

import numpy as np
import pytest
import torch
from small import CPU, encoded_images, packed_images

import apr.runs.batches
from apr.basics.problems import Problem
from apr.basics.randomness import uniforms
from apr.runs.augmentation import SMALLEST_AREA
from apr.runs.batches import Images, Loader, Recipe

PLAIN = {"crop": "centre", "resolution": 8, "eval_resize": 8, "padding": 0, "flip": False}


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """Eight pictures of 8 pixels a side."""
    return packed_images(tmp_path_factory.mktemp("packed"), classes=2, per_class=4, side=8)[0]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two encoded pictures: 40 x 40 and 41 x 42."""
    return encoded_images(tmp_path_factory.mktemp("photos"), count=2)[0]


def loader(packed, **recipe):
    images = Images(packed, np.arange(8), np.arange(8), CPU, resident_bytes=2**20, workers=0)
    return Loader(images, Recipe(**PLAIN | recipe), mean=[0.1, 0.2, 0.4], sd=[0.5, 0.25, 0.125], seed=3)


def shown(batches):
    ((inputs, labels),) = batches
    return inputs[labels.argsort()]


def test_a_recipe_leaves_channels_and_up_and_down_as_they_are_unless_it_says_so():
    one = Recipe(**PLAIN)
    assert (one.smallest_area, one.flip_vertical, one.channels) == (SMALLEST_AREA, False, "rgb")


def test_blue_first_is_normalised_by_the_shade_of_the_place(packed):
    """As code that reads BGR does it: the first channel is blue, by the first mean and SD."""
    found = shown(loader(packed, channels="bgr").evaluation(8))
    values = torch.from_numpy(np.stack([packed.read(i) for i in range(8)])).float() / 255
    blue, green, red = (values[..., channel] for channel in (2, 1, 0))
    expected = torch.stack([(blue - 0.1) / 0.5, (green - 0.2) / 0.25, (red - 0.4) / 0.125], dim=1)
    assert torch.allclose(found, expected, atol=1e-5)


def test_pictures_are_turned_upside_down_by_a_draw_of_their_own(packed):
    for epoch in (0, 1):
        plain = shown(loader(packed).training(epoch, 8))
        turned = shown(loader(packed, flip_vertical=True).training(epoch, 8))
        (draws,) = uniforms(3, (1 << 33) + epoch, np.arange(8), 1).T
        assert 0 < (draws < 0.5).sum() < 8
        for picture, other, draw in zip(plain, turned, draws, strict=True):
            assert torch.equal(other, picture.flip(1) if draw < 0.5 else picture)
    assert torch.equal(shown(loader(packed, flip_vertical=True).evaluation(8)), shown(loader(packed).evaluation(8)))


def test_a_last_batch_that_lacks_one_picture_is_left_out_of_training_alone(packed):
    assert [len(labels) for _, labels in loader(packed).training(0, 3)] == [3, 3]
    assert [len(labels) for _, labels in loader(packed).training(0, 4)] == [4, 4]
    assert [len(labels) for _, labels in loader(packed).settling(0, 3, 9)] == [3, 3]
    assert [len(labels) for _, labels in loader(packed).evaluation(3)] == [3, 3, 2]


def test_evaluation_may_begin_later(packed):
    batches = list(loader(packed).evaluation(3, 4))
    assert [labels.tolist() for _, labels in batches] == [[4, 5, 6], [7]]


def test_pictures_are_decoded_by_all_threads_into_the_shared_folder_unless_a_signal_came(photos, tmp_path, monkeypatch):
    asked = []

    def decoded(*given, **options):
        asked.append((*given[1:], options))
        return np.zeros(3 * (1600 + 1722), np.uint8)

    monkeypatch.setattr(apr.runs.batches, "decode_once", decoded)
    Images(photos, np.arange(2), np.arange(2), CPU, resident_bytes=2**20, workers=5, shared=tmp_path)
    ((indices, options),) = asked
    assert indices.tolist() == [0, 1]
    assert options == {"threads": 5, "folder": tmp_path, "waiting": apr.runs.batches.stop_if_asked}


def test_a_memory_that_has_no_room_for_pictures_is_explained(photos, monkeypatch):
    def full(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(apr.runs.batches, "decode_once", full)
    with pytest.raises(Problem) as caught:
        Images(photos, np.arange(2), np.arange(2), CPU, resident_bytes=2**20, workers=1)
    doing = "while 2 images (9.28e-06 GB) are loaded"  # 3 x 3,322 bytes
    remedy = "free the device, lower training.resident_gb or the batch, or train this task on a larger one"
    assert str(caught.value) == f"cpu: out of memory {doing}; {remedy} (MemoryError)"


@pytest.mark.parametrize(("shared", "decoded"), [(None, 0), ("folder", 1)])
def test_pictures_on_a_gpu_are_decoded_on_their_way_unless_others_share_them(photos, monkeypatch, shared, decoded):
    """Here the CPU is told that it is a GPU."""
    seen, filled = [], []
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, *where, **how: tensor)
    monkeypatch.setattr(apr.runs.batches, "decode_once", lambda *given, **options: seen.append(given) or np.zeros(1))
    monkeypatch.setattr(
        Images, "_filled", lambda self, pixels: filled.append((pixels.tolist(), self._decoded is not None)) or "pixels"
    )
    gpu = types.SimpleNamespace(type="cuda")
    one = Images(
        photos, np.arange(2), np.arange(2), gpu, resident_bytes=2**20, host_bytes=2**20, workers=1, shared=shared
    )
    assert len(seen) == decoded
    assert filled == [([1600, 1722], bool(decoded))]
    assert (one.pixels, one._decoded, one.held, one.held_on_host) == ("pixels", None, 9966, 0)


def test_filling_a_gpu_ends_where_a_signal_came(packed, monkeypatch):
    one, stopped = loader(packed).images, []
    monkeypatch.setattr(apr.runs.batches, "CHUNK", 1)
    monkeypatch.setattr(apr.runs.batches, "stop_if_asked", lambda: stopped.append(1))
    one._filled(one.sizes.prod(axis=1))
    assert len(stopped) == 8
