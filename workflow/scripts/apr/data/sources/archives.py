"""Unpack what a stranger packed: nothing outside the folder, no links, no bombs, all or nothing."""

import errno
import logging
import os
import shutil
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apr.basics.causes import printable
from apr.basics.files import atomic_folder
from apr.basics.problems import Problem
from apr.data.sources import file_kinds
from apr.data.sources.archive_members import TAR_SUFFIXES, Damaged, Member, members_of
from apr.data.sources.member_names import BY_HAND, OddName, safe_parts

INNER_SUFFIXES = (file_kinds.ARCHIVE_SUFFIXES.keys() | file_kinds.OTHER_SUFFIXES.keys()) - {".npz", ".exe"}
CONTAINERS = (".zip", ".tar", ".rar", ".7z", *TAR_SUFFIXES, *file_kinds.OTHER_SUFFIXES)  # more than one file
MEMBER_BYTES = 1024  # that each member counts in addition, since a file takes room even if it holds nothing
FOLDER_BYTES = 4096  # that each folder counts: a block, on the usual file systems
SHOWN = 3
MACOS_ICON = "Icon\r"  # what macOS keeps the picture of a folder under
SUSPECT = "Check where the archive came from"

log = logging.getLogger("apr")


@dataclass
class Tally:
    """What was unpacked of a source so far, and how much it may become: one count for all of its archives."""

    allowed: int
    free: int
    files: int = 0
    bytes: int = 0
    members: int = 0
    folders: int = 0
    made: set[tuple[str, ...]] = field(default_factory=set)  # folders, below the one that is being filled
    alike: dict[str, Path] = field(default_factory=dict)  # folders by what a careless file system makes of their name

    def too_much(self, more: int = 0, members: int = 0) -> str | None:
        """What is wrong with what there is and so many bytes and members more, if it is too much."""
        made, members = self.bytes + more, self.members + members
        size = made + MEMBER_BYTES * members + FOLDER_BYTES * self.folders
        if size > self.free:
            return f"does not fit: {self.free:,} bytes are free; free some space, or point --directory elsewhere"
        if size > self.allowed:
            return (
                f"makes {made:,} bytes in {members:,} members and {self.folders:,} folders, of a source that may "
                f"become at most {self.allowed:,} bytes ({file_kinds.MAX_RATIO} times its size): a bomb"
            )
        return None


def unpack_all(
    paths: Sequence[Path], folder: Path, *, nested: bool = False, encoding: str | None = None
) -> dict[str, Any]:
    """Unpack archives and link other files into `folder`, which appears only when it is whole.

    Args:
        paths: the source's files, in order; none may overwrite what another brought.
        folder: is replaced if it exists.
        nested: unpack the archives found inside as well, one level, each into a folder of its own name.
        encoding: of the names that are not UTF-8 and do not say what they are.

    Returns:
        files and bytes in all; for each source its name, kind, files, bytes; and `inner`, the archives that lie inside
        and were not unpacked, if there are any.

    Raises:
        Problem: an archive is damaged or of a kind that is not read, gives no file, or holds a member that reaches
            outside, links, overwrites or explodes.
    """
    folder, paths = Path(folder), [Path(path) for path in paths]
    with atomic_folder(folder) as part:
        size = sum(path.stat().st_size for path in paths)
        tally = Tally(file_kinds.allowed_bytes(size), shutil.disk_usage(part).free)
        sources = [_unpack(path, part, tally, encoding, str(path)) for path in paths]
        inner = _inner_archives(part)
        if nested:
            sources += [_unpack_inner(path, part, folder, tally, encoding) for path in inner if _is_archive(path)]
    report = {key: sum(row[key] for row in sources) for key in ("files", "bytes")} | {"sources": sources}
    containers = [path.relative_to(part).as_posix() for path in inner if path.name.lower().endswith(CONTAINERS)]
    return report | ({"inner": containers} if containers and not nested else {})


@contextmanager
def hinting(report: Mapping[str, Any]) -> Iterator[None]:
    """Around what reads what was unpacked: where it finds nothing right, archives that were left inside may be why.

    Raises:
        Problem: the same as inside, with the option that unpacks them.
    """
    try:
        yield
    except Problem as problem:
        inner = report.get("inner", [])
        if not inner:
            raise
        more = f" and {len(inner) - SHOWN} more" if len(inner) > SHOWN else ""
        raise Problem(
            f"{problem}; archives inside were not unpacked ({', '.join(map(printable, inner[:SHOWN]))}{more}): to have "
            "them unpacked, set options: nested: true"
        ) from problem


