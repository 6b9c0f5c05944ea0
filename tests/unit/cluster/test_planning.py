"""What Snakemake asks again and again while it plans."""

import inspect
from types import SimpleNamespace

import pytest
from snakemake.jobs import Job
from snakemake.resources import Resource

from engine.setup import asked_often, plan_cheaply


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
