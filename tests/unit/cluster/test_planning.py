"""What Snakemake asks again and again while it plans."""

import inspect
from types import SimpleNamespace

import pytest
from snakemake.jobs import Job
from snakemake.resources import Resource
from snakemake.settings.enums import Quietness

from engine.setup import asked_often, plan_cheaply


@pytest.fixture
def told(monkeypatch):
    """The jobs that were told of, while `Job.log_info` is what planning makes of it."""
    found = []
    monkeypatch.setattr(Job, "shellcmd", property(lambda job: ""))
    monkeypatch.setattr(Job, "log_info", lambda job, indent=False: found.append(f"{job.name}{' in a group' * indent}"))
    plan_cheaply()
    plan_cheaply()
    return found


@pytest.fixture
def asked(monkeypatch):
    """The jobs whose command was put together, while `Job.shellcmd` is what planning makes of it."""
    found = []
    monkeypatch.setattr(Job, "shellcmd", property(lambda job: found.append(job.name) or f"{job.name} {job.attempt}"))
    plan_cheaply()
    plan_cheaply()  # as every Snakefile that is read does
    return found


def test_a_command_is_put_together_once_for_each_job_and_attempt(asked):
    one, two = (SimpleNamespace(name=name, attempt=1) for name in ("one", "two"))
    commands = [Job.shellcmd.fget(job) for job in (one, one, one, two, two, one)]
    assert commands == ["one 1", "one 1", "one 1", "two 1", "two 1", "one 1"]
    assert asked == ["one", "two", "one"]
    one.attempt = 2
    assert Job.shellcmd.fget(one) == "one 2"


def test_functions_that_are_asked_often_take_what_they_took(asked):
    function = asked_often(lambda wildcards, attempt: (wildcards, attempt))
    assert function("w", 2) == ("w", 2)
    assert list(function._overwrite_params) == ["wildcards", "attempt"]
    size = Resource("mem_mb", lambda wildcards, attempt, **others: 100 * attempt)
    assert size.evaluate(SimpleNamespace(), attempt=3, threads=1).value == 300
    assert inspect.Parameter.VAR_KEYWORD in {one.kind for one in Resource.evaluate._overwrite_params.values()}


@pytest.mark.parametrize(
    ("dryrun", "quiet", "plugins", "shown"),
    [
        (True, {Quietness.RULES}, {}, ["a1", "b1"]),
        (True, {Quietness.RULES, Quietness.REASON}, {}, ["a1", "b1"]),
        (True, {Quietness.REASON}, {}, ["a1", "a2", "b1", "a3"]),
        (True, None, {}, ["a1", "a2", "b1", "a3"]),
        (True, {Quietness.RULES}, {"own": "settings"}, ["a1", "a2", "b1", "a3"]),
        (False, {Quietness.RULES}, {}, ["a1", "a2", "b1", "a3"]),
    ],
)
def test_a_quiet_plan_puts_only_the_first_job_of_a_rule_into_words(told, dryrun, quiet, plugins, shown):
    settings = SimpleNamespace(dryrun=dryrun, quiet=quiet, log_handler_settings=plugins)
    dag = SimpleNamespace(workflow=SimpleNamespace(output_settings=settings))
    for name in ("a1", "a2", "b1", "a3"):
        Job.log_info(SimpleNamespace(name=name, rule=name[0], dag=dag), indent=name == "b1")
    assert told == [f"{name}{' in a group' * (name == 'b1')}" for name in shown]
