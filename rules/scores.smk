# Needs:  results/runs/{task}/{model}.json (training.smk, evaluation.smk)
# Makes:  results/scores/{task}.csv  one row for each run that counts


rule collect_scores:
    """Gather the runs of a task into its score table; refuse runs of another protocol."""
    input:
        runs=lambda wildcards: files.runs(wildcards.task),
        sources=lambda wildcards: files.sources(wildcards.task),
        view=lambda wildcards: f"results/views/{study.tasks[wildcards.task].view}.json",
    output:
        "results/scores/{task}.csv",
    log:
        "logs/collect_scores/{task}.log",
    wildcard_constraints:
        task=one_of(study.run_here),
    conda:
        "../envs/analysis.yaml"
    params:
        plan=lambda wildcards: study.planned(wildcards.task),
        # Snakemake misses no file that something newer was made of; a deleted run has to be noticed all the same
        all_there=lambda wildcards: all_there(files.runs(wildcards.task)),
    message:
        "Collecting the scores of {wildcards.task}"
    script:
        "../workflow/scripts/collect_scores.py"
