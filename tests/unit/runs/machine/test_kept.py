"""What the C library is told of memory that is freed."""

import ctypes
from types import SimpleNamespace

import pytest

from apr.runs.machine.memory import keep_freed_memory


@pytest.mark.parametrize(("refused", "kept"), [((), True), ((-3,), False), ((-1,), False)])
def test_up_to_a_gibibyte_of_freed_memory_is_kept(monkeypatch, refused, kept):
    told = []

    def mallopt(number, value):
        told.append((number, value))
        return int(number not in refused)

    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=mallopt))
    assert keep_freed_memory() is kept
    assert told == [(-3, 2**30), (-1, 2**30)][: 1 if -3 in refused else 2]


def test_another_c_library_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    assert keep_freed_memory() is False
