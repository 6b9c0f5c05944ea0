"""Atomic writes, digests and readable JSON."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from apr.basics.causes import REMEDIES, reason
from apr.basics.parts import new_part, remove_part
from apr.basics.problems import Problem


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced and renamed to `path`, on failure removed.

    The temporary name keeps the suffix, since writers such as matplotlib choose the format by it. What a killed process
    left goes when the next one writes into the folder (see `parts`).

    Raises:
        Problem: the folder or the disk does not take the file.
    """
    path = Path(path)
    part = None
    try:
        part = new_part(path)
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.chmod(part, 0o666 & ~_umask())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _explained(error, path, part) from error
    finally:
        if part is not None:
            remove_part(part)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`, which takes its place (and that of an older one) on success.

    Raises:
        Problem: the disk does not take it.
    """
    path = Path(path)
    part = old = None
    try:
        part = new_part(path, folder=True)
        yield part
        os.chmod(part, 0o777 & ~_umask())
        if path.exists():
            old = new_part(path, folder=True)
            os.replace(path, old)
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _explained(error, path, part) from error
    finally:
        for one in (part, old):
            if one is not None:
                remove_part(one)


@contextmanager
def atomic_file(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file that appears under `path` only when the block ends without an error."""
    with atomic_path(path) as part, open(part, mode, encoding=None if "b" in mode else "utf-8") as file:
        yield file


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path` atomically."""
    with atomic_file(path) as file:
        file.write(text)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically. NaN is refused: JSON has none."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_file(path: str | Path) -> bytes:
    """The bytes of a regular file.

    Raises:
        FileNotFoundError: there is nothing.
        Problem: it is something else, or the file system does not give it.
    """
    path = Path(path)
    try:
        if not path.is_file() and path.exists():
            raise Problem(f"{path}: is a folder or a device, not a file; name another")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Problem(
            f"{path}: cannot be read ({error.strerror}); it is kept: run again once it can be read"
        ) from error


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        Problem: the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem(f"{path}: no such file") from None
    except (ValueError, RecursionError) as error:
        raise Problem(f"{path}: is not JSON ({reason(error)}); delete it and run again") from error


def digest_of(value: Any) -> str:
    """SHA-256 of a plain value, independent of the order of keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: str | Path, algorithm: str = "sha256") -> str:
    """Hexadecimal digest of a file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _explained(error: OSError, path: Path, part: Path | None) -> OSError | Problem:
    """A Problem if it is the target that cannot be written, and not something else that the block reads."""
    remedy = REMEDIES.get(error.errno)
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else part
    ours = part is None or named in (part, path, path.parent) or part in named.parents
    return Problem(f"{path}: cannot be written: {remedy}") if remedy and ours else error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
