"""Batches of a loader: their order, draws, pixels and normalisation, worked out independently of the loader."""

import threading
import time
import types

import numpy as np
import pytest
import torch
from small import encoded_images, packed_images
from torch.nn import functional
from waits import LONGEST

import apr.runs.batches
from apr.basics.problems import Problem
from apr.basics.randomness import order, uniforms
from apr.runs.augmentation import DRAWS
from apr.runs.batches import SETTLING, Images, Loader, Recipe

CPU = torch.device("cpu")
MEAN, SD = [0.1, 0.2, 0.4], [0.5, 0.25, 0.125]
PADDED = Recipe(crop="padded", resolution=20, eval_resize=26, padding=3, flip=True)
RESIZED = Recipe(crop="random_resized", resolution=24, eval_resize=26, padding=0, flip=True)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """42 pictures of 33 pixels a side."""
    return packed_images(tmp_path_factory.mktemp("packed"), per_class=7, side=33)[0]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """18 encoded pictures of different sizes."""
    return encoded_images(tmp_path_factory.mktemp("photos"), count=18)[0]


def images(packed, chosen=None, *, resident_bytes=2**30, workers=1, shared=None):
    chosen = np.arange(len(packed)) if chosen is None else chosen
    options = {"resident_bytes": resident_bytes, "workers": workers, "shared": shared}
    return Images(packed, chosen, np.arange(len(chosen)), CPU, **options)


def loader(packed, recipe=PADDED, *, seed=3, mean=MEAN, sd=SD, **options):
    return Loader(images(packed, **options), recipe, mean=mean, sd=sd, seed=seed)


def by_image(batches):
    """{label: picture}, since each picture here has a label of its own."""
    return {int(label): picture for inputs, labels in batches for label, picture in zip(labels, inputs, strict=True)}


def normalised(picture):
    """float32 [3, H, W]"""
    values = torch.from_numpy(picture.copy()).permute(2, 0, 1).float() / 255
    return (values - torch.tensor(MEAN)[:, None, None]) / torch.tensor(SD)[:, None, None]


def test_an_epoch_is_the_order_of_its_keys_without_the_incomplete_batch(packed):
    one = loader(packed)
    for epoch in (0, 4):
        labels = [label for _, labels in one.training(epoch, 8) for label in labels.tolist()]
        assert labels == order(3, epoch, 42)[:40].tolist()
    assert [len(labels) for _, labels in one.training(0, 8)] == [8] * 5
    assert [len(labels) for _, labels in one.evaluation(8)] == [8] * 5 + [2]


def test_skipped_batches_leave_the_others_as_they_are(packed):
    whole, rest = list(loader(packed).training(1, 8)), list(loader(packed).training(1, 8, skip=3))
    assert len(rest) == 2
    assert all(torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) for a, b in zip(whole[3:], rest, strict=True))


@pytest.mark.parametrize("recipe", [PADDED, RESIZED])
def test_epochs_seeds_and_precise_batchnorm_each_draw_their_own(packed, recipe):
    """The same 33 pictures look different, and their orders differ, wherever one of the keys does."""
    kinds = {
        "first": loader(packed, recipe).training(0, 42),
        "second epoch": loader(packed, recipe).training(1, 42),
        "other seed": loader(packed, recipe, seed=4).training(0, 42),
        "precise": loader(packed, recipe).settling(0, 42, 1),
        "precise, second epoch": loader(packed, recipe).settling(1, 42, 1),
    }
    batches = {name: list(kind) for name, kind in kinds.items()}
    orders = {name: tuple(found[0][1].tolist()) for name, found in batches.items()}
    assert len(set(orders.values())) == len(orders)
    pictures = {name: by_image(found) for name, found in batches.items()}
    for name in list(pictures)[1:]:
        same = sum(torch.equal(pictures["first"][i], pictures[name][i]) for i in range(42))
        assert same <= 2, name
    again = by_image(loader(packed, recipe).training(0, 42))
    assert all(torch.equal(again[i], pictures["first"][i]) for i in range(42))


