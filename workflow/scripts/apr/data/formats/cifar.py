"""CIFAR-10 and CIFAR-100 in their official pickles, read without executing anything.

The format: https://www.cs.toronto.edu/~kriz/cifar.html
"""

import io
import pickle
import pickletools
from pathlib import Path
from typing import Any, Literal

import numpy as np

from apr.basics.causes import printable, reading
from apr.basics.problems import Problem
from apr.data.reading.listing import Item, Listing
from apr.data.reading.walking import LeftOut, find_files, named

SIDE = 32
BATCHES = 5  # of CIFAR-10's training part
NUMBERING_OPCODES = {"PUT", "BINPUT", "LONG_BINPUT"}
REFUSED_OPCODES = {"BYTEARRAY8", "NEXT_BUFFER", "READONLY_BUFFER", "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4"}
REFUSED_OPCODES |= {
    "DUP",
    "POP",
    "POP_MARK",
    "EMPTY_SET",
    "ADDITEMS",
    "FROZENSET",
    "OBJ",
    "INST",
    "NEWOBJ",
    "NEWOBJ_EX",
}
MEMORISING_OPCODES = {*NUMBERING_OPCODES, "MEMOIZE"}
FILLING_OPCODES = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "BUILD"}  # they change what lies below on the stack
BUILDING_OPCODES = {*FILLING_OPCODES, "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_TUPLE"}
BUILDING_OPCODES |= {"LIST", "EMPTY_LIST", "DICT", "EMPTY_DICT"}
DEEPEST = 20  # lists in lists; a batch has an array in a dictionary, and what makes the array
MOST_KEYS = 1000  # of a batch's one dictionary, which has five


def read_cifar(root: Path, *, labels: Literal["fine", "coarse"] = "fine") -> Listing:
    """Read data_batch_*, test_batch and batches.meta (CIFAR-10), or train, test and meta (CIFAR-100).

    Args:
        root: holds the files, at any depth.
        labels: "fine" or "coarse", of CIFAR-100.

    Raises:
        Problem: a file is missing or incomplete, is no such pickle, or asks for anything but plain values and arrays of
            bytes.
    """
    left = LeftOut()
    files = _one_set(root)
    if "batches.meta" in files:
        key, names_key, meta = "labels", "label_names", files["batches.meta"]
        parts = {"train": [f"data_batch_{number}" for number in range(1, BATCHES + 1)], "test": ["test_batch"]}
    else:
        key, names_key, meta = f"{labels}_labels", f"{labels}_label_names", files["meta"]
        parts = {"train": ["train"], "test": ["test"]}
    described = load_plain(meta)
    classes = [_text(label) for label in _field(described, names_key, meta)]
    needed = [name for names in parts.values() for name in names]
    missing = [name for name in needed if name not in files]
    if missing:
        raise Problem(
            f"{meta.parent}: the set is incomplete: {named(missing, BATCHES + 1)} missing; put what is "
            "missing there, or fetch the set again"
        )
    if len(set(classes)) < len(classes):
        raise Problem(f"{meta}: {names_key} name a class twice; fetch it again")
    rows = described.get(b"num_cases_per_batch", described.get("num_cases_per_batch"))
    items = []
    for split, names in parts.items():
        for name in names:
            batch = _batch(files[name], split, key, classes)
            if split == "train" and isinstance(rows, int) and len(batch) != rows:
                raise Problem(
                    f"{files[name]}: holds {len(batch):,} images where {meta.name} says {rows:,}; fetch it again"
                )
            items += batch
    others = [path for name, path in files.items() if name not in (*needed, meta.name)]
    left.pass_over("other_file", others)
    more = sorted(path.name for path in others if path.name.startswith("data_batch_"))
    if more:
        left.note(f"{meta.parent}: {named(more)} are none of the {BATCHES} batches and are left out")
    return Listing(items, classes, left)


def _one_set(root: Path) -> dict[str, Path]:
    """The files beside the one batches.meta or meta, by name."""
    found = find_files(root)
    metas = [path for path in found if path.name in ("batches.meta", "meta")]
    if not metas:
        raise Problem(f"{root}: holds neither batches.meta (CIFAR-10) nor meta (CIFAR-100)")
    if len(metas) > 1:
        places = named(path.relative_to(root).as_posix() for path in metas)
        raise Problem(f"{root}: holds several sets ({places}); set options: root to the folder of one")
    return {path.name: path for path in found if path.parent == metas[0].parent}


