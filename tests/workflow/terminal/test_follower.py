"""What follows the jobs of a study costs them little, and stands aside where others write or nobody is to be told."""

import io
import logging
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from snakemake.logging import ColorizingTextHandler, DefaultFilter, DefaultFormatter
from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from engine import terminal
from engine.terminal import PLAIN, Terminal

JOBS = 13_000
BRIEF = {Quietness.RULES, Quietness.PROGRESS, Quietness.HOST, Quietness.REASON}


def workflow(jobs, quiet=BRIEF, failed=()):
    rule = SimpleNamespace(name="train", snakefile="/x/rules/training.smk")
    members = [SimpleNamespace(rule=rule, wildcards_dict={"task": f"t{number % 30}"}) for number in range(jobs)]
    return SimpleNamespace(
        rules=[rule],
        dag=SimpleNamespace(needrun_jobs=lambda: iter(members)),
        scheduler=SimpleNamespace(failed=failed, print_progress=False),
        output_settings=SimpleNamespace(quiet=quiet),
    )


@pytest.fixture
def plain():
    """Snakemake's own handler, writing into a text; the log is as it was afterwards."""
    log, handler = terminal.log, ColorizingTextHandler(nocolor=True, stream=io.StringIO())
    before, level, handler.name = list(log.handlers), log.level, PLAIN
    handler.addFilter(DefaultFilter(BRIEF, False, False, False, False))
    handler.setFormatter(DefaultFormatter(BRIEF, True))
    log.handlers[:] = [handler]
    log.setLevel(logging.INFO)
    yield handler
    log.handlers[:] = before
    log.setLevel(level)


def say(event, message="", level=logging.INFO, **extra):
    terminal.log.log(level, message, extra={"event": event, **extra})


def start(number, tmp_path):
    wildcards = {"task": f"t{number % 30}", "model": f"a{number:05d}"}
    log = [str(tmp_path / "none.log")]
    say(LogEvent.JOB_INFO, jobid=number, rule_name="train", wildcards=wildcards, log=log)


def test_jobs_are_counted_and_cost_little(plain, tmp_path, record_property):
    followed = Terminal(workflow(JOBS))
    began = time.process_time()
    for number in range(JOBS):
        say(LogEvent.JOB_STARTED, "Execute 1 jobs...", jobs=[number])
        start(number, tmp_path)
        if number % 2:
            say(LogEvent.JOB_FINISHED, job_id=number)
            say(LogEvent.PROGRESS, done=number, total=JOBS)
    seconds = time.process_time() - began
    call = followed.steps.call()
    assert (call.all.total, call.all.done, call.all.running) == (JOBS, JOBS // 2, JOBS // 2)
    assert len(call.counted) == 30
    assert plain.stream.getvalue() == ""  # a line a minute says it
    followed.close()
    rate = 3 * JOBS / seconds
    record_property("measured", f"the terminal's events of {JOBS:,} jobs: {seconds:.1f} s of CPU, {rate:,.0f} a second")


def failure(number, **more):
    message = dict(msg=None, rule_msg=None, input=[], conda_env=None, container_img=None, aux={}, shellcmd="x")
    message.pop("msg")
    fields = message | dict(jobid=number, rule_name="train", log=[], output=[], indent=False) | more
    say(LogEvent.JOB_ERROR, "Error in rule", logging.ERROR, **fields)


def test_of_a_failed_group_those_are_told_that_made_nothing(plain, tmp_path):
    Terminal(workflow(2))
    (tmp_path / "there.json").touch()
    for number, name in enumerate(("there", "gone")):
        start(number, tmp_path)
        failure(number, output=[str(tmp_path / f"{name}.json")], indent=True)
    said = plain.stream.getvalue()
    assert "train t1 a00001 failed; it has no log" in said
    assert "a00000 failed" not in said
    assert Counter(said.split())["rule"] == 2  # what Snakemake says is whole


@pytest.mark.parametrize("quiet", [{Quietness.ALL}, BRIEF])
def test_where_others_write_or_nobody_is_to_be_told_nothing_changes(plain, quiet):
    if quiet is BRIEF:
        plain.name = "another"
    followed = Terminal(workflow(2, quiet))
    assert followed.shown is None
    assert terminal.log.handlers == [plain]
    followed.close()
