"""Two processes that fetch one file: one does, the other waits and takes it up."""

import os
import subprocess
import sys
import threading

import pytest
from downloads import DATA, left
from waits import LONGEST, wait_for

from apr.data.sources.download import download
from study import ROOT

FETCH = """
import sys, time
from pathlib import Path
from apr.data.sources.download import download
url, target, told = sys.argv[1:]
Path(told).touch()
download({"name": "data.bin", "url": url}, Path(target), root=Path("."))
"""


def fetching(server, tmp_path, number):
    """A process that fetches data.bin, and has begun to."""
    scripts = ROOT / "workflow" / "scripts"
    told = tmp_path / f"told{number}"
    arguments = [f"{server.address}/data.bin", tmp_path / "raw" / "data.bin", told]
    environment = os.environ | {"PYTHONPATH": str(scripts)}
    process = subprocess.Popen(
        [sys.executable, "-c", FETCH, *map(str, arguments)], env=environment, stderr=subprocess.PIPE, text=True
    )
    wait_for(told.exists)
    return process


@pytest.fixture
def gate():
    """Held back until it is opened."""
    one = threading.Event()
    yield one
    one.set()


def test_of_two_that_fetch_one_file_the_second_takes_it_up(server, tmp_path, gate):
    server.plan = [lambda answer: (gate.wait(LONGEST), answer.well())]
    first = fetching(server, tmp_path, 1)
    wait_for(lambda: server.requests, "the request")
    second = fetching(server, tmp_path, 2)
    said = second.stderr.readline()
    assert "works on this file; waiting for it to end" in said
    gate.set()
    assert (first.wait(LONGEST), second.wait(LONGEST)) == (0, 0)
    assert "data.bin: another process has fetched it meanwhile; that file is used\n" in second.stderr.read()
    assert (tmp_path / "raw" / "data.bin").read_bytes() == DATA
    assert len(server.requests) == 1
    assert left(tmp_path / "raw") == ["data.bin"]


def test_a_killed_holder_blocks_nobody(server, tmp_path, gate):
    server.plan = [lambda answer: (gate.wait(LONGEST), answer.well())]
    first = fetching(server, tmp_path, 1)
    wait_for(lambda: server.requests, "the request")
    first.kill()
    first.wait()
    entry = {"name": "data.bin", "url": f"{server.address}/data.bin"}
    download(entry, tmp_path / "raw" / "data.bin", root=tmp_path)
    assert (tmp_path / "raw" / "data.bin").read_bytes() == DATA
    assert left(tmp_path / "raw") == ["data.bin"]
