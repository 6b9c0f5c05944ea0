import pytest

from apr.scores.chosen import choose


def run(model, lr, seed, validation, value=50.0, metric="top1_accuracy"):
    row = {"model": model, "seed": seed, "cell_lr": lr, "cell_seed": seed, "status": "completed", "value": value}
    return row | {"metric": metric, f"validation_{metric}": validation}


def chosen(rows, by="validation"):
    return [(row["model"], row["cell_lr"], row["seed"]) for row in choose(rows, by) if row["chosen"] == "yes"]


def test_of_each_model_the_cell_counts_that_is_best_on_the_part_and_the_rest_stays_visible():
    rows = [run("a", 0.1, 1, 60, value=10), run("a", 0.2, 1, 59, value=90), run("b", 0.1, 1, 50), run("b", 0.2, 1, 70)]
    assert chosen(rows) == [("a", 0.1, 1), ("b", 0.2, 1)]
    assert [row["chosen"] for row in choose(rows, "validation")] == ["yes", "no", "no", "yes"]
    assert chosen(rows, by="test") == [("a", 0.2, 1), ("b", 0.1, 1)]


def test_the_direction_is_the_metrics():
    rows = [run("a", lr, 1, value, metric="top1_error") for lr, value in ((0.1, 30), (0.2, 20), (0.3, 25))]
    assert chosen(rows) == [("a", 0.2, 1)]


def test_seeds_are_averaged_and_all_those_of_the_chosen_cell_count():
    values = {(0.1, 1): 80, (0.1, 2): 50, (0.2, 1): 70, (0.2, 2): 66}
    assert chosen([run("a", *cell, value) for cell, value in values.items()]) == [("a", 0.2, 1), ("a", 0.2, 2)]


def test_a_cell_with_a_diverged_run_is_the_last_choice_and_of_equal_ones_the_first_counts():
    assert chosen([run("a", 0.1, 1, None), run("a", 0.2, 1, 1)]) == [("a", 0.2, 1)]
    assert chosen([run("a", 0.1, 1, None), run("a", 0.2, 1, None)]) == [("a", 0.1, 1)]
    assert chosen([run("a", 0.1, 1, 5), run("a", 0.2, 1, 5)]) == [("a", 0.1, 1)]


def test_without_a_choice_all_cells_count_and_an_unknown_part_is_refused():
    rows = [run("a", 0.1, 1, 60), run("a", 0.2, 1, 50)]
    assert len(chosen(rows, by=None)) == 2
    assert choose([], "validation") == []
    with pytest.raises(ValueError, match="no run has the part holdout"):
        choose(rows, "holdout")


def test_a_dropped_cell_is_no_choice_however_good_it_was_and_the_last_one_where_none_ended():
    early = run("a", 0.1, 1, 99) | {"status": "dropped", "value": None}
    assert chosen([early, run("a", 0.2, 1, 5)]) == [("a", 0.2, 1)]
    diverged = run("a", 0.2, 1, None, value=None) | {"status": "diverged"}
    assert chosen([early, diverged]) == [("a", 0.2, 1)]


def test_runs_of_the_chosen_cell_count_and_choose_nothing():
    rows = [run("a", 0.1, 1, 60), run("a", 0.2, 1, 61), run("a", 0.2, 7, 1), run("a", 0.2, 8, 2)]
    assert [row["chosen"] for row in choose(rows, "validation", {2, 3})] == ["no", "yes", "yes", "yes"]
