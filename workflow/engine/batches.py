"""How jobs become SLURM jobs under `--profile slurm`; nothing of it matters on one machine.

Runs of one task are batched into one SLURM job by Snakemake's groups. `trainings` is a resource of which each takes
one: so many share the job's GPU, the others follow. Preparing a dataset is one job. All other rules stay where
Snakemake runs.
"""

from collections.abc import Callable
from typing import Any

from apr.runs.ways import WAYS
from cluster.estimates import batch_size, preparation_limit, time_limit
from engine.setup import asked_often
from study import Study

SUBMITTED = {
    *WAYS,
    "finetune_rung",
    "verify_source",
    "unpack_source",
    "pack_dataset",
}  # the rule of a way is named as it is


class Batches:
    """The groups of a study's jobs, their time limits and their device.

    Attributes:
        submits: whether jobs go to a cluster, or this is one of them.
        runs, preparation: groups of runs and of what prepares a dataset; None on one machine.
    """

    def __init__(self, workflow: Any, study: Study) -> None:
        self.workflow, self.study = workflow, study
        self.submits = workflow.nodes is not None or workflow.remote_exec
        self.runs = self._runs() if self.submits else None
        self.preparation = (lambda wildcards: f"prepare_{wildcards.dataset}") if self.submits else None
        if self.submits:
            workflow.global_resources["trainings"] = study.cluster["per_gpu"]
            # the cores of the submitting node limit nothing that runs elsewhere
            if workflow.nodes is not None:
                workflow.global_resources["_cores"] = workflow.resource_settings.cores = None

    @property
    def device(self) -> str:
        """The device of runs: on a cluster `auto` is what the profile says."""
        automatic = self.study.training["device"] == "auto" and self.submits
        return self.study.cluster["device"] if automatic else self.study.training["device"]

    def keep_going(self) -> None:
        """In the jobs of a batch, one that fails must not stop the others; Snakemake does not hand this setting on."""
        if self.workflow.remote_exec:
            self.workflow.execution_settings.keep_going = True

    def run_minutes(self) -> Callable[..., int]:
        """The time limit of a run."""
        return asked_often(
            lambda wildcards, attempt: time_limit(self.study, wildcards.task, attempt, wildcards.get("epochs"))
        )

    def preparation_minutes(self) -> Callable[..., int]:
        """The time limit of a step of a dataset's preparation."""
        return lambda wildcards, attempt: preparation_limit(self.study, wildcards.dataset, attempt)

    def _runs(self) -> Callable[[Any], str]:
        def group(wildcards: Any) -> str:
            # runs that wait for others of their task are no batch with them: it would wait for itself
            again = self.study.run(wildcards.task, wildcards.model).again
            stage = f"_after_{epochs}" if (epochs := wildcards.get("epochs")) else "_chosen" if again else ""
            # the size is set here since Snakemake hands on no sizes to the job that runs the group
            name = f"train_{wildcards.task}{stage}"
            self.workflow.group_settings.group_components[name] = batch_size(self.study, wildcards.task, epochs)
            return name

        return group
