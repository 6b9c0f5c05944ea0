"""The words of a status: durations by hand, and a whole text."""

import pytest
from fabricated import diverged, manifests, run_of, task, write_run

from apr.watch.planned import Runs
from apr.watch.progress import duration, state_of
from apr.watch.status import status_text
from apr.watch.steps import RUNS, Call, Counted

NOW = 1_800_000_000.0
# 1,200 s of photos and 4 x 400 s of digits within 100 s: 28 at once; 2 x 1,200 s and 3 x 2,400 s are left
TEXT = """\
6 of 13 runs done, 1 outdated (of other settings or images than the study's now: they are made again)\
; time left: at least 6 min, at a pace of 28 runs at once, \
and what late will take, whose images are not prepared yet.
Images not prepared yet: late.
Steps of this call: 9 of 12 done (data 8/9).
1 run(s) were taken up from an earlier call; to make one again delete its JSON \
in results/runs and in results/checkpoints.

task         done                        running  failed  outdated  diverged  images/s    each  still needed
photos        2/4  ##########..........        1       1         1         1        10  20 min        40 min
longer_name   0/3  ....................        -       -         -         -         -       -     2 h 0 min
late          0/2  ....................        -       -         -         -         -       -  not prepared
digits        4/4  ####################        -       -         -         -        10   7 min             -

running, failed: in this call; images/s and each: means of runs that ended, or before of those under way;
still needed: the time of the runs that are left, were they made one by one.
"""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0, "0.0 s"), (9.94, "9.9 s"), (10, "10 s"), (99.4, "99 s"), (100, "2 min"), (5_969, "99 min")),
        *((5_971, "1 h 40 min"), (7_200, "2 h 0 min"), (170_940, "47 h 29 min"), (171_000, "2 d 0 h")),
        (180_000, "2 d 2 h"),
    ],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_a_whole_status(tmp_path):
    models = [f"a{number:03d}" for number in range(4)]
    plan = {"photos": task(models), "longer_name": task(models[:3], epochs=6), "late": task(models[:2], view="none")}
    view = manifests(tmp_path)
    for model in models[:3]:
        run = run_of(plan, "photos", model, view, seconds=1_200.0)
        write_run(tmp_path, "photos", model, diverged(run) if model == "a002" else run)
    plan["photos"]["runs"]["a001"]["genotype"] = "another"
    plan["digits"] = task(models)
    for model in models:
        write_run(tmp_path, "digits", model, run_of(plan, "digits", model, view, seconds=400.0))
    counted = {("data", ""): Counted(9, 8), (RUNS, "photos"): Counted(3, 1, running=1, failed=1)}
    baseline, call = {"photos": frozenset(["a000"])}, Call(counted, taken_up=1)
    text = status_text(state_of(plan, tmp_path, NOW, NOW - 100, baseline, Runs(plan, tmp_path), call))
    first, *lines = text.splitlines()
    assert first.startswith("Written 2027-01-1")
    assert first.endswith(", 2 min after the start.")
    assert lines == TEXT.splitlines()
