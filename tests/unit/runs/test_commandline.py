"""train.py and evaluate.py by hand: each wrong option is one line with the option, its value and the remedy."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import evaluate
import train
from apr.basics.files import file_digest, write_json
from apr.basics.problems import Problem
from apr.data.packed import INDEX
from apr.data.views import select_view
from apr.runs.protocol import KEYS, UNSAID
from apr.scores.collected import collected

GENOTYPE = "d=1,1,1,1 w=8,8,8,8 b=1,1,1,1 g=1,1,1,1"
PROTOCOL = dict(epochs=2, batch=4, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.0, warmup_epochs=0, precise_bn=0)
PROTOCOL |= dict(resolution=8, eval_resize=8, crop="centre", padding=0, flip=False, stem="simple_stem_in")
PROTOCOL |= dict(precision="fp32", channels_last=False, seed=1, revision=1)


def pack(folder, name, *, images=16, storage="pixels", seed=0):
    """A packed dataset of two classes and the view of all of it."""
    index = np.zeros(images, INDEX)
    index["height"] = index["width"] = 4
    index["bytes"] = 48 if storage == "pixels" else 40
    index["offset"] = np.arange(images) * int(index["bytes"][0])
    index["label"] = np.random.default_rng(seed).permutation(np.arange(images) % 2)
    index["split"] = np.arange(images) % 4 == 3
    np.save(folder / f"{name}.index.npy", index)
    (folder / f"{name}.bin").write_bytes(bytes(int(index["bytes"].sum())))
    digests = {"bin_sha256": file_digest(folder / f"{name}.bin")}
    digests["index_sha256"] = file_digest(folder / f"{name}.index.npy")
    dataset = {"name": name, "classes": ["a", "b"], "mean": [0, 0, 0], "sd": [1, 1, 1], **digests}
    write_json(folder / f"{name}.json", select_view(name, {"seed": 0}, dataset, index))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("by hand")
    pack(folder, "faces")
    pack(folder, "tissues", seed=1)
    pack(folder, "photos", storage="encoded")
    (folder / "runs").mkdir()
    (folder / "list.json").write_text("[1]")
    (folder / "no.json").write_text("{")
    return folder


def options(folder, **changes):
    """The options of a right command line with some changed; None leaves one out."""
    given = {
        "task": "mine",
        "model": "a000",
        "genotype": GENOTYPE,
        "view": folder / "faces.json",
        "packed": folder / "faces",
        "storage": "pixels",
        "protocol": json.dumps(PROTOCOL),
        "run": folder / "out/r.json",
        "checkpoint": folder / "out/c.pt",
        "device": "cpu",
    }
    given |= {key.replace("_", "-"): value for key, value in changes.items()}
    return [f"--{key}" if value is True else f"--{key}={value}" for key, value in given.items() if value is not None]


def said(program, arguments, monkeypatch, capsys, caplog):
    """The one line that a program ends with."""
    monkeypatch.setattr(sys, "argv", [f"{program.__name__}.py", *arguments])
    name = {train: "train", evaluate: "evaluate"}[program]
    monkeypatch.setattr(program, name, lambda arguments: None)
    with pytest.raises(SystemExit) as caught:
        program.main()
    assert caught.value.code == 2
    lines = (capsys.readouterr().err or caplog.records[-1].getMessage()).strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("error: --"), lines
    return lines[0]


def protocol(**changes):
    values = PROTOCOL | changes
    return json.dumps({key: value for key, value in values.items() if value != "left out"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocol": "{}"}, ["--protocol epochs, batch, lr, momentum", "seed, revision: are missing"]),
        ({"protocol": protocol(lr="left out")}, ["--protocol", "lr: is missing"]),
        ({"protocol": "[1]"}, ["--protocol", "[1] is no object"]),
        ({"protocol": "{"}, ["--protocol", "is not JSON", "@ and the name of a file"]),
        ({"protocol": ""}, ["--protocol", "is not JSON"]),
        ({"protocol": "[" * 100_000}, ["--protocol", "is not JSON"]),
        ({"protocol": '{"lr": 1, "lr": 2}'}, ["--protocol", "'lr' appears twice"]),
        ({"protocol": "@nowhere.json"}, ["--protocol", "nowhere.json: no such file"]),
        ({"protocol": protocol(lr="1e-2")}, ["--protocol", "lr: '1e-2' is a string, expected number; write 1.0e-2"]),
        ({"protocol": protocol(lr=float("nan"))}, ["lr: nan is not a finite number"]),
        ({"protocol": protocol(lr=10**400)}, ["lr: a number of about 40", "at most 1,000"]),
        ({"protocol": protocol(lr=-0.0)}, ["lr: -0.0: write 0"]),
        ({"protocol": protocol(epochs=0)}, ["epochs: 0: has to be at least 1"]),
        ({"protocol": protocol(epochs=2.0)}, ["epochs: 2.0 is a number, expected integer; write 2"]),
        ({"protocol": protocol(epochs=True)}, ["epochs: true is a boolean, expected integer"]),
        ({"protocol": protocol(learning_rate=1)}, ["learning_rate: no such key"]),
        (
            {"protocol": protocol(weigth_decay=1)},
            ["weigth_decay: no such key (did you mean weight_decay?); leave it out"],
        ),
        ({"protocol": protocol(crop="center")}, ["crop: 'center': one of", "(did you mean centre?)"]),
        ({"protocol": protocol(resolution=16)}, ["resolution 16 is larger than eval_resize 8", "set eval_resize"]),
        ({"protocol": protocol(momentum=0)}, ["nesterov true does not go with momentum 0"]),
        ({"protocol": protocol(batch=64)}, ["batch 64 is larger than the 12 training images", "lower"]),
        ({"protocol": protocol(initial="photos")}, ["--protocol: has initial; give --initial-runs"]),
        ({"genotype": None}, ["--genotype: is needed beside --model"]),
        ({"genotype": "d=1"}, ["--genotype", "expected `d=… w=… b=… g=…`"]),
        ({"genotype": "d=0,1,1,1 w=8,8,8,8 b=0,1,1,1 g=1,1,1,1"}, ["--genotype", "at least 1"]),
        ({"storage": "encoded"}, ["--storage encoded", "packed as pixels; give --storage pixels"]),
        ({"packed": "photos", "view": "photos.json"}, ["--storage pixels", "packed as encoded"]),
        ({"storage": "jpeg"}, ["--storage invalid choice: 'jpeg'", "pixels"]),
        ({"threads": 0}, ["--threads 0: has to be at least 1"]),
        ({"threads": -3}, ["--threads -3: has to be at least 1"]),
        ({"threads": "two"}, ["--threads 'two' is not an integer"]),
        ({"threads": "1.0"}, ["--threads '1.0' is not an integer"]),
        ({"device": "gpu"}, ["--device 'gpu': write auto, cpu, cuda"]),
        ({"device": "cuda:x"}, ["--device 'cuda:x'"]),
        ({"checkpoint_seconds": "nan"}, ["--checkpoint-seconds nan is not a finite number"]),
        ({"checkpoint_seconds": -1}, ["--checkpoint-seconds -1.0: has to be at least 0"]),
        ({"resident_gb": "inf"}, ["--resident-gb inf is not a finite number"]),
        ({"view": "tissues.json"}, ["--view", "drawn from the dataset tissues", "--packed", "other images"]),
        ({"view": "nowhere.json"}, ["--view", "nowhere.json: there is no such file"]),
        ({"view": "no.json"}, ["--view", "no.json: is not JSON"]),
        ({"view": "list.json"}, ["--view", "lacks view, dataset", "results/views/<view>.json"]),
        ({"view": "runs"}, ["--view", "is a folder"]),
        ({"packed": "nowhere"}, ["--packed", "there is no", "without a suffix"]),
        ({"packed": "faces.bin"}, ["--packed", "without a suffix"]),
        ({"checkpoint": "runs"}, ["--checkpoint", "is a folder; name a file in it"]),
        ({"checkpoint": ""}, ["--checkpoint", "is a folder; name a file"]),
        ({"checkpoint": "x.json"}, ["--checkpoint (its finished run)", "the file of --checkpoint as well"]),
        ({"run": "runs"}, ["--run", "is a folder; name a file in it"]),
        ({"run": "list.json/r.json"}, ["--run", "list.json is no folder"]),
        ({"run": "faces.json"}, ["--run", "the file of --view as well"]),
        ({"log": "same.log", "history": "same.log"}, ["--history", "the file of --log as well"]),
        ({"log": "runs"}, ["--log", "is a folder"]),
        ({"model": "../x"}, ["--model the name '../x' holds a slash"]),
        ({"model": None}, ["--model: give either --model, or --rank"]),
        ({"rank": "best1"}, ["--model: give either --model, or --rank"]),
        ({"model": None, "rank": "best1"}, ["--rank: needs --ranking"]),
        ({"model": None, "rank": "first"}, ["--rank first: write best1"]),
        ({"task": "a\nb"}, ["--task the name 'a\\nb' holds the control character U+000A"]),
        ({"initial_runs": "runs"}, ["--initial-runs: needs --initial-weights"]),
        ({"initial_runs": "runs", "initial_weights": "runs"}, ["--initial-runs: the protocol has neither"]),
        ({"keep_optimizer": True}, ["--keep-optimizer: needs --keep-weights"]),
    ],
)
def test_each_option_of_train(folder, changes, words, monkeypatch, capsys, caplog):
    places = ("view", "packed", "checkpoint", "run", "log", "history", "initial_runs", "initial_weights")
    changes = {key: folder / value if key in places and value else value for key, value in changes.items()}
    line = said(train, options(folder, **changes), monkeypatch, capsys, caplog)
    for word in words:
        assert word in line
    assert (folder / "runs").is_dir()
    assert not (folder / "runs.rejected").exists()
    assert not (folder / "out/r.json").exists()


def test_a_misspelt_option_is_answered_with_the_nearest(folder, monkeypatch, capsys, caplog):
    line = said(train, options(folder, thread=2), monkeypatch, capsys, caplog)
    assert "--thread=2: there is no such option (did you mean --threads?)" in line


def test_a_folder_that_cannot_be_written_to(folder, monkeypatch, capsys, caplog):
    (folder / "closed").mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: "closed" not in str(path))  # root may write everywhere
    line = said(train, options(folder, run=folder / "closed/new/r.json"), monkeypatch, capsys, caplog)
    assert "closed cannot be written to" in line


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "resnet18"}, ["--model: model 'resnet18': write timm:<name>"]),
        ({"batch": 0}, ["--batch 0: has to be at least 1"]),
        ({"weights": "nowhere.pt"}, ["--weights nowhere.pt: no such file or folder"]),
        ({"view": "tissues.json"}, ["--view", "drawn from the dataset tissues"]),
        ({"predictions": "runs"}, ["--predictions", "is a folder"]),
        ({"checkpoint": "runs"}, ["--checkpoint", "is a folder"]),
    ],
)
def test_each_option_of_evaluate(folder, changes, words, monkeypatch, capsys, caplog):
    places = ("view", "checkpoint", "predictions")
    changes = {key: folder / value if key in places else value for key, value in changes.items()}
    right = {"model": "timm:resnet18", "genotype": None, "protocol": None}
    line = said(evaluate, options(folder, **right | changes), monkeypatch, capsys, caplog)
    for word in words:
        assert word in line


def test_it_is_said_before_torch_is_loaded(folder):
    program = (
        "import sys, train\n"
        "try: train.main()\n"
        "except SystemExit as end: print(end.code, [name for name in ('torch', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *options(folder, storage="encoded")],
        cwd=os.path.dirname(train.__file__),
        capture_output=True,
        text=True,
        timeout=1800,
        check=True,
    )
    assert done.stdout == "2 []\n"
    assert "give --storage pixels" in done.stderr


def test_right_options_are_taken(folder, monkeypatch):
    taken = []
    monkeypatch.setattr(train, "train", taken.append)
    monkeypatch.setattr(train, "listen", lambda: None)
    protocol = folder / "protocol.json"
    protocol.write_text(json.dumps(PROTOCOL))
    same = {"run": folder / "out/c.json", "log": "/dev/null", "device": "cuda:3", "threads": 4}
    monkeypatch.setattr(sys, "argv", ["train.py", *options(folder, protocol=f"@{protocol}", **same)])
    train.main()
    assert taken[0].protocol == PROTOCOL
    assert list(PROTOCOL) == [key for key in KEYS if key not in UNSAID]


def test_a_metric_that_says_nothing_of_few_classes_is_refused_before_and_after(folder, monkeypatch, capsys, caplog):
    line = said(train, options(folder, metric="top5_error"), monkeypatch, capsys, caplog)
    assert "--metric top5_error: task mine: metric: top5_error says nothing about 2 classes; use top1_error" in line
    plan = {"title": "mine", "metric": "top5_error", "runs": {}, "protocol": {}}
    manifest = json.loads((folder / "faces.json").read_text())
    with pytest.raises(Problem, match="use top1_error"):
        collected(plan, [], manifest, [])
