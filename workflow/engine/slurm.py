"""Before jobs go to SLURM: would it take them? And while they wait: can they start at all?

Snakemake submits job by job and says nothing of one that waits for ever. These checks ask SLURM once, with the very
options that the executor plugin (2.8.0) will use.
"""

import logging
import re
import shlex
import shutil
import subprocess
import threading
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

BLOCK = "the first block of slurm/config.yaml"
# pending for one of these reasons, a job does not start until somebody acts (squeue(1), JOB REASON CODES)
STUCK = re.compile(
    r"PerJob|TimeLimit|NodeLimit|Minutes|NotAllowed|Invalid|BadConstraints|Partition(Down|Inactive)|JobHeld|"
    r"DependencyNeverSatisfied|ReqNodeNotAvail|DOWN|DRAINED|launch failed"
)
REMEDIES = {
    r"TimeLimit|Wall|Minutes": f"Lower minutes_per_job, or take another partition or qos, in {BLOCK}",
    r"NodeLimit|PerJob|BadConstraints": f"Ask for less (gres, mem_mb), or take another partition, in {BLOCK}",
    r"NotAllowed|Invalid": f"Correct slurm_account, slurm_partition or qos in {BLOCK}",
    r"JobHeld|launch failed": "Look at it, then release it with `scontrol release ID`",
    r"DOWN|DRAINED|NotAvail|PartitionDown|PartitionInactive": "Wait until your site brings its nodes back, or take "
    f"another partition in {BLOCK}; `sinfo -R` says why they are down",
}
# Snakemake does not say how the job of a batch ended
ENDED = {
    "TIMEOUT": "it reached its time limit; with more time it continues from the checkpoints",
    "OUT_OF_MEMORY": f"it needed more memory than it asked for (mem_mb in {BLOCK})",
    "NODE_FAIL": "its node failed",
    "CANCELLED": "by scancel, or by Ctrl-C here",
    "DEADLINE": "its deadline was over",
    "BOOT_FAIL": "its node did not boot",
}
# the plugin starts a preempted job again only where the site requeues it; else it would wait for ever
PREEMPTED = "PREEMPTED"
ALWAYS = 9  # words that every call begins with: sbatch, the check's name and places, its comment

log = logging.getLogger("snakemake.logging")


class Refused(Exception):
    """SLURM is not there, or would not take the study's jobs."""


def check_cluster(workflow: Any) -> None:
    """Ask SLURM whether it would take the jobs of a workflow that is about to start.

    Raises:
        Refused: the commands are not there, the controller does not answer, or a job is refused; says what to do.
    """
    missing = [name for name in ("sbatch", "squeue", "scancel", "scontrol") if not shutil.which(name)]
    if missing:
        raise Refused(
            f"SLURM's {', '.join(missing)} cannot be found on the PATH: run this on a node of the cluster from which "
            "jobs are submitted (or `module load slurm`); on one machine leave out --profile slurm"
        )
    code, answer = _run("scontrol", "ping")
    if code:
        raise Refused(f"SLURM's controller does not answer ({answer}); try again when `scontrol ping` says UP")
    try:
        asked, asked_last = _submissions(workflow, first=True), _submissions(workflow, first=False)
    except WorkflowError as error:  # the executor knows better than to ask for such an account
        raise Refused(f"SLURM refuses the jobs of this study: {error}\n  Correct slurm_account in {BLOCK}") from None
    refused = [text for name, call in asked if (text := _refusal(name, call))]
    if refused:
        raise Refused("\n".join(["SLURM refuses the jobs of this study:", *refused]))
    # a submission that is refused in mid-run is shown without the reason: better to know now
    for text in filter(None, (_refusal(name, call) for name, call in asked_last)):
        log.warning(f"SLURM would refuse the last attempt of a job that failed, for more memory or time:\n{text}")


def survivors(prefix: str, folder: str) -> list[str]:
    """Numbers of the user's SLURM jobs in this working directory: those of a Snakemake that was killed."""
    code, answer = _run("squeue", "--me", "--noheader", "--format=%i|%Z|%j")
    jobs = [line.split("|", 2) for line in answer.splitlines() if line.count("|") >= 2] if not code else []
    return [number for number, where, name in jobs if where == folder and name.startswith(f"{prefix}_")]


