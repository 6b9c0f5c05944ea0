"""The archives of ../shared/cases, and kinds that are not read: each says so and names the way out."""

import gzip
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
from archive_maker import (
    split_file,
    tar_with,
    zip_of_bytes,
    zip_tail,
)
from data_helpers import make_zip
from unpacking import BY_HAND, case, put, refused, unpacked

from apr.basics.problems import Problem
from apr.data.sources.archives import hinting
from apr.data.sources.download import check_file
from apr.data.sources.file_kinds import what_is_wrong, zip_end, zip_entries

# --- the cases of ../shared/cases/25-archives and 16-zip-names-not-utf8 ---


def test_folders_named_with_backslashes_unpack(tmp_path):
    found, _ = unpacked(case("25-archives/z01.zip"), tmp_path)
    assert sorted(found) == sorted(f"set/{label}/{label}{n}.png" for label in ("cat", "dog") for n in range(4))


def test_deflate64_names_the_method_and_the_way_out(tmp_path):
    refused(case("25-archives/z02.zip"), tmp_path, "'cat/cat0.png'", "Deflate64 (method 9)", "not read here", BY_HAND)


def test_a_part_of_several_says_so_and_is_not_set_aside(tmp_path):
    for name in ("z03.zip.001", "z03.zip.002"):
        path = Path(shutil.copy(case(f"25-archives/{name}"), tmp_path))
        check_file(path, {"name": name})
        refused(path, tmp_path, name, "is one part of an archive that was split", BY_HAND)


def test_a_name_that_is_too_long_is_named(tmp_path):
    text = refused(
        case("25-archives/z06.zip"), tmp_path, "'cat/üü", "bytes, where a file system takes 255", BY_HAND[1:]
    )
    assert len(text) < 400


def test_a_link_says_where_it_leads_and_names_the_way_out(tmp_path):
    refused(case("25-archives/z07.tar.gz"), tmp_path, "'cat/link.png' is a link to 'cat0.png'", BY_HAND[1:])


@pytest.mark.parametrize("name", ["25-archives/z11.zip", "04-one-class/z11.zip"])
def test_an_archive_inside_names_the_option(tmp_path, name):
    found, report = unpacked(case(name), tmp_path)
    assert "pictures.zip" in found
    assert report["inner"] == ["pictures.zip"]
    with pytest.raises(Problem, match=r"no class.*\(pictures\.zip\).*set options: nested: true"), hinting(report):
        raise Problem("no class folders")
    found, report = unpacked(case(name), tmp_path, nested=True)
    assert "pictures.zip" not in found
    with pytest.raises(Problem, match=r"^no class folders$"), hinting(report):
        raise Problem("no class folders")


def test_zstd_says_that_it_is_not_read(tmp_path):
    refused(case("25-archives/z12.tar.zst"), tmp_path, "of the kind zstd, which is not read here", BY_HAND)


def test_names_in_shift_jis_are_named_with_candidates_or_read(tmp_path):
    path = case("16-zip-names-not-utf8/z05.zip")
    refused(path, tmp_path, "is not UTF-8", "options: names_encoding", "shift_jis (犬/a0.png)", "cp437 (")
    found, _ = unpacked(path, tmp_path, encoding="shift_jis")
    assert sorted({name.split("/")[0] for name in found}) == sorted(["犬", "猫"])


# --- kinds that are not read ---


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"method": 1}, "shrink (method 1)"),
        ({"method": 6}, "implode (method 6)"),
        ({"method": 93}, "zstd (method 93)"),
        ({"method": 77}, "an unknown method (method 77)"),
        ({"flags": 1}, "is encrypted"),
        ({"flags": 1 << 6 | 1}, "is encrypted"),
        ({"method": 99, "flags": 1}, "is encrypted"),
    ],
)
def test_zips_that_are_not_read(tmp_path, more, words):
    path = put(tmp_path, "a.zip", zip_of_bytes([(b"cat/1.png", b"1")], **more))
    assert what_is_wrong(path) is None
    assert "damaged" not in refused(path, tmp_path, "'cat/1.png'", words, BY_HAND)


