"""Random archives of all kinds, sound, odd, hostile and damaged: the right files or one Problem, and nothing else.

Seeded, and about 15 s long; APRBENCH_FUZZ_SECONDS gives it longer, and APRBENCH_FUZZ_SEED another beginning.
"""

import bz2
import gzip
import io
import lzma
import os
import pickle
import random
import resource
import shutil
import tarfile
import time

import numpy as np
import pytest
from archive_maker import deflated, tar_header, tar_with, zip_of_bytes, zip_tail

from apr.basics.causes import reading
from apr.basics.problems import Problem
from apr.data.formats.arrays import load_idx
from apr.data.formats.cifar import load_plain
from apr.data.sources import file_kinds
from apr.data.sources.archives import unpack_all
from apr.data.sources.file_kinds import what_is_wrong
from apr.data.sources.member_names import safe_parts
from apr.data.sources.npz import load_npz

SECONDS = float(os.environ.get("APRBENCH_FUZZ_SECONDS", 15))
SEED = int(os.environ.get("APRBENCH_FUZZ_SEED", 0))
MEMORY = 300_000  # KiB that the process may grow by
PIECES = ["cat", "dog", "a", "b.png", "1.jpg", "Ü", "犬", "é", "CON", "x" * 60]
HOSTILE = ["..", ".", "", "/", "\\", "C:", "\0", "\n", "\u2028", "y" * 300, "../../etc", "\udce9", " ", "…", ":"]
ODD_ENDS = ["/", "\\", "\0", "//"]
COMPRESS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def name(rng):
    parts = [rng.choice(PIECES if rng.random() < 0.93 else HOSTILE) for _ in range(rng.randint(1, 4))]
    text = rng.choice("/////\\").join(parts)
    return text + (rng.choice(ODD_ENDS) if rng.random() < 0.05 else "")


def data(rng):
    kind = rng.random()
    if kind < 0.6:
        return rng.randbytes(rng.randint(0, 300))
    if kind < 0.95:
        return bytes(rng.randint(0, 3000))
    return bytes(3 << 20)


def as_bytes(text, rng):
    encoding = rng.choice(["utf-8", "utf-8", "utf-8", "shift_jis", "gbk", "cp437", "cp1252"])
    return text.encode(encoding, "surrogateescape" if encoding == "utf-8" else "replace")


def a_zip(rng, members):
    more = {}
    if rng.random() < 0.2:
        choices = [
            {"flags": 1 << 11},
            {"flags": rng.getrandbits(16)},
            {"method": rng.choice([0, 1, 9, 12, 14, 93, 95, 99])},
            {"method": 8},
            {"extra": rng.randbytes(rng.randint(0, 30))},
            {"attributes": rng.getrandbits(32)},
            {"size": rng.choice([0, 1, 1 << 20, (1 << 32) - 1])},
        ]
        more = rng.choice(choices)
    if rng.random() < 0.5 and "method" not in more:
        more |= {"method": 8, "packed": deflated}
    whole = zip_of_bytes([(as_bytes(one, rng), content) for one, content in members], **more)
    if rng.random() < 0.05:
        whole = whole[:-22] + zip_tail(*(rng.getrandbits(rng.choice([3, 16])) for _ in range(4)))
    return whole


