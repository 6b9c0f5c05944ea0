# Needs:  results/scores/{task}.csv (scores.smk), results/runs/{task}/{model}.json, results/views/{view}.json
# Makes:  results/figures/<name>.{pdf,png,csv,rst}  the picture, the numbers that it draws, and its caption
#
# The figures of the first paper's appendix (A2 and A4 to A8).


rule fig_training_curves:
    """Test error of some models over the epochs, and of the best and the worst, which are trained further."""
    input:
        curves=outputs.needed(
            "fig_training_curves", files.some_runs(comparisons.curves["task"], comparisons.curves["models"])
        ),
        continued=[path for task in comparisons.curves.get("continued", []) for path in files.runs(task)],
        views=files.views(comparisons.curve_tasks),
    output:
        **outputs.drawing("training_curves"),
    log:
        "logs/fig_training_curves.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        metrics={task: study.tasks[task].metric for task in comparisons.curve_tasks},
        zoom_from=comparisons.curves["zoom_from"],
        all_there=lambda wildcards, input: all_there(input),
        titles=study.titles(comparisons.curve_tasks),
    script:
        "../../workflow/scripts/fig_training_curves.py"


rule fig_other_errors:
    """Two metrics of one task against each other, and the error on the training images against cumulative depth."""
    input:
        scores=outputs.needed(
            "fig_other_errors", files.scores(comparisons["metric_pair"] + comparisons["train_error_vs_depth"])
        ),
        population="results/population.csv",
    output:
        **outputs.drawing("other_errors"),
    log:
        "logs/fig_other_errors.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        both=comparisons["metric_pair"],
        deep=comparisons["train_error_vs_depth"],
        titles=study.titles(comparisons["metric_pair"] + comparisons["train_error_vs_depth"]),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_other_errors.py"


rule fig_balanced_vs_unbalanced:
    """Class distributions and errors of tasks and of their balanced versions."""
    input:
        scores=outputs.needed("fig_balanced_vs_unbalanced", files.scores(tasks_of(comparisons.two("balanced")))),
        views=files.views(tasks_of(comparisons.two("balanced"))),
    output:
        **outputs.drawing("balanced_vs_unbalanced"),
    log:
        "logs/fig_balanced_vs_unbalanced.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        pairs=comparisons.two("balanced"),
        view_of={task: study.tasks[task].view for task in tasks_of(comparisons.two("balanced"))},
        titles=study.titles(tasks_of(comparisons.two("balanced"))),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_balanced_vs_unbalanced.py"


rule fig_pretrained_vs_scratch:
    """Errors from scratch and from the reference's weights against the error on the reference."""
    input:
        scores=outputs.needed(
            "fig_pretrained_vs_scratch", files.scores([study.reference, *tasks_of(comparisons.two("pretrained"))])
        ),
    output:
        **outputs.drawing("pretrained_vs_scratch"),
    log:
        "logs/fig_pretrained_vs_scratch.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        reference=study.reference,
        pairs=comparisons.two("pretrained"),
        titles=study.titles([*comparisons.reference, *tasks_of(comparisons.two("pretrained"))]),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_pretrained_vs_scratch.py"


rule fig_best_shapes:
    """Depth, width, bottleneck ratio and group width of the best models over the stages."""
    input:
        scores=outputs.needed("fig_best_shapes", files.scores(comparisons["best_shapes"])),
        population="results/population.csv",
    output:
        **outputs.drawing("best_shapes"),
    log:
        "logs/fig_best_shapes.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        tasks=comparisons["best_shapes"],
        top=study.statistics["top"],
        titles=study.titles(comparisons["best_shapes"]),
    script:
        "../../workflow/scripts/fig_best_shapes.py"


rule fig_all_pairs:
    """Every task against every other."""
    input:
        scores=outputs.needed("fig_all_pairs", files.scores(comparisons["all_pairs"])),
    output:
        **outputs.drawing("all_pairs"),
    log:
        "logs/fig_all_pairs.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        tasks=comparisons["all_pairs"],
        titles=study.titles(comparisons["all_pairs"]),
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_all_pairs.py"
