"""What goes on beside a running study: its status in a file and on the terminal, SLURM's queue, the jobs' order."""

import logging
import os
import sys
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

from engine.decoded import share_decoded
from engine.failures import failed_jobs
from engine.order import DataFirst
from engine.setup import DATA
from engine.warm import WarmStarts
from study import Study

PLAIN = "DefaultStreamHandler"  # of Snakemake's log
STOPPED = "Stopped before the end: Snakemake's log names what failed, if anything; the same command goes on."

log = logging.getLogger("snakemake.logging")


class Watching:
    """Begins and ends with the jobs of a workflow."""

    def __init__(self, workflow: Any, study: Study, local: bool) -> None:
        self.workflow, self.study, self.local = workflow, study, local
        self.status: Any = None
        self.queue: Any = None
        self.terminal: Any = None
        _print_plan_once(workflow)
        self.warm = WarmStarts()
        if workflow.remote_exec:  # a job's Snakemake calls no hooks
            share_decoded()  # first: a warm process and its clients have to have the same environment
            self.warm.offer(workflow)

    def start(self) -> None:
        """Before the first job."""
        from apr.watch.status import StatusWriter  # here: a plan and a job on a node need none
        from engine.terminal import Terminal

        workflow = self.workflow
        if workflow.executor_plugin.name == "slurm":
            self.queue = _watched_queue(workflow)
        plan = {task: self.study.planned(task) for task in self.study.run_here}
        self.terminal = Terminal(workflow)
        steps, shown = self.terminal.steps, self.terminal.shown
        self.status = StatusWriter(plan, ".", self._more, call=steps.call, shown=shown)
        self.status.start()
        share_decoded()
        # With a limit of the rate Snakemake looks at all ready jobs again every second, once more for each job that has
        # ended: after thousands of jobs it would do nothing else (JobScheduler.schedule).
        workflow.scheduler.job_rate_limiter = None
        self.warm.offer(workflow)
        DataFirst(workflow.scheduler, DATA, local=self.local)
        # It also records parameters as they were before the jobs ran (Persistence._params): whether all runs of a task
        # are there has to be asked again.
        workflow.persistence._params.cache_clear()

    def finish(self) -> None:
        """After the last job, when all that was asked for is there."""
        self.status.finish(map(str, self.workflow.dag_settings.targets or ()))
        self._stop()

    def stop(self) -> None:
        """After the last job, when something failed."""
        self.status.stop(STOPPED)
        self._stop()

    def _more(self) -> str:
        return failed_jobs(self.workflow.scheduler) + (self.queue.summary if self.queue else "")

    def _stop(self) -> None:
        self.terminal.close()
        if self.queue:
            self.queue.stop()


def _print_plan_once(workflow: Any) -> None:
    """A plan's table of jobs stands after its jobs, and not before them too."""
    tables = []

    def keep(record: logging.LogRecord) -> bool:
        if getattr(record, "event", None) != LogEvent.RUN_INFO:
            return True
        tables.append(record)
        return len(tables) > 1

    for handler in log.handlers if workflow.output_settings.dryrun else ():
        if handler.name == PLAIN:
            handler.addFilter(keep)


def _watched_queue(workflow: Any) -> Any:
    """Refuse to start where SLURM would refuse the jobs; else watch them."""
    from engine.slurm import QueueWatch, Refused, check_cluster, survivors

    try:
        check_cluster(workflow)
    except Refused as refused:
        sys.exit(f"error: {refused}")
    jobs = survivors(workflow.executor_settings.jobname_prefix, os.getcwd())
    if jobs:
        log.warning(
            f"{len(jobs)} SLURM job(s) of an earlier call still run here: {' '.join(jobs)}. What they train is waited "
            f"for and taken up; to end them: scancel {' '.join(jobs)}"
        )
    watch = QueueWatch(workflow.scheduler._executor.run_uuid)
    watch.start()
    return watch
