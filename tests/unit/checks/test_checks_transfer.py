"""Errors of tasks that fine-tune or probe pretrained models, and of what compares them: each names the remedy."""

import copy

import pytest
import yaml
from changed_studies import errors_of, merge, shipped

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


TUNE = """
datasets: {digits: {split: {validation_fraction: 0.1}}}
regimes:
  slow: {epochs: 3, batch: 32, optimiser: sgd, lr: 0.01, weight_decay: 0, crop: centre, flip: false, seed: 1,
    revision: 1}
tasks:
  tuned: {view: digits, finetune: slow, metric: macro_f1, models: ["timm:resnet18.a1_in1k",
    "own:studies/networks/deep_compression.py:squeezenet"]}
"""


@pytest.fixture
def tuned(demo):
    return merge(demo, yaml.safe_load(TUNE))


def test_a_fine_tuning_is_planned_with_the_cells_of_its_grid(tuned, tmp_path):
    assert errors_of(tuned, tmp_path) == []
    grid = {"optimiser, lr": [["sgd", 0.1], ["adamw", 0.001]], "weight_decay": [0.0, 0.1]}
    merge(tuned, {"tasks": {"tuned": {"grid": grid, "choose": {"by": "validation"}}}})
    assert errors_of(tuned, tmp_path) == []
    runs = study_of(tuned).planned("tuned")["runs"]
    assert list(runs)[1] == "timm.resnet18.a1_in1k-weight_decay0.0-optimiser_adamw-lr0.001"
    assert runs["own.deep_compression.squeezenet-weight_decay0.1-optimiser_sgd-lr0.1"]["cell"] == {
        "weight_decay": 0.1,
        "optimiser": "sgd",
        "lr": 0.1,
    }


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            "datasets: {digits: {split: {validation_fraction: 0}}}",
            "tasks.tuned.view: keep_epoch: best chooses an epoch by validation images, and digits has none; give it",
        ),
        (
            "tasks: {tuned: {optimiser: adamw, grid: {momentum: [0.5, 0.8]}}}",
            "tasks.tuned.grid: in the cell {'momentum': 0.5}: momentum: momentum 0.5 does",
        ),
        (
            "tasks: {tuned: {grid: {precise_bn: [0, 32]}}}",
            "tasks.tuned.grid.precise_bn: precise_bn is no key of a regime to finetune",
        ),
        (
            'tasks: {tuned: {grid: {"optimiser, lr": [[sgd, 0.1], [sgd]]}}}',
            "tasks.tuned.grid.optimiser, lr: ['sgd'] has 1 values for the 2 keys",
        ),
        (
            'tasks: {tuned: {grid: {"optimiser, lr": [[sgd, 0.1], [sgdd, 0.1]]}}}',
            "tasks.tuned.grid.optimiser, lr: optimiser: 'sgdd': one of sgd, adamw (did you mean sgd?)",
        ),
        (
            'tasks: {tuned: {grid: {"optimiser, lr": [[sgd, 0.1], [sgd, 0.1]]}}}',
            "tasks.tuned.grid.optimiser, lr: two of its values would name their runs",
        ),
        ("regimes: {slow: {schedule: steps}}", "regimes.slow.schedule: schedule 'steps' needs milestones"),
        ("tasks: {tuned: {metric: auc}}", "tasks.tuned.metric: auc is of 2 classes, and there are 10; use macro_f1"),
        (
            "datasets: {digits: {url: 'file:a.zip', format: class_folders, classes: 4}}\n"
            "tasks: {tuned: {metric: quadratic_weighted_kappa}}",
            "tasks.tuned.metric: quadratic_weighted_kappa counts how far apart grades are, and nothing says their",
        ),
        ("tasks: {tuned: {metric: jaccard}}", "tasks.tuned.metric: jaccard is known of published results alone"),
        ("tasks: {tuned: {initial: photos}}", "tasks.tuned.initial: is no key of a task with finetune"),
        ("tasks: {tuned: {models: [resnet18]}}", "tasks.tuned.models: model 'resnet18': write timm:<name>"),
        (
            "tasks: {tuned: {models: ['own:nets/a.py:small']}}",
            "tasks.tuned.models: own:nets/a.py:small: there is no file",
        ),
        (
            "tasks: {tuned: {models: ['own:studies/networks/tf_quant.py:f', 'own:./studies/networks/tf_quant.py:f']}}",
            "tasks.tuned.models: own:./studies/networks/tf_quant.py:f and own:studies/networks/tf_quant.py:f would",
        ),
        ("tasks: {tuned: {optimiser: adamw, momentum: 0.5}}", "tasks.tuned.momentum: momentum 0.5 does nothing with"),
        ("tasks: {tuned: {epochs: 0}}", "tasks.tuned.epochs: 0: has to be at least 1"),
        (
            "datasets: {digits: {split: {by: none}}}",
            "tasks.tuned.view: Handwritten digits has no training images; take a dataset that has some",
        ),
    ],
)
def test_what_a_fine_tuning_cannot_be_is_named(tuned, change, line, tmp_path):
    found = errors_of(merge(tuned, yaml.safe_load(change)), tmp_path)
    assert [one for one in found if one.startswith(line)], found


