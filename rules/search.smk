# Needs:  results/views/{view}.json, data/packed/{dataset}.bin (datasets.smk); names of pretrained models, of the study
# Makes:  results/rungs/{task}/{epochs}/{model}.json     how far the run of a cell has come after so many epochs
#         results/halvings/{task}/{epochs}/{model}.json  which cells of a model go on from there
#         results/choices/{task}/{model}.json            the cell of a model that the validation images chose
#
# A search drops cells on the way, and a chosen cell is trained again with other seeds: what later runs are, only earlier
# ones can tell, so these wait for them. A run that pauses keeps its checkpoint, from which finetuning.smk goes on. The
# names of models in halvings and choices are without a cell.


rule finetune_rung:
    """Fine-tune one pretrained model up to an epoch at which cells of its grid are compared."""
    input:
        unpack(commands.inputs()),
    output:
        "results/rungs/{task}/{epochs}/{model}.json",
    log:
        "logs/finetune_rung/{task}/{epochs}/{model}.log",
    benchmark:
        "logs/benchmarks/finetune_rung/{task}/{epochs}/{model}.tsv"
    wildcard_constraints:
        task=one_of(study.halved),
        epochs="[0-9]+",
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
        " --root {params.how[root]} {params.run[weights]} --protocol {params.run[protocol]} {params.run[after]} --metric {params.how[metric]}"
        " --view {input.view} --packed {params.how[packed]} --storage {params.how[storage]}"
        " --threads {threads} --device {params.how[device]} --resident-gb {params.how[resident_gb]}"
        " --checkpoint results/checkpoints/{wildcards.task}/{wildcards.model}.pt"
        " --checkpoint-seconds {params.how[checkpoint_seconds]} --pause-after {wildcards.epochs}"
        " --run {output} --log {log} --history logs/history/{wildcards.task}/{wildcards.model}.log"


rule halve_cells:
    """Say which cells of a model go on; it does not follow the code."""
    input:
        rungs=lambda wildcards: files.rungs(wildcards.task, wildcards.epochs, wildcards.model),
    output:
        "results/halvings/{task}/{epochs}/{model}.json",
    log:
        "logs/halve_cells/{task}/{epochs}/{model}.log",
    wildcard_constraints:
        task=one_of(study.halved),
        epochs="[0-9]+",
    conda:
        "../envs/analysis.yaml"
    params:
        rung=lambda wildcards: study.tasks[wildcards.task].rung(int(wildcards.epochs)),
        metric=lambda wildcards: study.tasks[wildcards.task].metric,
        revision=1,
    message:
        "Comparing the cells of {wildcards.model} on {wildcards.task} after {wildcards.epochs} epochs"
    script:
        "../workflow/scripts/halve_cells.py"


rule choose_cell:
    """Choose the cell of a model that is trained again with other seeds; it does not follow the code."""
    input:
        runs=lambda wildcards: files.cells(wildcards.task, wildcards.model),
    output:
        "results/choices/{task}/{model}.json",
    log:
        "logs/choose_cell/{task}/{model}.log",
    wildcard_constraints:
        task=one_of(study.chosen_again),
    conda:
        "../envs/analysis.yaml"
    params:
        by=lambda wildcards: study.tasks[wildcards.task].choose,
        metric=lambda wildcards: study.tasks[wildcards.task].metric,
        cells=lambda wildcards: study.tasks[wildcards.task].named_cells(wildcards.model),
        revision=1,
    message:
        "Choosing the cell of {wildcards.model} on {wildcards.task}"
    script:
        "../workflow/scripts/choose_cell.py"
