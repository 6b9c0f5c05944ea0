"""Errors of `comparisons.transfer`: each names the key, the value and the remedy."""

import pytest
import yaml
from changed_studies import errors_of, merge, shipped

GOOD = """
comparisons:
  transfer:
    reference: openclip_imagenet
    targets: [openclip_eurosat, openclip_pets]
    paper: {openclip_eurosat: eurosat}
"""


def found(change, tmp_path):
    config = merge(shipped("studies/published.yaml"), yaml.safe_load(GOOD))
    return errors_of(merge(config, yaml.safe_load(f"comparisons: {{transfer: {{{change}}}}}")), tmp_path)


def test_a_study_of_published_scores_may_ask_for_transfer(tmp_path):
    assert found("", tmp_path) == []
    assert found("evaluated: openclip_imagenet, above: 65.5, resamples: 200", tmp_path) == []


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
    errors = found(change, tmp_path)
    assert [error for error in errors if message in error], errors


def test_what_is_missing_is_said(tmp_path):
    config = merge(shipped("studies/published.yaml"), {"comparisons": {"transfer": {"targets": ["openclip_pets"]}}})
    assert any("transfer.reference: is missing" in error for error in errors_of(config, tmp_path))
