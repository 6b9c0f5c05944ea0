"""Leases that somebody put there to harm, and what a killed holder leaves behind."""

import json
import os
import subprocess
import sys

import pytest
from lease_holders import ENVIRONMENT, QUICK, GaveUpError, after

from apr.basics import leases
from apr.basics.leases import Lease
from apr.basics.problems import Problem


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a000.lease"


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_a_link_to_what_is_no_file_is_named_and_not_waited_for(path, make):
    make(path.parent / "other")
    path.symlink_to(path.parent / "other")
    with pytest.raises(Problem, match=r"a000\.lease: is no file.*remove it"), Lease(path, **QUICK):
        pass
    if make is os.mkfifo:
        assert leases._read(path) is None


def test_what_a_lease_says_moves_no_cursor(path, caplog):
    path.write_text(json.dumps({"token": "x", "host": "a\x1b[2J\n" * 100, "pid": 7, "job": ["\x07"]}))
    with pytest.raises(GaveUpError), Lease(path, beat=0.1, stale=9, waiting=after(0.0)):
        pass
    said = [record.message for record in caplog.records]
    assert said
    assert all(line.isprintable() and len(line) < 1000 for line in said)


def test_who_takes_over_sweeps_what_the_dead_had_begun(path):
    """Though it has swept the folder before; the files by which a lease is taken are among them."""
    with Lease(path, **QUICK):
        pass
    code = f"""if True:
        import os
        from pathlib import Path
        from apr.basics import leases, parts
        path = Path({str(path)!r})
        link = os.link
        def killed(*names):
            link(*names)
            parts.new_part(path.with_name("data.bin")).write_bytes(b"1")
            os._exit(9)
        os.link = killed
        leases.Lease(path).__enter__()
    """
    assert subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, timeout=1800).returncode == 9
    assert len(os.listdir(path.parent)) == 3
    with Lease(path, **QUICK):
        assert os.listdir(path.parent) == [path.name]
