"""Types, sizes, names and contradictions in a configuration, and the place that each comes from."""

import copy
import time

import pytest
import yaml
from changed_studies import errors_of, merge
from jsonschema import Draft202012Validator

from apr.basics.problems import Problem
from apr.basics.values import shown, value_problem
from apr.data.formats import FORMATS, options_problems, read_listing
from apr.data.formats.options import as_taken, option_kinds
from apr.runs.protocol import CONTRADICTIONS, KEYS
from apr.runs.ways import PROTOCOL
from checks.config import SCHEMA, schema
from study.settings import load_registry, resolve_dataset

VALIDATORS = Draft202012Validator.VALIDATORS
CSV = {"table": "labels.csv", "image": "image", "label": "label"}


def dataset(**entry):
    return {"datasets": {"shells": {"folder": "/data/shells"} | entry}}


def csv_labels(**options):
    return dataset(format="csv_labels", options=CSV | options)


def found(config, change, tmp_path):
    return errors_of(merge(copy.deepcopy(config), copy.deepcopy(change)), tmp_path)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_what_its_options_take(name):
    for option, wanted in option_kinds(FORMATS[name]).items():
        assert value_problem({"no": ["option takes this"]}, wanted), option


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        (
            csv_labels(split="part", train_values=[False], test_values=[True]),
            [
                "datasets.shells.options.test_values: true is a boolean, expected string; write 'true' in quotes",
                "datasets.shells.options.train_values: false is a boolean, expected string; write 'false' in quotes",
            ],
        ),
        (csv_labels(delimiter=5), ["datasets.shells.options.delimiter: 5 is an integer, expected string or"]),
        (csv_labels(classes_order=[1, 2]), ["datasets.shells.options.classes_order: 1 is an integer, expected string"]),
        (
            csv_labels(labels="x"),
            ["datasets.shells.options.labels: csv_labels has no such option (did you mean label?)"],
        ),
        (dataset(format="csv_labels"), [f"datasets.shells.options.{key}: is missing" for key in ("image", "label")]),
        (
            dataset(format="class_folders", options={"depth": "2"}),
            ["datasets.shells.options.depth: '2' is a string, expected integer; write 2 without quotes"],
        ),
        (
            dataset(format="class_folders", options={"depth": 0}),
            ["datasets.shells.options.depth: 0: has to be at least 1"],
        ),
        (
            dataset(format="split_folders", options={"train": ["Train", 5]}),
            ["datasets.shells.options.train: 5 is an integer, expected string; write '5' in quotes"],
        ),
        (
            dataset(format="cifar", options={"labels": "fin"}),
            ["datasets.shells.options.labels: 'fin': one of fine, coarse"],
        ),
        (
            dataset(format="class_folders", options={"missing": "dorp"}),
            ["datasets.shells.options.missing: 'dorp': one of"],
        ),
        (dataset(format="class_folders", options=[1]), ["datasets.shells.options: [1] is a list, expected mapping"]),
        (
            dataset(format="class_folder"),
            ["datasets.shells.format: 'class_folder' is not one of class_folders, split_folders"],
        ),
    ],
)
def test_options_of_a_format(demo, tmp_path, change, errors):
    lines = found(demo, change, tmp_path)
    for error in errors:
        assert [line for line in lines if line.startswith(error)], lines
    assert all(line.startswith("datasets.shells.") for line in lines)


def test_one_value_is_a_list_of_one(demo, tmp_path):
    assert found(demo, csv_labels(split="part", test_values="val"), tmp_path) == []
    assert as_taken(FORMATS["idx"], {"classes": "a", "prefix": "b"}) == {"classes": ["a"], "prefix": "b"}
    assert as_taken(FORMATS["split_folders"], {"train": "a"}) == {"train": "a"}


