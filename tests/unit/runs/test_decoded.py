"""Pictures that are decoded once: in memory or in a shared file, by one of several, killed, and on a full disk."""

import errno
import io
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from small import encoded_images
from waits import LONGEST

import apr.data.decoded
import apr.data.packed
from apr.basics.interruption import Interrupted
from apr.basics.leases import Lease
from apr.basics.problems import Problem
from apr.data.decoded import decode_once, shared_file
from apr.data.packed import PackedImages
from engine.decoded import VARIABLE, share_decoded
from study import ROOT

DAMAGED = r"photos\.bin: image 7 \(picture 7\.jpg\) cannot be decoded \(.*\); delete it and its index, and pack again$"
NOT_SHARED = "decoded pictures are not shared with other trainings, this one keeps its own: "
ROWS = np.array([4, 0, 7, 8, 1])


@pytest.fixture
def packed(tmp_path):
    """Nine photo-like pictures of nine sizes, JPEG but for one PNG."""
    return encoded_images(tmp_path / "packed")[0]


def decoded(packed, folder=None, threads=2, waiting=lambda: None):
    return decode_once(packed, ROWS, threads=threads, folder=folder, waiting=waiting)


def expected(packed):
    return np.concatenate([opened(packed, row).reshape(-1) for row in ROWS])


def opened(packed, row):
    """By Pillow alone."""
    start, size = int(packed.index["offset"][row]), int(packed.index["bytes"][row])
    return np.asarray(Image.open(io.BytesIO(packed.pixels[start : start + size].tobytes())))


def test_pixels_are_pillows_wherever_they_are_kept(packed, tmp_path):
    assert np.array_equal(decoded(packed), expected(packed))
    shared = decoded(packed, tmp_path)
    assert np.array_equal(shared, expected(packed))
    assert isinstance(shared, np.memmap)
    assert [path.suffix for path in tmp_path.iterdir() if path.is_file()] == [".pixels"]


def test_the_second_reads_what_the_first_wrote(packed, tmp_path, monkeypatch):
    first = decoded(packed, tmp_path)
    monkeypatch.setattr(PackedImages, "read", None)
    assert np.array_equal(decoded(packed, tmp_path), first)


def test_other_pictures_or_bytes_are_another_file(packed, tmp_path):
    names = {shared_file(packed, rows, tmp_path) for rows in (ROWS, ROWS[::-1], ROWS[:-1])}
    later = os.stat(f"{packed.stem}.bin").st_mtime_ns + 10**9
    os.utime(f"{packed.stem}.bin", ns=(later, later))
    assert len(names | {shared_file(packed, ROWS, tmp_path)}) == 4


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_on_a_full_disk_each_keeps_its_own(packed, tmp_path, monkeypatch, caplog, number):
    write, calls = os.pwrite, []

    def full(*arguments):
        calls.append(1)
        if len(calls) > 2:
            raise OSError(number, os.strerror(number))
        return write(*arguments)

    monkeypatch.setattr(os, "pwrite", full)
    (tmp_path / "shared").mkdir()
    found = decoded(packed, tmp_path / "shared")
    assert np.array_equal(found, expected(packed))
    assert not isinstance(found, np.memmap)
    [said] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith(NOT_SHARED)
    assert list((tmp_path / "shared").iterdir()) == []


def test_a_disk_is_not_filled_to_the_last_byte(packed, tmp_path, monkeypatch, caplog):
    size = expected(packed).size
    usage = shutil.disk_usage(tmp_path)
    for free, shares in ((int(size / 0.79), True), (int(size / 0.81), False)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, free=free: usage._replace(free=free))
        (tmp_path / str(free)).mkdir()
        assert isinstance(decoded(packed, tmp_path / str(free)), np.memmap) == shares
    assert caplog.messages[-1].startswith(f"{NOT_SHARED}{tmp_path / str(free)}: has ")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10 * 2**30))
    monkeypatch.setattr(apr.data.decoded, "_starts", lambda packed, rows: [0, 12 * 2**30])
    with pytest.raises(OSError, match=f"^{tmp_path}: has 8 GB to spare, and they take 12$"):
        apr.data.decoded._write(packed, ROWS, 1, tmp_path / "x.pixels", None)