def a_tar(rng, members, lies):
    infos = []
    if rng.random() < 0.15:
        info = tarfile.TarInfo(name(rng).replace("\0", "") or "x")
        info.type = rng.choice([tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, b"S", b"V", b"?"])
        info.linkname = rng.choice(["cat", "/etc/passwd", "../x", ""])
        infos.append(info)
    kind = rng.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
    whole = tar_with(members, infos=infos, kind=kind)
    if lies and rng.random() < 0.4:
        odd = tar_header(
            "odd", rng.choice([-512, -1, 5, 1 << 40, (1 << 86)]), rng.choice([b"0", b"L", b"K", b"x", b"g", b"S"])
        )
        at = 512 * rng.randint(0, len(whole) // 512)
        whole = whole[:at] + odd + whole[at:]
    return whole


def an_archive(rng, lies, depth=0):
    """Suffix, bytes and members; an entry that `lies` may stand anywhere in it."""
    members = [(name(rng), data(rng)) for _ in range(rng.randint(0, 6))]
    kind = rng.choice(["zip", "zip", "tar", "tar", "tar.gz", "tar.bz2", "tar.xz", "gz", "bz2", "xz"])
    if "tar" in kind:
        members = [(one.replace("\0", ""), content) for one, content in members]  # where its names end
    if depth < 2 and rng.random() < 0.3:
        suffix, inner, _ = an_archive(rng, lies, depth + 1)
        members.append((f"inner{suffix}", inner))
    if kind == "zip":
        whole = a_zip(rng, members)
    elif kind.startswith("tar"):
        whole = COMPRESS.get(kind[4:], bytes)(a_tar(rng, members, lies))
    else:
        whole = COMPRESS[kind](members[0][1] if members else b"")
    return f".{kind}", whole, members


def damaged(rng, whole):
    """The same bytes with something amiss."""
    act = rng.random()
    if act < 0.3:
        return whole[: rng.randint(0, len(whole))]
    if act < 0.6:
        changed = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            if changed:
                changed[rng.randrange(len(changed))] = rng.getrandbits(8)
        return bytes(changed)
    if act < 0.8:
        at, end = sorted(rng.randint(0, len(whole)) for _ in range(2))
        return whole[:at] + whole[end:]
    return whole + rng.randbytes(rng.randint(1, 600))


@pytest.fixture
def _no_more_memory():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY


def rounds():
    """Numbers of rounds until the time is over; at least some."""
    end, number = time.monotonic() + SECONDS / 2, 0
    while number < 30 or time.monotonic() < end:
        yield random.Random(f"{SEED} {number}"), number
        number += 1


def contents_of(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if not path.is_dir()}


@pytest.mark.usefixtures("_no_more_memory")
def test_archives_give_the_right_files_or_one_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(file_kinds, "HARMLESS_BYTES", 2 << 20)
    source, place = tmp_path / "source", tmp_path / "place"
    source.mkdir()
    place.mkdir()
    target = place / "set"
    problems = sound = 0
    for rng, number in rounds():
        lies, is_damaged = rng.random() < 0.3, rng.random() < 0.4
        suffix, whole, members = an_archive(rng, lies)
        path = source / f"a{suffix if rng.random() < 0.95 else '.dat'}"
        path.write_bytes(damaged(rng, whole) if is_damaged else whole)
        options = {"nested": rng.random() < 0.5, "encoding": rng.choice([None, None, None, "shift_jis", "cp437"])}
        said, wrong, report = outcome(path, target, options)
        if report is None:
            problems += 1
            assert said.isprintable(), (SEED, number)
        else:
            found = contents_of(target)
            assert report["files"] >= 1, (SEED, number)
            assert all(one.isprintable() and one.encode() for one in found), (SEED, number)
            if "tar" in path.name and not (lies or is_damaged or wrong) and not options["nested"]:
                sound += 1
                files = [(one, content) for one, content in members if not one.endswith(("/", "\\"))]
                wanted = {"/".join(safe_parts(one)): content for one, content in files}
                assert wanted.items() <= found.items(), (SEED, number)
            shutil.rmtree(target)
        assert list(place.iterdir()) == [], (SEED, number)
        assert list(source.iterdir()) == [path], (SEED, number)
        assert sorted(one.name for one in tmp_path.iterdir()) == ["place", "source"], (SEED, number)
        path.unlink()
    assert problems
    assert sound


def outcome(path, target, options):
    """What the Problem says, what was found wrong before, and the report of what was unpacked."""
    wrong = None
    try:
        with reading(path):
            wrong = what_is_wrong(path)
            return "", wrong, unpack_all([path], target, **options)
    except Problem as problem:
        return str(problem), wrong, None


@pytest.mark.usefixtures("_no_more_memory")
def test_arrays_are_read_or_one_problem(tmp_path, monkeypatch):
    monkeypatch.setattr(file_kinds, "HARMLESS_BYTES", 2 << 20)
    refused = []
    for rng, _ in rounds():
        values = np.frombuffer(rng.randbytes(60), np.uint8).reshape(3, 4, 5)
        buffer = io.BytesIO()
        kind = rng.choice(["npz", "idx", "idx.gz", "pickle"])
        if kind == "npz":
            rng.choice([np.savez, np.savez_compressed])(buffer, x_train=values, y_train=values[0, 0])
            whole, load = buffer.getvalue(), load_npz
        elif kind == "pickle":
            whole = pickle.dumps({b"data": [bytes(values)] * 3, b"labels": [1, 2, 3]}, protocol=rng.randint(0, 5))
            load = load_plain
        else:
            whole, load = (
                b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in (3, 4, 5)) + values.tobytes(),
                load_idx,
            )
            whole = gzip.compress(whole) if kind == "idx.gz" else whole
        path = tmp_path / f"a.{kind.removeprefix('idx.')}"
        path.write_bytes(damaged(rng, whole) if rng.random() < 0.8 else whole)
        try:
            load(path)
        except Problem as problem:
            refused.append(str(problem))
    assert refused
    assert [said for said in refused if not said.isprintable()] == []
