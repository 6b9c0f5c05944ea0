# What all rules share: the checked study, and the digests that make cheap rules follow the library.
import hashlib
import json
import shlex

import yaml

from study import study_of

# the interpreter that runs Snakemake also trains, whether its environment is activated or not
os.environ.update(PATH=os.pathsep.join([os.path.dirname(sys.executable), *os.get_exec_path()]))

if workflow.is_main_process:
    from checks import check_config

    config_files = workflow.overwrite_configfiles or [PROJECT / "config.yaml"]
    config_errors = check_config(config, config_files)
    if config_errors:
        sys.exit("\n".join([f"error: the configuration has {len(config_errors)} error(s):", *config_errors]))
study = study_of(config)


def code(*modules):
    """Digest of modules of the library: a parameter of every cheap rule, so that editing them makes it run again."""
    files = [
        file
        for module in modules
        for file in sorted((SCRIPTS / "apr").glob(f"{module}.py")) + sorted((SCRIPTS / "apr" / module).glob("*.py"))
    ]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


# --- sources ---


def source_file(wildcards):
    return next(file for file in study.datasets[wildcards.dataset]["files"] if file["name"] == wildcards.file)


def declared(file):
    return {key: file[key] for key in ("name", "bytes", "sha256", "md5")}


def source_folder(wildcards):
    """A folder that the user has already; relative to the project's root."""
    folder = study.datasets[wildcards.dataset]["folder"]
    return str(PROJECT / folder) if folder else None


def fetched_files(wildcards):
    """Files with an address. Those that a user fetches by hand are no inputs: a forced run would delete them."""
    files = study.datasets[wildcards.dataset]["files"]
    return [f"data/raw/{wildcards.dataset}/{file['name']}" for file in files if file["url"]]


def is_bundled(file):
    return (file["url"] or "").startswith("bundled:")


# --- training ---


def images_of(wildcards):
    """The files that a task's images come from."""
    task = study.tasks[wildcards.task]
    return {
        "view": f"results/views/{task.view}.json",
        "index": ancient(f"data/views/{task.view}.npz"),
        "packed": ancient(f"data/packed/{task.dataset}.bin"),
    }


def training_options(wildcards):
    """train.py with the options that do not change what a training results in."""
    dataset = study.tasks[wildcards.task].dataset
    options = {key.replace("_", "-"): value for key, value in study.training.items() if key != "threads"}
    options |= {"packed": f"data/packed/{dataset}", "storage": study.datasets[dataset]["storage"]}
    options |= {"checkpoint": f"results/checkpoints/{wildcards.task}/{wildcards.model}.pt"}
    return shlex.join([str(SCRIPTS / "train.py"), *(f"--{key}={value}" for key, value in options.items())])


# --- tables and figures ---


PAPER_ITEMS = yaml.safe_load((PROJECT / "resources" / "paper_items.yaml").read_text(encoding="utf-8"))["items"]


def paper_item(target):
    """The number that the paper gives to what a target makes, and what it shows: the labels of the report."""
    return PAPER_ITEMS[target]


def shown(path, target):
    """Mark an output for the report, under its number in the paper; its caption is what the rule computed."""
    kind = "Tables" if target.startswith("table_") else "Figures"
    labels = {**paper_item(target), "format": path.rsplit(".", 1)[1].upper()}
    return report(path, caption="../workflow/report/caption.rst", category=kind, labels=labels)


def errors_of(tasks):
    """The error tables of tasks, each once."""
    return [f"results/errors/{task}.csv" for task in dict.fromkeys(tasks)]


def titles_of(tasks):
    """What a reader sees as the tasks' names."""
    return {task: study.tasks[task].title for task in tasks}


def scatter(pairs, columns=None):
    """Parameters of a figure of scatterplots, one for each pair of tasks; `columns` where rows have a meaning."""
    return {"pairs": pairs, "columns": columns, "titles": titles_of(sum(pairs, ()))}


def around(task):
    """Pairs of one task with the reference and with all of its family."""
    return [(against, task) for against in (study.reference, *study.family) if against != task]
