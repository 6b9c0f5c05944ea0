"""In which order Snakemake starts jobs: data come first, so that a bad dataset shows before hours of training."""

import random
from collections.abc import Collection
from typing import Any

from apr.runs.ways import WAYS

DOWNLOAD = "download_file"  # waits for the network: meanwhile others may use the processor
RUNS = set(WAYS)  # the rule of a way is named as it is


class DataFirst:
    """Lets no training start while data are to be prepared; a dataset that fails holds up nobody.

    Snakemake's own `priority` does not do: of thousands of ready jobs it looks at a random few (`scheduler-subsample`),
    and a job that needs several cores waits as long as short ones take each core that becomes free.

    Attributes:
        scheduler: Snakemake's, whose selection of jobs is replaced.
        rules: names of the rules that prepare data.
        local: whether all jobs run on this machine: there trainings also wait for a dataset that is being prepared,
            since what comes next for it needs the cores. On a cluster they wait until its job is submitted.
    """

    def __init__(self, scheduler: Any, rules: Collection[str], local: bool) -> None:
        self.scheduler, self.rules, self.local = scheduler, set(rules), local
        self._most, scheduler.subsample = scheduler.subsample, None
        self._select, scheduler.job_selector = scheduler.job_selector, self.select

    def select(self, jobs: Collection[Any]) -> list[Any]:
        """Those of the ready jobs that start now."""
        data = {job for job in jobs if not self.rules.isdisjoint(job.rules)}
        started = list(self._select(data)) if data else []
        awaited = data.difference(() if self.local else started)
        if self.local:
            awaited |= {job for job in self.scheduler.running if not self.rules.isdisjoint(job.rules)}
        others = set(jobs) - data
        if any(DOWNLOAD not in job.rules for job in awaited):
            others = {job for job in others if RUNS.isdisjoint(job.rules)}
        if self._most and len(others) > self._most:
            others = set(random.sample(tuple(others), k=self._most))
        return started + (list(self._select(others)) if others else [])
