"""Tasks that are published or evaluated here, and lines through them: each error is named; a study resolves."""

import pytest
import yaml
from changed_studies import errors_of, merge, shipped

from study import ROOT, study_of

RETEST = ("studies/retest.yaml", "studies/retest_live.yaml")
LIVE = {"evaluate": "as_published", "models": ["timm:resnet18"], "view": "imagenetv2_matched_frequency"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "tasks: {cifar10: {published: cifar10_prediction}}",
            "tasks.cifar10.published: no source 'cifar10_prediction'",
        ),
        (
            "tasks: {mine: {published: timm-results, set: timm_image}}",
            "tasks.mine.set: timm-results has no test set 'timm_image' (did you mean timm_imagenet?)",
        ),
        (
            "tasks: {timm_real: {published: cifar10.1_predictions}}",
            "tasks.timm_real.set: cifar10.1_predictions has no test set 'timm_real' (it is one of timm-results)",
        ),
        ("tasks: {cifar10: {lr: 0.1}}", "tasks.cifar10.lr: is no key of a task whose results are published"),
        ("tasks: {cifar10: {train: small}}", "tasks.cifar10: has train and published; keep one of them"),
        ("tasks: {cifar11: {title: x}}", "tasks.cifar11: does not say where its runs come from; write train: <regime>"),
        ("comparisons: {lines: {cifar10.1_v4: {new: cifar10.1_v5}}}", "new: no task 'cifar10.1_v5' (did you mean cif"),
        ("comparisons: {lines: {cifar10.1_v4: {new: cifar10}}}", "cifar10.1_v4.new: is the original test set"),
        ("comparisons: {lines: {cifar10.1_v4: {metric: top1_error}}}", "is not one of top1_accuracy, top5_accuracy"),
        (
            "comparisons: {lines: {slopes: {original: cifar10, new: cifar10.1_v4, metric: top1_accuracy}}}",
            "comparisons.lines.slopes: is the name of a table of all lines; choose another name",
        ),
        (
            "comparisons: {since: {published: {imagenetv3: cifar10.1_v4}}}",
            "no line of comparisons.since (did you mean imagenetv2?)",
        ),
        ("comparisons: {since: {published: {imagenetv2: cifar10.1}}}", "no line 'cifar10.1' of comparisons.lines (did"),
        ("comparisons: {since: {lines: {real: {new: cifar10}}}}", "lines.real.new: cifar10 is no measured test set"),
        ("comparisons: {since: {highlight: [Swin V3]}}", "since.highlight: no family 'Swin V3' (did you mean Swin"),
        *(
            (f"comparisons: {{{key}: {{cifar10: cifar10.1_v4}}}}", f"{key}.cifar10: cifar10 trains no models; name")
            for key in ("repeats", "balanced", "pretrained", "initialisation")
        ),
        (
            "tasks: {imagenetv2_live: {view: imagenet}}",
            "tasks.imagenetv2_live.view: no view or dataset 'imagenet' (did",
        ),
        ("tasks: {imagenetv2_live: {models: [resnet18]}}", "models: model 'resnet18': write timm:<name>"),
        ("tasks: {imagenetv2_live: {lr: 1}}", "tasks.imagenetv2_live.lr: is no key of a task with evaluate; remove it"),
        ("tasks: {imagenetv2_live: {grid: {lr: [1]}}}", "imagenetv2_live.grid: is no key of a task with evaluate"),
        ("regimes: {as_published: {lr: 1}}", "regimes.as_published.lr: is no key of a regime to evaluate, as task"),
        (
            "regimes: {as_published: {weights: no/such/folder}}",
            f"weights: there is no file or folder {ROOT / 'no/such/folder'}; correct it, or give null",
        ),
        (
            "datasets: {timm-results: {folder: x, format: ilsvrc}}",
            "timm-results.format: is no key of a source of publi",
        ),
    ],
)
def test_each_error_is_named(change, message, tmp_path):
    found = errors_of(merge(shipped(*RETEST), yaml.safe_load(change)), tmp_path)
    assert any(message in error for error in found), found


def test_a_test_set_that_is_no_task_is_named_with_its_source(tmp_path):
    config = shipped("studies/retest.yaml")
    del config["tasks"]["cifar10.1_v6"]
    text = "no task 'cifar10.1_v6'; add it, cifar10.1_v6: {published: cifar10.1_predictions}"
    assert f"comparisons.lines.cifar10.1_v6.new: {text}" in errors_of(config, tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"figures": {}}, "figures: is called comparisons now"),
        ({"retests": {}}, "retests: is now lines in comparisons"),
        ({"sources": {}}, "sources: is now said by tasks"),
        ({"since": {}}, "since: is now in comparisons"),
        ({"evaluate": {}}, "evaluate: is now said by tasks"),
        ({"tasks": {"digits": {"regime": "small"}}}, "tasks.digits.regime: is called train now"),
        ({"tasks": {"digits": {"error": "top1"}}}, "tasks.digits.error: is called metric now; top1 is top1_error"),
        ({"tasks": {"digits": {"seeds": 3}}}, "tasks.digits.seeds: is now an axis of the grid: grid: {seed: {first"),
        ({"comparisons": {"top1_vs_top5": []}}, "comparisons.top1_vs_top5: is called metric_pair now"),
    ],
)
def test_an_old_key_says_what_it_is_called_now(demo, tmp_path, change, message):
    (error,) = errors_of(merge(demo, change), tmp_path)
    assert error.startswith(message)


def test_an_old_study_gets_no_errors_but_of_its_keys(demo, tmp_path):
    task = demo["tasks"]["digits"]
    task |= {"regime": task.pop("train"), "error": task.pop("metric")}
    assert [error.partition(": ")[0] for error in errors_of(demo, tmp_path)] == [
        "tasks.digits.error",
        "tasks.digits.regime",
    ]


def test_a_study_of_published_and_evaluated_tasks_resolves():
    resolved = study_of(shipped(*RETEST))
    assert "cifar10_labels" in resolved.datasets  # which another source takes its labels from
    assert resolved.tasks["imagenet_val"].title == "ImageNet"
    assert resolved.tasks["imagenetv2_live"].title == "ImageNetV2 MatchedFrequency, evaluated here"
    assert resolved.comparisons.lines["live_top1"]["without"] == []
    (published,) = resolved.comparisons.since["published"]
    assert (published["name"], published["original"], len(published["without"])) == ("imagenetv2", "imagenet_val", 3)
    first = resolved.planned("imagenetv2_live")
    assert first["view"] == "imagenetv2_matched_frequency"
    assert first["runs"]["timm.resnet18.a1_in1k"] == {
        "model": "timm:resnet18.a1_in1k",
        "genotype": None,
        "seed": None,
        "cell": {},
    }
    assert resolved.planned("imagenet_val")["runs"] == {}


def test_a_published_task_may_have_another_name_than_its_test_set(demo):
    demo["tasks"]["tiny_val"] = {
        "published": "imagenetv2_predictions",
        "set": "imagenet_val",
        "metric": "top5_accuracy",
    }
    found = study_of(demo)
    assert list(found.published("imagenetv2_predictions")) == ["tiny_val"]
    assert found.tasks["tiny_val"].published["labels"].endswith("imagenet-validation-original.json")
    assert found.metrics("imagenetv2_predictions") == {"tiny_val": "top5_accuracy"}
