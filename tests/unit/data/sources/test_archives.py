import bz2
import errno
import gzip
import lzma
import os
import tarfile
import zipfile

import pytest
from archive_maker import needs_libarchive, stored_rar
from data_helpers import make_tar, make_zip, real, tar_bytes, tree

from apr.basics.problems import Problem
from apr.data.sources.archives import unpack_all

MEMBERS = {"cats/1.jpg": b"miau", "dogs/1.jpg": b"wau", "readme.txt": b"hello"}


def refused(archive, tmp_path, match):
    """Unpacking fails with these words, and nothing at all is left."""
    target = tmp_path / "out" / "set"
    with pytest.raises(Problem, match=match):
        unpack_all([archive], target)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_unpacks(tmp_path, kind):
    if kind == "zip":
        path = make_zip(tmp_path / "a.zip", MEMBERS)
    else:
        path = make_tar(tmp_path / f"a.{kind}", MEMBERS, "w:" + kind.partition(".")[2])
    report = unpack_all([path], tmp_path / "set")
    assert tree(tmp_path / "set") == MEMBERS
    assert (report["files"], report["bytes"]) == (3, 12)
    assert report["sources"][0]["name"] == path.name


@pytest.mark.parametrize(("suffix", "pack"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
def test_single_compressed_files(tmp_path, suffix, pack):
    path = tmp_path / f"labels-ubyte.{suffix}"
    path.write_bytes(pack(b"12345"))
    unpack_all([path], tmp_path / "set")
    assert tree(tmp_path / "set") == {"labels-ubyte": b"12345"}


def test_other_files_pass_through_beside_archives(tmp_path):
    (tmp_path / "table.csv").write_text("a,b")
    (tmp_path / "arrays.npz").write_bytes(make_zip(tmp_path / "n.zip", {"x.npy": b"1"}).read_bytes())
    paths = [make_zip(tmp_path / "a.zip", {"1.jpg": b"1"}), tmp_path / "table.csv", tmp_path / "arrays.npz"]
    unpack_all(paths, tmp_path / "set")
    assert sorted(tree(tmp_path / "set")) == ["1.jpg", "arrays.npz", "table.csv"]


def test_archives_inside_one_level_where_asked(tmp_path):
    inner = tar_bytes({"n01_1.JPEG": b"1", "n01_2.JPEG": b"2"})
    path = make_tar(tmp_path / "train.tar", {"n01.tar": inner, "sub/deep.tar": tar_bytes({"again.tar": inner})})
    unpack_all([path], tmp_path / "plain")
    assert sorted(tree(tmp_path / "plain")) == ["n01.tar", "sub/deep.tar"]
    unpack_all([path], tmp_path / "set", nested=True)
    assert sorted(tree(tmp_path / "set")) == ["n01/n01_1.JPEG", "n01/n01_2.JPEG", "sub/deep/again.tar"]


def test_a_new_unpacking_replaces_the_old_one(tmp_path):
    unpack_all([make_zip(tmp_path / "a.zip", {"old": b"1"})], tmp_path / "set")
    unpack_all([make_zip(tmp_path / "b.zip", {"new": b"2"})], tmp_path / "set")
    assert tree(tmp_path / "set") == {"new": b"2"}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../evil", "climbs out"),
        ("a/../../evil", "climbs out"),
        ("..\\evil", "climbs out"),
        ("/etc/evil", "absolute"),
        ("\\evil", "absolute"),
        ("C:\\evil", "absolute"),
    ],
)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_reach_outside_are_refused(tmp_path, kind, name, words):
    make = make_zip if kind == "zip" else make_tar
    refused(make(tmp_path / f"a.{kind}", {"fine": b"1", name: b"2"}), tmp_path, words)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    special = tarfile.TarInfo("odd")
    special.type, special.linkname = kind, "/etc/passwd"
    words = {tarfile.SYMTYPE: "is a link to '/etc/passwd'", tarfile.LNKTYPE: "is a hard link"}.get(kind, "is a device")
    refused(make_tar(tmp_path / "a.tar", {"fine": b"1"}, odd=special), tmp_path, f"'odd' {words}")


def test_links_in_a_zip_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    info = zipfile.ZipInfo("odd")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(path, tmp_path, "'odd' is a link")


def test_a_second_file_of_the_same_name_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x", "2")
    refused(path, tmp_path, "would overwrite")
    refused(make_zip(tmp_path / "b.zip", {"x": b"1", "x/y": b"2"}), tmp_path, "would overwrite")
    one, two = (make_zip(tmp_path / f"{n}.zip", {"x": n.encode()}) for n in "12")
    with pytest.raises(Problem, match=r"2\.zip: member 'x' would overwrite"):
        unpack_all([one, two], tmp_path / "set")


@pytest.mark.parametrize("kind", ["zip", "gz"])
def test_a_bomb_is_refused(tmp_path, monkeypatch, kind):
    monkeypatch.setattr("apr.data.sources.file_kinds.HARMLESS_BYTES", 1 << 20)
    path = tmp_path / f"a.{kind}"
    zeros = bytes(3 << 20)
    if kind == "zip":
        make_zip(path, {"zeros": zeros})
    else:
        path.write_bytes(gzip.compress(zeros))
    refused(path, tmp_path, "a bomb")


