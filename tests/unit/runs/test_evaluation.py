"""Live evaluation: answers as of a plain loop, ImageNet's order of classes, resuming, and the run that comes of it."""

import io
import os
import signal
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import timm
import torch
from data_helpers import encoded, picture, put, real
from live import MODEL, arguments, fit, plain_answers, plain_counts, prepare, run, the_counts
from PIL import Image
from small import checkpointing
from waits import LONGEST

import apr.runs.evaluation
import evaluate
from apr.basics.files import read_json
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.data.formats import Listing, read_listing
from apr.data.packed import open_packed
from apr.data.views import view_indices
from apr.models.pretrained import load_model
from apr.runs.evaluation import outcome_of, output_indices, predict, run_protocol
from apr.runs.metrics import METRICS
from apr.runs.protocol import check_protocol, planned_protocol
from apr.runs.record import read_run
from apr.scores.collected import row_of

CPU = torch.device("cpu")
WNIDS = timm.data.ImageNetInfo("imagenet-1k").label_names()
V2_CLASSES = ["0", "1", "2", "9", "10", "11", "20", "100", "101", "111", "200", "999"]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def v2(tmp_path_factory):
    """Folders in ImageNetV2's layout, packed; weights that know half of the pictures; and the pictures' outputs."""
    folder = tmp_path_factory.mktemp("v2")
    pictures, outputs = [], []
    for position, label in enumerate(V2_CLASSES):
        for number in range(4):
            data = encoded(picture(10 * position + number, (60, 50)))
            put(folder / "images", f"{label}/{number}.jpeg", data=data)
            pictures.append(Image.open(io.BytesIO(data)).convert("RGB"))
            outputs.append(int(label))
    prepare(folder, read_listing(folder / "images", "class_folders"))
    fit(folder, pictures, outputs)
    return folder, pictures, outputs


def test_v2_counts_are_those_of_a_plain_loop(v2):
    folder, pictures, outputs = v2
    expected = plain_counts(plain_answers(folder / "weights.pt", pictures), outputs)
    assert 24 <= expected["correct_top1"] < expected["correct_top5"]  # out of reach with classes in another order
    assert the_counts(run(folder)["outcome"]) == expected


def test_v2_counts_do_not_depend_on_the_order_of_its_folders(v2, tmp_path):
    folder, pictures, outputs = v2
    listing = read_listing(folder / "images", "class_folders", {"classes_order": "name"})
    assert listing.classes == sorted(V2_CLASSES) != V2_CLASSES
    outcome = run(prepare(tmp_path, listing), weights=folder / "weights.pt")["outcome"]
    assert the_counts(outcome) == plain_counts(plain_answers(folder / "weights.pt", pictures), outputs)


def test_real_validation_slice_counts_are_those_of_a_plain_loop(tmp_path):
    tables = ("LOC_val_solution.csv", "ILSVRC2012_validation_ground_truth.txt", "map_clsloc.txt")
    names = ("ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar", *(f"ilsvrc2012_tables/{name}" for name in tables))
    for path in real(*names):
        (tmp_path / path.name).symlink_to(path)
    items = [item for item in read_listing(tmp_path, "ilsvrc").items if item.split == "test"][::3]
    classes = sorted({item.label for item in items})
    pictures = [Image.open(io.BytesIO(item.source.read())).convert("RGB") for item in items]
    outputs = [WNIDS.index(item.label) for item in items]
    answers = plain_answers(fit(tmp_path, pictures, outputs), pictures)
    expected = plain_counts(answers, outputs)
    assert 33 <= expected["correct_top1"] < expected["correct_top5"] <= len(items) == 80
    assert the_counts(run(prepare(tmp_path, Listing(items, classes)), "--threads", "2")["outcome"]) == expected
    # some of its classes are still some of the 1,000
    prepare(tmp_path, Listing(items, classes), classes=classes[20:50])
    chosen = [i for i, item in enumerate(items) if item.label in classes[20:50]]
    part = plain_counts(answers[chosen], [outputs[i] for i in chosen])
    assert the_counts(run(tmp_path, name="part")["outcome"]) == part


def test_answers_in_the_order_of_the_view(v2, tmp_path):
    folder, *_ = v2
    outcome = run(folder, "--predictions", str(tmp_path / "best.npy"), name="kept")["outcome"]
    best = np.load(tmp_path / "best.npy")
    assert (best.dtype, best.shape) == (np.int16, (48, 5))
    labels = np.repeat([int(label) for label in V2_CLASSES], 4)
    assert int((best[:, 0] == labels).sum()) == outcome["parts"]["test"]["correct_top1"]
    assert all(len(set(row)) == 5 for row in best.tolist())


