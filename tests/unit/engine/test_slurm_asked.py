"""What is asked of SLURM before jobs are sent and while they wait, and what is made of its answers."""

import logging
import subprocess
from types import SimpleNamespace

import pytest
from snakemake_interface_common.exceptions import WorkflowError

from engine import slurm
from engine.slurm import BLOCK, QueueWatch, Refused, check_cluster, survivors

COMMANDS = ["sbatch", "squeue", "scancel", "scontrol"]
CALL = [
    "sbatch",
    "--parsable",
    "--job-name",
    "aprbench_check",
    "--output",
    "/dev/null",
    "--export=ALL",
    "--comment",
    "check",
    "-t",
    "30",
]


@pytest.fixture(autouse=True)
def _heard(caplog):
    logging.getLogger("snakemake").propagate = True
    caplog.set_level(logging.WARNING, logger="snakemake")


@pytest.fixture
def asked(monkeypatch):
    """SLURM's commands as they are called; `asked.answers` has (code, words) by what a call begins with."""
    found = SimpleNamespace(calls=[], answers={})

    def run(*command):
        found.calls.append(command)
        words = " ".join(command)
        return next((answer for start, answer in found.answers.items() if start in words), (0, ""))

    monkeypatch.setattr(slurm, "_run", run)
    monkeypatch.setattr(slurm.shutil, "which", lambda name: f"/bin/{name}")
    return found


def said(caplog):
    return [record.getMessage() for record in caplog.records]


def test_commands_that_are_not_there_are_named(asked, monkeypatch):
    monkeypatch.setattr(slurm.shutil, "which", lambda name: None if name in COMMANDS[1:3] else name)
    with pytest.raises(Refused) as refused:
        check_cluster(None)
    assert str(refused.value) == (
        "SLURM's squeue, scancel cannot be found on the PATH: run this on a node of the cluster from which jobs are "
        "submitted (or `module load slurm`); on one machine leave out --profile slurm"
    )
    assert asked.calls == []


def test_a_controller_that_does_not_answer_is_named(asked):
    asked.answers["scontrol ping"] = (1, "DOWN")
    with pytest.raises(Refused, match=r"^SLURM's controller does not answer \(DOWN\); try again when `scontrol ping`"):
        check_cluster(None)


def test_jobs_that_would_be_refused_are_named_and_a_last_attempt_only_warned_of(asked, monkeypatch, caplog):
    monkeypatch.setattr(
        slurm, "_submissions", lambda workflow, first: [("train", [*CALL, "" if first else "--late"]), ("pack", CALL)]
    )
    asked.answers["--late"] = (1, "sbatch: error: Batch job submission failed: Requested time limit is invalid")
    check_cluster("workflow")
    assert said(caplog) == [
        "SLURM would refuse the last attempt of a job that failed, for more memory or time:\n"
        "  train: Requested time limit is invalid\n    asked for: -t 30 --late\n"
        f"    Correct slurm_account, slurm_partition or qos in {BLOCK}"
    ]
    asked.answers = {"--wrap": (1, "sbatch: error: Batch job submission failed: no")}
    with pytest.raises(Refused) as refused:
        check_cluster("workflow")
    first, train, options, remedy, *rest = str(refused.value).splitlines()
    assert (first, train, options) == (
        "SLURM refuses the jobs of this study:",
        "  train: no",
        "    asked for: -t 30 ''",
    )
    assert remedy == (
        f"    Adapt partition, account, gres and memory in {BLOCK}; `sinfo -o '%P %l %m %c %G'` shows what there is"
    )
    assert rest[0] == "  pack: no"


def test_an_account_that_the_executor_refuses_is_named(asked, monkeypatch):
    def refuse(*_, first):
        raise WorkflowError("no such account")

    monkeypatch.setattr(slurm, "_submissions", refuse)
    with pytest.raises(Refused, match=r"of this study: no such account\n  Correct slurm_account in the first block"):
        check_cluster(None)


