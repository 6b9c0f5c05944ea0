"""Crops and flips against plain per-image implementations, and their independence of everything but their keys."""

import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional

from apr.basics.problems import Problem
from apr.basics.randomness import order, uniforms
from apr.runs.augmentation import DRAWS, evaluation_windows, sample, training_windows

MEAN, SD = torch.tensor([0.4, 0.5, 0.6]), torch.tensor([0.2, 0.25, 0.3])


@pytest.fixture(scope="module")
def pictures():
    generator = np.random.default_rng(0)
    shapes = [(40, 60), (90, 33), (32, 32), (25, 25), (7, 200), (224, 224)]
    return [generator.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in shapes]


def sampled(pictures, windows, resolution):
    sizes = np.array([picture.shape[:2] for picture in pictures])
    lengths = sizes.prod(axis=1)
    flat = torch.from_numpy(np.concatenate([picture.reshape(-1, 3) for picture in pictures]))
    offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    return sample(flat, offsets, sizes, windows, resolution=resolution, mean=MEAN, sd=SD)


def normalised(picture):
    """float32 [3, H, W]"""
    return (torch.from_numpy(picture).permute(2, 0, 1).float() / 255 - MEAN[:, None, None]) / SD[:, None, None]


def resized(picture, height, width):
    return functional.interpolate(normalised(picture)[None], (height, width), mode="bilinear", antialias=False)[0]


def test_evaluation_is_resize_and_centre_crop(pictures):
    sizes = np.array([picture.shape[:2] for picture in pictures])
    found = sampled(pictures, evaluation_windows(sizes, resolution=56, resize=64), 56)
    for image, picture in zip(found, pictures, strict=True):
        height, width = picture.shape[:2]
        short = min(height, width)
        new = (64 if height == short else int(height / short * 64), 64 if width == short else int(width / short * 64))
        top, left = (int(np.ceil((side - 56) / 2)) for side in new)
        expected = resized(picture, *new)[:, top : top + 56, left : left + 56]
        assert torch.allclose(image, expected, atol=1e-3)


def test_evaluation_at_native_size_changes_no_pixel(pictures):
    picture = pictures[2]
    found = sampled([picture], evaluation_windows(np.array([[32, 32]]), resolution=32, resize=32), 32)
    assert torch.allclose(found[0], normalised(picture), atol=1e-5)


def test_random_resized_crop_is_a_resized_part_within_the_recipe(pictures):
    sizes = np.array([picture.shape[:2] for picture in pictures])
    draws = uniforms(1, 2, np.arange(len(pictures)), DRAWS)
    windows = training_windows("random_resized", sizes, draws, resolution=24, padding=0, flip=True)
    found = sampled(pictures, windows, 24)
    cropped = 0
    for i, (image, picture) in enumerate(zip(found, pictures, strict=True)):
        top, left = windows.low[i].astype(int)
        bottom, right = windows.high[i].astype(int) + 1
        if np.isclose(windows.scale[i], [(bottom - top) / 24, (right - left) / 24]).all():
            expected = resized(picture[top:bottom, left:right], 24, 24)
            cropped += 1
        else:  # no attempt fitted: the centre
            continue
        assert torch.allclose(image, expected.flip(2) if windows.flip[i] else expected, atol=1e-3)
    assert cropped >= 4


def test_random_resized_crops_have_the_areas_and_aspects_of_the_recipe():
    sizes = np.full((5000, 2), 200)
    draws = uniforms(0, 0, np.arange(5000), DRAWS)
    windows = training_windows("random_resized", sizes, draws, resolution=100, padding=0, flip=True)
    height, width = (windows.high - windows.low + 1).T
    area, aspect = height * width / 200**2, width / height
    assert area.min() == pytest.approx(0.08, abs=0.005)
    assert area.max() <= 1
    assert aspect.min() == pytest.approx(3 / 4, abs=0.03)
    assert aspect.max() == pytest.approx(4 / 3, abs=0.05)
    assert abs(windows.flip.mean() - 0.5) < 0.03
    assert (windows.low >= 0).all()
    assert (windows.high <= 199).all()


def test_no_fitting_crop_falls_back_to_the_centre():
    sizes = np.array([[4, 400]])
    draws = np.full((1, DRAWS), 0.99)
    windows = training_windows("random_resized", sizes, draws, resolution=4, padding=0, flip=False)
    centre = evaluation_windows(sizes, resolution=4, resize=4)
    assert all(np.array_equal(a, b) for a, b in zip(windows, centre, strict=True))


