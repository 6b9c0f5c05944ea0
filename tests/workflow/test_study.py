"""The whole study through Snakemake: what it makes, what it plans after a change, and what it refuses."""

import csv
import json

import pytest
import yaml

from apr.runs.metrics import METRICS
from study import ROOT

from .conftest import changed, planned, snakemake

TASKS = ["photos_few", "photos_5", "photos_2", "digits", "faces", "digits_pretrained"]  # of the whole population


def test_every_table_and_figure_is_made(finished):
    for task in TASKS:
        rows = list(csv.DictReader((finished / f"results/scores/{task}.csv").open()))
        assert [row["model"] for row in rows] == ["a000", "a001", "a002", "a003"]
        run = json.loads((finished / f"results/runs/{task}/a001.json").read_text())
        test = run["outcome"]["parts"]["test"]
        assert (int(rows[1]["correct_top1"]), int(rows[1]["n"])) == (test["correct_top1"], test["n"])
        metric = METRICS[rows[1]["metric"]]
        assert float(rows[1]["value"]) == pytest.approx(metric.of(test), abs=1e-5)
    figures = {path.name for path in (finished / "results/figures").iterdir()}
    for name in (
        "imagenet_vs_targets",
        "imagenet_vs_family",
        "closest_vs_targets",
        "classes_vs_images",
        "target_digits",
    ):
        assert {f"{name}.{suffix}" for suffix in ("pdf", "png", "csv", "rst")} <= figures
    tables = {path.name for path in (finished / "results/tables").iterdir()}
    assert {"correlations.csv", "correlations.md", "depth_width.csv", "selection_regret.md"} <= tables


def test_top5_is_reported_only_where_it_means_something(finished):
    few = next(csv.DictReader((finished / "results/scores/photos_few.csv").open()))
    assert few["metric"] == "top5_error"
    assert few["value"] != few["test_top1_error"]
    five = next(csv.DictReader((finished / "results/scores/photos_5.csv").open()))
    assert five["test_top5_error"] == five["correct_top5"] == ""


def test_a_run_tells_its_protocol_and_its_origin(finished):
    run = json.loads((finished / "results/runs/digits/a000.json").read_text())
    view = json.loads((finished / "results/views/digits.json").read_text())
    assert run["protocol"]["epochs"] == len(run["history"]) == 1
    assert run["protocol"]["images"]["indices_digest"] == view["indices_digest"]
    assert run["provenance"]["threads"] == 1
    assert run["provenance"]["torch"]
    assert run["outcome"]["parts"]["test"]["n"] == view["n_test"]


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_a_second_run_does_nothing(finished, snakefile):
    assert planned(snakemake("-n", directory=finished, snakefile=ROOT / snakefile)) == {}


def test_a_figure_pulls_only_its_tasks(tmp_path):
    done = snakemake("fig_relative_error", "-n", directory=tmp_path)
    assert planned(done)["train"] == 2 * 4  # photos_few and digits
    done = snakemake("-n", "fig_imagenet_vs_targets", directory=tmp_path, configs=[ROOT / "config.yaml"])
    assert planned(done)["train"] == 9 * 500
    assert "imagenet_100" not in done.output


def test_one_changed_task_trains_alone(copy, tmp_path):
    study = changed(tmp_path / "study.yaml", tasks={"digits": {"epochs": 2}})
    jobs = planned(snakemake("-n", directory=copy, configs=[study]))
    assert (jobs["train"], jobs["collect_scores"]) == (4, 1)


def test_a_grown_population_keeps_its_runs(copy, tmp_path):
    study = changed(tmp_path / "study.yaml", population={"size": 6})
    ranked = 2  # which models are the best and the worst has to be looked up again
    assert planned(snakemake("-n", directory=copy, configs=[study]))["train"] == 2 * len(TASKS) + ranked