@pytest.mark.parametrize(
    "change",
    [
        "tasks: {tuned: {momentum: 0.95, grid: {optimiser: [sgd, adamw]}}}",
        "tasks: {tuned: {milestones: [1, 2], grid: {schedule: [cosine, steps]}}}",
    ],
)
def test_a_key_that_some_cells_use_is_right(tuned, change, tmp_path):
    assert errors_of(merge(tuned, yaml.safe_load(change)), tmp_path) == []


def test_lists_stand_plainly_in_the_names_of_runs(tuned):
    grid = {"schedule, milestones": [["cosine", None], ["steps", [1, 2]]]}
    merge(tuned, {"tasks": {"tuned": {"grid": grid, "models": ["timm:resnet18.a1_in1k"]}}})
    assert list(study_of(tuned).runs("tuned")) == [
        "timm.resnet18.a1_in1k-schedule_cosine-milestones_none",
        "timm.resnet18.a1_in1k-schedule_steps-milestones_1+2",
    ]


def test_own_data_take_few_lines(tmp_path):
    (tmp_path / "shells").mkdir()
    own = f"""
datasets:
  shells: {{folder: {tmp_path / "shells"}, format: class_folders, split: {{validation_fraction: 0.1}}}}
tasks:
  shells: {{finetune: tune, metric: top1_accuracy, choose: {{by: validation}}, models: ["timm:resnet18.a1_in1k"]}}
  shells_probe: {{view: shells, probe: probe, metric: top1_accuracy, models: ["timm:resnet18.a1_in1k"]}}
comparisons:
  transfer: {{targets: [shells], probes: {{shells: shells_probe}}}}
"""
    assert errors_of(merge(shipped("studies/transfer_own.yaml"), yaml.safe_load(own)), tmp_path) == []


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (
            "torchvision:vgg16_bn.IMAGENET1K_V2",
            "comparisons.transfer.after: no target has a model 'torchvision:vgg16_bn.IMAGENET1K_V2' (did you mean "
            "torchvision:vgg16_bn.IMAGENET1K_V1?); name one of their models",
        ),
        ("timm:nonsense", "comparisons.transfer.after: no target has a model 'timm:nonsense'"),
    ],
)
def test_the_model_of_after_is_one_of_the_targets(after, message, tmp_path):
    study = shipped("studies/transfer.yaml")
    assert not [one for one in errors_of(study, tmp_path) if "after" in one]
    found = errors_of(merge(study, {"comparisons": {"transfer": {"after": after}}}), tmp_path)
    assert [one for one in found if one.startswith(message)], found


GOOD = """
comparisons:
  transfer:
    reference: openclip_imagenet
    targets: [openclip_eurosat, openclip_pets]
    paper: {openclip_eurosat: eurosat}
"""


def compared(change, tmp_path):
    config = merge(shipped("studies/published.yaml"), yaml.safe_load(GOOD))
    return errors_of(merge(config, yaml.safe_load(f"comparisons: {{transfer: {{{change}}}}}")), tmp_path)


def test_a_study_of_published_scores_may_ask_for_transfer(tmp_path):
    assert compared("", tmp_path) == []
    assert compared("evaluated: openclip_imagenet, above: 65.5, resamples: 200", tmp_path) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("reference: openclip_imagenets", "transfer.reference: no task 'openclip_imagenets' (did you mean"),
        ("targets: [nothing_like_it]", "transfer.targets: no task 'nothing_like_it'"),
        ("probes: {openclip_eurosat: probed}", "transfer.probes.openclip_eurosat: no task 'probed'"),
        ("reference: openclip_pets", "openclip_pets reports no top-1 accuracy; name the task that holds that"),
        ("targets: [openclip_imagenet]", "openclip_imagenet is the ImageNet of the comparison"),
        ("probes: {openclip_cars: openclip_cars}", "transfer.probes.openclip_cars: is none of targets"),
        ("scratch: {openclip_eurosat: openclip_eurosat}", "is compared with itself; name a task of the same models"),
        (
            "augmentation: {openclip_pets: openclip_eurosat}",
            "openclip_eurosat reports top1_accuracy, the target mean_per_class_recall; compare scores of one metric",
        ),
        ("paper: {openclip_eurosat: eurosatt}", "the paper has no dataset 'eurosatt' (did you mean eurosat?)"),
        ("paper: {openclip_cars: cassava}", "transfer.paper.openclip_cars: is none of targets"),
        ("above: 0", "transfer.above: 0: has to be more than 0"),
        ("above: 100", "transfer.above: 100: has to be more than 0 and less than 100"),
        ("resamples: 10", "transfer.resamples: 10: has to be at least 100"),
        ("target: [openclip_eurosat]", "transfer.target: no such key (did you mean targets?)"),
    ],
)
def test_what_is_wrong_is_said_with_the_remedy(change, message, tmp_path):
    errors = compared(change, tmp_path)
    assert [error for error in errors if message in error], errors


def test_what_is_missing_is_said(tmp_path):
    config = merge(shipped("studies/published.yaml"), {"comparisons": {"transfer": {"targets": ["openclip_pets"]}}})
    assert any("transfer.reference: is missing" in error for error in errors_of(config, tmp_path))
