"""CIFAR-10 and CIFAR-100 in their official pickles, read without executing anything.

The format: https://www.cs.toronto.edu/~kriz/cifar.html
"""

import pickle
from pathlib import Path
from typing import Any, Literal

import numpy as np

from apr.formats.listing import Item, Listing, find_files
from apr.problems import Problem

SIDE = 32


def read_cifar(root: Path, *, labels: Literal["fine", "coarse"] = "fine") -> Listing:
    """Read data_batch_*, test_batch and batches.meta (CIFAR-10), or train, test and meta (CIFAR-100).

    Args:
        root: holds the files, at any depth.
        labels: "fine" or "coarse", of CIFAR-100.

    Raises:
        Problem: a file is missing, is no such pickle, or asks for anything but plain values and arrays of bytes.
    """
    files = {path.name: path for path in find_files(root)}
    if "batches.meta" in files:
        key, names_key, meta = "labels", "label_names", files["batches.meta"]
        batches = sorted((name for name in files if name.startswith("data_batch_")), key=lambda name: (len(name), name))
        parts = {"train": batches, "test": ["test_batch"]}
    elif "meta" in files:
        key, names_key, meta = f"{labels}_labels", f"{labels}_label_names", files["meta"]
        parts = {"train": ["train"], "test": ["test"]}
    else:
        raise Problem(f"{root}: holds neither batches.meta (CIFAR-10) nor meta (CIFAR-100)")
    classes = [_text(label) for label in _field(load_plain(meta), names_key, meta)]
    items = []
    for split, names in parts.items():
        for name in names or ["data_batch_1"]:
            if name not in files:
                raise Problem(f"{root}: {name} is missing; delete the unpacked folder and unpack again")
            items += _batch(files[name], split, key, classes)
    return Listing(items, classes)


def load_plain(path: Path) -> dict[Any, Any]:
    """Load a pickle of plain values and uint8 arrays; no code that the file names is run.

    Raises:
        Problem: the file is damaged, or names a global that such files do not need.
    """
    try:
        with open(path, "rb") as file:
            value = _PlainUnpickler(file, encoding="bytes").load()
    except Problem as problem:
        raise Problem(f"{path}: {problem}") from None
    except Exception as error:  # The unpickler raises whatever damaged opcodes lead it to.
        raise Problem(f"{path}: is not a pickle of CIFAR ({error or type(error).__name__}); fetch it again") from error
    if not isinstance(value, dict):
        raise Problem(f"{path}: is not a pickle of CIFAR (it holds a {type(value).__name__}); fetch it again")
    return value


class _Type:
    """Stands for numpy.dtype: only bytes are admitted."""

    def __init__(self, name: Any = None, *_: Any) -> None:
        if _text(name) != "u1":
            raise Problem(f"holds an array of {name!r}; only bytes (u1) are read")

    def __setstate__(self, state: Any) -> None:
        """Ignore the byte order, which single bytes do not have."""


class _Array:
    """Stands for numpy.ndarray: numpy's own reconstruction never sees the file."""

    def __init__(self, *_: Any) -> None:
        self.values: np.ndarray | None = None

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, data = state
        if not isinstance(kind, _Type):
            raise Problem("holds an array of unknown type")
        flat = np.frombuffer(data, np.uint8)
        self.values = flat.reshape(shape, order="F" if fortran else "C")


def _encode(text: str, encoding: str | bytes = "latin1") -> bytes:
    """Stands for _codecs.encode, by which Python 3 writes bytes in protocol 2."""
    if _text(encoding) not in ("latin1", "latin-1"):
        raise Problem(f"asks for the encoding {encoding!r}")
    return text.encode("latin1")


ADMITTED = {
    ("_codecs", "encode"): _encode,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Give the harmless stand-in of a global, or refuse it."""
        if (module, name) not in ADMITTED:
            raise Problem(
                f"this pickle asks for {module}.{name}, which no CIFAR file needs: it may be malicious; delete it"
            )
        return ADMITTED[module, name]


def _batch(path: Path, split: str, key: str, classes: list[str]) -> list[Item]:
    batch = load_plain(path)
    data = _field(batch, "data", path)
    values = data.values if isinstance(data, _Array) else None
    labels = _field(batch, key, path)
    if values is None or values.ndim != 2 or values.shape != (len(labels), 3 * SIDE * SIDE):
        raise Problem(f"{path}: data is not one row of {3 * SIDE * SIDE} bytes a label; fetch it again")
    if not all(isinstance(label, int) and 0 <= label < len(classes) for label in labels):
        raise Problem(f"{path}: {key} are not all from 0 to {len(classes) - 1}; fetch it again")
    pixels = values.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
    return [Item(f"{path.name}/{row:05d}", classes[label], pixels[row], split) for row, label in enumerate(labels)]


def _field(value: dict[Any, Any], name: str, path: Path) -> Any:
    found = value.get(name.encode(), value.get(name))
    if found is None:
        raise Problem(f"{path}: has no {name!r}; it is not the file that CIFAR's authors ship")
    return found


def _text(value: Any) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else str(value)
