# The retests: score tables of published results, and the tables and figures that compare them.
# Needs data/unpacked/{source}.json, data/raw/{source}/… (sources.smk); makes results/scores/<test set>.csv,
# results/tables/<name>.{csv,md,rst} and results/figures/<name>.{pdf,png,csv,rst}.
SUMMARIES = [name for name in PAPER_ITEMS if name not in ("table_retest", "fig_retest")]
EACH = [f"retest_{name}" for name in study.retests]


wildcard_constraints:
    retest=one_of(study.retests),


rule tables:
    """Every table of the study, also to read, and its caption."""
    input:
        expand(
            "results/tables/{name}.{suffix}",
            name=made([name for name in SUMMARIES if name.startswith("table_")]) + EACH,
            suffix=["csv", "md", "rst"],
        ),


rule figures:
    """Every figure of the study, with its numbers and its caption."""
    input:
        expand(
            "results/figures/{name}.{suffix}",
            name=made([name for name in SUMMARIES if name.startswith("fig_")]) + EACH,
            suffix=["pdf", "png", "csv", "rst"],
        ),


rule import_imagenetv2:
    """Published predictions on ImageNet and on its new test sets, counted against their labels."""
    input:
        unpacked="data/unpacked/imagenetv2_predictions.json",
    output:
        "results/scores/imagenet_val.csv",
        "results/scores/imagenetv2_matched_frequency.csv",
        "results/scores/imagenetv2_threshold_0.7.csv",
        "results/scores/imagenetv2_top_images.csv",
    log:
        "logs/import_imagenetv2.log",
    conda:
        "../envs/analysis.yaml"
    params:
        source=lambda wildcards: sets_of("imagenetv2_predictions"),
        metric=ACCURACY.name,
    message:
        "Counting the published predictions on ImageNetV2"
    script:
        "../workflow/scripts/import_predictions.py"


use rule import_imagenetv2 as import_cifar10 with:
    input:
        unpacked="data/unpacked/cifar10.1_predictions.json",
        verified="data/raw/cifar10_labels.json",
        labels=lambda wildcards: published_file("cifar10_labels", "cifar10_test_set_original_labels.npy"),
    output:
        "results/scores/cifar10.csv",
        "results/scores/cifar10.1_v4.csv",
        "results/scores/cifar10.1_v6.csv",
    log:
        "logs/import_cifar10.log",
    params:
        source=lambda wildcards: sets_of("cifar10.1_predictions"),
        metric=ACCURACY.name,
    message:
        "Counting the published predictions on CIFAR-10.1"


rule import_measured:
    """Accuracies that timm measured."""
    input:
        verified="data/raw/timm-results.json",
        measured=lambda wildcards: [published_file("timm-results", entry["measured"]) for entry in MEASURED.values()],
    output:
        "results/scores/timm_imagenet.csv",
        "results/scores/timm_real.csv",
        "results/scores/timm_imagenetv2.csv",
        "results/scores/timm_imagenet_a.csv",
        "results/scores/timm_imagenet_a_clean.csv",
        "results/scores/timm_imagenet_r.csv",
        "results/scores/timm_imagenet_r_clean.csv",
        "results/scores/timm_sketch.csv",
    log:
        "logs/import_measured.log",
    conda:
        "../envs/analysis.yaml"
    params:
        images=[entry["images"] for entry in MEASURED.values()],
        metric=ACCURACY.name,
    message:
        "Reading the accuracies that timm measured"
    script:
        "../workflow/scripts/import_measured.py"


rule table_retest:
    """Accuracies of the same models on an original and on a new test set, with their ranks."""
    input:
        original=side_of("original"),
        new=side_of("new"),
    output:
        **table("retest_{retest}", "table_retest", title_of),
    log:
        "logs/table_retest/{retest}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        retest=lambda wildcards: study.retests[wildcards.retest],
        titles=study.titles,
    script:
        "../workflow/scripts/table_retest.py"


rule fig_retest:
    """Accuracy on a new test set against that on the original, with the line through the models."""
    input:
        original=side_of("original"),
        new=side_of("new"),
    output:
        **drawing("retest_{retest}", "fig_retest", title_of),
    log:
        "logs/fig_retest/{retest}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        retest=lambda wildcards: study.retests[wildcards.retest],
        titles=study.titles,
        bootstrap=BOOTSTRAP,
    script:
        "../workflow/scripts/fig_retest.py"


include: "summary.smk"
