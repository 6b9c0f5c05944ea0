"""A CPU samples large pictures one by one: to the bit what it makes of all at once."""

import numpy as np
import pytest
import torch

import apr.runs.augmentation
from apr.basics.randomness import uniforms
from apr.runs.augmentation import DRAWS, evaluation_windows, sample, training_windows

MEAN, SD = torch.tensor([0.5, 0.4, 0.3]), torch.tensor([0.2, 0.21, 0.3])


def both(sizes, windows, resolution, monkeypatch):
    """What sample makes of pictures of noise, all at once and one by one."""
    torch.set_num_threads(1)
    areas = sizes.prod(axis=1)
    noise = torch.randint(0, 256, (7 + int(areas.sum()), 3), dtype=torch.uint8, generator=torch.Generator())
    offsets = 7 + np.concatenate([[0], np.cumsum(areas)[:-1]])
    for limit in (10**6, 1):
        monkeypatch.setattr(apr.runs.augmentation, "WORTHWHILE", limit)
        yield sample(noise, offsets, sizes, windows, resolution=resolution, mean=MEAN, sd=SD)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("resolution", [7, 64, 97])
def test_crops_are_equal_bit_by_bit(monkeypatch, resolution, turned):
    """Among them sizes that are enlarged, shrunk to a fifth (few rows are used), thin, and of a single pixel."""
    sizes = np.array([(60, 90), (40, 31), (500, 333), (5, 60), (60, 5), (1, 1), (97, 97)] * 3)
    draws = uniforms(1, 2, np.arange(len(sizes)), DRAWS)
    windows = training_windows("random_resized", sizes, draws, resolution=resolution, padding=0, flip=True)
    if turned:
        windows = windows._replace(turned=np.arange(len(sizes)) % 2 == 0)
    at_once, one_by_one = both(sizes, windows, resolution, monkeypatch)
    assert torch.equal(at_once, one_by_one)
    assert at_once.stride() == one_by_one.stride()


def test_evaluation_and_what_lies_outside_are_equal_bit_by_bit(monkeypatch):
    sizes = np.array([(200, 300), (64, 70), (900, 640)])
    windows = evaluation_windows(sizes, resolution=64, resize=80)
    moved = windows._replace(start=np.full_like(windows.start, -10.25))  # as no recipe does, but the function allows it
    for one in (windows, moved):
        at_once, one_by_one = both(sizes, one, 64, monkeypatch)
        assert torch.equal(at_once, one_by_one)
    assert (one_by_one[:, :, 0] == 0).all()
    assert (one_by_one[:, :, -1] != 0).any()
