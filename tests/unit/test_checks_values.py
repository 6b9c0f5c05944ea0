"""Types, sizes, names and contradictions in a configuration, and the place that each comes from."""

import copy
import runpy
import time
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from test_checks import demo, errors_of, merge  # noqa: F401 - a fixture

from apr.files import read_json, write_json
from apr.formats import FORMATS, options_problems, read_listing
from apr.formats.options import as_taken, option_kinds
from apr.names import name_problem, plain_name
from apr.packing import INDEX
from apr.problems import Problem
from apr.protocol import CONTRADICTIONS, KEYS
from apr.values import value_problem
from checks import SCHEMA, check_config, checked_study, schema_of
from study import ROOT, load_registry, resolve_dataset

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
        assert value_problem({"no": "option takes this"}, wanted), option


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
        (csv_labels(delimiter=5), ["datasets.shells.options.delimiter: 5 is an integer, expected string; write '5'"]),
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
            dataset(format="class_folders", options={"root": "/cat"}),
            ["datasets.shells.options.root: '/cat' is no folder"],
        ),
        (
            dataset(format="class_folders", options={"root": "a/../.."}),
            ["datasets.shells.options.root: 'a/../..' is no"],
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
def test_options_of_a_format(demo, tmp_path, change, errors):  # noqa: F811
    lines = found(demo, change, tmp_path)
    for error in errors:
        assert [line for line in lines if line.startswith(error)], lines
    assert all(line.startswith("datasets.shells.") for line in lines)


def test_one_value_is_a_list_of_one(demo, tmp_path):  # noqa: F811
    assert found(demo, csv_labels(split="part", test_values="val"), tmp_path) == []
    taken = as_taken(FORMATS["csv_labels"], CSV | {"test_values": "val"})
    assert taken == CSV | {"test_values": ["val"]}
    assert as_taken(FORMATS["split_folders"], {"train": "a"}) == {"train": "a"}


def test_a_reader_called_by_hand_says_the_same(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(Problem, match=r"options: depth: '2' is a string, expected integer; write 2; ?|without quotes"):
        read_listing(tmp_path, "class_folders", {"depth": "2"})


def test_an_unknown_option_says_which_there_are():
    ((_, text),) = options_problems("cifar", {"clases": 1})
    assert text.startswith("cifar has no such option")
    assert text.endswith("it has root, nested, missing, labels")


def test_own_data_with_a_format_of_its_own_take_nothing_of_the_registry(demo, tmp_path):  # noqa: F811
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


def test_an_inherited_option_says_whose_it_is(demo, tmp_path, monkeypatch):  # noqa: F811
    registry = load_registry()
    registry["natural"]["options"]["tset"] = "x"
    monkeypatch.setattr("checks_common.load_registry", lambda: registry)
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
            {"tasks": {"digits_seeds": {"seeds": 10**7}}},
            "tasks.digits_seeds.seeds: 10000000: has to be at least 2 and at",
        ),
        ({"statistics": {"resamples": 10**12}}, "statistics.resamples: 1000000000000: has to be at least 100"),
        ({"training": {"checkpoint_seconds": NAN}}, "training.checkpoint_seconds: nan is not a finite number"),
        ({"networks": {"resnet8": {"depths": [10**9] * 3}}}, "networks.resnet8.depths.0: 1000000000: has to be"),
        ({"views": {"photos_10": {"classes": NAN}}}, "views.photos_10.classes: nan is not a finite number"),
        ({"title": 2020}, "title: 2020 is an integer, expected string; write '2020' in quotes"),
        ({"title": "a\nb"}, "title: 'a\\nb' does not match (one line, without control characters"),
        ({"title": "a\u202eb"}, "title: 'a\\u202eb' does not match (one line, without control characters"),
        ({"datasets": {"photos": {"title": "x\n"}}}, "datasets.photos.title: 'x\\n' does not match (Name for readers"),
        ({"datasets": {"photos": {"domain": "\x1b[31m"}}}, "datasets.photos.domain: '\\x1b[31m' does not match"),
        ({"training": {"device": "cpu\n"}}, "training.device: 'cpu\\n' does not match"),
        (
            {"tasks": {"a\n": {"regime": "small", "role": "variant", "error": "top1", "view": "digits"}}},
            "tasks: 'a\\n' does",
        ),
        ({"statistics": {"regret_k": [50]}}, "statistics.regret_k: [50]: every k exceeds the 8 models"),
    ],
)
def test_values_out_of_bounds_are_refused_at_once(demo, tmp_path, change, message):  # noqa: F811
    started = time.process_time()
    lines = found(demo, change, tmp_path)
    assert time.process_time() - started < 60  # a count to a billion would not end
    assert [line for line in lines if line.startswith(message)], lines


