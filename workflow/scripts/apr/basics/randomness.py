"""Stateless random numbers: a value depends on its keys alone, never on what was drawn before."""

import hashlib

import numpy as np


def generator(*key: str | int) -> np.random.Generator:
    """Make a random generator that depends on `key` alone (the counter-based Philox of Salmon et al., 2011)."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def uniforms(seed: int, epoch: int, indices: np.ndarray, count: int) -> np.ndarray:
    """`count` uniforms in [0, 1) for every image: float64 [n, count], a function of (seed, epoch, index) alone.

    SplitMix64 finaliser (Steele et al. 2014) chained over the keys; numpy's counter-based generators cannot be keyed
    per element without a Python loop.
    """
    key = _mix(_mix(np.uint64(seed)) ^ np.uint64(epoch))
    rows = _mix(key ^ indices.astype(np.uint64))
    return (_mix(rows[:, None] + np.arange(1, count + 1, dtype=np.uint64)) >> np.uint64(11)) * 2.0**-53


def order(seed: int, epoch: int, n: int) -> np.ndarray:
    """The order of n training images in an epoch: a permutation, int64 [n]."""
    return np.random.Generator(np.random.Philox(key=[seed, epoch])).permutation(n)


def _mix(value: np.ndarray | np.uint64) -> np.ndarray:
    with np.errstate(over="ignore"):
        value = np.asarray(value) + np.uint64(0x9E3779B97F4A7C15)  # wraps at 2^64, as it should
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return value ^ (value >> np.uint64(31))
