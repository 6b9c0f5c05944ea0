"""Runs that start from other runs: pretrained and continued ones, and what they need of their sources."""

import csv
import json

import pytest

from apr.scores.table import ranked_model

from .conftest import planned, snakemake


def run(folder, task, name):
    return json.loads((folder / f"results/runs/{task}/{name}.json").read_text())


def test_a_pretrained_run_names_the_run_that_it_starts_from(finished):
    source, own = run(finished, "photos_few", "a002"), run(finished, "digits_pretrained", "a002")
    start = own["protocol"]["initial"]
    assert start == {
        "task": "photos_few",
        "fingerprint": source["fingerprint"],
        "weights": source["weights"],
        "epochs": 0,
    }
    assert len(own["history"]) == own["protocol"]["epochs"]
    scratch = run(finished, "digits", "a002")
    assert own["protocol"] | {"initial": None} == scratch["protocol"] | {"initial": None}
    assert own["history"] != scratch["history"]
    assert (finished / "results/weights/photos_few/a002.pt").exists()
    assert scratch["weights"] is None


@pytest.mark.parametrize("rank", ["best1", "worst1"])
def test_a_continued_run_goes_on_where_the_ranked_one_ended(finished, rank):
    own = run(finished, "faces_long", rank)
    assert own["model"] == ranked_model(finished / "results/scores/faces.csv", rank)
    source = run(finished, "faces", own["model"])
    assert own["rank"] == rank
    assert own["history"][:2] == source["history"]
    assert [entry["epoch"] for entry in own["history"]] == [1, 2, 3]
    assert own["history"][2]["lr"] == pytest.approx(0.05 * 0.25)  # the cosine of three epochs, at the third
    rows = list(csv.DictReader((finished / "results/scores/faces_long.csv").open()))
    assert own["model"] in {row["model"] for row in rows}


def test_best_and_worst_are_those_of_the_errors(finished):
    rows = list(csv.DictReader((finished / "results/scores/faces.csv").open()))
    errors = {row["model"]: float(row["value"]) for row in rows}
    assert errors[run(finished, "faces_long", "best1")["model"]] == min(errors.values())
    assert errors[run(finished, "faces_long", "worst1")["model"]] == max(errors.values())


def test_repeated_seeds_differ_and_are_named(finished):
    rows = list(csv.DictReader((finished / "results/scores/digits_seeds.csv").open()))
    assert [(row["model"], row["seed"]) for row in rows] == [
        (model, seed) for model in ("a001", "a003") for seed in ("11", "12")
    ]
    first, second = (run(finished, "digits_seeds", f"a001-s{seed}") for seed in (11, 12))
    assert first["history"] != second["history"]
    assert first["protocol"] | {"seed": 12} == second["protocol"]


def test_the_reference_network_is_trained(finished):
    assert run(finished, "networks", "vanilla")["protocol"]["genotype"].endswith(
        "block=vanilla strides=1,2 stem_width=8"
    )


def test_lost_weights_are_named_with_the_remedy(copy):
    (copy / "results/weights/photos_few/a001.pt").unlink()
    for folder in ("runs", "checkpoints"):
        (copy / f"results/{folder}/digits_pretrained/a001.json").unlink()
    done = snakemake("results/runs/digits_pretrained/a001.json", "-c1", directory=copy, check=False)
    assert done.returncode != 0
    assert (
        "results/weights/photos_few/a001.pt: is missing, and another run starts from it; delete the run" in done.output
    )
    for folder in ("runs", "checkpoints"):
        (copy / f"results/{folder}/photos_few/a001.json").unlink()
    snakemake("results/runs/digits_pretrained/a001.json", "-c1", directory=copy)
    assert (copy / "results/weights/photos_few/a001.pt").exists()


def test_other_weights_than_the_run_names_are_refused(copy):
    weights = copy / "results/weights/photos_few"
    (weights / "a001.pt").write_bytes((weights / "a000.pt").read_bytes())
    for folder in ("runs", "checkpoints"):
        (copy / f"results/{folder}/digits_pretrained/a001.json").unlink()
    done = snakemake("results/runs/digits_pretrained/a001.json", "-c1", directory=copy, check=False)
    assert done.returncode != 0
    assert "a001.pt: does not hold the weights of its run" in done.output


def test_after_a_repair_nothing_is_planned(copy):
    (copy / "results/runs/digits_seeds/a001-s11.json").unlink()  # which the fewest tables and figures show
    assert planned(snakemake("-n", directory=copy))["train"] == 1
    snakemake("-c2", directory=copy)
    assert planned(snakemake("-n", directory=copy)) == {}


def test_the_audit_finds_nothing_wrong_and_then_a_stale_run(copy):
    done = snakemake("audit", "-c1", directory=copy)
    assert "photos few" in done.output
    path = copy / "results/runs/digits/a001.json"
    record = json.loads(path.read_text())
    record["outcome"]["parts"]["test"]["n"] += 1
    path.write_text(json.dumps(record))
    (copy / "results/runs/faces/a000.json").unlink()
    done = snakemake("audit", "-c1", directory=copy, check=False)
    assert done.returncode != 0
    assert "a001" in done.output
    assert "results/runs/faces/a000.json" in done.output or "faces" in done.output


def test_the_status_says_how_far_the_study_is(finished):
    text = (finished / "results/STATUS").read_text()
    assert text.startswith("Finished.")
    assert "33 of 33 runs done" in text
