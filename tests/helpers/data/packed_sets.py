"""Datasets packed for a test, what is said of them, and pictures of 16 bits."""

import numpy as np
from data_helpers import SHIPPED, encoded
from PIL import Image

from apr.data.packing import pack_dataset


def pack(listing, out, storage="pixels", **split):
    return pack_dataset(
        listing, out / "set", out / "set.json", name="set", storage=storage, split=SHIPPED | split, threads=2
    )


def said(manifest, word):
    return " | ".join(note for note in manifest["notes"] if word in note)


def deep(values, kind="PNG"):
    return encoded(Image.fromarray(np.asarray(values, np.uint16)), kind)