def load_plain(path: Path) -> dict[Any, Any]:
    """Load a pickle of plain values and uint8 arrays; no code that the file names is run.

    Raises:
        Problem: the file is damaged, or names a global that such files do not need.
    """
    try:
        with reading(path):
            data = path.read_bytes()
        _check_opcodes(data)
        value = _PlainUnpickler(io.BytesIO(data), len(data)).load()
    except Problem as problem:
        raise Problem(f"{path}: {str(problem).removeprefix(f'{path}: ')}") from None
    except Exception as error:  # The unpickler raises whatever damaged opcodes lead it to.
        reason = printable(str(error)) or type(error).__name__
        raise Problem(f"{path}: is not a pickle of CIFAR ({reason}); fetch it again") from error
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


ADMITTED = {
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
}


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, stream: io.BytesIO, size: int) -> None:
        super().__init__(stream, encoding="bytes")
        self._left = 2 * size

    def find_class(self, module: str, name: str) -> Any:
        """Give the harmless stand-in of a global, or refuse it."""
        if (module, name) == ("_codecs", "encode"):
            return self._encode
        if (module, name) not in ADMITTED:
            asked = printable(f"{module}.{name}")
            raise Problem(f"this pickle asks for {asked}, which no CIFAR file needs: it may be malicious; delete it")
        return ADMITTED[module, name]

    def _encode(self, text: str, encoding: str | bytes = "latin1") -> bytes:
        """Stands for _codecs.encode, by which Python 3 writes bytes in protocol 2."""
        if _text(encoding) not in ("latin1", "latin-1"):
            raise Problem(f"asks for the encoding {encoding!r}")
        self._left -= len(text)
        if self._left < 0:
            raise Problem("makes more bytes than it holds: it may be malicious; delete it")
        return text.encode("latin1")


def _check_opcodes(data: bytes) -> None:
    """Refuse what makes the unpickler take more memory or time than the file is long.

    It takes lengths and numbers at their word. A tuple of one tuple twice, of another twice, and so on, is a small file
    that takes for ever to be hashed or printed; and one too deep overflows the stack.

    Raises:
        Problem: an opcode that no CIFAR file has, a number of a remembered object that is out of order, a list or tuple
            that is used twice, lists too deep, or too many keys.
        ValueError: the bytes are no pickle, or a length goes beyond them.
        IndexError: something is taken from an empty stack.
    """
    shared: dict[int, bool] = {}  # whether a remembered object may be used again, by its number
    depths: list[int | None] = []  # of what lies on the stack; None is a mark
    before, keys = "", 0
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        name = opcode.name
        if name in REFUSED_OPCODES or (name in NUMBERING_OPCODES and argument > count):
            raise _unlike(name)
        if name in MEMORISING_OPCODES:
            shared[len(shared) if name == "MEMOIZE" else argument] = before not in BUILDING_OPCODES
        else:
            if name in ("GET", "BINGET", "LONG_BINGET") and not shared.get(argument, False):
                raise _unlike("a list or tuple that is used twice")
            taken = _take(depths, opcode)
            keys += len(taken) // 2 if name in ("SETITEM", "SETITEMS", "DICT") else 0
            deeper = [depth + 1 for depth in taken]
            if name in FILLING_OPCODES:
                deeper[-1] -= 1
            depths += [None if name == "MARK" else max(deeper, default=0) for _ in opcode.stack_after]
            if max(deeper, default=0) > DEEPEST or keys > MOST_KEYS:
                raise _unlike("lists too deep" if keys <= MOST_KEYS else "too many keys")
        before = name


def _take(stack: list[int | None], opcode: pickletools.OpcodeInfo) -> list[int]:
    """Take from the stack what an opcode takes, the topmost first."""
    needs, taken = opcode.stack_before, []
    if pickletools.markobject in needs:
        while (one := stack.pop()) is not None:
            taken.append(one)
        needs = needs[: needs.index(pickletools.markobject)]
    return taken + [stack.pop() for _ in needs]


def _unlike(what: str) -> Problem:
    return Problem(f"this pickle holds {what}, as no CIFAR file does: it may be malicious; delete it")


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
