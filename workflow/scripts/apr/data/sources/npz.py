"""Arrays in npz files: written so that the bytes depend on the arrays alone, read so that no header is believed."""

import math
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from apr.basics.causes import decoding, printable, reading
from apr.basics.problems import Problem
from apr.data.sources.file_kinds import allowed_bytes, zip_end, zip_entries
from apr.data.sources.xz import require_little_memory

MOST_ARRAYS = 10_000  # a file


def save_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Save arrays uncompressed and without a date: the same arrays give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for key, values in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{key}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(values), allow_pickle=False)


def load_npz(path: Path, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Load the arrays of an npz file, or those of some names as far as they are there.

    What an array takes is checked before it is allocated: its header against its bytes, all against the file's size.

    Raises:
        Problem: the file is no npz file, is damaged, expands beyond reason, or holds anything but plain arrays.
    """
    with _opened(path) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        members = {key: info for key, info in members.items() if wanted is None or key in wanted}
        size, allowed = sum(info.file_size for info in members.values()), allowed_bytes(path.stat().st_size)
        if size > allowed:
            raise Problem(f"{path}: makes {size:,} bytes, where a file of its size may hold {allowed:,}: it is a bomb")
        return {key: _read_array(archive, info, path) for key, info in members.items()}


def array_names(path: Path) -> list[str]:
    """Names of the arrays in an npz file.

    Raises:
        Problem: the file is no npz file.
    """
    with _opened(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with reading(path):
        end = zip_end(path)
        if end and (entries := zip_entries(path, end)) > MOST_ARRAYS:
            raise Problem(f"{path}: holds {entries:,} arrays, where {MOST_ARRAYS:,} are read at most")
        with decoding(path):
            archive = zipfile.ZipFile(path)
        with archive:
            yield archive


def _read_array(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> np.ndarray:
    with decoding(f"{path}: {printable(info.filename)}"):
        if info.compress_type == zipfile.ZIP_LZMA:
            require_little_memory(path, info)
        with archive.open(info) as member:
            version = np.lib.format.read_magic(member)
            header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, _, dtype = header(member)
            room = info.file_size - member.tell()
        needed = math.prod(shape) * dtype.itemsize
        if dtype.hasobject:
            raise Problem(f"{path}: {info.filename}: holds Python objects, which are code; save it as plain arrays")
        if needed != room:
            raise Problem(
                f"{path}: {info.filename}: holds {room:,} bytes where its header says {list(shape)} {dtype}, which is "
                f"{needed:,}; fetch it again"
            )
        with archive.open(info) as member:
            return np.lib.format.read_array(member, allow_pickle=False)
