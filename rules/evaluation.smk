# Needs:  results/views/{view}.json, data/packed/{dataset}.bin (datasets.smk); names of pretrained models, of the study
# Makes:  results/runs/{task}/{model}.json  one evaluation each
#
# An evaluation depends on the images of its view, on its model and on where the weights come from: nothing else makes it
# run again.


rule evaluate:
    """Evaluate one pretrained model on one test set."""
    input:
        unpack(commands.inputs()),
    output:
        "results/runs/{task}/{model}.json",
    log:
        "logs/evaluate/{task}/{model}.log",
    benchmark:
        "logs/benchmarks/evaluate/{task}/{model}.tsv"
    wildcard_constraints:
        task=one_of(study.made_by("evaluate")),
    group:
        batches.runs
    conda:
        "../envs/train.yaml"
    threads: study.training["threads"]
    resources:
        runtime=batches.run_minutes(),
        trainings=1,
    params:
        run=commands.evaluated(),
        how=commands.machine("evaluate.py"),
    shell:
        "exec python {params.how[start]} {params.how[script]} --task {wildcards.task} --model {params.run[model]}"
        " --root {params.how[root]} {params.run[weights]}"
        " --view {input.view} --packed {params.how[packed]} --storage {params.how[storage]}"
        " --batch {params.how[batch]} --threads {threads} --device {params.how[device]}"
        " --checkpoint results/checkpoints/{wildcards.task}/{wildcards.model}.pt"
        " --checkpoint-seconds {params.how[checkpoint_seconds]}"
        " --run {output} --log {log} --history logs/history/{wildcards.task}/{wildcards.model}.log"
