"""What is told of files, names and archives, each at both sides of its limits, whole and as it was looked at."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile

import numpy as np
import pytest
from data_helpers import make_zip, tar_bytes, zip_bytes
from golden import checked_rows, told_by

from apr.basics.problems import Problem
from apr.data.sources import file_kinds, npz, tar_headers, xz
from apr.data.sources.archive_members import Damaged, holds_tar
from apr.data.sources.file_kinds import (
    allowed_bytes,
    is_one_of_several,
    kind_of,
    kind_of_file,
    unreadable_kind,
    what_is_wrong,
    zip_end,
    zip_entries,
)
from apr.data.sources.member_names import decoded, escaped_name, safe_parts, zip_names
from apr.data.sources.npz import array_names, load_npz, save_npz
from apr.data.sources.tar_headers import BoundedHeaders

said = told_by(Problem, Damaged, ValueError, tarfile.TarError, lzma.LZMAError, EOFError, struct.error)

TAR = tar_bytes({"a.txt": b"abc"})


def of_kinds(root):
    heads = [*file_kinds.MAGIC, *file_kinds.OTHER_MAGIC, *file_kinds.HTML_STARTS, file_kinds.LFS_START, b"", b"x"]
    heads += [b"\xef\xbb\xbf \n<HTML>", b"  <!DOCTYPE HTML", b"<htm", TAR[:512], TAR[:261], b"\x1f"]
    yield [(head[:20], kind_of(head)) for head in heads]
    yield [(size, allowed_bytes(size)) for size in (0, 1, 335_544, 335_545, 10**9)]
    files = {
        "empty.zip": b"",
        "page.zip": b"<html>",
        "page.html": b"<html>",
        "page.svg": b"<?xml",
        "pointer.png": file_kinds.LFS_START,
        "a.zip": zip_bytes({"a": b"1"}),
        "a.npz": zip_bytes({"a.npy": b"1"}),
        "a.txt": zip_bytes({"a": b"1"}),
        "cut.zip": zip_bytes({"a": b"1"})[:-1],
        "none.zip": b"x" * 600,
        "none.tar": b"x" * 600,
        "a.tar": TAR,
        "zeros.tar": bytes(1024),
        "a.tar.gz": gzip.compress(TAR, mtime=0),
        "gz.tar": gzip.compress(TAR, mtime=0),
        "a.tgz": TAR,
        "a.gz": gzip.compress(b"a" * 999, mtime=0),
        "cut.gz": gzip.compress(b"a" * 999, mtime=0)[:-9],
        "odd.gz": gzip.compress(b"a" * 999, mtime=0)[:-8] + b"12345678",
        "a.bz2": bz2.compress(b"a" * 999),
        "cut.bz2": bz2.compress(b"a" * 999)[:-5],
        "a.xz": lzma.compress(b"a" * 999),
        "odd.xz": lzma.compress(b"a" * 999)[:30] + b"x" * 40,
        "a.zst": b"\x28\xb5\x2f\xfdxxxx",
        "b.ZST": b"xxxx",
        "a.exe": b"MZxx",
        "a.zip.001": b"PKxx",
        "a.z01": b"xxxx",
        "a.r00": b"xxxx",
        "a.tar.aa": b"xxxx",
        "a.gz.1": b"xxxx",
        "a.png.001": b"xxxx",
        "a.7z": b"7z\xbc\xaf\x27\x1cxxxx",
    }
    for name, data in files.items():
        path = root / name
        path.write_bytes(data)
        about = kind_of_file(path), unreadable_kind(path), is_one_of_several(path), what_is_wrong(path)
        yield name, about, said(holds_tar, path, about[0]) if about[0] in file_kinds.OPENERS else None
    yield "as", what_is_wrong(root / "none.zip", "a.png"), what_is_wrong(root / "page.zip", "a.HTM")
    yield is_one_of_several(root / "a.zip", "a.zip.002"), what_is_wrong(root / "none.zip", "b.part.z02")


def rar(version, flags, extra=False):
    """The first bytes of a RAR with these flags of its archive's header."""
    if version == 4:
        return b"Rar!\x1a\x07\x00" + b"\0\0" + b"\x73" + struct.pack("<H", flags) + bytes(30)
    fields = [0x80, 0x01, 1, 1 if extra else 0, *([0] if extra else []), flags]  # a size of two bytes first
    return b"Rar!\x1a\x07\x01\x00" + bytes(4) + bytes(fields) + bytes(30)


