# Scatterplots of one task's error against another's; shown.smk has the pairs of tasks.
# Included by figures.smk, which says what they need and make. All are the first rule with other pairs.


rule fig_imagenet_vs_targets:
    """Error on each target against the error on the reference."""
    input:
        scores=needed("fig_imagenet_vs_targets", scores_of(sum(PAIRS["imagenet_vs_targets"], ()))),
    output:
        **drawing("imagenet_vs_targets"),
    log:
        "logs/fig_imagenet_vs_targets.log",
    conda:
        "../envs/analysis.yaml"
    params:
        scatter=scatter(PAIRS["imagenet_vs_targets"]),
        highlight=study.statistics["highlight"],
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_scatter.py"


use rule fig_imagenet_vs_targets as fig_imagenet_vs_family with:
    input:
        scores=needed("fig_imagenet_vs_family", scores_of(sum(PAIRS["imagenet_vs_family"], ()))),
    output:
        **drawing("imagenet_vs_family"),
    log:
        "logs/fig_imagenet_vs_family.log",
    params:
        scatter=scatter(PAIRS["imagenet_vs_family"]),


use rule fig_imagenet_vs_targets as fig_closest_vs_targets with:
    input:
        scores=needed("fig_closest_vs_targets", scores_of(sum(PAIRS["closest_vs_targets"], ()))),
    output:
        **drawing("closest_vs_targets"),
    log:
        "logs/fig_closest_vs_targets.log",
    params:
        scatter=scatter(PAIRS["closest_vs_targets"]),


use rule fig_imagenet_vs_targets as fig_classes_vs_images with:
    input:
        scores=needed("fig_classes_vs_images", scores_of(sum(PAIRS["classes_vs_images"], ()))),
    output:
        **drawing("classes_vs_images"),
    log:
        "logs/fig_classes_vs_images.log",
    params:
        scatter=scatter(PAIRS["classes_vs_images"], columns=len(study.figures["classes_vs_images"]["against"])),


use rule fig_imagenet_vs_targets as fig_training_variants with:
    input:
        scores=needed("fig_training_variants", scores_of(sum(PAIRS["training_variants"], ()))),
    output:
        **drawing("training_variants"),
    log:
        "logs/fig_training_variants.log",
    params:
        scatter=scatter(PAIRS["training_variants"], columns=len(study.figures["training_variants"]["against"])),


use rule fig_imagenet_vs_targets as fig_target with:
    input:
        scores=lambda wildcards: scores_of(sum(around(wildcards.task), ())),
    output:
        **drawing("target_{task}", "fig_target"),
    log:
        "logs/fig_target/{task}.log",
    wildcard_constraints:
        task="|".join(study.tasks),
    params:
        scatter=lambda wildcards: scatter(around(wildcards.task)),
