"""Pretrained models through Snakemake: fine-tuned, probed and trained from scratch, then compared."""

import csv
import json

import pytest
import timm
import torch
import yaml
from PIL import Image

from apr.data.packed import open_packed
from apr.data.views import view_indices
from study import ROOT

from .conftest import planned, snakemake

MODELS = ("one", "two", "three", "four")
NETS = "import timm\n" + "".join(
    f"\n\ndef {name}():\n    return timm.create_model('test_{kind}', num_classes=1000)\n"
    for name, kind in zip(MODELS, ("resnet", "efficientnet", "resnet", "efficientnet"), strict=True)
)
BASE = ROOT / "studies/transfer_own.yaml"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The user's own file, their networks with weights, and a table of ImageNet accuracies."""
    folder = tmp_path_factory.mktemp("transfer")
    (folder / "nets.py").write_text(NETS)
    for number, name in enumerate(MODELS):
        torch.manual_seed(number)
        kind = "test_resnet" if number % 2 == 0 else "test_efficientnet"
        torch.save(timm.create_model(kind, num_classes=1000).state_dict(), folder / f"own.nets.{name}.pt")
    models = [f"own:{folder}/nets.py:{name}" for name in MODELS]
    rows = [f"{model},{60 + 5 * number}" for number, model in enumerate(models)]
    (folder / "imagenet.csv").write_text("\n".join(["model,top1", *rows]) + "\n")
    table = {"file": str(folder / "imagenet.csv"), "model": ["model"], "column": "top1", "images": 50_000}
    small = {"epochs": 2, "resolution": 32, "eval_resize": 32, "weights": str(folder), "grid": {"lr": [0.003, 0.03]}}
    task = {"view": "tissues", "models": models}
    own = {
        "datasets": {"tissues": {"split": {"validation_fraction": 0.2}}, "digits": {}},
        "views": {"few": {"dataset": "tissues", "cap": 12, "seed": 1}},
        "regimes": {
            "as_published": {"weights": str(folder)},
            "tune": small,
            "probe": {"resolution": 32, "eval_resize": 32, "weights": str(folder)},
        },
        "tasks": {
            "imagenet": {"published": table, "set": None, "metric": "top1_accuracy"},
            "tissues": task | {"view": "few", "finetune": "tune", "metric": "macro_f1", "choose": {"by": "validation"}},
            "probed": task | {"view": "few", "probe": "probe", "metric": "macro_f1"},
            "evaluated": {"view": "digits", "evaluate": "as_published", "models": models[:1]},
            "scratch": task
            | {
                "view": "few",
                "finetune": "tune",
                "metric": "macro_f1",
                "start": "scratch",
                "choose": {"by": "validation"},
            },
        },
        "comparisons": {
            "transfer": {"targets": ["tissues"], "probes": {"tissues": "probed"}, "scratch": {"tissues": "scratch"}}
        },
        "statistics": {"resamples": 200, "seed": 0},
        "training": {"threads": 1, "device": "cpu"},
    }
    base = yaml.safe_load(BASE.read_text())
    del base["tasks"]["imagenet"], own["tasks"]["imagenet"]["set"]
    (folder / "base.yaml").write_text(yaml.safe_dump(base))
    (folder / "own.yaml").write_text(yaml.safe_dump(own))
    return folder, [folder / "base.yaml", folder / "own.yaml"]


@pytest.fixture(scope="module")
def made(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    snakemake("-c2", directory=folder, configs=study[1])
    return folder


def test_tables_and_figures_are_made(made):
    names = ("transfer", "transfer_sensitivity", "transfer_scratch")
    for name in names:
        for kind in ("png", "pdf", "csv"):
            assert (made / f"results/figures/{name}.{kind}").stat().st_size > 0
    text = (made / "results/tables/transfer_models.md").read_text()
    assert all(f":{name}" in text for name in MODELS)
    with (made / "results/scores/tissues.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 8
    assert sum(row["chosen"] == "yes" for row in rows) == 4
    for row in rows:  # in each model's pair the better on the validation images
        if row["chosen"] == "yes":
            others = [float(one["validation_macro_f1"]) for one in rows if one["model"] == row["model"]]
            assert float(row["validation_macro_f1"]) == max(others)


def test_probes_stand_beside_the_answer_and_logs_say_what_was_chosen(made):
    text = (made / "results/tables/transfer_models.md").read_text()
    assert text.startswith("Which model to take:\n\n- tissues: take own")
    assert "| As fixed features |" in text
    assert "Multiply-adds (M, at 32 px)" in text
    assert "Far below (less than half of) the resolution" in text
    assert "from scratch for 2 epochs at 32 px" in (made / "results/figures/transfer_scratch.rst").read_text()
    log = (made / "logs/probe/probed/own.nets.one.log").read_text()
    assert "(C, the inverse of the regularisation), the best of 7 on the validation images" in log
    assert "pictures of 32 px are far below the 160 px that these weights were made for" in log


def test_a_network_of_ones_own_is_evaluated(made):
    run = json.loads((made / "results/runs/evaluated/own.nets.one.json").read_text())
    assert (run["model"].split(":")[0], run["outcome"]["status"]) == ("own", "completed")
    torch.manual_seed(0)
    network = timm.create_model("test_resnet", num_classes=1000).eval()
    packed = open_packed(made / "data/packed/digits", "pixels")
    rows = view_indices(json.loads((made / "results/views/digits.json").read_text()), packed.index)
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(network), is_training=False)
    with torch.inference_mode():
        inputs = torch.stack([transform(Image.fromarray(packed.read(int(row)))) for row in rows["test"]])
        answers = network(inputs).argmax(dim=1).numpy()
    assert run["outcome"]["parts"]["test"]["correct_top1"] == int((answers == rows["test_labels"]).sum())
    with (made / "results/scores/evaluated.csv").open() as file:
        assert [row["model"] for row in csv.DictReader(file)] == [run["model"]]


def test_a_model_that_is_added_makes_no_other_run_again(study, made, tmp_path):
    base, own = study[1]
    changed = yaml.safe_load(own.read_text())
    changed["tasks"]["probed"]["models"] = [*changed["tasks"]["probed"]["models"], "timm:test_vit.r160_in1k"]
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(changed))
    plan = planned(snakemake("-n", directory=made, configs=[base, tmp_path / "own.yaml"]))
    assert plan["probe"] == 1
    assert "finetune" not in plan


def test_nothing_is_wrong_and_nothing_is_left_to_do(study, made):
    assert planned(snakemake("-n", directory=made, configs=study[1])) == {}
    done = snakemake("audit", "-c1", directory=made, configs=study[1])
    assert "Nothing is wrong" in done.output


def test_an_edited_network_is_run_again_and_a_lost_output_is_made_again(study, made):
    folder, configs = study
    plan = planned(snakemake("-n", "-R", "table_items", directory=made, configs=configs))
    assert "finetune" not in plan
    (made / "results/outputs/probed/own.nets.one.npz").unlink()
    assert (
        planned(
            snakemake(
                "-n",
                "results/scores/probed.csv",
                "results/outputs/probed/own.nets.one.npz",
                directory=made,
                configs=configs,
            )
        )["probe"]
        == 1
    )
    done = snakemake("audit", "-c1", directory=made, configs=configs, check=False)
    assert done.returncode == 1
    assert "results/outputs/probed/own.nets.one.npz" in done.output
    nets = folder / "nets.py"
    nets.write_text(NETS + "\n# another state of the file\n")
    plan = planned(snakemake("-n", directory=made, configs=configs))
    assert (plan["finetune"], plan["probe"]) == (16, 4)
    nets.write_text(NETS)
