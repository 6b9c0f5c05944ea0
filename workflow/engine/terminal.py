"""What is seen of a study that runs: on a terminal one block, elsewhere a line a minute, and failures at once.

Snakemake's own handler still writes, as its options say. It is given all errors, which `--quiet rules` would keep back.
"""

import logging
import os
import re
import time
from collections import Counter
from pathlib import PurePath
from typing import Any

from snakemake.settings.enums import Quietness
from snakemake_interface_logger_plugins.common import LogEvent

from apr.runs.ways import WAYS
from apr.watch.progress import State
from apr.watch.steps import RUNS, Key, Steps, reason
from engine.block import line
from engine.failures import given_up, was_stopped
from engine.screen import Above, Screen, can_draw

PLAIN = "DefaultStreamHandler"
FILE = "DefaultLogFileHandler"
RUN_RULES = {*WAYS, "finetune_rung"}
STAGES = {  # by the file of a rule; all others make tables and figures
    **dict.fromkeys(("sources", "datasets"), "data"),
    "models": "models",
    **dict.fromkeys(("training", "finetuning", "search", "evaluation", "published", "scores"), "scores"),
}
LAST = "tables and figures"
ORDER = ("data", "models", RUNS, "scores", LAST)
ERRORS = {LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR, LogEvent.ERROR}
CHATTER = "Select jobs to execute..."
OF_A_JOB = re.compile(r"\d\d:\d\d:\d\d (?!error)(.*)")  # a warning of a job, as `apr.basics.logs` writes it

log = logging.getLogger("snakemake.logging")


class Terminal:
    """Follows the jobs of a workflow, from before the first to after the last.

    Attributes:
        steps: counts them.
        shown: where the state is shown; None where nobody looks.
    """

    def __init__(self, workflow: Any) -> None:
        stages = {rule.name: _stage(rule) for rule in workflow.rules}
        planned = Counter(_key(stages, job.rule.name, job.wildcards_dict) for job in workflow.dag.needrun_jobs())
        ordered = {key: planned[key] for key in sorted(planned, key=lambda key: ORDER.index(key[0]))}
        scheduler = workflow.scheduler

        def failed() -> Counter:
            return Counter(_key(stages, job.rule.name, job.wildcards_dict) for job in given_up(scheduler))

        self.steps, self.shown, self._follower = Steps(ordered, failed, time.time), None, None
        plain = next((handler for handler in log.handlers if handler.name == PLAIN), None)
        quiet = workflow.output_settings.quiet or set()
        if not plain or Quietness.ALL in quiet:
            return
        for handler in log.handlers:
            if handler.name == FILE:  # the complete log is complete
                for one in handler.filters:
                    one.quiet = set()
        scheduler.print_progress = True
        self.shown = _shown(self.steps, quiet)
        self._follower = _Follower(plain, self.shown, self.steps, stages, quiet)
        log.removeHandler(plain)
        log.addHandler(self._follower)

    def close(self) -> None:
        """Give the terminal back to Snakemake, with a line of how far it came."""
        if self._follower:
            self._follower.leave()


class _Lines:
    """A line a minute."""

    every = 60.0

    def show(self, state: State) -> None:
        log.info(line(state))


def _shown(steps: Steps, quiet: set) -> Any:
    if can_draw():
        return Screen(lambda text: (found := OF_A_JOB.match(text)) and steps.warned(found[1]))
    # otherwise Snakemake itself says after each job how many are done
    return _Lines() if Quietness.PROGRESS in quiet else None


class _Follower(logging.Handler):
    """Stands in the place of Snakemake's handler: counts, says at once what failed and why, and hands on."""

    def __init__(self, plain: Any, shown: Any, steps: Steps, stages: dict[str, str], quiet: set) -> None:
        super().__init__()
        self.name = PLAIN
        self.plain, self.steps, self.stages, self.quiet = plain, steps, stages, quiet
        self.names: dict[int, str] = {}
        self.screen = shown if isinstance(shown, Screen) else None
        self.stream = plain.stream
        if self.screen:
            self.screen.open()
            plain.setStream(Above(self.screen))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._count(record)
        except Exception:
            self.handleError(record)
        if self._wanted(record):
            self.plain.emit(record)

    def leave(self) -> None:
        """Give the terminal back."""
        if self.screen:
            self.plain.setStream(self.stream)
            if self.screen.close() and self.screen.state:
                log.info(line(self.screen.state))

    def close(self) -> None:
        """At Snakemake's end, whatever ended it."""
        self.leave()
        self.plain.close()
        super().close()

    def _count(self, record: Any) -> None:
        event = getattr(record, "event", None)
        if event == LogEvent.JOB_INFO:
            self.names[record.jobid] = " ".join([record.rule_name, *map(str, record.wildcards.values())])
            key = _key(self.stages, record.rule_name, record.wildcards)
            self.steps.started(record.jobid, key, record.log[0] if record.log else "")
        elif event == LogEvent.JOB_FINISHED:
            self.steps.ended(record.job_id)
        elif event == LogEvent.JOB_ERROR:
            self.steps.stopped(record.jobid)
            # of a group all jobs are named, also those that had ended
            if not (record.indent and record.output and all(map(os.path.exists, record.output))):
                log.error(self._told(record))
        elif event is None and record.levelno == logging.WARNING:
            self.steps.warned(str(record.msg).partition("\n")[0])

    def _told(self, record: Any) -> str:
        name = self.names.get(record.jobid, record.rule_name)
        why = next(filter(None, map(reason, record.log)), "")
        where = f"its log: {', '.join(record.log)}" if record.log else "it has no log"
        what = "was stopped" if any(map(was_stopped, record.log)) else "failed"
        return f"{name} {what}{f': {why}' if why else ''}; {where}"

    def _wanted(self, record: logging.LogRecord) -> bool:
        event = getattr(record, "event", None)
        if event in ERRORS:
            return True
        if Quietness.PROGRESS in self.quiet and (event == LogEvent.JOB_STARTED or record.msg == CHATTER):
            return False
        return bool(self.plain.filter(record))


def _stage(rule: Any) -> str:
    parts = PurePath(str(rule.snakefile)).parts
    name = parts[parts.index("rules") + 1] if "rules" in parts else ""
    return STAGES.get(name.removesuffix(".smk"), LAST)


def _key(stages: dict[str, str], rule: str, wildcards: dict[str, str]) -> Key:
    return (RUNS, wildcards["task"]) if rule in RUN_RULES else (stages[rule], "")
