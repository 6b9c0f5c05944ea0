import pandas as pd
import pytest
from figure_studies import row, written

from apr.basics.problems import Problem
from apr.comparisons.shape import read_shape
from apr.runs.metrics import METRICS, part_of
from apr.scores.frames import complete, read_models, read_repeats, read_values, side_by_side
from apr.scores.table import NO, ranked_model, read_scores, score_row, write_scores

GOOD = row("a000", 0, 25.0)
DIVERGED = row("a001", 0, None)


def test_a_row_has_the_value_the_counts_and_every_other_part_and_metric(tmp_path):
    parts = {"test": part_of(200, {"correct_top1": 150, "correct_top5": 190})}
    parts |= {"train": part_of(80, {"correct_top1": 70}), "validation": part_of(10, {"correct_top1": 9})}
    made = score_row("a000", parts, METRICS["top5_error"], seed=3, guess=90.0, cell={"lr": 0.1})
    write_scores(tmp_path / "t.csv", [made])
    assert (tmp_path / "t.csv").read_text().splitlines()[0] == (
        "model,seed,cell_lr,status,n,value,correct_top1,correct_top5,test_top1_error,train_top5_error,train_top1_error,"
        "validation_top5_error,validation_top1_error,chosen,metric,guess,schema"
    )
    (read,) = read_scores(tmp_path / "t.csv")
    assert (read["value"], read["test_top1_error"], read["train_top1_error"]) == (5, 25, 12.5)
    assert (read["seed"], read["correct_top5"], read["train_top5_error"], read["cell_lr"]) == (3, 190, None, "0.1")


def test_reads_completed_and_diverged_models(tmp_path):
    table = read_models(written(tmp_path / "digits.csv", GOOD, DIVERGED))
    assert list(table.index) == ["a000", "a001"]
    assert table.loc["a000", "value"] == 25
    assert pd.isna(table.loc["a001", "value"])


def test_a_model_may_be_called_like_a_missing_value(tmp_path):
    path = written(tmp_path / "digits.csv", row("NA", 0, 25.0), row("007", 0, 25.0))
    assert list(read_models(path).index) == ["NA", "007"]


def test_only_the_cells_that_count_are_read_unless_all_are_asked_for(tmp_path):
    path = written(tmp_path / "t.csv", GOOD | {"cell_lr": 0.1}, GOOD | {"cell_lr": 0.2, "chosen": NO})
    assert [one["cell_lr"] for one in read_scores(path)] == ["0.1"]
    assert [one["chosen"] for one in read_scores(path, all_cells=True)] == ["yes", "no"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": 125}, ["row 3", "a000", "value 125", "not from 100 to 0"]),
        ({"test_top5_error": -1}, ["row 3", "test_top5_error -1", "not from 100 to 0"]),
        ({"value": "a lot"}, ["row 3", "value 'a lot'", "not a number"]),
        ({"n": "inf"}, ["row 3", "n 'inf'", "not a number"]),
        ({"value": None}, ["row 3", "value", "is not there although the run completed"]),
        ({"status": "done"}, ["row 3", "status 'done'", "completed, diverged"]),
        ({"metric": "top3_error"}, ["row 3", "metric 'top3_error'", "top1_error, top5_error"]),
        ({"metric": "top5_error"}, ["row 3", "metric 'top5_error'", "is not that of the first row, top1_error"]),
        ({"model": "a009"}, ["row 3", "a009", "twice"]),
    ],
)
def test_an_impossible_row_is_named(tmp_path, change, words):
    path = written(tmp_path / "digits.csv", row("a009", 0, 25.0), GOOD | change)
    with pytest.raises(Problem) as caught:
        read_models(path)
    assert all(word in str(caught.value) for word in [str(path), *words])


def test_another_layout_a_missing_column_an_empty_and_an_absent_file_are_named(tmp_path):
    with pytest.raises(Problem, match=r"new\.csv: is laid out number '2', this version reads number 1; delete it"):
        read_scores(written(tmp_path / "new.csv", GOOD | {"schema": 2}))
    path = written(tmp_path / "a.csv", GOOD)
    pd.read_csv(path).drop(columns="status").to_csv(path, index=False)
    with pytest.raises(Problem, match="lacks the column status"):
        read_scores(path)
    path.write_text("model,n,correct_top1,correct_top5,error,status\na000,8,6,,25,completed\n")
    with pytest.raises(Problem, match="laid out by an earlier version"):
        read_scores(path)
    path.write_text(written(path, GOOD).read_text() + "a001,1\n")
    with pytest.raises(Problem, match="row 3: does not have as many cells as columns"):
        read_scores(path)
    path.write_text("")
    with pytest.raises(Problem, match=r"a\.csv: is not a table"):
        read_scores(path)
    with pytest.raises(Problem, match=r"c\.csv: no such file"):
        read_scores(tmp_path / "c.csv")


def test_a_model_with_several_seeds_has_repeats_and_no_single_score(tmp_path):
    path = written(tmp_path / "seeds.csv", GOOD, row("a000", 1, 12.0))
    assert read_repeats(path)["value"].tolist() == [25, 12]
    with pytest.raises(Problem, match=r"seeds\.csv: model a000: has several runs that count"):
        read_models(path)


def test_ranks_follow_the_direction_of_the_metric(tmp_path):
    errors = [row(f"a{number}", 0, value) for number, value in enumerate([30.0, 10, 10, 20, None])]
    path = written(tmp_path / "t.csv", *errors)
    assert [ranked_model(path, rank) for rank in ("best1", "best2", "worst1", "worst2")] == ["a1", "a2", "a0", "a3"]
    with pytest.raises(Problem, match="4 completed runs are too few for best3"):
        ranked_model(path, "best3")
    turned = [one | {"metric": "top1_accuracy"} for one in errors]
    path = written(tmp_path / "t.csv", *turned)
    assert [ranked_model(path, rank) for rank in ("best1", "best2", "worst1", "worst2")] == ["a0", "a3", "a2", "a1"]


def test_align_keeps_models_that_completed_everywhere(tmp_path):
    first = read_models(written(tmp_path / "digits.csv", GOOD, DIVERGED, row("a002", 0, 25.0)))
    second = read_models(written(tmp_path / "faces.csv", GOOD, row("a001", 0, 25.0)))
    aligned = complete(side_by_side({"digits": first, "faces": second}), ["digits", "faces"])
    assert list(aligned.index) == ["a000"]
    assert list(aligned.columns) == ["digits", "faces"]


def test_values_take_the_tasks_from_the_files_and_keep_gaps(tmp_path):
    values = read_values([written(tmp_path / "digits.csv", GOOD, DIVERGED), written(tmp_path / "faces.csv", GOOD)])
    assert values.loc["a000"].tolist() == [25, 25]
    assert values.loc["a001"].isna().all()


def test_no_model_in_common_is_a_problem(tmp_path):
    paths = [written(tmp_path / "digits.csv", GOOD), written(tmp_path / "faces.csv", row("b000", 0, 25.0))]
    with pytest.raises(Problem, match=r"digits \(1\), faces \(1\)"):
        complete(read_values(paths), ["digits", "faces"])


def test_shape_needs_its_columns(tmp_path):
    path = tmp_path / "population.csv"
    path.write_text("id,cumulative_depth,cumulative_width\na000,17,912\n")
    assert read_shape(path).loc["a000"].tolist() == [17, 912]
    path.write_text("id,cumulative_depth\na000,17\n")
    with pytest.raises(Problem, match="cumulative_width"):
        read_shape(path)
