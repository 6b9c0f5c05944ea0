"""Archives that are small and cost much: folders, entries, headers, dictionaries."""

import gzip
import io
import lzma
import random
import struct
import zipfile
import zlib

import pytest
from archive_maker import tar_header, zip_of_bytes, zip_tail
from unpacking import put, refused, unpacked

from apr.basics.problems import Problem
from apr.data.sources.file_kinds import what_is_wrong, zip_end, zip_entries
from apr.data.sources.npz import load_npz
from apr.data.sources.xz import open_xz


def attributes(text):
    """A pax header that holds a comment."""
    rest = b" comment=" + text + b"\n"
    size = next(size for size in range(len(rest), len(rest) + 20) if len(str(size)) + len(rest) == size)
    return str(size).encode() + rest


def with_attributes(text, count, kind=b"x"):
    body = attributes(text)
    header = tar_header("x", len(body), kind) + body + bytes(-len(body) % 512)
    members = (header + tar_header(f"{number}.png", 0) for number in range(count))
    return gzip.compress(b"".join(members) + bytes(1024), 1)


def test_folders_between_count_too(tmp_path, monkeypatch):
    monkeypatch.setattr("apr.data.sources.file_kinds.HARMLESS_BYTES", 1 << 20)
    monkeypatch.setattr("apr.data.sources.file_kinds.MAX_RATIO", 1)
    members = [(f"{number}/".encode() + b"d/" * 48, b"") for number in range(9)]
    refused(put(tmp_path, "a.zip", zip_of_bytes(members)), tmp_path, "folders", "a bomb")


def test_folders_that_come_twice_count_once(tmp_path, monkeypatch):
    monkeypatch.setattr("apr.data.sources.file_kinds.HARMLESS_BYTES", 60_000)
    monkeypatch.setattr("apr.data.sources.file_kinds.MAX_RATIO", 1)
    members = [(b"a/", b""), (b"a/b/", b""), *[(f"a/b/{number}".encode(), b"1") for number in range(20)]]
    assert unpacked(put(tmp_path, "a.zip", zip_of_bytes(members)), tmp_path)[1]["files"] == 20


def test_entries_of_a_zip_are_counted_before_they_become_objects(tmp_path, monkeypatch):
    monkeypatch.setattr("zipfile.ZipFile.__init__", None)
    path = put(tmp_path, "a.zip", zip_of_bytes([(b"a", b"")] * 3000))
    with monkeypatch.context() as bounds:
        bounds.setattr("apr.data.sources.file_kinds.HARMLESS_BYTES", 1 << 20)
        bounds.setattr("apr.data.sources.file_kinds.MAX_RATIO", 1)
        refused(path, tmp_path, "3,000 members", "a bomb")
    monkeypatch.setattr("apr.data.sources.archive_members.ENTRIES", 2999)
    refused(path, tmp_path, "too many members (3,000)")


@pytest.mark.parametrize("comment", [b"", b"a comment"])
def test_the_end_of_a_zip_is_the_one_that_zipfile_takes(tmp_path, comment):
    data = zip_of_bytes([(b"a", b"1"), (b"b", b"2")])
    end = bytearray(data[-22:])
    end[20:22] = struct.pack("<H", len(comment))
    if not comment:
        end[4:8] = b"PK\x05\x06"
    found = zip_end(path := put(tmp_path, "a.zip", data[:-22] + bytes(end) + comment))
    assert found.directory_bytes == 2 * 47
    assert zip_entries(path, found) == 2


def test_a_split_record_hides_no_table_of_contents(tmp_path):
    end = bytearray(zip_tail(0xFFFF, 0xFFFFFFF0, 0))
    end[4:8] = b"PK\x05\x06"
    refused(put(tmp_path, "a.zip", b"PK\x03\x04" + bytes(100) + end), tmp_path, "a.zip")


@pytest.mark.parametrize("kind", [b"x", b"g"])
def test_numbers_without_end_in_a_header_are_damage(tmp_path, kind):
    path = put(tmp_path, "a.tar.gz", with_attributes(b"1" * (1 << 20), 1, kind))
    refused(path, tmp_path, "damaged", "digits")


def test_headers_count_over_the_whole_archive(tmp_path, monkeypatch):
    monkeypatch.setattr("apr.data.sources.file_kinds.HARMLESS_BYTES", 4 << 20)
    monkeypatch.setattr("apr.data.sources.file_kinds.MAX_RATIO", 1)
    refused(put(tmp_path, "a.tar.gz", with_attributes(b"a" * (1 << 20), 9)), tmp_path, "its headers", "a bomb")
    assert unpacked(put(tmp_path, "b.tar.gz", with_attributes(b"a" * (1 << 20), 2)), tmp_path)[1]["files"] == 2


def test_what_all_members_share_is_small(tmp_path):
    refused(put(tmp_path, "a.tar.gz", with_attributes(b"a" * (1 << 17), 2, b"g")), tmp_path, "damaged", "no sense")


def asking_for_much(data):
    """An xz stream whose header asks for a dictionary of 3 GiB."""
    packed = bytearray(lzma.compress(data))
    header = 12
    size = (packed[header] + 1) * 4
    at = packed.index(b"\x21\x01", header) + 2  # LZMA2, with one byte of properties
    packed[at] = 39
    packed[header + size - 4 : header + size] = struct.pack("<I", zlib.crc32(packed[header : header + size - 4]))
    return bytes(packed)


@pytest.mark.parametrize("before", [b"", lzma.compress(b"1")], ids=["first stream", "second stream"])
def test_a_dictionary_of_gigabytes_is_named(tmp_path, before):
    path = put(tmp_path, "a.csv.xz", before + asking_for_much(b"1" * 1000))
    refused(path, tmp_path, "a.csv.xz", "bytes of memory", "unpack it by hand")
    assert "bytes of memory" in what_is_wrong(path)


def test_a_dictionary_of_gigabytes_in_a_zip_is_named(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.npy", b"1" * 1000)
    data = bytearray(buffer.getvalue())
    at = 30 + len("a.npy") + 5
    assert unpacked(put(tmp_path, "good.zip", data), tmp_path)[1]["files"] == 1
    data[at : at + 4] = b"\xff" * 4
    refused(put(tmp_path, "a.zip", data), tmp_path, "4,294,967,295 bytes of memory")
    with pytest.raises(Problem, match="bytes of memory"):
        load_npz(put(tmp_path, "a.npz", data))


def test_xz_files_are_read_as_the_library_does(tmp_path):
    data = random.Random(0).randbytes(100_000) + bytes(300_000)
    for packed in (
        lzma.compress(data),
        lzma.compress(data[:70_000]) + bytes(8) + lzma.compress(data[70_000:], check=lzma.CHECK_SHA256),
        lzma.compress(data) + b"stray bytes",
        lzma.compress(data) + bytes(200_000),
    ):
        with open_xz(put(tmp_path, "a.xz", packed)) as stream:
            assert stream.read() == data
            assert stream.seek(5) == 5
            assert stream.read(99_999) == data[5:100_004]
            assert stream.seek(-3, io.SEEK_END) == len(data) - 3
            assert stream.read() == data[-3:]
    for damaged, error in (
        (lzma.compress(data)[:-40], EOFError),
        (lzma.compress(data)[:50_000] + b"x" * 60_000, lzma.LZMAError),
    ):
        with open_xz(put(tmp_path, "a.xz", damaged)) as stream, pytest.raises(error):
            stream.read()
