"""What tables refuse, word for word, and what they say of cases that no finished study has."""

import numpy as np
import pandas as pd
import pytest
import retest_figures as retests
import since_figures as since
from golden_studies import BOOTSTRAP, COUNTS, TITLES, reported

from apr.basics.problems import Problem
from apr.comparisons.answers.verdicts import BEYOND, OPEN, REVERSED, Section, answer_text, named, verdict, why_open
from apr.comparisons.descriptions import reference_table
from apr.comparisons.families import LINE, SINCE
from apr.comparisons.population_size import _least_from, population_size_table, population_sizes, rho_by_size
from apr.comparisons.retest_lines import lines_basis, lines_leave_out
from apr.comparisons.shape import read_population, read_shape, with_shape
from apr.comparisons.since import (
    change_in_words,
    clusters,
    dated_accuracies,
    drawn_line,
    family_distances,
    populations,
    to_scale,
)

NAN = float("nan")


def message(call, *arguments, **more):
    with pytest.raises(Problem) as caught:
        call(*arguments, **more)
    return str(caught.value)


# --- shapes ---

COLUMNS = "id,cumulative_depth,cumulative_width,x\n"
BAD = {
    "": "is not a table (No columns to parse from file); delete it and run again",
    "id,cumulative_width\na,1\n": "lacks the column cumulative_depth; delete it and run again",
    "name\na\n": "lacks the column id, cumulative_depth, cumulative_width; delete it and run again",
    f"{COLUMNS}a,1,2,3\nb,many,2,3\n": "row 3 (model b): cumulative_depth 'many' is not a number; delete it",
    f"{COLUMNS}a,1,2,3\nb,1,2,3\na,1,2,3\n": "row 4 (model a): id 'a' appears twice; delete it",
}


@pytest.mark.parametrize("text", BAD)
def test_populations_that_are_none(tmp_path, text):
    path = tmp_path / "p.csv"
    assert message(read_shape, path) == f"{path}: no such file; let Snakemake make it"
    path.write_text(text)
    assert message(read_shape, path) == f"{path}: {BAD[text]}"


def test_a_population_by_hand(tmp_path):
    (tmp_path / "p.csv").write_text(f"{COLUMNS}NA,1,2,3\n b\tc ,,4.5,x\n")
    found = read_shape(tmp_path / "p.csv")
    assert found.index.tolist() == ["NA", "b c"]
    assert found.columns.tolist() == ["cumulative_depth", "cumulative_width"]
    assert found.loc["NA"].tolist() == [1, 2]
    assert np.isnan(found.loc["b c", "cumulative_depth"])
    assert read_population(tmp_path / "p.csv", ["cumulative_width"])["cumulative_width"].tolist() == [2, 4.5]
    scores = pd.DataFrame({"t": [5.0, 6.0]}, ["b c", "NA"])
    assert with_shape(scores, found).loc["NA"].tolist() == [6, 1, 2]
    assert message(with_shape, pd.DataFrame({"t": [1.0] * 3}, ["NA", "z", "y"]), found) == (
        "results/population.csv: has no model y (2 of 3 models of the score tables are missing); the tables belong to "
        "another population: delete them and run again"
    )


# --- populations ---


def test_sizes_that_are_tried():
    assert population_sizes(4) == [3, 4]
    assert population_sizes(6) == [4, 5, 6]
    assert population_sizes(12) == [5, 6, 8, 10, 12]
    assert population_sizes(13) == [5, 6, 8, 10, 12, 13]
    tens = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80]
    assert population_sizes(1000) == [5, 6, 8, *tens, *(10 * size for size in tens), 1000]
    assert population_sizes(150)[-3:] == [100, 120, 150]


def test_a_size_is_enough_from_where_on_all_are():
    sizes = pd.Series([5, 8, 10, 12])
    assert _least_from(sizes, pd.Series([True, False, True, True])) == 10
    assert _least_from(sizes, pd.Series([True] * 4)) == 5
    assert _least_from(sizes, pd.Series([True, True, True, False])) is None


def test_no_sizes_and_no_pairs_are_refused():
    said = message(rho_by_size, reported(), "photos", "few", [], **BOOTSTRAP)
    assert said == "rho against population size: no size is given; give at least one"
    said = message(population_size_table, reported(), [], titles=TITLES, sizes=[4], counts=COUNTS, **BOOTSTRAP)
    assert said == "no pair of tasks to compare: give the study a target"


# --- networks ---


