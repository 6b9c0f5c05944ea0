# Needs:  results/views/{view}.json, data/packed/{dataset}.bin (datasets.smk); genotypes and protocols, of the study
# Makes:  results/runs/{task}/{model}.json  one training each; a model's name says its cell where the task has a grid
#         results/ranking/{task}.csv        which models are best and worst, for the tasks that continue them
#
# A run depends on the images of its view, on its genotype and on its task's protocol, and on the run that it starts from,
# if any: nothing else makes it train again. The packed images are `ancient`: they may be deleted and made again. Which
# models a task continues only other runs can tell, so its runs are named by rank. A parameter that takes `output` is no
# reason to train again.


@asked_often
def needed_to_train(wildcards):
    """The files that a task's images come from, and what a run starts from."""
    batches.keep_going()
    task = study.tasks[wildcards.task]
    needed = {
        "view": f"results/views/{task.view}.json",
        "packed": ancient(f"data/packed/{task.dataset}.bin"),
    }
    if task.initial:
        needed["initial"] = f"results/runs/{task.initial}/{study.run(task.name, wildcards.model).model}.json"
    if task.continues:
        needed["ranking"] = f"results/ranking/{task.continues}.csv"
    return needed


@asked_often
def trained_model(wildcards):
    """Which model is trained, and how."""
    model = study.run(wildcards.task, wildcards.model).model
    which = (
        f"--model {model} --genotype {shlex.quote(study.genotypes[model])}" if model else f"--rank {wildcards.model}"
    )
    return {"which": which, "protocol": shlex.quote(study.protocol(wildcards.task, wildcards.model))}


@asked_often
def training_machine(wildcards, output):
    """How the training uses the machine, and what some tasks start from or keep (`more`)."""
    task = study.tasks[wildcards.task]
    more = study.options(task.name)
    if study.keeps(task.name):
        more.append(f"--keep-weights=results/weights/{wildcards.task}/{wildcards.model}.pt")
    return study.training | {
        "script": shlex.quote(f"{workflow.basedir}/workflow/scripts/train.py"),
        "packed": f"data/packed/{task.dataset}",
        "storage": study.datasets[task.dataset]["storage"],
        "metric": task.metric,
        "device": batches.device,
        "more": " ".join(more),
    }


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
        run=trained_model,
        how=training_machine,
    shell:
        "exec python {params.how[script]} --task {wildcards.task} {params.run[which]} --protocol {params.run[protocol]}"
        " --view {input.view} --packed {params.how[packed]} --storage {params.how[storage]} --metric {params.how[metric]}"
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
