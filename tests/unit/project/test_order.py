"""In which order jobs start: data before trainings, whatever Snakemake's own selection would take."""

import pytest

from engine.order import DataFirst

DATA = {"download_file", "verify_source", "pack_dataset"}


class Job:
    def __init__(self, rule, cores=1):
        self.rules, self.cores = {rule}, cores

    def __repr__(self):
        return next(iter(self.rules))


class Scheduler:
    """Starts what fits the free cores, trainings first, as bad luck may have it."""

    def __init__(self, cores=2, subsample=50):
        self.cores, self.subsample, self.running = cores, subsample, set()

    def job_selector(self, jobs):
        started = []
        for job in sorted(jobs, key=lambda job: "train" not in job.rules):
            if job.cores <= self.cores:
                self.cores -= job.cores
                started.append(job)
        return started


def started(scheduler, ready, local=True):
    DataFirst(scheduler, DATA, local)
    return sorted(map(repr, scheduler.job_selector(ready)))


@pytest.mark.parametrize("local", [True, False])
def test_data_are_prepared_before_anything_is_trained(local):
    ready = [Job("train") for _ in range(1000)] + [Job("pack_dataset", cores=2)]
    assert started(Scheduler(), ready, local) == ["pack_dataset"]


def test_trainings_do_not_take_the_cores_that_data_wait_for():
    assert started(Scheduler(cores=1), [Job("train"), Job("pack_dataset", cores=2)]) == []
    assert started(Scheduler(cores=1), [Job("fig_a"), Job("train"), Job("pack_dataset", cores=2)]) == ["fig_a"]


@pytest.mark.parametrize(("local", "expected"), [(True, []), (False, ["train"])])
def test_on_one_machine_trainings_wait_for_data_in_preparation(local, expected):
    scheduler = Scheduler(cores=1)
    scheduler.running = {Job("verify_source")}
    assert started(scheduler, [Job("train")], local) == expected


def test_a_download_alone_holds_up_nobody():
    scheduler = Scheduler(cores=1)
    scheduler.running = {Job("download_file")}
    assert started(scheduler, [Job("train")]) == ["train"]
    assert started(Scheduler(cores=2), [Job("train"), Job("download_file")]) == ["download_file", "train"]
    assert started(Scheduler(cores=1), [Job("train"), Job("download_file")]) == ["download_file"]


def test_without_data_trainings_start_and_few_of_many_are_looked_at():
    looked_at = []
    scheduler = Scheduler(subsample=50)
    scheduler.job_selector = lambda jobs: looked_at.append(len(jobs)) or list(jobs)[:2]
    assert started(scheduler, [Job("train") for _ in range(1000)]) == ["train", "train"]
    assert looked_at == [50]
    assert scheduler.subsample is None
