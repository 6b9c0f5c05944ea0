"""A bad study of retests shows all of its errors at once; the shipped ones have none and resolve."""

import re

import pytest
import yaml
from test_checks import errors_of, merge

from checks.config import check_config, schema_of
from study import ROOT, study_of
from study.retests import Retests, load_sources

STUDIES = [["retest.yaml"], ["retest.yaml", "retest_live.yaml"]]


def study(*names):
    config = {}
    for name in names:
        merge(config, yaml.safe_load((ROOT / "studies" / name).read_text()))
    return config


@pytest.mark.parametrize("names", STUDIES)
def test_shipped_studies_have_no_errors(names):
    assert check_config(study(*names), [ROOT / "studies" / name for name in names]) == []


def test_every_key_is_described_and_every_mapping_closed():
    def parts(schema, path=""):
        yield path, schema
        for key, part in schema.get("properties", {}).items():
            yield from parts(part, f"{path}.{key}")
        if isinstance(schema.get("additionalProperties"), dict):
            yield from parts(schema["additionalProperties"], f"{path}.*")

    schema = schema_of({"retests": {}})
    for path, part in parts({key: value for key, value in schema.items() if key != "$defs"}):
        if "$ref" not in part:
            assert path.endswith("*") or "description" in part, path
            assert "properties" not in part or part["additionalProperties"] is False, path
        else:
            names = part["$ref"].removeprefix("#/$defs/").split("/")
            found = schema["$defs"]
            for name in names:
                found = found[name]
            assert "description" in part or "description" in found or path.endswith("*"), path


LIVE = {"models": ["timm:resnet18"], "tasks": {"live": {"view": "imagenet_val"}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sources": {"timm_results": None}}, "sources.timm_results: no source of this name is known (did you mean"),
        (
            {"retests": {"cifar10.1_v4": {"new": "cifar10.1_v5"}}},
            "retests.cifar10.1_v4.new: no test set 'cifar10.1_v5' (did you mean cifar10.1_v",
        ),
        ({"retests": {"cifar10.1_v4": {"new": "cifar10"}}}, "retests.cifar10.1_v4.new: is the original test set"),
        (
            {"retests": {"cifar10.1_v4": {"metric": "top1_error"}}},
            "metric: 'top1_error' is not one of top1_accuracy, top5_accuracy",
        ),
        (
            {"retests": {"slopes": {"original": "cifar10", "new": "cifar10.1_v4", "metric": "top1_accuracy"}}},
            "choose another name",
        ),
        (
            {"since": {"published": {"imagenetv3": "cifar10.1_v4"}}},
            "no retest of since.retests (did you mean imagenetv2?)",
        ),
        ({"since": {"published": {"imagenetv2": "cifar10.1"}}}, "no retest 'cifar10.1' (did you mean cifar10.1_v"),
        (
            {"since": {"retests": {"real": {"new": "cifar10"}}}},
            "since.retests.real.new: no measured test set 'cifar10'",
        ),
        ({"since": {"highlight": ["Swin V3"]}}, "since.highlight: no family 'Swin V3' (did you mean Swin"),
        ({"evaluate": LIVE}, "evaluate.tasks.live.view: no view or dataset 'imagenet_val'"),
        ({"evaluate": LIVE | {"models": ["resnet18"]}}, "evaluate.models: model 'resnet18': write timm:<name>"),
        (
            {"evaluate": LIVE | {"weights": "no/such/folder"}},
            f"evaluate.weights: there is no file or folder {ROOT / 'no/such/folder'}; correct it, or give null",
        ),
        (
            {"evaluate": LIVE | {"tasks": {"cifar10": None}}},
            "evaluate.tasks.cifar10: has the name of a published test set",
        ),
        ({"datasets": {"timm-results": {"folder": "x", "format": "ilsvrc"}}}, "has the name of a source"),
        ({"population": {}}, "population: no such key"),
    ],
)
def test_each_error_is_named(change, message, tmp_path):
    found = errors_of(merge(study("retest.yaml"), change), tmp_path)
    assert any(message in error for error in found), found


def test_a_test_set_of_a_source_that_is_not_listed_names_the_source(tmp_path):
    config = study("retest.yaml")
    del config["sources"]["cifar10.1_predictions"]
    found = errors_of(config, tmp_path)
    assert (
        "retests.cifar10.1_v6.new: 'cifar10.1_v6' is a test set of cifar10.1_predictions; list that under sources"
        in found
    )


def test_a_study_of_retests_resolves():
    resolved = study_of(study("retest.yaml", "retest_live.yaml"))
    assert isinstance(resolved, Retests)
    assert "cifar10_labels" in resolved.sources  # which another source takes its labels from
    assert resolved.titles["imagenetv2_live"] == "ImageNetV2 MatchedFrequency, evaluated here"
    assert resolved.retests["live_top1"]["without"] == []
    (published,) = resolved.since["published"]
    assert (published["name"], published["original"], len(published["without"])) == ("imagenetv2", "imagenet_val", 3)
    assert resolved.runs("imagenetv2_live")[0] == "timm.resnet18.a1_in1k"
    assert resolved.plan["imagenetv2_live"]["view"] == "imagenetv2_matched_frequency"


def test_what_the_rules_name_is_what_the_registry_has():
    """The outputs of the rules that import are literal; they have to be the registry's, in its order."""
    text = (ROOT / "rules/retest.smk").read_text()
    blocks = {
        block.split(":")[0].split()[0]: block for block in re.split(r"^(?:use rule \w+ as|rule) ", text, flags=re.M)
    }
    sources = {"import_imagenetv2": "imagenetv2_predictions", "import_cifar10": "cifar10.1_predictions"}
    for rule, source in (sources | {"import_measured": "timm-results"}).items():
        named = re.findall(r'"results/scores/([^"{]+)\.csv"', blocks[rule])
        assert named == list(load_sources()[source]["sets"])
