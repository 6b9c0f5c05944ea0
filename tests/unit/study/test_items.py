"""What a study can make of the papers' tables and figures, what it compares, and what rules ask of it."""

import re

import pytest
import yaml

from apr.runs import ways
from apr.runs.ways import Way
from study import ROOT, study_of
from study.answer import answer_files, answer_parts
from study.files import Files, one_of
from study.items import EACH, Items


def config(*names):
    merged = {}
    for name in names:
        for key, value in yaml.safe_load((ROOT / name).read_text()).items():
            merged[key] = merged[key] | value if isinstance(value, dict) and key in merged else value
    return merged


OTHERS = ("recht_2019", "fang_2023")


@pytest.fixture
def demo():
    return config("studies/demo.yaml")


def test_the_paper_makes_all_of_its_items_but_those_of_lines_and_of_transfer():
    items = Items(study_of(config("config.yaml")))
    lacking = {target for target in items.facts if items.lacking(target)}
    assert lacking == {target for target, facts in items.facts.items() if facts.get("paper") in OTHERS}
    assert items.by_name == {"fig_initialisation"}
    assert "initialisation" not in items.made("fig_")
    assert {f"target_{task}" for task in items.study.targets} <= set(items.made("fig_"))
    assert {row["target"] for row in items.rows} == items.facts.keys() - lacking - EACH.keys()


def test_a_study_of_lines_makes_them_and_what_every_study_has():
    items = Items(study_of(config("studies/retest.yaml")))
    assert {"retest_slopes", "retest_cifar10.1_v4", "items", "audit", "since"} <= set(items.made("table_"))
    assert {"since", "family_distances", "retest_cifar10.1_v6"} <= set(items.made("fig_"))
    assert items.lacking("fig_all_pairs") == "a task with the role reference"
    assert {items.facts[row["target"]].get("paper") for row in items.rows} == {"recht_2019", None}
    assert items.paper_values["imagenetv2_matched_frequency_top1"]["slope"] == 1.11


def test_a_study_of_published_tables_makes_rankings_and_what_it_has_the_tasks_for():
    items = Items(study_of(config("studies/published.yaml")))
    assert {"rankings_openclip", "rankings_medical", "noise_ceiling", "retest_openclip_eurosat"} <= set(
        items.made("table_")
    )
    assert {"rankings_openclip", "rankings_transnas_micro"} <= set(items.made("fig_"))
    assert not {"seed_densities", "imagenet_vs_targets"} & set(items.made("fig_"))
    ranking = items.comparisons.rankings["nasbench201_epochs"]
    assert ranking["pairs"][0] == ["nb201_12_imagenet16", "nb201_imagenet16"]
    assert items.comparisons.bootstraps["openclip"]["resamples"] == 2000
    assert items.comparisons.bootstraps["transnas_micro"]["resamples"] == 200
    assert len(items.comparisons.rankings["transnas_micro"]["pairs"]) == 21


def test_tables_are_read_where_they_are_kept_or_fetched():
    study = study_of(config("studies/published.yaml", "studies/published_more.yaml"))
    files = Files(study)
    assert files.fetched_tables == ["nats_bench_200", "finetuned_sfda", "finetuned_tll"]
    entry = study.tables["openclip_imagenet"]
    assert files.of_source(entry["source"], entry["file"]) == str(ROOT / "resources/published/openclip_results.csv")
    assert (entry["metric"], entry["read"]["model"]) == ("top1_accuracy", ["name", "pretrained"])
    assert files.of_source("finetuned_tll", "x.csv") == "data/raw/finetuned_tll/x.csv"


def test_items_are_made_in_the_order_in_which_they_are_read(demo):
    items = Items(study_of(demo))
    assert set(items.reading) <= items.facts.keys()
    figures = items.made("fig_")
    assert figures[:5] == [
        "imagenet_vs_targets",
        "target_digits",
        "target_tissues",
        "target_retina",
        "selection_regret",
    ]
    assert items.made("table_")[0] == "correlations"
    assert len(figures) == len(set(figures))
    retest = Items(study_of(config("studies/retest.yaml")))
    assert retest.made("fig_")[:2] == ["retest_slopes", "retest_imagenetv2_matched_frequency_top1"]


