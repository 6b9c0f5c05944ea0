"""What Snakemake tells of its jobs, as it is counted, said at once or kept back; and the stream above a block."""

import io
import logging
import os
from types import SimpleNamespace

import pytest
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from apr.watch.steps import RUNS, Counted
from engine import screen, terminal
from engine.screen import Above, Screen
from engine.terminal import CHATTER, FILE, LAST, PLAIN, Terminal

BRIEF = {Quietness.RULES, Quietness.PROGRESS}
RULES = {
    "train": "/x/rules/training.smk",
    "finetune_rung": "rules/search.smk",
    "pack_dataset": "/x/rules/datasets.smk",
    "table_regret": "/x/rules/ranks/tables.smk",
    "sample_population": "/x/rules/models.smk",
    "all": "/x/Snakefile",
}


class Plain(logging.StreamHandler):
    """As Snakemake's own: keeps some records back."""

    def __init__(self):
        super().__init__(io.StringIO())
        self.name = PLAIN
        self.addFilter(lambda record: "kept back" not in record.getMessage())


def job(rule, **wildcards):
    return SimpleNamespace(rule=SimpleNamespace(name=rule), wildcards_dict=wildcards)


def workflow(quiet=BRIEF, failed=()):
    rules = [SimpleNamespace(name=name, snakefile=file) for name, file in RULES.items()]
    jobs = [job("all"), job("table_regret"), job("train", task="b"), job("train", task="a"), job("train", task="a")]
    jobs += [job("finetune_rung", task="a"), job("pack_dataset", dataset="a"), job("sample_population")]
    return SimpleNamespace(
        rules=rules,
        dag=SimpleNamespace(needrun_jobs=lambda: iter(jobs)),
        scheduler=SimpleNamespace(failed=failed, print_progress=False),
        output_settings=SimpleNamespace(quiet=quiet),
    )


@pytest.fixture
def plain():
    log = terminal.log
    before, level = list(log.handlers), log.level
    log.handlers[:] = [Plain()]
    log.setLevel(logging.INFO)
    yield log.handlers[0]
    log.handlers[:] = before
    log.setLevel(level)


def say(event=None, message="", level=logging.INFO, **extra):
    terminal.log.log(level, message, extra={"event": event, **extra})


def begin(number=1, **changes):
    about = {"rule_name": "train", "wildcards": {"task": "a", "model": "a001"}, "log": ["a.log"]} | changes
    say(LogEvent.JOB_INFO, jobid=number, **about)


def failure(number=1, **changes):
    about = {"rule_name": "train", "log": ["none.log"], "output": [], "indent": False} | changes
    say(LogEvent.JOB_ERROR, "Error in rule", logging.ERROR, jobid=number, **about)


def test_steps_are_planned_by_stage_and_task_in_the_order_of_stages(plain):
    followed = Terminal(workflow())
    assert list(followed.steps.planned.items()) == [
        *((("data", ""), 1), (("models", ""), 1), ((RUNS, "b"), 1), ((RUNS, "a"), 3)),
        ((LAST, ""), 2),
    ]


def test_jobs_are_counted_as_they_come_and_go(plain):
    given_up = SimpleNamespace(**vars(job("train", task="b")), is_group=lambda: False)
    flow = workflow(failed=[given_up])
    followed = Terminal(flow)
    assert flow.scheduler.print_progress is True
    for number in (1, 2, 3):
        begin(number)
    begin(4, rule_name="pack_dataset", wildcards={"dataset": "a"}, log=[])
    say(LogEvent.JOB_FINISHED, job_id=1)
    say(LogEvent.JOB_FINISHED, job_id=4)
    failure(2)
    call = followed.steps.call()
    assert call.of("a") == Counted(3, 1, 1, 0, call.of("a").seconds)
    assert call.of("b") == Counted(1, 0, 0, 1)
    assert call.stages["data"].done == 1


