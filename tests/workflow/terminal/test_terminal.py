"""What is seen of a study that runs: on a terminal a block, elsewhere a line a minute, and every error at once."""

import os
import re
import signal
import sys

import pytest

from study import ROOT

from .conftest import Seen, piped, small_command, study_command

CLEARED = b"\x1b[2K"  # of a line of the block
HIDDEN = b"\x1b[?25l"
DONE = re.compile(r"\d+ of \d+ steps done")
# what differs between two calls
VARIES = re.compile(r"\[\w{3} \w{3} +\d+ [\d:]+ \d{4}\]|\d{4}-\d{2}-\d{2}T[\d.]+|Elapsed time: .*|\d+:\d\d:\d\d\.\d+")


def block(shot):
    """The rows of a block within the lines of a terminal, by their first word."""
    head = next((number for number, line in enumerate(shot) if DONE.match(line) and "so far" in line), None)
    return {} if head is None else {line.split()[0]: line for line in shot[head + 1 :] if line}


def test_a_terminal_shows_a_block_and_keeps_what_jobs_say_above_it(small):
    seen = Seen(small_command(each=3, pause=2), small)
    assert seen.code == 0
    for number in range(3):
        assert any(f"beware of {number}" in line for line in seen.lines)
        assert any(line == f"said by {number}" for line in seen.lines)
    assert any("tables" in block(shot) for shot in seen.shots)
    assert not block(seen.shots[-1])  # it is taken away
    ended = [line for line in seen.lines if DONE.match(line)]
    assert ended == ["4 of 4 steps done (100 %)"]
    assert "Finished jobid" not in seen.text


def test_without_a_terminal_there_are_a_few_lines_and_nothing_that_moves_a_cursor(small):
    done = piped(small_command(each=30), small)
    assert done.returncode == 0
    lines = [line for line in done.stdout.splitlines() if DONE.match(line)]
    assert lines[-1] == "31 of 31 steps done (100 %)"
    assert len(lines) < 10 or done.stdout.count("beware") < 30  # a line a minute
    assert "\x1b" not in done.stdout
    assert "Select jobs" not in done.stdout
    assert "Finished jobid" not in done.stdout
    assert "31 of 31 done (tables and figures 31/31)" in (small / "results/STATUS").read_text()


def test_by_hand_snakemake_says_all_that_it_says(small):
    done = piped(small_command(brief=False), small)
    assert "Finished jobid" in done.stdout
    assert "3 of 3 steps (100%) done" in done.stdout
    assert not DONE.search(done.stdout)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_failure_is_told_at_once_with_reason_and_log(small, terminal):
    command = small_command(steps="bad-good", each=1)
    text = Seen(command, small).text if terminal else piped(command, small).stdout
    told = "bad 0 failed: disk 0 is full; free some; its log: logs/bad_0.log"
    assert text.count(told) == 1
    assert text.index(told) < text.index("Error in rule bad")
    status = (small / "results/STATUS").read_text()
    assert "1 job(s) failed; their logs say why:\n  bad 0: logs/bad_0.log" in status


def test_all_that_snakemake_says_of_errors_is_there(small):
    ours = piped(small_command(steps="bad", each=1), small).stdout
    (log,) = (small / ".snakemake/log").iterdir()
    text = (small / "Snakefile").read_text()
    (small / "Snakefile").write_text(text.partition("onstart:")[0])
    plain = piped(small_command(steps="bad", each=1, brief=False), small).stdout
    start = min(place for word in ("RuleException", "Error in rule") if (place := plain.find(word)) >= 0)
    wanted = [VARIES.sub("", line) for line in plain[start:].splitlines() if "Complete log" not in line]
    assert {"Error in rule bad:", "WorkflowError:", "12:00:00 error: disk 0 is full; free some"} <= set(wanted)
    assert [line for line in wanted if line not in VARIES.sub("", ours).splitlines()] == []
    assert "Error in rule bad:" in log.read_text()  # which --quiet rules otherwise keeps from it


