# Needs:  results/views/{view}.json, data/packed/{dataset}.bin (datasets.smk); names of pretrained models, of the study
#         results/{rungs,halvings,choices}/  of a search, or of a chosen cell that is trained again (search.smk)
# Makes:  results/runs/{task}/{model}.json     one fine-tuning or probe each; a name says its cell where there is a grid
#         results/outputs/{task}/{model}.npz   its outputs for each validation and test image
#         results/features/{view}/             what probes of a view keep for each other; may be deleted
#
# A run depends on the images of its view, on its model, on its task's protocol, and on the file of a network of one's own.


rule finetune:
    """Fine-tune one pretrained model on one task."""
    input:
        unpack(commands.inputs()),
    output:
        run="results/runs/{task}/{model}.json",
        outputs="results/outputs/{task}/{model}.npz",
    log:
        "logs/finetune/{task}/{model}.log",
    benchmark:
        "logs/benchmarks/finetune/{task}/{model}.tsv"
    wildcard_constraints:
        task=one_of(study.made_by("finetune")),
    group:
        batches.runs
    conda:
        "../envs/train.yaml"
    threads: study.training["threads"]
    resources:
        runtime=batches.run_minutes(),
        trainings=1,
    params:
        run=commands.transferred(),
        how=commands.machine("finetune.py"),
    shell:
        "exec python {params.how[start]} {params.how[script]} --task {wildcards.task} --model {params.run[model]}"
        " --root {params.how[root]} {params.how[weights]} --protocol {params.run[protocol]} {params.run[after]} --metric {params.how[metric]}"
        " --view {input.view} --packed {params.how[packed]} --storage {params.how[storage]}"
        " --threads {threads} --device {params.how[device]} --resident-gb {params.how[resident_gb]}"
        " --checkpoint results/checkpoints/{wildcards.task}/{wildcards.model}.pt"
        " --checkpoint-seconds {params.how[checkpoint_seconds]} --outputs {output.outputs}"
        " --run {output.run} --log {log} --history logs/history/{wildcards.task}/{wildcards.model}.log"


rule probe:
    """Fit a classifier to the features of one pretrained model on one task."""
    input:
        unpack(commands.inputs()),
    output:
        run="results/runs/{task}/{model}.json",
        outputs="results/outputs/{task}/{model}.npz",
    log:
        "logs/probe/{task}/{model}.log",
    benchmark:
        "logs/benchmarks/probe/{task}/{model}.tsv"
    wildcard_constraints:
        task=one_of(study.made_by("probe")),
    group:
        batches.runs
    conda:
        "../envs/train.yaml"
    threads: study.training["threads"]
    resources:
        runtime=batches.run_minutes(),
        trainings=1,
    params:
        run=commands.transferred(),
        how=commands.machine("probe.py"),
    shell:
        "exec python {params.how[start]} {params.how[script]} --task {wildcards.task} --model {params.run[model]}"
        " --root {params.how[root]} {params.how[weights]} --protocol {params.run[protocol]} --metric {params.how[metric]}"
        " --view {input.view} --packed {params.how[packed]} --storage {params.how[storage]}"
        " --threads {threads} --device {params.how[device]} --resident-gb {params.how[resident_gb]}"
        " --features {params.how[features]}"
        " --checkpoint results/checkpoints/{wildcards.task}/{wildcards.model}.pt"
        " --checkpoint-seconds {params.how[checkpoint_seconds]} --outputs {output.outputs}"
        " --run {output.run} --log {log} --history logs/history/{wildcards.task}/{wildcards.model}.log"
