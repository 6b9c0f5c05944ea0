import io

import numpy as np
import pytest
from PIL import Image

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.sources import bundled
from apr.data.sources.bundled import MAKERS, cut_patches, make_bundled, write_bundled

# Images of each class for training and testing; of the ten digits and of faces 30 % are for testing.
DIGITS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
DIGITS_TEST = [53, 55, 53, 55, 54, 55, 54, 54, 52, 54]
COUNTS = {
    "photos": ([60] * 18, [30] * 18),
    "tissues": ([60] * 4, [30] * 4),
    "retina": ([200] * 2, [300] * 2),
    "faces": ([70] * 2, [30] * 2),
    "digits": ([whole - test for whole, test in zip(DIGITS, DIGITS_TEST, strict=True)], DIGITS_TEST),
}
CLASSES = {"photos": 18, "digits": 10, "faces": 2, "tissues": 4, "retina": 2}


@pytest.mark.parametrize("name", MAKERS)
def test_each_is_a_whole_dataset(name):
    arrays = make_bundled(name)
    assert len(arrays["classes"]) == CLASSES[name]
    for part in ("train", "test"):
        images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
        assert images.dtype == np.uint8
        assert images.shape == (len(labels), 32, 32, 3)
        assert np.bincount(labels).tolist() == COUNTS[name][part == "test"]
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


def test_patches_lie_in_every_third_cell_along_the_diagonals():
    """Windows of 4 in cells of 6: of 3 x 4 cells those whose row and column add up to 0, 3 or 6 are for testing."""
    picture = np.arange(18 * 25).reshape(18, 25, 1).repeat(3, axis=2)
    found = {}
    for part, count in (("train", 40), ("test", 20)):
        corners = cut_patches(picture, 4, count, part, "x")[:, 0, 0, 0]
        rows, columns = np.divmod(corners, 25)
        found[part] = sorted(
            {(row // 6, column // 6) for row, column in zip(rows.tolist(), columns.tolist(), strict=True)}
        )
        assert set((rows % 6).tolist()) == set((columns % 6).tolist()) == {0, 1, 2}  # all of the room is used
        counts = np.unique(rows // 6 * 4 + columns // 6, return_counts=True)[1]
        assert counts.max() - counts.min() <= 1
    assert found["test"] == [(0, 0), (0, 3), (1, 2), (2, 1)]
    assert found["train"] == [(0, 1), (0, 2), (1, 0), (1, 1), (1, 3), (2, 0), (2, 2), (2, 3)]


def test_contrast_is_evened_out_by_hand():
    gray = np.zeros((3, 16, 16), np.uint8)
    gray[0, :, 8:] = 20  # 10 from the mean, taken to 48
    gray[1, :, 8:] = 4  # 2 from the mean: 12 times as far, as if it were 4
    gray[2, 0, 0] = 255
    found = bundled._even_contrast(gray[..., None].repeat(3, axis=3))
    assert found.shape == (3, 32, 32, 3)
    assert (found[0, 0, 15].tolist(), found[0, 0, 16].tolist()) == ([80] * 3, [176] * 3)
    assert (found[1, 0, 15, 0], found[1, 0, 16, 0]) == (104, 152)
    assert (found[2, :2, :2] == 255).all()
    assert (found[2, 2:] == 125).all()  # 0.996 from the mean, of an SD of 15.9, is three levels


def test_a_border_is_a_share_of_each_side(tmp_path, monkeypatch):
    package = tmp_path / "pictures"
    package.mkdir()
    (package / "__init__.py").touch()
    pixels = np.arange(20 * 10, dtype=np.uint8).reshape(10, 20)
    Image.fromarray(pixels).save(package / "a.png")
    monkeypatch.syspath_prepend(tmp_path)
    assert np.array_equal(bundled._picture("pictures", "a.png")[..., 1], pixels)
    assert np.array_equal(bundled._picture("pictures", "a.png", 0.15)[..., 2], pixels[2:8, 3:17])
    with pytest.raises(Problem, match=r"b\.png: pictures no longer ships this picture; install the locked version"):
        bundled._picture("pictures", "b.png")


def test_digits_and_faces_are_the_publishers_own():
    from sklearn.datasets import load_digits

    arrays = make_bundled("digits")
    whole = np.rint(load_digits().images * 255 / 16).astype(np.uint8).repeat(4, axis=1).repeat(4, axis=2)
    cut = np.concatenate([arrays["x_train"], arrays["x_test"]])[..., 0]
    assert sorted(image.tobytes() for image in cut) == sorted(image.tobytes() for image in whole)
    assert arrays["classes"].tolist() == list("0123456789")
    rows = [int((whole == image[..., 0]).all(axis=(1, 2)).argmax()) for image in arrays["x_test"][:4]]
    assert load_digits().target[rows].tolist() == arrays["y_test"][:4].tolist()
    assert make_bundled("photos")["classes"].tolist() == sorted(bundled.PHOTOS)


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