def test_a_padded_crop_is_pycls_own(packed):
    """pycls/datasets/cifar10.py, _prepare_im: flip, pad, then crop at randint(0, side - size) on each axis."""
    found = by_image(loader(packed).training(5, 42))
    flipped = 0
    for i, image in found.items():
        draws = uniforms(3, 5, np.array([i]), DRAWS)[0]
        picture = normalised(packed.read(i))
        if draws[-1] < 0.5:
            picture, flipped = picture.flip(2), flipped + 1
        picture = functional.pad(picture, (3, 3, 3, 3))
        y, x = (int(draws[axis] * (39 - 20)) for axis in (0, 1))
        assert torch.allclose(image, picture[:, y : y + 20, x : x + 20], atol=1e-5)
    assert 12 < flipped < 30


def test_an_evaluation_is_the_centre_of_the_resized_picture(packed):
    found = by_image(loader(packed, RESIZED).evaluation(8))
    assert sorted(found) == list(range(42))
    for i, image in found.items():
        picture = normalised(packed.read(i))[None]
        expected = functional.interpolate(picture, (26, 26), mode="bilinear")[0, :, 1:25, 1:25]
        assert torch.allclose(image, expected, atol=1e-4)


def test_a_channel_without_contrast_is_divided_by_the_step_of_a_pixel(packed):
    one = loader(packed, RESIZED, sd=[0.5, 0.0, 0.125])
    assert one.sd.tolist() == pytest.approx([0.5, 1 / 255, 0.125])
    assert torch.isfinite(next(one.evaluation(42))[0]).all()


def test_draws_belong_to_the_picture_and_not_to_its_place(packed):
    chosen = np.array([30, 7, 12, 41, 2, 19])
    some = by_image(loader(packed, chosen=chosen).training(2, 6))
    every = by_image(loader(packed).training(2, 42))
    assert all(torch.equal(some[place], every[i]) for place, i in enumerate(chosen))


@pytest.mark.parametrize("chunk", [1, 3 * 33 * 33, 10_000, 2**26])
def test_images_for_a_gpu_pass_the_host_in_parts(packed, monkeypatch, chunk):
    monkeypatch.setattr(apr.runs.batches, "CHUNK", chunk)
    parts, begun = [], Images._begun

    def noted(self, pool, chosen):
        parts.append(3 * 33 * 33 * len(chosen))
        return begun(self, pool, chosen)

    monkeypatch.setattr(Images, "_begun", noted)
    held = images(packed)
    filled = held._filled(held.sizes.prod(axis=1))  # as where the device is a GPU
    assert max(parts) <= max(chunk, 3 * 33 * 33) + 3 * 33 * 33
    assert sum(parts) == held.held == 42 * 3 * 33 * 33
    assert np.array_equal(filled.numpy(), packed.pixels.reshape(-1, 3))


def test_on_a_cpu_packed_pixels_are_read_where_they_lie(packed):
    """So that the system keeps them once for all processes."""
    held = images(packed, chosen=np.array([5, 2, 40]))
    assert held.pixels.data_ptr() == packed.pixels.ctypes.data
    assert held.offsets.tolist() == [5 * 33 * 33, 2 * 33 * 33, 40 * 33 * 33]


def test_images_stay_only_where_they_fit_whole(packed):
    size = 42 * 3 * 33 * 33
    assert images(packed, resident_bytes=size).resident
    streamed = images(packed, resident_bytes=size - 1)
    assert (streamed.resident, streamed.held) == (False, 0)
    assert images(packed, chosen=np.arange(3), resident_bytes=size).held == 3 * 3 * 33 * 33
    resident = list(loader(packed).training(0, 8))
    for one, other in zip(resident, loader(packed, resident_bytes=0, workers=2).training(0, 8), strict=True):
        assert torch.equal(one[0], other[0])
        assert torch.equal(one[1], other[1])


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 12 GiB\nmore"),
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ],
)
def test_a_full_memory_while_loading_is_explained(photos, monkeypatch, error):
    def full(*arguments, **options):
        raise error

    monkeypatch.setattr(apr.runs.batches, "decode_once", full)
    with pytest.raises(Problem, match=r"^cpu: out of memory while 18 images .*lower training.resident_gb"):
        images(photos)


def test_keys_of_precise_batchnorm_are_no_epochs_of_training():
    assert SETTLING > 10**6


