import io

import numpy as np
import pytest

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.sources.bundled import MAKERS, cut_patches, make_bundled, write_bundled

CLASSES = {"photos": 18, "digits": 10, "faces": 2, "tissues": 4, "retina": 2}


@pytest.mark.parametrize("name", MAKERS)
def test_each_is_a_whole_dataset(name):
    arrays = make_bundled(name)
    assert len(arrays["classes"]) == CLASSES[name]
    for part in ("train", "test"):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        assert images.dtype == np.uint8
        assert images.shape == (len(labels), 32, 32, 3)
        counts = np.bincount(labels)
        assert len(counts) == CLASSES[name]
        assert counts.max() - counts.min() <= (0 if name != "digits" else 10)
    train = {image.tobytes() for image in arrays["x_train"]}
    assert len(train & {image.tobytes() for image in arrays["x_test"]}) <= 0.02 * len(arrays["x_test"])
    # Patches of plain sky and of digits may look alike, but most images are images of their own.
    assert len(train) > 0.95 * len(arrays["x_train"])


def test_no_pixel_is_in_both_parts():
    side = 211
    numbers = np.arange(side * side, dtype=np.int64).reshape(side, side, 1).repeat(3, axis=2)
    train, test = (cut_patches(numbers, 32, count, part, "x") for part, count in (("train", 100), ("test", 50)))
    assert not np.intersect1d(train, test).size
    for patches in (train, test):
        assert len(np.unique(patches[:, 0, 0, 0])) == len(patches)
        steps = np.diff(patches[..., 0].astype(int), axis=1)
        assert (steps == side).all()


def test_neither_brightness_nor_colour_gives_a_tissue_away():
    images = np.concatenate([make_bundled(name)["x_train"] for name in ("tissues", "retina")]).astype(float)
    assert (images[..., 0] == images[..., 2]).all()
    assert abs(images.mean(axis=(1, 2, 3)) - 128).max() < 8


def test_bytes_are_the_same_each_time(tmp_path):
    for out in ("a.npz", "b.npz"):
        write_bundled("tissues", tmp_path / out)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_the_npz_reader_reads_them(tmp_path):
    write_bundled("faces", tmp_path / "faces.npz")
    listing = read_listing(tmp_path, "npz")
    arrays = np.load(io.BytesIO((tmp_path / "faces.npz").read_bytes()), allow_pickle=False)
    assert listing.classes == ["face", "other"]
    assert sum(item.split == "test" for item in listing.items) == len(arrays["y_test"]) == 60


def test_unknown_names(tmp_path):
    with pytest.raises(Problem, match="bundled:foto: there is no such dataset; there are photos, digits"):
        make_bundled("foto")
