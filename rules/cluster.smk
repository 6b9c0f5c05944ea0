# How jobs become SLURM jobs under `--profile slurm`; nothing of it matters on one machine.
#
# Trainings (or evaluations) of one task are batched into one SLURM job by Snakemake's groups. `trainings` is a resource
# of which each takes one: so many share the job's GPU, the others follow. Preparing a dataset is one job. All other rules stay where
# Snakemake runs.
from cluster.estimates import batch_size, preparation_limit, time_limit

SUBMITTED = {"train", "evaluate", "verify_source", "unpack_source", "pack_dataset"}
ON_CLUSTER = workflow.nodes is not None or workflow.remote_exec


resource_scopes:
    trainings="local",


if ON_CLUSTER:
    workflow.global_resources["trainings"] = study.cluster["per_gpu"]
    # the cores of the submitting node limit nothing that runs elsewhere
    if workflow.nodes is not None:
        workflow.global_resources["_cores"] = workflow.resource_settings.cores = None


def keep_going():
    """In the jobs of a batch, one that fails must not stop the others; Snakemake does not hand this setting on."""
    if workflow.remote_exec:
        workflow.execution_settings.keep_going = True


def batch_of(wildcards):
    """The group of a training. Its size is set here since Snakemake hands on no sizes to the job that runs it."""
    name = f"train_{wildcards.task}"
    workflow.group_settings.group_components[name] = batch_size(study, wildcards.task)
    return name


def preparation_of(wildcards):
    """The group of what prepares a dataset."""
    return f"prepare_{wildcards.dataset}"


BATCH = batch_of if ON_CLUSTER else None
PREPARATION = preparation_of if ON_CLUSTER else None


def training_time(wildcards, attempt):
    return time_limit(study, wildcards.task, attempt)


def preparation_time(wildcards, attempt):
    return preparation_limit(study, wildcards.dataset, attempt)


def watched_queue():
    """Refuse to start where SLURM would refuse the jobs; else watch them."""
    from cluster.slurm import QueueWatch, Refused, check_cluster, survivors

    try:
        check_cluster(workflow)
    except Refused as refused:
        sys.exit(f"error: {refused}")
    jobs = survivors(workflow.executor_settings.jobname_prefix, os.getcwd())
    if jobs:
        logger.warning(
            f"{len(jobs)} SLURM job(s) of an earlier call still run here: {' '.join(jobs)}. What they train is waited for "
            f"and taken up; to end them: scancel {' '.join(jobs)}"
        )
    watch = QueueWatch(workflow.scheduler._executor.run_uuid)
    watch.start()
    return watch


def stop_watching(outcome):
    status.stop(outcome)
    if queue:
        queue.stop()


def finish_watching():
    status.finish(map(str, workflow.dag_settings.targets or ()))
    if queue:
        queue.stop()
