# The figures of the main text, each a comparison of score tables.
# Needs results/scores/<task>.csv, results/population.csv; makes results/figures/<name>.{pdf,png,csv,rst}: the picture,
# the numbers that it draws, and its caption.
FIGURES = [name for name in PAPER_ITEMS if name.startswith("fig_") and name != "fig_target"]
DRAWN = [*made(name for name in FIGURES if name not in BY_NAME), *(f"target_{task}" for task in study.targets)]


include: "scatter.smk"
include: "appendix.smk"


rule figures:
    """Every figure of the study, with its numbers and its caption."""
    input:
        expand("results/figures/{name}.{suffix}", name=DRAWN, suffix=["pdf", "png", "csv", "rst"]),


rule fig_relative_error:
    """Errors over their mean against the error on the reference, several tasks in one plot."""
    input:
        scores=scores_of([study.reference, *study.figures["relative_error"]]),
    output:
        **drawing("relative_error"),
    log:
        "logs/fig_relative_error.log",
    conda:
        "../envs/analysis.yaml"
    params:
        reference=study.reference,
        tasks=study.figures["relative_error"],
        titles=titles_of([study.reference, *study.figures["relative_error"]]),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_relative_error.py"


rule fig_design_space:
    """Example images of each dataset, and the design space as a schematic."""
    input:
        packed=expand("data/packed/{dataset}.bin", dataset=COMPARED_DATASETS),
        manifests=expand("results/datasets/{dataset}.json", dataset=COMPARED_DATASETS),
    output:
        **drawing("design_space"),
    log:
        "logs/fig_design_space.log",
    conda:
        "../envs/analysis.yaml"
    params:
        datasets=COMPARED_DATASETS,
        titles={dataset: study.datasets[dataset]["title"] for dataset in COMPARED_DATASETS},
        storage={dataset: study.datasets[dataset]["storage"] for dataset in COMPARED_DATASETS},
        images=4,
        seed=study.statistics["seed"],
        space=study.population,
    script:
        "../workflow/scripts/fig_design_space.py"


rule fig_error_vs_depth_width:
    """Error against cumulative depth and cumulative width."""
    input:
        scores=scores_of(study.figures["depth_width"]),
        population="results/population.csv",
    output:
        **drawing("error_vs_depth_width"),
    log:
        "logs/fig_error_vs_depth_width.log",
    conda:
        "../envs/analysis.yaml"
    params:
        tasks=study.figures["depth_width"],
        titles=titles_of(study.figures["depth_width"]),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_error_vs_depth_width.py"


rule fig_selection_regret:
    """The error that is lost on each target, against the number of models that one can afford to try."""
    input:
        scores=scores_of(COMPARED),
    output:
        **drawing("selection_regret"),
    log:
        "logs/fig_selection_regret.log",
    conda:
        "../envs/analysis.yaml"
    params:
        reference=study.reference,
        targets=study.targets,
        closest=CLOSEST,
        titles=titles_of(COMPARED),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_selection_regret.py"


rule fig_rho_vs_population:
    """How the rank correlations depend on the number of models."""
    input:
        scores=scores_of(COMPARED),
    output:
        **drawing("rho_vs_population"),
    log:
        "logs/fig_rho_vs_population.log",
    conda:
        "../envs/analysis.yaml"
    params:
        pairs=PAIRS["imagenet_vs_targets"],
        titles=titles_of(COMPARED),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_rho_vs_population.py"