def test_a_job_that_only_has_to_wait_for_nodes_is_taken(asked, caplog):
    assert slurm._refusal("train", CALL) is None
    assert asked.calls == [(*CALL, "--test-only", "--wrap=true")]
    asked.answers = {"--test-only": (1, "nodes are down"), "--begin": (0, "17;cluster")}
    assert slurm._refusal("train", CALL) is None
    assert asked.calls[2:] == [(*CALL, "--begin=now+1hour", "--wrap=true"), ("scancel", "17")]
    assert said(caplog) == [
        "SLURM takes the jobs of train, but no node can start them now (nodes are down); `sinfo -R` says why."
    ]
    asked.answers = {"--test-only": (1, "the first answer"), "--begin": (1, "")}
    assert slurm._refusal("train", CALL).startswith("  train: the first answer\n")
    asked.answers["--begin"] = (1, "sbatch: error: one\nsbatch: error: Batch job submission failed: two")
    assert slurm._refusal("train", CALL).startswith("  train: one\ntwo\n")


def test_jobs_of_an_earlier_call_are_those_of_this_folder_and_prefix(asked):
    lines = ["1|/here|aprbench_x", "2|/there|aprbench_x", "3|/here|other_x", "4|/here|aprbench_y|z", "5|/here"]
    asked.answers["squeue"] = (0, "\n".join(lines))
    assert survivors("aprbench", "/here") == ["1", "4"]
    assert asked.calls == [("squeue", "--me", "--noheader", "--format=%i|%Z|%j")]
    asked.answers["squeue"] = (1, "\n".join(lines))
    assert survivors("aprbench", "/here") == []


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("QOSMaxWallDurationPerJobLimit", "Lower minutes_per_job, or take another partition or qos, in"),
        ("PartitionNodeLimit", "Ask for less (gres, mem_mb), or take another partition, in"),
        ("AccountNotAllowed", "Correct slurm_account, slurm_partition or qos in"),
        ("JobHeldUser", "Look at it, then release it with `scontrol release ID`."),
        ("partitiondown", "Wait until your site brings its nodes back, or take another partition in"),
        ("DependencyNeverSatisfied", "Adapt partition, account, gres and memory in"),
    ],
)
def test_what_keeps_a_job_from_starting_has_a_remedy(reason, remedy, caplog):
    watch = QueueWatch("x")
    watch.look([("1", "PENDING", reason)])
    stuck = reason != "partitiondown"  # SLURM's reasons have capitals, its messages may not
    assert [text.partition(". ")[2].startswith(remedy) for text in said(caplog)] == [True] * stuck
    assert slurm._remedy(reason).startswith(remedy.rstrip("."))


def test_jobs_that_wait_for_several_reasons_are_counted(caplog):
    watch = QueueWatch("x")
    watch.look([("1", "PENDING", "Priority"), ("2", "PENDING", "Priority"), ("3", "PENDING", "JobHeldUser")])
    assert watch.summary == "SLURM jobs: 0 running, 3 waiting (2 for Priority, 1 for JobHeldUser).\n"
    assert said(caplog)[0].startswith("SLURM: job 3 cannot start: JobHeldUser. ")
    watch.look([])
    assert watch.summary == "SLURM jobs: 0 running, 0 waiting.\n"
    assert len(said(caplog)) == 1


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [((0, ""), "was requeued"), ((1, "no"), "could not be requeued (no); press Ctrl-C and start again")],
)
def test_a_preempted_job_that_stays_so_is_requeued(asked, caplog, answer, outcome):
    asked.answers["requeue"] = answer
    watch, jobs = QueueWatch("x"), [("7", "PREEMPTED", ""), ("8", "RUNNING", "")]
    watch.look(jobs)
    assert asked.calls == []  # SLURM may do it by itself
    watch.look(jobs)
    assert asked.calls == [("scontrol", "requeue", "7")]
    assert said(caplog) == [f"SLURM: job 7 was preempted and cancelled; it {outcome}."]
    watch.look([("7", "RUNNING", "")])
    watch.look(jobs)
    assert len(asked.calls) == 1
    watch.stop()
    watch.look(jobs)
    assert len(asked.calls) == 1  # at the end nothing is started


