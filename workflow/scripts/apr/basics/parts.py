"""Unfinished files and folders: each is named for the process that writes it, and goes when that process is dead.

A killed process cannot clean up. The next one that writes into the same folder does it: a part of a process of this
place is left over when that process is gone; one of another host, when it was not touched for a while, since whoever
writes a part touches it all the time.
"""

import os
import re
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from apr.basics.processes import UNKNOWN, born, is_dead, place

BEAT = 60.0  # seconds between two touches of a part
STALE = 3600.0  # seconds without one after which a part of a process that cannot be seen counts as left over
NAME = re.compile(r"\..*\.(?P<place>[0-9a-f]{8})-(?P<pid>\d{1,9})-(?P<born>\d+)-[^.]{8}\.part(\.[^.]*)?", re.DOTALL)
LONGEST_STEM, LONGEST_SUFFIX = 80, 20  # bytes, so that the part's name fits where the target's does

_open: set[Path] = set()
_swept: set[Path] = set()
_lock = threading.Lock()
_beating: threading.Thread | None = None


def new_part(target: Path, *, folder: bool = False) -> Path:
    """An empty file or folder beside `target`; it keeps the suffix, since writers choose the format by it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    sweep_once(target.parent)
    suffix = target.suffix if len(os.fsencode(target.suffix)) <= LONGEST_SUFFIX else ""
    stem = os.fsencode(target.stem)[:LONGEST_STEM].decode(errors="ignore")
    pid = os.getpid()
    names = {"prefix": f".{stem}.{_place()}-{pid}-{born(pid)}-", "suffix": f".part{suffix}", "dir": target.parent}
    if folder:
        part = Path(tempfile.mkdtemp(**names))
    else:
        handle, name = tempfile.mkstemp(**names)
        os.close(handle)
        part = Path(name)
    _keep_touched(part)
    return part


def remove_part(part: Path) -> None:
    """Remove what is left of a part, whatever it is."""
    _open.discard(part)
    if part.is_dir() and not part.is_symlink():
        shutil.rmtree(part, ignore_errors=True)
    else:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def sweep_once(folder: Path) -> None:
    """`sweep`, at most once in a process for each folder."""
    key = folder.absolute()
    if key not in _swept:
        _swept.add(key)
        sweep(folder)


def sweep(folder: Path) -> list[Path]:
    """Remove the parts in `folder` whose process is dead; return them. Parts of living processes stay."""
    found = []
    with suppress(OSError), os.scandir(folder) as entries:
        found = [(Path(entry.path), match) for entry in entries if (match := NAME.fullmatch(entry.name))]
    gone = [part for part, match in found if _is_left_over(part, match)]
    for part in gone:
        remove_part(part)
    return gone


def _is_left_over(part: Path, owner: re.Match[str]) -> bool:
    if owner["place"] == _place() != UNKNOWN:
        return is_dead(int(owner["pid"]), int(owner["born"]))
    with suppress(OSError), tempfile.TemporaryFile(dir=part.parent) as clock:  # the file system's own time
        return os.fstat(clock.fileno()).st_mtime - part.stat().st_mtime > STALE
    return False


@cache
def _place() -> str:
    return place()


def _keep_touched(part: Path) -> None:
    global _beating
    with _lock:
        _open.add(part)
        if _beating is None or not _beating.is_alive():
            _beating = threading.Thread(target=_beat, name="parts", daemon=True)
            _beating.start()


def _beat() -> None:
    while True:
        time.sleep(BEAT)
        for part in list(_open):
            with suppress(OSError):
                os.utime(part)
