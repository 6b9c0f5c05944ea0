"""Fetch a file over HTTP: resumed only where the server says that it is the same file, watched, and bounded."""

import gzip
import json
import logging
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

import requests
import urllib3

from apr.basics.problems import Problem
from apr.data.sources.file_kinds import allowed_bytes, kind_of
from apr.data.sources.web_answers import (
    RANGE,
    TRANSIENT,
    Interrupted,
    State,
    Unavailable,
    ask,
    is_complete,
    misfit,
    number,
    refuse_failure,
    validator,
)
from apr.data.sources.web_pace import Pace

CHUNK = 1 << 20
ATTEMPTS = 5
FLOOR, WINDOW = 1024, 60.0  # bytes a second, over so many seconds, below which a transfer counts as stalled
PATIENCE = 300.0  # seconds that a server's Retry-After is followed
INTERRUPTIONS = (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError, OSError)
GZIP_OVERHEAD = 1 << 16  # bytes that gzip may add, beside a 256th, to what cannot be compressed
GONE = {404, 410}  # say that there is no file, whatever part of it was asked for
GZIP_NAMES = (".gz", ".tgz", ".gzip")

log = logging.getLogger("apr")


class _Partial:
    """The bytes that came so far, and beside them what is known of their file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.note = path.with_name(path.name + ".json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def state(self) -> State:
        try:
            return State(**json.loads(self.note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, RecursionError):
            return State()

    def set_state(self, state: State) -> None:
        self.note.write_text(json.dumps(asdict(state)), encoding="utf-8")

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def fetch_web(
    address: str,
    partial: Path,
    part: Path,
    *,
    name: str,
    declared: int | None = None,
    is_right: Callable[[Path], bool] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch `address` to `part`, with retries.

    An attempt that brought much does not count, so that a long file survives a poor line. What came stays at `partial`
    if the server can tell later that its file is still the same.

    Args:
        address: http: or https:.
        partial: where the bytes that came are kept, in this call and for the next.
        part: where the whole file goes.
        name: what messages call the file.
        declared: how many bytes it has, if known; more are not fetched.
        is_right: tells whether a file is the one that is wanted, where a digest says it.
        sleep: waits between attempts.

    Raises:
        Unavailable: the address does not have it, or does not give it.
        Problem: it is longer than declared, or there is no room.
    """
    kept = _Partial(partial)
    failures, most = 0, kept.size()
    try:
        while True:
            try:
                encoding = _attempt(address, kept, name, declared)
                break
            except Interrupted as error:
                size = kept.size()
                failures = 1 if size >= most + FLOOR * WINDOW else failures + 1
                most = max(most, size)
                if failures >= ATTEMPTS:
                    raise Unavailable(f"{ATTEMPTS} attempts failed, the last with: {error}") from error
                wait = max(2.0 ** (failures - 1), min(error.wait, PATIENCE))
                text = "%s: interrupted (%s); attempt %d of %d follows in %.0f s"
                log.warning(text, name, error, failures + 1, ATTEMPTS, wait)
                sleep(wait)
        _finish(kept, part, encoding, name, declared, is_right)
    finally:
        if not kept.state().validator:
            kept.drop()


def refuse_too_long(name: str, size: int, declared: int | None) -> None:
    """Stop before bytes are fetched that nobody declared.

    Raises:
        Problem: there are more than declared.
    """
    if declared and size > declared:
        raise Problem(
            f"{name}: has at least {size:,} bytes, but {declared:,} are declared, so that it was not fetched further; "
            "correct the address, or `bytes` in the file's entry"
        )


def require_room(needed: int, place: Path) -> None:
    """Refuse what the disk cannot take.

    Raises:
        Problem: says how much is needed and free.
    """
    free = shutil.disk_usage(place.parent).free
    if needed > free:
        raise Problem(
            f"{place}: needs {needed:,} bytes, {free:,} are free: free some space, or point --directory elsewhere"
        )


