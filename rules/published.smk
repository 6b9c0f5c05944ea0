# Needs:  data/unpacked/{source}.json, data/raw/{source}/… (sources.smk)
# Makes:  results/scores/{task}.csv  of the tasks whose results are published, all of a source at once


rule import_imagenetv2:
    """Published predictions on ImageNet and on its new test sets, counted against their labels."""
    input:
        unpack(lambda wildcards: files.labels("imagenetv2_predictions")),
        unpacked="data/unpacked/imagenetv2_predictions.json",
    output:
        files.scores(study.published("imagenetv2_predictions")),
    log:
        "logs/import_imagenetv2.log",
    conda:
        "../envs/analysis.yaml"
    params:
        source=lambda wildcards: files.source("imagenetv2_predictions"),
        metrics=study.metrics("imagenetv2_predictions"),
    message:
        "Counting the published predictions on ImageNetV2"
    script:
        "../workflow/scripts/import_predictions.py"


use rule import_imagenetv2 as import_cifar10 with:
    input:
        unpack(lambda wildcards: files.labels("cifar10.1_predictions")),
        unpacked="data/unpacked/cifar10.1_predictions.json",
    output:
        files.scores(study.published("cifar10.1_predictions")),
    log:
        "logs/import_cifar10.log",
    params:
        source=lambda wildcards: files.source("cifar10.1_predictions"),
        metrics=study.metrics("cifar10.1_predictions"),
    message:
        "Counting the published predictions on CIFAR-10.1"


rule import_measured:
    """Accuracies that timm measured."""
    input:
        verified="data/raw/timm-results.json",
        measured=lambda wildcards: [
            files.of_source("timm-results", entry["measured"]) for entry in study.published("timm-results").values()
        ],
    output:
        files.scores(study.published("timm-results")),
    log:
        "logs/import_measured.log",
    conda:
        "../envs/analysis.yaml"
    params:
        images=[entry["images"] for entry in study.published("timm-results").values()],
        metrics=study.metrics("timm-results"),
    message:
        "Reading the accuracies that timm measured"
    script:
        "../workflow/scripts/import_measured.py"


rule import_tables:
    """Scores of published tables, all at once: a table is read in no time, a process takes a second to start."""
    input:
        verified=[f"data/raw/{source}.json" for source in files.fetched_tables],
        tables=files.tables(study.tables_of(own=False)),
    output:
        files.scores(study.tables_of(own=False)),
    log:
        "logs/import_tables.log",
    conda:
        "../envs/analysis.yaml"
    params:
        tables=list(study.tables_of(own=False).values()),
    message:
        "Reading the published tables"
    script:
        "../workflow/scripts/import_tables.py"


use rule import_tables as import_own_tables with:
    input:
        tables=files.tables(study.tables_of(own=True)),
    output:
        files.scores(study.tables_of(own=True)),
    log:
        "logs/import_own_tables.log",
    params:
        tables=list(study.tables_of(own=True).values()),
    message:
        "Reading the tables of one's own"