def test_a_failure_is_told_with_its_job_reason_and_log(plain, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full.log").write_text("12:00:00 begin\n12:00:01 error: disk is full; free some\n")
    (tmp_path / "ended.log").write_text("12:00:01 interrupted by SIGTERM; run again\n")
    Terminal(workflow())
    begin()
    failure(log=["none.log", "full.log"])
    failure(7, log=["ended.log"])
    failure(8, log=[])
    told = [line for line in plain.stream.getvalue().splitlines() if line not in ("", "Error in rule")]
    assert told == [
        "train a a001 failed: disk is full; free some; its log: none.log, full.log",
        "train was stopped: interrupted by SIGTERM; run again; its log: ended.log",
        "train failed; it has no log",
    ]


@pytest.mark.parametrize(
    ("indent", "outputs", "told"),
    [(True, ["there"], 0), (True, ["there", "gone"], 1), (True, [], 1), (False, ["there"], 1)],
)
def test_of_a_group_those_that_had_ended_did_not_fail(plain, tmp_path, monkeypatch, indent, outputs, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").touch()
    Terminal(workflow())
    failure(indent=indent, output=outputs)
    assert plain.stream.getvalue().count("train failed") == told


def test_warnings_are_counted_by_their_first_line(plain):
    followed = Terminal(workflow())
    say(None, "beware\nof this", logging.WARNING)
    say(None, "no warning")
    say(LogEvent.PROGRESS, "an event", logging.WARNING)
    assert followed.steps.call().warnings == (1, "beware")


def test_what_is_kept_back(plain):
    Terminal(workflow())
    for message in ("said", "kept back", CHATTER):
        say(None, message)
    say(LogEvent.JOB_STARTED, "Execute 1 jobs...")
    say(LogEvent.ERROR, "an error, kept back by others", logging.ERROR)
    say(LogEvent.GROUP_ERROR, "of a group, kept back by others", logging.ERROR)
    assert plain.stream.getvalue().splitlines() == [
        "said",
        "an error, kept back by others",
        "of a group, kept back by others",
    ]


def test_by_hand_snakemake_says_all(plain):
    silent = Terminal(workflow(quiet={Quietness.ALL}))
    assert (silent.shown, terminal.log.handlers) == (None, [plain])
    silent.close()
    followed = Terminal(workflow(quiet=None))
    say(LogEvent.JOB_STARTED, "Execute 1 jobs...")
    say(None, CHATTER)
    assert plain.stream.getvalue().splitlines() == ["Execute 1 jobs...", CHATTER]
    assert followed.shown is None


def test_without_a_terminal_there_is_a_line_a_minute(plain):
    followed = Terminal(workflow())
    assert followed.shown.every == 60
    followed.shown.show(SimpleNamespace(call=followed.steps.call(), tasks={}, time_left="unknown"))
    assert plain.stream.getvalue() == "0 of 8 steps done (0 %)\n"


def test_the_complete_log_is_complete_and_a_record_that_cannot_be_counted_is_said(plain, monkeypatch):
    file = logging.StreamHandler(io.StringIO())
    file.name, kept = FILE, SimpleNamespace(quiet=BRIEF, filter=lambda record: True)
    file.addFilter(kept)
    terminal.log.addHandler(file)
    faults = []
    monkeypatch.setattr(logging.Handler, "handleError", lambda self, record: faults.append(record.msg))
    Terminal(workflow())
    assert kept.quiet == set()
    say(LogEvent.JOB_FINISHED, "odd")  # it names no job
    assert faults == ["odd"]
    assert plain.stream.getvalue() == "odd\n"


class Drawn:
    """A screen that keeps what it is given."""

    def __init__(self):
        self.said, self.state, self.closed = [], None, 0

    def say(self, text):
        self.said.append(text)

    def open(self):
        self.said.append("open")

    def close(self):
        self.closed += 1
        return self.closed == 1


def test_a_stream_above_a_block_says_whole_lines():
    drawn = Drawn()
    above = Above(drawn)
    assert above.write("a\nb\nc") == 5
    assert above.write("d") == 1
    above.write("\n\nend")
    assert drawn.said == ["a\nb", "cd\n"]


def test_a_terminal_is_given_back_once_with_a_line(plain, monkeypatch):
    class Fake(Drawn):
        def __init__(self, heard):
            super().__init__()
            self.heard = heard

    monkeypatch.setattr(terminal, "Screen", Fake)
    monkeypatch.setattr(terminal, "can_draw", lambda: True)
    followed, stream = Terminal(workflow()), plain.stream
    drawn = followed.shown
    assert (drawn.said, isinstance(stream, Above)) == (["open"], True)
    assert terminal.log.handlers[0].name == PLAIN
    for text in ("12:00:00 beware", "12:00:00 error: no", "beware", "12:00:00 again"):
        drawn.heard(text)
    assert followed.steps.call().warnings == (2, "again")
    say(None, "said")
    assert drawn.said == ["open", "said"]
    drawn.state = SimpleNamespace(call=followed.steps.call(), tasks={}, time_left="unknown")
    for _ in range(2):
        followed.close()
    assert plain.stream.getvalue() == "0 of 8 steps done (0 %)\n"
    assert drawn.closed == 2
    terminal.log.handlers[0].close()
    assert drawn.closed == 3


@pytest.mark.parametrize(
    ("terminal_of", "term", "drawn"),
    [
        ((2,), "xterm", True),
        ((0, 1), "xterm", False),
        ((2,), "dumb", False),
        ((2,), "unknown", False),
        ((2,), None, False),
    ],
)
def test_a_block_needs_a_terminal_that_moves_its_cursor(monkeypatch, terminal_of, term, drawn):
    monkeypatch.setattr(os, "isatty", lambda number: number in terminal_of)
    monkeypatch.setenv("TERM", term or "")
    assert screen.can_draw() is drawn
    monkeypatch.delenv("TERM")
    assert screen.can_draw() is False


def test_lines_are_shown_above_the_block_and_heard():
    heard, said = [], []
    one = Screen(heard.append)
    assert (one.every, one.close()) == (2.0, False)  # it was never opened
    one.say = said.append
    one._pass_on([b"a", b"b \xff"])
    one._pass_on([])
    assert (heard, said) == (["a", "b \\xff"], ["a\nb \\xff"])
