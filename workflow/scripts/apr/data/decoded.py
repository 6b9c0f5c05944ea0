"""The pixels of encoded pictures, decoded once: in memory, or in a file that trainings beside each other share."""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import __version__ as pillow

from apr.basics.causes import explained
from apr.basics.leases import Lease
from apr.basics.parts import new_part, remove_part
from apr.basics.problems import Problem
from apr.data.packed import PackedImages

AT_ONCE = 32  # pictures that a thread decodes before anybody looks whether to go on
SHARE = 0.8  # of what is free on the disk: others write there, too

log = logging.getLogger("apr")


def decode_once(
    packed: PackedImages, rows: np.ndarray, *, threads: int, folder: Path | None, waiting: Callable[[], None]
) -> np.ndarray:
    """The pixels of the pictures `rows` one after the other, uint8 [bytes].

    Args:
        packed: encoded pictures.
        rows: int64 [n], which of them.
        threads: that decode.
        folder: where a file of them is shared with other processes; None to keep them in memory. Where the file cannot
            be written they are kept in memory, too, and the log says why.
        waiting: called again and again, and may end it all with an exception.

    Raises:
        Problem: a picture is damaged.
    """
    if folder is not None:
        try:
            return _shared(packed, rows, threads, folder, waiting)
        except OSError as error:
            log.warning(
                "decoded pictures are not shared with other trainings, this one keeps its own: %s",
                explained(error) if error.errno else error,
            )
    pixels = np.empty(_starts(packed, rows)[-1], np.uint8)

    def keep(start: int, picture: np.ndarray) -> None:
        pixels[start : start + picture.size] = picture.reshape(-1)

    _decode(packed, rows, threads, keep, waiting)
    return pixels


def shared_file(packed: PackedImages, rows: np.ndarray, folder: Path) -> Path:
    """Where the decoded pictures are shared; another name for other bytes, pictures or another decoder."""
    path = Path(f"{packed.stem}.bin").resolve()
    state = path.stat()
    of = [str(path), state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, pillow]
    digest = hashlib.sha256(json.dumps(of).encode())
    digest.update(np.ascontiguousarray(rows, "<i8").tobytes())
    return folder / f"{packed.stem.name}-{digest.hexdigest()[:16]}.pixels"


def _shared(
    packed: PackedImages, rows: np.ndarray, threads: int, folder: Path, waiting: Callable[[], None]
) -> np.ndarray:
    """The same in a file that whoever comes first writes.

    Raises:
        OSError: it cannot be written or read.
    """
    path = shared_file(packed, rows, folder)
    if not path.exists():
        try:
            lease = Lease(path.with_suffix(".lease"), waiting=waiting, thing="copy of decoded pictures").__enter__()
        except Problem as problem:
            raise OSError(str(problem)) from problem
        try:
            if not path.exists():
                _write(packed, rows, threads, path, waiting)
        finally:
            lease.__exit__(None, None, None)
    return np.memmap(path, np.uint8, "r", shape=(int(_starts(packed, rows)[-1]),))


def _write(packed: PackedImages, rows: np.ndarray, threads: int, path: Path, waiting: Callable[[], None]) -> None:
    needed, free = int(_starts(packed, rows)[-1]), int(SHARE * shutil.disk_usage(path.parent).free)
    if needed > free:
        raise OSError(f"{path.parent}: has {free / 2**30:.3g} GB to spare, and they take {needed / 2**30:.3g}")
    log.info("decoding %s pictures (%.3g GB) once into %s", f"{len(rows):,}", needed / 2**30, path)
    part = new_part(path)
    try:
        # written, not mapped: on a full disk a write is an error that can be caught
        with open(part, "r+b", buffering=0) as file:

            def write(start: int, picture: np.ndarray) -> None:
                data = memoryview(np.ascontiguousarray(picture).reshape(-1))
                while data:
                    written = os.pwrite(file.fileno(), data, start)
                    data, start = data[written:], start + written

            _decode(packed, rows, threads, write, waiting)
        os.replace(part, path)  # not synced: it does not outlive this system
    finally:
        remove_part(part)


def _starts(packed: PackedImages, rows: np.ndarray) -> np.ndarray:
    """The first byte of each picture, and the end of the last: int64 [n + 1]."""
    index = packed.index[rows]
    return np.concatenate([[0], np.cumsum(3 * index["height"].astype(np.int64) * index["width"])])


def _decode(
    packed: PackedImages,
    rows: np.ndarray,
    threads: int,
    keep: Callable[[int, np.ndarray], None],
    waiting: Callable[[], None],
) -> None:
    """Hand each picture to `keep`, with its first byte, in the threads that decode."""
    starts = _starts(packed, rows)

    def some(first: int) -> None:
        for i in range(first, min(first + AT_ONCE, len(rows))):
            keep(int(starts[i]), packed.read(int(rows[i])))

    pool = ThreadPoolExecutor(max(1, threads))
    try:
        for done in [pool.submit(some, first) for first in range(0, len(rows), AT_ONCE)]:
            waiting()
            done.result()
    finally:
        pool.shutdown(cancel_futures=True)
