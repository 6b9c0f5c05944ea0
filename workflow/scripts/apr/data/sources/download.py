"""Fetch, check and set aside: no byte is used before it has been looked at."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from apr.basics.files import atomic_path, file_digest, read_json, write_json
from apr.basics.leases import Lease
from apr.basics.problems import Problem
from apr.data.sources.bundled import write_bundled
from apr.data.sources.file_kinds import what_is_wrong
from apr.data.sources.web import fetch_web, refuse_too_long, require_room
from apr.data.sources.web_answers import Unavailable

DIGESTS = ("sha256", "md5")

log = logging.getLogger("apr")


def download(
    entry: Mapping[str, Any],
    target: Path,
    *,
    root: Path,
    mirror: str | None = None,
    source: str | None = None,
    login: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Fetch one file of a source to `target`, from the mirror first, then from its own address; check it.

    A partial file stays beside the target and is resumed by the next attempt, in this process or a later one.

    Args:
        entry: name, url (https:, file: or bundled:; null if it needs a log-in), and md5, sha256, bytes where known.
        target: where the file goes.
        root: folder to which relative file: addresses refer.
        mirror: https: or file: address of a folder that may hold the file under its own name.
        source: name of the file's source; the mirror may also hold the file in a folder of this name.
        login: what the user has to do where there is no address.
        sleep: waits between attempts.

    Raises:
        Problem: no address has the file, or what came is not the file; it is then set aside as `<target>.rejected`.
    """
    target = Path(target)
    folders = [mirror.rstrip("/"), *([f"{mirror.rstrip('/')}/{quote(source)}"] if source else [])] if mirror else []
    addresses = [f"{folder}/{quote(entry['name'])}" for folder in folders]
    addresses += [entry["url"]] if entry.get("url") else []
    if not entry.get("url") and not mirror:
        raise Problem(by_hand(entry["name"], target, login))
    target.parent.mkdir(parents=True, exist_ok=True)
    before = _seen(target)
    with Lease(target.with_name(f".{target.name}.lease"), thing="file"):
        if _seen(target) not in (None, before) and not _fault(target, entry):
            log.warning("%s: another process has fetched it meanwhile; that file is used", entry["name"])
            return
        _from_first(addresses, entry, target, root, sleep, login)


def _from_first(
    addresses: list[str],
    entry: Mapping[str, Any],
    target: Path,
    root: Path,
    sleep: Callable[[float], None],
    login: str | None,
) -> None:
    refusals = []
    for address in addresses:
        try:
            _fetch(address, entry, target, root, sleep)
            return
        except Unavailable as refusal:
            refusals.append(f"{address}: {refusal}")
            log.info("%s: not at %s (%s)", entry["name"], address, refusal)
        except Problem as problem:
            if address == addresses[-1]:
                raise
            log.warning("%s; trying the next address", problem)
            refusals.append(str(problem))
    remedy = (
        f" {by_hand(entry['name'], target, login)}" if login else " Check the address and the network, or set `mirror`."
    )
    raise Problem(f"{entry['name']}: could not be fetched. {'; '.join(refusals)}.{remedy}")


def by_hand(name: str, target: Path, login: str | None) -> str:
    """The message for a file that a user has to fetch."""
    how = login or "its publisher gives no open address."
    return f"{name}: has to be fetched by hand: {how.strip()} Put the file at {target}, then run again."


def check_file(path: Path, entry: Mapping[str, Any]) -> None:
    """Check a file against what is declared of it and against what its name promises; set it aside if it fails.

    Raises:
        Problem: wrong size, digest or content. The file is then at `<path>.rejected`.
    """
    fault = _fault(path, entry)
    if fault is None:
        return
    aside = path.with_name(path.name + ".rejected")
    os.replace(path, aside)
    raise Problem(f"{path}: {fault}. It was set aside as {aside.name}; fetch it again or correct the registry's entry.")


