"""Batches and time limits of a cluster, and what is said of a queue."""

import logging
import signal
import subprocess
import sys
import time

import pytest
from waits import LONGEST

from apr.runs.ways import WAYS
from cluster.estimates import batch_size, time_limit, training_images, training_minutes
from engine.slurm import QueueWatch
from study import ROOT, read_yaml, study_of

PAPER = read_yaml(ROOT / "config.yaml")


@pytest.fixture(scope="module")
def paper():
    return study_of(PAPER)


@pytest.mark.parametrize(
    ("task", "images"),
    [("imagenet", 1_281_167), ("imagenet_100", 128_117), ("imagenet_2", 2_563), ("imagenet_1000_10", 10_000)],
)
def test_the_images_of_a_view_follow_from_the_dataset(paper, task, images):
    assert training_images(paper, paper.tasks[task]) == images


def test_time_follows_images_epochs_and_speed(paper):
    assert training_minutes(paper, "imagenet") == pytest.approx(0.5 + 1_281_167 * 10 / 1000 / 60)
    assert training_minutes(paper, "cifar10_200ep") > 6 * training_minutes(paper, "cifar10")
    # epochs 21 to 100 of it
    assert training_minutes(paper, "powerline_100ep") == pytest.approx(0.5 + 7_200 * 80 / 1000 / 60)
    fast = study_of(PAPER | {"images_per_second": 4000})
    assert training_minutes(fast, "imagenet") < training_minutes(paper, "imagenet") / 3.9


def test_jobs_last_about_as_long_as_asked_and_no_training_is_split(paper):
    for task in paper.tasks:
        minutes, size = training_minutes(paper, task), batch_size(paper, task)
        assert size == 1 or 30 < size * minutes <= 60
    shared = study_of(PAPER | {"per_gpu": 3})
    assert batch_size(shared, "imagenet_2") == pytest.approx(3 * batch_size(paper, "imagenet_2"), abs=2)


def test_every_way_of_making_runs_asks_for_a_gpu_where_the_profile_says_so():
    resources = read_yaml(ROOT / "slurm/config.yaml")["set-resources"]
    assert {way for way in WAYS if "gpu" in resources.get(way, {}).get("gres", "")} == set(WAYS)


def test_pretrained_models_are_given_ten_times_the_time():
    task = {"finetune": "tune", "metric": "macro_f1", "view": "digits", "models": ["timm:resnet18.a1_in1k"]}
    config = read_yaml(ROOT / "studies/demo.yaml")
    config["tasks"] = {"photos": config["tasks"]["photos"], "tuned": task | {"epochs": 4}}
    config["comparisons"], config["regimes"]["tune"]["resolution"] = {}, None
    study = study_of(config)
    shown = training_images(study, study.tasks["tuned"]) * 4
    assert training_minutes(study, "tuned") == pytest.approx(0.5 + 10 * shown / 1000 / 60)


def test_a_second_attempt_has_twice_the_time(paper):
    assert time_limit(paper, "imagenet", 2) == 2 * time_limit(paper, "imagenet", 1)
    assert time_limit(paper, "imagenet", 1) > training_minutes(paper, "imagenet")


def test_a_job_that_cannot_start_is_told_once_and_one_that_waits_its_turn_is_not(caplog):
    watch = QueueWatch("aprbench_x")
    jobs = [("1", "RUNNING", "None"), ("2", "PENDING", "Priority"), ("3", "PENDING", "PartitionTimeLimit")]
    with caplog.at_level(logging.WARNING, logger="snakemake"):
        logging.getLogger("snakemake").propagate = True
        watch.look([*jobs, ("4", "PENDING", "PartitionTimeLimit")])
        watch.look(jobs)
    assert [record.getMessage() for record in caplog.records] == [
        "SLURM: job 3 and 1 more cannot start: PartitionTimeLimit. Lower minutes_per_job, or take another partition or "
        "qos, in the first block of slurm/config.yaml."
    ]
    assert watch.summary == "SLURM jobs: 1 running, 2 waiting (1 for Priority, 1 for PartitionTimeLimit).\n"


def test_how_a_job_of_a_batch_ended_is_told_once(caplog):
    watch = QueueWatch("aprbench_x")
    with caplog.at_level(logging.WARNING, logger="snakemake"):
        for _ in range(2):
            watch.look([("4", "TIMEOUT", "TimeLimit"), ("5", "COMPLETED", "None"), ("6", "FAILED", "NonZeroExitCode")])
    assert [record.getMessage() for record in caplog.records] == [
        "SLURM: job 4 ended as TIMEOUT: it reached its time limit; with more time it continues from the checkpoints."
    ]


CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from apr.basics.interruption import Interrupted, leave
leave(Interrupted(int(sys.argv[2])), patience=float(sys.argv[3]))
"""


def leave(number, patience, environment):
    command = [sys.executable, "-c", CHILD, str(ROOT / "workflow/scripts"), str(int(number)), str(patience)]
    return subprocess.Popen(command, env={"PATH": "/usr/bin"} | environment, stderr=subprocess.PIPE)


@pytest.mark.parametrize(
    ("number", "environment"), [(signal.SIGTERM, {}), (signal.SIGINT, {"SLURM_JOB_ID": "7"})], ids=["no job", "Ctrl-C"]
)
def test_a_program_leaves_at_once_where_nobody_is_about_to_kill_it(number, environment):
    process = leave(number, 60, environment)
    assert process.wait(timeout=LONGEST) == 128 + number
    assert b"the checkpoint is written" in process.stderr.read()


def test_a_slurm_job_waits_to_be_killed_but_not_for_ever():
    process = leave(signal.SIGTERM, 60, {"SLURM_JOB_ID": "7"})
    time.sleep(2)
    assert process.poll() is None
    process.kill()
    assert process.wait(timeout=LONGEST) == -signal.SIGKILL
    assert leave(signal.SIGTERM, 0.1, {"SLURM_JOB_ID": "7"}).wait(timeout=LONGEST) == 128 + signal.SIGTERM
