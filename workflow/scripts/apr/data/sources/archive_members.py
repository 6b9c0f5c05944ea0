"""The members of an archive, one after the other, whatever its kind; what its headers claim is not believed.

Memory stays bounded: a header is read only up to a size that real ones never have, and no list of a tar's members is
kept. A zip's table of contents is held whole, so that there is a bound for it.
"""

import errno
import logging
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from apr.basics.causes import UNREADABLE
from apr.basics.problems import Problem
from apr.data.sources.file_kinds import OPENERS, kind_of, zip_end, zip_entries
from apr.data.sources.member_names import BY_HAND, decoded, escaped_name, zip_names
from apr.data.sources.tar_headers import SHARED_BYTES, BoundedHeaders
from apr.data.sources.xz import require_little_memory

CHUNK = 1 << 20
TAR_SUFFIXES = (".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
DIRECTORY_BYTES = 256 << 20  # of a zip's table of contents: two million members with long names
ENTRIES = 2_000_000  # in it; each takes about 600 bytes of memory
ZIP_METHODS = {0: "stored", 8: "deflate", 12: "bzip2", 14: "lzma"}
OTHER_ZIP_METHODS = {
    1: "shrink",
    6: "implode",
    9: "Deflate64",
    93: "zstd",
    95: "xz",
    96: "JPEG",
    97: "WavPack",
    98: "PPMd",
}
PADDING = 1 << 16  # after the end of a tar
ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
AES = 99
# What libarchive says of archives that are whole, but beyond it.
BEYOND = ("encrypt", "passphrase", "password", "unsupported", "not supported", "multi-volume", "multivolume", "split")

log = logging.getLogger("apr")


class Damaged(Exception):
    """An archive's bytes are not what they should be."""


@dataclass(frozen=True)
class Member:
    """One entry of an archive; `chunks` may be read only while it is the current one.

    Attributes:
        name: as the archive has it.
        kind: "file", "folder", "link", "hard link" or "device".
        chunks: its bytes.
        target: where a link leads.
    """

    name: str
    kind: str
    chunks: Iterator[bytes]
    target: str = ""


def members_of(
    path: Path, kind: str, encoding: str | None, shown: str, too_much: Callable[[int, int], str | None]
) -> Iterator[Member]:
    """The members of an archive.

    Args:
        path: the archive.
        kind: see `file_kinds.kind_of_file`.
        encoding: of names that are no UTF-8.
        shown: what messages call the archive.
        too_much: what is wrong with so many bytes and members more, if anything.

    Raises:
        Problem: it is whole, but cannot be read here; or it claims to hold more than is allowed.
        Damaged: it is not whole.
        OSError: the disk fails.
    """
    with _damage():
        if kind == "zip":
            yield from _zip_members(path, encoding, shown, too_much)
        elif kind in ("rar", "7z"):
            yield from _libarchive_members(path, encoding, shown)
        elif kind == "tar" or holds_tar(path, kind):
            yield from _tar_members(path, kind, encoding, shown, too_much)
        else:
            with OPENERS[kind](path) as stream:
                yield Member(path.stem, "file", _chunks(stream))


def holds_tar(path: Path, kind: str) -> bool:
    """Whether a compressed file holds a tar (tarfile would take any run of zeros for an empty one)."""
    if path.name.lower().endswith(TAR_SUFFIXES):
        return True
    with OPENERS[kind](path) as stream:
        return kind_of(stream.read(512)) == "tar"


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, ValueError, *UNREADABLE) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):  # EINVAL: a place before the file
            raise
        raise Damaged(" ".join(str(error).split()) or type(error).__name__) from error


def _chunks(stream: IO[bytes], expected: int | None = None, name: str = "") -> Iterator[bytes]:
    with _damage():
        found = 0
        while chunk := stream.read(CHUNK):
            found += len(chunk)
            yield chunk
        if expected is not None and found != expected:
            raise EOFError(f"{name!r:.80} holds {found:,} bytes where {expected:,} are announced")


def _zip_members(
    path: Path, encoding: str | None, shown: str, too_much: Callable[[int, int], str | None]
) -> Iterator[Member]:
    if end := zip_end(path):
        if end.directory_bytes > DIRECTORY_BYTES:
            raise Problem(f"{shown}: holds too many members ({end.directory_bytes:,} bytes of names); {BY_HAND}")
        entries = zip_entries(path, end)
        if entries > ENTRIES:
            raise Problem(f"{shown}: holds too many members ({entries:,}); {BY_HAND}")
        if why := too_much(0, entries):
            raise Problem(f"{shown}: {why}; nothing was unpacked")
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        names = zip_names(infos, encoding, shown)
        for info, name in zip(infos, names, strict=True):
            _require_readable(info, name, shown)
        if why := too_much(sum(info.file_size for info in infos), 0):
            raise Problem(f"{shown}: {why}; nothing was unpacked")
        for info, name in zip(infos, names, strict=True):
            if info.compress_type == zipfile.ZIP_LZMA:
                require_little_memory(path, info)
            kind = _zip_kind(info, name)
            target = (
                archive.read(info)[:200].decode(errors="replace") if kind == "link" and info.file_size < 5000 else ""
            )
            yield Member(name, kind, _zip_chunks(archive, info, name), target)