@pytest.mark.parametrize("columns", [20, 40, 69])
def test_a_narrow_terminal_has_a_block_of_as_many_lines(small, columns):
    seen = Seen(small_command(each=3, pause=2), small, columns=columns, rows=12)
    assert seen.code == 0
    shots = [shot for shot in seen.shots if any("of 4 steps" in line for line in shot)]
    assert shots
    assert all(sum("of 4 steps" in line for line in shot) == 1 for shot in shots)  # nothing of an earlier block stays


@pytest.mark.parametrize("term", ["dumb", "unknown", ""])
def test_a_terminal_that_moves_no_cursor_is_none(small, term):
    seen = Seen(["env", f"TERM={term}", *small_command()], small)
    assert seen.code == 0
    assert CLEARED not in seen.raw
    assert any(DONE.match(line) for line in seen.lines)


def test_without_colours_a_block_has_none(small):
    seen = Seen(small_command("--nocolor", pause=3), small, NO_COLOR="1")
    assert any("tables" in block(shot) for shot in seen.shots)
    codes = set(re.findall(rb"\x1b\[([\d;]*)m", seen.raw))
    assert {code for code in codes if re.match(rb"(3|4|9|10)\d|.*;(3|4|9|10)\d", code)} == set()


def test_quiet_all_draws_nothing(small):
    seen = Seen([*small_command(brief=False), "--quiet", "all"], small)
    assert seen.code == 0
    assert CLEARED not in seen.raw
    assert not DONE.search(seen.text)


def test_an_interruption_leaves_the_terminal_as_it_was(small):
    seen = Seen(
        small_command(steps="slow", each=1),
        small,
        during=lambda seen: (small / "slow_0.started").exists() and seen.shots and block(seen.shots[-1]),
    )
    assert seen.code != 0
    assert "Terminating processes on user request" in seen.text
    assert HIDDEN not in seen.raw
    assert not seen.screen.cursor.hidden
    assert not block(seen.shots[-1])
    assert (small / "results/STATUS").read_text().startswith("Stopped")


def test_a_kill_leaves_the_cursor_where_it_can_be_seen(small):
    def killed(seen):
        if (small / "slow_0.started").exists() and seen.shots and block(seen.shots[-1]):
            os.kill(seen.process, signal.SIGKILL)
            return True
        return False

    seen = Seen([sys.executable, *small_command(steps="slow", each=1)[1:]], small, during=killed)
    assert seen.code == -signal.SIGKILL
    assert HIDDEN not in seen.raw
    assert not seen.screen.cursor.hidden


def test_a_plan_has_its_table_of_jobs_once(small):
    done = piped(small_command("-n", brief=False), small)
    assert len(re.findall(r"^job +count", done.stdout, flags=re.MULTILINE)) == 1
    assert done.stdout.index("rule good") < done.stdout.index("job      count")


def test_a_real_study_in_a_terminal_and_its_failure_in_both(tmp_path):
    run = "results/runs/digits/a000.json"
    seen = Seen(study_command(tmp_path, run), ROOT)
    assert seen.code == 0, seen.lines
    assert any("data" in block(shot) and "digits" in block(shot) for shot in seen.shots)
    assert any(line.startswith("5 of 5 steps done") or "steps done (100 %)" in line for line in seen.lines)
    assert "1 of 33 runs done" in (tmp_path / "results/STATUS").read_text()
    for folder in ("runs", "checkpoints"):
        (tmp_path / f"results/{folder}/digits/a000.json").unlink()
    packed = tmp_path / "data/packed/digits.bin"
    packed.write_bytes(packed.read_bytes()[:1000])
    told = "train digits a000 failed: "
    for text in (Seen(study_command(tmp_path, run), ROOT).text, piped(study_command(tmp_path, run), ROOT).stdout):
        assert told in text
        assert "its log: logs/train/digits/a000.log" in text
        assert "Error in rule train:" in text
