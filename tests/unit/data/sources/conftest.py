"""A server that every test of downloads has for itself."""

import gzip

import pytest
from downloads import DATA
from misbehaving_server import MisbehavingServer


@pytest.fixture
def server():
    """Has its files until a test plans something else."""
    files = {"/data.bin": DATA, "/other.bin": DATA, "/table.csv": b"a,b\n" * 1000, "/labels.gz": gzip.compress(DATA)}
    one = MisbehavingServer(files)
    yield one
    one.close()