def test_pixels_and_other_classes_by_position(tmp_path):
    for position in range(14):
        data = encoded(picture(position, (32, 32)), "PNG")
        put(tmp_path / "images", f"{'abcdefg'[position // 2]}/{position}.png", data=data)
    listing = read_listing(tmp_path / "images", "class_folders")
    prepare(tmp_path, listing, storage="pixels")
    torch.manual_seed(1)
    torch.save(timm.create_model("test_resnet", num_classes=7).state_dict(), tmp_path / "weights.pt")
    model = load_model(MODEL, tmp_path / "weights.pt")
    packed, manifest = open_packed(tmp_path / "packed", "pixels"), read_json(tmp_path / "view.json")
    assert output_indices("view", manifest["classes"], model.outputs).tolist() == list(range(7))
    rows = view_indices(manifest, packed.index)["test"]
    best, _ = predict(model, packed, rows, checkpointing(tmp_path), device=CPU, batch=4, threads=1)
    with torch.no_grad():
        values = model.network(torch.stack([model.transform(Image.fromarray(packed.read(int(i)))) for i in rows]))
    assert (best == values.topk(5).indices.numpy()).all()


@pytest.mark.parametrize("stop_at", [16, 32, 48])
def test_interrupted_and_resumed_equals_undisturbed(v2, tmp_path, stop_at):
    folder, *_ = v2
    packed = open_packed(folder / "packed", "encoded")
    rows = view_indices(read_json(folder / "view.json"), packed.index)["test"]
    model = load_model(MODEL, folder / "weights.pt")
    options = {"device": CPU, "batch": 16, "threads": 2}
    whole, timing = predict(model, packed, rows, checkpointing(tmp_path / "a"), **options)
    assert timing["resumed_at_image"] is None

    def stop(done):
        if done == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted, match="SIGTERM"):
        predict(model, packed, rows, checkpointing(tmp_path / "b"), on_batch=stop, **options)
    seen = []
    again, timing = predict(model, packed, rows, checkpointing(tmp_path / "b"), on_batch=seen.append, **options)
    assert timing["resumed_at_image"] == stop_at + 1
    assert seen == [done for done in (16, 32, 48) if done > stop_at]
    assert (whole == again).all()


def test_a_checkpoint_of_other_weights_is_not_gone_on_with(v2, tmp_path, caplog):
    folder, *_ = v2
    packed = open_packed(folder / "packed", "encoded")
    model = load_model(MODEL, folder / "weights.pt")
    options = {"device": CPU, "batch": 16, "threads": 1}
    with pytest.raises(Interrupted):
        predict(
            *(model, packed, np.arange(48), checkpointing(tmp_path)),
            **options,
            on_batch=lambda done: os.kill(os.getpid(), signal.SIGINT),
        )
    other = checkpointing(tmp_path, fingerprint="another")
    _, timing = predict(model, packed, np.arange(48), other, **options)
    assert timing["resumed_at_image"] is None
    assert "set aside" in caplog.text


def test_the_batch_changes_nothing(v2, tmp_path):
    folder, *_ = v2
    packed = open_packed(folder / "packed", "encoded")
    model = load_model(MODEL, folder / "weights.pt")
    answers = [
        predict(
            *(model, packed, np.arange(48), checkpointing(tmp_path / str(batch))), device=CPU, batch=batch, threads=1
        )[0]
        for batch in (5, 100)
    ]
    assert (answers[0][:, 0] == answers[1][:, 0]).all()


def test_counts():
    best = np.array([[3, 1, 2, 4, 5], [1, 2, 3, 4, 5], [9, 8, 7, 6, 5]], np.int16)
    labels = {"test": np.array([3, 5]), "validation": np.array([0])}
    assert outcome_of(best, labels, 10)["parts"] == {
        "test": {"n": 2, "correct_top1": 1, "correct_top5": 2},
        "validation": {"n": 1, "correct_top1": 0, "correct_top5": 0},
    }
    assert outcome_of(best[:, :2], labels, 2)["parts"]["test"]["correct_top5"] is None


def test_classes_are_found_by_wordnet_id_or_by_number():
    assert output_indices("v", WNIDS, 1000).tolist() == list(range(1000))
    assert output_indices("v", ["n02102040", "n01440764"], 1000).tolist() == [217, 0]
    assert output_indices("v", sorted(map(str, range(1000))), 1000)[[0, 2, 3, -1]].tolist() == [0, 10, 100, 999]


NONE = "is none of ImageNet's 1,000 (a WordNet id such as n01440764, or 0 to 999); take a view of those classes, or "
NONE += "weights that were trained on this view's"
WHICH = "outputs, and nothing says which is which; take weights that were"