def test_a_reader_called_by_hand_says_the_same(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(Problem, match=r"options: depth: '2' is a string, expected integer; write 2; ?|without quotes"):
        read_listing(tmp_path, "class_folders", {"depth": "2"})


def test_an_unknown_option_says_which_there_are():
    ((_, text),) = options_problems("cifar", {"clases": 1})
    assert text.startswith("cifar has no such option")
    assert text.endswith("it has root, nested, names_encoding, missing, others, labels")


def test_own_data_with_a_format_of_its_own_take_nothing_of_the_registry(demo, tmp_path):
    registry = load_registry()
    entry = {"folder": "/data/shells", "format": "class_folders"}
    resolved = resolve_dataset("natural", entry, registry)
    assert resolved == resolve_dataset("shells", entry, registry) | {"title": "natural"}
    copy_of_it = resolve_dataset("natural", {"folder": "/data/natural"}, registry)
    assert copy_of_it["format"] == registry["natural"]["format"]
    assert copy_of_it["options"] == registry["natural"]["options"]
    change = {"datasets": {"natural": entry}}
    assert found(demo, change, tmp_path) == []
    asked = {"datasets": {"mine": entry | {"source": "natural"}}}
    assert resolve_dataset("mine", asked["datasets"]["mine"], registry)["options"] == {}


def test_an_inherited_option_says_whose_it_is(demo, tmp_path, monkeypatch):
    registry = load_registry()
    registry["natural"]["options"]["tset"] = "x"
    monkeypatch.setattr("checks.data.load_registry", lambda: registry)
    (line,) = found(demo, {"datasets": {"natural": {"folder": "/data/natural"}}}, tmp_path)
    assert "it is an option of split_folders, from resources/datasets.yaml" in line


NAN, HUGE = float("nan"), 10**400


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regimes": {"small": {"lr": NAN}}}, "regimes.small.lr: nan is not a finite number"),
        ({"regimes": {"small": {"lr": float("inf")}}}, "regimes.small.lr: inf is not a finite number"),
        ({"regimes": {"small": {"lr": HUGE}}}, "regimes.small.lr: a number of about 400 digits: has to be more than 0"),
        ({"regimes": {"small": {"weight_decay": -0.0}}}, "regimes.small.weight_decay: -0.0: write 0"),
        ({"regimes": {"small": {"lr": "5e-5"}}}, "regimes.small.lr: '5e-5' is a string, expected number; write 5.0e-5"),
        ({"regimes": {"small": {"epochs": 8.0}}}, "regimes.small.epochs: 8.0 is a number, expected integer; write 8"),
        ({"regimes": {"small": {"epochs": True}}}, "regimes.small.epochs: true is a boolean, expected integer"),
        (
            {"regimes": {"small": {"epochs": 10**9}}},
            "regimes.small.epochs: 1000000000: has to be at least 1 and at most",
        ),
        (
            {"regimes": {"small": {"resolution": 10**6}}},
            "regimes.small.resolution: 1000000: has to be at least 8 and at",
        ),
        ({"population": {"size": 10**9}}, "population.size: 1000000000: has to be at least 3 and at most 10,000"),
        ({"population": {"size": HUGE}}, "population.size: a number of about 400 digits: has to be"),
        ({"population": {"width": [8, 10**9]}}, "population.width.1: 1000000000: has to be at most"),
        (
            {"tasks": {"digits_seeds": {"grid": {"seed": {"count": 10**7}}}}},
            "tasks.digits_seeds.grid.seed.count: 10000000: has to be at least 1 and at",
        ),
        ({"statistics": {"resamples": 10**12}}, "statistics.resamples: 1000000000000: has to be at least 100"),
        ({"training": {"checkpoint_seconds": NAN}}, "training.checkpoint_seconds: nan is not a finite number"),
        ({"networks": {"resnet8": {"depths": [10**9] * 3}}}, "networks.resnet8.depths.0: 1000000000: has to be"),
        ({"views": {"photos_10": {"classes": NAN}}}, "views.photos_10.classes: nan is not a finite number"),
        ({"title": 2020}, "title: 2020 is an integer, expected string; write '2020' in quotes"),
        ({"title": "a\nb"}, "title: 'a\\nb' does not match (one line, without control characters"),
        ({"title": "a\u202eb"}, "title: 'a\\u202eb' does not match (one line, without control characters"),
        ({"datasets": {"photos": {"title": "x\n"}}}, "datasets.photos.title: 'x\\n' does not match (one line"),
        ({"datasets": {"photos": {"domain": "\x1b[31m"}}}, "datasets.photos.domain: '\\x1b[31m' does not match"),
        ({"training": {"device": "cpu\n"}}, "training.device: 'cpu\\n' does not match"),
        (
            {"tasks": {"a\n": {"train": "small", "role": "variant", "metric": "top1_error", "view": "digits"}}},
            "tasks: 'a\\n' does",
        ),
        ({"statistics": {"regret_k": [50]}}, "statistics.regret_k: [50]: every k exceeds the 30 models"),
    ],
)
def test_values_out_of_bounds_are_refused_at_once(demo, tmp_path, change, message):
    started = time.process_time()
    lines = found(demo, change, tmp_path)
    assert time.process_time() - started < 60  # a count to a billion would not end
    assert [line for line in lines if line.startswith(message)], lines


def test_too_many_trainings_are_refused_before_they_are_listed(demo, tmp_path):
    change = {"population": {"size": 10_000}, "tasks": {"digits": {"grid": {"seed": {"first": 1, "count": 10_000}}}}}
    (line,) = [line for line in found(demo, change, tmp_path) if "runs are more" in line]
    assert line.startswith("tasks.digits: 100,070,")
    assert "lower population.size or shorten the grid" in line


