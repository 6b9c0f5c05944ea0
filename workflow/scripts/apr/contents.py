"""What a file really is, whatever its name says: publishers' servers answer with log-in pages and pointers."""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path

HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<?xml", b"<script")
LFS_START = b"version https://git-lfs.github.com/spec/"
MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"Rar!\x1a\x07": "rar",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
ARCHIVE_SUFFIXES = {".zip": "zip", ".npz": "zip", ".tar": "tar", ".rar": "rar", ".7z": "7z"}
ARCHIVE_SUFFIXES |= {".gz": "gzip", ".tgz": "gzip", ".bz2": "bzip2", ".xz": "xz"}
OPENERS = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open}
BROKEN_STREAM = (EOFError, OSError, zlib.error, lzma.LZMAError)


def kind_of(head: bytes) -> str:
    """Kind of a file by its first 512 bytes: an archive's name, "html", "lfs pointer", "empty" or "other"."""
    if not head:
        return "empty"
    if head.startswith(LFS_START):
        return "lfs pointer"
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(HTML_STARTS):
        return "html"
    if head[257:262] == b"ustar":
        return "tar"
    return next((kind for magic, kind in MAGIC.items() if head.startswith(magic)), "other")


def kind_of_file(path: Path) -> str:
    """Kind of the file at `path`, as `kind_of` names it."""
    with open(path, "rb") as file:
        return kind_of(file.read(512))


def what_is_wrong(path: Path, name: str | None = None) -> str | None:
    """Say what is wrong with a downloaded file that should be what its name promises, or None.

    Compressed streams are read to their end, since a truncated one looks whole until then.
    """
    name = name or path.name
    kind = kind_of_file(path)
    expected = ARCHIVE_SUFFIXES.get(Path(name).suffix.lower())
    if kind == "empty":
        return "is empty"
    if kind == "lfs pointer":
        return "is a Git-LFS pointer, not the file itself (fetch it with `git lfs pull`, or from the publisher)"
    if kind == "html" and not name.lower().endswith((".html", ".htm", ".xml", ".svg")):
        return "is an HTML page, not data (the server answered with a log-in, licence or error page)"
    if expected and kind != expected and not (expected == "tar" and kind in OPENERS):
        # Tars older than POSIX carry no magic number.
        if expected == "tar" and tarfile.is_tarfile(path):
            return None
        return f"is not the {expected} file that its name promises"
    if kind in OPENERS:
        return _broken_stream(path, kind)
    if kind == "zip" and not zipfile.is_zipfile(path):
        return "is a truncated zip file (its table of contents, at the end, is missing)"
    return None


def _broken_stream(path: Path, kind: str) -> str | None:
    try:
        with OPENERS[kind](path) as stream:
            while stream.read(1 << 22):
                pass
    except EOFError:
        return f"is a truncated {kind} file (it ends in the middle of the compressed data)"
    except BROKEN_STREAM as error:
        return f"is a damaged {kind} file ({error})"
    return None