def of_parts(root):
    path = root / "a.rar"
    for version, flags, extra in (
        (4, 0, 0),
        (4, 1, 0),
        (4, 2, 0),
        (5, 0, 0),
        (5, 1, 0),
        (5, 2, 0),
        (5, 1, 1),
        (5, 0, 1),
    ):
        path.write_bytes(rar(version, flags, extra))
        yield version, flags, extra, is_one_of_several(path)
    path.write_bytes(rar(5, 1)[:14])
    yield "cut", is_one_of_several(path)
    kind = bytearray(rar(5, 1))
    kind[14] = 2
    path.write_bytes(kind)
    yield "another header", is_one_of_several(path)
    whole = bytearray(zip_bytes({"a": b"1", "b": b"2"}))
    for title, change in {
        "whole": {},
        "two parts": {-18: 1},
        "many parts": {-18: 0xFF, -17: 0xFF},
        "no end": {-22: 0},
        "a comment": {-2: 4},
    }.items():
        data = bytearray(whole)
        for at, value in change.items():
            data[at] = value
        path = root / f"{title}.zip"
        path.write_bytes(bytes(data) + (b"note" if title == "a comment" else b""))
        end = zip_end(path)
        yield title, end, end and zip_entries(path, end), is_one_of_several(path)
    record = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 2, 2, 94, 60)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, 154, 3)
    (root / "64.zip").write_bytes(bytes(whole[:-22]) + record + locator + bytes(whole[-22:]))
    end = zip_end(root / "64.zip")
    yield "64 bits", end, len(whole), zip_entries(root / "64.zip", end)
    (root / "short.zip").write_bytes(b"PK\x05\x06" + bytes(17))
    yield "short", zip_end(root / "short.zip")
    (root / "alone.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    yield "alone", zip_end(root / "alone.zip")


def of_names(root):
    for name in (
        *("a/b.png", "a\\b.png", "./a//b", "", ".", "/a", "\\a", "c:/a", "c:a", "1:/a", "a/../b", "..", "a..b", "a\0b"),
        *("a\nb", "a\u2028b", "a\ud800b", "a\u200db", "é" * 127, "é" * 128, "x" * 255, "x" * 256),
        *("a/" * 49 + "b", "a/" * 50 + "b", "a/" + "y" * 70, "x" * 63 + "é", "a\\..\\b"),
    ):
        parts = said(safe_parts, name)
        yield name[:12], len(name), parts if isinstance(parts, str) or len(parts) < 5 else len(parts)
    raw = {"utf": "é", "sjis": "猫", "gbk": "狗", "dos": "ü"}
    raws = {"utf": raw["utf"].encode(), "sjis": "猫".encode("shift_jis"), "gbk": "狗".encode("gbk")}
    raws |= {"dos": "ü".encode("cp437"), "none": b"\xff\x80\x01"}
    for key, text in raws.items():
        for encoding in (None, "utf-8", "shift_jis", "cp437", "utf-9"):
            yield key, encoding, said(decoded, [b"plain", text], encoding, "a.zip")
    yield said(decoded, [raws["sjis"], raws["none"]], None, "a.zip")
    yield said(decoded, [b"\x81" * 90], "ascii", "a.zip")
    for name in ("plain", "é", "\udce9"):
        yield repr(name), said(escaped_name, name, None, "a.tar"), said(escaped_name, name, "cp1252", "a.tar")
    infos = []
    for name, flags in (("plain", 0), ("é", 1 << 11), ("\u03b1", 0), ("ß", 0)):
        info = zipfile.ZipInfo("x")
        info.orig_filename, info.flag_bits = name, flags
        infos.append(info)
    yield said(zip_names, infos, "cp437", "a.zip"), said(zip_names, infos[:2], None, "a.zip")
    yield said(zip_names, infos, None, "a.zip")


def of_headers(root):
    """Bytes that a header may take, at the bound, and what counts in the total."""
    one = tarfile.BLOCKSIZE

    def stream(data):
        return BoundedHeaders(io.BytesIO(data))

    bound = tar_headers.HEADER_BYTES
    yield [len(said(stream(bytes(bound + 9)).read, size)) for size in (bound, bound + 1)]
    yield said(stream(b"x").read), said(stream(b"x").read, -1)
    headers = stream(bytes(8 * bound))
    headers.read(bound - 1)
    yield headers.left, said(headers.read, 2), headers.left
    headers.seek(5)
    yield headers.left, headers.tell(), headers.seek(3, 1), headers.tell()
    headers.read(9)
    headers.renew()
    yield headers.left, headers.within, headers.total == bound - 1
    headers.renew(within=False)
    headers.read(2 * one)
    yield headers.within, headers.total == bound - 1
    headers.renew()
    headers.read(one), headers.read(one + 1)
    yield headers.total - bound
    for digits in (256, 257):
        data = b"x" * one + b"1" * digits
        yield digits, len(said(stream(data).read, len(data))), len(said(stream(data[one:]).read, one))


def of_xz(root):
    path = root / "a.xz"
    plain = bytes(range(256)) * 700
    first, second = lzma.compress(plain), lzma.compress(b"second")
    for title, data in {
        "one": first,
        "two": first + second,
        "two apart": first + bytes(8) + second,
        "rest": first + b"rest",
        "zeros": first + bytes(70_000),
        "zeros and another": second + bytes(66_000) + second,
        "cut": first[:-20],
        "damaged": first[:60] + b"x" * 9 + first[69:],
        "empty": b"",
    }.items():
        path.write_bytes(data)
        with xz.open_xz(path) as file:
            found = said(file.read)
            yield title, found if isinstance(found, str) else (len(found), found[-4:], found[:3])
    path.write_bytes(first + second)
    with xz.open_xz(path) as file:
        yield file.seekable(), file.readable(), file.seek(300), file.read(2), file.tell(), file.seek(-5, 1)
        yield file.read(3), file.seek(0, 2), file.read(1), file.seek(179_200), file.read(9), file.seek(1), file.read(1)
        yield file.seek(-3, 2), file.read()
    for size in (xz.MEMORY, xz.MEMORY + 1):
        (root / "a.zip").write_bytes(
            bytes(26) + struct.pack("<HH", 3, 2) + bytes(5) + struct.pack("<HHBI", 9, 5, 93, size)
        )
        info = zipfile.ZipInfo("x")
        info.header_offset = 0
        yield size, said(xz.require_little_memory, root / "a.zip", info)
    (root / "a.zip").write_bytes(bytes(36))
    yield "cut", said(xz.require_little_memory, root / "a.zip", info)


def of_arrays(root):
    path = root / "a.npz"
    arrays = {"x": np.arange(6, dtype=np.uint8).reshape(2, 3), "y": np.array(["a", "bc"])}
    save_npz(path, arrays)
    with zipfile.ZipFile(path) as archive:
        yield [(info.filename, info.compress_type, info.date_time, info.file_size) for info in archive.infolist()]
    yield array_names(path), {name: value.tolist() for name, value in load_npz(path).items()}
    yield {name: value.tolist() for name, value in load_npz(path, ["y", "z"]).items()}
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"shape": (9,), "fortran_order": False, "descr": "<i8"})
    second = io.BytesIO()
    np.lib.format.write_array_header_2_0(second, {"shape": (2,), "fortran_order": False, "descr": "|u1"})
    cases = {
        "short": head.getvalue() + bytes(71),
        "long": head.getvalue() + bytes(73),
        "second": second.getvalue() + b"ab",
    }
    cases |= {"no array": b"xxxxxxxxxxxx", "right": head.getvalue() + bytes(72)}
    for title, data in cases.items():
        make_zip(path, {"x.npy": data})
        found = said(load_npz, path)
        yield title, found if isinstance(found, str) else found["x"].tolist()
    for count in (npz.MOST_ARRAYS, npz.MOST_ARRAYS + 1):
        path.write_bytes(zip_bytes({f"{number}": b"" for number in range(count)}))
        found = said(array_names, path)
        yield count, found if isinstance(found, str) else len(found)
    path.write_bytes(b"xx")
    yield said(array_names, path)


KINDS = {"kinds": of_kinds, "parts": of_parts, "names": of_names, "headers": of_headers, "xz": of_xz}
KINDS |= {"arrays": of_arrays}


@pytest.mark.parametrize("kind", KINDS)
def test_sources_are_told_as_they_were(kind, tmp_path):
    checked_rows(f"reading/sources/{kind}", KINDS[kind](tmp_path), tmp_path)
