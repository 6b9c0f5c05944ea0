"""Whatever ends a job or Snakemake itself: no result is lost, none is trained twice, none differs."""

import json
import os
import re
import shutil
import signal

from cluster_study import Study, send
from waits import LONGEST, wait_for

RUNS = [f"{task}/a00{number}" for task in ("digits", "digits_again") for number in range(3)]
TABLES = ["results/scores/digits.csv", "results/scores/digits_again.csv"]


def without_timing(path):
    record = json.loads(path.read_text())
    del record["timing"]
    return record


class Disturbed(Study):
    """A study whose trainings are disturbed, and what was done to them."""

    def __init__(self, folder, cluster):
        super().__init__(folder, cluster)
        self.faults, self.seen = [], {}

    def injected(self, name):
        """Note a fault, and what was finished when it struck: that has to stay as it is."""
        self.faults.append(name)
        self.seen = {run: self.state(run) for run in RUNS if self.finished(run)} | self.seen

    def state(self, run):
        """Time and content of a finished run: trained again, it would have another time."""
        file = self.folder / f"results/checkpoints/{run}.json"
        return file.stat().st_mtime_ns, file.read_bytes()

    def record(self, run):
        return without_timing(self.folder / f"results/runs/{run}.json")

    def history(self, run):
        file = self.folder / f"logs/history/{run}.log"
        return file.read_text() if file.exists() else ""

    def resumed(self, run, times):
        wait_for(
            lambda: self.history(run).count("resuming at epoch") > times or self.finished(run),
            what=f"{run} goes on",
        )

    def finished(self, run):
        return (self.folder / f"results/checkpoints/{run}.json").exists()

    def node_of(self, job):
        return self.cluster.command("squeue", "-h", "-j", job, "-o", "%N").strip()


def requeue(study, run, job, pid):
    study.cluster.command("scontrol", "requeue", job)


def cancel(study, run, job, pid):
    study.cluster.command("scancel", job)


def kill_training(study, run, job, pid):
    os.kill(pid, signal.SIGKILL)


def preempt(study, run, job, pid):
    options = ["--partition=urgent", "--exclusive", f"--nodelist={study.node_of(job)}", "--output=/dev/null"]
    study.cluster.command("sbatch", *options, "--wrap=sleep 3")


def fail_node(study, run, job, pid):
    node = study.node_of(job)
    study.cluster.kill_node(node)
    study.cluster.lose_node(node)
    send(pid, signal.SIGCONT)  # it does not know that it is lost
    study.cluster.start_node(node)


FAULTS = {
    "node failure": fail_node,
    "preemption": preempt,
    "requeue": requeue,
    "scancel": cancel,
    "SIGKILL of a training": kill_training,
}


def one_at_a_time(history):
    """Whether the epochs of a run were written by one process after the other."""
    processes = re.findall(r"process (\d+): epoch", history)
    blocks = [process for position, process in enumerate(processes) if processes[:position][-1:] != [process]]
    return len(blocks) == len(set(blocks))


def test_no_fault_loses_or_changes_a_result(cluster, prepared, tmp_path, record_property):
    # beside the others: the same study undisturbed, and a training that hangs until its time limit of a minute is over
    calm = Disturbed(shutil.copytree(prepared, tmp_path / "calm"), cluster=None)
    undisturbed = calm.start(*TABLES)
    late = Disturbed(shutil.copytree(prepared, tmp_path / "late"), cluster)
    hanging = late.start("results/runs/digits/a000.json", "--set-resources", "train:slurm_extra='--nodelist=node3'")
    _, job_of_late, _ = late.held()
    cluster.command("scontrol", "update", f"JobId={job_of_late}", "TimeLimit=1")

    study = Disturbed(tmp_path / "study", cluster)
    here = ["--jobs", "2", "--set-resources", "train:slurm_extra='--open-mode=append --exclude=node3'"]
    snakemake = study.start(*TABLES, *here)
    wait_for(lambda: any(map(study.finished, RUNS)), what="a result that may be lost")
    disturbed = []
    for name, inject in FAULTS.items():
        run, job, pid = study.held(but=disturbed[-1:])
        before = study.history(run).count("resuming at epoch")
        inject(study, run, job, pid)
        study.injected(name)
        study.resumed(run, before)
        disturbed.append(job)
        assert snakemake.poll() is None, study.log.read_text()[-3000:]

    # Ctrl-C: the jobs are cancelled, and the same command goes on
    study.held()
    snakemake.send_signal(signal.SIGINT)
    assert snakemake.wait(timeout=LONGEST) != 0
    study.injected("Ctrl-C")

    # Snakemake is killed: its jobs live on, and the next call has to unlock the folder
    snakemake = study.start(*TABLES, *here)
    run, job, pid = study.held()  # so that its job is still there when the next call starts
    snakemake.kill()
    snakemake.wait()
    study.injected("SIGKILL of Snakemake")
    refused = study.run(*TABLES)
    assert refused.returncode != 0
    assert "--unlock" in refused.output
    assert study.run("--unlock").returncode == 0
    last = study.start(*TABLES, *here)
    told = "SLURM job(s) of an earlier call still run here"
    wait_for(lambda: told in study.log.read_text() or last.poll() is not None, what="the next call tells of the jobs")
    assert told in study.log.read_text()
    kill_training(study, run, job, pid)  # its batch ends as failed, while this call runs
    study.let_go()
    assert last.wait(timeout=LONGEST) == 0, study.log.read_text()[-3000:]

    assert hanging.wait(timeout=LONGEST) == 0, late.log.read_text()[-3000:]
    assert f"job {job_of_late} ended as TIMEOUT" in late.log.read_text()
    assert "resuming at epoch" in late.history("digits/a000")
    study.faults.insert(0, "time limit")

    assert undisturbed.wait(timeout=LONGEST) == 0, calm.log.read_text()[-3000:]
    records, expected = ({run: one.record(run) for run in RUNS} for one in (study, calm))
    lost = [run for run, state in study.seen.items() if study.state(run) != state]
    differing = [run for run in RUNS if records[run] != expected[run]]
    differing += ["late"] * (late.record("digits/a000") != expected["digits/a000"])
    for line in (
        f"faults injected      {len(study.faults)}: {', '.join(study.faults)}",
        f"trainings completed  {len(records) + 1} of {len(RUNS) + 1}",
        f"results lost         {len(lost)} of {len(study.seen)} that were there when a fault struck",
        f"results that differ  {len(differing)} from an undisturbed run",
    ):
        record_property("measured", line)
    assert not lost
    assert not differing
    assert all(one_at_a_time(study.history(run)) for run in RUNS)
    submitted = {folder.name.rsplit("_train", 1)[0] for folder in (study.folder / "logs/slurm").iterdir()}
    assert submitted - {"group_train_digits", "group_train_digits_again"} == {
        "group_prepare_digits_pack_dataset_unpack_source_verify_source"
    }