def test_too_many_trainings_are_refused_before_they_are_listed(demo, tmp_path):  # noqa: F811
    change = {"population": {"size": 10_000}, "tasks": {"digits": {"seeds": 10_000}}}
    (line,) = [line for line in found(demo, change, tmp_path) if "trainings" in line]
    assert line.startswith("tasks.digits: 100,130,")
    assert "lower population.size or seeds" in line


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
        ({"precise_bn": 20}, f"tasks.digits.precise_bn: precise_bn 20 is less than batch 32 {SMALL}: no batch would"),
    ],
)
def test_contradictions_name_where_each_value_comes_from(demo, tmp_path, task, line):  # noqa: F811
    (error,) = found(demo, {"tasks": {"digits": task}}, tmp_path)
    assert error.startswith(line)


def test_a_contradiction_within_a_regime_is_named_once(demo, tmp_path):  # noqa: F811
    demo["regimes"]["small"]["eval_resize"] = 24
    lines = errors_of(demo, tmp_path)
    assert [line for line in lines if "resolution" in line] == [
        "regimes.small.resolution: resolution 32 is larger than eval_resize 24: an evaluation would show the picture "
        "in a black frame; set eval_resize to 32 or more"
    ]


def test_a_batch_that_a_capped_view_cannot_fill(demo, tmp_path):  # noqa: F811
    change = {"views": {"few": {"dataset": "digits", "per_class": 2}}, "tasks": {"digits": {"view": "few"}}}
    (line,) = found(demo, change, tmp_path)
    assert line.startswith(f"tasks.digits.batch: batch 32 {SMALL} is larger than the training images of the view few")
    change["views"] = {"few": {"dataset": "digits", "cap": 3, "classes": 4}}
    assert "at most 12; lower it" in found(demo, change, tmp_path)[0]


def test_the_keys_of_a_protocol_are_defined_once(demo):  # noqa: F811
    written = yaml.safe_load(SCHEMA.read_text())["properties"]["regimes"]["additionalProperties"]["properties"]
    assert set(written) == set(KEYS)
    merged_schema = schema_of(demo)["properties"]
    for section in ("regimes", "tasks"):
        properties = merged_schema[section]["additionalProperties"]["properties"]
        for key, wanted in KEYS.items():
            assert properties[key] == wanted | {"description": written[key]["description"]}
    assert all(set(keys) <= set(KEYS) for keys, *_ in CONTRADICTIONS)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *(("", "is no name"), (" ", "is no name"), (None, "is no name"), (5, "is no name")),
        *((".", "begins with '.'"), ("..", "begins with '.'"), (".x", "begins with '.'"), ("-x", "begins with '-'")),
        *(
            ("a/b", "holds a slash"),
            ("../a", "holds a slash"),
            ("a\\b", "holds a backslash"),
            ("a{v}", "holds a brace"),
        ),
        *(("a\n", "U+000A"), ("a\x00", "U+0000"), ("a\u202eb", "U+202E"), ("a\u2028", "U+2028"), ("\ud800", "U+D800")),
        *(("a ", "blank"), ("é" * 120, "240 bytes")),
    ],
)
def test_names_that_cannot_be_names_of_files(name, why):
    assert why in name_problem(name)
    assert name_problem(plain_name(str(name))) is None