def _attempt(address: str, kept: _Partial, name: str, declared: int | None) -> str:
    """Fetch all or the rest; return the Content-Encoding of what is there then."""
    before = kept.state()
    start = kept.size() if before.validator and before.address == address else 0
    headers = {"Accept-Encoding": "identity", "User-Agent": "aprbench"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": before.validator}
    pace = Pace()
    answer = ask(address, headers, pace)
    if start and 400 <= answer.status_code != 416 and answer.status_code not in GONE | TRANSIENT:
        answer.close()  # it may be the range that it refuses
        headers, start = {key: headers[key] for key in ("Accept-Encoding", "User-Agent")}, 0
        answer = ask(address, headers, pace)
    with answer:
        if answer.status_code == 416 and start:
            if is_complete(answer, before, start):
                return ""
            _start_anew(kept, "the part that is there does not fit the server's file")
        refuse_failure(answer)
        chunked = "Transfer-Encoding" in answer.headers
        encoding = answer.headers.get("Content-Encoding", "").strip().lower()
        encoding = "" if encoding == "identity" else encoding
        if encoding not in ("", "gzip", "x-gzip"):
            raise Unavailable(f"it comes in the encoding {encoding!r}, which was not asked for")
        most = declared + (declared >> 8) + GZIP_OVERHEAD if declared and encoding else declared
        if answer.status_code == 206:
            if why := misfit(answer, before, start, encoding):
                _start_anew(kept, why)
            end, state = int(RANGE.fullmatch(answer.headers["Content-Range"])[2]) + 1, before
        else:
            if start:
                log.warning(
                    "%s: the server does not continue where it stopped, or has a new file; from the start", name
                )
            start, end = 0, number(answer.headers.get("Content-Length"))
            state = State(address, "" if encoding else validator(answer), None if encoding else end)
            if end is None and not declared and not chunked:
                log.warning("%s: the server does not say how long it is; nothing tells whether it is whole", name)
        if (announced := state.total or end or 0) > (most or announced):
            refuse_too_long(name, announced, declared)
        require_room((end or 0) - start, kept.path)
        with open(kept.path, "ab" if start else "wb") as file:
            kept.set_state(state)
            done = start
            for chunk in _watched(answer, pace, name, start, state.total or end):
                done += len(chunk)
                if most and done > most:
                    kept.drop()
                    refuse_too_long(name, done, declared)
                file.write(chunk)
    if end is not None and done > end:
        _start_anew(kept, f"{done:,} bytes came where {end:,} were announced")
    if (end is not None and done < end) or (state.total is not None and done < state.total):
        raise Interrupted(f"{done:,} of {state.total or end:,} bytes came")
    if end is None and not encoding and not chunked and done < (declared or 0):
        raise Interrupted(f"{done:,} of {declared:,} bytes came, and the server did not say that this is all")
    return encoding


def _start_anew(kept: _Partial, why: str) -> NoReturn:
    kept.drop()
    raise Interrupted(f"{why}; starting again")


def _watched(answer: requests.Response, pace: Pace, name: str, done: int, total: int | None) -> Iterator[bytes]:
    """The bytes as they come, as the server sends them; log the progress every ten seconds, and refuse to starve.

    Raises:
        Interrupted: the line broke, or brought less than the floor.
    """
    began = last = mark = time.monotonic()
    start = marked = done
    while True:
        pace.renew()
        try:
            chunk = answer.raw.read1(CHUNK, decode_content=False)
        except INTERRUPTIONS as error:
            raise Interrupted(str(error)) from error
        if not chunk:
            return
        yield chunk
        done += len(chunk)
        now = time.monotonic()
        if now - last >= 10:
            last = now
            of = f" of {total / 1e6:,.0f}" if total else ""
            log.info("%s: %s%s MB, %.1f MB/s", name, f"{done / 1e6:,.0f}", of, (done - start) / 1e6 / (now - began))
        if now - mark >= WINDOW:
            if done - marked < FLOOR * (now - mark):
                raise Interrupted(f"the transfer stalled: {done - marked:,} bytes in {now - mark:.0f} s")
            mark, marked = now, done


def _finish(
    kept: _Partial,
    part: Path,
    encoding: str,
    name: str,
    declared: int | None,
    is_right: Callable[[Path], bool] | None,
) -> None:
    """Put the whole file at `part`; undo an encoding, unless it is the file's own kind that the server means."""
    own = encoding and (kept.size() == declared or (is_right is not None and is_right(kept.path)))
    if encoding and not own and not _is_single_gzip(kept.path, name):
        _decode(kept.path, part, name, declared)
    else:
        refuse_too_long(name, kept.size(), declared)
        kept.path.replace(part)
    kept.drop()


def _is_single_gzip(path: Path, name: str) -> bool:
    """Whether a file that should be gzip is it without the server's: servers call the file's own kind an encoding."""
    if not name.lower().endswith(GZIP_NAMES):
        return False
    with suppress(OSError, EOFError, zlib.error), gzip.open(path) as stream:
        return kind_of(stream.read(512)) != "gzip"
    return True


def _decode(path: Path, part: Path, name: str, declared: int | None) -> None:
    limit = declared or allowed_bytes(path.stat().st_size)
    done = 0
    try:
        with gzip.open(path) as stream, open(part, "wb") as file:
            while chunk := stream.read(CHUNK):
                done += len(chunk)
                refuse_too_long(name, done, limit)
                file.write(chunk)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Unavailable(f"the gzip encoding that it came in is damaged ({error})") from error