def _require_readable(info: zipfile.ZipInfo, name: str, shown: str) -> None:
    if info.flag_bits & ENCRYPTED or info.compress_type == AES:
        raise Problem(f"{shown}: member {name!r:.80} is encrypted; {BY_HAND}")
    if info.compress_type not in ZIP_METHODS:
        method = OTHER_ZIP_METHODS.get(info.compress_type, "an unknown method")
        raise Problem(
            f"{shown}: member {name!r:.80} is compressed by {method} (method {info.compress_type}), which is not read "
            f"here; {BY_HAND}"
        )


def _zip_kind(info: zipfile.ZipInfo, name: str) -> str:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "link"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "device"
    # Windows tools end folders with a backslash.
    return "folder" if name.endswith(("/", "\\")) and not info.file_size else "file"


def _zip_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    with _damage(), archive.open(info) as stream:
        yield from _chunks(stream, info.file_size, name)


def _tar_members(
    path: Path, kind: str, encoding: str | None, shown: str, too_much: Callable[[int, int], str | None]
) -> Iterator[Member]:
    opener = open if kind == "tar" else OPENERS[kind]
    with opener(path, "rb") as stream:
        headers = BoundedHeaders(stream)
        with tarfile.open(fileobj=headers, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
            before = -1
            while (info := archive.next()) is not None:
                archive.members = []  # it keeps all, which are many
                shared = sum(map(len, archive.pax_headers)) + sum(map(len, archive.pax_headers.values()))
                if info.size < 0 or info.offset <= before or shared > SHARED_BYTES:
                    raise tarfile.ReadError(f"a header that makes no sense, of {info.name!r:.80}")
                if why := too_much(headers.total, 0):
                    raise Problem(f"{shown}: its headers: {why}; nothing was unpacked")
                before = info.offset
                name = escaped_name(info.name, encoding, shown)
                headers.renew(within=False)
                yield Member(name, _tar_kind(info), _tar_chunks(archive, info), info.linkname)
                headers.renew()
            headers.renew(within=False)
            _check_end(headers, archive.offset, shown)


def _check_end(stream: BoundedHeaders, offset: int, shown: str) -> None:
    """Refuse a tar of which the library stopped reading in silence, at a header that is none."""
    stream.seek(offset)
    block, rest = stream.read(512), stream.read(PADDING)
    if block.strip(b"\0"):
        raise tarfile.ReadError("a header in the middle that makes no sense")
    if not block:
        log.warning("%s: has no end mark; if it was truncated, fetch it again", shown)
    if any(rest[at : at + 5] == b"ustar" for at in range(257, len(rest), 512)):
        raise Problem(f"{shown}: continues after its end mark, as joined tars do; {BY_HAND}")
    if rest.strip(b"\0"):
        log.warning("%s: has bytes after its end mark; they were left out", shown)


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.isreg():
        return "file"
    if info.isdir():
        return "folder"
    return "link" if info.issym() else "hard link" if info.islnk() else "device"


def _tar_chunks(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Iterator[bytes]:
    with _damage(), archive.extractfile(info) as stream:
        yield from _chunks(stream, info.size, info.name)


def _libarchive_members(path: Path, encoding: str | None, shown: str) -> Iterator[Member]:
    try:
        import libarchive
    except (ImportError, OSError, AttributeError, TypeError) as error:
        raise Problem(
            f"{shown}: reading this kind of archive needs the system library libarchive, which is missing: "
            "install libarchive13 (Debian, Ubuntu), libarchive (Fedora, conda-forge, Homebrew), "
            "or set LIBARCHIVE to its path"
        ) from error
    try:
        with libarchive.file_reader(str(path)) as entries:
            for entry in entries:
                name = entry.pathname
                if name is None:
                    raise Problem(f"{shown}: has a name that cannot be told in this locale; set LC_ALL=C.UTF-8")
                if isinstance(name, bytes):
                    name = decoded([name], encoding, shown)[0]
                kind = _libarchive_kind(entry)
                target = str(entry.linkpath or "") if kind.endswith("link") else ""
                yield Member(name, kind, _libarchive_chunks(entry, shown), target)
    except libarchive.ArchiveError as error:
        raise _of_libarchive(error, shown) from error


def _libarchive_kind(entry: Any) -> str:
    # A hard link has the type of its target.
    if entry.issym or entry.islnk:
        return "link" if entry.issym else "hard link"
    return "file" if entry.isfile else "folder" if entry.isdir else "device"


def _libarchive_chunks(entry: Any, shown: str) -> Iterator[bytes]:
    import libarchive

    try:
        yield from entry.get_blocks(CHUNK)
    except libarchive.ArchiveError as error:
        raise _of_libarchive(error, shown) from error


def _of_libarchive(error: Any, shown: str) -> Exception:
    text = " ".join(str(error.msg or error).split())
    if any(word in text.lower() for word in BEYOND):
        return Problem(f"{shown}: cannot be read here ({text}); {BY_HAND}")
    return Damaged(text)
