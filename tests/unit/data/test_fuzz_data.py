"""Random layouts and tables go through reading and packing: the end is a right manifest or one Problem."""

import random
import shutil
import time

import numpy as np
import pytest
from data_helpers import SHIPPED
from fuzzed_data import make, number_of

from apr.basics.problems import Problem
from apr.data.formats import read_listing
from apr.data.packed import open_packed
from apr.data.packing import pack_dataset

SEEDS = 150


def outcome(seed, folder):
    """Read and pack the dataset of a seed; the Problem's message, or None where the manifest is right."""
    data = make(seed, folder / "in")
    rng = random.Random(seed)
    split = SHIPPED | {"by": rng.choice(["image", "image", "group", "none"]), "test_fraction": 0.3}
    told = f"seed {seed}: {data.format} {data.options}: {'; '.join(data.story)}"
    message = None
    try:
        listing = read_listing(data.folder, data.format, data.options)
        manifest = pack_dataset(
            listing, folder / "set", folder / "set.json", name="set", storage="pixels", split=split, threads=1
        )
    except Problem as problem:
        message = str(problem)
    except Exception as error:
        raise AssertionError(f"{told}: {type(error).__name__}: {error}") from error
    if message:
        assert set(folder.iterdir()) == {folder / "in"}, f"{told}: left something half-written"
        assert "\n" not in message, told
        return message
    packed = open_packed(folder / "set", "pixels")
    seen = [number_of(packed.read(row)) for row in range(len(packed))]
    assert len(manifest["classes"]) > 1, told
    for row, number in enumerate(seen):
        label, part = manifest["classes"][packed.index["label"][row]], int(packed.index["split"][row])
        assert label == data.truth.get(number), f"{told}: picture {number}: {label!r}, not {data.truth.get(number)!r}"
        assert not data.parts or part == ("train", "test").index(data.parts[number]), f"{told}: picture {number}: part"
    left = set(data.truth) - set(seen)
    assert not left or manifest["notes"], f"{told}: {left} are missing without a word"
    again = len(seen) - len(set(seen))
    assert not again or manifest["copies"]["within"] or manifest["copies"]["test_in_train"], f"{told}: doubled"
    assert np.isfinite(manifest["mean"]).all()
    return None


@pytest.mark.parametrize("start", range(0, SEEDS, 50))
def test_random_datasets_are_read_rightly_or_refused(tmp_path, start, caplog):
    ends = []
    for seed in range(start, start + 50):
        ends.append(outcome(seed, tmp_path / str(seed)))
        shutil.rmtree(tmp_path / str(seed))
    assert 5 < sum(end is None for end in ends) < 45  # the generator makes sound ones and others


def test_more_random_datasets(tmp_path, fuzz_seconds, record_property):
    """As many as the time allows that --fuzz-seconds gives."""
    seed, end = SEEDS, time.monotonic() + fuzz_seconds
    while time.monotonic() < end:
        outcome(seed, tmp_path / str(seed))
        shutil.rmtree(tmp_path / str(seed))
        seed += 1
    record_property("measured", f"fuzzed datasets beyond the fixed ones: {seed - SEEDS}")
