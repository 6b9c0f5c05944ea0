"""Sketches and copies by hand: what is averaged, sampled, compared, and where each bound lies."""

import io

import numpy as np
import pytest
from PIL import Image

from apr.data import likeness
from apr.data.likeness import HEIGHT, WIDTH, decoded, find_copies, sketch

TRAIN, TEST, VALIDATION = 0, 1, 2


def colours(green, red=255, blue=0):
    green = np.asarray(green, np.uint8)
    return Image.fromarray(np.stack([np.full_like(green, red), green, np.full_like(green, blue)], axis=-1))


def test_a_sketch_is_the_green_of_72_places():
    levels = np.arange(72).reshape(HEIGHT, WIDTH)
    assert sketch(colours(levels)) == bytes(range(72))
    assert sketch(colours(np.kron(levels, [[0, 2], [2, 0]]))) == bytes(range(72))  # the mean of four


def test_a_large_picture_is_sampled_first():
    stripes = np.tile(np.array([0, 200], np.uint8), (128, 72))  # 144 x 128 pixels, four times 72 x 64
    assert set(sketch(colours(stripes))) == {100}
    wider = np.tile(np.array([0, 0, 200, 200], np.uint8), (128, 72))  # of each four pixels the third is taken
    assert set(sketch(colours(wider))) == {200}
    one_more = np.tile(np.array([0, 200], np.uint8), (129, 72))
    assert len(set(sketch(colours(one_more))) - {100}) > 0


