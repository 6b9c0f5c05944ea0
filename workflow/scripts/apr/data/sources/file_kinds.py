"""What a file really is, whatever its name says: publishers' servers answer with log-in pages and pointers."""

import bz2
import gzip
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from apr.data.sources.xz import open_xz

HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<?xml", b"<script", b"<!--", b"<body", b"<title", b"<meta")
LFS_START = b"version https://git-lfs.github.com/spec/"
MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"PK\x07\x08": "zip",
    b"PK00PK\x03\x04": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"Rar!\x1a\x07": "rar",
    b"7z\xbc\xaf\x27\x1c": "7z",
}
# Archives that are not read: by their first bytes, or by their suffix where these say little.
OTHER_MAGIC = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"LZIP": "lzip",
    b"\x1f\x9d": "compress",
    b"MSCF\0\0\0\0": "cab",
    b"xar!\0": "xar",
    b"!<arch>\n": "ar",
}
OTHER_SUFFIXES = {
    **{".zst": "zstd", ".tzst": "zstd", ".lz4": "lz4", ".lz": "lzip", ".lzma": "lzma", ".z": "compress"},
    **{".br": "brotli", ".cab": "cab", ".arj": "arj", ".ace": "ace", ".lzh": "lha", ".lha": "lha", ".sit": "StuffIt"},
    **{".iso": "iso image", ".dmg": "Apple disk image", ".exe": "self-extracting", ".zpaq": "zpaq", ".zipx": "zipx"},
}
ARCHIVE_SUFFIXES = {".zip": "zip", ".npz": "zip", ".tar": "tar", ".rar": "rar", ".7z": "7z"}
ARCHIVE_SUFFIXES |= {".gz": "gzip", ".tgz": "gzip", ".bz2": "bzip2", ".xz": "xz"}
OPENERS = {"gzip": gzip.open, "bzip2": bz2.open, "xz": open_xz}
BROKEN_STREAM = (EOFError, OSError, zlib.error, lzma.LZMAError)
# Photographs hardly shrink and tables shrink tenfold: beyond this, and beyond a size that harms nobody, it is a bomb.
MAX_RATIO = 200
HARMLESS_BYTES = 64 << 20
END_MAGIC, ENTRY_MAGIC, END_BYTES = b"PK\x05\x06", b"PK\x01\x02", 22  # of a zip
PART_NAME = re.compile(r".*\.(z\d\d|r\d\d|(zip|7z|rar|tar|t?gz|bz2|xz)\.(\d{1,3}|a[a-z]))", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class ZipEnd:
    """The last record of a zip: how many parts it was split into, and where its table of contents lies, in bytes."""

    parts: int
    directory_bytes: int
    directory_at: int


def allowed_bytes(packed: int) -> int:
    """What so many bytes may become when they are unpacked."""
    return max(HARMLESS_BYTES, MAX_RATIO * packed)


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
    return next((kind for magic, kind in (MAGIC | OTHER_MAGIC).items() if head.startswith(magic)), "other")


def kind_of_file(path: Path) -> str:
    """Kind of the file at `path`, as `kind_of` names it; a tar older than POSIX carries no magic number."""
    with open(path, "rb") as file:
        head = file.read(512)
    kind = kind_of(head)
    if kind == "other" and path.suffix.lower() == ".tar" and _is_tar_header(head):
        return "tar"
    return kind


def unreadable_kind(path: Path) -> str | None:
    """What kind of archive it is, if it is one that is not read here."""
    kind = kind_of_file(path)
    if kind in OTHER_MAGIC.values():
        return kind
    return OTHER_SUFFIXES.get(path.suffix.lower()) if kind == "other" else None


def is_one_of_several(path: Path, name: str | None = None) -> bool:
    """Whether a file is one part of an archive that was split, by its name or by what it says of itself."""
    if PART_NAME.fullmatch(name or path.name):
        return True
    with open(path, "rb") as file:
        head = file.read(64)
    if head.startswith(b"Rar!"):
        return _is_rar_volume(head)
    end = zip_end(path) if head.startswith(b"PK") or path.suffix.lower() == ".zip" else None
    return end is not None and end.parts > 1


def zip_end(path: Path) -> ZipEnd | None:
    """Read the record at the end of a zip; None if there is none. For the format see PKWARE's APPNOTE.TXT, 4.3.

    Of several that may be it, it is the one that zipfile takes.
    """
    with open(path, "rb") as file:
        size = file.seek(0, 2)
        begin = file.seek(max(0, size - END_BYTES - 65536 - 76))
        tail = file.read()
    last = len(tail) - END_BYTES
    without_comment = last >= 0 and tail.startswith(END_MAGIC, last) and tail.endswith(b"\0\0")
    at = last if without_comment else tail.rfind(END_MAGIC, max(0, last - 65536))
    if at < 0 or len(tail) - at < END_BYTES:
        return None
    disk, _, _, _, directory = struct.unpack("<4HI", tail[at + 4 : at + 16])
    parts, end = disk + 1 if disk != 0xFFFF else 1, begin + at
    if at >= 76 and tail[at - 20 : at - 16] == b"PK\x06\x07" and tail[at - 76 : at - 72] == b"PK\x06\x06":
        parts = struct.unpack("<I", tail[at - 4 : at])[0]
        directory = struct.unpack("<Q", tail[at - 36 : at - 28])[0]
        end -= 76
    return ZipEnd(parts, directory, max(0, end - directory))


def zip_entries(path: Path, end: ZipEnd) -> int:
    """How many members a zip's table of contents has, at most; that record's own number is not believed."""
    found, before = 0, b""
    with open(path, "rb") as file:
        file.seek(end.directory_at)
        left = end.directory_bytes
        while left > 0 and (chunk := file.read(min(left, 1 << 20))):
            left -= len(chunk)
            found += (before + chunk).count(ENTRY_MAGIC)
            before = chunk[-len(ENTRY_MAGIC) + 1 :]
    return found


def what_is_wrong(path: Path, name: str | None = None) -> str | None:
    """Say what is wrong with a downloaded file that should be what its name promises, or None.

    Compressed streams are read to their end, since a truncated one looks whole until then.

    Raises:
        OSError: the file cannot be read.
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
    if is_one_of_several(path, name):
        return None
    if expected and kind != expected and not (expected == "tar" and kind in OPENERS):
        with open(path, "rb") as file:
            if expected == "tar" and _is_tar_header(file.read(512)):
                return None
        return f"is not the {expected} file that its name promises"
    if kind in OPENERS:
        return _broken_stream(path, kind)
    if kind == "zip" and not zipfile.is_zipfile(path):
        return "is a truncated zip file (its table of contents, at the end, is missing)"
    return None


def _is_tar_header(head: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError):
        return False
    return True


def _is_rar_volume(head: bytes) -> bool:
    """Whether a RAR says that it is a volume; for the formats see unrar's technote.txt (4) and RARLAB's note (5)."""
    if head[6:7] == b"\0":
        return bool(int.from_bytes(head[10:12], "little") & 1)
    numbers, at = [], 12  # after the signature and the header's checksum come numbers of 7 bits a byte
    while len(numbers) < 5 and at < len(head):
        value = shift = 0
        while at < len(head):
            value |= (head[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if not head[at - 1] & 0x80:
                break
        numbers.append(value)
    if len(numbers) < 5:
        return False
    _, kind, flags, first, second = numbers
    return kind == 1 and bool((second if flags & 1 else first) & 1)


def _broken_stream(path: Path, kind: str) -> str | None:
    left = allowed_bytes(path.stat().st_size)
    try:
        with OPENERS[kind](path) as stream:
            while left > 0 and (chunk := stream.read(1 << 22)):  # who unpacks a bomb names it
                left -= len(chunk)
    except EOFError:
        return f"is a truncated {kind} file (it ends in the middle of the compressed data)"
    except BROKEN_STREAM as error:
        if getattr(error, "errno", None) is not None:  # not the file's fault
            raise
        return f"is a damaged {kind} file ({error})"
    return None
