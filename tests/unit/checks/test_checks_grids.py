"""Every cell of a task's grid has to be possible: none may fail only in its job."""

import pytest
import yaml
from changed_studies import errors_of, merge

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
            "tasks: {digits_long: {grid: {epochs: [2]}}}",
            "comparisons.curves.zoom_from: digits_long ends after 2 epochs; lower it",
        ),
    ],
)
def test_a_cell_that_would_fail_is_refused(demo, tmp_path, change, line):
    lines = found(demo, change, tmp_path)
    assert [one for one in lines if one.startswith(line)], lines


def test_a_grid_of_the_stem_that_the_weights_have_is_no_error(demo, tmp_path):
    change = "tasks: {tissues_pretrained: {grid: {stem: [simple_stem_in], lr: [0.1, 0.2]}}}"
    assert found(demo, change, tmp_path) == []
