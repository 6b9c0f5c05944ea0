"""What a study of transfer makes, what it lacks for the rest, and which files its items are made of."""

import copy
from types import SimpleNamespace

import pytest
from changed_studies import shipped

from apr.runs import ways
from apr.runs.ways import Way
from engine.commands import Commands
from study import study_of
from study.files import Files
from study.items import Items

MODELS = [f"timm:model{number}.in1k" for number in range(5)]
STUDY = {
    "title": "Transfer",
    "datasets": {"plants": {"format": "image_folder", "folder": "plants", "classes": 4}},
    "regimes": {"tuning": {"lr": 0.1, "seed": 1}},
    "tasks": {
        "imagenet": {"published": "imagenet_top1", "set": "imagenet_top1"},
        "plants": {"finetune": "tuning", "models": MODELS},
        "plants_probe": {"probe": "tuning", "view": "plants", "models": MODELS},
    },
    "comparisons": {"transfer": {"reference": "imagenet", "targets": ["plants"], "probes": {"plants": "plants_probe"}}},
    "statistics": {"resamples": 1000, "seed": 3},
}
NAMES = ("fig_transfer", "table_transfer_models")


@pytest.fixture(autouse=True)
def ways_of_tuning(monkeypatch, request):
    if "weights" in request.node.name:  # of a shipped study
        return
    keys = {"lr": {"type": "number"}, "seed": {"type": "integer"}}
    for way in ("finetune", "probe"):
        monkeypatch.setitem(ways.WAYS, way, Way(keys, {}, pretrained=True, trains=True, outputs=True))


def items(**changed):
    config = copy.deepcopy(STUDY)
    config["tasks"]["plants"] |= changed.pop("plants", {})
    config["comparisons"]["transfer"] |= changed
    return Items(study_of(config))


def lacking(found):
    of_paper = [name for name, facts in found.facts.items() if facts.get("paper") == "fang_2023"]
    return {name for name in of_paper if found.lacking(name)}


def test_what_the_study_has_no_tasks_for_is_not_made_and_says_why():
    found = items()
    assert lacking(found) == {
        "fig_transfer_sensitivity",
        "table_transfer_cells",
        "fig_transfer_augmentation",
        "fig_transfer_scratch",
        "table_transfer_scorecard",
    }
    assert "comparisons.transfer.scratch" in found.refusal("fig_transfer_scratch")
    assert (
        found.lacking("table_retest")
        == "lines through models on two test sets (comparisons.lines or comparisons.since)"
    )
    assert {"transfer_models", "transfer_slopes"} <= set(found.made("table_"))
    assert {"transfer", "transfer_splines", "transfer_average"} <= set(found.made("fig_"))


def test_a_grid_a_paper_and_variants_bring_the_others():
    grid = {"grid": {"lr": [0.1, 0.2]}, "choose": {"by": "validation"}}
    found = items(plants=grid, paper={"plants": "cassava"}, augmentation={"plants": "plants_probe"})
    assert lacking(found) == {"fig_transfer_scratch"}
    assert found.comparisons.transfer.with_grid == ["plants"]


def test_three_models_have_no_intervals_and_four_no_spline():
    three = items(plants={"models": MODELS[:3]})
    assert {"table_transfer_slopes", "table_transfer_rankings", "fig_transfer_average"} <= lacking(three)
    assert not set(NAMES) & lacking(three)
    assert "four models" in three.refusal("table_transfer_slopes")
    four = lacking(items(plants={"models": MODELS[:4]}))
    assert "fig_transfer_splines" in four
    assert "table_transfer_slopes" not in four


def test_another_study_lacks_all_of_it():
    config = copy.deepcopy(STUDY)
    del config["comparisons"]
    found = Items(study_of(config))
    assert set(NAMES) <= lacking(found)
    assert found.refusal("fig_transfer").endswith("(comparisons.transfer); studies/transfer.yaml, has it")
    assert not [name for name in found.made("fig_") if name.startswith("transfer")]
    assert found.comparisons.transfer.tasks() == []
    assert found.comparisons.transfer.bootstrap == {"resamples": 1000, "seed": 3}


def test_items_are_made_of_score_tables_and_of_the_outputs_of_runs_that_keep_them():
    transfer = items(resamples=500).comparisons.transfer
    assert transfer.tasks() == ["imagenet", "plants"]
    assert transfer.tasks("probes", "scratch") == ["imagenet", "plants", "plants_probe"]
    assert transfer.resampled("probes") == ["results/resampled/plants.npz", "results/resampled/plants_probe.npz"]
    assert transfer.keeping == ["plants", "plants_probe"]
    assert transfer.bootstrap == {"resamples": 500, "seed": 3}
    assert transfer.params("probes")["settings"]["probes"] == {"plants": "plants_probe"}
    assert transfer.params()["settings"]["probes"] == {}  # what an item does not show makes it no other
    assert transfer.params()["settings"]["above"] == 70
    assert transfer.params()["titles"] == {"imagenet": "ImageNet", "plants": "plants"}


def test_a_login_is_said_of_the_files_that_need_it():
    study = copy.deepcopy(STUDY)
    study["datasets"] |= {"hpa": None, "concrete": None}
    files = Files(study_of(study))
    by_hand, split = files.logins("hpa").values()
    assert "kaggle" in by_hand.lower()
    assert split is None  # it has an address
    assert "concrete.rar" in files.logins("concrete")["concrete.rar"]  # what to do where the only address fails


def test_captions_are_told_how_tasks_are_trained():
    params = items(plants={"grid": {"lr": [0.1, 0.2]}}).comparisons.transfer.params("probes")
    trained = {"way": "finetune", "grid": {"lr": [0.1, 0.2]}, "choose": None, "tried": 2, "again": 0}
    assert params["trained"]["plants"] == trained
    assert {task: how["way"] for task, how in params["trained"].items()} == {
        "imagenet": "published",
        "plants": "finetune",
        "plants_probe": "probe",
    }


class Wildcards(SimpleNamespace):
    def get(self, name):
        return getattr(self, name, None)


def test_where_weights_are_looked_for_makes_no_finished_run_again(tmp_path):
    """Of a library's model the file of its weights is an input; of one's own, whose code names any file, the place."""

    def asked(weights, run):
        study = shipped("studies/transfer_small.yaml")
        study["regimes"]["probe"]["weights"] = str(weights) if weights else None
        study = study_of(study)
        wildcards = Wildcards(task="eurosat_probe", model=run)
        commands = Commands(study, Files(study), SimpleNamespace(keep_going=lambda: None, device="cpu"))
        used = commands.machine("probe.py")(wildcards, None)["weights"]
        return commands.transferred()(wildcards), commands.inputs()(wildcards).get("weights"), used

    library, own = "timm.tf_efficientnet_lite0.in1k", "own.tf_quant.mobilenetv1_025"
    assert asked(None, library)[:2] == asked(tmp_path, library)[:2]
    assert asked(tmp_path, library)[2] == f"--weights {tmp_path}"  # the script has it all the same
    assert asked(None, own)[0] != asked(tmp_path, own)[0]
    (tmp_path / f"{library}.safetensors").touch()
    (tmp_path / "torchvision.squeezenet1_1.safetensors").touch()
    assert asked(tmp_path, library)[1] == str(tmp_path / f"{library}.safetensors")
    found = asked(tmp_path, "torchvision.squeezenet1_1.IMAGENET1K_V1")[1]
    assert found == str(tmp_path / "torchvision.squeezenet1_1.safetensors")
