"""Study C through Snakemake: from the published archives to tables, figures and report, and what it refuses."""

import csv
import json
import shutil
import subprocess
import sys

import pytest
import yaml
from data_helpers import real
from waits import LONGEST

from study import ROOT

from .conftest import planned, snakemake

RETEST = ROOT / "studies/retest.yaml"
SETS = [
    *(f"imagenetv2_{name}_top{k}" for name in ("matched_frequency", "threshold_0.7", "top_images") for k in (1, 5)),
    *("cifar10.1_v4", "cifar10.1_v6"),
]
COLUMNS = "model,orig_acc,orig_lo,orig_hi,new_acc,new_lo,new_hi,gap,orig_rank,new_rank,delta_rank"
SOURCES = ("ImageNetV2-0b0c3fe89058e4c7ee2348938b3f4f706a931bf3.zip", "timm-results")
SOURCES += ("CIFAR-10.1-d9982abb0bfc4846b8d13a11e66b887d946205d0.zip", "cifar10_test_set_original_labels.npy")


def overlay(path, **sections):
    """Some sections to lay over the study."""
    path.write_text(yaml.safe_dump(sections))
    return [RETEST, path]


def rows(path, key):
    with path.open() as file:
        return {row[key]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """The study with fewer resamples, from stored copies of the archives."""
    mirror = real(*SOURCES)[0].parent
    fewer = {"statistics": {"resamples": 2000}, "comparisons": {"since": {"resamples": 100}}}
    return overlay(tmp_path_factory.mktemp("retest") / "quick.yaml", data={"mirror": mirror.as_uri()}, **fewer)


@pytest.fixture(scope="module")
def whole(quick, tmp_path_factory):
    """The folder of the finished study; read it, do not change it."""
    folder = tmp_path_factory.mktemp("whole")
    snakemake("-c2", directory=folder, configs=quick)
    return folder


@pytest.fixture
def own(whole, tmp_path):
    """A copy of it, to change."""
    return shutil.copytree(whole, tmp_path / "own", symlinks=True)


def test_there_is_a_table_for_each_test_set(whole):
    for name in SETS:
        path = whole / f"results/tables/retest_{name}.csv"
        table = rows(path, "model")
        assert path.read_text().splitlines()[0] == COLUMNS
        assert len(table) == (30 if name.startswith("cifar") else 67)
        assert [int(row["orig_rank"]) for row in table.values()] == list(range(1, len(table) + 1))
        assert not [model for model in table if model.endswith("_predictions")]
        for row in table.values():
            assert float(row["orig_lo"]) < float(row["orig_acc"]) < float(row["orig_hi"])
            assert int(row["delta_rank"]) == int(row["orig_rank"]) - int(row["new_rank"])
        assert (path.with_suffix(".md")).exists()


@pytest.mark.parametrize(
    ("model", "original", "new"),
    [
        ("pnasnet_large_tf", "82.9", "72.2"),
        ("resnet152", "78.3", "67.0"),
        ("alexnet", "56.5", "44.0"),
        ("fv_64k", "35.1", "24.1"),
    ],
)
def test_accuracies_are_the_published_ones(whole, model, original, new):
    row = rows(whole / "results/tables/retest_imagenetv2_matched_frequency_top1.csv", "model")[model]
    assert (f"{float(row['orig_acc']):.1f}", f"{float(row['new_acc']):.1f}") == (original, new)


def test_lines_and_mean_changes_are_the_published_ones(whole):
    lines = rows(whole / "results/tables/retest_slopes.csv", "retest")
    changes = [f"{float(lines[name]['change']):.1f}" for name in SETS[:6]]
    assert changes == ["-11.8", "-8.2", "-3.2", "-1.2", "2.1", "1.8"]
    matched = lines["imagenetv2_matched_frequency_top1"]
    assert (matched["n"], matched["probit_n"], f"{float(matched['slope']):.2f}") == ("64", "67", "1.11")
    assert f"{float(lines['imagenetv2_top_images_top5']['slope']):.2f}" == "0.88"
    cifar = [f"{float(lines[name][key]):.{d}f}" for name in SETS[6:] for key, d in (("slope", 3), ("offset", 1))]
    assert cifar == ["1.617", "-65.5", "1.595", "-63.2"]


def test_the_scorecard_says_what_is_met_and_why_the_rest_is_not(whole):
    verdicts = rows(whole / "results/tables/retest_scorecard.csv", "claim")
    assert verdicts["matched_slope"]["in_words"] == "reproduced to the printed digit"
    assert verdicts["matched_offset"]["verdict"] == "close"
    assert "four of them" in verdicts["cifar_slope"]["in_words"]


def test_every_figure_has_its_numbers_and_a_caption(whole):
    names = [f"retest_{name}" for name in SETS] + ["retest_slopes", "since", "family_distances"]
    for name in names:
        for suffix in ("pdf", "png", "csv", "rst"):
            assert (whole / f"results/figures/{name}.{suffix}").stat().st_size > 200
    caption = (whole / "results/figures/retest_imagenetv2_matched_frequency_top1.rst").read_text()
    assert "64 models, without fv_4k, fv_16k, fv_64k" in caption.replace("\\", "")
    assert "2,000 bootstrap resamples" in caption


def test_the_models_since_are_compared_with_two_lines_of_2019(whole):
    with (whole / "results/tables/since.csv").open() as file:
        found = {(row["retest"], row["line"]) for row in csv.DictReader(file)}
    measured = {(name, "measured") for name in ("real", "imagenetv2", "imagenet_a", "imagenet_r", "sketch")}
    assert found == measured | {("imagenetv2", "published")}


def test_the_report_holds_every_item(whole, quick):
    snakemake("--report", "report.html", directory=whole, configs=quick)
    text = (whole / "report.html").read_text(encoding="utf-8")
    for name in (*(f"retest_{name}.png" for name in SETS), "since.png", "retest_scorecard.csv", "run_config.yaml"):
        assert name in text
    assert "carry over to a new test set" in text
    assert "TopImages, top-5" in text


def test_a_second_run_does_nothing_and_a_deleted_table_is_made_alone(own, quick):
    assert planned(snakemake("-n", directory=own, configs=quick)) == {}
    path = own / "results/tables/retest_cifar10.1_v6.csv"
    before = path.read_text()
    path.unlink()
    assert planned(snakemake("-n", directory=own, configs=quick)) == {"table_retest": 1, "answer": 1}
    snakemake("results/tables/retest_cifar10.1_v6.csv", "-c1", directory=own, configs=quick)
    assert path.read_text() == before


def test_other_models_in_a_line_redraw_it_and_import_nothing(own, quick, tmp_path):
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump({"comparisons": {"lines": {"cifar10.1_v4": {"without": ["vgg_15_BN_64"]}}}}))
    jobs = planned(snakemake("-n", directory=own, configs=[*quick, other]))
    summaries = {"fig_retest_slopes": 1, "table_retest_slopes": 1, "table_retest_scorecard": 1, "write_config": 1}
    assert jobs == {"fig_retest": 1, "table_retest": 1, "answer": 1} | summaries


