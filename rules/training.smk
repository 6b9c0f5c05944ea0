# Runs and their error tables. A run depends on the images of its view, on its genotype and on its task's protocol:
# nothing else makes it train again. The packed images are `ancient`: they may be deleted and made again.


rule train:
    """Train one model on one task."""
    input:
        unpack(images_of),
    output:
        "results/runs/{task}/{model}.json",
    log:
        "logs/train/{task}/{model}.log",
    benchmark:
        "logs/benchmarks/train/{task}/{model}.tsv"
    conda:
        "../envs/train.yaml"
    threads: study.training["threads"]
    params:
        protocol=lambda wildcards: json.dumps(study.tasks[wildcards.task].protocol),
        genotype=lambda wildcards: study.genotypes[wildcards.model],
        # how a training uses the machine is no reason to train again: what takes `output` triggers nothing
        options=lambda wildcards, output: training_options(wildcards),
    message:
        "Training {wildcards.model} on {wildcards.task}"
    shell:
        "exec python {params.options} --task {wildcards.task} --model {wildcards.model} --genotype {params.genotype:q}"
        " --view {input.view} --view-index {input.index} --protocol {params.protocol:q} --run {output}"
        " --threads {threads} --log {log}"


rule collect_errors:
    """Gather the runs of a task into its error table; refuse runs of another protocol."""
    input:
        runs=[f"results/runs/{{task}}/{model}.json" for model in study.models],
        view=lambda wildcards: f"results/views/{study.tasks[wildcards.task].view}.json",
    output:
        "results/errors/{task}.csv",
    log:
        "logs/collect_errors/{task}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        protocol=lambda wildcards: study.tasks[wildcards.task].protocol,
        reported=lambda wildcards: study.tasks[wildcards.task].error,
        genotypes=lambda wildcards: study.genotypes,
        code=code("runs"),
    message:
        "Collecting the errors of {wildcards.task}"
    script:
        "../workflow/scripts/collect_errors.py"
