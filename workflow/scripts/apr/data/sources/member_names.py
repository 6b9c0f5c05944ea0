"""Names in archives: which text their bytes are, and whether a file may have them."""

import struct
import unicodedata
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from zipfile import ZipInfo

from apr.basics.causes import printable
from apr.basics.problems import Problem

# What tools in East Asia, Western Europe and Russia write; those whose texts are the most telling come first.
CANDIDATES = ("utf-8", "shift_jis", "gbk", "big5", "euc_kr", "cp932", "gb18030", "cp437", "cp1252", "cp866", "cp1251")
SHOWN_CANDIDATES = 6
UTF8_FLAG = 1 << 11
UNICODE_PATH = 0x7075
LONGEST = 255  # bytes that the usual file systems take for the name of a file
DEEPEST = 50
# Control characters, ends of lines and paragraphs, halves of characters: none can stand in a list of names.
REFUSED_CATEGORIES = {"Cc", "Zl", "Zp", "Cs"}
OPTION = "options: names_encoding"
BY_HAND = "unpack it by hand and give the result as `folder`, in place of its address"


class OddName(ValueError):
    """A name that reaches nowhere, but that no file should have."""


def safe_parts(name: str) -> tuple[str, ...]:
    """Split the name of an archive's member into folders and file.

    Raises:
        ValueError: the name is absolute, climbs with ".." or holds a NUL.
        OddName: no file should have it.
    """
    # Archives made on Windows may separate folders with backslashes.
    plain = name.replace("\\", "/")
    parts = tuple(part for part in PurePosixPath(plain).parts if part != ".")
    if "\0" in name:
        raise ValueError("holds a NUL character")
    if plain.startswith("/") or (parts and parts[0][1:2] == ":" and parts[0][0].isalpha()):
        raise ValueError("is an absolute name")
    if ".." in parts:
        raise ValueError("climbs out of the folder")
    if not name.isprintable() and any(unicodedata.category(char) in REFUSED_CATEGORIES for char in name):
        raise OddName("holds a control character")
    longest = max(len(part.encode()) for part in parts) if len(name) > LONGEST // 4 else 0
    if longest > LONGEST:
        raise OddName(f"is a name of {longest} bytes, where a file system takes {LONGEST}")
    if len(parts) > DEEPEST:
        raise OddName(f"lies {len(parts)} folders deep")
    return parts


def zip_names(members: Sequence[ZipInfo], encoding: str | None, archive: str) -> list[str]:
    """Names of a zip's members: UTF-8 where they say so or are it, else in the encoding that the user gives.

    The standard's default, cp437, is taken only if it is asked for: most archives with such names mean another.

    Raises:
        Problem: some names are no UTF-8, and no encoding is given, or it is not theirs.
    """
    names: list[str | None] = []
    raws = {}
    for at, member in enumerate(members):
        raw = None if member.flag_bits & UTF8_FLAG else member.orig_filename.encode("cp437")
        if raw is None or raw.isascii():
            names.append(member.orig_filename)
        else:
            names.append(_unicode_path(member.extra, raw))
            if names[at] is None:
                raws[at] = raw
    for at, text in zip(raws, decoded(list(raws.values()), encoding, archive), strict=True):
        names[at] = text
    return names


def decoded(raws: Sequence[bytes], encoding: str | None, archive: str) -> list[str]:
    """Names of one archive as text.

    Raises:
        Problem: they are no text in `encoding`, or, where that is None, in UTF-8; candidates are named.
    """
    try:
        return [raw.decode(encoding or "utf-8") for raw in raws]
    except LookupError:
        raise Problem(f"{OPTION}: {encoding!r}: unknown; such as {', '.join(CANDIDATES[1:])}") from None
    except UnicodeError:
        named = f"the {encoding} that {OPTION} says" if encoding else "UTF-8"
        bad = next(raw for raw in raws if _as_text([], raw, encoding or "utf-8") is None)
        fits = [(one, text) for one in CANDIDATES if one != encoding and (text := _as_text(raws, bad, one))]
        shown = ", ".join(f"{one} ({printable(text, 60)})" for one, text in fits[:SHOWN_CANDIDATES])
        remedy = f"set {OPTION} to the one that is right: {shown}" if fits else BY_HAND
        raise Problem(f"{archive}: the name {bad[:60]!r} of a member is not {named}; {remedy}") from None


def _as_text(raws: Sequence[bytes], example: bytes, encoding: str) -> str | None:
    """The example in this encoding, if all names are printable text in it."""
    try:
        return example.decode(encoding) if all(raw.decode(encoding).isprintable() for raw in raws) else None
    except UnicodeError:
        return None


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in Info-ZIP's Unicode Path field, if it belongs to the raw name; see APPNOTE.TXT, 4.6.9."""
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == UNICODE_PATH and field[:5] == b"\x01" + struct.pack("<I", zlib.crc32(raw)):
            try:
                return field[5:].decode()
            except UnicodeDecodeError:
                return None
    return None


def escaped_name(name: str, encoding: str | None, archive: str) -> str:
    """A name that `surrogateescape` made of bytes, as text; see `decoded`."""
    if name.isascii():
        return name
    raw = name.encode("utf-8", "surrogateescape")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return decoded([raw], encoding, archive)[0]
