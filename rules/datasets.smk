# Needs:  data/raw/{dataset}.json, data/unpacked/{dataset}.json (sources.smk); the study's views
# Makes:  data/packed       one file of bytes, its index, and the images' names
#         results/datasets  classes, counts, digests, mean and SD
#         results/views     what was selected


rule pack_dataset:
    input:
        source="data/raw/{dataset}.json",
        unpacked="data/unpacked/{dataset}.json",
    output:
        bin="data/packed/{dataset}.bin",
        index="data/packed/{dataset}.index.npy",
        files="data/packed/{dataset}.files.txt",
        manifest="results/datasets/{dataset}.json",
    log:
        "logs/pack_dataset/{dataset}.log",
    benchmark:
        "logs/benchmarks/pack_dataset/{dataset}.tsv"
    group:
        batches.preparation
    conda:
        "../envs/analysis.yaml"
    threads: 8
    resources:
        runtime=batches.preparation_minutes(),
    params:
        stem="data/packed/{dataset}",
        format=lambda wildcards: study.datasets[wildcards.dataset]["format"],
        options=lambda wildcards: study.datasets[wildcards.dataset]["options"],
        classes=lambda wildcards: study.datasets[wildcards.dataset]["classes"],
        split=lambda wildcards: study.datasets[wildcards.dataset]["split"],
        storage=lambda wildcards: study.datasets[wildcards.dataset]["storage"],
        about=lambda wildcards, output: {
            key: study.datasets[wildcards.dataset][key] for key in ("title", "home", "licence")
        },
        revision=1,
    message:
        "Packing {wildcards.dataset}"
    script:
        "../workflow/scripts/pack_dataset.py"


rule select_view:
    input:
        dataset=lambda wildcards: f"results/datasets/{study.views[wildcards.view]['dataset']}.json",
        index=lambda wildcards: f"data/packed/{study.views[wildcards.view]['dataset']}.index.npy",
        within=lambda wildcards: [
            f"results/views/{parent}.json" for parent in [study.views[wildcards.view]["within"]] if parent
        ],
    output:
        manifest="results/views/{view}.json",
    log:
        "logs/select_view/{view}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        view=lambda wildcards: study.views[wildcards.view],
        metrics=lambda wildcards, output: study.metrics_on(wildcards.view),
        revision=1,
    script:
        "../workflow/scripts/select_view.py"