def test_the_watch_asks_until_it_is_stopped_and_once_more(asked):
    asked.answers["squeue"] = (0, "1|RUNNING|None\n2|PENDING|Priority|x\nodd")
    watch = QueueWatch("aprbench_9", seconds=1e-3)
    assert (watch.name, watch.daemon, watch.summary) == ("queue", True, "")
    assert QueueWatch("x").seconds == 20
    watch.start()
    while not watch.summary:
        pass
    assert watch.summary == "SLURM jobs: 1 running, 1 waiting (1 for Priority|x).\n"
    assert asked.calls[0] == (
        *("squeue", "--noheader", "--states=all", "--name=aprbench_9"),
        "--format=%i|%T|%r",
    )
    asked.answers["squeue"] = (0, "1|COMPLETED|None|x")
    watch.stop()
    assert not watch.is_alive()
    assert watch.summary == "SLURM jobs: 0 running, 0 waiting.\n"
    asked.answers["squeue"] = (1, "3|RUNNING|None")
    watch._ask()
    assert watch.summary == "SLURM jobs: 0 running, 0 waiting.\n"


def test_a_command_s_code_and_words(monkeypatch):
    assert slurm._run("sh", "-c", "echo ' out '; echo error >&2") == (0, "out")
    assert slurm._run("sh", "-c", "echo ' '; echo error >&2") == (0, "error")
    assert slurm._run("sh", "-c", "echo out; echo error >&2; exit 3") == (3, "out\nerror")
    code, words = slurm._run("/nowhere/sbatch")
    assert (code, "No such file" in words) == (1, True)

    def hangs(*command, timeout, **_):
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hangs)
    code, words = slurm._run("squeue")
    assert (code, words.endswith(" timed out after 30 seconds")) == (1, True)


class Job:
    """A job as Snakemake plans it: alone, or in a group of `size`."""

    def __init__(self, rule, minutes=None, size=0, local=False, restarts=2):
        self.groupid, self.jobs = f"group_{rule}", [None] * size
        self.rule = SimpleNamespace(name=rule)
        self.minutes, self.is_local, self.restart_times, self.attempt = minutes, local, restarts, 1

    def is_group(self):
        return bool(self.jobs)


def test_of_each_kind_of_job_the_largest_and_longest_is_asked_for(monkeypatch):
    from snakemake_executor_plugin_slurm import submit_string, utils

    small, large = Job("train_a", 10, size=2), Job("train_a", 40, size=5)
    other, pack, here = Job("train_b", 60, size=1), Job("pack"), Job("figure", local=True)
    groups = {Job("train"): small, Job("train"): large, Job("train"): other}
    seen = []

    def command(job, params, settings):
        seen.append((job, job.attempt, params, settings))
        time = f" -t {job.minutes * job.attempt}" if job.minutes else ""
        return f"sbatch --job {params['account']} {params['partition']}{time}"

    monkeypatch.setattr(submit_string, "get_submit_command", command)
    monkeypatch.setattr(utils, "set_gres_string", lambda job: " --gres=gpu:1" if job.is_group() else "")
    executor = SimpleNamespace(
        get_account_arg=lambda job: iter(["-A me"]), get_partition_arg=lambda job: f"-p {job.rule.name[:4]}"
    )
    workflow = SimpleNamespace(
        scheduler=SimpleNamespace(_executor=executor),
        dag=SimpleNamespace(needrun_jobs=lambda: [*groups, pack, here], get_job_group=groups.get),
        executor_settings="settings",
        workdir_init="/study",
    )
    asked = ["sbatch", "--job", "-A", "me", "-p"]
    assert slurm._submissions(workflow, first=True) == [
        ("group_train_b", [*asked, "trai", "-t", "60", "--gres=gpu:1"]),
        ("pack", [*asked, "pack"]),
    ]
    assert [(job, attempt) for job, attempt, *_ in seen] == [(large, 1), (other, 1), (pack, 1)]
    assert seen[0][2] == {
        **{"run_uuid": "aprbench_check", "slurm_logfile": "/dev/null", "comment_str": "check"},
        **{"account": "-A me", "partition": "-p trai", "workdir": "/study"},
    }
    assert seen[0][3] == "settings"
    last = slurm._submissions(workflow, first=False)
    assert last[0] == ("group_train_b", [*asked, "trai", "-t", "180", "--gres=gpu:1"])
    assert [attempt for _, attempt, *_ in seen[3:]] == [3, 3, 3]
    assert (large.attempt, other.attempt, pack.attempt) == (1, 1, 1)
