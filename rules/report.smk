# What the report shows besides tables and figures, and the progress of a running study (results/STATUS).
from failures import failed_jobs
from order import DataFirst
from safe_report import secure_report

secure_report()

EFFECTIVE = {
    "config": config,
    "tasks": {name: vars(task) for name, task in study.tasks.items()},
    "datasets": study.datasets,
    "views": study.views,
}


rule write_config:
    """The effective configuration, with everything that defaults and the registry added."""
    output:
        report(
            "results/run_config.yaml",
            caption="../workflow/report/config.rst",
            category="Study",
            labels={"item": "Effective configuration", "format": "YAML"},
        ),
    log:
        "logs/write_config.log",
    conda:
        "../envs/analysis.yaml"
    params:
        digest=hashlib.sha256(json.dumps(EFFECTIVE).encode()).hexdigest(),
        effective=lambda wildcards, output: EFFECTIVE,
    script:
        "../workflow/scripts/write_config.py"


onstart:
    global status, queue
    from apr.watch.status import StatusWriter  # here: a plan and a job on a node need none

    queue = None
    if workflow.executor_plugin.name == "slurm":
        queue = watched_queue()
    status = StatusWriter(
        study.plan, ".", lambda: failed_jobs(workflow.scheduler) + (queue.summary if queue else "")
    )
    status.start()
    # With a limit of the rate Snakemake looks at all ready jobs again every second, once more for each job that has
    # ended: after thousands of jobs it would do nothing else (9.27, JobScheduler.schedule).
    workflow.scheduler.job_rate_limiter = None
    DataFirst(workflow.scheduler, RAISED_BY_HAND - {"rank_runs"}, local=not ON_CLUSTER)
    # It also records parameters as they were before the jobs ran (Persistence._params): whether all runs of a task are
    # there has to be asked again.
    workflow.persistence._params.cache_clear()


onsuccess:
    finish_watching()


onerror:
    stop_watching("Stopped before the end: Snakemake's log names what failed, if anything; the same command goes on.")