@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("a.tar.zst", b"\x28\xb5\x2f\xfd"),
        ("data", b"\x28\xb5\x2f\xfd"),
        ("a.tar.lz4", b"\x04\x22\x4d\x18"),
        ("a.lz", b"LZIP"),
        ("a.tar.Z", b"\x1f\x9d"),
        ("a.cab", b"MSCF\0\0\0\0"),
        ("a.iso", b""),
        ("a.dmg", b""),
        ("a.exe", b"MZ"),
        ("a.tar.lzma", b"]\0\0"),
        ("a.br", b""),
    ],
)
def test_kinds_that_are_not_read(tmp_path, name, head):
    path = put(tmp_path, name, head + b"\x01" * 600)
    assert what_is_wrong(path) is None
    refused(path, tmp_path, name, "an archive of the kind", "which is not read here", BY_HAND)
    outer = make_zip(tmp_path / "outer.zip", {f"sub/{name}": path.read_bytes(), "1.png": b"1"})
    if Path(name).suffix not in ("", ".exe"):
        refused(outer, tmp_path, f"sub/{name} (an archive inside)", "which is not read here", nested=True)


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.7z", "a.tar"])
def test_parts_of_split_archives(tmp_path, name):
    whole = make_zip(tmp_path / name, {"x": os.urandom(3000)})
    for path in split_file(whole, 3):
        assert what_is_wrong(path) is None
        refused(path, tmp_path, path.name, "one part of an archive that was split", BY_HAND)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.z01", b"PK\x07\x08PK\x03\x04" + bytes(90)),
        ("a.zip", os.urandom(90) + zip_tail(1, 50, 10, disk=1)),
        ("a.part1.rar", b"Rar!\x1a\x07\x00\x00\x00\x73\x01\x00\x0d\x00" + bytes(90)),
        ("a.r00", b"Rar!\x1a\x07\x00" + bytes(90)),
        ("b.rar", b"Rar!\x1a\x07\x01\x00\x00\x00\x00\x00\x0b\x01\x05\x06\x01\x00" + bytes(90)),
        ("a.tar.gz.aa", gzip.compress(os.urandom(900))[:-300]),
    ],
)
def test_parts_by_what_they_say_of_themselves(tmp_path, name, data):
    path = put(tmp_path, name, data)
    assert what_is_wrong(path) is None
    refused(path, tmp_path, "one part of an archive that was split", BY_HAND)


def test_whole_archives_are_no_parts(tmp_path):
    for name in ("a.part1.zip", "images.001.zip", "set_part_2.zip", "v1.02.zip"):
        assert unpacked(make_zip(tmp_path / name, {"x.png": b"1"}), tmp_path)[0] == {"x.png": b"1"}


def test_hard_links_and_links_in_zips_say_where_they_lead(tmp_path):
    info = tarfile.TarInfo("b.png")
    info.type, info.linkname = tarfile.LNKTYPE, "a.png"
    path = put(tmp_path, "a.tar", tar_with([("a.png", b"1")], infos=[info]))
    refused(path, tmp_path, "'b.png' is a hard link to 'a.png'", BY_HAND[1:])
    path = put(tmp_path, "a.zip", zip_of_bytes([(b"l", b"../x")], attributes=0o120777 << 16))
    refused(path, tmp_path, "'l' is a link to '../x'", BY_HAND[1:])
    path = put(tmp_path, "b.zip", zip_of_bytes([(b"l", b"x")], attributes=0o010644 << 16))
    refused(path, tmp_path, "'l' is a device")


@pytest.mark.parametrize("kind", ["zip", "tar", "gz", "nested"])
def test_an_archive_that_gives_no_file_is_an_error(tmp_path, kind):
    empty = tar_with([], infos=[])
    data = {
        "zip": zip_of_bytes([(b"cat/", b""), (b"dog/", b"")]),
        "tar": empty,
        "gz": gzip.compress(empty),
        "nested": zip_of_bytes([(b"a.png", b"1"), (b"inner.zip", zip_of_bytes([(b"cat/", b"")]))]),
    }[kind]
    name = {"gz": "a.tar.gz", "nested": "a.zip"}.get(kind, f"a.{kind}")
    path = put(tmp_path, name, data if kind != "tar" else tar_with([], infos=[folder_info()]))
    refused(path, tmp_path, "holds no file", nested=kind == "nested")


def folder_info():
    info = tarfile.TarInfo("cat")
    info.type = tarfile.DIRTYPE
    return info


def test_an_inner_file_that_is_no_archive_stays(tmp_path, caplog):
    path = put(tmp_path, "a.zip", zip_of_bytes([(b"a.png", b"1"), (b"notes.zip", b"just a text")]))
    found, _ = unpacked(path, tmp_path, nested=True)
    assert found == {"a.png": b"1", "notes.zip": b"just a text"}
    assert caplog.messages == ["notes.zip: is not the archive that its name promises; it stays as it is"]


@pytest.mark.parametrize("large", [False, True], ids=["zip", "zip64"])
@pytest.mark.parametrize("comment", [b"", b"some words"])
def test_the_end_of_a_zip_says_where_its_table_of_contents_lies(tmp_path, monkeypatch, large, comment):
    if large:  # as if it were beyond 4 GiB, with more than 65,535 members
        monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in "abc":
            archive.writestr(name, name * 50)
        archive.comment = comment
    data, end = path.read_bytes(), zip_end(path)
    assert (b"PK\x06\x06" in data) == large
    assert (end.parts, end.directory_at) == (1, data.index(b"PK\x01\x02"))
    assert data[end.directory_at + end.directory_bytes :][:4] == (b"PK\x06\x06" if large else b"PK\x05\x06")
    assert zip_entries(path, end) == 3
