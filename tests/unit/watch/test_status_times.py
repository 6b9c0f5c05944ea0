"""How often a running study's state is looked at, and how often its file is written."""

from types import SimpleNamespace

import pytest

from apr.watch import status
from apr.watch.status import SHARE, StatusWriter


@pytest.mark.parametrize(
    ("every", "clock", "waits", "writes"),
    [
        (None, [0, 0, 100, 100, 190, 190], [30, 30, 30], [True, True, True]),
        (5, [0, 0, 100, 100, 129, 129, 130, 130], [5, 5, 5, 5], [True, True, False, True]),
        (50, [0, 0, 100, 100], [30, 30], [True, True]),
        (5, [0, 7, 100, 102], [SHARE * 7, max(5, SHARE * 2)], [True, True]),
    ],
)
def test_it_looks_as_often_as_it_is_shown_and_writes_every_half_minute(
    tmp_path, monkeypatch, every, clock, waits, writes
):
    shown = every and SimpleNamespace(every=every)
    writer = StatusWriter({}, tmp_path, seconds=30, shown=shown)
    times, waited, looked = iter(clock), [], []
    monkeypatch.setattr(status, "time", SimpleNamespace(monotonic=lambda: next(times)))

    def look(outcome, write):
        looked.append(write)
        writer._written = clock[2 * len(looked) - 2] if write else writer._written
        assert outcome == "Running (this file is renewed every 30 s)."

    def wait(seconds):
        waited.append(seconds)
        if len(waited) == len(waits):
            writer._ended.set()

    monkeypatch.setattr(writer, "_look", look)
    monkeypatch.setattr(writer._ended, "wait", wait)
    writer.run()
    assert (waited, looked) == (waits, writes)


def test_it_is_no_reason_to_stay_and_writes_every_half_minute_unless_told(tmp_path):
    writer = StatusWriter({}, tmp_path)
    assert (writer.daemon, writer.name, writer.seconds, writer.more(), writer.shown) == (True, "status", 30, "", None)
