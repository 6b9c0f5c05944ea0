import pandas as pd
import pytest

from apr.basics.problems import Problem
from apr.comparisons.shape import read_shape
from apr.scores.frames import align, complete, read_models, read_values

HEADER = "model,n,correct_top1,correct_top5,error,top1_error,top5_error,train_error,status,seed"
GOOD = "a000,200,150,,25,25,,12.5,completed,0"
DIVERGED = "a001,200,,,,,,,diverged,0"


def write(path, *rows, header=HEADER):
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def test_reads_completed_and_diverged_models(tmp_path):
    table = read_models(write(tmp_path / "digits.csv", GOOD, DIVERGED))
    assert list(table.index) == ["a000", "a001"]
    assert table.loc["a000", "error"] == 25
    assert pd.isna(table.loc["a001", "error"])


def test_a_model_may_be_called_like_a_missing_value(tmp_path):
    table = read_models(write(tmp_path / "digits.csv", GOOD.replace("a000", "NA"), GOOD.replace("a000", "007")))
    assert list(table.index) == ["NA", "007"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (GOOD.replace(",25,25", ",125,25"), ["row 3", "a000", "error 125", "percentage"]),
        (GOOD.replace("12.5", "-1"), ["row 3", "train_error -1", "percentage"]),
        (GOOD.replace(",25,25", ",a lot,25"), ["row 3", "error 'a lot'", "not a number"]),
        (GOOD.replace(",25,25", ",,25"), ["row 3", "error", "no value although the run completed"]),
        (GOOD.replace("completed", "done"), ["row 3", "status 'done'", "completed, diverged"]),
        (GOOD.replace("a000", "a009"), ["row 3", "a009", "twice"]),
    ],
)
def test_an_impossible_row_is_named(tmp_path, row, words):
    path = write(tmp_path / "digits.csv", GOOD.replace("a000", "a009"), row)
    with pytest.raises(Problem) as caught:
        read_models(path)
    assert all(word in str(caught.value) for word in [str(path), *words])


def test_a_missing_column_an_empty_and_an_absent_file_are_named(tmp_path):
    with pytest.raises(Problem, match="lacks the column top5_error"):
        read_models(write(tmp_path / "a.csv", header=HEADER.replace("top5_error,", "")))
    (tmp_path / "b.csv").write_text("", encoding="utf-8")
    with pytest.raises(Problem, match=r"b\.csv: is not a table"):
        read_models(tmp_path / "b.csv")
    with pytest.raises(Problem, match=r"c\.csv: no such file"):
        read_models(tmp_path / "c.csv")


def test_align_keeps_models_that_completed_everywhere(tmp_path):
    first = read_models(write(tmp_path / "digits.csv", GOOD, DIVERGED, GOOD.replace("a000", "a002")))
    second = read_models(write(tmp_path / "faces.csv", GOOD, GOOD.replace("a000", "a001")))
    aligned = align({"digits": first, "faces": second})
    assert list(aligned.index) == ["a000"]
    assert list(aligned.columns) == ["digits", "faces"]


def test_reported_errors_take_the_tasks_from_the_files_and_keep_gaps(tmp_path):
    paths = [write(tmp_path / "digits.csv", GOOD, DIVERGED), write(tmp_path / "faces.csv", GOOD)]
    scores = read_values(paths)
    assert scores.loc["a000"].tolist() == [25, 25]
    assert scores.loc["a001"].isna().all()


def test_no_model_in_common_is_a_problem(tmp_path):
    paths = [write(tmp_path / "digits.csv", GOOD), write(tmp_path / "faces.csv", GOOD.replace("a000", "b000"))]
    with pytest.raises(Problem, match=r"digits \(1\), faces \(1\)"):
        complete(read_values(paths), ["digits", "faces"])


def test_shape_needs_its_columns(tmp_path):
    path = write(tmp_path / "population.csv", "a000,17,912", header="id,cumulative_depth,cumulative_width")
    assert read_shape(path).loc["a000"].tolist() == [17, 912]
    with pytest.raises(Problem, match="cumulative_width"):
        read_shape(write(path, "a000,17", header="id,cumulative_depth"))
