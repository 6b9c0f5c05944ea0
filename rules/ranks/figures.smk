# Needs:  results/scores/{task}.csv (scores.smk), results/population.csv (models.smk), packed datasets (datasets.smk)
# Makes:  results/figures/<name>.{pdf,png,csv,rst}  the picture, the numbers that it draws, and its caption
#
# The figures of the first paper's main text that are no plain scatterplots, and selection regret.


rule fig_relative_error:
    """Errors over their mean against the error on the reference, several tasks in one plot."""
    input:
        scores=outputs.needed("fig_relative_error", files.scores([study.reference, *comparisons["relative_error"]])),
    output:
        **outputs.drawing("relative_error"),
    log:
        "logs/fig_relative_error.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        reference=study.reference,
        tasks=comparisons["relative_error"],
        titles=study.titles([*comparisons.reference, *comparisons["relative_error"]]),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_relative_error.py"


rule fig_design_space:
    """Example images of each dataset, and the design space as a schematic."""
    input:
        packed=outputs.needed("fig_design_space", expand("data/packed/{dataset}.bin", dataset=comparisons.datasets)),
        manifests=expand("results/datasets/{dataset}.json", dataset=comparisons.datasets),
    output:
        **outputs.drawing("design_space"),
    log:
        "logs/fig_design_space.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        datasets=comparisons.datasets,
        titles={dataset: study.datasets[dataset]["title"] for dataset in comparisons.datasets},
        storage={dataset: study.datasets[dataset]["storage"] for dataset in comparisons.datasets},
        images=4,
        seed=study.statistics["seed"],
        space=study.population,
    script:
        "../../workflow/scripts/fig_design_space.py"


rule fig_error_vs_depth_width:
    """Error against cumulative depth and cumulative width."""
    input:
        scores=outputs.needed("fig_error_vs_depth_width", files.scores(comparisons["depth_width"])),
        population="results/population.csv",
    output:
        **outputs.drawing("error_vs_depth_width"),
    log:
        "logs/fig_error_vs_depth_width.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        tasks=comparisons["depth_width"],
        titles=study.titles(comparisons["depth_width"]),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_error_vs_depth_width.py"


rule fig_selection_regret:
    """The error that is lost on each target, against the number of models that one can afford to try."""
    input:
        scores=outputs.needed("fig_selection_regret", files.scores(comparisons.tasks)),
    output:
        **outputs.drawing("selection_regret"),
    log:
        "logs/fig_selection_regret.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        reference=study.reference,
        targets=study.targets,
        closest=comparisons.closest,
        titles=study.titles(comparisons.tasks),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_selection_regret.py"