def test_the_answer_is_read_from_tables_that_the_study_makes():
    for name in ("studies/demo.yaml", "studies/published.yaml", "studies/retest.yaml", "studies/transfer.yaml"):
        study = study_of(config(name))
        items, parts = Items(study), answer_parts(Items(study), Files(study))
        files = answer_files(parts)
        tables = {path for kind in ("tables", "slopes", "models", "since") for path in files[kind]}
        assert tables <= {f"results/tables/{table}.csv" for table in items.made("table_")}, name
        assert set(files["scores"]) == set(Files(study).scores(study.comparisons.transfer.tasks("probes"))), name
        assert any(parts.values()), name


def test_the_answer_knows_of_fixed_features():
    study = study_of(config("studies/demo.yaml"))
    parts = answer_parts(Items(study), Files(study))
    assert parts["transfer"]["settings"]["probes"] == {"tissues_tuned": "tissues_probe"}
    files = answer_files(parts)
    assert "results/scores/tissues_probe.csv" in files["scores"]
    assert "results/resampled/tissues_probe.npz" in files["resampled"]


def test_what_is_lacking_is_said_with_the_study_that_has_it(demo):
    items = Items(study_of(demo))
    assert items.refusal("fig_balanced_vs_unbalanced").endswith(
        "lacks a task on a view with a `cap` (comparisons.balanced); config.yaml, the paper's own study, has it"
    )
    assert items.refusal("fig_since").endswith("(comparisons.lines or comparisons.since); studies/retest.yaml, has it")
    del demo["tasks"]["tissues_pretrained"]
    assert Items(study_of(demo)).lacking("fig_pretrained_vs_scratch") == "a task with `initial`"


def test_the_study_that_a_refusal_of_transfer_points_to_makes_the_item():
    retest = Items(study_of(config("studies/retest.yaml")))
    refused = {name: retest.refusal(name) for name, facts in retest.facts.items() if facts.get("paper") == "fang_2023"}
    assert len(refused) == 12
    for name, said in refused.items():
        named = re.search(r"studies/\w+\.yaml", said).group()
        assert Items(study_of(config(named))).lacking(name) is None, said


def test_a_study_without_population_or_comparisons_can_be_planned():
    task = {"published": "timm-results", "set": "timm_real"}
    items = Items(study_of({"title": "x", "tasks": {"real": task}, "statistics": {"resamples": 100, "seed": 0}}))
    assert (items.made("table_"), items.made("fig_")) == (["audit", "items"], [])
    assert items.lacking("answer").startswith("something to compare")
    assert Files(items.study).source("timm-results")["sets"]["real"]["images"] == 46_837


def test_pairs_follow_from_the_roles(demo):
    compared = study_of(demo).comparisons
    assert compared.pairs["imagenet_vs_targets"] == [("photos", name) for name in ("digits", "tissues", "retina")]
    assert compared.pairs["closest_vs_targets"][1:] == [("photos_5", "tissues"), ("photos_2", "retina")]
    assert compared.around("photos_5") == [("photos", "photos_5"), ("photos_10", "photos_5"), ("photos_2", "photos_5")]
    assert compared.two("repeats") == [("digits_seeds", "digits"), ("retina_seeds", "retina")]
    assert compared.panels([("photos", "digits")], 1)["titles"] == {"photos": "photos", "digits": "digits"}


def test_the_explorer_opens_with_what_the_study_compares(demo):
    assert study_of(demo).comparisons.explored == [["photos", "digits"], ["depth", "digits"]]
    transfer = study_of(config("studies/transfer_small.yaml")).comparisons
    assert transfer.explored == [["imagenet", target] for target in transfer.transfer.targets[:2]]
    retest = study_of(config("studies/retest.yaml")).comparisons
    assert retest.explored == [[line["original"], line["new"]] for line in list(retest.lines.values())[:2]]


