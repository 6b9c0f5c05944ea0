# Needs:  results/scores/{task}.csv (scores.smk)
# Makes:  results/figures/<name>.{pdf,png,csv,rst}  the picture, the numbers that it draws, and its caption
#
# One task's scores against another's. All are the first rule with other pairs.


rule fig_imagenet_vs_targets:
    """Error on each target against the error on the reference."""
    input:
        scores=outputs.needed(
            "fig_imagenet_vs_targets", files.scores(tasks_of(comparisons.pairs["imagenet_vs_targets"]))
        ),
    output:
        **outputs.drawing("imagenet_vs_targets"),
    log:
        "logs/fig_imagenet_vs_targets.log",
    conda:
        "../../envs/analysis.yaml"
    params:
        scatter=comparisons.panels(comparisons.pairs["imagenet_vs_targets"]),
        highlight=study.statistics["highlight"],
        bootstrap=study.bootstrap,
    script:
        "../../workflow/scripts/fig_scatter.py"


use rule fig_imagenet_vs_targets as fig_imagenet_vs_family with:
    input:
        scores=outputs.needed("fig_imagenet_vs_family", files.scores(tasks_of(comparisons.pairs["imagenet_vs_family"]))),
    output:
        **outputs.drawing("imagenet_vs_family"),
    log:
        "logs/fig_imagenet_vs_family.log",
    params:
        scatter=comparisons.panels(comparisons.pairs["imagenet_vs_family"]),


use rule fig_imagenet_vs_targets as fig_closest_vs_targets with:
    input:
        scores=outputs.needed("fig_closest_vs_targets", files.scores(tasks_of(comparisons.pairs["closest_vs_targets"]))),
    output:
        **outputs.drawing("closest_vs_targets"),
    log:
        "logs/fig_closest_vs_targets.log",
    params:
        scatter=comparisons.panels(comparisons.pairs["closest_vs_targets"]),


use rule fig_imagenet_vs_targets as fig_classes_vs_images with:
    input:
        scores=outputs.needed("fig_classes_vs_images", files.scores(tasks_of(comparisons.pairs["classes_vs_images"]))),
    output:
        **outputs.drawing("classes_vs_images"),
    log:
        "logs/fig_classes_vs_images.log",
    params:
        scatter=comparisons.panels(
            comparisons.pairs["classes_vs_images"], columns=len(comparisons["classes_vs_images"]["against"])
        ),


use rule fig_imagenet_vs_targets as fig_training_variants with:
    input:
        scores=outputs.needed("fig_training_variants", files.scores(tasks_of(comparisons.pairs["training_variants"]))),
    output:
        **outputs.drawing("training_variants"),
    log:
        "logs/fig_training_variants.log",
    params:
        scatter=comparisons.panels(
            comparisons.pairs["training_variants"], columns=len(comparisons["training_variants"]["against"])
        ),


use rule fig_imagenet_vs_targets as fig_target with:
    input:
        scores=lambda wildcards: files.scores(tasks_of(comparisons.around(wildcards.task))),
    output:
        **outputs.drawing("target_{task}", "fig_target"),
    log:
        "logs/fig_target/{task}.log",
    wildcard_constraints:
        task=one_of(study.tasks if study.reference else []),
    params:
        scatter=lambda wildcards: comparisons.panels(comparisons.around(wildcards.task)),
