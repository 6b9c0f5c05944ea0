"""What rules that make runs put into their commands and wait for, and how jobs share one on a cluster."""

from types import SimpleNamespace

import pytest
from golden import checked_rows

from engine.batches import SUBMITTED, Batches
from engine.commands import Commands
from study import ROOT, read_yaml, study_of
from study.files import Files


class Wildcards(SimpleNamespace):
    """As Snakemake gives them."""

    def get(self, name):
        return getattr(self, name, None)


def workflow(nodes=None, remote=False):
    """The parts of Snakemake's workflow that batches look at and set."""
    parts = {name: SimpleNamespace() for name in ("execution_settings", "resource_settings")}
    return SimpleNamespace(
        nodes=nodes,
        remote_exec=remote,
        global_resources={},
        group_settings=SimpleNamespace(group_components={}),
        **parts,
    )


def commands(name, changes=None, **of):
    study = study_of(read_yaml(ROOT / f"studies/{name}.yaml") | (changes or {}))
    engine = workflow(**of)
    return Commands(study, Files(study), Batches(engine, study)), engine


def told(name):
    made, _ = commands(name)
    asked = {"train": made.trained(), "finetune": made.transferred(), "probe": made.transferred()}
    for task in made.study.run_here:
        runs, way = list(made.study.runs(task)), made.study.tasks[task].way
        for run in {runs[0]: 0, runs[-1]: 0}:
            wildcards = Wildcards(task=task, model=run)
            yield task, run, sorted(made.inputs()(wildcards).items()), asked[way](wildcards)
            machine = dict(made.machine(f"{way}.py")(wildcards, None))
            yield {
                key: str(value).strip("'").replace(str(ROOT), "") for key, value in machine.items() if key != "start"
            }


@pytest.mark.parametrize("name", ["demo", "transfer_demo"])
def test_commands_are_what_they_were(name):
    checked_rows(f"commands/{name}", told(name))


def test_packed_images_may_be_older_than_their_runs():
    made, _ = commands("demo")
    needed = made.inputs()(Wildcards(task="digits", model="a000"))
    assert [key for key, file in needed.items() if getattr(file, "flags", {}).get("ancient")] == ["packed"]


def test_on_one_machine_nothing_is_batched():
    made, engine = commands("demo")
    made.inputs()(Wildcards(task="digits", model="a000"))
    assert (made.batches.submits, made.batches.runs, made.batches.preparation) == (False, None, None)
    assert engine.global_resources == {}
    assert vars(engine.execution_settings) == {}


def test_on_a_cluster_runs_share_jobs_and_no_cores_of_the_submitting_machine_limit_them():
    auto = {"training": {"threads": 1, "device": "auto"}, "device": "cuda", "per_gpu": 3}
    made, engine = commands("transfer_demo", auto, nodes=4)
    batches, study = made.batches, made.study
    assert batches.submits
    assert engine.global_resources == {"trainings": 3, "_cores": None}
    assert engine.resource_settings.cores is None
    assert batches.device == "cuda"
    run = next(iter(study.runs("digits")))
    assert batches.runs(Wildcards(task="digits", model=run)) == "train_digits"
    assert batches.runs(Wildcards(task="digits", model=run, epochs="2")) == "train_digits_after_2"
    assert batches.preparation(Wildcards(dataset="digits")) == "prepare_digits"
    sizes = engine.group_settings.group_components
    assert sizes.keys() == {"train_digits", "train_digits_after_2"}
    assert sizes["train_digits_after_2"] > sizes["train_digits"] > 1
    minutes = batches.run_minutes()
    assert minutes(Wildcards(task="digits", model=run), 3) == 3 * minutes(Wildcards(task="digits", model=run), 1)
    assert batches.preparation_minutes()(Wildcards(dataset="digits"), 2) == 60
    made.inputs()(Wildcards(task="digits", model=run))
    assert vars(engine.execution_settings) == {}  # here one failure may stop what has not begun


def test_in_a_job_of_the_cluster_a_run_that_fails_stops_no_other():
    made, engine = commands("demo", remote=True)
    made.inputs()(Wildcards(task="digits", model="a000"))
    assert engine.execution_settings.keep_going
    assert engine.global_resources == {"trainings": 1}
    assert made.batches.device == "cpu"


def test_runs_of_a_chosen_cell_are_no_batch_with_those_that_it_is_chosen_from():
    changes = read_yaml(ROOT / "studies/transfer_demo.yaml")["tasks"]
    changes["digits"]["choose"] = {"by": "validation", "seeds": [7, 8]}
    made, _ = commands("transfer_demo", {"tasks": changes}, nodes=1)
    runs = [name for name in made.study.runs("digits") if "chosen" in name]
    assert made.batches.runs(Wildcards(task="digits", model=runs[0])) == "train_digits_chosen"


def test_what_a_cluster_runs():
    ways = {"train", "finetune", "probe", "evaluate"}
    assert ways | {"finetune_rung", "verify_source", "unpack_source", "pack_dataset"} == SUBMITTED
