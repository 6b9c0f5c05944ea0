"""How far a study is, as a block of a terminal and as a line: every word, column, colour and limit by hand."""

import io

import pytest
from rich.console import Console

from apr.watch.progress import Progress, State
from apr.watch.steps import RUNS, Call, Counted
from engine.block import NARROW, Block, _fitting, line

COUNTED = {
    ("data", ""): Counted(3, 3),
    (RUNS, "photos"): Counted(1_200, 2, running=1_002, failed=1),
    (RUNS, "digits"): Counted(4, 4),
    ("models", ""): Counted(0),
    ("scores", ""): Counted(5, 0, failed=2),
    ("tables and figures", ""): Counted(7),
}


def progress(planned, done, speed=None):
    nothing = dict.fromkeys(("seconds", "cost", "pauses"))
    counts = dict.fromkeys(("outdated", "new", "diverged", "dropped"), 0)
    return Progress(planned=planned, done=done, speed=speed, prepared=True, **counts, **nothing)


def state(counted=COUNTED, *, seconds=7_200.0, at_once=2.0, **call):
    tasks = {"photos": progress(2_000, 1_002, 12_345.6), "digits": progress(4, 4, 10.0)}
    needed = {"photos": 480.0, "digits": 0.0}
    return State(1_000.0, 940.0, tasks, needed, at_once, seconds, "about 2 h", Call(counted, **call))


def pieces(block, width=100, height=40):
    """The words of a block with their styles, by row."""
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system="standard")
    return [
        [(one.text.strip(), str(one.style or "")) for one in row if one.text.strip()]
        for row in console.render_lines(block, pad=False)
    ]


def shown(block, width=100, height=40):
    console = Console(file=io.StringIO(), width=width, height=height, color_system=None)
    console.print(block)
    return [text.rstrip() for text in console.file.getvalue().splitlines()]


def test_a_line_tells_steps_time_and_what_is_under_way():
    # 9 of 1,219 is 0.7 %
    told = "9 of 1,219 steps done (0 %); 1,002 running; 3 failed; time left: about 2 h; "
    assert line(state()) == f"{told}photos 1,002/2,000, scores 0/5"
    waiting = {("data", ""): Counted(3, 1)}
    assert line(state(waiting)) == "1 of 3 steps done (33 %)"  # nothing runs: no time is told
    assert line(state({("data", ""): Counted(1, 1, running=1)})) == "1 of 1 steps done (100 %); 1 running; data 1/1"
    assert line(state({})) == "0 of 0 steps done"


@pytest.mark.parametrize(("busy", "more"), [(4, ""), (5, ", and 1 more"), (7, ", and 3 more")])
def test_a_line_names_four_at_most(busy, more):
    counted = {(f"s{number}", ""): Counted(2, 1, running=1) for number in range(busy)}
    assert line(state(counted)).partition("about 2 h; ")[2] == f"s0 1/2, s1 1/2, s2 1/2, s3 1/2{more}"


def test_a_block_by_hand():
    lines = shown(Block(state(taken_up=3, warnings=(2, "late"))), width=101)
    assert lines == [
        "9 of 1,219 steps done (0 %) · 1,002 running · 3 failed · 60 s so far · about 2 h 0 min left",
        f"data               {'━' * 20}         3/3",
        f"photos             {'━' * 10}           1,002/2,000 1,002 running 1 failed 12,346 images/s 4 min left",
        f"digits             {'━' * 20}         4/4",
        f"scores             {' ' * 20}         0/5               2 failed",
        f"tables and figures {' ' * 20}         0/7",
        "3 run(s) were taken up from an earlier call; to make one again delete its JSON in results/runs and i…",
        "2 warning(s), the last: late",
    ]


def test_colours_tell_what_is_done_and_what_failed():
    counted = COUNTED | {("scores", ""): Counted(5, 1, failed=2), ("tables and figures", ""): Counted(7, 1)}
    head, data, photos, digits, scores, rest, taken_up, warned = pieces(
        Block(state(counted, taken_up=3, warnings=(2, "late")))
    )
    assert head[0][1] == "bold"
    assert (data[0], digits[0]) == (("data", "dim"), ("digits", "dim"))
    assert data[1][1] == digits[1][1] == "dim green"
    assert photos[1] == ("━" * 10, "red")
    assert ("1 failed", "red") in photos
    assert scores[1] == ("━" * 4, "red")
    assert rest[:2] == [("tables and figures", ""), ("━━", "cyan")]  # a seventh of 20 columns: two and a half
    assert (taken_up[0][1], warned[0][1]) == ("dim", "yellow")


def test_a_narrow_terminal_has_no_bars_and_cuts_long_lines():
    narrow, wide = (shown(Block(state()), width=width) for width in (NARROW - 1, NARROW))
    assert "━" not in "".join(narrow)
    assert "━" in "".join(wide)
    assert narrow[0] == "9 of 1,219 steps done (0 %) · 1,002 running · 3 failed · 60 s so far …"[: NARROW - 2] + "…"
    assert len(narrow) == len(wide) == 6
    assert max(map(len, narrow)) <= NARROW - 1


def test_before_anything_is_known():
    assert shown(Block(None)) == ["Looking at the runs that there are …"]
    assert pieces(Block(None)) == [[("Looking at the runs that there are …", "dim")]]
    lines = shown(Block(state({("data", ""): Counted(1)}, seconds=None)))
    assert lines[0] == "0 of 1 steps done (0 %) · 60 s so far · time left unknown yet"
    # as long as nothing tells how many go on at once, no task has a time; one that needs none neither
    assert "left" not in "".join(shown(Block(state(at_once=None)))[1:])
    assert "left" not in "".join(shown(Block(state({(RUNS, "digits"): Counted(4, 2)})))[1:])


def test_as_many_rows_as_fit():
    rows = shown(Block(state()), height=10)  # five lines are left to what is said above
    assert [row.split()[0] for row in rows[1:]] == ["data", "photos", "digits", "scores", "tables"]
    rows = shown(Block(state()), height=9)
    assert [row.split()[0] for row in rows[1:-1]] == ["photos", "scores", "tables"]
    assert rows[-1] == "… and 2 done"
    assert pieces(Block(state()), height=9)[-1] == [("… and 2 done", "dim")]
    assert [row.split()[0] for row in shown(Block(state()), height=3)[1:]] == ["photos", "…"]
    two = {("data", ""): Counted(1, 1), ("scores", ""): Counted(2, 1)}
    assert shown(Block(state(two)), height=3)[2:] == ["… and 1 done"]
    assert shown(Block(state(two)), height=7)[1] == f"data   {'━' * 20} 1/1"


def test_the_busy_and_the_failed_come_before_what_waits_and_this_before_what_is_done():
    counts = {
        "done": (2, 2, Counted(2, 2)),
        "waits": (0, 2, Counted(2)),
        "fails": (0, 2, Counted(2, failed=1)),
        "runs": (2, 2, Counted(2, running=1)),
        "later": (1, 2, Counted(2)),
    }
    rows = [(name, done, of, counted, None, None) for name, (done, of, counted) in counts.items()]

    def fitting(most):
        kept, rest = _fitting(rows, most)
        return [row[0] for row in kept], rest

    assert fitting(5) == (["done", "waits", "fails", "runs", "later"], "")
    assert fitting(4) == (["waits", "fails", "runs"], "… and 1 done, 1 more")
    assert fitting(3) == (["fails", "runs"], "… and 1 done, 2 more")
    assert fitting(2) == fitting(1) == (["fails"], "… and 2 done, 2 more")
    assert _fitting(rows[1:3], 1)[1] == "… and 1 more"
