# The figures of the study, each a comparison of error tables.
# Needs results/errors/<task>.csv, results/population.csv and the helpers of tables.smk; makes
# results/figures/<name>.{pdf,png,csv,rst}: the picture, the numbers that it draws, and its caption.
DRAWING_CODE = code("errors", "statistics", "comparisons", "tables", "wording", "figures")
WITH_FAMILY = ["imagenet_vs_family", "closest_vs_targets", "classes_vs_images"] if study.family else []
DRAWN = ["relative_error", "imagenet_vs_targets", "error_vs_depth_width", "selection_regret", *WITH_FAMILY]
DRAWN += [f"target_{task}" for task in study.targets]


include: "scatter.smk"


rule figures:
    """Every figure of the study, with its numbers and its caption."""
    input:
        expand("results/figures/{name}.{suffix}", name=DRAWN, suffix=["pdf", "png", "csv", "rst"]),


rule fig_relative_error:
    """Errors over their mean against the error on the reference, several tasks in one plot."""
    input:
        errors=errors_of([study.reference, *study.figures["relative_error"]]),
    output:
        pdf=shown("results/figures/relative_error.pdf", "fig_relative_error"),
        png=shown("results/figures/relative_error.png", "fig_relative_error"),
        csv=shown("results/figures/relative_error.csv", "fig_relative_error"),
        caption="results/figures/relative_error.rst",
    log:
        "logs/fig_relative_error.log",
    conda:
        "../envs/analysis.yaml"
    params:
        reference=study.reference,
        tasks=study.figures["relative_error"],
        titles=titles_of([study.reference, *study.figures["relative_error"]]),
        bootstrap=BOOTSTRAP,
        code=DRAWING_CODE,
    script:
        "../workflow/scripts/fig_relative_error.py"


rule fig_error_vs_depth_width:
    """Error against cumulative depth and cumulative width."""
    input:
        errors=errors_of(study.figures["depth_width"]),
        population="results/population.csv",
    output:
        pdf=shown("results/figures/error_vs_depth_width.pdf", "fig_error_vs_depth_width"),
        png=shown("results/figures/error_vs_depth_width.png", "fig_error_vs_depth_width"),
        csv=shown("results/figures/error_vs_depth_width.csv", "fig_error_vs_depth_width"),
        caption="results/figures/error_vs_depth_width.rst",
    log:
        "logs/fig_error_vs_depth_width.log",
    conda:
        "../envs/analysis.yaml"
    params:
        tasks=study.figures["depth_width"],
        titles=titles_of(study.figures["depth_width"]),
        bootstrap=BOOTSTRAP,
        code=DRAWING_CODE,
    script:
        "../workflow/scripts/fig_error_vs_depth_width.py"


rule fig_selection_regret:
    """The error that is lost on each target, against the number of models that one can afford to try."""
    input:
        errors=errors_of(COMPARED),
    output:
        pdf=shown("results/figures/selection_regret.pdf", "fig_selection_regret"),
        png=shown("results/figures/selection_regret.png", "fig_selection_regret"),
        csv=shown("results/figures/selection_regret.csv", "fig_selection_regret"),
        caption="results/figures/selection_regret.rst",
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
        code=DRAWING_CODE,
    script:
        "../workflow/scripts/fig_selection_regret.py"