def test_another_seed_of_the_population_trains_everything(copy, tmp_path):
    study = changed(tmp_path / "study.yaml", population={"seed": 2})
    ranked, seeds, capped = 2, 2 * 2, 2  # the reference network alone is no part of the population
    jobs = planned(snakemake("-n", directory=copy, configs=[study]))
    assert jobs["train"] == 4 * len(TASKS) + ranked + seeds + capped


def test_deleting_one_run_and_asking_for_it_trains_one(copy):
    (copy / "results/runs/digits/a002.json").unlink()
    jobs = planned(snakemake("results/runs/digits/a002.json", "-n", directory=copy))
    assert jobs == {"train": 1}


def test_deleted_packed_images_train_nothing(copy):
    for path in (copy / "data/packed").iterdir():
        path.unlink()
    assert "train" not in planned(snakemake("-n", directory=copy))


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("figures/imagenet_vs_targets.pdf", {"fig_imagenet_vs_targets": 1}),
        ("figures/target_faces.rst", {"fig_target": 1}),
        ("tables/correlations.md", {"table_correlations": 1, "answer": 1}),
    ],
)
def test_a_deleted_output_is_made_again(copy, name, jobs):
    (copy / "results" / name).unlink()
    assert planned(snakemake("-n", directory=copy)) == jobs


def test_other_statistics_train_nothing(copy, tmp_path):
    study = changed(tmp_path / "study.yaml", statistics={"resamples": 300})
    jobs = planned(snakemake("-n", directory=copy, configs=[study]))
    assert "train" not in jobs
    assert jobs["table_correlations"] == jobs["fig_imagenet_vs_targets"] == 1


def test_a_dataset_of_ones_own_takes_eight_lines(copy, tmp_path, coloured_folder):
    lines = f"""
datasets:
  swatches: {{folder: {coloured_folder}, format: class_folders}}
tasks:
  swatches: {{train: tiny, role: target, metric: top1_error, closest: photos_2}}
"""
    own = tmp_path / "own.yaml"
    own.write_text(lines)
    assert len(lines.strip().splitlines()) <= 8
    snakemake(
        "results/figures/target_swatches.png",
        "table_correlations",
        "-c2",
        directory=copy,
        configs=[ROOT / "tests/workflow/tiny.yaml", own],
    )
    points = list(csv.DictReader((copy / "results/figures/target_swatches.csv").open()))
    assert {row["x_task"] for row in points} == {"photos_few", "photos_5", "photos_2"}
    rows = list(csv.DictReader((copy / "results/tables/correlations.csv").open()))
    assert "swatches" in {value for row in rows for value in row.values()}


def test_a_run_of_another_protocol_is_refused_with_its_keys(copy):
    path = copy / "results/runs/digits/a001.json"
    run = json.loads(path.read_text())
    from apr.basics.files import digest_of

    run["protocol"]["lr"] = 0.5
    run["fingerprint"] = digest_of(run["protocol"])
    path.write_text(json.dumps(run))
    (copy / "results/scores/digits.csv").unlink()
    done = snakemake("results/scores/digits.csv", "-c1", directory=copy, check=False)
    assert done.returncode != 0
    assert "a001.json: was trained under another protocol" in done.output
    assert "lr is 0.5, the study has 0.05" in done.output
    assert not (copy / "results/scores/digits.csv").exists()


def test_a_bad_configuration_stops_before_anything_runs(tmp_path):
    study = changed(tmp_path / "study.yaml", tasks={"digits": {"epoch": 3}}, comparisons={"relative_error": ["digts"]})
    done = snakemake("-n", directory=tmp_path / "out", configs=[study], check=False)
    assert done.returncode != 0
    assert f"{study}: tasks.digits.epoch: no such key (did you mean epochs?)" in done.output
    assert "Traceback" not in done.output


def test_the_effective_configuration_is_written(finished):
    effective = yaml.safe_load((finished / "results/run_config.yaml").read_text())
    assert effective["tasks"]["faces"]["protocol"]["epochs"] == 2
    assert effective["datasets"]["digits"]["format"] == "npz"