def test_networks_of_several_metrics_are_refused():
    scores = pd.DataFrame({"metric": ["top1_error", "auc"], "value": [1, 2], "status": "completed"}, ["a", "b"])
    networks = [{"name": "a"}, {"name": "b"}]
    assert message(reference_table, scores, networks, "Photos") == (
        "Photos: the networks' tasks report top1_error and auc; name tasks of one metric"
    )


# --- lines ---


def test_what_lines_leave_out_in_words():
    asked = [
        retests.retest(title="A", without=["m_1", "m_2"], probit_without=["m_1"]),
        retests.retest(title="B", without=["m_1", "m_2"]),
        retests.retest(title="C"),
    ]
    data = pd.DataFrame({"models": [9, 9, 9], "probit_n": [8, 8, 8]})
    assert lines_leave_out(data, asked) == (
        "Not in the lines: m_1, m_2 (A; B). Not in the probit lines: m_1 (A); 2 models with an accuracy of 0 or 100 %."
    )
    one = pd.DataFrame({"models": [9], "probit_n": [8]})
    assert lines_leave_out(one, asked[2:]) == (
        "All models are in the lines. Not in the probit lines: 1 model with an accuracy of 0 or 100 %."
    )
    none = pd.DataFrame({"models": [9], "probit_n": [9]})
    assert lines_leave_out(none, asked[2:]).endswith("All models are in the probit lines.")


def test_what_intervals_of_lines_are_of_in_words():
    start = "95 % percentile intervals of 2,000 bootstrap resamples of the models"
    known = pd.DataFrame({"orig_n": [10_000.0, 5000.0], "new_n": [2000.0, 2000.0]})
    noise = "binomial counts, whose noise is taken out of the slope and counts as common to all models in offset and "
    noise += "mean change"
    assert lines_basis([known], 2000) == f"{start} and of the test images (2,000 to 10,000): {noise}"
    some = "(2,000 to 10,000, where their numbers are known)"
    assert lines_basis([known, known.assign(new_n=NAN)], 2000) == f"{start} and of the test images {some}: {noise}"
    none = pd.DataFrame({"orig_acc": [1.0]})
    assert lines_basis([none], 2000) == f"{start} alone, since the numbers of test images are not known"


# --- models since ---


def points(groups, more_data=False, families=None, x=None):
    count = len(groups)
    return pd.DataFrame(
        {
            "orig_acc": x if x is not None else np.linspace(50, 60, count),
            "new_acc": np.linspace(40, 48, count),
            "weights": [f"w{number}" for number in range(count)],
            "family": families or [f"f{number}" for number in range(count)],
            "group": groups,
            "more_data": more_data,
        },
        [f"m{number}" for number in range(count)],
    )


def test_too_few_models_of_a_side_are_named(monkeypatch):
    few = "which is too few for a line; compare measured results of more models, or date them in "
    few += "resources/model_families.yaml"
    monkeypatch.setattr("apr.comparisons.since.with_families", lambda accuracies, families: accuracies)
    enough = points([LINE] * 3 + [SINCE] * 3)
    assert dated_accuracies(enough, None) is enough
    assert message(dated_accuracies, points([LINE] * 2 + [SINCE] * 3), None) == (
        f"2 models of the 2019 line are on both test sets, {few}"
    )
    same = points([LINE] * 3 + [SINCE] * 3, x=[50, 50, 50, 1, 2, 3])
    assert message(dated_accuracies, same, None).startswith("3 models of the 2019 line are on both")
    data = [False] * 4 + [True] * 2
    assert message(dated_accuracies, points([LINE] * 3 + [SINCE] * 3, data), None).startswith(
        "1 models of a family since"
    )
    assert (
        message(dated_accuracies, points([LINE] * 3 + [SINCE] * 3, data), None)
        .partition(" are on")[0]
        .endswith("ImageNet-1k")
    )


def test_models_of_nothing_and_all_have_no_place(monkeypatch):
    monkeypatch.setattr("apr.comparisons.since.dated", lambda names, families: pd.DataFrame({"group": "g"}, names))
    from apr.comparisons.since import with_families

    accuracies = pd.DataFrame(
        {"orig_acc": [0.0, 50, 99.9, 50, 100], "new_acc": [50, 100, 0.1, 0, 50], "orig_n": 1}, list("abcde")
    )
    found = with_families(accuracies, None)
    assert found.to_dict("index") == {"c": {"orig_acc": 99.9, "new_acc": 0.1, "group": "g"}}


