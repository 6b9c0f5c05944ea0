# Scatterplots of one task's error against another's; "imagenet" stands for the study's reference.
# Included by figures.smk, which says what they need and make. All are the first rule with other pairs of tasks.
# The tasks on the horizontal and vertical axis of each panel.
PAIRS = {
    "imagenet_vs_targets": [(study.reference, target) for target in study.targets],
    "imagenet_vs_family": [(study.reference, member) for member in study.family],
    "closest_vs_targets": [(member, target) for target, member in CLOSEST.items()],
    "classes_vs_images": [
        (against, target)
        for target in study.figures["classes_vs_images"]["targets"]
        for against in study.figures["classes_vs_images"]["against"]
    ],
}


rule fig_imagenet_vs_targets:
    """Error on each target against the error on the reference."""
    input:
        errors=errors_of(sum(PAIRS["imagenet_vs_targets"], ())),
    output:
        pdf=shown("results/figures/imagenet_vs_targets.pdf", "fig_imagenet_vs_targets"),
        png=shown("results/figures/imagenet_vs_targets.png", "fig_imagenet_vs_targets"),
        csv=shown("results/figures/imagenet_vs_targets.csv", "fig_imagenet_vs_targets"),
        caption="results/figures/imagenet_vs_targets.rst",
    log:
        "logs/fig_imagenet_vs_targets.log",
    conda:
        "../envs/analysis.yaml"
    params:
        scatter=scatter(PAIRS["imagenet_vs_targets"]),
        highlight=study.statistics["highlight"],
        bootstrap=BOOTSTRAP,
        code=DRAWING_CODE,
    script:
        "../workflow/scripts/fig_scatter.py"


use rule fig_imagenet_vs_targets as fig_imagenet_vs_family with:
    input:
        errors=errors_of(sum(PAIRS["imagenet_vs_family"], ())),
    output:
        pdf=shown("results/figures/imagenet_vs_family.pdf", "fig_imagenet_vs_family"),
        png=shown("results/figures/imagenet_vs_family.png", "fig_imagenet_vs_family"),
        csv=shown("results/figures/imagenet_vs_family.csv", "fig_imagenet_vs_family"),
        caption="results/figures/imagenet_vs_family.rst",
    log:
        "logs/fig_imagenet_vs_family.log",
    params:
        scatter=scatter(PAIRS["imagenet_vs_family"]),


use rule fig_imagenet_vs_targets as fig_closest_vs_targets with:
    input:
        errors=errors_of(sum(PAIRS["closest_vs_targets"], ())),
    output:
        pdf=shown("results/figures/closest_vs_targets.pdf", "fig_closest_vs_targets"),
        png=shown("results/figures/closest_vs_targets.png", "fig_closest_vs_targets"),
        csv=shown("results/figures/closest_vs_targets.csv", "fig_closest_vs_targets"),
        caption="results/figures/closest_vs_targets.rst",
    log:
        "logs/fig_closest_vs_targets.log",
    params:
        scatter=scatter(PAIRS["closest_vs_targets"]),


use rule fig_imagenet_vs_targets as fig_classes_vs_images with:
    input:
        errors=errors_of(sum(PAIRS["classes_vs_images"], ())),
    output:
        pdf=shown("results/figures/classes_vs_images.pdf", "fig_classes_vs_images"),
        png=shown("results/figures/classes_vs_images.png", "fig_classes_vs_images"),
        csv=shown("results/figures/classes_vs_images.csv", "fig_classes_vs_images"),
        caption="results/figures/classes_vs_images.rst",
    log:
        "logs/fig_classes_vs_images.log",
    params:
        scatter=scatter(PAIRS["classes_vs_images"], columns=len(study.figures["classes_vs_images"]["against"])),


use rule fig_imagenet_vs_targets as fig_target with:
    input:
        errors=lambda wildcards: errors_of(sum(around(wildcards.task), ())),
    output:
        pdf=shown("results/figures/target_{task}.pdf", "fig_target"),
        png=shown("results/figures/target_{task}.png", "fig_target"),
        csv=shown("results/figures/target_{task}.csv", "fig_target"),
        caption="results/figures/target_{task}.rst",
    log:
        "logs/fig_target/{task}.log",
    wildcard_constraints:
        task="|".join(study.tasks),
    params:
        scatter=lambda wildcards: scatter(around(wildcards.task)),
