"""Files and lists of a small study that was written by hand."""

import pytest

from apr.basics.problems import Problem
from study import study_of
from study.files import Files, all_there
from study.settings import ordered, source_name, view_classes
from study.tasks import Run

OWN = {"file": "tables/a b.csv", "model": ["name"], "column": "acc"}
CONFIG = {
    "title": "x",
    "statistics": {"resamples": 100, "seed": 0},
    "datasets": {
        "one": {
            "format": "class_folders",
            "classes": 3,
            "options": {"root": "x", "names_encoding": "cp437"},
            "files": [{"url": "https://x.org/a.zip?b"}, {"name": "b.zip", "url": None}],
            "login": "ask",
        },
        "two": {"format": "class_folders", "folder": "/data/two", "classes": 4, "options": {"names_encoding": "cp437"}},
    },
    "views": {"some": {"dataset": "one", "classes": 2}},
    "tasks": {
        "a": {"published": OWN, "metric": "top1_accuracy"},
        "b": {"published": OWN | {"column": "other"}, "metric": "auc"},
    },
}
TUNE = {"epochs": 9, "batch": 2, "lr": 0.1, "seed": 5, "weight_decay": 0, "optimiser": "sgd", "crop": "centre"}
TUNE |= {"flip": True, "resolution": 32, "eval_resize": 32, "revision": 1, "grid": {"lr": [0.1, 0.2, 0.3, 0.4]}}
PROBE = {"strengths": [1.0], "resolution": 32, "eval_resize": 32}
SEARCH = {"cells": None, "halving": 2, "from_epochs": 2}
MODELS = ["timm:resnet18.a1_in1k", "torchvision:alexnet.IMAGENET1K_V1"]


@pytest.fixture(scope="module")
def study():
    tasks = CONFIG["tasks"] | {
        "tuned": {"finetune": "tune", "view": "some", "metric": "macro_f1", "models": MODELS, "search": SEARCH}
        | {"choose": {"by": "validation", "seeds": [7, 8]}},
        "probed": {"probe": "probe", "view": "two", "metric": "top1_accuracy", "models": MODELS},
    }
    return study_of(CONFIG | {"tasks": tasks, "regimes": {"tune": TUNE, "probe": PROBE}})


@pytest.fixture(scope="module")
def files(study):
    return Files(study)


def test_files_of_datasets(files):
    assert files.address("one", "b.zip") is None
    assert files.address("one", "a.zip?b") == "https://x.org/a.zip?b"
    assert files.declared("one", "b.zip") == {"name": "b.zip", "bytes": None, "sha256": None, "md5": None}
    assert [one["name"] for one in files.declared("one")] == ["a.zip?b", "b.zip"]
    assert files.fetched("one") == ["data/raw/one/a.zip?b"]
    assert files.logins("one") == {"a.zip?b": None, "b.zip": "ask"}
    assert (files.folder("one"), files.folder("two")) == (None, "/data/two")
    assert (files.names_encoding("one"), files.names_encoding("two")) == ("cp437", "/data/two")
    assert not files.bundled("one")
    assert files.views(["tuned", "probed"]) == ["results/views/some.json", "results/views/two.json"]


def test_files_of_runs_that_are_searched_among(files):
    assert files.study.tasks["tuned"].rungs == [
        {"epochs": 2, "of": 4, "stay": 2},
        {"epochs": 4, "of": 2, "stay": 1},
    ]
    assert files.study.tasks["tuned"].rung(4) == {"epochs": 4, "of": 2, "stay": 1}
    assert files.study.tasks["tuned"].rung(3) is None
    name = "timm.resnet18.a1_in1k"
    cells = [f"{name}-lr0.{digit}" for digit in (1, 2, 3, 4)]
    assert files.cells("tuned", name) == [f"results/runs/tuned/{cell}.json" for cell in cells]
    assert files.rungs("tuned", "2", name) == [f"results/rungs/tuned/2/{cell}.json" for cell in cells]
    assert files.before("tuned", cells[0], None) == {
        "rung": f"results/rungs/tuned/4/{cells[0]}.json",
        "halving": f"results/halvings/tuned/4/{name}.json",
    }
    assert files.before("tuned", cells[0], "4")["rung"] == f"results/rungs/tuned/2/{cells[0]}.json"
    assert files.before("tuned", cells[0], "2") == {}
    assert files.before("probed", name, None) == {}
    assert files.before("tuned", f"{name}-chosen-s7", None) == {"choice": f"results/choices/tuned/{name}.json"}
    assert files.outputs("probed") == [f"results/outputs/probed/{run}.npz" for run in files.study.runs("probed")]
    assert files.outputs("a") == []


