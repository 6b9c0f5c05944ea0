"""Steps as they come and go."""

import os

import pytest

from apr.watch.steps import RUNS, TAKEN_UP, Counted, Pace, Steps, reason

DATA, PHOTOS = ("data", ""), (RUNS, "photos")


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steps(clock):
    return Steps({DATA: 1, PHOTOS: 3}, lambda: {PHOTOS: 1}, clock)


def test_steps_are_counted_by_stage_and_task(steps, clock):
    steps.started(1, DATA, "")
    assert steps.call().since is None
    clock.now += 5
    steps.ended(1)
    steps.started(2, PHOTOS, "")
    steps.started(3, PHOTOS, "")
    steps.stopped(3)
    call = steps.call()
    assert call.counted == {DATA: Counted(1, 1, 0, 0, 5.0), PHOTOS: Counted(3, 0, 1, 1, 0.0)}
    assert call.all == Counted(4, 1, 1, 1, 5.0)
    assert call.since == 1005.0
    assert call.of("photos").left == 2
    assert call.stages == {"data": call.counted[DATA]}


def test_a_step_that_ends_twice_or_was_never_started_counts_once_or_not(steps):
    steps.started(1, DATA, "")
    for number in (1, 1, 7):
        steps.ended(number)
        steps.stopped(number)
    assert steps.call().all.done == 1


def test_runs_that_were_taken_up_are_counted_by_their_logs(steps, tmp_path):
    for number, text in enumerate([b"12:00:00 epoch 1/1", b"12:00:00 " + TAKEN_UP + b", a.json; delete it"]):
        (tmp_path / str(number)).write_bytes(text + b"\n")
        steps.started(number, PHOTOS, str(tmp_path / str(number)))
        steps.ended(number)
    assert steps.call().taken_up == 1


def test_the_pace_of_a_run_follows_from_its_log(steps, tmp_path):
    log = tmp_path / "log"
    steps.started(1, PHOTOS, str(log))
    assert steps.call().paces == {"photos": (Pace(None, None),)}
    log.write_text("12:00:00 loading\n12:00:10 resuming at epoch 3, step 1\n")
    assert steps.call().paces["photos"] == (Pace(None, None),)
    with log.open("a") as file:
        file.write("12:00:20 epoch 3/10  loss 1.0  test error 3.00 %  700 images/s\n")
        file.write("12:00:30 epoch 4/10  loss 1.0  test error 3.00 %  900 images/s\n")
    os.utime(log, (1020.0, 1020.0))  # 20 s after the start: two epochs of ten
    assert steps.call().paces["photos"] == (Pace(100.0, 900.0),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12:00:00 begin\n12:00:01 error: disk full; free some\n12:00:02 end\n", "disk full; free some"),
        ("12:00:00 begin\n12:00:01 interrupted by SIGTERM\n", "interrupted by SIGTERM"),
        ("Traceback\n  line\nValueError: 3\n\n", "ValueError: 3"),
        ("12:00:00 error: a\x1b[2Jb\n", "a\N{REPLACEMENT CHARACTER}[2Jb"),
        ("", ""),
    ],
)
def test_the_reason_is_what_a_log_says_last_of_an_error(tmp_path, text, said):
    (tmp_path / "log").write_text(text)
    assert reason(str(tmp_path / "log")) == said
    assert reason(str(tmp_path / "none")) == ""
