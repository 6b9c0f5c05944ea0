"""What `make mine` writes and says, word for word."""

import hashlib
import os
from pathlib import Path

import pytest
from data_helpers import class_folders, put, tree
from test_pictures_planned import seen

from apr.basics.files import read_json
from apr.basics.problems import Problem
from mine import looking
from mine import seen as seeing
from mine.layouts import Labels, found_place
from mine.looking import Request, look
from mine.names import name_of, title_of
from mine.own_file import own_text, suffix_of
from mine.plans import Plan
from mine.seen import described

HEAD = """\
# Written by `make mine`, to be laid over studies/mine.yaml. Change it as you like: a file that you changed is kept, and
# `make mine NAME=shells` goes on with it (a file that you delete is written anew). On a cluster:
#   snakemake --configfile studies/mine.yaml mine/shells/own.yaml --directory mine/shells --profile slurm
# Every key is described in workflow/schemas/config.schema.yaml.
"""
LITE = ", ".join(f'"timm:tf_efficientnet_lite{number}.in1k"' for number in range(3))
ALL_OF_A_FOLDER = f"""\
{HEAD}title: "What suits Shells?"

datasets:
  shells:
    title: "Shells"
    folder: "PLACE"
    format: class_folders
    classes: 2
    images: 30

tasks:
  # architectures, from scratch
  shells:
    view: shells
    train: small
    role: target
    metric: top1_error
    epochs: 13
    batch: 16
    flip: true  # false where left and right matter (signs, letters)
  # pretrained models as they are
  shells_probe:
    title: "Shells, fixed features"
    view: shells
    probe: probe
    metric: top1_accuracy
    models: [{LITE}]

comparisons:
  transfer: {{targets: [shells_probe]}}
"""
SOME_OF_AN_ARCHIVE = f"""\
{HEAD}title: "What suits Ä \\"B\\"?"

datasets:
  shells:
    title: "Ä \\"B\\""
    files: [{{url: "file:/a/b%20%25.tar.gz", name: "shells.tar.gz"}}]
    format: split_folders
    options: {{train: ["one", "two"], nested: true}}
    classes: 3
    images: 60
    split: {{test_fraction: 0.3, validation_fraction: 0.15}}
    # to keep together what belongs together, add: split: {{by: group}}

views:
  # cap: images of a class in each part, at most
  shells_some: {{dataset: "shells", classes: 2, cap: 12, seed: 1}}

tasks:
  # architectures, from scratch
  shells:
    view: shells_some
    train: small
    role: target
    metric: top1_error
    epochs: 8
    batch: 2
    flip: true  # false where left and right matter (they seem to, here)
  # pretrained models as they are
  shells_probe:
    title: "Ä \\"B\\", fixed features"
    view: shells_some
    probe: probe
    metric: top1_accuracy
    resolution: 128
    eval_resize: 128
    models: [{LITE}]
  # and with all of their layers trained
  shells_tuned:
    title: "Ä \\"B\\", fine-tuned"
    view: shells_some
    finetune: tune
    metric: top1_accuracy
    resolution: 128
    eval_resize: 128
    epochs: 3
    choose: {{by: "validation"}}
    models: [{LITE}]

comparisons:
  transfer: {{targets: [shells_tuned], probes: {{shells_tuned: shells_probe}}}}
"""
FOLDER = Path("mine/shells")


def test_the_study_of_a_folder_whole(tmp_path):
    found = seen([20, 25], {"train": 30, "test": 15}, split={}, groups="split: {by: group}")
    text = own_text(FOLDER, "Shells", tmp_path, found, Plan(None, None, 13, 16, None, False, {}, 30, 3))
    assert text.replace(str(tmp_path), "PLACE") == ALL_OF_A_FOLDER


def test_the_study_of_some_of_an_archive_whole():
    more = {"options": {"train": ["one", "two"], "nested": True}, "groups": "split: {by: group}", "handed": True}
    found = seen([20, 30, 10], **more | {"format": "split_folders"})
    plan = Plan(2, 12, 8, 2, 128, True, {"epochs": 3}, 14, 3)
    assert own_text(FOLDER, 'Ä "B"', Path("/a/b %.tar.gz"), found, plan) == SOME_OF_AN_ARCHIVE


