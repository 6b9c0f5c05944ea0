# Needs:  datasets and sources of published results, as the study and resources/ declare them; a mirror, if there is one
# Makes:  data/raw       what the publisher ships, checked
#         data/unpacked  the same, unpacked; a list of it beside the folder
#
# A new manifest means training again, so that none of these rules follows its code (workflow/engine/setup.py): where a
# change of code changes what is made, its `revision` is raised by hand. A parameter that takes `output` is not a reason
# to run again, so that the project may lie elsewhere.
from study import ROOT


rule download_file:
    output:
        "data/raw/{dataset}/{file}",
    log:
        "logs/download_file/{dataset}/{file}.log",
    benchmark:
        "logs/benchmarks/download_file/{dataset}/{file}.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        declared=lambda wildcards: files.declared(wildcards.dataset, wildcards.file),
        revision=lambda wildcards: 1 if files.bundled(wildcards.dataset, wildcards.file) else None,
        url=lambda wildcards, output: files.address(wildcards.dataset, wildcards.file),
        login=lambda wildcards, output: files.logins(wildcards.dataset)[wildcards.file],
        mirror=lambda wildcards, output: study.mirror,
        root=lambda wildcards, output: str(ROOT),
    message:
        "Fetching {wildcards.file} of {wildcards.dataset}"
    script:
        "../workflow/scripts/download_file.py"


rule verify_source:
    input:
        files=lambda wildcards: files.fetched(wildcards.dataset),
    output:
        manifest="data/raw/{dataset}.json",
    log:
        "logs/verify_source/{dataset}.log",
    benchmark:
        "logs/benchmarks/verify_source/{dataset}.tsv"
    group:
        batches.preparation
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=batches.preparation_minutes(),
    params:
        files=lambda wildcards: files.declared(wildcards.dataset),
        folder=lambda wildcards, output: files.folder(wildcards.dataset),
        configured=lambda wildcards: study.datasets[wildcards.dataset]["folder"],
        raw=lambda wildcards: f"data/raw/{wildcards.dataset}",
        trusted="data/raw/{dataset}.trusted.json",
        made_here=lambda wildcards: files.bundled(wildcards.dataset),
        logins=lambda wildcards, output: files.logins(wildcards.dataset),
        mirror=lambda wildcards, output: study.mirror,
        root=lambda wildcards, output: str(ROOT),
    script:
        "../workflow/scripts/verify_source.py"


rule unpack_source:
    input:
        files=lambda wildcards: files.fetched(wildcards.dataset),
        source="data/raw/{dataset}.json",
    output:
        manifest="data/unpacked/{dataset}.json",
    log:
        "logs/unpack_source/{dataset}.log",
    benchmark:
        "logs/benchmarks/unpack_source/{dataset}.tsv"
    group:
        batches.preparation
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=batches.preparation_minutes(),
    params:
        raw=lambda wildcards: f"data/raw/{wildcards.dataset}",
        unpacked="data/unpacked/{dataset}",
        folder=lambda wildcards, output: files.folder(wildcards.dataset),
        configured=lambda wildcards: study.datasets[wildcards.dataset]["folder"],
        unpack=lambda wildcards: study.datasets[wildcards.dataset]["unpack"],
        nested=lambda wildcards: study.datasets[wildcards.dataset]["options"].get("nested", False),
        # without an encoding the value of another parameter: Snakemake compares sets of values, and none is to run again
        names_encoding=lambda wildcards: files.names_encoding(wildcards.dataset),
        revision=1,
    script:
        "../workflow/scripts/unpack_source.py"
