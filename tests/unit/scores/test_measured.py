import numpy as np
import pandas as pd
import pytest
from data_helpers import real
from published import MEASURED_IMAGES as IMAGES
from published import frame

from apr.basics.problems import Problem
from apr.scores.frames import read_models
from apr.scores.measured import read_measured
from apr.scores.paired import paired
from apr.scores.table import write_scores

HEAD = "model,img_size,top1,top1_err,top5,top5_err,param_count,crop_pct,interpolation\n"
ROWS = (
    'a.in1k,224,75.010,24.990,90.000,10.000,"1,014.45",0.9,bicubic\n'
    "b.in1k,224,60.000,40.000,80.000,20.000,1.23,1.0,bicubic\n"
)


# file -> images; of ReaL the 46,837 that have a label, of "clean" the validation images of 200 classes
def read(path, images):
    return read_measured(path, images, "top1_accuracy")


def written(tmp_path, text):
    path = tmp_path / "results.csv"
    path.write_text(text)
    return path


def test_percentages_become_counts_and_a_score_table(tmp_path):
    write_scores(tmp_path / "scores.csv", read(written(tmp_path, HEAD + ROWS), 10_000))
    table = read_models(tmp_path / "scores.csv")
    assert list(table.index) == ["a.in1k@224", "b.in1k@224"]
    first = table.loc["a.in1k@224"]
    assert (first["n"], first["correct_top1"], first["correct_top5"]) == (10_000, 7_501, 9_000)
    assert (first["value"], first["metric"], first["test_top5_error"]) == (75.01, "top1_accuracy", 10)
    assert table[["seed", "guess"]].isna().all(axis=None)


def test_a_model_at_two_sizes_is_two_models(tmp_path):
    again = "a.in1k,288,76.000,24.000,91.000,9.000,1,1,bicubic\n"
    table = read(written(tmp_path, HEAD + ROWS + again), 10_000)
    assert [row["model"] for row in table] == ["a.in1k@224", "b.in1k@224", "a.in1k@288"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD.replace("img_size", "size") + ROWS, "lacks the column img_size"),
        (HEAD.replace("top5,", "five,") + ROWS, "lacks the column top5"),
        (HEAD, "holds no model"),
        ("", "is not a table"),
        (HEAD + ROWS + ROWS[: ROWS.index("\n") + 1], "row 4 (model a.in1k@224): 'a.in1k@224' appears twice"),
        (HEAD + ROWS.replace("75.010", "100.01"), "row 2 (model a.in1k@224): '100.01' is not a percentage"),
        (HEAD + ROWS.replace("60.000", "-1"), "row 3 (model b.in1k@224): '-1' is not a percentage"),
        (HEAD + ROWS.replace("75.010", ""), "'' is not a percentage"),
        (HEAD + ROWS.replace("75.010", "many"), "'many' is not a percentage"),
        (HEAD + ROWS.replace("75.010", "75.013"), "'75.013' (top1) is no share of 10,000 images"),
        (HEAD + ROWS.replace("80.000", "59.000"), "row 3 (model b.in1k@224): '59.000' (top5) is less than its top1"),
    ],
)
def test_bad_results_are_named(tmp_path, text, expected):
    path = written(tmp_path, text)
    with pytest.raises(Problem) as problem:
        read(path, 10_000)
    assert str(problem.value).startswith(f"{path}: ")
    assert expected in str(problem.value)


def test_a_missing_file_and_an_impossible_number_of_images_are_named(tmp_path):
    with pytest.raises(Problem, match="no such file"):
        read(tmp_path / "none.csv", 10_000)
    for images in (0, 1_000_000):
        with pytest.raises(Problem, match=f"{images} images: only up to"):
            read(written(tmp_path, HEAD + ROWS), images)


@pytest.mark.parametrize("name", IMAGES)
def test_real_results_count_exactly_the_images_of_their_test_set(name):
    (path,) = real(f"timm-results/{name}")
    table = read(path, IMAGES[name])
    table = frame(table)
    assert len(table) == 1_556
    stated = pd.read_csv(path, thousands=",")
    for error in ("top1", "top5"):
        assert np.abs(table[f"test_{error}_error"] - stated[f"{error}_err"]).max() < 0.002
    if IMAGES[name] > 30_000:  # shares of fewer images are shares of one more only by chance
        with pytest.raises(Problem, match="is no share of"):
            read(path, IMAGES[name] + 1)


def test_real_results_of_imagenet_a_lack_one_model_of_the_others():
    original, new = real("timm-results/results-imagenet-a-clean.csv", "timm-results/results-imagenet-a.csv")
    tables = [frame(read(path, n)).set_index("model") for path, n in ((original, 10_000), (new, 7_500))]
    assert set(tables[0].index) ^ set(tables[1].index) == {"resnet50.tv_in1k@224", "resmlp_24_224.fb_dino@224"}
    assert len(paired(*tables, "top1_accuracy")) == 1_555


@pytest.mark.parametrize("images", [0, 90_910])
def test_images_that_cannot_be_counted_from_three_decimals_are_refused(tmp_path, images):
    with pytest.raises(Problem) as caught:
        read(written(tmp_path, HEAD + ROWS), images)
    said = f"{images} images: only up to 90,909 can be counted from three decimals"
    assert str(caught.value) == f"{tmp_path}/results.csv: {said}"


def test_a_single_image_and_the_most_are_counted(tmp_path):
    of_one = HEAD + "a.in1k,224,100.000,0,100.000,0,1,1,bicubic\n"
    assert read(written(tmp_path, of_one), 1)[0]["correct_top1"] == 1
    assert read(written(tmp_path, of_one), 90_909)[0]["correct_top1"] == 90_909
