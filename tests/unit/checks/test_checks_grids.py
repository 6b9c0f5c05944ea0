"""Every cell of a task's grid has to be possible: none may fail only in its job."""

import json

import pytest
import yaml
from changed_studies import errors_of, merge

from apr.runs.protocol import check_protocol_keys
from apr.runs.ways import WAYS
from study import study_of

PRETRAINED = (
    "tasks.tissues_pretrained.initial: photos has the stem simple_stem_in, this task res_stem_cifar: the weights"
)


def found(demo, change, tmp_path):
    return errors_of(merge(demo, yaml.safe_load(change)), tmp_path)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            "tasks: {tissues_pretrained: {grid: {stem: [simple_stem_in, res_stem_cifar]}}}",
            f"{PRETRAINED} would not fit; give this task the stem simple_stem_in alone",
        ),
        (
            "regimes: {stems: {stem: simple_stem_in, grid: {stem: [res_stem_cifar]}}}\n"
            "tasks: {tissues_pretrained: {train: stems}}",
            PRETRAINED,
        ),
        (
            "views: {few: {dataset: digits, per_class: 2}}\ntasks: {digits_seeds: {view: few, grid: {batch: [8, 64]}}}",
            "tasks.digits_seeds.grid.batch: batch 64 is larger than the training images of the view few, at most 20;",
        ),
        (
            "tasks: {photos_2: {grid: {epochs: [2]}}}",
            "comparisons.curves.zoom_from: photos_2 ends after 2 epochs; lower it",
        ),
    ],
)
def test_a_cell_that_would_fail_is_refused(demo, tmp_path, change, line):
    lines = found(demo, change, tmp_path)
    assert [one for one in lines if one.startswith(line)], lines


def test_a_grid_of_the_stem_that_the_weights_have_is_no_error(demo, tmp_path):
    change = "tasks: {tissues_pretrained: {grid: {stem: [simple_stem_in], lr: [0.1, 0.2]}}}"
    assert found(demo, change, tmp_path) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            "tasks: {digits_seeds: {grid: {seed: {first: 2147483645, count: 4}}}}",
            "tasks.digits_seeds.grid.seed.first: a count of 4 from 2147483645 on ends at 2147483648: has to be at "
            "least 0 and at most 2,147,483,647; lower first or count",
        ),
        (
            "regimes: {unused: {grid: {resolution: {first: 32, count: 9000}}}}",
            "regimes.unused.grid.resolution.first: a count of 9,000 from 32 on ends at 9031: has to be at least 8 and "
            "at most 4,096; lower first or count",
        ),
        (
            "tasks: {digits_seeds: {grid: {seed: {first: 2147483648, count: 4}}}}",
            "tasks.digits_seeds.grid.seed.first: 2147483648: has to be at least 0 and at most 2,147,483,647 (The first "
            "of them)",
        ),
    ],
)
def test_whole_numbers_that_end_beyond_what_their_key_takes(demo, tmp_path, change, line):
    assert found(demo, change, tmp_path) == [line]


def test_the_last_seed_may_be_the_greatest(demo, tmp_path):
    assert found(demo, "tasks: {digits_seeds: {grid: {seed: {first: 2147483644, count: 4}}}}", tmp_path) == []


TUNED = """
datasets: {{digits: {{split: {{validation_fraction: 0.1}}}}}}
regimes:
  tune:
    {{epochs: 3, batch: 8, optimiser: {}, lr: 0.1, weight_decay: 0, crop: centre, flip: false, seed: 1, revision: 1}}
tasks:
  tuned:
    {{view: digits, finetune: tune, metric: macro_f1, models: ["timm:resnet18.a1_in1k"], choose: {{by: validation}}}}
"""