@pytest.mark.parametrize(
    "name", ["a.zip", "file?format=original", "Ünï cödé.zip", "$HOME", "a'b", "4338392", "~x", "CON"]
)
def test_names_that_can(name):
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            {"url": "file:../x/z09{v2}.zip"},
            "datasets.z.url: the name 'z09{v2}.zip' of the file holds a brace; write files: "
            "[{url: 'file:../x/z09{v2}.zip', name: 'z09v2.zip'}] in place of url",
        ),
        (
            {"files": [{"url": "https://x/a%0a{b}"}]},
            "datasets.z.files.0.url: the name 'a%0a{b}' of the file holds a brace",
        ),
        (
            {"files": [{"url": "https://x/a", "name": "../b"}]},
            "datasets.z.files.0.name: the name '../b' of the file holds",
        ),
        (
            {"files": [{"url": "https://x/a", "name": "b\n"}]},
            "datasets.z.files.0.name: the name 'b\\n' of the file holds the",
        ),
        ({"files": [{"url": "https://x/.."}]}, "datasets.z.files.0.url: the name '..' of the file begins with '.'"),
        ({"files": [{"url": None}]}, "datasets.z.files.0.url: the name '' of the file is no name"),
        (
            {"files": [{"url": "https://x/a"}, {"url": "https://y/a"}]},
            "datasets.z.files.1.url: two files have the name 'a'",
        ),
        ({"url": "https://x/a", "folder": "/x"}, "datasets.z.url: stands beside folder; keep one of them"),
        (
            {"folder": "pyproject.toml"},
            "datasets.z.folder: 'pyproject.toml' is a file; write url: 'file:pyproject.toml'",
        ),
    ],
)
def test_names_of_a_users_files(demo, tmp_path, entry, line):  # noqa: F811
    lines = found(demo, {"datasets": {"z": entry | {"format": "class_folders"}}}, tmp_path)
    assert [one for one in lines if one.startswith(line)], lines


def test_a_folder_with_braces_and_blanks_is_a_folder(demo, tmp_path):  # noqa: F811
    assert found(demo, {"datasets": {"z": {"folder": "/data/a {b} $c", "format": "class_folders"}}}, tmp_path) == []


def test_keys_that_are_no_text_are_named_and_hide_no_other_error(demo, tmp_path):  # noqa: F811
    more = tmp_path / "more.yaml"
    more.write_text(
        "datasets:\n  101: {folder: x, format: class_folder}\n  on: {folder: y, format: class_folders}\n"
        "tasks:\n  101: {regime: smal, role: target, error: top1, closest: photos_2}\n"
        "networks:\n  2020-01-01: {depths: [1, 1, 1], widths: [8, 8, 8]}\n"
        "regimes:\n  ~: {}\nviews:\n  1.5: {dataset: photos}\nfigures:\n  no: [photos]\n"
    )
    base = tmp_path / "base.yaml"
    base.write_text(yaml.safe_dump(demo))
    config = merge(demo, yaml.safe_load(more.read_text()))
    lines = [line.removeprefix(f"{more}: ") for line in check_config(config, [base, more])]
    quoted = [line.rpartition("write ")[2] for line in lines if "YAML reads this key" in line]
    assert quoted == [f"{key!r} in quotes" for key in ("101", "on", "101", "2020-01-01", "~", "1.5", "no")]
    assert [line for line in lines if line.startswith("datasets.101.format: 'class_folder' is not one of")]
    assert "tasks.101.regime: no regime 'smal' (did you mean small?)" in lines
    assert len(lines) == len(set(lines)) == 11