def halves(low, high, side=32):
    gray = np.full((side, side), low, np.uint8)
    gray[:, side // 2 :] = high
    return Image.fromarray(np.stack([gray] * 3, axis=-1))


def test_pictures_of_too_little_contrast_are_alike_to_nothing():
    flat, faint = halves(100, 104), halves(100, 105)  # 2 and 2.5 levels from the mean
    assert not likeness._same(flat, flat)
    assert likeness._same(faint, faint)
    assert not likeness._same(halves(0, 200), flat)


@pytest.mark.parametrize(("flipped", "same"), [(0, True), (5, True), (6, False)])
def test_pictures_are_alike_from_a_correlation_of_98_hundredths_on(flipped, same):
    """Each pair of swapped pixels takes 4 / 1024 from it."""
    gray = np.where(np.arange(32 * 32).reshape(32, 32) % 2, 228, 28).astype(np.uint8)
    other = gray.copy()
    other.flat[: 2 * flipped] = 256 - other.flat[: 2 * flipped].astype(int)
    pictures = [Image.fromarray(np.stack([one] * 3, axis=-1)) for one in (gray, other)]
    assert likeness._same(*pictures) is same
    brighter = pictures[1].point(lambda value: value // 2 + 60)
    assert likeness._same(pictures[0], brighter) is same


def rows(count):
    """Sketches of which no two are alike, and pictures."""
    levels = np.random.default_rng(3).integers(0, 256, (count, 72)).astype(np.uint8)
    return levels, [colours(np.kron(one.reshape(HEIGHT, WIDTH), np.ones((4, 4)))) for one in levels]


def test_copies_of_three_parts_by_hand():
    """0 to 3 train, 4 to 6 test, 7 to 9 validation; 4 is 1, 8 is 5, 9 is 4 and 1; 6 and 7 look like 2."""
    levels, pictures = rows(10)
    same = [0, 1, 2, 3, 1, 5, 2, 2, 5, 1]
    digests = np.array([10, 11, 12, 13, 11, 15, 16, 17, 15, 11], np.uint64)
    labels = np.array([0, 0, 1, 1, 1, 0, 0, 0, 0, 0])
    parts = np.array([TRAIN] * 4 + [TEST] * 3 + [VALIDATION] * 3)
    found = find_copies(digests, levels[same], labels, parts, lambda row: pictures[same[row]])
    assert found.across == [(4, 1)]
    assert found.across_validation == [(8, 5), (9, 1)]
    assert found.two_labels == [(1, 4)]
    assert found.within == 0
    assert found.near == [(6, 2)]
    assert found.near_validation == [(7, 2)]


def test_copies_of_one_label_in_one_part_are_counted():
    levels, pictures = rows(6)
    digests = np.array([7, 7, 7, 8, 8, 9], np.uint64)
    parts = np.array([TRAIN, TRAIN, TRAIN, TRAIN, TRAIN, TEST])
    found = find_copies(digests, levels, np.array([0, 0, 1, 1, 1, 0]), parts, pictures.__getitem__)
    assert (found.within, found.two_labels) == (2, [(0, 2)])
    assert (found.across, found.near, found.near_validation) == ([], [], [])


def test_of_many_candidates_some_are_compared(monkeypatch):
    levels, pictures = rows(7)
    pairs = [(row, 0) for row in (1, 2, 3, 4, 5, 6)]
    monkeypatch.setattr(likeness, "_candidates", lambda sketches, held, others: pairs if held[1] else [])
    parts, asked = np.array([TRAIN] + [TEST] * 6), []

    def read(row):
        asked.append(row)
        return pictures[0]

    digests = np.array([1, 1, 3, 4, 5, 6, 7], np.uint64)  # 1 is known to be 0
    for most, compared in ((5, [2, 3, 4, 5, 6]), (4, [2, 4, 6]), (2, [2, 5]), (1, [2])):
        monkeypatch.setattr(likeness, "VERIFIED", most)
        asked.clear()
        found = find_copies(digests, levels, np.zeros(7, int), parts, read)
        assert asked[::2] == compared
        assert found.near == [(row, 0) for row in compared]


def crowd(count):
    """One sketch, `count` more that are the same, and one that differs from them."""
    levels = np.tile(np.tile([0, 40], 36)[:72], (count + 2, 1)).astype(np.uint8)
    levels[-1] = 40 - levels[-1]
    return levels, np.arange(count + 2) == 0


def test_a_crowd_means_nothing(monkeypatch):
    levels, held = crowd(3)
    assert likeness._candidates(levels, held, ~held) == [(0, 1)]  # the first of equally near ones
    monkeypatch.setattr(likeness, "CROWD", 3)
    assert likeness._candidates(levels, held, ~held) == [(0, 1)]
    monkeypatch.setattr(likeness, "CROWD", 2)
    assert likeness._candidates(levels, held, ~held) == []


def test_pairs_are_looked_at_in_parts(monkeypatch):
    levels = np.random.default_rng(5).integers(0, 2, (40, 72)).astype(np.uint8) * 40
    levels[20:] = levels[:20]
    held = np.arange(40) >= 20
    expected = [(row, row - 20) for row in range(20, 40)]
    for pairs in (4_000_000, 7, 1):
        monkeypatch.setattr(likeness, "PAIRS", pairs)
        assert likeness._candidates(levels, held, ~held) == expected


@pytest.mark.parametrize(("spread", "usable"), [(11, False), (12, True)])
def test_a_sketch_of_one_shade_is_like_no_other(spread, usable):
    levels = np.tile([0, spread], (3, 36)).astype(np.uint8)
    held = np.array([False, True, True])
    assert likeness._candidates(levels, held, ~held) == [(1, 0), (2, 0)] * usable


def test_packed_bytes_are_pictures_again():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    assert np.array_equal(decoded(pixels.reshape(-1), 2, 4, "pixels"), pixels)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0]).save(buffer, "PNG")
    found = decoded(np.frombuffer(buffer.getvalue(), np.uint8), 2, 4, "encoded")
    assert np.array_equal(found, np.repeat(pixels[..., :1], 3, axis=-1))


def test_five_differences_of_64_are_near_and_six_are_not():
    """A row of a sketch has one difference, at its end, or none; what two sketches share is in the last rows."""
    levels = np.zeros((8, HEIGHT, WIDTH), np.uint8)
    for differing in range(8):
        levels[differing, [*range(differing), 7], -1] = 40
    held = np.arange(8) > 0
    found = likeness._candidates(levels.reshape(8, 72), held, ~held)
    assert found == [(row, 0) for row in range(1, 6)]
    margin = np.where(levels > 0, 3, levels).astype(np.uint8)
    margin[:, 7, -1] = 40
    assert likeness._candidates(margin.reshape(8, 72), held, ~held) == found  # three gray levels are a difference
    margin[margin == 3] = 2
    assert len(likeness._candidates(margin.reshape(8, 72), held, ~held)) == 7  # two are none


def test_pictures_that_differ_in_each_quarter_of_a_sketch_are_not_compared():
    """A quarter is two rows; the second difference is the last bit of the third row's, where quarters meet."""
    levels = np.zeros((3, HEIGHT, WIDTH), np.uint8)
    levels[:, 7, -1] = 40
    for row, first in ((0, 5), (2, 8), (4, 5), (6, 7)):
        levels[1:, row, first:] = 40
    levels[2, 6] = 0
    held = np.arange(3) > 0
    assert likeness._candidates(levels.reshape(3, 72), held, ~held) == [(2, 0)]
