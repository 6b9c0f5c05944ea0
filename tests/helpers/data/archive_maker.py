"""Archives as people and attackers make them: names in other encodings, lying headers, links, bombs, split files."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest


def zip_of_bytes(members, *, flags=0, method=0, extra=b"", attributes=0, size=None, packed=None):
    """A zip of raw names (bytes) and contents, whose headers may claim anything; not compressed by itself.

    Args:
        members: pairs of raw name and contents; a name may come twice.
        flags: bit 0 encrypted, bit 11 UTF-8.
        method: of compression, as claimed.
        extra: field of the table of contents, or a function of the raw name.
        attributes: external ones; the mode is in the upper half.
        size: that every member claims to have unpacked.
        packed: makes the packed bytes of a member's contents.
    """
    body, directory = b"", b""
    for name, data in members:
        more = extra(name) if callable(extra) else extra
        stored, crc, claimed = (
            (packed or (lambda one: one))(data),
            zlib.crc32(data),
            len(data) if size is None else size,
        )
        common = struct.pack("<HHHHHIIIHH", 20, flags, method, 0, 0x21, crc, len(stored), claimed, len(name), 0)
        central = struct.pack(
            "<HHHHHIIIHH", 20, flags, method, 0, 0x21, crc, len(stored), claimed, len(name), len(more)
        )
        directory += b"PK\x01\x02" + struct.pack("<H", 3 << 8 | 20) + central
        directory += struct.pack("<HHHII", 0, 0, 0, attributes, len(body)) + name + more
        body += b"PK\x03\x04" + common + name + stored
    return body + directory + zip_tail(len(members), len(directory), len(body))


def zip_tail(count, directory, offset, disk=0):
    """The record at the end of a zip."""
    return b"PK\x05\x06" + struct.pack("<HHHHIIH", disk, disk, count, count, directory, offset, 0)


def unicode_path(text):
    """An Info-ZIP Unicode Path field that belongs to a raw name."""
    return lambda raw: struct.pack("<HHBI", 0x7075, 5 + len(text.encode()), 1, zlib.crc32(raw)) + text.encode()


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def tar_with(members=(), *, infos=(), kind=tarfile.GNU_FORMAT):
    """A tar of pairs of name and contents, and of further entries without contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind, errors="surrogateescape") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in infos:
            archive.addfile(info)
    return buffer.getvalue()


def tar_header(name, size, kind=b"0"):
    """One raw header of a tar, which may claim any size, a negative one as well."""
    field = f"{size:011o}\0".encode() if size >= 0 else b"\xff" + (size + (1 << 88)).to_bytes(11, "big")
    head = bytearray(512)
    head[:100] = name.encode().ljust(100, b"\0")
    head[100:108], head[108:116], head[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    head[124:136], head[136:148], head[148:156] = field, b"00000000000\0", b" " * 8
    head[156:157], head[257:265] = kind, b"ustar\00000"
    head[148:156] = f"{sum(head):06o}\0 ".encode()
    return bytes(head)


def long_header(kind, size):
    """A compressed tar whose header of a long name or of attributes claims `size` bytes, and has them: all zeros."""
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", 1) as stream:
        stream.write(tar_header("././@LongLink", size, kind))
        for _ in range(size >> 20):
            stream.write(bytes(1 << 20))
        stream.write(tar_header("a.png", 1) + b"1".ljust(512, b"\0") + bytes(1024))
    return buffer.getvalue()


def many_members(count):
    """A compressed tar of so many empty files."""
    buffer = io.BytesIO()
    with gzip.open(buffer, "wb", 1) as stream:
        for number in range(count):
            stream.write(tar_header(f"{number}.png", 0))
        stream.write(bytes(1024))
    return buffer.getvalue()


def nested_zip(depth, data):
    """A zip in a zip in a zip …"""
    for level in range(depth):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"inner{level}.zip" if level else "a.png", data)
        data = buffer.getvalue()
    return data


def split_file(path: Path, parts: int):
    """Cut a file into path.001, path.002, …; the whole one goes."""
    data = path.read_bytes()
    step = -(-len(data) // parts)
    paths = [path.with_name(f"{path.name}.{number:03d}") for number in range(1, parts + 1)]
    for number, part in enumerate(paths):
        part.write_bytes(data[number * step : (number + 1) * step])
    path.unlink()
    return paths


def stored_rar(members: dict[str, bytes]) -> bytes:
    """A RAR 4 archive, not compressed: there is no free software that compresses to RAR."""

    def block(kind: int, flags: int, body: bytes) -> bytes:
        rest = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(rest) & 0xFFFF) + rest

    unix, dos_time, version, stored = 3, 0x5A21_0000, 20, 0x30
    archive = b"Rar!\x1a\x07\x00" + block(0x73, 0, bytes(6))
    for name, data in members.items():
        size, crc, raw = len(data), zlib.crc32(data), name.encode()
        fields = struct.pack("<IIBIIBBHI", size, size, unix, crc, dos_time, version, stored, len(raw), 0o100644)
        archive += block(0x74, 0x8000, fields + raw) + data
    return archive + block(0x7B, 0x4000, b"")


def needs_libarchive():
    try:
        import libarchive  # noqa: F401
    except (ImportError, OSError, AttributeError, TypeError):
        pytest.skip("the system library libarchive is missing")
