"""Two processes never write one run, and a dead one keeps nobody waiting."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from lease_holders import ELSEWHERE, ENVIRONMENT, holder
from waits import LONGEST

from apr.basics.leases import Lease
from apr.basics.problems import Problem


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "a000.lease"


def test_a_lease_is_there_while_it_is_held(path):
    with Lease(path) as lease:
        assert json.loads(path.read_text())["pid"] == os.getpid()
        lease.check()
    assert os.listdir(path.parent) == []


def test_it_is_given_back_after_an_error(path):
    with pytest.raises(KeyError), Lease(path):
        raise KeyError
    assert not path.exists()


def test_the_second_waits_for_the_first(path, caplog):
    process = holder(path)
    started = time.monotonic()
    process_end = started + 1.5
    threading.Timer(1.5, lambda: process.send_signal(signal.SIGKILL)).start()
    with Lease(path, beat=0.2):
        assert time.monotonic() >= process_end
    process.wait()
    assert f"process {process.pid}" in caplog.text
    assert "waiting for it to end" in caplog.text
    assert "is gone; taking its run over" in caplog.text


def test_a_killed_holder_of_this_host_keeps_nobody_waiting(path):
    process = holder(path)
    process.kill()
    process.wait()
    assert path.exists()
    with Lease(path) as lease:
        lease.check()


def test_another_host_counts_as_dead_without_a_heartbeat(path, caplog):
    path.parent.mkdir()
    path.write_text(json.dumps(ELSEWHERE))
    started = time.monotonic()
    with Lease(path, beat=0.2, stale=1.0):
        assert time.monotonic() - started >= 0.7
    assert "job 17 on elsewhere (process 1) has given no sign of life for 1 s; taking its run over" in caplog.text


def test_a_heartbeat_keeps_it(path):
    with Lease(path, beat=0.1, stale=0.5):
        before = path.stat().st_mtime
        time.sleep(0.5)
        assert path.stat().st_mtime > before


def test_who_stood_still_writes_no_more(path):
    with Lease(path) as lease:
        path.write_text(json.dumps(lease.holder | {"token": "other"}))
        with pytest.raises(Problem, match=rf"\(process {os.getpid()}\) took this run over"):
            lease.check()
    assert path.exists()  # it is the other's


def test_of_many_that_take_over_one_gets_it(path):
    path.parent.mkdir()
    path.write_text(json.dumps(Lease(path).holder | {"token": "x", "pid": 1, "born": "never"}))
    code = """if True:
        import os, sys, time
        from apr.basics.leases import Lease
        with Lease(sys.argv[1], beat=0.05) as lease:
            lease.check()
            open(sys.argv[2], "x").close()
            time.sleep(0.2)
            os.unlink(sys.argv[2])
            lease.check()
    """
    only = path.parent / "only"
    many = [subprocess.Popen([sys.executable, "-c", code, str(path), str(only)], env=ENVIRONMENT) for _ in range(5)]
    assert [process.wait(timeout=LONGEST) for process in many] == [0] * 5
    assert os.listdir(path.parent) == []
