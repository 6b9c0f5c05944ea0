"""From pictures to a study that is written, valid and remembered."""

import os
from pathlib import Path

import pytest
import yaml
from changed_studies import merge
from data_helpers import JPEG, class_folders, make_zip, put, tree

from apr.basics.files import read_json, write_json
from apr.basics.problems import Problem
from checks.config import check_config
from mine import looking
from mine.layouts import Labels
from mine.looking import Request, look
from mine.names import name_of
from study import ROOT

TWO = {"cat": 8, "dog": 9}


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(looking, "nvidia", lambda: (None, ()))


def looked(tmp_path, data, name=None, labels=None, overlays="", **changed):
    """The folder of a study, and what was said."""
    said = []
    minutes, cores = changed.get("minutes"), changed.get("cores")
    request = Request.of(data and str(data), name, labels, minutes, cores, overlays)
    return look(request, tmp_path / "mine", said.append), said


def files_of(folder):
    return (folder / "configfiles").read_text().split()


def config_of(folder):
    config = {}
    for file in files_of(folder):
        merge(config, yaml.safe_load((ROOT / file).read_text()))
    return config


def shells(tmp_path):
    return class_folders(tmp_path / "sea shells", TWO)


def listed(tmp_path):
    rows = "".join(f"{n},{'xy'[n % 2]}\n" for n in range(12))
    return put(put(tmp_path / "listed", *(f"{n}.jpg" for n in range(12))), "t.csv", data=f"im,what\n{rows}".encode())


def zipped(tmp_path):
    return make_zip(tmp_path / "a %41 & b.zip", {f"{c}/{n}.jpg": JPEG for c in ("x", "y'\"") for n in range(8)})


MADE = {
    "folder": (shells, None, {}),
    "table": (listed, Labels("t.csv"), {}),
    "archive": (zipped, None, {}),
    "more minutes": (shells, None, {"minutes": "60"}),
    "few minutes": (shells, None, {"minutes": "1"}),
}


@pytest.mark.parametrize(("make", "labels", "changed"), MADE.values(), ids=MADE)
def test_the_study_is_valid_and_asks_both_questions(tmp_path, make, labels, changed):
    place = make(tmp_path)
    folder, said = looked(tmp_path, place, labels=labels, **changed)
    config = config_of(folder)
    assert check_config(config, [ROOT / file for file in files_of(folder)]) == []
    name = folder.name
    assert config["tasks"][name]["role"] == "target"
    compared = config["comparisons"]["transfer"]
    assert {config["tasks"][task]["view"] for task in compared["targets"]} == {config["tasks"][name]["view"]}
    assert "finetune" in config["tasks"][compared["targets"][0]] or compared["targets"] == [f"{name}_probe"]
    assert said[-1] == f"study: {' '.join(files_of(folder))}"
    assert any(line.startswith("time: about ") for line in said)


def test_a_gpu_brings_fine_tuning(tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "nvidia", lambda: ("580.1", ("GPU 0",)))
    folder, _ = looked(tmp_path, shells(tmp_path))
    config = config_of(folder)
    assert config["comparisons"]["transfer"]["targets"] == ["sea_shells_tuned"]
    assert check_config(config, files_of(folder)) == []


def test_a_repeated_call_leaves_the_study_as_it_is(tmp_path):
    place = shells(tmp_path)
    folder, said = looked(tmp_path, place)
    before = tree(folder)
    again, told = looked(tmp_path, place, cores="8")
    assert (again, told, tree(folder)) == (folder, said, before)
    by_name, _ = looked(tmp_path, None, name="sea_shells")
    assert (by_name, tree(folder)) == (folder, before)


