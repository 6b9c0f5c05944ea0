"""Names, places and keys of a configuration: what they may be, and which file or option sets them."""

import copy
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from changed_studies import errors_of, merge

from apr.basics.files import read_json, write_json
from apr.basics.names import name_problem, plain_name
from apr.basics.problems import Problem
from apr.data.packed import INDEX
from checks.config import check_config, checked_study
from study import ROOT


def found(config, change, tmp_path):
    return errors_of(merge(copy.deepcopy(config), copy.deepcopy(change)), tmp_path)


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
        *((f"a{sign}b", f"holds {sign}, which") for sign in ':*?"<>|'),
        *(("C:x", "holds :"), ("a`id`", "backtick"), ("~", "begins with '~'"), ("~x", "begins with '~'")),
        *((name, "of a device") for name in ("con", "CON", "nul.txt", "Com1.tar.gz", "aux .x", "lpt³")),
        *(("a.", "ends with '.'"), ("?", "holds ?")),
        *(("a\n", "U+000A"), ("a\x00", "U+0000"), ("a\u202eb", "U+202E"), ("a\u2028", "U+2028"), ("\ud800", "U+D800")),
        *(("a ", "space"), ("é" * 120, "240 bytes")),
    ],
)
def test_names_that_cannot_be_names_of_files(name, why):
    assert why in name_problem(name)
    assert name_problem(plain_name(str(name))) is None


@pytest.mark.parametrize(
    "name", ["a.zip", "Ünï cödé (1), a+b=c@d.zip", "$HOME", "a'b", "4338392", "x~", "console", "com.zip"]
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
            "datasets.z.files.0.url: the name 'a%0a{b}' of the file holds a brace; write {url: ",
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
        ({"files": [{"url": None}]}, "datasets.z.files.0.url: is null: give a name, and put the file there by hand"),
        (
            {"files": [{"url": "https://x/a"}, {"url": "https://y/a"}]},
            "datasets.z.files.1.url: two files have the name 'a'",
        ),
        (
            {"url": "https://x/a?format=original"},
            "datasets.z.url: the name 'a?format=original' of the file holds ?",
        ),
        *(
            ({"url": url}, f"datasets.z.url: {url!r} {why}")
            for url, why in [
                ("ftp://x/a.zip", "is no address that can be fetched; use https:, http:, file:, bundled:"),
                ("javascript:alert(1)", "is no address that can be fetched"),
                ("data/a.zip", "is no address that can be fetched"),
                ("https://[::1", "is no address (Invalid IPv6 URL); correct it"),
                ("https://x:y/a.zip", "is no address (Port could not be cast to integer value as 'y'); correct it"),
                ("https:///a.zip", "names no host"),
                ("https://x\n/a.zip", "holds the control character U+000A; write the address on one line"),
                ("file://other/a.zip", "names another machine"),
                ("file:~/a.zip", "begins with ~, which only a shell knows; write the whole path"),
            ]
        ),
        ({"files": [{"url": "ftp://x/a"}]}, "datasets.z.files.0.url: 'ftp://x/a' is no address that can be fetched"),
        (
            {"folder": "~/shells"},
            "datasets.z.folder: '~/shells' begins with ~, which only a shell knows; write the whole",
        ),
        (
            {"folder": "C:\new\table"},
            "datasets.z.folder: 'C:\\new\\table' holds the control character U+000A (YAML reads \\ in double "
            "quotes so); use single quotes, or /",
        ),
        (
            {"folder": "/x", "split": {"by": "group"}},
            "datasets.z.split.by: group: class_folders gives no group so; set options: group, or split by image",
        ),
        (
            {"folder": "/x", "format": "cifar", "split": {"by": "group"}},
            "datasets.z.split.by: group: cifar gives no group so; split by image",
        ),
        (
            {"folder": "/x", "split": {"test_fraction": 0.5, "validation_fraction": 0.5}},
            "datasets.z.split.validation_fraction: 0.5 and test_fraction 0.5 leave no training image",
        ),
        (
            {"folder": "/x", "split": {"by": "none", "validation_fraction": 0.1}},
            "datasets.z.split.validation_fraction: 0.1 leaves nothing to cut it from: by: none makes all a test set",
        ),
        (
            {
                "folder": "/x",
                "format": "csv_labels",
                "options": {"table": "t", "image": "i", "label": "l", "label_separator": " "},
                "split": {"by": "released"},
            },
            "datasets.z.split.by: released: draws of each class, and images here may have several labels; write image",
        ),
        (
            {"folder": "/x", "split": {"validation_fraction": 1}},
            "datasets.z.split.validation_fraction: 1: has to be at least 0 and less than 1",
        ),
        ({"url": "https://x/a", "folder": "/x"}, "datasets.z.url: stands beside folder; keep one of them"),
        (
            {"folder": "pyproject.toml"},
            "datasets.z.folder: 'pyproject.toml' is a file; write url: 'file:pyproject.toml'",
        ),
    ],
)
def test_names_of_a_users_files(demo, tmp_path, entry, line):
    lines = found(demo, {"datasets": {"z": {"format": "class_folders"} | entry}}, tmp_path)
    assert [one for one in lines if one.startswith(line)], lines


