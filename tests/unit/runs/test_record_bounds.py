"""Runs at the bounds of what can be: nobody right, everybody right, one image; ranks with just enough models."""

import pytest
from test_runs import a_run

from apr.basics.files import write_json
from apr.basics.problems import Problem
from apr.runs.record import ranked_model, read_run


@pytest.mark.parametrize(
    ("n", "top1", "top5", "fits"),
    [(8, 0, 0, True), (8, 8, 8, True), (1, 0, None, True), (0, 0, 0, False), (8, -1, 0, False), (8, 5, 4, False)],
)
def test_counts_from_none_to_all_are_possible(tmp_path, n, top1, top5, fits):
    run = a_run(n=n, correct_top1=top1, correct_top5=top5)
    write_json(tmp_path / "a000.json", run)
    if fits:
        assert read_run(tmp_path / "a000.json") == run
    else:
        with pytest.raises(Problem, match="impossible counts"):
            read_run(tmp_path / "a000.json")


def test_best_and_worst_are_halves_at_most_and_ties_go_by_id(tmp_path):
    table = tmp_path / "t.csv"
    rows = ["a3,completed,9.5", "a1,completed,10", "a2,completed,10", "a0,completed,30", "a4,diverged,"]
    table.write_text("\n".join(["model,status,error", *rows]) + "\n")
    found = {rank: ranked_model(table, rank) for rank in ("best1", "best2", "worst1", "worst2")}
    assert found == {"best1": "a3", "best2": "a1", "worst1": "a0", "worst2": "a2"}
    with pytest.raises(Problem, match=r"t.csv: 4 completed runs are too few for best3; lower the task's ranks"):
        ranked_model(table, "best3")
