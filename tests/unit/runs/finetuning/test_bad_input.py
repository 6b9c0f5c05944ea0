"""Fine-tuning refuses what cannot work, before anything is trained, and says what would."""

import logging
import sys

import pytest
import torch
from tuned import COUNTS, PROTOCOL, arguments, listing, prepare, run

import finetune
from apr.basics.problems import Problem
from apr.models.heads import replace_head
from apr.runs.commands.transfer_options import check_options, check_task, parser
from apr.runs.finetuning.finetuner import FineTuner
from apr.runs.finetuning.scored import score
from apr.runs.machine.memory import memory_explained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("noise"))


@pytest.fixture
def never_trained(monkeypatch):
    def fail(*rest):
        raise AssertionError("a step was taken")

    monkeypatch.setattr(FineTuner, "step", fail)


OWN = "import torch\nfrom torch import nn\n\n\ndef {}\n"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("net():\n    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 224 * 224, 9))", "the weights in"),
        ("other():\n    return nn.Linear(1, 1)", "has no function net"),
        ("net():\n    return 7", "returns int"),
        ("net():\n    raise RuntimeError('no')", "fails (RuntimeError: no)"),
        ("net(:\n    pass", "cannot be imported (SyntaxError"),
    ],
)
def test_networks_of_ones_own_that_are_none(folder, code, says, never_trained):
    (folder / "wrong.py").write_text(OWN.format(code))
    with pytest.raises(Problem) as problem:
        run(folder, name="wrong", model="own:wrong.py:net", root=str(folder))
    assert says in str(problem.value)


def test_weights_of_another_model(folder, never_trained):
    with pytest.raises(Problem, match="do not fit this model"):
        run(folder, name="other", model="timm:test_vit.r160_in1k")


def test_an_input_size_that_does_not_fit(folder, never_trained):
    with pytest.raises(Problem, match="set resolution: 160"):
        run(
            folder,
            name="size",
            model="timm:test_vit.r160_in1k",
            weights=None,
            protocol={"resolution": 50, "start": "scratch"},
        )


def test_a_head_that_cannot_be_found():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 7, 3), torch.nn.Flatten())
    with pytest.raises(Problem, match="no linear layer or 1x1 convolution with 1000 outputs"):
        replace_head(network, 1000, 3, "own:net.py:net")


def said(folder, caplog, **options):
    """What main says, in one line, and its exit code."""
    command = parser("", "finetune").parse_args(arguments(folder, **options))
    with caplog.at_level(logging.ERROR, logger="apr"), pytest.raises(SystemExit) as end:
        check_task(command, ["train", "test", "validation"])
    assert end.value.code == 2
    return caplog.records[-1].getMessage()


def test_no_validation_images(tmp_path, caplog):
    counts = {"train": 8, "test": 4}
    line = said(prepare(tmp_path, listing(counts=counts)), caplog)
    assert "has no validation images; set split: {validation_fraction: 0.1} of its dataset, or more" in line


def test_auc_of_one_class(tmp_path, caplog):
    bare = listing(("bird", "cat"))
    bare.items = [item for item in bare.items if (item.split, item.label) != ("validation", "cat")]
    assert "no image of the class 'cat'" in said(prepare(tmp_path, bare), caplog, metric="auc")
    with pytest.raises(Problem, match="all 4 images are of one class"):
        score("auc", torch.zeros(4, 2).numpy(), torch.ones(4, dtype=torch.int64).numpy())


def test_auc_of_three_classes(folder, caplog):
    assert "auc is of 2 classes, and there are 3" in said(folder, caplog, metric="auc")


def test_errors_name_the_keys_of_a_study_beside_the_options(folder, caplog, capsys, monkeypatch):
    line = said(folder, caplog, protocol={"batch": 49})
    assert line.endswith("lower the task's batch (in a study --protocol is the keys of its task and regime)")
    monkeypatch.setattr(sys, "argv", ["finetune.py", *arguments(folder, weights="nowhere.pt")])
    with pytest.raises(SystemExit) as end:
        finetune.main()
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert "error: --weights nowhere.pt: no such file or folder; " in err
    assert "(in a study --weights is weights of its task or regime)" in err
    monkeypatch.setattr(sys, "argv", ["finetune.py", *arguments(folder, model="own:wrong.py:net", root=str(folder))])
    (folder / "wrong.py").write_text(OWN.format("net():\n    return nn.Conv2d(3, 8, 3)"))
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--weights", str(folder)])  # the folder has none of its own
    with pytest.raises(SystemExit) as end:
        finetune.main()
    assert end.value.code == 1
    assert "give --weights and its folder (in a study --weights is weights of its task or regime)" in caplog.text


def test_pictures_far_below_those_of_the_weights_are_said(folder, caplog):
    with caplog.at_level(logging.WARNING, logger="apr"):
        run(folder, name="small", protocol={"epochs": 1})
    assert "pictures of 32 px are far below the 160 px that these weights were made for" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING, logger="apr"):
        found = run(folder, name="scratch", protocol={"epochs": 1, "start": "scratch"}, weights=None)
    assert "far below" not in caplog.text
    assert found["provenance"]["weights_resolution"] == 160


def test_accuracy_of_several_labels(tmp_path, caplog):
    folder = prepare(tmp_path, listing((("bird",), ("cat", "dog"))))
    assert "top1_accuracy is of images with one label" in said(folder, caplog)


def test_too_few_images_for_a_batch(folder, caplog):
    line = said(folder, caplog, protocol={"batch": 49})
    assert f"batch 49 is larger than the {3 * COUNTS['train']} training images" in line


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"optimiser": "adamw", "momentum": 0.5}, "momentum 0.5 does nothing with optimiser"),
        ({"schedule": "steps"}, "schedule"),
        ({"schedule": "steps", "milestones": [3]}, "milestones"),
        ({"layers": "head", "start": "scratch"}, "layers"),
        ({"milestones": [1]}, "milestones [1] does nothing with schedule"),
        ({"warmup_epochs": 1}, "warmup_epochs: no such key"),
        ({"channels": "grb"}, "one of rgb, bgr"),
    ],
)
def test_protocols_that_contradict_themselves(folder, capsys, changes, says):
    with pytest.raises(SystemExit):
        parser("", "finetune").parse_args(arguments(folder, protocol=PROTOCOL | changes))
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"model": "resnet18"}, "--model: model 'resnet18': write timm:<name>"),
        ({"model": "own:nowhere.py:net"}, "there is no file nowhere.py; give --root"),
        ({"weights": "nowhere.pt"}, "--weights nowhere.pt: no such file or folder"),
    ],
)
def test_options_that_name_nothing(folder, options, says):
    with pytest.raises(Problem) as problem:
        check_options(parser("", "finetune").parse_args(arguments(folder, **options)))
    assert says in str(problem.value)


def test_a_full_memory_is_explained():
    with pytest.raises(Problem, match="memory"), memory_explained(torch.device("cpu"), "at batch 8, 32 px"):
        raise MemoryError