@pytest.mark.parametrize(
    "entry",
    [
        {"format": "class_folders", "options": {"group": "^(?P<group>.+)/"}},
        {"format": "csv_labels", "options": {"table": "t.csv", "image": "i", "label": "l", "group": "patient"}},
        {"format": "file_names", "options": {"pattern": "(?P<class>[a-z])(?P<group>[0-9])"}},
        {
            "format": "coco_camera_traps",
            "options": {"train": "a.json", "test": "b.json", "categories": [1, 2], "group": "location"},
        },
    ],
)
def test_groups_that_a_format_gives(demo, tmp_path, entry):
    assert found(demo, {"datasets": {"z": entry | {"folder": "/x", "split": {"by": "group"}}}}, tmp_path) == []


@pytest.mark.parametrize("selected", [{"classes": 2}, {"per_class": 3}, {"cap": "second_largest"}, {"within": "all"}])
def test_a_view_of_images_with_several_labels_takes_all(demo, tmp_path, selected):
    cells = {"table": "t.csv", "image": "i", "label": ["a", "b"], "multi_label": True}
    atlas = {"folder": "/x", "format": "csv_labels", "options": cells}
    views = {"all": {"dataset": "atlas"}, "some": {"dataset": "atlas"} | selected}
    [key] = selected
    assert found(demo, {"datasets": {"atlas": atlas}, "views": views}, tmp_path) == [
        f"views.some.{key}: atlas: an image may have several labels, and a view of such images takes all; leave this "
        "key out"
    ]


@pytest.mark.parametrize("mirror", ["https://x\n", "ftp://x", "/data/mirror", "bundled:x", "https://[::1", "file:~/m"])
def test_a_mirror_is_an_address(demo, tmp_path, mirror):
    (line,) = found(demo, {"data": {"mirror": mirror}}, tmp_path)
    assert line.startswith(f"data.mirror: {mirror!r} ")
    for right in (None, "https://x.org/m", "file:///data/mirror", "file:mirror", "http://localhost:8000"):
        assert found(demo, {"data": {"mirror": right}}, tmp_path) == []


def test_a_folder_with_braces_and_blanks_is_a_folder(demo, tmp_path):
    assert found(demo, {"datasets": {"z": {"folder": "/data/a {b} $c", "format": "class_folders"}}}, tmp_path) == []