def test_padded_crop_is_a_shift_with_zeros_outside(pictures):
    picture = pictures[2]
    sizes = np.array([[32, 32]] * 200)
    draws = uniforms(5, 0, np.arange(200), DRAWS)
    windows = training_windows("padded", sizes, draws, resolution=32, padding=4, flip=True)
    found = sampled([picture] * 200, windows, 32)
    padded = functional.pad(normalised(picture), (4, 4, 4, 4))
    corners, of_flipped = set(), set()
    for i, image in enumerate(found):
        top, left = (windows.start[i] + 4).astype(int)
        (of_flipped if windows.flip[i] else corners).add((top, left))
        expected = padded[:, top : top + 32, left : left + 32]
        assert torch.allclose(image, expected.flip(2) if windows.flip[i] else expected, atol=1e-5)
    # pycls: randint(0, 40 - 32) on each axis, of the picture that is flipped already
    assert {c[0] for c in corners} == {c[1] for c in corners} == {c[0] for c in of_flipped} == set(range(8))
    assert {c[1] for c in of_flipped} == set(range(1, 9))


def test_padded_crop_of_a_small_image_is_refused():
    with pytest.raises(Problem, match="25 pixels and a padding of 2"):
        training_windows("padded", np.array([[25, 25]]), np.zeros((1, DRAWS)), resolution=32, padding=2, flip=False)


def test_unknown_crop_names_the_known_ones():
    with pytest.raises(Problem, match=r"'mosaic'.*random_resized"):
        training_windows("mosaic", np.array([[8, 8]]), np.zeros((1, DRAWS)), resolution=8, padding=0, flip=False)


def test_randomness_depends_on_its_keys_alone():
    together = uniforms(7, 3, np.array([5, 9, 2]), 4)
    assert np.array_equal(uniforms(7, 3, np.array([9]), 4)[0], together[1])
    assert not np.array_equal(uniforms(7, 4, np.array([9]), 4)[0], together[1])
    assert not np.array_equal(uniforms(8, 3, np.array([9]), 4)[0], together[1])
    assert np.array_equal(order(1, 2, 50), order(1, 2, 50))
    assert sorted(order(1, 2, 50)) == list(range(50))
    assert not np.array_equal(order(1, 2, 50), order(1, 3, 50))


def test_uniforms_are_uniform_and_uncorrelated():
    values = uniforms(0, 0, np.arange(20_000), 3)
    assert values.min() >= 0
    assert values.max() < 1
    counts = np.histogram(values, bins=20, range=(0, 1))[0]
    assert np.abs(counts / counts.mean() - 1).max() < 0.06
    assert np.abs(np.corrcoef(values.T) - np.eye(3)).max() < 0.03
    assert abs(np.corrcoef(values[:-1, 0], values[1:, 0])[0, 1]) < 0.03


def draws_of(area=0.5, aspect=0.5, swap=0.9999, y=0.9999, x=0.9999, flip=0.9999):
    """The same uniforms at every attempt, [1, DRAWS]."""
    return np.array([[area, aspect, swap, y, x] * 10 + [flip]])


def test_a_random_resized_crop_at_an_odd_size_by_hand():
    """33 -> 24: area 0.54 x 1089, aspect 1.0416, so 25 x 24; at most at 8 and 7, as randint leaves the end out."""
    options = {"resolution": 24, "padding": 0, "flip": True}
    found = training_windows("random_resized", np.array([[33, 33]]), draws_of(aspect=0.4999), **options)
    assert found.low.tolist() == [[8, 7]]
    assert found.high.tolist() == [[31, 31]]
    assert found.scale.tolist() == [[1, 25 / 24]]
    assert found.start[0] == pytest.approx([8, 7 + 0.5 * 25 / 24 - 0.5])
    assert found.flip.tolist() == [False]
    swapped = training_windows("random_resized", np.array([[33, 33]]), draws_of(swap=0.4999, flip=0.4999), **options)
    assert (swapped.low.tolist(), swapped.high.tolist()) == ([[7, 8]], [[31, 31]])
    assert swapped.flip.tolist() == [True]
    first = training_windows("random_resized", np.array([[33, 33]]), draws_of(y=0, x=0), **options)
    assert first.low.tolist() == [[0, 0]]