@pytest.mark.parametrize(
    ("optimiser", "change", "line"),
    [
        (
            "adamw",
            "tasks: {tuned: {grid: {momentum: [0.9, 0.8]}}}",
            "tasks.tuned.grid.momentum: momentum does nothing in any cell, since optimiser is 'adamw'; take it",
        ),
        (
            "adamw",
            "regimes: {tune: {grid: {momentum: [0.9]}}}\ntasks: {tuned: {grid: {lr: [0.1, 0.2]}}}",
            "regimes.tune.grid.momentum: momentum does nothing in any cell",
        ),
        (
            "sgd",
            "tasks: {tuned: {decay: by_rate, grid: {lr: [0.1, 0.2]}}}",
            "tasks.tuned.decay: decay 'by_rate' does nothing with optimiser 'sgd'",
        ),
        (
            "sgd",
            'tasks: {tuned: {grid: {"optimiser, decay": [[sgd, by_rate], [sgd, plain]]}}}',
            "tasks.tuned.grid.optimiser, decay: decay does nothing in any cell, since optimiser is 'sgd'",
        ),
        (
            "sgd",
            'tasks: {tuned: {grid: {"optimiser, momentum": [[sgd, 0.9], [adamw, 0.9], [adamw, 0.8]]}}}',
            "tasks.tuned.grid: the cells {'optimiser': 'adamw', 'momentum': 0.9} and {'optimiser': 'adamw', "
            "'momentum': 0.8} are one, since momentum does nothing there; keep one, by an axis of several keys",
        ),
        (
            "sgd",
            "tasks: {tuned: {grid: {optimiser: [sgd, adamw], momentum: [0.9, 0.8]}}}",
            "tasks.tuned.grid: the cells {'optimiser': 'adamw', 'momentum': 0.9} and",
        ),
        (
            "sgd",
            "tasks: {tuned: {grid: {gamma: [0.1, 0.2], lr: [0.1, 0.2]}}}",
            "tasks.tuned.grid.gamma: gamma does nothing in any cell, since schedule is 'cosine'",
        ),
        ("sgd", "tasks: {tuned: {grid: {momentum: [0.9, 0.8]}}}", None),
        ("sgd", 'tasks: {tuned: {decay: by_rate, grid: {"optimiser, lr": [[sgd, 0.1], [adamw, 0.1]]}}}', None),
        ("sgd", 'tasks: {tuned: {grid: {"optimiser, momentum": [[sgd, 0.9], [sgd, 0.8], [adamw, 0.9]]}}}', None),
    ],
)
def test_an_axis_that_does_nothing_is_refused(demo, tmp_path, optimiser, change, line):
    study = merge(demo, yaml.safe_load(TUNED.format(optimiser)))
    lines = found(study, change, tmp_path)
    assert (len(lines) == 1 and lines[0].startswith(line)) if line else lines == [], lines


def test_a_key_that_some_cells_do_not_read_is_refused_in_none_of_their_jobs(demo):
    change = "tasks: {tuned: {momentum: 0.8, decay: by_rate, grid: {optimiser: [sgd, adamw]}}}"
    study = study_of(merge(merge(demo, yaml.safe_load(TUNED.format("sgd"))), yaml.safe_load(change)))
    protocols = [json.loads(study.protocol("tuned", run)) for run in study.runs("tuned")]
    assert [one["momentum"] for one in protocols] == [0.8, 0.9]
    way = WAYS["finetune"]
    for protocol in protocols:
        check_protocol_keys(protocol, way.keys, way.unsaid, way.contradictions)
    assert {one["decay"] for one in protocols} == {"by_rate"}  # as ever, so that no run is made again


CSV = "csv_labels, options: {table: t.csv, image: i, label: l"
CHOSEN = """
datasets: {{own: {{folder: /data/own, format: {}}}}}
tasks: {{rates: {{view: own, train: small, role: extra, metric: top1_error, grid: {{lr: [0.1, 0.2]}},
  choose: {{by: validation}}}}}}
"""


@pytest.mark.parametrize(
    "dataset",
    [
        "npz",
        "npz, options: {validation: false}",
        "split_folders, options: {validation: []}",
        CSV + ", split: part, validation_values: []}",
        CSV + ", validation_values: val}",
        "file_names, options: {pattern: '(?P<class>.)', validation_values: val}",
        "npz, split: {validation_fraction: 0}",
    ],
)
def test_nothing_is_chosen_by_a_part_that_is_not_there(demo, tmp_path, dataset):
    remedy = "give it one, datasets: {own: {split: {validation_fraction: 0.1}}}"
    assert found(demo, CHOSEN.format(dataset), tmp_path) == [
        f"tasks.rates.choose: own has no validation part; {remedy}"
    ]


@pytest.mark.parametrize(
    "dataset",
    [
        "npz, options: {validation: true}",
        "split_folders, options: {validation: val}",
        CSV + ", split: part, validation_values: val}",
        "file_names, options: {pattern: '(?P<split>.)(?P<class>.)', validation_values: val}",
        "npz, split: {validation_fraction: 0.1}",
    ],
)
def test_a_part_that_is_there_may_choose(demo, tmp_path, dataset):
    assert found(demo, CHOSEN.format(dataset), tmp_path) == []


SEARCH = """
datasets: {{digits: {{split: {{validation_fraction: 0.1}}}}}}
regimes:
  tune: {{epochs: 9, batch: 8, optimiser: sgd, lr: 1, weight_decay: 0, crop: centre, flip: false, seed: 1, revision: 1}}
  fixed: {{revision: 1}}
tasks: {{tuned: {{view: digits, role: extra, metric: top1_accuracy, models: ["timm:resnet18.a1_in1k"], {}}}}}
"""
GRID = "finetune: tune, grid: {lr: [0.1, 0.2, 0.3]}, choose: {by: validation}, search: "
PROBE = "probe: fixed, grid: {neighbours: [2, 9], classifier: [neighbours]}, choose: {by: validation}, "
AGAIN = "finetune: tune, grid: {lr: [0.1, 0.2]}, choose: {by: validation, seeds: "


