"""Fine-tuning: what a run holds, that it learns, and that it is the same however often it was interrupted."""

import json
import os
import signal

import numpy as np
import pytest
import timm
import torch
from fvcore.nn import FlopCountAnalysis
from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, roc_auc_score
from tuned import MODEL, PROTOCOL, compared, listing, prepare, run

import apr.runs.training
from apr.basics.files import file_digest, read_json
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.finetuning.scored import read_outputs
from apr.scores.collected import collected
from apr.watch.consistency import impossible


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("noise"))


def test_it_learns_and_keeps_its_outputs(folder):
    made = run(folder)
    arrays = read_outputs(folder / "run.npz", made["outputs"])
    kept = made["outcome"]["parts"]
    for part, n in (("validation", 18), ("test", 24)):
        scores, labels = arrays[f"{part}_scores"], arrays[f"{part}_labels"]
        assert scores.shape == (n, 3)
        assert kept[part]["correct_top1"] == int((scores.argmax(axis=1) == labels).sum())
    assert kept["test"]["correct_top1"] > 20  # of 24
    network = timm.create_model("test_resnet", num_classes=3).eval()
    assert made["cost"]["parameters"] == sum(parameter.numel() for parameter in network.parameters())
    assert (
        made["cost"]["multiply_adds"]
        == FlopCountAnalysis(network, torch.zeros(1, 3, 32, 32)).by_operator()["conv"] + 3 * network.num_features
    )
    assert impossible(made, read_json(folder / "view.json")) == ""
    assert file_digest(folder / "run.npz") == made["outputs"]


def test_the_best_epoch_on_the_validation_images_counts(folder, monkeypatch):
    right = iter([5, 9, 4])
    keep = apr.runs.finetuning.finetuner.FineTuner.keep

    def pretended(self, entry):
        entry["parts"]["validation"]["correct_top1"] = next(right)
        keep(self, entry)

    monkeypatch.setattr(apr.runs.finetuning.finetuner.FineTuner, "keep", pretended)
    made = run(folder, name="best")
    assert made["outcome"]["epoch"] == 2
    assert made["outcome"]["parts"] == made["history"][1]["parts"]
    monkeypatch.undo()
    assert run(folder, name="last", protocol={"keep_epoch": "last"})["outcome"]["epoch"] == 3


@pytest.mark.parametrize("protocol", [{}, {"optimiser": "adamw", "lr": 0.002, "decay": "by_rate"}])
def test_interrupted_and_resumed_it_is_the_same(folder, monkeypatch, protocol):
    """With dropout, too: what a step draws depends on the seed and on its number alone."""
    dropout = {"model": "torchvision:squeezenet1_1", "weights": None}
    options = dropout if protocol else {}
    protocol = {"start": "scratch", "epochs": 2, **protocol} if protocol else {}
    whole = run(folder, name="whole", protocol=protocol, **options)
    train = apr.runs.training._train

    def killed(trainer, loader, held, kept, start, on_step, *more):
        def step(progress):
            if (progress.epoch, progress.step) == (1, 3):
                os.kill(os.getpid(), signal.SIGTERM)

        return train(trainer, loader, held, kept, start, step, *more)

    monkeypatch.setattr(apr.runs.training, "_train", killed)
    with pytest.raises(Interrupted):
        run(folder, name="again", protocol=protocol, **options)
    monkeypatch.undo()
    again = run(folder, name="again", protocol=protocol, **options)
    assert again["timing"]["resumed_at_epoch"] == 2
    assert compared(again) == compared(whole)
    assert run(folder, name="again", protocol=protocol, **options) == again  # taken up, not made again


def test_seeds_and_epochs_make_other_runs(folder):
    one, other = (run(folder, name=f"s{seed}", protocol={"seed": seed, "epochs": 1}) for seed in (1, 2))
    assert one["history"][0]["train_loss"] != other["history"][0]["train_loss"]


@pytest.mark.parametrize(
    ("metric", "classes", "reference"),
    [
        ("top1_accuracy", 3, lambda labels, scores: 100 * accuracy_score(labels, scores.argmax(axis=1))),
        ("macro_f1", 3, lambda labels, scores: 100 * f1_score(labels, scores.argmax(axis=1), average="macro")),
        (
            "quadratic_weighted_kappa",
            3,
            lambda labels, scores: 100 * cohen_kappa_score(labels, scores.argmax(axis=1), weights="quadratic"),
        ),
        ("auc", 2, lambda labels, scores: 100 * roc_auc_score(labels, scores[:, 1] - scores[:, 0])),
    ],
)
def test_metrics_are_those_of_scikit_learn(tmp_path, metric, classes, reference):
    folder = prepare(tmp_path, listing(("bird", "cat", "dog")[:classes]))
    made = run(folder, metric=metric, protocol={"epochs": 1, "lr": 0.001})
    arrays = read_outputs(folder / "run.npz")
    plan = {"title": "noise", "way": "finetune", "metric": metric, "protocol": PROTOCOL | {"epochs": 1, "lr": 0.001}}
    plan |= {"choose": None, "runs": {"run": {"model": MODEL, "genotype": None, "seed": 1, "cell": {}}}}
    (row,) = collected(plan, [folder / "run.json"], read_json(folder / "view.json"), [])
    assert row["value"] == pytest.approx(reference(arrays["test_labels"], arrays["test_scores"]), abs=1e-4)
    expected = reference(arrays["validation_labels"], arrays["validation_scores"])
    assert row[f"validation_{metric}"] == pytest.approx(expected, abs=1e-4)
    assert made["protocol"]["metric"] == metric


