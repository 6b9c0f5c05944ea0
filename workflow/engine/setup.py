"""What the Snakefile does with Snakemake itself: check the study, keep plans cheap, let rules follow their code."""

import functools
import gc
import hashlib
import inspect
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import snakemake.exceptions
from snakemake.common import overwrite_function_params
from snakemake.jobs import Job
from snakemake.resources import Resource
from snakemake.settings.enums import Quietness

from apr.basics.problems import Problem
from code_digest import digest
from locked import unlocking, why_locked
from study import ROOT, Study, study_of

SCRIPTS = ROOT / "workflow/scripts"
# What a script's text or time says, profiles/default leaves out. Training, evaluating and preparing data depend on
# inputs and parameters alone, and so does what they are made from: where a change of its code changes what it makes, a
# `revision` is raised by hand. All other rules carry a digest of what their script runs.
RAISED_BY_HAND = {"download_file", "verify_source", "unpack_source", "pack_dataset", "select_view"}
DATA = frozenset(RAISED_BY_HAND)
RAISED_BY_HAND |= {"rank_runs", "halve_cells", "choose_cell"}


def started_study(workflow: Any, config: dict[str, Any]) -> Study:
    """The study that a workflow was started with, checked in the process that the user started.

    Raises:
        SystemExit: the configuration has errors; all are named.
    """
    plan_cheaply()
    # the interpreter that runs Snakemake also trains, whether its environment is activated or not
    os.environ.update(PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()]))
    if not workflow.is_main_process:
        return study_of(config)
    snakemake.exceptions.LockException = Locked  # which Snakemake looks up there when it finds a lock
    from checks.config import checked_study

    try:
        return checked_study(config, workflow.overwrite_configfiles or [ROOT / "config.yaml"])
    except Problem as problem:
        sys.exit(f"error: {problem}")


class Locked(SystemExit):
    """In place of Snakemake's own exception, whose message does not say how far the other run is."""

    def __init__(self) -> None:
        folder = os.getcwd()
        other = f"{folder}: another run works on the same files; wait for it, or {unlocking(Path(folder))}"
        super().__init__(f"error: {why_locked(folder) or other}")


def given_files(workflow: Any) -> dict[str, str]:
    """The study's files by what they are called, those of the project as it calls them."""
    paths = [Path(path).absolute() for path in dict.fromkeys(workflow.configfiles)]
    return {str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path): str(path) for path in paths}


def given_digest(workflow: Any) -> str:
    """A digest of what the study's files say, comments included."""
    texts = [Path(path).read_bytes() for path in given_files(workflow).values()]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()


def own_rules(workflow: Any) -> dict[str, Any]:
    """This project's rules by their names in it: a workflow that it is a module of has others, and may rename these."""
    return {name: proxy.rule for name, proxy in workflow.modifier.rule_proxies._rules.items()}


def follow_code(workflow: Any) -> None:
    """Give every rule with a script, but for those of data, the digest of what it runs."""
    for name, rule in own_rules(workflow).items():
        if rule.script and name not in RAISED_BY_HAND:
            rule.set_params(code=_code_of(rule.script))


def run_locally(workflow: Any, submitted: Collection[str]) -> None:
    """Let all rules but those that are `submitted` run where Snakemake runs, also beside a cluster."""
    workflow.localrules(*(rule.name for name, rule in own_rules(workflow).items() if name not in submitted))


def _code_of(script: str) -> Callable[[Any], str]:
    """A parameter that changes with a script and with what it imports; computed once a job of it is planned."""
    return lambda wildcards: digest(SCRIPTS / Path(script).name)


def asked_often(function: Callable) -> Callable:
    """Keep what Snakemake asks of a function for each of thousands of jobs: its signature."""
    overwrite_function_params(function, inspect.signature(function).parameters)
    return function


def plan_cheaply() -> None:
    """What Snakemake asks again for each of thousands of jobs is asked once."""
    # a plan of 13,000 jobs is millions of objects that live on: looking at them again is a quarter of the time
    gc.set_threshold(1_000_000)
    asked_often(Resource.evaluate)
    if not isinstance(Job.shellcmd, _OfTheLastJob):
        Job.shellcmd = _OfTheLastJob(Job.shellcmd.fget)
        Job.log_info = _where_shown(Job.log_info)


class _OfTheLastJob(property):
    """A job's shell command, which Snakemake puts together three times in a row to tell of the job."""

    def __init__(self, plain: Callable[[Any], str | None]) -> None:
        self._last: tuple[Any, int, str | None] | None = None

        def shellcmd(job: Any) -> str | None:
            # another attempt has other resources, and perhaps another command
            if self._last is None or self._last[0] is not job or self._last[1] != job.attempt:
                self._last = (job, job.attempt, plain(job))
            return self._last[2]

        super().__init__(shellcmd)


def _where_shown(log_info: Callable[..., None]) -> Callable[..., None]:
    """Telling of a job, left out where nothing shows it: in a dry run with `--quiet rules`.

    The first job of each rule is told all the same, so that a command or resource that cannot be put together fails.
    """
    told = set()

    @functools.wraps(log_info)
    def where_shown(job: Any, *arguments: Any, **options: Any) -> None:
        settings = job.dag.workflow.output_settings
        shown = not settings.dryrun or Quietness.RULES not in (settings.quiet or ()) or settings.log_handler_settings
        if shown or job.rule not in told:
            told.add(job.rule)
            log_info(job, *arguments, **options)

    return where_shown