def test_files_of_the_demo(demo):
    files = Files(study_of(demo))
    assert files.scores(["digits", "retina", "digits"]) == ["results/scores/digits.csv", "results/scores/retina.csv"]
    assert files.sources("retina_6ep") == files.runs("retina")
    assert files.runs("retina_6ep")[0] == "results/runs/retina_6ep/best1.json"
    assert len(files.some_runs("digits", 3)) == 3
    assert files.bundled("photos")
    assert files.labels("cifar10.1_predictions") == {"verified": [], "labels": []}
    retest = Files(study_of(config("studies/retest.yaml")))
    assert retest.labels("cifar10.1_predictions") == {
        "verified": ["data/raw/cifar10_labels.json"],
        "labels": ["data/raw/cifar10_labels/cifar10_test_set_original_labels.npy"],
    }
    assert one_of(["a.b"]) == r"a\.b"
    assert one_of([]) == "(?!)"


def test_another_way_to_make_runs_takes_an_entry_of_the_library(demo, monkeypatch):
    keys = {"lr": {"type": "number"}, "seed": {"type": "integer"}}
    monkeypatch.setitem(ways.WAYS, "distil", Way(keys, {}, pretrained=True, trains=True))
    demo["regimes"]["gently"] = {"lr": 0.1, "seed": 1, "grid": {"lr": [0.1, 0.2]}}
    demo["tasks"]["tuned"] = {
        "distil": "gently",
        "view": "retina",
        "role": "target",
        "models": ["timm:resnet18.a1_in1k"],
    }
    study = study_of(demo)
    assert list(study.runs("tuned")) == ["timm.resnet18.a1_in1k-lr0.1", "timm.resnet18.a1_in1k-lr0.2"]
    assert study.planned("tuned")["protocol"] == {"lr": 0.1, "seed": 1}
    assert ("photos", "tuned") in study.comparisons.pairs["imagenet_vs_targets"]
    assert study.made_by("distil") == ["tuned"]


def test_a_member_of_the_family_with_an_unknown_number_of_classes_is_the_last(demo):
    demo["datasets"] = (demo.get("datasets") or {}) | {"own": {"folder": "x", "format": "class_folders"}}
    demo["tasks"] = {"own": demo["tasks"]["digits"] | {"view": "own", "role": "family"}} | demo["tasks"]
    study = study_of(demo)
    assert study.family == ["photos_10", "photos_5", "photos_2", "own"]
    assert study.closest("digits") == "photos_10"


def test_a_grid_with_one_axis_of_several_values_has_a_choice():
    study = study_of(config("studies/transfer_demo.yaml"))
    assert study.comparisons.transfer.with_grid == ["tissues", "digits"]
    changed = config("studies/transfer_demo.yaml")
    changed["regimes"]["tune"]["grid"] = {"lr": [0.1], "momentum": [0.5, 0.9]}
    assert study_of(changed).comparisons.transfer.with_grid == ["tissues", "digits"]
    changed["regimes"]["tune"]["grid"] = {"lr": [0.1]}
    assert study_of(changed).comparisons.transfer.with_grid == []


@pytest.mark.parametrize(("evaluate", "option"), [("last", "last"), ([5, 20], "5,20"), ("every", None), (None, None)])
def test_trainings_are_evaluated_when_something_shows_it(evaluate, option):
    paper = config("config.yaml")
    paper["training"] = {"evaluate": evaluate} if evaluate else {}
    study = study_of(paper)
    found = {task: [one for one in study.options(task) if one.startswith("--evaluate")] for task in study.tasks}
    drawn = {"cifar10_200ep", "powerline_100ep", "powerline", "natural_100ep", "natural"}
    assert {task for task, options in found.items() if options} == (set(study.tasks) - drawn if option else set())
    assert all(options in ([], [f"--evaluate={option}"]) for options in found.values())