def test_all_threads_read_one_batch_side_by_side(packed, monkeypatch):
    workers, arrived = 6, threading.Barrier(6)  # breaks unless six threads are in it at once
    read = packed.read

    def together(row):
        if not arrived.broken and arrived.n_waiting < workers and len(seen) < workers:
            seen.append(row)
            arrived.wait(timeout=LONGEST)
        return read(row)

    seen = []
    monkeypatch.setattr(packed, "read", together)
    batches = loader(packed, resident_bytes=0, workers=workers).training(0, 42)
    monkeypatch.setattr(apr.runs.batches, "AHEAD", 0)
    assert len(next(batches)[1]) == 42
    assert len(seen) == workers


@pytest.mark.parametrize("workers", [1, 3])
def test_twice_as_many_batches_as_threads_are_read_ahead_and_the_rest_is_not(packed, monkeypatch, workers):
    read, seen, wanted = packed.read, [], 2 * (2 * workers + 1)
    monkeypatch.setattr(packed, "read", lambda row: seen.append(row) or read(row))
    batches = loader(packed, resident_bytes=0, workers=workers).training(0, 2)
    next(batches)
    deadline = time.monotonic() + LONGEST
    while len(seen) < wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(seen) == wanted
    batches.close()
    assert len(seen) == wanted
    seen.clear()
    assert len(list(loader(packed, resident_bytes=0).settling(0, 2, 3))) == 3
    assert len(seen) == 6


def test_reads_that_wait_are_cancelled(packed, monkeypatch):
    """One is held up while the loader is closed; of those behind it none begins."""
    read, seen, held, go = packed.read, [], threading.Event(), threading.Event()

    def slow(row):
        seen.append(row)
        if len(seen) == 3:
            held.set()
            assert go.wait(LONGEST)
        return read(row)

    monkeypatch.setattr(packed, "read", slow)
    batches = loader(packed, resident_bytes=0).training(0, 2)
    next(batches)
    assert held.wait(LONGEST)
    closing = threading.Thread(target=batches.close)
    closing.start()
    time.sleep(0.2)  # until it waits for the one that is held; less would only make the test weaker
    go.set()
    closing.join(LONGEST)
    assert len(seen) <= 4  # the two of the first batch, and what had begun of the second


def test_pictures_decoded_once_and_anew_give_equal_batches(photos, tmp_path):
    ways = {
        "kept": images(photos),
        "shared": images(photos, shared=tmp_path),
        "of another process": images(photos, shared=tmp_path),
        "anew": images(photos, resident_bytes=0, workers=3),
    }
    assert {name: one.resident for name, one in ways.items()} == {name: name != "anew" for name in ways}
    found = {}
    for name, one in ways.items():
        of = Loader(one, RESIZED, mean=MEAN, sd=SD, seed=3)
        found[name] = [*of.training(0, 4), *of.training(1, 4, skip=2), *of.settling(0, 4, 2), *of.evaluation(5)]
    for others in found.values():
        for (one, label), (other, same) in zip(found["anew"], others, strict=True):
            assert torch.equal(one, other)
            assert torch.equal(label, same)


def test_the_decoded_size_decides_what_is_kept(photos, monkeypatch):
    size = 3 * int((photos.index["height"].astype(int) * photos.index["width"]).sum())
    assert photos.pixels.size < size
    kept, anew = (images(photos, resident_bytes=size - less) for less in (0, 1))
    assert (kept.resident, kept.held, kept.held_on_host) == (True, size, 0)
    assert (anew.resident, anew.held, anew.held_on_host) == (False, 0, 0)
    monkeypatch.setattr(photos, "read", None)  # what is kept is not decoded again
    assert len(list(Loader(kept, RESIZED, mean=MEAN, sd=SD, seed=3).evaluation(4))) == 5


def test_what_a_gpu_does_not_hold_its_host_may(photos, monkeypatch):
    """Here the CPU is told that it is a GPU."""
    size = 3 * int((photos.index["height"].astype(int) * photos.index["width"]).sum())
    gpu = types.SimpleNamespace(type="cuda")
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, *where, **how: tensor)
    found = []
    for on_gpu, on_host, held in ((0, size, (0, size)), (0, size - 1, (0, 0))):
        one = Images(*(photos, np.arange(18), np.arange(18), gpu), resident_bytes=on_gpu, host_bytes=on_host, workers=2)
        assert (one.held, one.held_on_host) == held
        batches = one.ahead([np.array([3, 17]), np.array([8, 0])])
        found.append([(chosen.tolist(), pixels.tolist(), starts.tolist()) for chosen, pixels, starts in batches])
    assert found[0] == found[1]