def _unpack(path: Path, folder: Path, tally: Tally, encoding: str | None, shown: str) -> dict[str, Any]:
    """Unpack one archive (zip, tar, gzip, bzip2, xz, rar, 7z) into `folder`; link any other file into it."""
    kind = file_kinds.kind_of_file(path)
    if file_kinds.is_one_of_several(path):
        raise Problem(
            f"{shown}: is one part of an archive that was split, which is not read here; join its parts, {BY_HAND}"
        )
    if beyond := file_kinds.unreadable_kind(path):
        raise Problem(f"{shown}: is an archive of the kind {beyond}, which is not read here; {BY_HAND}")
    row = {"name": path.name, "kind": kind}
    # An npz file is a zip by its bytes and a table of arrays by its meaning.
    if path.suffix.lower() == ".npz" or kind not in file_kinds.ARCHIVE_SUFFIXES.values():
        if kind != "other" and path.suffix.lower() != ".npz":
            raise Problem(f"{shown}: is {kind}, not data; delete it and fetch it again")
        _link(path, folder / path.name)
        return row | {"files": 1, "bytes": path.stat().st_size}
    files, size, tally.made = tally.files, tally.bytes, set()
    try:
        for member in members_of(path, kind, encoding, shown, tally.too_much):
            _write(member, shown, folder, tally)
    except Damaged as error:
        raise Problem(f"{shown}: is a damaged {kind} archive ({error}); delete it and fetch it again") from error
    if tally.files == files:
        raise Problem(f"{shown}: holds no file; check where it came from, or leave it out")
    return row | {"files": tally.files - files, "bytes": tally.bytes - size}


def _inner_archives(folder: Path) -> list[Path]:
    """Archives by their suffix below a folder, without what is hidden and what macOS adds."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__MACOSX" and not name.startswith(".")]
        found += [
            Path(place, name)
            for name in names
            if os.path.splitext(name)[1].lower() in INNER_SUFFIXES and not name.startswith(".")
        ]
    return sorted(found)


def _is_archive(path: Path) -> bool:
    known = file_kinds.kind_of_file(path) != "other" or file_kinds.unreadable_kind(path)
    is_one = known or file_kinds.is_one_of_several(path)
    if not is_one:
        log.warning("%s: is not the archive that its name promises; it stays as it is", printable(path.name))
    return bool(is_one)


def _unpack_inner(path: Path, part: Path, folder: Path, tally: Tally, encoding: str | None) -> dict[str, Any]:
    name = path.relative_to(part).as_posix()
    shown = f"{folder}: {name} (an archive inside)"
    inside = path.with_name(path.name.removesuffix(path.suffix).removesuffix(".tar"))
    if inside.exists():
        raise Problem(f"{shown}: there is already something under its name; {BY_HAND}")
    inside.mkdir()
    row = _unpack(path, inside, tally, encoding, shown)
    path.unlink()
    return row | {"name": name}


def _write(member: Member, shown: str, folder: Path, tally: Tally) -> None:
    if member.name.endswith(MACOS_ICON):
        return
    try:
        parts = safe_parts(member.name)
    except ValueError as error:
        raise _refusal(shown, member, str(error), BY_HAND if isinstance(error, OddName) else SUSPECT) from error
    if member.kind == "device":
        raise _refusal(shown, member, "is a device", SUSPECT)
    if member.kind not in ("file", "folder"):
        raise _refusal(shown, member, f"is a {member.kind} to {printable(member.target, 80)!r}", BY_HAND)
    if not parts:
        if member.kind == "file":
            raise _refusal(shown, member, "has no name", BY_HAND)
        return
    tally.members += 1
    target = folder.joinpath(*parts)
    try:
        for depth in range(1, len(parts) + (member.kind == "folder")):
            if parts[:depth] not in tally.made:
                tally.folders += 1
                _refuse_too_much(tally, shown, member)
                _make_folder(parts[:depth], folder, tally)
        _refuse_too_much(tally, shown, member)
        if member.kind == "folder":
            return
        with open(target, "xb") as file:
            for chunk in member.chunks:
                tally.bytes += len(chunk)
                _refuse_too_much(tally, shown, member)
                file.write(chunk)
        tally.files += 1
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise _refusal(shown, member, "would overwrite another file", BY_HAND) from error
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
            raise
        reason = "has a name that this file system does not take: too long, or with a character that it refuses"
        raise _refusal(shown, member, reason, BY_HAND) from error


def _make_folder(parts: tuple[str, ...], root: Path, tally: Tally) -> None:
    """Make a folder, and refuse one that a file system takes for another, by its case or its form of Unicode."""
    folder = root.joinpath(*parts)
    folder.mkdir(exist_ok=True)
    other = tally.alike.setdefault(unicodedata.normalize("NFC", str(folder)).casefold(), folder)
    if other != folder and other.samefile(folder):
        raise FileExistsError(f"{folder} is {other} here")
    tally.made.add(parts)


def _refuse_too_much(tally: Tally, shown: str, member: Member) -> None:
    if why := tally.too_much():
        raise _refusal(shown, member, why, SUSPECT)


def _refusal(shown: str, member: Member, why: str, remedy: str) -> Problem:
    return Problem(
        f"{shown}: member {printable(member.name, 80)!r} {why}; nothing was unpacked. {remedy[0].upper()}{remedy[1:]}"
    )


def _link(source: Path, target: Path) -> None:
    if target.exists():
        raise Problem(f"{source}: a file of this name came out of another archive of the same source")
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