def test_several_labels(tmp_path):
    folder = prepare(tmp_path, listing((("bird",), ("cat", "dog"), ("dog",))))
    made = run(folder, metric="macro_f1", protocol={"epochs": 6})
    arrays = read_outputs(folder / "run.npz")
    assert arrays["test_labels"].sum(axis=0).tolist() == [8, 8, 16]
    expected = f1_score(arrays["test_labels"], arrays["test_scores"] > 0, average="macro")
    assert made["outcome"]["parts"]["test"]["macro_f1"] == pytest.approx(100 * expected, abs=1e-4)
    assert made["outcome"]["parts"]["test"]["macro_f1"] > 80
    assert made["outcome"]["parts"]["test"]["correct_top1"] is None
    assert impossible(made, read_json(folder / "view.json")) == ""


def test_groups_stand_beside_the_outputs(tmp_path):
    folder = prepare(tmp_path, listing(groups=True))
    run(folder, protocol={"epochs": 1})
    arrays = read_outputs(folder / "run.npz")
    assert len(np.unique(arrays["test_groups"])) == 4  # of two images of each class
    assert not set(arrays["test_groups"]) & set(arrays["validation_groups"])


def test_the_head_alone_leaves_the_body_as_it_was(folder, monkeypatch):
    trained = []
    tuner = apr.runs.finetuning.finetuner.FineTuner
    initial = tuner.__init__
    monkeypatch.setattr(tuner, "__init__", lambda self, *rest: (initial(self, *rest), trained.append(self))[0])
    run(folder, name="head", protocol={"layers": "head", "epochs": 1})
    state, before = trained[0].network.state_dict(), torch.load(folder / "weights.pt", weights_only=True)
    body = [name for name in before if not name.startswith("fc.")]
    assert body
    assert all(torch.equal(state[name], before[name]) for name in body)


def test_settings_change_what_is_trained(folder):
    """Each of these keys makes another first epoch."""
    base = {"epochs": 1, "flip": False}
    changes = [
        {"start": "scratch"},
        {"channels": "bgr"},
        {"normalisation": "data"},
        {"flip_vertical": True},
        {"smallest_area": 0.2},
        {"resolution": 48},
        {"momentum": 0.5},
        {"weight_decay": 0.1},
        {"optimiser": "adamw", "lr": 0.002},
        {"optimiser": "adamw", "lr": 0.002, "decay": "by_rate"},
    ]
    losses = [
        run(folder, name=f"c{i}", protocol=base | change)["history"][0]["train_loss"]
        for i, change in enumerate([{}, *changes])
    ]
    assert len(set(losses)) == len(losses)


def test_a_diverging_run_is_a_result(folder):
    made = run(folder, name="diverged", protocol={"lr": 900.0})
    assert made["outcome"]["status"] == "diverged"
    assert read_outputs(folder / "diverged.npz") == {}
    assert impossible(made, read_json(folder / "view.json")) == ""


def test_outputs_that_were_changed_are_noticed(folder):
    made = run(folder)
    (folder / "other.npz").write_bytes((folder / "run.npz").read_bytes()[:-30])
    with pytest.raises(Problem, match="cannot be read"):
        read_outputs(folder / "other.npz")
    run(folder, name="best", protocol={"seed": 5})
    with pytest.raises(Problem, match=r"best.npz: is not what its run kept"):
        read_outputs(folder / "best.npz", made["outputs"])
    (folder / "checkpoints/run.npz").unlink()
    assert compared(run(folder)) == compared(made)  # made again
    assert (folder / "checkpoints/run.npz").exists()


def test_a_network_of_ones_own(folder):
    code = folder / "mine.py"
    code.write_text("import timm\n\ndef small():\n    return timm.create_model('test_resnet', num_classes=1000)\n")
    model = {"model": "own:mine.py:small", "root": str(folder)}
    made = run(folder, name="own", protocol={"epochs": 1}, **model)
    assert made["protocol"]["code"] == file_digest(code)
    code.write_text(code.read_text() + "\n# another file\n")
    other = run(folder, name="own", protocol={"epochs": 1}, **model)
    assert other["fingerprint"] != made["fingerprint"]
    assert json.dumps(other["history"]) == json.dumps(made["history"])