def test_populations_since_go_by_their_data():
    found = populations(points([LINE, SINCE, SINCE], [False, True, False]))
    assert {name: mask.tolist() for name, mask in found.items()} == {
        "any": [False, True, True],
        "ImageNet-1k": [False, False, True],
    }


def test_weights_without_a_family_are_their_own():
    assert clusters(points([LINE] * 3, families=["f", "", "f"])).tolist() == ["f", "w1", "f"]


def test_scales():
    table = pd.DataFrame({"orig_acc": [50.0, 84.134474606854], "new_acc": [2.275013194818, 50]}, ["a", "b"])
    assert [one.tolist() for one in to_scale(table, "linear")] == [
        table["orig_acc"].tolist(),
        table["new_acc"].tolist(),
    ]
    assert np.concatenate(to_scale(table, "probit")) == pytest.approx([0, 1, -2, 0], abs=1e-9)


def test_drawn_lines_are_those_of_resampled_families_that_have_one():
    table = points([LINE] * 3, families=["a", "a", "b"], x=[1.0, 2.0, 4.0]).assign(new_acc=[3.0, 5.0, 9.0])
    drawn = drawn_line(table, "linear", 60, 0)
    assert 20 < len(drawn) < 60  # where b alone is drawn there is none
    assert drawn == pytest.approx(np.tile([1, 2], (len(drawn), 1)))


def test_a_family_that_is_not_everywhere_is_left_out_and_none_is_refused():
    few = {"resamples": 5, "seed": 0}
    said = message(family_distances, since.study(), 99, **few)
    assert said == "comparisons: since: no family has 99 weights on every test set; lower fewest, or add models"
    pairs = {name: points for name, points in since.study().items() if name != "dark"}
    first = next(iter(pairs))
    lacking = pairs | {first: pairs[first][pairs[first]["family"] != "Lifted"]}
    families = family_distances(pairs, 3, **few)["family"]
    assert set(families) - set(family_distances(lacking, 3, **few)["family"]) == {"Lifted"}


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.05, "no significant change (0.25 [0.10, 0.40], p = 0.050)"),
        (0.0499, "changed (0.25 [0.10, 0.40], p = 0.050)"),
        (0.001, "changed (0.25 [0.10, 0.40], p = 0.001)"),
        (0.0009, "changed (0.25 [0.10, 0.40], p < 0.001)"),
    ],
)
def test_a_change_in_words(p, words):
    row = {"slope_2019": 1.0, "slope_since": 1.25, "change": 0.25, "change_low": 0.1, "change_high": 0.4}
    assert change_in_words(pd.Series(row | {"change_p_holm": p})) == f"1.00 to 1.25, {words}"


# --- verdicts ---


def found(rho, low, high, p=0.01, n=9):
    return {"rho": rho, "low": low, "high": high, "p_holm": p, "n": n}


@pytest.mark.parametrize(
    ("row", "wanted", "why"),
    [
        (found(0.5, 0.1, 0.8), BEYOND, None),
        (found(-0.5, -0.8, -0.1), REVERSED, None),
        (found(0.5, 0, 0.8), OPEN, "ρ = 0.50 [0.00, 0.80] of 9 models: it may be chance"),
        (found(-0.5, -0.8, 0), OPEN, "ρ = −0.50 [−0.80, 0.00] of 9 models: it may be chance"),
        (found(0.5, 0.1, 0.8, 0.05), OPEN, "ρ = 0.50 [0.10, 0.80] of 9 models, p (Holm) = 0.05: it may be chance"),
        (found(0.5, NAN, NAN), OPEN, "ρ = 0.50 [no interval] of 9 models: it may be chance"),
        (found(0.5, 0.1, 0.8, NAN), OPEN, "ρ = 0.50 [0.10, 0.80] of 9 models, p (Holm) = undefined: it may be chance"),
        (found(NAN, NAN, NAN), OPEN, "ρ is undefined"),
        (found(0.5, 0.1, 0.8, NAN, 3), OPEN, "3 models, of at least 4"),
        (found(NAN, NAN, NAN, NAN, 4), OPEN, "ρ is undefined"),
    ],
)
def test_verdicts_and_why_they_are_open(row, wanted, why):
    assert verdict(row) == wanted
    assert why is None or why_open(row) == why


def test_sections_and_clauses():
    assert answer_text([Section("What?", ("one.", "two.")), Section("Why?", ("three.",))]) == (
        "What?\n\n- one.\n- two.\n\nWhy?\n\n- three."
    )
    assert named("abcde") == "a; b; c; d; e"
    assert named("abcdefg") == "a; b; c; d; e; 2 more"
    assert named([]) == ""