def test_extremes_of_area_and_aspect_by_hand():
    options = {"resolution": 24, "padding": 0, "flip": False}
    sizes = np.array([[100, 100]])
    small = training_windows("random_resized", sizes, draws_of(area=0, aspect=0, y=0, x=0), **options)
    assert (small.high - small.low + 1).tolist() == [[33, 24]]  # 800 pixels at 3 : 4
    wide = training_windows("random_resized", sizes, draws_of(area=0, aspect=1, y=0, x=0), **options)
    assert (wide.high - wide.low + 1).tolist() == [[24, 33]]


def test_the_first_attempt_that_fits_counts():
    draws = draws_of(area=0.5, y=0, x=0)
    draws[0, 0], draws[0, 1] = 1.0, 1.0  # all of the area at 4 : 3 is wider than the picture
    draws[0, 5 + 0] = 0.0  # the second attempt takes the least
    options = {"resolution": 24, "padding": 0, "flip": False}
    found = training_windows("random_resized", np.array([[33, 33]]), draws, **options)
    target = 0.08 * 1089
    assert (found.high - found.low + 1).tolist() == [
        [round((target / (25 / 24)) ** 0.5), round((target * 25 / 24) ** 0.5)]
    ]


def test_a_padded_crop_at_odd_sizes_by_hand():
    """33 and 47 padded by 4, crop 24: 17 and 31 positions; a flipped picture is flipped before it is cropped."""
    draws = np.full((2, DRAWS), 0.9999)
    draws[1, -1] = 0.4999
    found = training_windows("padded", np.array([[33, 47]] * 2), draws, resolution=24, padding=4, flip=True)
    assert found.start.tolist() == [[16 - 4, 30 - 4], [16 - 4, 31 - 30 - 4]]
    assert found.flip.tolist() == [False, True]
    assert found.low.tolist() == [[0, 0]] * 2
    assert found.high.tolist() == [[32, 46]] * 2
    tight = training_windows("padded", np.array([[24, 24]]), draws[:1], resolution=24, padding=0, flip=True)
    assert tight.start.tolist() == [[0, 0]]


def test_an_evaluation_at_odd_sizes_by_hand():
    """33 x 47 to 26 x 37 (rounded down), then rows 1 to 24 and columns 7 to 30: half a pixel is rounded up."""
    found = evaluation_windows(np.array([[33, 47], [47, 33]]), resolution=24, resize=26)
    assert found.scale[0].tolist() == [33 / 26, 47 / 37]
    assert found.start[0] == pytest.approx([1.5 * 33 / 26 - 0.5, 7.5 * 47 / 37 - 0.5])
    assert found.start[1].tolist() == found.start[0][::-1].tolist()
    assert found.high[0].tolist() == [32, 46]
    assert not found.flip.any()


def test_a_flip_is_from_left_to_right(pictures):
    sizes = np.array([[40, 60]])
    windows = training_windows("centre", sizes, draws_of(flip=0.1), resolution=20, padding=0, flip=True)
    plain = training_windows("centre", sizes, draws_of(flip=0.1), resolution=20, padding=0, flip=False)
    assert (windows.flip.tolist(), plain.flip.tolist()) == ([True], [False])
    one, other = (sampled(pictures[:1], found, 20)[0] for found in (windows, plain))
    assert torch.equal(one, other.flip(2))
    assert not torch.allclose(one, other.flip(1))


def test_a_value_by_hand():
    """Half way between two pixels of 10 and 20, with mean 0.02 and SD 0.1 of one."""
    pixels = torch.tensor([[10, 0, 255], [20, 0, 255]], dtype=torch.uint8)
    windows = evaluation_windows(np.array([[1, 2]]), resolution=1, resize=1)._replace(start=np.array([[0.0, 0.5]]))
    found = sample(
        *(pixels, np.array([0]), np.array([[1, 2]]), windows),
        resolution=1,
        mean=torch.tensor([0.02, 0.5, 0.5]),
        sd=torch.tensor([0.1, 0.25, 0.5]),
    )
    assert found.flatten().tolist() == pytest.approx([(15 / 255 - 0.02) / 0.1, -2, 1])


def test_draws_by_value():
    """They stay as they are: another draw would be another training under the same protocol."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the numbers wrap as they should, without a word
        found = uniforms(7, 3, np.array([0, 5]), 2)
    expected = [[0.8164171032799666, 0.3781750624059973], [0.3165543426115175, 0.7229149827270892]]
    assert found.tolist() == expected
    assert order(7, 3, 6).tolist() == [4, 0, 5, 3, 1, 2]
