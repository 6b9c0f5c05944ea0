"""Names in archives: read in their encoding or named, never guessed, and never one that no file should have."""

import tarfile
import unicodedata

import pytest
from archive_maker import (
    tar_with,
    unicode_path,
    zip_of_bytes,
)
from unpacking import BY_HAND, put, refused, unpacked

ENCODED = [("shift_jis", "表示/ソ.png"), ("gbk", "中国/图片.png"), ("cp437", "Köln/é.png"), ("cp1252", "Å/ñ.png")]


@pytest.mark.parametrize(("encoding", "name"), [*ENCODED, ("big5", "功能/許.png"), ("cp866", "кот/а.png")])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_in_an_encoding_are_never_guessed(tmp_path, encoding, name, kind):
    raw = name.encode(encoding)
    if kind == "zip":
        path = put(tmp_path, "a.zip", zip_of_bytes([(b"ok.png", b"0"), (raw, b"1")]))
    else:
        path = put(tmp_path, "a.tar", tar_with([(raw.decode("utf-8", "surrogateescape"), b"1")]))
    refused(path, tmp_path, "is not UTF-8", "options: names_encoding", encoding)
    found, _ = unpacked(path, tmp_path, encoding=encoding)
    assert name in found


def test_a_wrong_encoding_is_named(tmp_path):
    path = put(tmp_path, "a.zip", zip_of_bytes([("犬.png".encode("shift_jis"), b"1")]))
    refused(path, tmp_path, "not the ascii that options: names_encoding says", "shift_jis (犬.png)", encoding="ascii")
    refused(path, tmp_path, "names_encoding: 'sjis-2': unknown", "shift_jis", encoding="sjis-2")
    refused(path, tmp_path, "names_encoding: 'rot13': unknown", encoding="rot13")


@pytest.mark.parametrize(
    "more", [{}, {"flags": 1 << 11}, {"extra": unicode_path("Über/ß.png")}], ids=["bare", "flag", "field"]
)
def test_names_that_are_utf8_in_any_way_are_read(tmp_path, more):
    raw = b"?ber/\xe1.png" if "extra" in more else "Über/ß.png".encode()
    found, _ = unpacked(put(tmp_path, "a.zip", zip_of_bytes([(raw, b"1")], **more)), tmp_path)
    assert list(found) == ["Über/ß.png"]


def test_a_unicode_field_of_another_name_does_not_count(tmp_path):
    stray = unicode_path("evil.png")(b"other")
    refused(put(tmp_path, "a.zip", zip_of_bytes([(b"\xe1.png", b"1")], extra=stray)), tmp_path, "is not UTF-8")


def test_a_flag_that_lies_is_named(tmp_path):
    refused(put(tmp_path, "a.zip", zip_of_bytes([(b"\xe1.png", b"1")], flags=1 << 11)), tmp_path, "a.zip", "damaged")


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a\nb.png", "control character"),
        ("a\x1b[31m.png", "control character"),
        ("a\u2028b.png", "control character"),
        ("a\x85b.png", "control character"),
        ("a/" * 150 + "x.png", "lies 151 folders deep"),
        ("x" * 256, "a name of 256 bytes"),
        ("é" * 128, "a name of 256 bytes"),
        ("c:x.png", "absolute"),
        ("C:/x.png", "absolute"),
        ("//host/share/x.png", "absolute"),
        ("..", "climbs out"),
        ("a/..\\../x", "climbs out"),
    ],
)
def test_odd_names_are_named(tmp_path, kind, name, words):
    data = (
        zip_of_bytes([(name.encode(), b"1")], flags=1 << 11)
        if kind == "zip"
        else tar_with([(name, b"1")], kind=tarfile.PAX_FORMAT)
    )
    refused(put(tmp_path, f"a.{kind}", data), tmp_path, words)


def test_a_nul_in_a_name_is_named(tmp_path):
    refused(put(tmp_path, "a.zip", zip_of_bytes([(b"a.png\0.exe", b"1")])), tmp_path, "NUL")


@pytest.mark.parametrize("name", [b"", b".", b"./", b"././."])
def test_a_member_without_a_name(tmp_path, name):
    path = put(tmp_path, "a.zip", zip_of_bytes([(name, b"1"), (b"x.png", b"2")]))
    refused(path, tmp_path, "has no name")
    found, _ = unpacked(put(tmp_path, "b.zip", zip_of_bytes([(b"./", b""), (b"./x.png", b"2")])), tmp_path)
    assert found == {"x.png": b"2"}


def test_names_that_only_windows_refuses_are_kept(tmp_path):
    names = ["CON", "aux.png", "dot.", "blank ", "ab:c:d.png", "x/NUL", "q?.png", "ab:c"]
    path = put(tmp_path, "a.zip", zip_of_bytes([(name.encode(), name.encode()) for name in names]))
    found, _ = unpacked(path, tmp_path)
    assert found == {name: name.encode() for name in names}


def test_what_macos_adds_is_no_obstacle(tmp_path):
    path = put(
        tmp_path, "a.zip", zip_of_bytes([(b"cats/1.jpg", b"1"), (b"cats/Icon\r", b""), (b"__MACOSX/._a.zip", b"x")])
    )
    found, report = unpacked(path, tmp_path, nested=True)
    assert sorted(found) == ["__MACOSX/._a.zip", "cats/1.jpg"]
    assert report["files"] == 2


def test_folders_that_a_file_system_takes_for_one_are_refused(tmp_path, monkeypatch):
    pairs = [("Cat", "cat"), (unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é"))]
    for number, pair in enumerate(pairs):
        data = zip_of_bytes([(f"{name}/1.png".encode(), b"1") for name in pair], flags=1 << 11)
        path = put(tmp_path, f"{number}.zip", data)
        assert len(unpacked(path, tmp_path)[0]) == 2
        with monkeypatch.context() as patched:
            patched.setattr("pathlib.Path.samefile", lambda one, other: True)
            refused(path, tmp_path, "would overwrite another file", BY_HAND[1:])


@pytest.mark.parametrize("names", [(b"a", b"a\\b.png"), (b"a\\b.png", b"a"), (b"a/b", b"a\\b")])
def test_a_file_in_the_place_of_another_or_of_a_folder(tmp_path, names):
    path = put(tmp_path, "a.zip", zip_of_bytes([(name, name) for name in names]))
    refused(path, tmp_path, "would overwrite another file")
