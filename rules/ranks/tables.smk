# Needs:  results/scores/{task}.csv (scores.smk), results/population.csv (models.smk), results/datasets/{dataset}.json (datasets.smk)
# Makes:  results/tables/<name>.{csv,md,rst}  the table for machines, to read, and its caption
#
# The first paper's tables: what its datasets and trainings are, and how the ranks of models agree between tasks.


rule table_datasets:
    """What each dataset holds."""
    input:
        manifests=outputs.needed(
            "table_datasets", expand("results/datasets/{dataset}.json", dataset=comparisons.datasets)
        ),
    output:
        **outputs.table("datasets"),
    log:
        "logs/table_datasets.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        datasets={name: study.datasets[name] for name in comparisons.datasets},
    script:
        "../../workflow/scripts/table_datasets.py"


rule table_settings:
    """How each task trains, and the metric that it reports."""
    output:
        **outputs.table("settings"),
    log:
        "logs/table_settings.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        rows=[items.settings(task) for task in items.trained],
    script:
        "../../workflow/scripts/table_settings.py"


rule table_references:
    """Errors of reference networks."""
    input:
        scores=outputs.needed("table_references", files.scores(comparisons["references"])),
    output:
        **outputs.table("references"),
    log:
        "logs/table_references.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        networks=lambda wildcards: items.networks(comparisons["references"]),
        title=lambda wildcards: study.datasets[study.tasks[comparisons["references"][0]].dataset]["title"],
    script:
        "../../workflow/scripts/table_references.py"


rule table_correlations:
    """Rank correlation of each target with the reference and with its closest family member."""
    input:
        scores=outputs.needed("table_correlations", files.scores(comparisons.tasks)),
    output:
        **outputs.table("correlations"),
    log:
        "logs/table_correlations.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        reference=study.reference,
        targets=study.targets,
        closest=comparisons.closest,
        titles=study.titles(comparisons.tasks),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_correlations.py"


rule table_depth_width:
    """Rank correlation of the error with cumulative depth and width, for the reference and its family."""
    input:
        scores=outputs.needed("table_depth_width", files.scores(items.sized)),
        population="results/population.csv",
    output:
        **outputs.table("depth_width"),
    log:
        "logs/table_depth_width.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        tasks=items.sized,
        titles=study.titles(items.sized),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_depth_width.py"


rule table_selection_regret:
    """The error that is lost on each target by choosing on the reference or on the closest family member."""
    input:
        scores=outputs.needed("table_selection_regret", files.scores(comparisons.tasks)),
    output:
        **outputs.table("selection_regret"),
    log:
        "logs/table_selection_regret.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        reference=study.reference,
        targets=study.targets,
        closest=comparisons.closest,
        ks=study.statistics["regret_k"],
        titles=study.titles(comparisons.tasks),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_selection_regret.py"


rule table_scorecard:
    """Each claim of the paper beside what this study measures."""
    input:
        scores=outputs.needed(
            "table_scorecard", files.scores(task for task in items.claimed if not study.tasks[task].repeated)
        ),
        repeats=files.scores(task for task in items.claimed if study.tasks[task].repeated),
        population="results/population.csv",
        claims=items.claims,
    output:
        **outputs.table("scorecard"),
    log:
        "logs/table_scorecard.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        titles=study.titles(),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/table_scorecard.py"
