"""Errors of tasks that probe pretrained models: each names the key and the remedy."""

import copy

import pytest
import yaml
from changed_studies import errors_of, merge

from study import study_of

PROBE = """
datasets: {digits: {split: {validation_fraction: 0.1}}}
regimes:
  lines: {resolution: 64}
  near: {classifier: neighbours}
tasks:
  probed: {view: digits, probe: lines, metric: macro_f1, models: ["timm:resnet18.a1_in1k"]}
"""


@pytest.fixture
def probed(demo):
    return merge(demo, yaml.safe_load(PROBE))


def test_a_probe_that_says_next_to_nothing_is_whole(probed, tmp_path):
    assert errors_of(probed, tmp_path) == []
    study = study_of(probed)
    assert study.tasks["probed"].protocol == {
        "classifier": "logistic",
        "strengths": [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0],
        "neighbours": 20,
        "resolution": 64,
        "eval_resize": None,
        "normalisation": "weights",
        "channels": "rgb",
        "batch": 64,
        "revision": 1,
        "weights": None,
    }
    (run,) = study.planned("probed")["runs"].values()
    assert run == {"model": "timm:resnet18.a1_in1k", "genotype": None, "seed": None, "cell": {}}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            "datasets: {digits: {split: {validation_fraction: 0}}}",
            "tasks.probed.view: strengths: one is chosen by validation images, and digits has none; give it some, "
            "datasets: {digits: {split: {validation_fraction: 0.1}}}, or say one alone, as strengths: [1.0]",
        ),
        (
            "datasets: {digits: {split: {validation_fraction: 0}}}\n"
            "tasks: {probed: {probe: near, grid: {classifier: [neighbours, logistic]}}}",
            "tasks.probed.view: strengths: one is chosen by validation images",
        ),
        (
            "regimes: {near: {strengths: [1]}}\ntasks: {probed: {probe: near}}",
            "regimes.near.strengths: strengths [1] does nothing with classifier 'neighbours': leave it out, or set "
            "classifier: logistic",
        ),
        (
            "tasks: {probed: {strengths: [1], probe: near}}",
            "tasks.probed.strengths: strengths [1] does nothing with classifier 'neighbours' (inherited from the "
            "regime near): leave it out",
        ),
        (
            "tasks: {probed: {neighbours: 3}}",
            "tasks.probed.neighbours: neighbours 3 does nothing with classifier 'logistic': leave it out, or set "
            "classifier: neighbours",
        ),
        ("tasks: {probed: {strengths: [1, 1]}}", "tasks.probed.strengths: 1 appears twice; remove one"),
        ("tasks: {probed: {strengths: [-1]}}", "tasks.probed.strengths.0: -1: has to be more than 0"),
        ("tasks: {probed: {grid: {seed: [1, 2]}}}", "tasks.probed.grid.seed: seed is no key of a regime to probe"),
        ("tasks: {probed: {grid: {strengths: [[1], [2]]}}}", "tasks.probed.grid.strengths: no such key"),
        ("tasks: {probed: {epochs: 3}}", "tasks.probed.epochs: is no key of a task with probe; remove it"),
        ("tasks: {digits: {neighbours: 3}}", "tasks.digits.neighbours: is no key of a task with train; remove it"),
    ],
)
def test_what_a_probe_cannot_be_is_named(probed, change, line, tmp_path):
    found = errors_of(merge(probed, yaml.safe_load(change)), tmp_path)
    assert [one for one in found if one.startswith(line)], found


@pytest.mark.parametrize(
    "change",
    [
        "tasks: {probed: {strengths: [1.0]}}",
        "tasks: {probed: {probe: near}}",
        "views: {few: {dataset: digits, per_class: 2}}\ntasks: {probed: {view: few, probe: near, batch: 512}}",
    ],
)
def test_a_probe_that_chooses_nothing_needs_no_validation_images_and_no_batch_is_too_large(probed, change, tmp_path):
    without = merge(copy.deepcopy(probed), {"datasets": {"digits": {"split": {"validation_fraction": 0}}}})
    assert errors_of(merge(without, yaml.safe_load(change)), tmp_path) == []


def test_classifiers_and_inputs_may_be_axes_of_a_grid(probed, tmp_path):
    grid = {"classifier": ["logistic", "neighbours"], "channels": ["rgb", "bgr"]}
    merge(probed, {"tasks": {"probed": {"grid": grid}}})
    assert errors_of(probed, tmp_path) == []
    assert len(study_of(probed).runs("probed")) == 4
