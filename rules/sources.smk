# Needs:  study.datasets (registry and study merged), study.mirror
# Makes:  data/raw       what the publisher ships, checked
#         data/unpacked  the same, unpacked; a list of it beside the folder
#
# None of these rules carries the digest of its code: a new manifest means training anew. Where a change of code changes
# what is made, its `revision` is raised by hand. A parameter that takes `output` is not a reason to run again.


wildcard_constraints:
    file="[^/]+",


def source_file(wildcards):
    return next(file for file in study.datasets[wildcards.dataset]["files"] if file["name"] == wildcards.file)


def declared(file):
    return {key: file[key] for key in ("name", "bytes", "sha256", "md5")}


def source_folder(wildcards):
    """A folder that the user has already; relative to the project's root."""
    folder = study.datasets[wildcards.dataset]["folder"]
    return str(PROJECT / folder) if folder else None


def fetched_files(wildcards):
    """Files with an address. Those that a user fetches by hand are no inputs: a forced run would delete them."""
    files = study.datasets[wildcards.dataset]["files"]
    return [f"data/raw/{wildcards.dataset}/{file['name']}" for file in files if file["url"]]


def is_bundled(file):
    return (file["url"] or "").startswith("bundled:")


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
        code=lambda wildcards: code("bundled") if is_bundled(source_file(wildcards)) else None,
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
    conda:
        "../envs/analysis.yaml"
    params:
        files=lambda wildcards: [declared(file) for file in study.datasets[wildcards.dataset]["files"]],
        folder=source_folder,
        raw="data/raw/{dataset}",
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
    conda:
        "../envs/analysis.yaml"
    params:
        raw="data/raw/{dataset}",
        unpacked="data/unpacked/{dataset}",
        folder=source_folder,
        unpack=lambda wildcards: study.datasets[wildcards.dataset]["unpack"],
        nested=lambda wildcards: study.datasets[wildcards.dataset]["options"].get("nested", False),
        revision=1,
    script:
        "../workflow/scripts/unpack_source.py"
