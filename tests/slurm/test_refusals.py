"""What cannot work is said at once, with what to do, and nothing hangs."""

import os
import shutil
import signal
import subprocess

import pytest
from cluster_study import Study
from waits import LONGEST, wait_for
from warm_owner import is_warm


@pytest.fixture(scope="module")
def folder(prepared, tmp_path_factory):
    """The folder of a study whose images are there."""
    return shutil.copytree(prepared, tmp_path_factory.mktemp("refusals") / "study")


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (
            ["--default-resources", "slurm_partition=nosuch", "mem_mb=500", "runtime=5"],
            ["nosuch", "slurm_partition", "first block of slurm/config.yaml"],
        ),
        (
            ["--set-resources", "train:gres='gpu:99'", "train:mem_mb=500"],
            ["train_digits: Requested node configuration is not available", "--gres=gpu:99", "sinfo"],
        ),
    ],
    ids=["partition", "gpus"],
)
def test_a_job_that_slurm_would_refuse_is_not_submitted(folder, cluster, options, messages):
    done = Study(folder, cluster).run("results/scores/digits.csv", *options)
    assert done.returncode == 1
    for message in ["error: SLURM refuses the jobs of this study", *messages]:
        assert message in done.output, done.output[-2000:]
    assert "Traceback" not in done.output
    assert not cluster.command("squeue", "-h", "--me")


def test_a_missing_account_is_named(folder, cluster, tmp_path):
    """This cluster asks for no account; sbatch answers here as one that enforces them does."""
    shim = tmp_path / "sbatch"
    answer = "Batch job submission failed: Invalid account or account/partition combination specified"
    shim.write_text(f'#!/bin/sh\necho "sbatch: error: {answer}" >&2\nexit 1\n')
    shim.chmod(0o755)
    path = {"PATH": os.pathsep.join([str(tmp_path), cluster.environment["PATH"]])}
    done = Study(folder, cluster).run("results/scores/digits.csv", environment=path)
    assert done.returncode == 1
    assert "Invalid account or account/partition combination specified" in done.output
    assert "Correct slurm_account" in done.output


def test_a_job_that_cannot_start_is_reported_with_the_reason(folder, cluster):
    study = Study(folder, cluster)
    cluster.command("scontrol", "update", f"NodeName={','.join(cluster.nodes)}", "State=DRAIN", "Reason=test")
    snakemake = study.start("results/scores/digits.csv")
    try:
        wait_for(lambda: "cannot start" in study.log.read_text(), what="the reason is told")
        text = study.log.read_text()
        assert "no node can start them now" in text
        assert "DRAINED" in text
        assert "sinfo -R" in text
    finally:
        snakemake.send_signal(signal.SIGINT)
        code = snakemake.wait(timeout=LONGEST)
        cluster.command("scontrol", "update", f"NodeName={','.join(cluster.nodes)}", "State=RESUME")
        cluster.wait_for_nodes()
    assert code == 1


def test_a_full_disk_is_named(prepared, cluster, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        study = Study(shutil.copytree(prepared, folder, dirs_exist_ok=True), cluster)
        snakemake = study.start("results/runs/digits/a000.json", "--retries", "0")
        study.held()
        room = os.statvfs(folder)
        (folder / "rubbish").write_bytes(b"0" * (room.f_bavail * room.f_frsize - 100_000))
        study.let_go()
        assert snakemake.wait(timeout=LONGEST) != 0
        assert "cannot be written: the disk is full" in study.log.read_text()
        refused = study.run("results/runs/digits/a000.json")  # before anything starts
        assert refused.returncode != 0
        assert "the disk is full" in refused.output
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "plain"])
def test_a_job_that_is_preempted_and_cancelled_is_requeued(prepared, cluster, tmp_path, warm):
    folder = shutil.copytree(prepared, tmp_path / "study")
    study = Study(folder, cluster, warm=warm)
    options = ["--default-resources", "slurm_partition=spot", "mem_mb=500", "runtime=5"]
    snakemake = study.start("results/runs/digits/a002.json", *options)
    _, job, process = study.held()
    assert is_warm(process) == warm
    node = cluster.command("squeue", "-h", "-j", job, "-o", "%N").strip()
    urgent = ["--partition=urgent", "--exclusive", f"--nodelist={node}", "--output=/dev/null", "--wrap=sleep 1"]
    cluster.command("sbatch", *urgent)
    assert snakemake.wait(timeout=LONGEST) == 0, study.log.read_text()[-3000:]
    assert "was preempted and cancelled; it was requeued" in study.log.read_text()
    assert "resuming at epoch" in (folder / "logs/history/digits/a002.log").read_text()


def test_one_that_fails_does_not_cost_the_others_of_its_batch(folder, cluster, record_property):
    """Two at once on a GPU; one finds a folder in place of a file of its own."""
    kept = folder / "results/checkpoints/digits_again"
    (kept / "a001.json").mkdir(parents=True)
    study = Study(folder, cluster)
    targets = [f"results/runs/digits_again/a00{number}.json" for number in range(3)]
    failed = study.run(*targets, "--retries", "0", per_gpu=2)
    assert failed.returncode != 0
    assert (kept / "a000.json").exists()
    assert (kept / "a002.json").exists()
    assert [os.path.exists(folder / target) for target in targets] == [True, False, True]
    (kept / "a001.json").rmdir()
    assert study.run(*targets, per_gpu=2).returncode == 0
    for name in ("a000", "a002"):
        history = (folder / f"logs/history/digits_again/{name}.log").read_text()
        assert history.count("epoch 1/") == 1
    record_property("measured", "batch with a failure  the others finished, were kept and not trained again")