class QueueWatch(threading.Thread):
    """Says once of each job that cannot start why, and counts the jobs for results/STATUS."""

    def __init__(self, name: str, seconds: float = 20) -> None:
        super().__init__(name="queue", daemon=True)
        self.jobs, self.seconds = name, seconds
        self.summary = ""
        self._ended, self._told, self._preempted = threading.Event(), set(), set()

    def run(self) -> None:
        """Look every `seconds`, until stopped."""
        while not self._ended.wait(self.seconds):
            self._ask()
        self._ask()  # the last jobs may have ended just now

    def stop(self) -> None:
        """Look once more and end the thread."""
        self._ended.set()
        if self.is_alive():
            self.join()

    def look(self, jobs: list[tuple[str, str, str]]) -> None:
        """Take in (number, state, reason) of all jobs of this call."""
        waiting: dict[str, list[str]] = {}
        for number, state, reason in jobs:
            if state == "PENDING":
                waiting.setdefault(reason, []).append(number)
        for reason, numbers in waiting.items():
            if STUCK.search(reason) and reason not in self._told:
                self._told.add(reason)
                log.warning(f"SLURM: {_listed(numbers)} cannot start: {reason}. {_remedy(reason)}.")
        for number, state, _ in jobs:
            if state in ENDED and (number, state) not in self._told:
                self._told.add((number, state))
                log.warning(f"SLURM: job {number} ended as {state}: {ENDED[state]}.")
        running = sum(state == "RUNNING" for _, state, _ in jobs)
        reasons = ", ".join(f"{len(numbers)} for {reason}" for reason, numbers in waiting.items())
        pending = sum(map(len, waiting.values()))
        self.summary = f"SLURM jobs: {running} running, {pending} waiting{f' ({reasons})' if reasons else ''}.\n"
        preempted = {number for number, state, _ in jobs if state == PREEMPTED}
        if self._ended.is_set():
            return
        for number in preempted & self._preempted:  # twice seen, so SLURM does not requeue it
            code, answer = _run("scontrol", "requeue", number)
            outcome = f"could not be requeued ({answer}); press Ctrl-C and start again" if code else "was requeued"
            log.warning(f"SLURM: job {number} was preempted and cancelled; it {outcome}.")
        self._preempted = preempted

    def _ask(self) -> None:
        code, answer = _run("squeue", "--noheader", "--states=all", f"--name={self.jobs}", "--format=%i|%T|%r")
        if not code:
            self.look([tuple(line.split("|", 2)) for line in answer.splitlines() if line.count("|") >= 2])


def _submissions(workflow: Any, *, first: bool) -> list[tuple[str, list[str]]]:
    """Name and sbatch call of each kind of job, at its first or last attempt.

    Of those that differ in their time limit alone, the longest.
    """
    from snakemake_executor_plugin_slurm.submit_string import get_submit_command
    from snakemake_executor_plugin_slurm.utils import set_gres_string

    executor, dag = workflow.scheduler._executor, workflow.dag
    largest: dict[str, Any] = {}  # of the batches of each task
    for job in dag.needrun_jobs():
        if not job.is_local:
            job = dag.get_job_group(job) or job
            name = job.groupid if job.is_group() else job.rule.name
            largest[name] = max(largest.get(name, job), job, key=lambda one: len(one.jobs) if one.is_group() else 1)
    kinds: dict[tuple, tuple[int, str, list[str]]] = {}
    for name, job in largest.items():
        if not first:
            job.attempt = job.restart_times + 1
        params = {
            "run_uuid": "aprbench_check",
            "slurm_logfile": "/dev/null",
            "comment_str": "check",
            "account": next(executor.get_account_arg(job)),
            "partition": executor.get_partition_arg(job),
            "workdir": workflow.workdir_init,
        }
        call = shlex.split(get_submit_command(job, params, settings=workflow.executor_settings) + set_gres_string(job))
        limit = call[call.index("-t") + 1] if "-t" in call else ""
        kind = tuple(argument for argument in call if argument != limit)
        kinds[kind] = max(kinds.get(kind, (0, "", [])), (int(limit or 0), name, call))
        job.attempt = 1
    return [(name, call) for _, name, call in kinds.values()]


def _refusal(name: str, call: list[str]) -> str | None:
    """Why SLURM would not take a job; None if it would. One that only has to wait for nodes is taken."""
    code, answer = _run(*call, "--test-only", "--wrap=true")
    if not code:
        return None
    # --test-only also refuses where nodes are down; a job for later is refused for good reasons only
    code, number = _run(*call, "--begin=now+1hour", "--wrap=true")
    if code:
        message = re.sub(r"^sbatch: error: (Batch job submission failed: )?", "", number or answer, flags=re.MULTILINE)
        return f"  {name}: {message}\n    asked for: {shlex.join(call[ALWAYS:])}\n    {_remedy(message)}"
    _run("scancel", number.split(";")[0])
    log.warning(f"SLURM takes the jobs of {name}, but no node can start them now ({answer}); `sinfo -R` says why.")
    return None


def _remedy(text: str) -> str:
    found = next((remedy for pattern, remedy in REMEDIES.items() if re.search(pattern, text, re.IGNORECASE)), None)
    return (
        found
        or f"Adapt partition, account, gres and memory in {BLOCK}; `sinfo -o '%P %l %m %c %G'` shows what there is"
    )


def _listed(numbers: list[str]) -> str:
    more = f" and {len(numbers) - 1} more" if len(numbers) > 1 else ""
    return f"job {numbers[0]}{more}"


def _run(*command: str) -> tuple[int, str]:
    """Exit code and output of one of SLURM's commands, within half a minute."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    output = done.stdout if not done.returncode and done.stdout.strip() else done.stdout + done.stderr
    return done.returncode, output.strip()
