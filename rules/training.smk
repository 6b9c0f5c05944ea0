# Needs:  results/views/{view}.json, data/packed/{dataset}.bin (datasets.smk); genotypes and protocols, of the study
# Makes:  results/runs/{task}/{model}.json  one training each; a model's name says its cell where the task has a grid
#         results/ranking/{task}.csv        which models are best and worst, for the tasks that continue them
#
# A run depends on the images of its view, on its genotype and on its task's protocol, and on the run that it starts from,
# if any: nothing else makes it train again. The packed images are `ancient`: they may be deleted and made again. Which
# models a task continues only other runs can tell, so its runs are named by rank. A parameter that takes `output` is no
# reason to train again.


rule train:
    """Train one model on one task."""
    input:
        unpack(commands.inputs()),
    output:
        "results/runs/{task}/{model}.json",
    log:
        "logs/train/{task}/{model}.log",
    benchmark:
        "logs/benchmarks/train/{task}/{model}.tsv"
    wildcard_constraints:
        task=one_of(study.made_by("train")),
    group:
        batches.runs
    conda:
        "../envs/train.yaml"
    threads: study.training["threads"]
    resources:
        runtime=batches.run_minutes(),
        trainings=1,
    params:
        run=commands.trained(),
        how=commands.machine("train.py"),
    shell:
        "exec python {params.how[start]} {params.how[script]} --task {wildcards.task} {params.run[which]}"
        " --protocol {params.run[protocol]} --metric {params.how[metric]}"
        " --view {input.view} --packed {params.how[packed]} --storage {params.how[storage]}"
        " --threads {threads} --device {params.how[device]} --resident-gb {params.how[resident_gb]}"
        " --checkpoint results/checkpoints/{wildcards.task}/{wildcards.model}.pt"
        " --checkpoint-seconds {params.how[checkpoint_seconds]} {params.how[more]}"
        " --run {output} --log {log} --history logs/history/{wildcards.task}/{wildcards.model}.log"


rule rank_runs:
    """Rank the runs of a task for the trainings that continue from its best and worst; it does not follow the code."""
    input:
        runs=lambda wildcards: files.runs(wildcards.task),
        sources=lambda wildcards: files.sources(wildcards.task),
        view=lambda wildcards: f"results/views/{study.tasks[wildcards.task].view}.json",
    output:
        "results/ranking/{task}.csv",
    log:
        "logs/rank_runs/{task}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        plan=lambda wildcards: study.planned(wildcards.task) | {"title": wildcards.task},  # another title ranks no other
        revision=1,
        all_there=lambda wildcards: all_there(files.runs(wildcards.task)),
    message:
        "Ranking the runs of {wildcards.task}"
    script:
        "../workflow/scripts/collect_scores.py"