def test_a_view_has_classes_or_a_cap_alone(tmp_path):
    for plan, wanted in (((2, None), "classes: 2, seed: 1"), ((None, 9), "cap: 9, seed: 1")):
        text = own_text(FOLDER, "S", tmp_path, seen([9, 9]), Plan(*plan, 8, 2, None, False, {}, 14, 3))
        assert f'  shells_some: {{dataset: "shells", {wanted}}}\n' in text
        assert ("# cap: images" in text) == (plan[1] is not None)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.zip", ".zip"), ("a.b.TAR.gz", ".gz"), ("a.tar.GZ", ".tar.gz"), ("a", ""), ("a.tar", ".tar")],
)
def test_suffixes(name, suffix):
    assert suffix_of(Path(name)) == suffix


def test_titles(tmp_path):
    assert title_of(Path("/x/my shells.tar.gz")) == "my shells"
    assert title_of(Path("/x/shells")) == "shells"
    assert title_of(Path("/x/a\nb.zip")) == "a_b"
    assert title_of(Path(f"/x/{'a' * 90}.zip")) == "a" * 80
    (tmp_path / "v1.2").mkdir()
    assert title_of(tmp_path / "v1.2") == "v1.2"
    assert title_of(Path("/x/ .zip")) == "pictures"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a" * 61, "takes letters without accents, digits, - _ and . (not in front), up to 60"),
        ("shells\n", "takes letters without accents, digits, - _ and . (not in front), up to 60"),
        (".a", "takes letters without accents, digits, - _ and . (not in front), up to 60"),
        ("photos", "is what studies/mine.yaml calls something of its own; choose another, NAME=my_photos"),
    ],
)
def test_names_that_no_task_can_have(given, said):
    with pytest.raises(Problem) as caught:
        name_of(Path("/x/y"), given)
    assert str(caught.value) == f"NAME={given}: {said}"


def test_a_name_is_taken_as_it_is_given():
    assert name_of(Path("/x/photos"), "A" * 60) == "A" * 60
    assert name_of(Path(f"/x/{'a' * 49} b")) == "a" * 49
    assert name_of(Path("/x/photos_some")) == "photos_some"


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(looking, "nvidia", lambda: (None, ()))
    monkeypatch.setattr(looking, "_taken_up", lambda *_, **__: False)


def shells(root, counts=(("cat", 8), ("dog", 9))):
    place = class_folders(root / "sea shells", dict(counts))
    for path in place.rglob("*.jpg"):
        os.utime(path, (5, 5))
    return place


def bytes_of(place):
    return sum(len(data) for data in tree(place).values())


def test_what_is_said_and_remembered_whole(tmp_path, no_gpu, monkeypatch):
    """Of 5 and 6 training images, 2 x 0.9 to test; 600 s are left of both cores, and half of them suffices for all."""
    monkeypatch.setattr(seeing.time, "perf_counter", lambda: 0.0)
    place, said = shells(tmp_path), []
    folder = look(Request.of(str(place), None, None, None, None, None), tmp_path / "mine", said.append)
    own = str(tmp_path / "mine/sea_shells/own.yaml")
    lines = [
        "sea shells: 17 pictures of 2 classes (8 to 9 each), read as a folder for each class",
        "classes: cat, dog",
        "sizes: sides of 10 to 12 pixels, half of them up to 11",
        "parts: drawn, test 30% and validation 15%",
        "taken: 10 training pictures, 40 epochs",
        "pretrained models: at their own resolution, probed and fine-tuned",
        "time: about 4 minutes on 2 cores, by the speed of an AMD EPYC of the third generation",
    ]
    assert said == [*lines, f"study: studies/mine.yaml {own}"]
    known = read_json(folder / "looked.json")
    assert known == {
        "data": str(place),
        "asked": {"labels": None, "minutes": 10, "gpu": False},
        "stamp": {"files": 17, "bytes": bytes_of(place), "newest": 5},
        "own": hashlib.sha256(Path(own).read_bytes()).hexdigest(),
        "overlays": [],
        "lines": lines,
        "task": "sea_shells",
        "handed": False,
        "groups": "",
        "epochs": 40,
    }
    again = []
    (folder / "own.yaml").write_text("title: mine\n")
    look(Request.of(str(place), None, None, "10", None, None), tmp_path / "mine", again.append)
    kept = f"{own} was changed by hand and is kept, whatever is said above; delete it to have it written anew"
    assert again == [*lines, kept, f"study: studies/mine.yaml {own}"]
    with pytest.raises(Problem) as caught:
        look(Request.of(None, "stones", None, None, None, None), tmp_path / "mine", again.append)
    assert str(caught.value) == f"NAME=stones: there is no {tmp_path}/mine/stones/own.yaml; there are sea_shells"
    with pytest.raises(Problem, match=r"; or go on with NAME=sea_shells$"):
        look(Request.of(None, None, None, None, None, None), tmp_path / "mine", again.append)
    with pytest.raises(Problem, match=r"mine x': holds a blank, .* choose another$"):
        look(Request.of(str(place), None, None, None, None, None), tmp_path / "mine x", again.append)