def verify(
    dataset: str,
    files: list[Mapping[str, Any]],
    folder: Path,
    trusted: Path | None,
    logins: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """Check all files of a source; where no digest is declared, the first one seen is trusted and has to recur.

    Args:
        dataset: its name.
        files: the entries of the registry.
        folder: where the files lie.
        trusted: JSON of the digests seen before, written here; None for files made by this project's own code.
        logins: what the user has to do for each file by its name, where it has to be fetched by hand.

    Returns:
        dataset, and for each file its name, bytes, sha256 and what it was checked against.

    Raises:
        Problem: a file is missing, or is not what was declared or seen before.
    """
    seen = read_json(trusted) if trusted and trusted.exists() else {}
    rows = []
    for entry in files:
        path = folder / entry["name"]
        if not path.is_file():
            raise Problem(by_hand(entry["name"], path, (logins or {}).get(entry["name"])))
        check_file(path, entry)
        digest = file_digest(path)
        declared = next((key for key in DIGESTS if entry.get(key)), None)
        if not declared and trusted and seen.get(entry["name"], digest) != digest:
            raise Problem(
                f"{path}: its sha256 is {digest}, but at the first download it was {seen[entry['name']]}. "
                f"Delete the file to fetch it again; if the publisher did change it, delete {trusted} as well."
            )
        earlier = "earlier download" if entry["name"] in seen else "first use"
        checked = declared or (earlier if trusted else "made here")
        rows.append({"name": entry["name"], "bytes": path.stat().st_size, "sha256": digest, "checked_against": checked})
        log.info("%s: %s bytes, checked against: %s", entry["name"], f"{rows[-1]['bytes']:,}", checked)
    if trusted:
        write_json(trusted, {row["name"]: row["sha256"] for row in rows})
    return {"dataset": dataset, "files": rows}


def _fault(path: Path, entry: Mapping[str, Any]) -> str | None:
    size = path.stat().st_size
    wrong = what_is_wrong(path, entry["name"])
    if wrong:
        return f"{wrong}; {size:,} bytes"
    if entry.get("bytes") and size != entry["bytes"]:
        return f"has {size:,} bytes, but {entry['bytes']:,} are declared"
    return _wrong_digest(path, entry)


def _wrong_digest(path: Path, entry: Mapping[str, Any]) -> str | None:
    for algorithm in DIGESTS:
        declared = entry.get(algorithm)
        if declared and (found := file_digest(path, algorithm)) != declared.lower():
            return f"its {algorithm} is {found}, but {declared.lower()} is declared"
    return None


def _fetch(address: str, entry: Mapping[str, Any], target: Path, root: Path, sleep: Callable[[float], None]) -> None:
    try:
        scheme = urlsplit(address).scheme
    except ValueError as error:
        raise Problem(f"{entry['name']}: address {address!r}: is not an address ({error}); correct it") from error
    if scheme == "bundled":
        write_bundled(address.removeprefix("bundled:"), target)
    elif scheme == "file":
        source = _local(address, root)
        size = source.stat().st_size
        refuse_too_long(entry["name"], size, entry.get("bytes"))
        with atomic_path(target) as part:
            require_room(size, target)
            shutil.copyfile(source, part)
    elif scheme in ("http", "https"):
        partial = target.with_name(target.name + ".partial")
        resumed = partial.exists()
        _fetch_web(address, entry, partial, target, sleep)
        if resumed and _fault(target, entry):
            log.warning("%s: the resumed file is not right; fetching it from the start", entry["name"])
            _fetch_web(address, entry, partial, target, sleep)
    else:
        raise Problem(f"{entry['name']}: address {address!r}: use https:, http:, file: or bundled:")
    check_file(target, entry)


def _fetch_web(
    address: str, entry: Mapping[str, Any], partial: Path, target: Path, sleep: Callable[[float], None]
) -> None:
    known = any(entry.get(algorithm) for algorithm in DIGESTS)
    with atomic_path(target) as part:
        fetch_web(
            address,
            partial,
            part,
            name=entry["name"],
            declared=entry.get("bytes"),
            is_right=(lambda path: not _wrong_digest(path, entry)) if known else None,
            sleep=sleep,
        )


def _seen(path: Path) -> tuple[int, int] | None:
    """What tells whether a file was replaced."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


def _local(address: str, root: Path) -> Path:
    place = urlsplit(address)
    if place.netloc not in ("", "localhost"):
        raise Problem(
            f"{address}: a file: address names a path of this machine (file:data/x.zip or file:///data/x.zip)"
        )
    path = root / unquote(address.removeprefix("file:").removeprefix(f"//{place.netloc}"))
    if not path.is_file():
        raise Unavailable(f"there is no file {path}")
    return path
