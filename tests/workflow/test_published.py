"""Published tables through Snakemake: the kept ones without a network, and a table of one's own."""

import csv

import pytest
import yaml

from .conftest import planned, snakemake

NAMES = [f"n{i}" for i in range(8)]


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of one kept table and of the user's own."""
    folder = tmp_path_factory.mktemp("published")
    table = folder / "scores.csv"
    rows = [f"{name},{50 + i},{(i * i) / 100}" for i, name in enumerate(NAMES)]
    table.write_text("\n".join(["name,imagenet,ours", *rows]) + "\n")

    def own(column, **more):
        return {"published": {"file": str(table), "model": ["name"], "column": column, **more}}

    medical = {f"medical_{name}": {"published": "medical_aucs"} for name in ("bloodmnist", "octmnist", "pathmnist")}
    tasks = {"imagenet": own("imagenet") | {"metric": "top1_accuracy"}}
    tasks["ours"] = own("ours", unit="fraction") | {"metric": "macro_f1"}
    rankings = {"ours": {"against": "imagenet", "targets": ["ours"], "above": 52}, "medical": {"tasks": list(medical)}}
    config = {"title": "Published", "tasks": tasks | medical, "comparisons": {"rankings": rankings}}
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump(config | {"statistics": {"resamples": 200, "seed": 0}}))
    return path, table


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    snakemake("-c2", directory=folder, configs=[study[0]])
    return folder


def test_tables_and_figures_are_made(made):
    for name in ("ours", "medical"):
        for path in [f"tables/rankings_{name}.{kind}" for kind in ("csv", "md", "rst")] + [
            f"figures/rankings_{name}.{kind}" for kind in ("png", "pdf", "csv", "rst")
        ]:
            assert 0 < (made / "results" / path).stat().st_size < 1_000_000, path
    with (made / "results/tables/rankings_ours.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert (row["n"], float(row["rho"]), row["n_above"], row["y_metric"]) == ("8", 1.0, "6", "macro_f1")
    assert len((made / "results/tables/rankings_medical.csv").read_text().splitlines()) == 4


def test_nothing_is_fetched_for_tables_that_are_at_hand(made):
    assert not (made / "data").exists()


def test_a_changed_table_is_read_again_and_what_shows_it_is_made_again(study, made):
    path, table = study
    assert planned(snakemake("-n", directory=made, configs=[path])) == {}
    before = table.read_text()
    table.write_text(before.replace("n7,57", "n7,51.5"))
    assert planned(snakemake("-n", directory=made, configs=[path])) == {
        "import_own_tables": 1,
        "rankings": 1,
        "table_audit": 1,
        "explorer": 1,
        "answer": 1,
    }
    table.write_text(before)


def test_a_fault_in_ones_own_table_is_named_and_leaves_the_kept_ones(study, made):
    path, table = study
    before, kept = table.read_text(), (made / "results/scores/medical_octmnist.csv").read_bytes()
    table.write_text(before.replace("n3,53", "n3,5x3"))
    done = snakemake("-c1", directory=made, configs=[path], check=False)
    table.write_text(before)
    assert done.returncode == 1
    assert f"error: {table}: row 5 (model n3): imagenet '5x3' is not a number" in done.output
    assert (made / "results/scores/medical_octmnist.csv").read_bytes() == kept