def test_what_the_command_line_sets_is_blamed_on_it(demo, tmp_path):  # noqa: F811
    base = tmp_path / "base.yaml"
    base.write_text(yaml.safe_dump(demo))
    option = "--config, or a profile's `config`: "
    nested = check_config(merge(copy.deepcopy(demo), {"training": {"threads": "2"}}), [base])
    text = "Snakemake reads nested values of --config as text: put it into a file, and name that under --configfile"
    assert nested == [f"{option}training.threads: '2' is a string, expected integer; {text}"]
    (line,) = check_config(merge(copy.deepcopy(demo), {"training": {"thread": "2"}}), [base])
    assert line == f"{option}training.thread: no such key (did you mean threads?)"
    (line,) = check_config(demo | {"training": 5}, [base])
    assert line == f"{option}training: 5 is an integer, expected mapping"
    demo["training"]["threads"] = "2"
    base.write_text(yaml.safe_dump(demo))
    (line,) = check_config(demo, [base])
    assert line == f"{base}: training.threads: '2' is a string, expected integer; write 2 without quotes"


def test_a_double_key_is_an_error_of_its_file_beside_all_others(demo, tmp_path):  # noqa: F811
    base, more = tmp_path / "base.yaml", tmp_path / "more.yaml"
    base.write_text(yaml.safe_dump(demo))
    more.write_text("tasks: {digits: {role: targt}}\ntraining: {threads: 1}\ntraining: {threads: 0}\n")
    config = merge(demo, yaml.safe_load(more.read_text()))
    assert check_config(config, [base, more]) == [
        f"{more}: training: line 3: stands here and in line 2; keep one, or merge the two",
        f"{more}: tasks.digits.role: 'targt' is not one of reference, family, target, variant (did you mean target?)",
        f"{more}: training.threads: 0: has to be at least 1 and at most 4,096 (CPU threads of one training (part of its "
        "provenance))",
    ]


def test_a_double_key_of_the_registry_is_named(demo, tmp_path, monkeypatch):  # noqa: F811
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources/datasets.yaml").write_text("photos: {}\nphotos: {}\n")
    monkeypatch.setattr("checks.ROOT", tmp_path)
    assert check_config(demo, []) == [
        f"{tmp_path}/resources/datasets.yaml: photos: line 2: stands here and in line 1; keep one, or merge the two"
    ]


def test_a_band_that_holds_too_few_architectures_is_an_error_of_the_configuration(demo, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setattr("apr.population.MAX_DRAWS", 20_000)
    demo["population"]["megaflops"] = [0.8, 0.8]
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(demo))
    with pytest.raises(Problem, match=r"1 error\(s\):\npopulation: only \d+ of 8 architectures .* widen"):
        checked_study(demo, [file])


def test_top5_of_few_classes_is_refused_when_the_view_is_drawn(tmp_path):
    index = np.zeros(16, INDEX)
    index["label"], index["split"] = np.arange(16) % 4, np.arange(16) // 4 == 3
    np.save(tmp_path / "i.npy", index)
    manifest = {
        "name": "shells",
        "classes": list("abcd"),
        "mean": [0],
        "sd": [1],
        "bin_sha256": "b",
        "index_sha256": "i",
    }
    write_json(tmp_path / "d.json", manifest)
    snakemake = SimpleNamespace(
        log=[tmp_path / "log"],
        wildcards=SimpleNamespace(view="shells"),
        params=SimpleNamespace(view={"seed": 0}, top5=["mine"]),
        input=SimpleNamespace(dataset=tmp_path / "d.json", index=tmp_path / "i.npy", within=[]),
        output=SimpleNamespace(manifest=tmp_path / "view.json"),
    )
    script = str(ROOT / "workflow/scripts/select_view.py")
    with pytest.raises(SystemExit):
        runpy.run_path(script, {"snakemake": snakemake})
    assert not (tmp_path / "view.json").exists()
    snakemake.params.top5 = []
    runpy.run_path(script, {"snakemake": snakemake})
    assert read_json(tmp_path / "view.json")["classes"] == list("abcd")
