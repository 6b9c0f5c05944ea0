"""The kept ImageNet accuracies of pretrained models are those of their sources."""

import csv

from apr.models.names import parse_model
from study import ROOT

PATH = ROOT / "resources/published/imagenet_top1.csv"
ROWS = list(csv.DictReader(PATH.read_text(encoding="utf-8").splitlines()))
PAPER = [row for row in ROWS if row["for"].startswith("paper")]


def test_the_eighteen_models_that_the_papers_code_names_are_there_from_56_to_83():
    assert len(PAPER) == 18
    accuracies = sorted(float(row["top1"]) for row in PAPER)
    assert (accuracies[0], accuracies[-1]) == (56.522, 83.468)
    assert sum(value > 70 for value in accuracies) == 13
    assert all("not verified" not in row["source"] for row in PAPER)


def test_a_row_names_a_model_with_its_weights_and_its_source():
    names = [row["model"] for row in ROWS]
    assert len(names) == len(set(names)) > 1000
    # without the tag, other weights may come with time
    assert [name for name in names if "." not in parse_model(name)[1]] == []
    assert [row["model"] for row in ROWS if not row["source"] or row["images"] != "50000"] == []


def test_torchvisions_are_those_of_its_metadata():
    from torchvision import models

    found = [row for row in ROWS if row["source"].startswith("torchvision ")]
    assert len(found) > 100
    for row in found:
        name, weights = parse_model(row["model"])[1].split(".")
        known = models.get_model_weights(name)[weights].meta["_metrics"]["ImageNet-1K"]["acc@1"]
        assert float(row["top1"]) == known, row["model"]


def test_timms_are_those_of_its_results(shared):
    results = csv.DictReader((shared / "timm-results/results-imagenet.csv").read_text().splitlines())
    known = {(row["model"], row["img_size"]): row["top1"] for row in results}
    found = [row for row in ROWS if "results-imagenet.csv" in row["source"]]
    assert len(found) > 1000
    for row in found:
        size = row["source"].split(" at ")[1].removesuffix(" px")
        assert row["top1"] == known[parse_model(row["model"])[1], size], row["model"]
