# The tables of the paper, each a comparison of score tables or a description of the study.
# Needs results/scores/<task>.csv and results/population.csv; makes results/tables/<name>.{csv,md,rst}, the last its caption.
TABLES = [name for name in PAPER_ITEMS if name.startswith("table_")]


include: "beyond.smk"


rule tables:
    """Every table of the study, also to read, and its caption."""
    input:
        expand("results/tables/{name}.{suffix}", name=made(TABLES), suffix=["csv", "md", "rst"]),


rule table_datasets:
    """What each dataset holds."""
    input:
        manifests=expand("results/datasets/{dataset}.json", dataset=COMPARED_DATASETS),
    output:
        **table("datasets"),
    log:
        "logs/table_datasets.log",
    conda:
        "../envs/analysis.yaml"
    params:
        datasets={name: study.datasets[name] for name in COMPARED_DATASETS},
    script:
        "../workflow/scripts/table_datasets.py"


rule table_settings:
    """How each task trains, and the error that it reports."""
    output:
        **table("settings"),
    log:
        "logs/table_settings.log",
    conda:
        "../envs/analysis.yaml"
    params:
        rows=[settings_of(task) for task in study.tasks],
    script:
        "../workflow/scripts/table_settings.py"


rule table_references:
    """Errors of reference networks."""
    input:
        scores=needed("table_references", scores_of(study.figures["references"])),
    output:
        **table("references"),
    log:
        "logs/table_references.log",
    conda:
        "../envs/analysis.yaml"
    params:
        networks=lambda wildcards: networks_of(study.figures["references"]),
        title=lambda wildcards: study.datasets[study.tasks[study.figures["references"][0]].dataset]["title"],
    script:
        "../workflow/scripts/table_references.py"


rule table_correlations:
    """Rank correlation of each target with the reference and with its closest family member."""
    input:
        scores=scores_of(COMPARED),
    output:
        **table("correlations"),
    log:
        "logs/table_correlations.log",
    conda:
        "../envs/analysis.yaml"
    params:
        reference=study.reference,
        targets=study.targets,
        closest=CLOSEST,
        titles=titles_of(COMPARED),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/table_correlations.py"


rule table_depth_width:
    """Rank correlation of the error with cumulative depth and width, for the reference and its family."""
    input:
        scores=scores_of([study.reference, *study.family]),
        population="results/population.csv",
    output:
        **table("depth_width"),
    log:
        "logs/table_depth_width.log",
    conda:
        "../envs/analysis.yaml"
    params:
        tasks=[study.reference, *study.family],
        titles=titles_of([study.reference, *study.family]),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/table_depth_width.py"
