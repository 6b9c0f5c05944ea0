# What all rules share: the checked study, and what makes a job run again.
import hashlib
import inspect
import json
import random
import shlex
from functools import cache

from snakemake.common import overwrite_function_params

from code_digest import digest
from study import read_yaml, study_of

# the interpreter that runs Snakemake also trains, whether its environment is activated or not
os.environ.update(PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()]))

if workflow.is_main_process:
    from apr.basics.problems import Problem
    from checks.config import checked_study

    try:
        study = checked_study(config, workflow.overwrite_configfiles or [PROJECT / "config.yaml"])
    except Problem as problem:
        sys.exit(f"error: {problem}")
else:
    study = study_of(config)


# --- what makes a job run again ---
#
# What a script's text or time says, profiles/default leaves out. Training, evaluating and preparing data depend on inputs
# and parameters alone, and so does what they are made from: where a change of its code changes what it makes, a
# `revision` is raised by hand. All other rules carry a digest of what their script runs.
RAISED_BY_HAND = {"download_file", "verify_source", "unpack_source", "pack_dataset", "select_view", "rank_runs"}


def code_of(script):
    """A parameter that changes with a script and with what it imports; computed once a job of it is planned."""
    return lambda wildcards: digest(SCRIPTS / Path(script).name)


def follow_code(rules):
    """Give every rule with a script, but for those of data, the digest of what it runs."""
    for each in rules:
        if each.script and each.name not in RAISED_BY_HAND:
            each.set_params(code=code_of(each.script))


# --- sources ---


def source_file(wildcards):
    return next(file for file in study.datasets[wildcards.dataset]["files"] if file["name"] == wildcards.file)


def declared(file):
    return {key: file[key] for key in ("name", "bytes", "sha256", "md5")}


def source_folder(wildcards):
    """A folder that the user has already; relative to the project's root."""
    folder = study.datasets[wildcards.dataset]["folder"]
    return str(PROJECT / folder) if folder else None


def names_encoding(wildcards):
    """Encoding of names in archives; where nothing is unpacked, it changes nothing."""
    dataset = study.datasets[wildcards.dataset]
    return source_folder(wildcards) or dataset["options"].get("names_encoding")


def fetched_files(wildcards):
    """Files with an address. Those that a user fetches by hand are no inputs: a forced run would delete them."""
    files = study.datasets[wildcards.dataset]["files"]
    return [f"data/raw/{wildcards.dataset}/{file['name']}" for file in files if file["url"]]


def is_bundled(file):
    return (file["url"] or "").startswith("bundled:")


# --- training ---


def seen_once(function):
    """Keep what Snakemake asks of a function for each of thousands of jobs: its signature."""
    overwrite_function_params(function, inspect.signature(function).parameters)
    return function


def metrics_of(view):
    """The metrics of the tasks of a view, which have to say something about its classes."""
    return {name: task.metric for name, task in study.tasks.items() if task.view == view and hasattr(task, "metric")}


def runs_of(task):
    return [f"results/runs/{task}/{name}.json" for name in study.runs(task)]


def all_there(paths):
    return all(map(os.path.exists, paths))


def sources_of(task):
    """The runs that a task's runs start from."""
    return [f"results/runs/{study.tasks[task].source}/{name}.json" for name in study.sources(task)]


@seen_once
def needed_to_train(wildcards):
    """The files that a task's images come from, and what a run starts from."""
    keep_going()
    task = study.tasks[wildcards.task]
    files = {
        "view": f"results/views/{task.view}.json",
        "packed": ancient(f"data/packed/{task.dataset}.bin"),
    }
    if task.initial:
        files["initial"] = f"results/runs/{task.initial}/{wildcards.model}.json"
    if task.continues:
        files["ranking"] = f"results/ranking/{task.continues}.csv"
    return files


@seen_once
def training_recipe(wildcards):
    """The options of train.py that change what a training results in."""
    model, _ = study.run(wildcards.task, wildcards.model)
    protocol = f"--protocol {shlex.quote(study.protocol(wildcards.task, wildcards.model))}"
    if model is None:
        return f"--rank {wildcards.model} {protocol}"
    return f"--model {model} --genotype {shlex.quote(study.genotypes[model])} {protocol}"


@seen_once
def training_options(wildcards, output):
    """The program, and its options for how it uses the machine: what takes `output` is no reason to train again."""
    run = f"{wildcards.task}/{wildcards.model}"
    return (
        f"{training_command(wildcards.task)} --checkpoint results/checkpoints/{run}.pt --history logs/history/{run}.log"
        + (f" --keep-weights results/weights/{run}.pt" if study.keeps(wildcards.task) else "")
    )


def device_of(settings):
    """The device of trainings or evaluations: on a cluster `auto` is what the profile says."""
    automatic = settings["device"] == "auto" and ON_CLUSTER
    return study.cluster["device"] if automatic else settings["device"]


@cache
def training_command(name):
    """What all runs of a task have in common."""
    task = study.tasks[name]
    options = {key.replace("_", "-"): study.training[key] for key in ("checkpoint_seconds", "resident_gb")}
    options["device"] = device_of(study.training)
    options |= {"task": name, "metric": task.metric, "view": f"results/views/{task.view}.json"}
    options |= {"packed": f"data/packed/{task.dataset}", "storage": study.datasets[task.dataset]["storage"]}
    if task.source:
        options |= {"initial-runs": f"results/runs/{task.source}", "initial-weights": f"results/weights/{task.source}"}
    if task.continues:
        options["ranking"] = f"results/ranking/{task.continues}.csv"
    flags = ["--keep-optimizer"] if study.keeps(name) == "state" else []
    return shlex.join([str(SCRIPTS / "train.py"), *(f"--{key}={value}" for key, value in options.items()), *flags])
