"""The grid of a task: its runs, their names and their protocols; what is wrong with it is named."""

import json

import pytest
import yaml

from checks.config import check_config
from study import ROOT, study_of
from study.tasks import cell_name, cells_of


@pytest.fixture
def demo():
    return yaml.safe_load((ROOT / "studies/demo.yaml").read_text())


def test_seeds_alone_name_runs_as_before(demo):
    runs = study_of(demo).runs("digits_seeds")
    assert list(runs)[:5] == ["a002-s101", "a002-s102", "a002-s103", "a002-s104", "a005-s101"]
    assert runs["a005-s101"] == ("a005", {"seed": 101}, False)


def test_a_run_says_its_cell_readably(demo):
    demo["regimes"]["small"]["grid"] = {"weight_decay": [0, 5.0e-5]}
    demo["tasks"]["digits"] |= {"models": ["a001"], "grid": {"seed": [3, 1], "lr": [0.01, 0.1]}}
    study = study_of(demo)
    assert list(study.runs("digits")) == [
        f"a001-lr{lr}-weight_decay{decay}-s{seed}" for lr in (0.01, 0.1) for decay in (0, 5e-05) for seed in (3, 1)
    ]
    name = "a001-lr0.1-weight_decay5e-05-s3"
    protocol = json.loads(study.protocol("digits", name))
    assert (protocol["lr"], protocol["weight_decay"], protocol["seed"]) == (0.1, 5e-5, 3)
    assert list(protocol) == list(json.loads(study.protocol("retina", "a000-weight_decay0")))
    planned = study.planned("digits")["runs"][name]
    assert (planned["seed"], planned["cell"]) == (3, {"lr": 0.1, "weight_decay": 5e-5})


def test_the_values_of_any_key_are_named(demo):
    assert cell_name({"flip": True, "crop": "padded"}) == "-flip_true-crop_padded"
    assert cells_of({}) == [{}]
    assert cell_name({}) == ""


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"lr": [0.1, 0.1]}, "grid.lr: 0.1 appears twice; remove one"),
        ({"lr": []}, "grid.lr: []: has to hold at least 1"),
        ({"lr": [0.1, -1]}, "grid.lr.1: -1: has to be more than 0"),
        ({"lr": {"first": 1, "count": 2}}, "grid.lr: {'first': 1, 'count': 2} is a mapping, expected list"),
        ({"rl": [1]}, "grid.rl: no such key (did you mean lr?)"),
        ({"seed": {"first": 1}}, "grid.seed.count: is missing (How many)"),
        ({"epochs": [5, 2]}, "epochs: stands beside an axis of the grid that sets it; remove one of them"),
        ({"resolution": [16, 64]}, "grid: in the cell {'resolution': 64}: resolution: resolution 64 is larger than"),
    ],
)
def test_what_is_wrong_with_a_grid_is_named(demo, grid, message):
    demo["tasks"]["digits"]["grid"] = grid
    assert any(f"tasks.digits.{message}" in line for line in check_config(demo, [])), check_config(demo, [])


def test_who_chooses_has_a_grid_to_choose_from(demo):
    demo["tasks"]["digits"]["choose"] = {"by": "validation"}
    lines = check_config(demo, [])
    assert any("tasks.digits.choose: chooses among the cells of a grid, and there is none" in line for line in lines)
    text = "digits has no validation part; give it one, datasets: {digits: {split: {validation_fraction: 0.1}}}"
    assert any(line.endswith(f"tasks.digits.choose: {text}") for line in lines)
    demo["tasks"]["digits"] |= {"grid": {"lr": [0.01, 0.1]}}
    demo["datasets"]["digits"] = {"split": {"validation_fraction": 0.1}}
    assert check_config(demo, []) == []
    assert study_of(demo).planned("digits")["choose"] == "validation"
    assert not study_of(demo).tasks["digits"].repeated  # one cell of each model counts
