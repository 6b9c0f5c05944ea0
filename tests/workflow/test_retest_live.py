"""Pretrained models evaluated through Snakemake on real images, into the tables and figures of Study C."""

import csv
import json
import shutil

import pytest
import yaml
from data_helpers import real
from pages import browsed, left, shown

from .conftest import planned, snakemake

PICTURES = 60  # of the validation slice, copied into ImageNetV2's layout
TITLE = "Live {task} {retest} {x, .*} $x$ </script><script>window.ran = 2</script> <b>b</b>"


def rows(path):
    with path.open() as file:
        return {row["model"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A study of two tiny models on real validation images, some also in ImageNetV2's layout, and its counts."""
    import io

    import timm
    import torch
    from live import fit, plain_answers, plain_counts
    from PIL import Image

    from apr.data.formats import read_listing

    tables = ("LOC_val_solution.csv", "ILSVRC2012_validation_ground_truth.txt", "map_clsloc.txt")
    paths = real("ILSVRC2012_img_val.tar", *(f"ilsvrc2012_tables/{name}" for name in tables))
    folder = tmp_path_factory.mktemp("live")
    (folder / "val").mkdir()
    for path in paths:
        (folder / "val" / path.name).symlink_to(path)
    items = read_listing(folder / "val", "ilsvrc", {"train": False}).items
    wnids = timm.data.ImageNetInfo("imagenet-1k").label_names()
    outputs = [wnids.index(item.label) for item in items]
    pictures = []
    for number, (item, output) in enumerate(zip(items, outputs, strict=True)):
        data = item.source.read()
        pictures.append(Image.open(io.BytesIO(data)).convert("RGB"))
        if number < PICTURES:
            place = folder / "v2" / str(output)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.jpeg").write_bytes(data)
    weights = folder / "weights"
    weights.mkdir()
    torch.set_num_threads(1)
    fitted = fit(folder, pictures, outputs).rename(weights / "timm.test_resnet.r160_in1k.pt")
    torch.manual_seed(0)
    untrained = timm.create_model("test_vit", num_classes=1000).state_dict()
    torch.save(untrained, weights / "timm.test_vit.r160_in1k.pth")
    answers = plain_answers(fitted, pictures)
    expected = {
        "val_live": plain_counts(answers, outputs),
        "v2_live": plain_counts(answers[:PICTURES], outputs[:PICTURES]),
    }
    evaluated = {"evaluate": "as_published", "models": ["timm:test_resnet.r160_in1k", "timm:test_vit.r160_in1k"]}
    line = {"title": TITLE, "original": "val_live", "new": "v2_live", "metric": "top1_accuracy"}
    study = {
        "title": "Evaluated {here} </script><script>window.ran = 1</script>",
        "datasets": {
            "imagenet_val": {"folder": str(folder / "val"), "classes": None},
            "imagenetv2_matched_frequency": {"folder": str(folder / "v2"), "classes": None},
        },
        "regimes": {"as_published": {"weights": str(weights)}},
        "tasks": {
            "val_live": {"title": "ImageNet, live", "view": "imagenet_val"} | evaluated,
            "v2_live": {"title": "ImageNetV2, live", "view": "imagenetv2_matched_frequency"} | evaluated,
        },
        "comparisons": {"lines": {"live_top1": line}},
        "training": {"device": "cpu"},
        "statistics": {"resamples": 100, "seed": 0},
    }
    (folder / "live.yaml").write_text(yaml.safe_dump(study))
    snakemake("-c2", directory=folder, configs=[folder / "live.yaml"])
    return folder, expected


def test_models_are_evaluated_into_the_same_tables_and_figures(live):
    folder, expected = live
    for task, counts in expected.items():
        table = rows(folder / f"results/scores/{task}.csv")
        row = table["timm:test_resnet.r160_in1k"]
        assert {key: int(row[key]) for key in counts} == counts
        assert int(table["timm:test_vit.r160_in1k"]["n"]) == counts["n"]
        run = json.loads((folder / f"results/runs/{task}/timm.test_resnet.r160_in1k.json").read_text())
        assert run["outcome"]["parts"]["test"]["correct_top1"] == counts["correct_top1"]
    assert expected["v2_live"]["n"] == PICTURES
    shown = rows(folder / "results/tables/retest_live_top1.csv")["timm:test_resnet.r160_in1k"]
    share = 100 * expected["v2_live"]["correct_top1"] / PICTURES
    assert float(shown["new_acc"]) == pytest.approx(share, abs=0.005)
    assert (folder / "results/figures/retest_live_top1.png").exists()
    assert "no line, fewer than three models" in (folder / "results/figures/retest_live_top1.rst").read_text()
    assert "4 of 4 runs done" in (folder / "results/STATUS").read_text()


def test_the_report_shows_titles_as_they_are(live, tmp_path):
    folder = shutil.copytree(live[0], tmp_path / "copy", symlinks=True)
    snakemake("--report", "report.html", directory=folder, configs=[folder / "live.yaml"])
    with browsed(folder / "report.html") as (page, asked, faults):
        seen = shown(page)
        assert TITLE in seen.replace("\u2060", "")
        assert "Evaluated {here} </script><script>" in seen
        assert (page.evaluate("window.ran"), left(asked, folder / "report.html"), faults) == (None, [], [])


def test_a_deleted_evaluation_is_made_again_and_others_are_kept(live, tmp_path):
    folder = shutil.copytree(live[0], tmp_path / "copy", symlinks=True)
    config = [folder / "live.yaml"]
    assert planned(snakemake("-n", directory=folder, configs=config)) == {}
    (folder / "results/runs/v2_live/timm.test_vit.r160_in1k.json").unlink()
    jobs = planned(snakemake("-n", directory=folder, configs=config))
    assert (jobs["evaluate"], jobs["collect_scores"]) == (1, 1)
    assert "pack_dataset" not in jobs


def test_missing_weights_are_named_with_where_to_put_them(live, tmp_path):
    folder, _ = live
    study = yaml.safe_load((folder / "live.yaml").read_text())
    study["regimes"]["as_published"]["weights"] = str(tmp_path)
    (tmp_path / "live.yaml").write_text(yaml.safe_dump(study))
    copy = shutil.copytree(folder, tmp_path / "copy", symlinks=True)
    target = "results/runs/v2_live/timm.test_resnet.r160_in1k.json"
    (copy / target).unlink()
    done = snakemake(target, "-c1", directory=copy, configs=[tmp_path / "live.yaml"], check=False)
    if done.returncode == 0:  # the hub was in reach
        assert json.loads((copy / target).read_text())["provenance"]["weights"] == "hub"
        return
    assert "its weights are missing" in done.output
    assert str(tmp_path / "timm.test_resnet.r160_in1k.safetensors") in done.output


def test_what_a_study_lacks_is_said_when_it_is_asked_for(live, tmp_path):
    done = snakemake("fig_since", "-n", directory=tmp_path, configs=[live[0] / "live.yaml"], check=False)
    assert done.returncode != 0
    assert "lacks measured results (comparisons.since); studies/retest.yaml, has it" in done.output.replace("\n", " ")