@pytest.mark.parametrize(
    ("classes", "outputs", "said"),
    [
        *((["0", label], 1000, f"class {label!r} {NONE}") for label in ("tench", "1000", "²", "-1")),
        (["0", "n01440764"], 1000, "classes '0' and 'n01440764' are the same one of ImageNet's 1,000"),
        (["1", "01"], 1000, "classes '1' and '01' are the same one of ImageNet's 1,000"),
        *((["a", "b"], n, f"has 2 classes, the model {n} {WHICH} trained on these classes") for n in (3, 999)),
        (WNIDS, 1001, f"has 1000 classes, the model 1001 {WHICH} fine-tuned on ImageNet-1k"),
    ],
)
def test_classes_that_map_nowhere_are_named(classes, outputs, said):
    with pytest.raises(Problem) as caught:
        output_indices("v", classes, outputs)
    hub = " (timm calls ImageNet-1k's `…_in1k`)" if WHICH in said else ""
    assert str(caught.value) == f"view 'v': {said}{hub}"


def test_the_run_is_as_any_other(v2):
    folder, *_ = v2
    result = run(folder, name="record")
    assert (result["task"], result["model"], result["seed"], result["history"]) == ("live", MODEL, None, [])
    assert set(result["protocol"]) == {"model", "images", "seed", "revision", "weights", "outputs", "preprocessing"}
    assert result["protocol"]["preprocessing"]["input_size"] == [3, 160, 160]
    assert result["provenance"]["batch"] == 16
    assert result["provenance"]["timm"] == timm.__version__
    manifest = read_json(folder / "view.json")
    expected = run_protocol(planned_protocol(MODEL, manifest), load_model(MODEL, folder / "weights.pt"))
    check_protocol(result, expected, "run")
    row = row_of(result, METRICS["top5_error"], guess=90.0)
    assert (row["model"], row["n"], row["status"], row["metric"]) == (MODEL, 48, "completed", "top5_error")
    assert row["value"] == pytest.approx(100 * (48 - row["correct_top5"]) / 48)
    assert not (folder / "checkpoints/record.pt").exists()


def test_a_finished_run_is_taken_up_again_unless_its_weights_changed(v2, tmp_path, caplog):
    caplog.set_level("INFO", "apr")
    folder, *_ = v2
    first = run(folder, name="again")
    (folder / "again.json").unlink()
    assert run(folder, name="again") == first  # with the time that it took
    assert "takes the result of an earlier call" in caplog.text
    assert run(folder, "--predictions", str(tmp_path / "best.npy"), name="again")["outcome"] == first["outcome"]
    assert "predictions were not kept; evaluating again" in caplog.text
    assert (tmp_path / "best.npy").exists()
    state = torch.load(folder / "weights.pt", weights_only=True)
    state["fc.bias"][0] += 1000
    torch.save(state, tmp_path / "other.pt")
    other = run(folder, name="again", weights=tmp_path / "other.pt")
    assert other["fingerprint"] != first["fingerprint"]
    assert other["outcome"]["parts"]["test"]["correct_top1"] == 4  # all are called 0


def test_a_signal_writes_the_checkpoint_and_the_next_run_goes_on(v2, monkeypatch, caplog):
    folder, *_ = v2
    undisturbed = run(folder, name="undisturbed")

    def stop(done):
        if done == 32:
            os.kill(os.getpid(), signal.SIGUSR1)

    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *arguments(folder, name="killed")])
    monkeypatch.setattr(apr.runs.evaluation, "predict", partial(predict, on_batch=stop))
    with pytest.raises(SystemExit) as caught:
        evaluate.main()
    monkeypatch.undo()
    assert caught.value.code == 128 + signal.SIGUSR1
    assert "interrupted by SIGUSR1; the checkpoint is written" in caplog.text
    assert (folder / "checkpoints/killed.pt").exists()
    assert not (folder / "checkpoints/killed.lease").exists()
    assert not (folder / "killed.json").exists()
    resumed = run(folder, name="killed")
    assert resumed["timing"]["resumed_at_image"] == 33
    assert {**resumed, "timing": None} == {**undisturbed, "timing": None}


def test_it_runs_as_a_program(v2):
    folder, *_ = v2
    command = [sys.executable, evaluate.__file__, *arguments(folder, "--log", str(folder / "log"), name="program")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert read_run(folder / "program.json")["outcome"]["parts"]["test"]["n"] == 48
    assert "top-1 error" in (folder / "log").read_text()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--model", "resnet18"], "error: --model: model 'resnet18': write timm:<name>"),
        (["--batch", "0"], "error: --batch 0: has to be at least 1"),
        (["--weights", "nowhere.pt"], "error: --weights nowhere.pt: no such file or folder"),
    ],
)
def test_wrong_arguments_end_with_a_message(v2, monkeypatch, capsys, more, message):
    folder, *_ = v2
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *arguments(folder, *more, name="wrong")])
    with pytest.raises(SystemExit) as caught:
        evaluate.main()
    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith(message)
    assert not (folder / "wrong.json").exists()
