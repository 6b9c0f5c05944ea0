# The tables of the study, each a comparison of error tables.
# Needs results/errors/<task>.csv and results/population.csv; makes results/tables/<name>.{csv,md,rst}, the last its caption.
BOOTSTRAP = {key: study.statistics[key] for key in ("resamples", "seed")}
CLOSEST = {target: member for target in study.targets if (member := study.closest(target))}
COMPARED = [study.reference, *study.targets, *CLOSEST.values()]


rule tables:
    """Every table of the study, also to read, and its caption."""
    input:
        expand(
            "results/tables/{name}.{suffix}",
            name=["correlations", "depth_width", "selection_regret"],
            suffix=["csv", "md", "rst"],
        ),


rule table_correlations:
    """Rank correlation of each target with the reference and with its closest family member."""
    input:
        errors=errors_of(COMPARED),
    output:
        csv=shown("results/tables/correlations.csv", "table_correlations"),
        md="results/tables/correlations.md",
        caption="results/tables/correlations.rst",
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
        code=code("errors", "statistics", "comparisons", "tables", "wording"),
    script:
        "../workflow/scripts/table_correlations.py"


rule table_depth_width:
    """Rank correlation of the error with cumulative depth and width, for the reference and its family."""
    input:
        errors=errors_of([study.reference, *study.family]),
        population="results/population.csv",
    output:
        csv=shown("results/tables/depth_width.csv", "table_depth_width"),
        md="results/tables/depth_width.md",
        caption="results/tables/depth_width.rst",
    log:
        "logs/table_depth_width.log",
    conda:
        "../envs/analysis.yaml"
    params:
        tasks=[study.reference, *study.family],
        titles=titles_of([study.reference, *study.family]),
        bootstrap=BOOTSTRAP,
        code=code("errors", "statistics", "comparisons", "tables", "wording"),
    script:
        "../workflow/scripts/table_depth_width.py"


rule table_selection_regret:
    """The error that is lost on each target by choosing on the reference or on the closest family member."""
    input:
        errors=errors_of(COMPARED),
    output:
        csv=shown("results/tables/selection_regret.csv", "table_selection_regret"),
        md="results/tables/selection_regret.md",
        caption="results/tables/selection_regret.rst",
    log:
        "logs/table_selection_regret.log",
    conda:
        "../envs/analysis.yaml"
    params:
        reference=study.reference,
        targets=study.targets,
        closest=CLOSEST,
        ks=study.statistics["regret_k"],
        titles=titles_of(COMPARED),
        bootstrap=BOOTSTRAP,
        code=code("errors", "statistics", "comparisons", "tables", "wording"),
    script:
        "../workflow/scripts/table_selection_regret.py"
