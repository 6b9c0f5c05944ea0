"""What strangers pack: each kind that is not read names the way out; what lies is measured, not believed."""

import gzip
import os
import resource
import shutil
import struct
import subprocess
import sys
import tarfile
import unicodedata
from pathlib import Path

import pytest
from archive_maker import (
    deflated,
    long_header,
    many_members,
    nested_zip,
    split_file,
    tar_header,
    tar_with,
    unicode_path,
    zip_of_bytes,
    zip_tail,
)
from data_helpers import make_zip, tree

from apr.archive_members import members_of
from apr.archives import hinting, unpack_all
from apr.contents import what_is_wrong
from apr.download import check_file
from apr.problems import Problem

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
BY_HAND = "unpack it by hand and give the result as `folder`"
SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"


def case(name):
    path = CASES / name
    if not path.exists():
        pytest.skip(f"../shared/cases/{name} is missing")
    return path


def put(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def refused(path, tmp_path, *words, **more):
    """Unpacking ends in one line with these words, and nothing is left."""
    target = tmp_path / "out" / "set"
    with pytest.raises(Problem) as caught:
        unpack_all([path] if isinstance(path, Path) else path, target, **more)
    text = str(caught.value)
    assert [word for word in words if word not in text] == [], text
    assert text.isprintable()
    assert list((tmp_path / "out").iterdir()) == []
    return text


def unpacked(path, tmp_path, **more):
    report = unpack_all([path], tmp_path / "set", **more)
    return tree(tmp_path / "set"), report


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


# --- names ---

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


def test_an_inner_file_that_is_no_archive_stays(tmp_path):
    path = put(tmp_path, "a.zip", zip_of_bytes([(b"a.png", b"1"), (b"notes.zip", b"just a text")]))
    found, _ = unpacked(path, tmp_path, nested=True)
    assert found == {"a.png": b"1", "notes.zip": b"just a text"}


# --- what headers claim ---


@pytest.mark.parametrize("size", [2, 10**6])
def test_a_size_that_lies_is_damage(tmp_path, size):
    path = put(tmp_path, "a.zip", zip_of_bytes([(b"a", b"12345")], size=size))
    refused(path, tmp_path, "is a damaged zip archive", "fetch it again")


def test_announced_bytes_are_refused_before_any_is_written(tmp_path):
    path = put(tmp_path, "a.zip", zip_of_bytes([(b"a", b"12345")], size=0xFFFFFFF0))
    refused(path, tmp_path, "a bomb")


def test_zip64_sizes_that_lie(tmp_path):
    extra = struct.pack("<HHQQ", 1, 16, 1 << 62, 5)
    path = put(tmp_path, "a.zip", zip_of_bytes([(b"a", b"12345")], size=0xFFFFFFFF, extra=extra))
    refused(path, tmp_path, "a.zip")
    directory = b"PK\x06\x06" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, 1, 1, 1 << 40, 0)
    locator = b"PK\x06\x07" + struct.pack("<IQI", 0, 0, 1)
    path = put(
        tmp_path, "b.zip", b"PK\x03\x04" + bytes(60) + directory + locator + zip_tail(0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    )
    refused(path, tmp_path, "b.zip", "too many members")


def test_names_that_differ_between_table_and_member_are_damage(tmp_path):
    data = zip_of_bytes([(b"cat.png", b"12345")])
    path = put(tmp_path, "a.zip", data.replace(b"cat.png", b"dog.png", 1))
    refused(path, tmp_path, "damaged zip")


@pytest.mark.parametrize("size", [-512, -1, -1024])
@pytest.mark.parametrize("kind", [b"0", b"L", b"x"])
def test_negative_sizes_in_a_tar_are_damage(tmp_path, size, kind):
    data = tar_header("a", 0) + tar_header("b", size, kind) + bytes(2048)
    refused(put(tmp_path, "a.tar", data), tmp_path, "is a damaged tar archive")


def test_one_tally_for_all_archives_of_a_source(tmp_path, monkeypatch):
    monkeypatch.setattr("apr.contents.HARMLESS_BYTES", 3 << 20)
    inner = make_zip(tmp_path / "i.zip", {"zeros": bytes(2 << 20)}).read_bytes()
    one = make_zip(tmp_path / "one.zip", {"a.zip": inner})
    assert unpacked(one, tmp_path, nested=True)[1]["files"] == 2
    two = make_zip(tmp_path / "two.zip", {"a.zip": inner, "b.zip": inner})
    refused(two, tmp_path, "(an archive inside)", "a bomb", nested=True)
    parts = [make_zip(tmp_path / f"{n}.zip", {f"{n}": bytes(2 << 20)}) for n in range(2)]
    refused(parts, tmp_path, "a bomb")


def test_many_empty_members_are_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("apr.contents.HARMLESS_BYTES", 1 << 20)
    monkeypatch.setattr("apr.contents.MAX_RATIO", 1)
    refused(put(tmp_path, "a.tar.gz", many_members(3000)), tmp_path, "in 1,025 members", "a bomb")


def test_a_deep_archive_is_opened_one_level(tmp_path):
    found, _ = unpacked(put(tmp_path, "a.zip", nested_zip(30, b"1")), tmp_path, nested=True)
    assert sorted(found) == ["inner29/inner28.zip"]


BOUNDED = """
import resource, sys
from pathlib import Path
from apr.problems import Problem
{0}
before = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (before + (128 << 20),) * 2)
try:
    {1}
except Problem as problem:
    print(problem)
"""
UNPACK = ("from apr.archives import unpack_all", "unpack_all([Path(sys.argv[1])], Path(sys.argv[2]))")
NPZ = ("from apr.npz import load_npz", "load_npz(Path(sys.argv[1]))")
IDX = ("from apr.formats.arrays import load_idx", "load_idx(Path(sys.argv[1]))")
PICKLE = ("from apr.formats.cifar import load_plain", "load_plain(Path(sys.argv[1]))")


def npy(shape, data=b""):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


ZEROS = bytes(200 << 20)
HUGE = {
    "long name": (UNPACK, "a.tar.gz", lambda: long_header(b"L", 200 << 20), "damaged"),
    "long link": (UNPACK, "a.tar.gz", lambda: long_header(b"K", 200 << 20), "damaged"),
    "attributes": (UNPACK, "a.tar.gz", lambda: long_header(b"x", 200 << 20), "damaged"),
    "global attributes": (UNPACK, "a.tar.gz", lambda: long_header(b"g", 200 << 20), "damaged"),
    "npz shape": (NPZ, "a.npz", lambda: zip_of_bytes([(b"x.npy", npy((1 << 40,)))]), "its header says"),
    "npz bytes": (NPZ, "a.npz", lambda: zip_of_bytes([(b"x.npy", ZEROS)], method=8, packed=deflated), "a bomb"),
    "idx shape": (IDX, "a", lambda: b"\0\0\x08\x03" + b"\xff" * 12 + bytes(9), "more than a file of its size"),
    "idx bytes": (IDX, "a.gz", lambda: gzip.compress(b"\0\0\x08\x01\0\0\x03\xe8" + ZEROS, 1), "holds more values"),
    "pickle number": (PICKLE, "a", lambda: b"\x80\x02}r\xff\xff\xff\x0f.", "LONG_BINPUT"),
    "pickle array": (PICKLE, "a", lambda: b"\x80\x05\x96" + struct.pack("<Q", 1 << 33) + b".", "not a pickle"),
    "pickle bytes": (PICKLE, "a", lambda: b"\x80\x04\x8e" + struct.pack("<Q", 1 << 33) + b".", "not a pickle"),
    "pickle copies": (
        PICKLE,
        "a",
        lambda: (
            b"\x80\x02c_codecs\nencode\nq\x00X\x00\x00\x10\x00"
            + b"a" * (1 << 20)
            + b"q\x01]"
            + b"h\x00h\x01\x85Ra" * 2000
            + b"."
        ),
        "makes more bytes than it holds",
    ),
}


@pytest.mark.parametrize("name", HUGE)
def test_small_inputs_take_little_memory(tmp_path, name):
    (setup, act), file, make, words = HUGE[name]
    path = put(tmp_path, file, make())
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED.format(setup, act), str(path), str(tmp_path / "out")],
        env=os.environ | {"PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert words in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_members_of_a_tar_are_not_kept(tmp_path):
    """20,000 members in the library's list would take 24 MB."""
    path = put(tmp_path, "a.tar", tar_header("a.png", 0) * 20_000 + bytes(1024))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert sum(1 for _ in members_of(path, "tar", None, "a", lambda more: None)) == 20_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8_000


def test_damage_is_real_damage_only(tmp_path, monkeypatch):
    """A disk that fails while an archive is read is not the archive's fault."""
    path = make_zip(tmp_path / "a.zip", {"x": b"1"})

    def fail(*_):
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("zipfile.ZipFile.infolist", fail)
    with pytest.raises(OSError, match="Input/output"):
        unpack_all([path], tmp_path / "out" / "set")
    assert list((tmp_path / "out").iterdir()) == []
    monkeypatch.setattr("gzip.open", fail)
    monkeypatch.setattr("apr.contents.OPENERS", {"gzip": fail})
    with pytest.raises(OSError, match="Input/output"):
        what_is_wrong(put(tmp_path, "b.gz", gzip.compress(b"1")))
