# Pretrained models on test sets whose images are at hand, and their score tables. An evaluation depends on the images of
# its view, on its model and on where the weights come from: nothing else makes it run again.


rule evaluate:
    """Evaluate one pretrained model on one test set."""
    input:
        unpack(needed_to_evaluate),
    output:
        "results/runs/{task}/{model}.json",
    log:
        "logs/evaluate/{task}/{model}.log",
    benchmark:
        "logs/benchmarks/evaluate/{task}/{model}.tsv"
    wildcard_constraints:
        task=one_of(study.tasks),
        model=one_of(study.models),
    group:
        BATCH
    conda:
        "../envs/train.yaml"
    threads: study.evaluate["threads"]
    resources:
        runtime=training_time,
        trainings=1,
    params:
        recipe=evaluation_recipe,
        options=evaluation_options,
    shell:
        "exec python {params.options} {params.recipe} --run {output} --threads {threads} --log {log}"


rule collect_evaluations:
    """Gather the evaluations of a test set into its score table; refuse those of other images."""
    input:
        runs=lambda wildcards: runs_of(wildcards.task),
        view=lambda wildcards: f"results/views/{study.tasks[wildcards.task].view}.json",
    output:
        "results/scores/{task}.csv",
    log:
        "logs/collect_evaluations/{task}.log",
    wildcard_constraints:
        task=one_of(study.tasks),
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
