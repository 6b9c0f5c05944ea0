"""Archives that are small and cost much: folders, entries, headers, dictionaries."""

import gzip
import struct

import pytest
from archive_maker import tar_header, zip_of_bytes, zip_tail
from unpacking import put, refused, unpacked

from apr.contents import zip_end, zip_entries


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
    monkeypatch.setattr("apr.contents.HARMLESS_BYTES", 1 << 20)
    monkeypatch.setattr("apr.contents.MAX_RATIO", 1)
    members = [(f"{number}/".encode() + b"d/" * 48, b"") for number in range(9)]
    refused(put(tmp_path, "a.zip", zip_of_bytes(members)), tmp_path, "folders", "a bomb")


def test_folders_that_come_twice_count_once(tmp_path, monkeypatch):
    monkeypatch.setattr("apr.contents.HARMLESS_BYTES", 60_000)
    monkeypatch.setattr("apr.contents.MAX_RATIO", 1)
    members = [(b"a/", b""), (b"a/b/", b""), *[(f"a/b/{number}".encode(), b"1") for number in range(20)]]
    assert unpacked(put(tmp_path, "a.zip", zip_of_bytes(members)), tmp_path)[1]["files"] == 20


def test_entries_of_a_zip_are_counted_before_they_become_objects(tmp_path, monkeypatch):
    monkeypatch.setattr("zipfile.ZipFile.__init__", None)
    path = put(tmp_path, "a.zip", zip_of_bytes([(b"a", b"")] * 3000))
    with monkeypatch.context() as bounds:
        bounds.setattr("apr.contents.HARMLESS_BYTES", 1 << 20)
        bounds.setattr("apr.contents.MAX_RATIO", 1)
        refused(path, tmp_path, "3,000 members", "a bomb")
    monkeypatch.setattr("apr.archive_members.ENTRIES", 2999)
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
    monkeypatch.setattr("apr.contents.HARMLESS_BYTES", 4 << 20)
    monkeypatch.setattr("apr.contents.MAX_RATIO", 1)
    refused(put(tmp_path, "a.tar.gz", with_attributes(b"a" * (1 << 20), 9)), tmp_path, "its headers", "a bomb")
    assert unpacked(put(tmp_path, "b.tar.gz", with_attributes(b"a" * (1 << 20), 2)), tmp_path)[1]["files"] == 2


def test_what_all_members_share_is_small(tmp_path):
    refused(put(tmp_path, "a.tar.gz", with_attributes(b"a" * (1 << 17), 2, b"g")), tmp_path, "damaged", "no sense")