def test_one_table_pulls_only_its_source(quick, tmp_path):
    done = snakemake("results/tables/retest_cifar10.1_v4.csv", "-n", directory=tmp_path, configs=quick)
    assert planned(done) == {
        "download_file": 2,
        "verify_source": 2,
        "unpack_source": 1,
        "import_cifar10": 1,
        "table_retest": 1,
    }


def test_planning_loads_no_network_library(tmp_path):
    code = (
        "import sys; from snakemake import cli\n"
        "try: cli.main(sys.argv[1:])\n"
        "except SystemExit as end: print('code', end.code)\n"
        "print('loaded', {'torch', 'timm', 'scipy', 'matplotlib'} & sys.modules.keys())"
    )
    arguments = ["all", "-n", "-s", ROOT / "Snakefile", "--directory", tmp_path, "--configfile", RETEST]
    arguments.append(ROOT / "studies/retest_live.yaml")
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=LONGEST, cwd=ROOT
    )
    assert "code 0\nloaded set()" in done.stdout, done.stdout[-500:] + done.stderr[-2000:]


def test_a_missing_archive_is_named_with_its_address(tmp_path):
    gone = [{"url": (tmp_path / "gone.zip").as_uri()}]
    study = overlay(tmp_path / "study.yaml", datasets={"cifar10.1_predictions": {"files": gone}})
    done = snakemake("data/raw/cifar10.1_predictions.json", "-c1", directory=tmp_path, configs=study, check=False)
    assert done.returncode != 0
    assert "gone.zip: could not be fetched" in done.output
    assert "or set `mirror`" in done.output


def test_a_file_with_another_digest_is_set_aside(tmp_path):
    name = "results-sketch.csv"
    (tmp_path / name).write_text("model,img_size,top1,top5\n")
    files = [{"url": (tmp_path / name).as_uri(), "sha256": "0" * 64}]
    study = overlay(tmp_path / "study.yaml", datasets={"timm-results": {"files": files}})
    path = f"data/raw/timm-results/{name}"
    done = snakemake(path, "-c1", directory=tmp_path, configs=study, check=False)
    assert done.returncode != 0
    assert f"{name}.rejected" in done.output
    assert not (tmp_path / path).exists()


def test_predictions_that_are_not_the_declared_ones_are_refused(whole, quick, tmp_path):
    copy = shutil.copytree(whole / "data/unpacked/cifar10.1_predictions", tmp_path / "copy")
    path = next(copy.rglob("v6_predictions/*"))
    whole_list = json.loads(path.read_text())
    study = tmp_path / "study.yaml"
    study.write_text(yaml.safe_dump({"datasets": {"cifar10.1_predictions": {"folder": str(copy)}}}))
    target = "results/scores/cifar10.1_v6.csv"
    for values, message in (
        (whole_list[:3], f"{path.name}: has predictions for 3 images, its test set 2,000"),
        (sorted(whole_list), "cifar10.1_v6 is read from are not the declared ones"),
    ):
        path.write_text(json.dumps(values))
        done = snakemake(target, "-c1", directory=tmp_path / "out", configs=[*quick, study], check=False)
        assert done.returncode != 0
        assert message in done.output
        assert not (tmp_path / "out" / target).exists()


def test_a_bad_configuration_shows_all_of_its_errors(tmp_path):
    wrong = {"new": "imagenetv2_matched_frequenzy", "without": "fv_64k"}
    study = overlay(tmp_path / "study.yaml", comparisons={"lines": {"imagenetv2_top_images_top1": wrong}}, statistic={})
    done = snakemake("-n", directory=tmp_path / "out", configs=study, check=False)
    assert done.returncode != 0
    assert "3 error(s)" in done.output
    assert "(did you mean imagenetv2_matched_frequency?)" in done.output
    assert "imagenetv2_top_images_top1.without: 'fv_64k' is a string" in done.output
    assert "statistic: no such key (did you mean statistics?)" in done.output
    assert "Traceback" not in done.output