def test_tables_of_the_users_own(study, files):
    assert list(study.tables_of(own=True)) == ["a", "b"]
    assert study.tables_of(own=False) == {}
    source = "own_a_b_csv"
    assert source_name(OWN) == source
    assert study.tables["b"] == {
        "source": source,
        "file": "a b.csv",
        "sha256": None,
        "metric": "auc",
        "read": {"model": ["name"], "column": "other"},
    }
    assert [place.rpartition("/tables/")[2] for place in files.tables(study.tables)] == ["a b.csv", "a b.csv"]
    assert files.fetched_tables == []
    assert study.metrics(source) == {"a": "top1_accuracy", "b": "auc"}
    assert list(study.published(source)) == ["a", "b"]
    assert study.published("other") == {}


def test_lists_of_tasks(study):
    assert study.metrics_on("some") == {"tuned": "macro_f1"}
    assert study.made_by("finetune") == ["tuned"]
    assert study.run_here == ["tuned", "probed"]
    assert (study.halved, study.chosen_again) == (["tuned"], ["tuned"])
    assert list(study.plan) == list(study.tasks)
    assert study.titles(["a"]) == {"a": "a"}
    assert len(study.titles()) == 4
    assert study.reference is None
    assert study.architectures == []


def test_runs_of_a_study(study):
    name = "timm.resnet18.a1_in1k"
    assert study.run("tuned", f"{name}-lr0.2") == Run(MODELS[0], {"lr": 0.2}, False)
    assert len(study.runs("tuned")) == 2 * (4 + 2)
    assert study.run("tuned", f"{name}-chosen-s8") == Run(MODELS[0], {"seed": 8}, True)
    with pytest.raises(Problem) as caught:
        study.run("tuned", f"{name}-lr0.5")
    assert str(caught.value).startswith(f"task tuned has no run '{name}-lr0.5' (did you mean {name}-lr0.")
    planned = study.planned("tuned")
    assert planned["runs"][f"{name}-lr0.2"] == {"model": MODELS[0], "genotype": None, "seed": 5, "cell": {"lr": 0.2}}
    assert planned["runs"][f"{name}-chosen-s7"] == {
        "model": MODELS[0],
        "genotype": None,
        "seed": 7,
        "cell": {},
        "choice": f"results/choices/tuned/{name}.json",
    }
    assert planned["rungs"] == study.tasks["tuned"].rungs
    assert (planned["choose"], planned["extra"], planned["initial"], planned["continues"]) == (
        "validation",
        False,
        None,
        False,
    )
    assert "rungs" not in study.planned("probed")
    assert study.planned("probed")["runs"][name]["seed"] is None


def test_all_files_have_to_be_there(tmp_path):
    (tmp_path / "a").touch()
    assert all_there([]) is True
    assert all_there([str(tmp_path / "a")]) is True
    assert all_there([str(tmp_path / "a"), str(tmp_path / "b")]) is False


def test_classes_of_a_view():
    assert view_classes({"classes": ["a", "b"]}, {"classes": 5}) == 2
    assert view_classes({"classes": 3}, {"classes": 5}) == 3
    assert view_classes({"classes": None}, {"classes": 5}) == 5
    assert view_classes({"classes": None}, {"classes": None}) is None


def test_parameters_are_in_order():
    assert list(ordered({"b": {"d": 1, "c": 2}, "a": [1]})) == ["a", "b"]
    assert list(ordered({"b": {"d": 1, "c": 2}})["b"]) == ["c", "d"]
    assert list(ordered({2: 0, "1": 0})) == ["1", 2]