@pytest.mark.parametrize(
    ("task", "line"),
    [
        (
            GRID + "{halving: 3, from_epochs: 9}",
            "search.from_epochs: 9 is not less than the 9 epochs of a whole run; lower it",
        ),
        (GRID + "{halving: 1, from_epochs: 1}", "search.halving: 1: has to be at least 2"),
        (GRID + "{halving: 2}", "search.halving: goes with from_epochs; give both, or none"),
        (GRID + "{from_epochs: 2, cells: 2}", "search.from_epochs: goes with halving; give both, or none"),
        (GRID + "{seed: 2}", "search: says neither cells nor halving; give one of them, or remove it"),
        (GRID + "{}", "search: {}: has to hold at least 1"),
        (GRID + "{cells: 4}", "search.cells: 4 are more than the 3 cells of the grid; lower it"),
        (GRID + "{cels: 2}", "search.cels: no such key (did you mean cells?)"),
        (
            "finetune: tune, grid: {lr: [0.1, 0.2]}, search: {cells: 2}",
            "search: ends with the best cell of each model; add choose: {by: validation}",
        ),
        (
            "finetune: tune, search: {cells: 2}",
            "search: tries cells of a grid, and there is none; give one, or remove it",
        ),
        (
            "finetune: tune, grid: {lr: [0.1]}, choose: {by: validation}, search: {halving: 2, from_epochs: 1}",
            "search.halving: compares cells, and there is one; give the grid more, or remove the search",
        ),
        (
            "finetune: tune, grid: {seed: [1, 2]}, choose: {by: validation}, search: {halving: 2, from_epochs: 1}",
            "search.halving: compares cells, and seed is an axis of the grid; say seeds under choose, or",
        ),
        (
            "finetune: tune, grid: {epochs: [2, 9]}, choose: {by: validation}, search: {halving: 2, from_epochs: 1}",
            "search.halving: compares cells, and epochs is an axis of the grid; give all cells as many, or",
        ),
        (
            PROBE + "search: {halving: 2, from_epochs: 1}",
            "search.halving: pauses fine-tunings, and this task has probe; keep cells alone, or remove the search",
        ),
        (AGAIN + "[1, 2]}", "choose.seeds: 1 is the seed of the grid's own runs; take others"),
        (AGAIN + "[2, 2]}", "choose.seeds: 2 appears twice; remove one"),
        (AGAIN + "3}", "choose.seeds: 3 is an integer, expected list"),
        (
            AGAIN + "{first: 2147483647, count: 2}}",
            "choose.seeds: a count of 2 from 2147483647 on ends at 2147483648: has to be at least 0 and at most "
            "2,147,483,647; lower first or count",
        ),
        (
            "finetune: tune, choose: {by: validation, seeds: [2]}",
            "choose: chooses among the cells of a grid, and there is none; give one, or remove it",
        ),
        (
            "finetune: tune, grid: {lr: [0.1, 0.2], seed: [1, 2]}, choose: {by: validation, seeds: [3]}",
            "choose.seeds: stands beside an axis of the grid that sets the seed of all cells; remove one of them",
        ),
        (
            "probe: fixed, grid: {neighbours: [2, 9], classifier: [neighbours]}, choose: {by: validation, seeds: [2]}",
            "choose.seeds: trains a chosen cell again, and only fine-tunings are; this task has probe: remove it",
        ),
    ],
)
def test_a_search_or_seeds_that_make_no_sense_are_refused(demo, tmp_path, task, line):
    lines = found(demo, SEARCH.format(task), tmp_path)
    assert [one for one in lines if one.startswith(f"tasks.tuned.{line}")], lines


def test_a_search_needs_validation_images(demo, tmp_path):
    text = SEARCH.format(GRID + "{cells: 2}").replace("validation_fraction: 0.1", "validation_fraction: 0")
    (line, *_) = [one for one in found(demo, text, tmp_path) if one.startswith("tasks.tuned.choose")]
    assert line.startswith("tasks.tuned.choose: digits has no validation part; give it one")


@pytest.mark.parametrize(
    "task",
    [
        GRID + "{cells: 2, seed: 1, halving: 2, from_epochs: 8}",
        AGAIN + "{first: 2, count: 3}}",
        PROBE + "search: {cells: 2}",
    ],
)
def test_a_search_and_seeds_that_can_be_run(demo, tmp_path, task):
    assert found(demo, SEARCH.format(task), tmp_path) == []
