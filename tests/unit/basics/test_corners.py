"""What systems without /proc, without locks or with other users' processes do, and values just beyond a bound."""

import errno
import os
import re
import subprocess
import sys

import pytest

from apr.basics import leases, processes
from apr.basics.files import read_json
from apr.basics.leases import Lease
from apr.basics.names import check_name, plain_name
from apr.basics.problems import Problem
from apr.basics.values import shown, unique_keys, value_problem

NOBODY = 2**22 + 1  # no process has such a number


def refusing(error):
    def refuse(*_, **__):
        raise error

    return refuse


def test_a_place_is_known_by_eight_digits_or_not_at_all(monkeypatch):
    assert re.fullmatch("[0-9a-f]{8}", processes.place())
    assert processes.place() == processes.place() != processes.UNKNOWN == "00000000"
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: NOBODY)
        assert processes.place() == processes.UNKNOWN
    monkeypatch.setattr(processes.Path, "read_text", refusing(OSError()))
    assert (processes.place(), processes.born(os.getpid())) == (processes.UNKNOWN, 0)
    assert leases._place().items() >= {"boot": None, "pid_namespace": None}.items()
    assert leases._born(os.getpid()) is None


def test_a_process_is_dead_where_its_number_is_gone_or_used_again(monkeypatch):
    own = processes.born(os.getpid())
    assert own > 0
    assert not processes.is_dead(os.getpid(), own)
    assert processes.is_dead(os.getpid(), own + 1)
    assert processes.is_dead(NOBODY, own)
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert processes.is_dead(child.pid, own)  # ended, though nobody has asked how
    assert processes.born(child.pid) == 0
    child.wait()
    monkeypatch.setattr(os, "kill", refusing(PermissionError()))
    assert not processes.is_dead(NOBODY, own)


def test_the_holder_of_another_user_lives_where_it_can_be_told(monkeypatch):
    holder = leases._place() | {"pid": os.getpid(), "born": leases._born(os.getpid())}
    assert leases._alive(holder) is True
    assert leases._alive(holder | {"born": "1"}) is False
    assert leases._alive(holder | {"pid": NOBODY}) is False
    assert leases._alive(holder | {"pid": 10**30}) is False
    assert leases._alive(holder | {"pid": 0}) is None
    assert leases._alive(holder | {"boot": "other"}) is None
    monkeypatch.setattr(os, "kill", refusing(PermissionError()))
    assert leases._alive(holder) is True
    assert leases._alive(holder | {"born": "1"}) is None


def test_a_file_system_without_locks_is_worked_on_all_the_same(tmp_path, monkeypatch):
    path = tmp_path / "a.lease"
    path.touch()
    monkeypatch.setattr(leases.fcntl, "flock", refusing(OSError(errno.ENOLCK, "no locks")))
    with leases._locked(path):
        path.unlink()
    with leases._locked(path):  # no file any more
        pass
    path.touch()
    monkeypatch.setattr(leases.fcntl, "flock", refusing(BlockingIOError()))
    with pytest.raises(BlockingIOError), leases._locked(path):
        pass


def test_a_lease_that_cannot_be_read_stops_the_writing(tmp_path, monkeypatch):
    with Lease(tmp_path / "a.lease") as lease:
        monkeypatch.setattr(leases, "_read", refusing(OSError(5, "Input/output error")))
        with pytest.raises(Problem, match=r"a.lease: cannot be read \(Input/output error\); nothing more was written"):
            lease.check()
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("value", "wanted", "words"),
    [
        ([1], {"type": "array", "minItems": 2}, "needs at least 2"),
        ([1, 2], {"type": "array", "minItems": 2, "items": {"type": "integer"}}, None),
        ([], {"type": "array"}, None),
        ("1.5", {"type": "integer"}, "is a string, expected integer"),
        ("2.0", {"type": "integer"}, "; write 2 without quotes"),
        ("1e3", {"type": "number"}, "; write 1000 without quotes"),
        ("15E-9", {"type": "number"}, "; write 15.0e-9 without quotes"),
        ("1.5e-9", {"type": "number"}, "; write 1.5e-9 without quotes"),
        ("1e14", {"type": "number"}, "; write 100000000000000 without quotes"),
        ("1e15", {"type": "number"}, "; write 1.0e+15 without quotes"),
        ("1.5e300", {"type": "number"}, "; write 1.5e+300 without quotes"),
        (" .5", {"type": "number"}, "; write .5 without quotes"),
        ("many", {"type": "number"}, "is a string, expected number"),
        (3.0, {"type": "integer"}, "; write 3"),
        (3, {"type": "array"}, "; write [3]"),
        pytest.param(10**5000, {"type": "array"}, "expected list", id="huge"),
        ("Off", {"type": "boolean"}, "; write off without quotes"),
    ],
)
def test_a_value_of_another_kind_is_named_with_what_to_write(value, wanted, words):
    problem = value_problem(value, wanted)
    assert problem is None if words is None else problem.endswith(words), problem


def test_a_key_that_stands_twice_is_named():
    assert unique_keys([("a", 1), ("b", 2)]) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="'b' appears twice"):
        unique_keys([("a", 1), ("b", 2), ("b", 3)])


def test_a_name_that_no_file_can_have_is_refused_with_the_remedy():
    assert check_name("photos", "dataset", "rename it") == "photos"
    with pytest.raises(Problem, match=r"^dataset 'a/b' .*; rename it$"):
        check_name("a/b", "dataset", "rename it")


def test_a_name_that_is_proposed_is_short_and_a_long_number_is_counted():
    assert plain_name("a" * 9 + "b" * 60) == "b" * 60
    assert plain_name("a" + "b" * 59 + "._-") == "a" + "b" * 59
    assert shown(10**30 - 1) == "9" * 30
    assert shown(10**30) == shown(-(10**30)) == "a number of about 30 digits"


def test_a_file_that_is_not_there_is_no_json(tmp_path):
    with pytest.raises(Problem, match=r"a\.json: no such file$"):
        read_json(tmp_path / "a.json")
