"""What cannot be compared is refused before anything is planned, and no check gives up on a sound study."""

from contextlib import nullcontext

import pytest
import yaml
from changed_studies import errors_of, merge, shipped

PUBLISHED = "imagenet_val: {published: imagenetv2_predictions"
TWICE = "digits: {grid: {lr: [0.1, 0.2]}}"
STUDIES = [
    ("config.yaml",),
    ("studies/demo.yaml",),
    ("studies/slices.yaml",),
    ("studies/retest.yaml", "studies/retest_live.yaml"),
    ("studies/published.yaml", "studies/published_more.yaml"),
    ("tests/workflow/tiny.yaml",),
]


@pytest.mark.parametrize("files", STUDIES, ids=lambda files: files[-1])
@pytest.mark.parametrize("without", [None, "comparisons", "curves"])
def test_no_check_stumbles_over_a_sound_study(files, without, tmp_path, monkeypatch):
    """Checks let errors of Python pass, since a broken study is full of them; a sound one has to have none."""
    monkeypatch.setattr("checks.data.suppress", lambda *kinds: nullcontext())
    config = shipped(*files)
    config.pop(without, None)
    (config.get("comparisons") or {}).pop(without, None)
    assert errors_of(config, tmp_path) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (f"tasks: {{{TWICE}}}", "tasks.digits.grid: a target needs one score a model, and several runs of each would"),
        ("tasks: {digits: {grid: {seed: [1, 2]}}}", "tasks.digits.grid: a target needs one score a model"),
        ("tasks: {photos: {grid: {lr: [0.1, 0.2]}}}", "tasks.photos.grid: a reference needs one score a model"),
        (f"tasks: {{{PUBLISHED}, role: target}}}}", "tasks.imagenet_val.role: has none of the models of the reference"),
        (
            f"tasks: {{{PUBLISHED}}}}}\n"
            "comparisons: {lines: {l: {original: digits, new: imagenet_val, metric: top1_accuracy}}}",
            "comparisons.lines.l: imagenet_val has none of the models of digits",
        ),
        (
            "comparisons: {lines: {l: {original: digits, new: digits_seeds, metric: top1_accuracy}}}",
            "comparisons.lines.l.new: several runs of each model of digits_seeds would count",
        ),
        (
            "tasks: {rates: {view: digits, train: small, role: variant, metric: top1_error, grid: {lr: [0.1, 0.2]}}}\n"
            "comparisons: {repeats: {rates: digits}}",
            "comparisons.repeats.rates: rates: digits: the grid of the first is not of seeds alone",
        ),
        ("comparisons: {retests: {}}", "comparisons.retests: is called lines now"),
        ("lines: {}", "lines: belongs to comparisons: {lines: {…}}"),
        ("regimes: {small: {seeds: 3}}", "regimes.small.seeds: is now an axis of the grid"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, line, tmp_path):
    config = merge(shipped("studies/demo.yaml"), yaml.safe_load(change))
    found = errors_of(config, tmp_path)
    assert any(error.startswith(line) for error in found), found


def test_a_regime_of_another_way_is_named_once_for_all_tasks_and_keys(tmp_path):
    live = "{evaluate: small, models: [timm:resnet18.a1_in1k], view: digits}"
    config = merge(shipped("studies/demo.yaml"), yaml.safe_load(f"tasks: {{first: {live}, second: {live}}}"))
    assert errors_of(config, tmp_path) == [
        "regimes.small.epochs: is no key of a regime to evaluate, as task first and 1 more do; neither are lr, "
        "momentum, nesterov and 14 more; name another regime in tasks.first.evaluate, or remove them"
    ]


def test_of_many_models_that_are_none_the_first_are_named(tmp_path):
    models = [f"resnet{number}" for number in range(1000)]
    task = {"evaluate": "live", "models": models, "view": "digits"}
    more = {"regimes": {"live": {"weights": None}}, "tasks": {"live": task}}
    lines = errors_of(merge(shipped("studies/demo.yaml"), more), tmp_path)
    assert len(lines) == 21
    assert lines[-1] == "tasks.live.models: and 980 more that are no models"
    more = {"tasks": {"photos": {"models": ["a001"]}}}
    assert (
        "tasks.tissues_pretrained.initial: photos does not train a000, a002, a003 and 2 more; name others under models"
        in errors_of(merge(shipped("studies/demo.yaml"), more), tmp_path)
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("tasks: {photos: {metric: null}}", "tasks.photos.metric: null is not one of top1_error, top5_error, top1_"),
        ("tasks: {photos: {metric: 5}}", "tasks.photos.metric: 5 is not one of top1_error, top5_error, top1_accuracy"),
        ("tasks: {photos: {role: null}}", "tasks.photos.role: null is not one of reference, family, target, variant"),
        ("datasets: {photos: {format: null}}", "datasets.photos.format: null is not one of class_folders, split_fold"),
        ("training: {threads: 0.5}", "training.threads: 0.5 is a number, expected integer"),
        ("regimes: {small: {resolution: 1.5}}", "regimes.small.resolution: 1.5 is a number, expected integer"),
    ],
)
def test_of_a_value_one_thing_is_wrong(change, line, tmp_path):
    (found,) = errors_of(merge(shipped("studies/demo.yaml"), yaml.safe_load(change)), tmp_path)
    assert found.startswith(line)