SMALL = "(inherited from the regime small)"


@pytest.mark.parametrize(
    ("task", "line"),
    [
        (
            {"resolution": 64},
            f"tasks.digits.resolution: resolution 64 is larger than eval_resize 32 {SMALL}: an evaluation would show "
            "the picture in a black frame; set eval_resize to 64 or more",
        ),
        ({"eval_resize": 24}, f"tasks.digits.eval_resize: resolution 32 {SMALL} is larger than eval_resize 24: an"),
        ({"warmup_epochs": 2}, "tasks.digits.warmup_epochs: warmup_epochs 2 is not less than epochs 2: the warm-up"),
        ({"momentum": 0}, f"tasks.digits.momentum: nesterov true {SMALL} does not go with momentum 0: Nesterov's"),
        ({"momentum": 0.0}, f"tasks.digits.momentum: nesterov true {SMALL} does not go with momentum 0.0: Nesterov's"),
        ({"crop": "centre"}, "tasks.digits.padding: padding 2 does nothing with crop 'centre': set crop: padded, or"),
        ({"precise_bn": 20}, f"tasks.digits.precise_bn: precise_bn 20 is less than batch 64 {SMALL}: no batch would"),
    ],
)
def test_contradictions_name_where_each_value_comes_from(demo, tmp_path, task, line):
    (error,) = found(demo, {"tasks": {"digits": task}}, tmp_path)
    assert error.startswith(line)


def test_a_contradiction_within_a_regime_is_named_once(demo, tmp_path):
    demo["regimes"]["small"]["eval_resize"] = 24
    lines = errors_of(demo, tmp_path)
    assert [line for line in lines if "resolution" in line] == [
        "regimes.small.resolution: resolution 32 is larger than eval_resize 24: an evaluation would show the picture "
        "in a black frame; set eval_resize to 32 or more"
    ]


def test_a_batch_that_a_capped_view_cannot_fill(demo, tmp_path):
    change = {"views": {"few": {"dataset": "digits", "per_class": 2}}, "tasks": {"digits": {"view": "few"}}}
    (line,) = found(demo, change, tmp_path)
    assert line.startswith(f"tasks.digits.batch: batch 64 {SMALL} is larger than the training images of the view few")
    change["views"] = {"few": {"dataset": "digits", "cap": 3, "classes": 4}}
    assert "at most 12; lower it" in found(demo, change, tmp_path)[0]


def test_the_keys_of_a_protocol_are_defined_once():
    written = yaml.safe_load(SCHEMA.read_text())["properties"]["regimes"]["additionalProperties"]["properties"]
    assert set(written) == {*PROTOCOL, "grid"}
    merged_schema = schema()["properties"]
    for section in ("regimes", "tasks"):
        properties = merged_schema[section]["additionalProperties"]["properties"]
        for key, wanted in PROTOCOL.items():
            assert properties[key] == wanted | {"description": written[key]["description"]}
    assert all(set(keys) <= set(KEYS) for keys, *_ in CONTRADICTIONS)


def test_every_list_has_an_end():
    def endless(schema, path=""):
        if isinstance(schema, dict):
            if schema.get("type") == "array" and not {"maxItems", "enum"} & schema.keys():
                yield path
            for key, part in schema.items():
                yield from endless(part, f"{path}.{key}")
        elif isinstance(schema, list):
            for number, part in enumerate(schema):
                yield from endless(part, f"{path}.{number}")

    assert list(endless(schema())) == []


def test_of_a_list_that_is_too_long_no_item_is_looked_at(demo, tmp_path, monkeypatch):
    looked = []
    items = VALIDATORS["items"]
    monkeypatch.setitem(VALIDATORS, "items", lambda *args: looked.append(len(args[2])) or items(*args))
    lines = found(demo, {"tasks": {"digits": {"models": ["a001"] * 100_000}}}, tmp_path)
    assert lines == [f"tasks.digits.models: {shown(['a001'] * 9)[:50]}…: has to hold at most 20000"]
    assert max(looked) < 1000
    (line,) = found(demo, {"tasks": {"digits": {"models": ["a001"] * 1000}}}, tmp_path)
    assert line == "tasks.digits.models: 'a001' appears twice; remove one"
    lines = found(demo, {"tasks": {"digits": {"models": [f"b{number}" for number in range(1000)]}}}, tmp_path)
    assert len(lines) == 21
    assert lines[-1] == "tasks.digits.models: and 980 more that are no models"
