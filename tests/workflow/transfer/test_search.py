"""A search among the cells of a grid, through Snakemake: cells are dropped on the way, the chosen one trained again."""

import csv
import json
import shutil

import pytest
import timm
import torch
import yaml

from study import ROOT

from ..conftest import planned, snakemake

MODELS = ("one", "two")
RATES = (0.003, 0.01, 0.03, 0.1)
SEARCHED = {"halving": 2, "from_epochs": 1}
TASK = "tissues"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The configuration of two networks with four cells each, as text to be changed."""
    folder = tmp_path_factory.mktemp("search")
    text = "import timm\n"
    for number, name in enumerate(MODELS):
        text += f"\n\ndef {name}():\n    return timm.create_model('test_resnet', num_classes=1000)\n"
        torch.manual_seed(number)
        torch.save(timm.create_model("test_resnet", num_classes=1000).state_dict(), folder / f"own.nets.{name}.pt")
    (folder / "nets.py").write_text(text)
    models = [f"own:{folder}/nets.py:{name}" for name in MODELS]
    rows = [f"{model},{60 + 5 * number}" for number, model in enumerate(models)]
    (folder / "imagenet.csv").write_text("\n".join(["model,top1", *rows]) + "\n")
    base = yaml.safe_load((ROOT / "studies/transfer_own.yaml").read_text())
    base["datasets"] = {"tissues": {"split": {"validation_fraction": 0.2}}}
    base["views"] = {"few": {"dataset": "tissues", "cap": 12, "seed": 1}}
    small = {"epochs": 5, "resolution": 32, "eval_resize": 32, "weights": str(folder), "grid": {"lr": list(RATES)}}
    base["regimes"] = {"tune": base["regimes"]["tune"] | small}
    table = {"file": str(folder / "imagenet.csv"), "model": ["model"], "column": "top1", "images": 50_000}
    task = {"view": "few", "models": models, "finetune": "tune", "metric": "macro_f1", "choose": {"by": "validation"}}
    base["tasks"] = {"imagenet": {"published": table, "metric": "top1_accuracy"}, TASK: task}
    base["comparisons"] = {"transfer": {"reference": "imagenet", "targets": [TASK]}}
    base["statistics"] = {"resamples": 200, "seed": 0}
    base["training"] = {"threads": 1, "device": "cpu"}
    return folder, base


def config(study, name, **task):
    """The file of the study with keys of its task added."""
    folder, base = study
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(base | {"tasks": base["tasks"] | {TASK: base["tasks"][TASK] | task}}))
    return [path]


def again(*seeds, **search):
    return {"choose": {"by": "validation", "seeds": list(seeds)}, "search": SEARCHED | search}


@pytest.fixture(scope="module")
def searched(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("searched")
    configs = config(study, "searched", **again(7, 8))
    plan = planned(snakemake("-n", directory=folder, configs=configs))
    assert {rule: plan[rule] for rule in ("finetune", "finetune_rung", "halve_cells", "choose_cell")} == {
        "finetune": 2 * (4 + 2),
        "finetune_rung": 2 * 4 * 2,  # after epochs 1 and 2 of 5: two of four cells go on, then one
        "halve_cells": 2 * 2,
        "choose_cell": 2,
    }
    snakemake("-c2", directory=folder, configs=configs)
    return folder, configs


@pytest.fixture(scope="module")
def full(study, tmp_path_factory):
    """The same without a search."""
    folder = tmp_path_factory.mktemp("full")
    snakemake("-c2", f"results/scores/{TASK}.csv", directory=folder, configs=config(study, "full"))
    return folder


def runs_of(folder):
    return {
        path.stem: json.loads(path.read_text()) for path in sorted((folder / f"results/runs/{TASK}").glob("*.json"))
    }


def scores_of(folder):
    with (folder / f"results/scores/{TASK}.csv").open() as file:
        return list(csv.DictReader(file))


def compared(run):
    return {key: value for key, value in run.items() if key != "timing"}


def test_a_cell_that_goes_on_makes_the_run_of_the_full_grid_and_the_others_are_dropped(searched, full):
    found, whole = runs_of(searched[0]), runs_of(full)
    ends = {name: (run["outcome"]["status"], run["outcome"]["epoch"]) for name, run in found.items() if name in whole}
    for model in MODELS:
        own = {name: end for name, end in ends.items() if name.startswith(f"own.nets.{model}-")}
        assert sorted(status for status, _ in own.values()) == ["completed"] + ["dropped"] * 3
        assert sorted(epoch for status, epoch in own.values() if status == "dropped") == [1, 1, 2]
        scores = {name: whole[name]["history"][0]["parts"]["validation"]["macro_f1"] for name in own}
        left = {name for name, end in own.items() if end != ("dropped", 1)}
        assert min(scores[name] for name in left) >= max(scores[name] for name in own if name not in left)
    for name, run in whole.items():
        if ends[name][0] == "completed":
            assert compared(found[name]) == compared(run)
            kept = [(folder / f"results/outputs/{TASK}/{name}.npz").read_bytes() for folder in (searched[0], full)]
            assert kept[0] == kept[1]
        else:
            assert found[name]["fingerprint"] == run["fingerprint"]
            assert found[name]["history"] == run["history"][: ends[name][1]]
    assert not list((searched[0] / f"results/checkpoints/{TASK}").glob("*.pt"))


def test_the_score_table_says_what_was_dropped_and_the_seeds_of_the_chosen_cell_count(searched):
    rows = scores_of(searched[0])
    assert [row["status"] for row in rows].count("dropped") == 6
    assert all(not row["value"] and row["validation_macro_f1"] for row in rows if row["status"] == "dropped")
    for model in {row["model"] for row in rows}:
        counts = [row for row in rows if row["model"] == model and row["chosen"] == "yes"]
        assert sorted(int(row["seed"]) for row in counts) == [1, 7, 8]
        assert len({row["cell_lr"] for row in counts}) == 1
    runs = runs_of(searched[0])
    for name in [name for name in runs if "-chosen-" in name]:
        choice = runs[name]["choice"]
        assert choice["cell"] == {"lr": runs[name]["protocol"]["lr"]}
        assert runs[choice["run"]]["outcome"]["status"] == "completed"


def test_tables_figures_status_and_audit_say_it(searched):
    folder, configs = searched
    with (folder / "results/tables/transfer_cells.csv").open() as file:
        cells = list(csv.DictReader(file))
    assert [(row["cells"], row["dropped"], row["seeds"]) for row in cells] == [("1", "3", "3")] * 2
    assert "Dropped: cells that the search did not train" in (folder / "results/tables/transfer_cells.rst").read_text()
    assert "6 more were dropped by the search" in (folder / "results/figures/transfer_sensitivity.rst").read_text()
    status = (folder / "results/STATUS").read_text()
    assert "12 of 12 runs done" in status
    assert f"Pauses of the search that cells have reached: {TASK} 16/16." in status
    assert planned(snakemake("-n", directory=folder, configs=configs)) == {}
    done = snakemake("audit", "-c1", directory=folder, configs=configs)
    assert "Nothing is wrong" in done.output
    assert "6 were dropped by a search" in done.output


def test_another_choice_trains_other_runs_and_other_rungs_are_another_search(study, searched, tmp_path):
    folder = shutil.copytree(searched[0], tmp_path / "study", symlinks=True)
    place = folder / f"results/choices/{TASK}/own.nets.one.json"
    choice = json.loads(place.read_text())
    other = next(rate for rate in RATES if rate != choice["cell"]["lr"])
    place.write_text(json.dumps(choice | {"run": f"own.nets.one-lr{other}", "cell": {"lr": other}}))
    seeds = [f"results/runs/{TASK}/own.nets.one-chosen-s{seed}.json" for seed in (7, 8)]
    done = snakemake("audit", "-c1", directory=folder, configs=searched[1], check=False)
    assert f"2 runs of {TASK}, the first {seeds[0]}: was trained under another protocol" in done.output
    snakemake("-c2", seeds[0], directory=folder, configs=searched[1])
    assert json.loads((folder / seeds[0]).read_text())["protocol"]["lr"] == other


def test_without_the_search_what_was_dropped_is_trained_and_what_was_trained_is_kept(study, searched, full, tmp_path):
    folder = shutil.copytree(searched[0], tmp_path / "study", symlinks=True)
    configs = config(study, "without")
    done = snakemake("audit", "-c1", directory=folder, configs=configs, check=False)
    assert f"6 runs of {TASK}, the first" in done.output
    assert "by another search than the study's, if it has one" in done.output
    snakemake("-c2", f"results/scores/{TASK}.csv", directory=folder, configs=configs)
    found = runs_of(folder)
    assert {name: compared(run) for name, run in found.items() if "-chosen-" not in name} == {
        name: compared(run) for name, run in runs_of(full).items()
    }
    assert (folder / f"results/scores/{TASK}.csv").read_text() == (full / f"results/scores/{TASK}.csv").read_text()


def test_the_same_drawn_cells_are_tried_for_each_model(study, tmp_path):
    configs = config(study, "drawn", search={"cells": 3, "seed": 4})
    plan = planned(snakemake("-n", directory=tmp_path, configs=configs))
    assert plan["finetune"] == 2 * 3
    assert "finetune_rung" not in plan