def test_keys_that_are_no_text_are_named_and_hide_no_other_error(demo, tmp_path):
    more = tmp_path / "more.yaml"
    more.write_text(
        "datasets:\n  101: {folder: x, format: class_folder}\n  on: {folder: y, format: class_folders}\n"
        "tasks:\n  101: {train: smal, role: target, metric: top1_error, closest: photos_2}\n"
        "networks:\n  2020-01-01: {depths: [1, 1, 1, 1], widths: [8, 8, 8, 8]}\n"
        "regimes:\n  ~: {}\nviews:\n  1.5: {dataset: photos}\ncomparisons:\n  no: [photos]\n"
    )
    base = tmp_path / "base.yaml"
    base.write_text(yaml.safe_dump(demo))
    config = merge(demo, yaml.safe_load(more.read_text()))
    lines = [line.removeprefix(f"{more}: ") for line in check_config(config, [base, more])]
    quoted = [line.rpartition("write ")[2] for line in lines if "YAML reads this key" in line]
    assert quoted == [f"{key!r} in quotes" for key in ("101", "on", "101", "2020-01-01", "~", "1.5", "no")]
    assert [line for line in lines if line.startswith("datasets.101.format: 'class_folder' is not one of")]
    assert "tasks.101.train: no regime 'smal' (did you mean small?)" in lines
    assert len(lines) == len(set(lines)) == 11


def test_what_the_command_line_sets_is_blamed_on_it(demo, tmp_path):
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


def test_a_double_key_is_an_error_of_its_file_beside_all_others(demo, tmp_path):
    base, more = tmp_path / "base.yaml", tmp_path / "more.yaml"
    base.write_text(yaml.safe_dump(demo))
    more.write_text("tasks: {digits: {role: targt}}\ntraining: {threads: 1}\ntraining: {threads: 0}\n")
    config = merge(demo, yaml.safe_load(more.read_text()))
    assert check_config(config, [base, more]) == [
        f"{more}: training: line 3: appears here and in line 2; keep one, or merge the two",
        f"{more}: tasks.digits.role: 'targt' is not one of reference, family, target, variant, extra (did you mean "
        "target?)",
        f"{more}: training.threads: 0: has to be at least 1 and at most 4,096 (CPU threads of one run (part of "
        "its provenance))",
    ]


def test_a_double_key_of_the_registry_is_named(demo, tmp_path, monkeypatch):
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources/datasets.yaml").write_text("photos: {}\nphotos: {}\n")
    for name in ("predictions", "published", "model_families"):
        (tmp_path / f"resources/{name}.yaml").write_text("x: {}\n")
    monkeypatch.setattr("checks.config.ROOT", tmp_path)
    assert check_config(demo, []) == [
        f"{tmp_path}/resources/datasets.yaml: photos: line 2: appears here and in line 1; keep one, or merge the two"
    ]


def test_a_band_that_holds_too_few_architectures_is_an_error_of_the_configuration(demo, tmp_path, monkeypatch):
    monkeypatch.setattr("apr.models.population.MAX_DRAWS", 20_000)
    demo["population"]["megaflops"] = [0.8, 0.8]
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(demo))
    with pytest.raises(Problem, match=r"1 error\(s\):\npopulation: only \d+ of 30 architectures .* widen"):
        checked_study(demo, [file])


def test_a_wrong_metric_is_said_when_the_view_is_drawn_and_costs_no_other_task(tmp_path, caplog):
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
        params=SimpleNamespace(view={"seed": 0}, metrics={"mine": "top5_error", "other": "top1_error"}),
        input=SimpleNamespace(dataset=tmp_path / "d.json", index=tmp_path / "i.npy", within=[]),
        output=SimpleNamespace(manifest=tmp_path / "view.json"),
    )
    runpy.run_path(str(ROOT / "workflow/scripts/select_view.py"), {"snakemake": snakemake})
    said = caplog.text
    assert "task mine: metric: " in said
    assert "none of its runs and nothing that compares it can be made, all else is" in said
    assert "task other" not in said
    assert read_json(tmp_path / "view.json")["classes"] == list("abcd")  # for the other tasks of the view
