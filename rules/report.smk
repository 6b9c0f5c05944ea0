# What the report shows besides tables and figures, and the progress of a running study (results/STATUS).
from apr.status import StatusWriter

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
    global status
    status = StatusWriter(study.plan, ".")
    status.start()


onsuccess:
    status.stop("Finished.")


onerror:
    status.stop("Stopped with errors: the log above names the jobs; the same command goes on.")
