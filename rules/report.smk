# What the report shows besides tables and figures.


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
        config=config,
        tasks={name: vars(task) for name, task in study.tasks.items()},
        datasets=study.datasets,
        views=study.views,
    script:
        "../workflow/scripts/write_config.py"
