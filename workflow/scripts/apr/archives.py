"""Unpack what a stranger packed: nothing outside the folder, no links, no bombs, all or nothing."""

import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from apr.contents import ARCHIVE_SUFFIXES, OPENERS, kind_of, kind_of_file
from apr.files import REMEDIES
from apr.problems import Problem

CHUNK = 1 << 20
# Photographs hardly shrink and tables shrink tenfold: beyond this, and beyond a size that harms nobody, it is a bomb.
MAX_RATIO = 200
HARMLESS_BYTES = 64 << 20
INNER_SUFFIXES = ARCHIVE_SUFFIXES.keys() - {".npz"}
TAR_SUFFIXES = (".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")
BROKEN = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, RuntimeError)


@dataclass(frozen=True)
class Member:
    """One entry of an archive; `chunks` may be read only while it is the current one."""

    name: str
    kind: str
    chunks: Iterator[bytes]


@dataclass
class Tally:
    """Files and bytes written so far."""

    files: int = 0
    bytes: int = 0


def unpack_all(paths: Sequence[Path], folder: Path, *, nested: bool = False) -> dict[str, Any]:
    """Unpack archives and link other files into `folder`, which appears only when it is whole.

    Args:
        paths: the source's files, in order; none may overwrite what another brought.
        folder: is replaced if it exists.
        nested: unpack the archives found inside as well, one level, each into a folder of its own name.

    Returns:
        files and bytes in all, and for each source its name, kind, files, bytes.

    Raises:
        Problem: an archive is damaged, or holds a member that reaches outside, links, overwrites or explodes.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
    try:
        os.chmod(part, 0o755)
        sources = []
        for path in map(Path, paths):
            kind = kind_of_file(path)
            tally = unpack(path, part)
            sources.append({"name": path.name, "kind": kind, "files": tally.files, "bytes": tally.bytes})
        if nested:
            sources += _unpack_inner(part)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(part, folder)
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        raise Problem(f"{folder}: cannot be written: {REMEDIES[error.errno]}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return {"files": sum(row["files"] for row in sources), "bytes": sum(row["bytes"] for row in sources)} | {
        "sources": sources
    }


def unpack(path: Path, folder: Path) -> Tally:
    """Unpack one archive (zip, tar, gzip, bzip2, xz, rar, 7z) into `folder`; link any other file into it.

    Raises:
        Problem: see `unpack_all`.
    """
    kind = kind_of_file(path)
    if kind == "other" and path.suffix.lower() == ".tar":
        kind = "tar"
    # An npz file is a zip by its bytes and a table of arrays by its meaning.
    if path.suffix.lower() == ".npz" or kind not in ARCHIVE_SUFFIXES.values():
        if kind != "other" and path.suffix.lower() != ".npz":
            raise Problem(f"{path}: is {kind}, not data; delete it and fetch it again")
        _link(path, folder / path.name)
        return Tally(1, path.stat().st_size)
    free = shutil.disk_usage(folder).free
    allowed = min(free, max(HARMLESS_BYTES, MAX_RATIO * path.stat().st_size))
    tally = Tally()
    try:
        for member in _members(path, kind):
            _write(member, path, folder, tally, allowed, free)
    except (*BROKEN, OSError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise Problem(f"{path}: is a damaged {kind} archive ({error}); delete it and fetch it again") from error
    return tally


def safe_parts(name: str) -> tuple[str, ...]:
    """Split the name of an archive's member into folders and file.

    Raises:
        ValueError: the name is absolute, climbs with "..", or holds a character that no file name may have.
    """
    # Archives made on Windows may separate folders with backslashes.
    plain = name.replace("\\", "/")
    parts = tuple(part for part in PurePosixPath(plain).parts if part != ".")
    if plain.startswith("/") or (parts and parts[0][1:2] == ":"):
        raise ValueError("is an absolute name")
    if ".." in parts:
        raise ValueError("climbs out of the folder")
    if "\0" in name:
        raise ValueError("holds a NUL character")
    return parts


def _unpack_inner(folder: Path) -> list[dict[str, Any]]:
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in INNER_SUFFIXES)
    rows = []
    for path in found:
        inside = path.with_name(path.name.removesuffix(path.suffix).removesuffix(".tar"))
        if inside.exists():
            raise Problem(
                f"{path.relative_to(folder)}: there is already something under the name of this inner archive"
            )
        inside.mkdir()
        kind = kind_of_file(path)
        tally = unpack(path, inside)
        path.unlink()
        row = {"name": str(path.relative_to(folder)), "kind": kind, "files": tally.files, "bytes": tally.bytes}
        rows.append(row)
    return rows


def _write(member: Member, archive: Path, folder: Path, tally: Tally, allowed: int, free: int) -> None:
    try:
        parts = safe_parts(member.name)
    except ValueError as error:
        raise _refusal(archive, member, str(error)) from error
    if member.kind not in ("file", "folder"):
        raise _refusal(archive, member, f"is a {member.kind}")
    if not parts:
        return
    target = folder.joinpath(*parts)
    try:
        if member.kind == "folder":
            target.mkdir(parents=True, exist_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as file:
            for chunk in member.chunks:
                tally.bytes += len(chunk)
                if tally.bytes > allowed:
                    raise _refusal(archive, member, _too_much(tally.bytes, allowed, free))
                file.write(chunk)
        tally.files += 1
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _refusal(archive, member, "would overwrite another file") from error


def _too_much(size: int, allowed: int, free: int) -> str:
    if allowed == free:
        return f"does not fit: {free:,} bytes are free; free some space, or point --directory elsewhere"
    return f"makes {size:,} bytes of an archive that may hold at most {allowed:,} ({MAX_RATIO} times its size): a bomb"


def _refusal(archive: Path, member: Member, why: str) -> Problem:
    return Problem(f"{archive}: member {member.name!r} {why}; nothing was unpacked. Check where the archive came from")


def _members(path: Path, kind: str) -> Iterator[Member]:
    if kind == "zip":
        return _zip_members(path)
    if kind in ("rar", "7z"):
        return _libarchive_members(path)
    if kind == "tar" or _holds_tar(path, kind):
        return _tar_members(path)
    return _single_member(path, kind)


def _holds_tar(path: Path, kind: str) -> bool:
    """Whether a compressed file holds a tar (tarfile would take any run of zeros for an empty one)."""
    if path.name.lower().endswith(TAR_SUFFIXES):
        return True
    with OPENERS[kind](path) as stream:
        return kind_of(stream.read(512)) == "tar"


def _zip_members(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            mode = info.external_attr >> 16
            kind = "folder" if info.is_dir() else "link" if stat.S_ISLNK(mode) else "file"
            if info.flag_bits & 1:
                raise Problem(f"{path}: member {info.filename!r} is encrypted; unpack it by hand")
            yield Member(info.filename, kind, _zip_chunks(archive, info))


def _zip_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(info) as stream:
        yield from _chunks(stream)


def _tar_members(path: Path) -> Iterator[Member]:
    with tarfile.open(path) as archive:
        for info in archive:
            yield Member(info.name, _tar_kind(info), _tar_chunks(archive, info))


def _tar_kind(info: tarfile.TarInfo) -> str:
    if info.isreg():
        return "file"
    if info.isdir():
        return "folder"
    return "link" if info.issym() or info.islnk() else "device"


def _tar_chunks(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Iterator[bytes]:
    left = info.size
    for chunk in _chunks(archive.extractfile(info)):
        left -= len(chunk)
        yield chunk
    if left:
        raise EOFError(f"{info.name} lacks {left:,} bytes")


def _single_member(path: Path, kind: str) -> Iterator[Member]:
    with OPENERS[kind](path) as stream:
        yield Member(path.stem, "file", _chunks(stream))


def _libarchive_members(path: Path) -> Iterator[Member]:
    try:
        import libarchive
    except (ImportError, OSError, AttributeError, TypeError) as error:
        raise Problem(
            f"{path}: reading this kind of archive needs the system library libarchive, which is missing: "
            "install libarchive13 (Debian, Ubuntu), libarchive (Fedora, conda-forge, Homebrew), "
            "or set LIBARCHIVE to its path"
        ) from error
    try:
        with libarchive.file_reader(str(path)) as entries:
            for entry in entries:
                yield Member(str(entry.pathname), _libarchive_kind(entry), _libarchive_chunks(entry))
    except libarchive.ArchiveError as error:
        raise EOFError(error.msg) from error


def _libarchive_kind(entry: Any) -> str:
    # A hard link has the type of its target.
    if entry.issym or entry.islnk:
        return "link"
    return "file" if entry.isfile else "folder" if entry.isdir else "device"


def _libarchive_chunks(entry: Any) -> Iterator[bytes]:
    import libarchive

    try:
        yield from entry.get_blocks(CHUNK)
    except libarchive.ArchiveError as error:
        raise EOFError(error.msg) from error


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _link(source: Path, target: Path) -> None:
    if target.exists():
        raise Problem(f"{source}: a file of this name came out of another archive of the same source")
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
