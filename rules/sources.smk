# Needs:  study.datasets (registry and study merged), study.mirror
# Makes:  data/raw       what the publisher ships, checked
#         data/unpacked  the same, unpacked; a list of it beside the folder
#
# A new manifest means training again, so that none of these rules follows its code (common.smk): where a change of code
# changes what is made, its `revision` is raised by hand. A parameter that takes `output` is not a reason to run again, so
# that the project may lie elsewhere.


wildcard_constraints:
    file="[^/]+",


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
        declared=lambda wildcards: declared(source_file(wildcards)),
        revision=lambda wildcards: 1 if is_bundled(source_file(wildcards)) else None,
        url=lambda wildcards, output: source_file(wildcards)["url"],
        login=lambda wildcards, output: study.datasets[wildcards.dataset]["login"],
        mirror=lambda wildcards, output: study.mirror,
        root=lambda wildcards, output: str(PROJECT),
    message:
        "Fetching {wildcards.file} of {wildcards.dataset}"
    script:
        "../workflow/scripts/download_file.py"


rule verify_source:
    input:
        files=fetched_files,
    output:
        manifest="data/raw/{dataset}.json",
    log:
        "logs/verify_source/{dataset}.log",
    benchmark:
        "logs/benchmarks/verify_source/{dataset}.tsv"
    group:
        PREPARATION
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=preparation_time,
    params:
        files=lambda wildcards: [declared(file) for file in study.datasets[wildcards.dataset]["files"]],
        folder=lambda wildcards, output: source_folder(wildcards),
        configured=lambda wildcards: study.datasets[wildcards.dataset]["folder"],
        raw=lambda wildcards: f"data/raw/{wildcards.dataset}",
        trusted="data/raw/{dataset}.trusted.json",
        made_here=lambda wildcards: any(map(is_bundled, study.datasets[wildcards.dataset]["files"])),
        login=lambda wildcards, output: study.datasets[wildcards.dataset]["login"],
        mirror=lambda wildcards, output: study.mirror,
        root=lambda wildcards, output: str(PROJECT),
    script:
        "../workflow/scripts/verify_source.py"


rule unpack_source:
    input:
        files=fetched_files,
        source="data/raw/{dataset}.json",
    output:
        manifest="data/unpacked/{dataset}.json",
    log:
        "logs/unpack_source/{dataset}.log",
    benchmark:
        "logs/benchmarks/unpack_source/{dataset}.tsv"
    group:
        PREPARATION
    conda:
        "../envs/analysis.yaml"
    resources:
        runtime=preparation_time,
    params:
        raw=lambda wildcards: f"data/raw/{wildcards.dataset}",
        unpacked="data/unpacked/{dataset}",
        folder=lambda wildcards, output: source_folder(wildcards),
        configured=lambda wildcards: study.datasets[wildcards.dataset]["folder"],
        unpack=lambda wildcards: study.datasets[wildcards.dataset]["unpack"],
        nested=lambda wildcards: study.datasets[wildcards.dataset]["options"].get("nested", False),
        # without an encoding the value of another parameter: Snakemake compares sets of values, and none is to run again
        names_encoding=names_encoding,
        revision=1,
    script:
        "../workflow/scripts/unpack_source.py"