def test_an_archive_larger_than_the_disk_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("apr.data.sources.archives.shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    refused(make_zip(tmp_path / "a.zip", MEMBERS), tmp_path, "does not fit: 10 bytes are free")


def test_damaged_archives_are_named(tmp_path):
    whole = make_tar(tmp_path / "a.tar.gz", {"x": bytes(range(256)) * 400}, "w:gz").read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "a.tar.gz", tmp_path, r"a\.tar\.gz: is a damaged gzip")
    (tmp_path / "b.tar").write_bytes(make_tar(tmp_path / "b.tar", {"x": bytes(9000)}).read_bytes()[:4000])
    refused(tmp_path / "b.tar", tmp_path, r"b\.tar: is a damaged tar")
    data = make_tar(tmp_path / "b.tar", {"x": bytes(600), "y": bytes(600)}).read_bytes()
    (tmp_path / "b.tar").write_bytes(data[:1536] + os.urandom(512) + data[2048:])
    refused(tmp_path / "b.tar", tmp_path, r"b\.tar: is a damaged tar archive \(a header in the middle")
    data = bytearray(make_zip(tmp_path / "c.zip", {"x": bytes(range(256)) * 40}).read_bytes())
    data[60] ^= 255
    (tmp_path / "c.zip").write_bytes(data)
    refused(tmp_path / "c.zip", tmp_path, r"c\.zip: is a damaged zip")
    (tmp_path / "d.zip").write_text("<html>log in</html>")
    refused(tmp_path / "d.zip", tmp_path, r"d\.zip: is html, not data")


def test_the_end_of_a_tar_is_looked_at(tmp_path, caplog):
    whole = make_tar(tmp_path / "a.tar", {"x": b"1"}).read_bytes()
    (tmp_path / "a.tar").write_bytes(whole[:1024])
    unpack_all([tmp_path / "a.tar"], tmp_path / "set")
    assert "a.tar: has no end mark" in caplog.text
    (tmp_path / "b.tar").write_bytes(whole + b"signature")
    unpack_all([tmp_path / "b.tar"], tmp_path / "set")
    assert "b.tar: has bytes after its end mark" in caplog.text
    (tmp_path / "b.tar").write_bytes(whole + tar_bytes({"y": b"2"}))
    refused(tmp_path / "b.tar", tmp_path, "continues after its end mark.*unpack it by hand")
    caplog.clear()
    for mode in ("w", "w:gz", "w:bz2", "w:xz"):
        unpack_all(
            [make_tar(tmp_path / f"c.tar{mode.replace('w', '').replace(':', '.')}", MEMBERS, mode)], tmp_path / "set"
        )
    assert caplog.text == ""


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = make_zip(tmp_path / "a.zip", MEMBERS)
    monkeypatch.setattr("apr.data.sources.archives.os.replace", full)
    refused(path, tmp_path, "cannot be written: the disk is full")


def test_unpacks_rar(tmp_path):
    needs_libarchive()
    path = tmp_path / "a.rar"
    path.write_bytes(stored_rar({"Positive\\00001.jpg": b"crack" * 3000, "Negative\\00001.jpg": b"wall"}))
    unpack_all([path], tmp_path / "set")
    assert tree(tmp_path / "set") == {"Positive/00001.jpg": b"crack" * 3000, "Negative/00001.jpg": b"wall"}
    outer = make_zip(tmp_path / "b.zip", {"Images.rar": path.read_bytes()})
    unpack_all([outer], tmp_path / "nested", nested=True)
    assert sorted(tree(tmp_path / "nested")) == ["Images/Negative/00001.jpg", "Images/Positive/00001.jpg"]


def test_bad_rar(tmp_path):
    needs_libarchive()
    path = tmp_path / "a.rar"
    path.write_bytes(stored_rar({"..\\evil": b"1"}))
    refused(path, tmp_path, "climbs out")
    path.write_bytes(stored_rar({"x": b"crack" * 3000})[:-9000])
    refused(path, tmp_path, "damaged rar")


def test_missing_libarchive_names_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "libarchive", None)
    path = tmp_path / "a.rar"
    path.write_bytes(stored_rar({"x": b"1"}))
    refused(path, tmp_path, "libarchive13")


def test_real_archives(tmp_path):
    for path in real("concrete-cracks.zip", "powerline.zip"):
        report = unpack_all([path], tmp_path / path.stem)
        with zipfile.ZipFile(path) as archive:
            expected = {info.filename: archive.read(info) for info in archive.infolist() if not info.is_dir()}
        assert tree(tmp_path / path.stem) == expected
        assert report["files"] == len(expected)


def test_real_truncated_download(tmp_path):
    with zipfile.ZipFile(*real("broken_downloads.zip")) as archive:
        data = archive.read("truncated_gzip/t10k-images-idx3-ubyte.gz")
    path = tmp_path / "images.gz"
    path.write_bytes(data)
    refused(path, tmp_path, "damaged gzip")
