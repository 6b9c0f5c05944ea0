"""Leases by hand: a clock of their own shows when one is taken over, when waiting is said again, and in which words."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from lease_holders import ELSEWHERE, GaveUpError

from apr.basics import leases
from apr.basics.leases import Lease, described
from apr.basics.problems import Problem

REMEDY = "A process that stands still for more than 90 s loses its run; start it again if nothing else works on it"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.lease"


@pytest.fixture
def clock(monkeypatch):
    """It goes on while somebody sleeps, and twenty times as fast."""
    one = SimpleNamespace(now=1000.0, slept=[])

    def sleep(seconds):
        one.slept.append(seconds)
        one.now += 20 * seconds

    monkeypatch.setattr(leases, "time", SimpleNamespace(monotonic=lambda: one.now, sleep=sleep))
    return one


def told(function, *arguments):
    with pytest.raises(Problem) as caught:
        function(*arguments)
    return str(caught.value)


@pytest.mark.parametrize(
    ("alive", "watched", "silent", "gone"),
    [
        (True, 1e6, 1e6, ""),
        (False, 0, 0, "is gone"),
        (None, 29, 1e6, ""),
        (None, 30, 89, ""),
        (None, 30, 90, "has given no sign of life for 90 s"),
        (None, 89, -5, ""),
        (None, 90, -5, "has given no sign of life for 90 s"),
    ],
)
def test_a_holder_is_gone_where_its_heart_was_seen_to_stand_still(
    path, clock, monkeypatch, alive, watched, silent, gone
):
    """Three heartbeats of ten seconds before one's eyes, and by the file's age 90 s; or 90 s before one's eyes."""
    monkeypatch.setattr(leases, "_alive", lambda holder: alive)
    lease = Lease(path)
    monkeypatch.setattr(lease, "_now", lambda: 5000.0)
    lease._seen = ("seen", clock.now - watched)
    assert lease._gone(({}, 5000.0 - silent)) == gone


def test_a_lease_is_watched_from_its_last_change(path, clock):
    path.write_text(json.dumps(ELSEWHERE))
    os.utime(path, (50, 50))
    lease = Lease(path)
    assert lease._found() == (ELSEWHERE, 50)
    clock.now += 7
    assert lease._found() == (ELSEWHERE, 50)
    assert lease._seen == ((ELSEWHERE, 50), 1000)
    os.utime(path, (60, 60))
    assert lease._found() == (ELSEWHERE, 60)
    assert lease._seen == ((ELSEWHERE, 60), 1007)
    path.write_text("")
    assert lease._found()[0] == {}
    path.unlink()
    assert lease._found() is None
    (path.parent / "other").write_text(json.dumps(ELSEWHERE))
    path.symlink_to(path.parent / "other")  # a link to a file is one, too
    assert lease._found()[0] == ELSEWHERE


@pytest.mark.parametrize(("beat", "pause", "rounds"), [(10, 1.0, 7), (0.5, 0.5, 13)])
def test_waiting_is_said_at_once_and_every_minute(path, clock, caplog, beat, pause, rounds):
    path.write_text(json.dumps(ELSEWHERE))

    def beats():
        os.utime(path, (clock.now, clock.now))
        if clock.now >= 1120:
            raise GaveUpError

    with pytest.raises(GaveUpError), Lease(path, beat=beat, waiting=beats):
        pass
    who = f"{path}: job 17 on elsewhere (process 1) works on this run; waiting for it to end, or to give no sign of"
    assert caplog.messages == [f"{who} life for 90 s. If nothing works on the run, delete this file"] * 3
    assert clock.slept == [pause] * (rounds - 1)
    assert path.exists()