def test_pictures_are_decoded_in_turns_between_which_one_may_stop(packed, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(apr.data.decoded, "AT_ONCE", 2)
    turns = []
    assert np.array_equal(decoded(packed, threads=0, waiting=lambda: turns.append(1)), expected(packed))
    assert len(turns) == 3
    with caplog.at_level("INFO", "apr"):
        decoded(packed, tmp_path)
    path = shared_file(packed, ROWS, tmp_path)
    assert caplog.messages == [f"decoding 5 pictures ({expected(packed).size / 2**30:.3g} GB) once into {path}"]
    assert re.fullmatch("photos-[0-9a-f]{16}.pixels", path.name)
    assert path == shared_file(packed, ROWS.astype(np.int32), tmp_path)


def test_who_is_stopped_decodes_no_more(packed, monkeypatch):
    ended = []

    class Pool(ThreadPoolExecutor):
        def shutdown(self, **options):
            ended.append(options)
            super().shutdown(**options)

    def stop():
        raise Interrupted(signal.SIGTERM)

    monkeypatch.setattr(apr.data.decoded, "ThreadPoolExecutor", Pool)
    with pytest.raises(Interrupted):
        decoded(packed, waiting=stop)
    assert ended == [{"cancel_futures": True}]


def test_a_folder_that_cannot_be_written_to(packed, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    assert np.array_equal(decoded(packed, tmp_path / "file"), expected(packed))
    assert caplog.messages == [
        f"{NOT_SHARED}{tmp_path / 'file'}: the lease of this copy of decoded pictures cannot be read or taken (File "
        "exists); look at who owns the file and its folder, and delete it if nothing works on the copy of decoded "
        "pictures"
    ]


def test_a_writer_that_is_killed_leaves_the_place_to_the_next(packed, tmp_path):
    program = f"""
import sys, time
sys.path[:0] = {[str(ROOT / "workflow/scripts"), str(ROOT / "workflow")]!r}
from pathlib import Path
import numpy as np
from apr.data.decoded import decode_once
from apr.data.packed import PackedImages
packed, count, read = PackedImages(Path({str(packed.stem)!r}), "encoded"), [], PackedImages.read
def slow(self, i):
    count.append(i)
    if len(count) > 2:
        print("writing", flush=True)
        time.sleep({LONGEST})
    return read(self, i)
PackedImages.read = slow
decode_once(packed, np.array({ROWS.tolist()}), threads=1, folder=Path({str(tmp_path)!r}), waiting=lambda: None)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "writing\n"
        assert len([path for path in tmp_path.iterdir() if path.name.endswith(".part.pixels")]) == 1
        writer.kill()
    assert np.array_equal(decoded(packed, tmp_path), expected(packed))
    assert [path.suffix for path in tmp_path.iterdir() if path.is_file()] == [".pixels"]


def test_who_waits_for_another_can_be_interrupted(packed, tmp_path):
    def stop():
        raise Interrupted(signal.SIGTERM)

    with Lease(shared_file(packed, ROWS, tmp_path).with_suffix(".lease")), pytest.raises(Interrupted):
        decoded(packed, tmp_path, waiting=stop)
    with pytest.raises(Interrupted):
        decoded(packed, tmp_path, waiting=stop)
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def _at_once(stem, folder, barrier, results):
    barrier.wait(LONGEST)
    packed, read, count = PackedImages(stem, "encoded"), PackedImages.read, []

    def counted(self, i):
        count.append(i)
        time.sleep(0.05)
        return read(self, i)

    PackedImages.read = counted
    results.put((decoded(packed, folder).tobytes(), len(count)))


def test_of_several_at_once_one_decodes(packed, tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(3), context.Queue()
    processes = [context.Process(target=_at_once, args=(packed.stem, tmp_path, barrier, results)) for _ in range(3)]
    for process in processes:
        process.start()
    found = [results.get(timeout=LONGEST) for _ in processes]
    for process in processes:
        process.join(LONGEST)
    assert {pixels for pixels, _ in found} == {expected(packed).tobytes()}
    assert sorted(count for _, count in found) == [0, 0, len(ROWS)]


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("decoder", ["found", None])
def test_a_damaged_picture_is_named(packed, tmp_path, monkeypatch, folder, decoder):
    if decoder is None:
        monkeypatch.setattr(apr.data.packed, "decode_jpeg", None)
    (tmp_path / "packed" / "photos.files.txt").write_text("".join(f"picture {i}.jpg\tgroup\n" for i in range(9)))
    start = int(packed.index["offset"][7])
    with open(f"{packed.stem}.bin", "r+b") as file:
        file.seek(start + 20)
        file.write(bytes(200))
    with pytest.raises(Problem, match=DAMAGED):
        decoded(packed, tmp_path if folder else None)
    assert [path for path in tmp_path.iterdir() if path.is_file()] == []


def test_a_picture_of_another_size_is_named(packed, monkeypatch):
    index = np.array(packed.index)
    index["height"][4] += 1
    packed.index = index
    with pytest.raises(Problem, match=r"photos\.bin: image 4 is \(\d+, \d+, 3\) where its index says"):
        decoded(packed)


def test_a_workflow_makes_the_folder_and_takes_it_away(tmp_path):
    program = (
        "import os; from engine.decoded import *; share_decoded(); print(os.environ[VARIABLE], flush=True); input()"
    )
    path = os.pathsep.join(str(ROOT / part) for part in ("workflow", "workflow/scripts"))
    environment = os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": path, VARIABLE: "/of/another/node"}

    def begun():
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen([sys.executable, "-c", program], env=environment, **pipes)
        return process, process.stdout.readline().strip()

    killed, left = begun()
    assert os.stat(left).st_mode & 0o077 == 0
    killed.kill()
    killed.communicate()
    assert os.path.isdir(left)
    other, folder = begun()
    assert not os.path.exists(left)  # the next has removed what a killed one left
    assert os.path.dirname(folder) == str(tmp_path)
    other.communicate("\n")
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_shared_nothing_is(monkeypatch, caplog):
    monkeypatch.setenv(VARIABLE, "/of/another/node")
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/proc/nothing")
    share_decoded()
    assert VARIABLE not in os.environ
    assert "Every training decodes its pictures itself" in caplog.text
