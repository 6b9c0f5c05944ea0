# Needs:  results/views/{view}.json, data/packed/{dataset}.bin (datasets.smk); names of pretrained models, of the study
# Makes:  results/runs/{task}/{model}.json  one evaluation each
#
# An evaluation depends on the images of its view, on its model and on where the weights come from: nothing else makes it
# run again.


@asked_often
def needed_to_evaluate(wildcards):
    """The files that a test set's images come from."""
    batches.keep_going()
    task = study.tasks[wildcards.task]
    return {"view": f"results/views/{task.view}.json", "packed": ancient(f"data/packed/{task.dataset}.bin")}


@asked_often
def evaluated_model(wildcards):
    """Which model is evaluated, and where its weights lie if not in the libraries' hubs."""
    weights = files.of_user(study.tasks[wildcards.task].protocol["weights"])
    model = study.run(wildcards.task, wildcards.model).model
    return {"model": model, "weights": f"--weights {shlex.quote(weights)}" if weights else ""}


@asked_often
def evaluation_machine(wildcards, output):
    """How the evaluation uses the machine."""
    task = study.tasks[wildcards.task]
    return study.training | {
        "script": shlex.quote(f"{workflow.basedir}/workflow/scripts/evaluate.py"),
        "packed": f"data/packed/{task.dataset}",
        "storage": study.datasets[task.dataset]["storage"],
        "batch": task.protocol["batch"],
        "device": batches.device,
    }


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
        run=evaluated_model,
        how=evaluation_machine,
    shell:
        "exec python {params.how[script]} --task {wildcards.task} --model {params.run[model]} {params.run[weights]}"
        " --view {input.view} --packed {params.how[packed]} --storage {params.how[storage]}"
        " --batch {params.how[batch]} --threads {threads} --device {params.how[device]}"
        " --checkpoint results/checkpoints/{wildcards.task}/{wildcards.model}.pt"
        " --checkpoint-seconds {params.how[checkpoint_seconds]}"
        " --run {output} --log {log} --history logs/history/{wildcards.task}/{wildcards.model}.log"
