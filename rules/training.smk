# Runs and their score tables. A run depends on the images of its view, on its genotype and on its task's protocol, and on
# the run that it starts from, if any: nothing else makes it train again. The packed images are `ancient`: they may be
# deleted and made again. Which models a task continues only other runs can tell, so its runs are named by rank.


rule train:
    """Train one model on one task."""
    input:
        unpack(needed_to_train),
    output:
        "results/runs/{task}/{model}.json",
    log:
        "logs/train/{task}/{model}.log",
    benchmark:
        "logs/benchmarks/train/{task}/{model}.tsv"
    group:
        BATCH
    conda:
        "../envs/train.yaml"
    threads: study.training["threads"]
    resources:
        runtime=training_time,
        trainings=1,
    params:
        recipe=training_recipe,
        options=training_options,
    shell:
        "exec python {params.options} {params.recipe} --run {output} --threads {threads} --log {log}"


rule collect_scores:
    """Gather the runs of a task into its score table; refuse runs of another protocol."""
    input:
        runs=lambda wildcards: runs_of(wildcards.task),
        sources=lambda wildcards: sources_of(wildcards.task),
        view=lambda wildcards: f"results/views/{study.tasks[wildcards.task].view}.json",
    output:
        "results/scores/{task}.csv",
    log:
        "logs/collect_scores/{task}.log",
    conda:
        "../envs/analysis.yaml"
    params:
        plan=lambda wildcards: study.planned(wildcards.task),
        # Snakemake misses no file that something newer was made of; a deleted run has to be noticed all the same
        all_there=lambda wildcards: all_there(runs_of(wildcards.task)),
    message:
        "Collecting the scores of {wildcards.task}"
    script:
        "../workflow/scripts/collect_scores.py"


use rule collect_scores as rank_runs with:
    # the same table for the trainings that go on from the best and the worst: it does not follow the code
    output:
        "results/ranking/{task}.csv",
    log:
        "logs/rank_runs/{task}.log",
    params:
        plan=lambda wildcards: study.planned(wildcards.task) | {"title": wildcards.task},  # another title ranks no other
        revision=1,
    message:
        "Ranking the runs of {wildcards.task}"