def test_how_a_plan_is_told():
    some, one = Plan(7, 12, 8, 2, 128, False, {}, 1400, 3), Request("x", cores=1)
    assert list(looking._planned(None, some, one)) == [
        "taken: 7 of its classes, drawn and at most 12 pictures of a class in each part: 1,400 training pictures, 8 "
        "epochs; MINUTES= takes more of them",
        "pretrained models: at 128 pixels, probed; with a GPU or more MINUTES= also fine-tuned",
        "time: about 3 minutes on 1 core, by the speed of an AMD EPYC of the third generation",
    ]


def test_the_newest_file_or_table_tells_of_a_change(tmp_path):
    place = shells(tmp_path)
    os.utime(put(tmp_path, "t.csv", data=b"12345") / "t.csv", (77, 77))
    os.utime(next((place / "dog").iterdir()), (9.9, 9.9))
    size = bytes_of(place)
    assert looking._stamp(place, None) == {"files": 17, "bytes": size, "newest": 9}
    assert looking._stamp(place, Labels(str(tmp_path / "t.csv"))) == {"files": 18, "bytes": size + 5, "newest": 77}
    assert looking._stamp(tmp_path / "t.csv", None) == {"files": 1, "bytes": 5, "newest": 77}
    (tmp_path / "empty").mkdir()
    assert looking._stamp(tmp_path / "empty", None) == {"files": 0, "bytes": 0, "newest": 0}


@pytest.mark.parametrize("text", ["0", "0.5", "-1", "ten", "1234567", "1.", "1e3", "٣"])
def test_numbers_that_are_none(text):
    with pytest.raises(Problem) as caught:
        Request.of("x", None, None, text, None, None)
    assert str(caught.value) == f"MINUTES={text}: has to be a number from 1 on"


def test_requests(tmp_path):
    put(tmp_path, "a.yaml", "b.yaml")
    files = (str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    asked = Request.of("x", "n", Labels("t"), "2.5", "3.7", f" {files[0]}  {files[1]}")
    assert asked == Request("x", "n", Labels("t"), 2.5, 3, files)
    assert Request.of("x", None, None, "999999", "1", None) == Request("x", None, None, 999999, 1, ())
    assert (Request("x").minutes, Request("x").cores) == (10, 2)
    with pytest.raises(Problem) as caught:
        Request.of("x", None, Labels(None, "im"), None, None, None)
    assert str(caught.value) == "IMAGE and LABEL are columns of a table of labels: name that, too, LABELS=table.csv"


def test_a_place_that_is_not_there_says_what_is(tmp_path):
    with pytest.raises(Problem) as caught:
        found_place(str(tmp_path / "a/b"))
    assert (
        str(caught.value)
        == f"DATA={tmp_path}/a/b: there is no such folder or archive ({tmp_path} is there); correct it"
    )


def test_described_whole():
    found = seen([1200, 1200], {"train": 1300, "test": 1100}, sides=(32, 32, 32), notes=["one", "two"])
    assert list(described("Ä", found)) == [
        "Ä: 2,400 pictures of 2 classes (1,200 each), read as words",
        "classes: c0, c1",
        "sizes: 32 pixels",
        "parts: as they are, train 1,300, test 1,100; drawn, validation 15%",
        "odd: one",
        "odd: two",
    ]
    whole = seen([3] * 7, {"train": 7, "test": 7, "validation": 7})
    assert list(described("x", whole))[1::2] == [
        "classes: c0, c1, c2, c3, c4, c5 and 1 more",
        "parts: as they are, train 7, test 7, validation 7",
    ]