def test_what_a_user_changed_is_kept_and_what_was_laid_over_is_remembered(tmp_path):
    place = shells(tmp_path)
    folder, _ = looked(tmp_path, place)
    own = folder / "own.yaml"
    own.write_text(own.read_text().replace("flip: true", "flip: false"))
    put(tmp_path, "more.yaml", data=b"statistics: {resamples: 500}\n")
    _, said = looked(tmp_path, place, minutes="60", overlays=str(tmp_path / "more.yaml"))
    assert "flip: false" in own.read_text()
    assert any("was changed by hand and is kept" in line for line in said)
    looked(tmp_path, place, minutes="60")
    assert files_of(folder) == ["studies/mine.yaml", str(own), str(tmp_path / "more.yaml")]
    own.unlink()
    looked(tmp_path, place, minutes="60")
    assert "flip: true" in own.read_text()
    assert len(files_of(folder)) == 3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("statistics: {resample: 500}\n", r"statistics\.resample: no such key \(did you mean resamples\?\)"),
        ("tasks: {sea_shells: {epochs: many}}\n", r"more\.yaml: tasks\.sea_shells\.epochs: 'many'"),
        ("title: [\n", r"more\.yaml: line \d"),
    ],
)
def test_a_typo_in_what_is_laid_over_leaves_nothing_behind(tmp_path, text, wanted):
    place, more = shells(tmp_path), tmp_path / "more.yaml"
    more.write_text(text)
    with pytest.raises(Problem, match=wanted):
        looked(tmp_path, place, overlays=str(more))
    assert tree(tmp_path / "mine") == {}
    folder, _ = looked(tmp_path, place)
    before = tree(folder)
    for data in (place, None):
        with pytest.raises(Problem, match=wanted):
            looked(tmp_path, data, name="sea_shells", overlays=str(more))
    assert tree(folder) == before


def test_a_study_by_hand_is_gone_on_with(tmp_path):
    put(tmp_path, "mine/own_one/own.yaml", data=b"title: mine\n")
    folder, _ = looked(tmp_path, None, name="own_one")
    assert files_of(folder) == ["studies/mine.yaml", str(tmp_path / "mine/own_one/own.yaml")]
    assert (folder / "own.yaml").read_text() == "title: mine\n"
    again, said = looked(tmp_path, shells(tmp_path), name="own_one")
    assert any("was changed by hand and is kept" in line for line in said)
    assert (again / "own.yaml").read_text() == "title: mine\n"


def test_pictures_that_have_changed_are_read_again(tmp_path):
    place = shells(tmp_path)
    folder, _ = looked(tmp_path, place)
    kept = put(folder, "data/raw/sea_shells.json", "data/unpacked/sea_shells.json", "data/raw/photos.json")
    looked(tmp_path, place)
    assert (kept / "data/raw/sea_shells.json").exists()
    put(place, *(f"dog/more{n}.jpg" for n in range(9)))
    _, said = looked(tmp_path, place)
    assert any("have changed since" in line for line in said)
    assert sorted(tree(folder / "data")) == ["raw/photos.json"]
    assert "17" not in said[0]
    assert "26 pictures" in said[0]


def test_going_on_by_name_says_how_pictures_that_have_changed_are_read_again(tmp_path):
    place = shells(tmp_path)
    folder, _ = looked(tmp_path, place)
    before = tree(folder)
    put(place, "dog/more.jpg")
    with pytest.raises(Problem, match=rf"have changed since .* make mine NAME=sea_shells DATA='{place}'$"):
        looked(tmp_path, None, name="sea_shells")
    assert tree(folder) == before
    looked(tmp_path, place)
    assert looked(tmp_path, None, name="sea_shells")[0] == folder
    place.rename(tmp_path / "elsewhere")  # what was read of them is kept
    assert looked(tmp_path, None, name="sea_shells")[0] == folder


def test_nothing_changes_while_a_run_goes_on(tmp_path):
    place = shells(tmp_path)
    folder, _ = looked(tmp_path, place)
    put(folder, ".snakemake/locks/0.output.lock")
    before = tree(folder)
    for data, name in ((place, None), (None, "sea_shells")):
        with pytest.raises(Problem, match="another run of this study goes on in this folder"):
            looked(tmp_path, data, name, minutes="60")
    assert tree(folder) == before


def test_labels_that_have_changed_are_read_again(tmp_path):
    place = listed(tmp_path)
    table = (place / "t.csv").rename(tmp_path / "labels.csv")
    folder, _ = looked(tmp_path, place, labels=Labels(str(table)))
    kept = put(folder, "data/raw/listed.json")
    looked(tmp_path, place, labels=Labels(str(table)))
    assert (kept / "data/raw/listed.json").exists()
    table.write_text(table.read_text().replace("0,x", "0,yy").replace("2,x", "2,yy"))
    _, said = looked(tmp_path, place, labels=Labels(str(table)))
    assert "12 pictures of 3 classes" in said[0]
    assert not (kept / "data/raw/listed.json").exists()


def test_pictures_of_another_place_do_not_mix(tmp_path):
    folder, _ = looked(tmp_path, shells(tmp_path))
    other = class_folders(tmp_path / "other/sea shells", TWO)
    before = tree(folder)
    with pytest.raises(Problem, match=r"was made of .*sea shells, not of .*other.*NAME=sea_shells_2"):
        looked(tmp_path, other)
    assert tree(folder) == before
    assert looked(tmp_path, other, name="sea_shells_2")[0].name == "sea_shells_2"


