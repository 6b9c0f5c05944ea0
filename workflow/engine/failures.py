"""Which jobs of this call failed, for the status of a study."""

import os
from collections.abc import Iterator
from typing import Any

SHOWN = 5
TAIL = 2000  # bytes of a log's end
STOPPED = b" interrupted by SIG"  # what a job that a signal ends says last (`apr.basics.logs`)


def given_up(scheduler: Any) -> Iterator[Any]:
    """The jobs that Snakemake's scheduler has given up; of a group those whose outputs are not there."""
    for job in list(scheduler.failed):
        for member in job.jobs if job.is_group() else [job]:
            if not (job.is_group() and all(map(os.path.exists, member.output))):
                yield member


def failed_jobs(scheduler: Any) -> str:
    """A line for each job that Snakemake's scheduler has given up, with its log; at most SHOWN, then how many more."""
    failed, stopped = [], []
    for job in given_up(scheduler):
        of = " ".join(map(str, job.wildcards))
        line = f"  {job.rule.name} {of}: {', '.join(map(str, job.log)) or 'has no log'}\n"
        (stopped if any(map(was_stopped, job.log)) else failed).append(line)
    return _listed(failed, "failed; their logs say why") + _listed(
        stopped, "stopped by a signal; the same command continues them"
    )


def was_stopped(log: Any) -> bool:
    """Whether a signal ended the job of a log."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.path.getsize(log) - TAIL))
            lines = file.read().splitlines()
    except OSError:
        return False
    return any(STOPPED in line for line in lines[-2:])


def _listed(jobs: list[str], what: str) -> str:
    if not jobs:
        return ""
    more = f"  and {len(jobs) - SHOWN:,} more\n" if len(jobs) > SHOWN else ""
    return f"{len(jobs):,} job(s) {what}:\n{''.join(sorted(jobs)[:SHOWN])}{more}"
