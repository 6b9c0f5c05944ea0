# The figures of the paper's appendix (A2 to A8; A1 is among the scatterplots). Included by figures.smk.


rule fig_training_curves:
    """Test error of some models over the epochs, and of the best and the worst, which are trained further."""
    input:
        curves=needed("fig_training_curves", some_runs(CURVES["task"], CURVES["models"])),
        continued=[path for task in CONTINUED for path in runs_of(task)],
        views=[f"results/views/{study.tasks[task].view}.json" for task in CURVE_TASKS],
    output:
        **drawing("training_curves"),
    log:
        "logs/fig_training_curves.log",
    conda:
        "../envs/analysis.yaml"
    params:
        metrics={task: study.tasks[task].metric for task in CURVE_TASKS},
        zoom_from=CURVES["zoom_from"],
        all_there=lambda wildcards, input: all_there(input),
        titles=titles_of(CURVE_TASKS),
    script:
        "../workflow/scripts/fig_training_curves.py"


rule fig_seed_densities:
    """Densities of the errors of single models over many seeds, and of the whole population."""
    input:
        repeated=needed("fig_seed_densities", scores_of(repeated for repeated, _ in REPEATED[:1])),
        population=scores_of(base for _, base in REPEATED[:1]),
    output:
        **drawing("seed_densities"),
    log:
        "logs/fig_seed_densities.log",
    conda:
        "../envs/analysis.yaml"
    params:
        task=[base for _, base in REPEATED[:1]],
        titles=titles_of(sum(REPEATED[:1], ())),
    script:
        "../workflow/scripts/fig_seed_densities.py"


rule fig_other_errors:
    """Two metrics of one task against each other, and the error on the training images against cumulative depth."""
    input:
        scores=needed(
            "fig_other_errors", scores_of(study.figures["metric_pair"] + study.figures["train_error_vs_depth"])
        ),
        population="results/population.csv",
    output:
        **drawing("other_errors"),
    log:
        "logs/fig_other_errors.log",
    conda:
        "../envs/analysis.yaml"
    params:
        both=study.figures["metric_pair"],
        deep=study.figures["train_error_vs_depth"],
        titles=titles_of(study.figures["metric_pair"] + study.figures["train_error_vs_depth"]),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_other_errors.py"


rule fig_balanced_vs_unbalanced:
    """Class distributions and errors of tasks and of their balanced versions."""
    input:
        scores=needed("fig_balanced_vs_unbalanced", scores_of(sum(BALANCED, ()))),
        views=[f"results/views/{study.tasks[task].view}.json" for task in sum(BALANCED, ())],
    output:
        **drawing("balanced_vs_unbalanced"),
    log:
        "logs/fig_balanced_vs_unbalanced.log",
    conda:
        "../envs/analysis.yaml"
    params:
        pairs=BALANCED,
        view_of={task: study.tasks[task].view for task in sum(BALANCED, ())},
        titles=titles_of(sum(BALANCED, ())),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_balanced_vs_unbalanced.py"


rule fig_pretrained_vs_scratch:
    """Errors from scratch and from the reference's weights against the error on the reference."""
    input:
        scores=needed("fig_pretrained_vs_scratch", scores_of([study.reference, *sum(PRETRAINED, ())])),
    output:
        **drawing("pretrained_vs_scratch"),
    log:
        "logs/fig_pretrained_vs_scratch.log",
    conda:
        "../envs/analysis.yaml"
    params:
        reference=study.reference,
        pairs=PRETRAINED,
        titles=titles_of([study.reference, *sum(PRETRAINED, ())]),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_pretrained_vs_scratch.py"


rule fig_best_shapes:
    """Depth, width, bottleneck ratio and group width of the best models over the stages."""
    input:
        scores=scores_of(study.figures["best_shapes"]),
        population="results/population.csv",
    output:
        **drawing("best_shapes"),
    log:
        "logs/fig_best_shapes.log",
    conda:
        "../envs/analysis.yaml"
    params:
        tasks=study.figures["best_shapes"],
        top=study.statistics.get("top", 15),
        titles=titles_of(study.figures["best_shapes"]),
    script:
        "../workflow/scripts/fig_best_shapes.py"


rule fig_all_pairs:
    """Every task against every other."""
    input:
        scores=scores_of(study.figures["all_pairs"]),
    output:
        **drawing("all_pairs"),
    log:
        "logs/fig_all_pairs.log",
    conda:
        "../envs/analysis.yaml"
    params:
        tasks=study.figures["all_pairs"],
        titles=titles_of(study.figures["all_pairs"]),
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_all_pairs.py"