def test_finished_trainings_of_the_reference_are_taken_up(tmp_path, monkeypatch):
    first, _ = looked(tmp_path, shells(tmp_path))
    for run in ("photos/a000", "photos_2/a001", "sea_shells/a000"):
        (first / f"results/checkpoints/{run}.json").parent.mkdir(parents=True, exist_ok=True)
        write_json(first / f"results/checkpoints/{run}.json", {"run": run})
    second, _ = looked(tmp_path, class_folders(tmp_path / "stones", TWO))
    there = tree(second / "results/checkpoints")
    assert sorted(there) == ["photos/a000.json", "photos_2/a001.json"]
    assert read_json(second / "results/checkpoints/photos/a000.json") == {"run": "photos/a000"}


def test_studies_beside_come_before_the_demo(tmp_path, monkeypatch):
    monkeypatch.setattr(looking, "DEMO", tmp_path / "demo")
    for place, runs in {"demo": ("photos/a000", "photos/a002"), "mine/stones": ("photos/a000",)}.items():
        for run in runs:
            (tmp_path / place / f"results/checkpoints/{run}.json").parent.mkdir(parents=True, exist_ok=True)
            write_json(tmp_path / place / f"results/checkpoints/{run}.json", {"of": place})
    (tmp_path / "mine/stones/own.yaml").write_text("")
    folder, _ = looked(tmp_path, shells(tmp_path))
    taken = {path.stem: read_json(path) for path in folder.glob("results/checkpoints/photos/*.json")}
    assert taken == {"a000": {"of": "mine/stones"}, "a002": {"of": "demo"}}


REFUSED = {
    "nothing": ({"data": None}, "DATA is not given: make mine DATA="),
    "a name that no study has": ({"data": None, "name": "stones"}, "DATA is not given"),
    "a name that no task can have": ({"name": "my shells"}, "NAME=my shells: takes letters"),
    "a name that is taken": ({"name": "photos_10"}, "NAME=photos_10: .* choose another, NAME=my_photos_10"),
    "minutes that are none": ({"minutes": "ten"}, "MINUTES=ten: has to be a number"),
    "no cores": ({"cores": "0"}, "CORES=0: has to be a number from 1"),
    "an overlay that is not there": ({"overlays": "no.yaml"}, "WITH=no.yaml: there is no file no.yaml"),
    "a column of no table": ({"labels": Labels(None, None, "kind")}, "name that, too, LABELS=table.csv"),
    "a single class": ({"data": "one"}, "would be a single class"),
    "nowhere": ({"data": "nowhere"}, "there is no such folder"),
}


@pytest.mark.parametrize(("changed", "wanted"), REFUSED.values(), ids=REFUSED)
def test_nothing_is_written_where_something_is_refused(tmp_path, changed, wanted):
    shells(tmp_path)
    put(tmp_path, *(f"one/cat/{n}.jpg" for n in range(5)))
    data = changed.get("data", "sea shells")
    with pytest.raises(Problem, match=wanted):
        looked(tmp_path, data and tmp_path / data, **{key: one for key, one in changed.items() if key != "data"})
    assert not (tmp_path / "mine").exists()


def test_a_damaged_archive_leaves_nothing(tmp_path):
    archive = zipped(tmp_path)
    archive.write_bytes(archive.read_bytes()[:-100])
    with pytest.raises(Problem, match="damaged"):
        looked(tmp_path, archive)
    assert tree(tmp_path / "mine") == {}
    assert os.listdir(tmp_path / "mine") == []


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("sea shells", "sea_shells"),
        ("Käfer.2024", "Kafer_2024"),
        ("貝", "pictures"),
        ("photos", "my_photos"),
        ("photos_10", "my_photos_10"),
        ("imagenet", "my_imagenet"),
        ("-rf", "rf"),
        ("a" * 200, "a" * 50),
    ],
)
def test_a_folder_gives_the_name_of_a_task(tmp_path, place, name):
    (tmp_path / place).mkdir()
    assert name_of(tmp_path / place) == name


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tgz", ".7z"])
def test_the_suffix_of_an_archive_is_no_part_of_the_name(tmp_path, suffix):
    path = Path(put(tmp_path, f"v1.2 shells{suffix}"), f"v1.2 shells{suffix}")
    assert name_of(path) == "v1_2_shells"
