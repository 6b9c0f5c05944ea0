"""What headers claim is measured, not believed, and costs little memory."""

import gzip
import os
import resource
import struct
import subprocess
import sys

import pytest
from archive_maker import (
    deflated,
    long_header,
    many_members,
    nested_zip,
    tar_header,
    zip_of_bytes,
    zip_tail,
)
from data_helpers import make_zip
from unpacking import put, refused, unpacked

from apr.data.sources.archive_members import members_of
from apr.data.sources.archives import unpack_all
from apr.data.sources.file_kinds import what_is_wrong
from study import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"


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
    monkeypatch.setattr("apr.data.sources.file_kinds.HARMLESS_BYTES", 3 << 20)
    inner = make_zip(tmp_path / "i.zip", {"zeros": bytes(2 << 20)}).read_bytes()
    one = make_zip(tmp_path / "one.zip", {"a.zip": inner})
    assert unpacked(one, tmp_path, nested=True)[1]["files"] == 2
    two = make_zip(tmp_path / "two.zip", {"a.zip": inner, "b.zip": inner})
    refused(two, tmp_path, "(an archive inside)", "a bomb", nested=True)
    parts = [make_zip(tmp_path / f"{n}.zip", {f"{n}": bytes(2 << 20)}) for n in range(2)]
    refused(parts, tmp_path, "a bomb")


def test_many_empty_members_are_a_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr("apr.data.sources.file_kinds.HARMLESS_BYTES", 1 << 20)
    monkeypatch.setattr("apr.data.sources.file_kinds.MAX_RATIO", 1)
    refused(put(tmp_path, "a.tar.gz", many_members(3000)), tmp_path, "in 1,025 members", "a bomb")


def test_a_deep_archive_is_opened_one_level(tmp_path):
    found, _ = unpacked(put(tmp_path, "a.zip", nested_zip(30, b"1")), tmp_path, nested=True)
    assert sorted(found) == ["inner29/inner28.zip"]


BOUNDED = """
import resource, sys
from pathlib import Path
from apr.basics.problems import Problem
{0}
before = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (before + (128 << 20),) * 2)
try:
    {1}
except Problem as problem:
    print(problem)
"""
UNPACK = ("from apr.data.sources.archives import unpack_all", "unpack_all([Path(sys.argv[1])], Path(sys.argv[2]))")
NPZ = ("from apr.data.sources.npz import load_npz", "load_npz(Path(sys.argv[1]))")
IDX = ("from apr.data.formats.arrays import load_idx", "load_idx(Path(sys.argv[1]))")
PICKLE = ("from apr.data.formats.cifar import load_plain", "load_plain(Path(sys.argv[1]))")


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
    assert sum(1 for _ in members_of(path, "tar", None, "a", lambda more, members: None)) == 20_000
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
    monkeypatch.setattr("apr.data.sources.file_kinds.OPENERS", {"gzip": fail})
    with pytest.raises(OSError, match="Input/output"):
        what_is_wrong(put(tmp_path, "b.gz", gzip.compress(b"1")))