def test_who_is_waited_for_is_said_whole(path, monkeypatch):
    lease = Lease(path, thing="file of features", stale=5)
    hidden = "waiting for it to end, or to give no sign of life for 5 s. If nothing works on the file of features"
    assert lease._why(({}, 0)) == f"does not say who works on this file of features; {hidden}, delete this file"
    monkeypatch.setattr(leases, "_alive", lambda holder: True)
    hangs = "waiting for it to end. If it hangs, end it: kill 4711"
    who = "a process on node3 (process 4711) works on this file of features"
    assert lease._why(({"host": "node3", "pid": 4711}, 0)) == f"{who}; {hangs}"
    assert described({}) == "its unknown holder"
    assert described({"host": "n", "pid": 3, "job": 17}) == "job 17 on n (process 3)"


def test_a_lease_that_is_lost_is_said_whole(path):
    with Lease(path) as lease:
        path.write_text(json.dumps(ELSEWHERE))
        other = "job 17 on elsewhere (process 1) took this run over"
        assert told(lease.check) == f"{path}: {other}; nothing more was written. {REMEDY}"
        gone = "the lease of this run was deleted or changed"
        path.unlink()
        assert told(lease.check) == f"{path}: {gone}; nothing more was written. {REMEDY}"
        path.write_text("")
        assert told(lease.check) == f"{path}: {gone}; nothing more was written. {REMEDY}"
    assert path.exists()  # what is not its own is left alone


def test_what_stands_in_its_place_or_refuses_it_is_said_whole(path, monkeypatch):
    path.mkdir()
    there = "is no file, although the lease of a run belongs there; remove it and run again"
    assert told(Lease(path).__enter__) == f"{path}: {there}"
    path.rmdir()

    def refuse(*_):
        raise PermissionError(1, "Operation not permitted", "x")

    monkeypatch.setattr(os, "link", refuse)
    look = "look at who owns the file and its folder, and delete it if nothing works on the run"
    said = f"x: the lease of this run cannot be read or taken (Operation not permitted); {look}"
    assert told(Lease(path).__enter__) == said
    assert os.listdir(path.parent) == []


def test_a_heart_beats_once_a_beat_while_the_lease_is_its_own(path, monkeypatch):
    touched = []
    monkeypatch.setattr(os, "utime", lambda *given: touched.append(given))
    lease = Lease(path)
    rounds = iter([False, False, False, True])
    waited = []
    lease._done = SimpleNamespace(wait=lambda seconds: waited.append(seconds) or next(rounds))
    held = iter([True, False, True])
    monkeypatch.setattr(lease, "_held", lambda: next(held))
    lease._keep()
    assert waited == [10] * 4
    assert touched == [(path,)] * 2
    assert lease._thread.daemon  # it keeps no program from ending


def test_a_lease_says_which_job_and_process_holds_it(path, monkeypatch):
    for job in ("17", None):
        monkeypatch.delenv("SLURM_JOB_ID", raising=False)
        if job:
            monkeypatch.setenv("SLURM_JOB_ID", job)
        with Lease(path) as lease:
            found = json.loads(path.read_text())
            assert found == lease.holder
            assert (found["job"], found["pid"]) == (job, os.getpid())
            assert leases._alive(found) is True
    assert Lease(path).holder["token"] != Lease(path).holder["token"]


def test_a_holder_has_a_token_a_host_and_a_process(path):
    whole = {"token": "x", "host": "h", "pid": 3}
    path.write_text(json.dumps(whole))
    assert leases._read(path) == whole
    for key, wrong in {"token": 1, "host": None, "pid": "3"}.items():
        for changed in (whole | {key: wrong}, {name: value for name, value in whole.items() if name != key}):
            path.write_text(json.dumps(changed))
            assert leases._read(path) is None


def test_a_process_is_told_by_its_birth_whatever_its_name_is():
    name, before = Path("/proc/self/comm"), Path("/proc/self/comm").read_bytes()
    born = leases._born(os.getpid())
    assert int(born) > 0
    try:
        name.write_bytes(b"\xff) Z (1 2")  # no UTF-8, and as if it had ended
        assert leases._born(os.getpid()) == born
    finally:
        name.write_bytes(before)
