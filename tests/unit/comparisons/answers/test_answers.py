"""The answer of a study: what it says, where it can say nothing, and that it is that of the tables."""

import numpy as np
import pandas as pd
import pytest
import retest_figures
from golden import checked

from apr.comparisons.answers.lines import lines_section, since_section
from apr.comparisons.answers.rankings import rankings_section
from apr.comparisons.answers.reference import reference_section
from apr.comparisons.answers.study import study_answer
from apr.comparisons.answers.verdicts import answer_text, save_answer
from apr.comparisons.correlations import correlation_table
from apr.comparisons.rankings import ranked_pairs
from apr.comparisons.regret import regret_table
from apr.comparisons.retest_accuracies import retest_table
from apr.comparisons.retest_lines import retest_lines
from apr.comparisons.table import write_csv
from apr.comparisons.wording import with_interval
from apr.scores.tested import Counts

BOOTSTRAP = {"resamples": 300, "seed": 0}
TASKS = ("photos", "few", "digits", "tissues", "faces")
TITLES = {task: task.capitalize() for task in TASKS}
METRICS = dict.fromkeys(TASKS, "top1_error")
CLOSEST = {"digits": "few", "tissues": "few"}
NO_PARTS: dict[str, dict] = {part: {} for part in ("reference", "rankings", "lines", "transfer")}


def tables(n):
    """Tables of so many models: digits follows photos, tissues goes against it, faces is guessed."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=n)
    noise = rng.normal(size=(n, 4))
    scores = {"photos": 40 + 5 * z, "few": 20 + 3 * z + noise[:, 0], "digits": 30 + 3 * z + noise[:, 1]}
    scores |= {"tissues": 30 - 3 * z + noise[:, 2], "faces": 80 + noise[:, 3] / 5}
    scores = pd.DataFrame(scores, [f"a{number:03}" for number in range(n)])
    counts = dict.fromkeys(("photos", "few", "digits", "tissues"), Counts(2000, 90.0)) | {"faces": Counts(60, 80.0)}
    targets = ["digits", "tissues", "faces"]
    correlations = correlation_table(scores, "photos", targets, CLOSEST, TITLES, **BOOTSTRAP, counts=counts)
    regret = regret_table(scores, "photos", targets, CLOSEST, [1, 3], TITLES, **BOOTSTRAP, counts=counts)
    return correlations.data, regret.data


def reference(correlations, regret):
    return reference_section(correlations, regret, "photos", TITLES, METRICS)


def test_the_answer_says_what_agrees_what_is_reversed_what_is_open_and_what_it_costs():
    correlations, regret = tables(60)
    agreement, _, cost = reference(correlations, regret).lines
    rows = correlations.set_index("target")
    rho = {task: with_interval(*rows.loc[task, ["rho", "low", "high"]], 2) for task in ("digits", "tissues")}
    assert agreement.startswith(f"Yes, beyond chance, on 1 of 3: Digits (ρ = {rho['digits']}).")
    assert f"Reversed on 1: Tissues (ρ = {rho['tissues']})." in agreement
    assert "No answer for 1: Faces (60 of 60 models err as much as a guess (80.0 %)" in agreement
    taken = regret[(regret["target"] == "tissues") & (regret["chosen_on"] == "photos") & (regret["k"] == 1)].iloc[0]
    lost = with_interval(*taken[["regret", "low", "high"]], 1)
    assert f"Tissues {lost} error points, a model taken at random {taken['random']:.1f}" in cost
    assert "Faces" not in cost


def test_too_few_models_or_an_interval_that_holds_nothing_are_no_answer():
    correlations, regret = tables(60)
    wide = correlations.assign(weak=np.nan, low=-0.4, high=0.5)
    agreement, *_ = reference(wide[wide["target"] != "mean"], regret).lines
    assert agreement.startswith("No answer can be given: Digits (ρ = ")
    assert "[−0.40, 0.50] of 60 models: it may be chance" in agreement
    few = correlations.assign(weak=np.nan, n=3, low=np.nan, high=np.nan)
    assert "Digits (3 models, of at least 4)" in reference(few, regret).lines[0]
    corrected = correlations.assign(weak=np.nan, p_holm=0.2)
    assert "p (Holm) = 0.20: it may be chance" in reference(corrected, regret).lines[0]


def test_losses_of_few_models_have_no_interval_and_weak_targets_none_at_all():
    correlations, regret = tables(8)
    cost = reference(correlations, regret).lines[-1]
    assert "Of 8 models such losses have no interval to trust." in cost
    assert "[" not in cost
    weak = reference(correlations, regret.assign(weak="all alike")).lines[-1]
    assert weak == "What choosing on Photos costs cannot be said: no target can rank the models."
    assert len(reference(correlations, regret[regret["k"] > 1]).lines) == 2


def test_the_closest_subset_is_judged_by_its_gain():
    correlations, regret = tables(60)
    gains = correlations.assign(gain=0.3, gain_low=[0.1, -0.2, np.nan, np.nan])
    assert "ranks them better on 1 of 2 (Digits by Few, ρ 0.30 higher)" in reference(gains, regret).lines[1]
    losses = correlations.assign(gain=-0.3, gain_high=[-0.1, 0.2, np.nan, np.nan])
    assert "ranks them worse on 1 of 2 (Digits by Few, ρ 0.30 lower)" in reference(losses, regret).lines[1]
    none = correlations.assign(gain_low=-1.0, gain_high=1.0)
    assert "of 2 differences of ρ none is beyond chance" in reference(none, regret).lines[1]
    alone = correlations.assign(closest="")
    assert len(reference(alone, regret).lines) == 2


@pytest.mark.parametrize(("n", "says"), [(60, "beyond chance on 2 of 3 pairs"), (3, "no answer, on none of 3 pairs")])
def test_rankings_are_counted(n, says):
    rng = np.random.default_rng(1)
    z = rng.normal(size=n)
    scores = pd.DataFrame({"photos": z, "digits": z + rng.normal(size=n) / 3, "tissues": z + rng.normal(size=n) / 3})
    scores["faces"] = np.tile([1.0, 2.0], n)[:n]
    pairs = [["photos", task] for task in ("digits", "tissues", "faces")]
    ranking = {"name": "r", "title": "All", "pairs": pairs, "above": None, "within": [], "draws": None}
    ranking |= {"range_corrected": False, "by_family": False}
    found = ranked_pairs(scores, ranking, **BOOTSTRAP)
    (line,) = rankings_section({"r": found}, [ranking], TITLES).lines
    assert line.startswith(f"All: {says}")
    if n == 60:
        assert f"median ρ {found['rho'].median():.2f}, least " in line
        assert "(Photos and Faces)" in line


def test_a_single_pair_without_an_answer_says_why():
    row = {"x_task": "photos", "y_task": "digits", "n": 9, "rho": 0.2, "low": -0.5, "high": 0.7, "p_holm": 0.6}
    (line,) = rankings_section({"r": pd.DataFrame([row])}, [{"name": "r", "title": "T", "above": 70}], TITLES).lines
    assert line == "T: no answer, ρ = 0.20 [−0.50, 0.70] of 9 models: it may be chance."


def lines():
    accuracies, retest = retest_figures.pair(8), retest_figures.retest(title="New set")
    slopes = retest_lines({retest["name"]: accuracies}, [retest], **BOOTSTRAP)
    return slopes, {retest["name"]: retest_table(accuracies, retest, {"old": "Old", "new": "New"}).data}, [retest]


def test_lines_say_change_slope_and_what_the_best_loses():
    slopes, models, retests = lines()
    (table,) = models.values()
    row = slopes.iloc[0]
    change, slope, choice = lines_section(slopes, models, retests).lines
    assert with_interval(row["change"], row["change_low"], row["change_high"], 1) in change
    assert with_interval(row["slope"], row["slope_low"], row["slope_high"], 2) in slope
    best = table.loc[table["orig_rank"] == 1, "new_acc"].item() == table["new_acc"].max()
    assert choice.startswith(f"Taking the best on the original costs {'nothing on 1' if best else 'at most'}")


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ([72.5, 70.0], [60.0, 55.0], "costs nothing on 2 of 2."),
        ([70.0, 72.5], [60.0, 55.0], "costs nothing on 1 of 2; at most 2.5 points, on One."),
        ([70.0, 72.5], [50.0, 55.0], "costs at most 5.0 points, on Two."),
    ],
)
def test_what_the_best_on_the_original_loses_is_read_off_the_tables(first, second, says):
    slopes, _, _ = lines()
    models = {name: pd.DataFrame({"orig_rank": [1, 2], "new_acc": new}) for name, new in (("a", first), ("b", second))}
    retests = [{"name": "a", "title": "One"}, {"name": "b", "title": "Two"}]
    found = lines_section(slopes.assign(retest="a"), models, retests).lines[-1]
    assert found == f"Taking the best on the original {says}"


def test_lines_that_hold_nothing_are_no_answer():
    slopes, models, retests = lines()
    open_ones = slopes.assign(change_low=-1.0, change_high=1.0, slope_low=np.nan, slope_high=np.nan)
    change, slope, _ = lines_section(open_ones, models, retests).lines
    assert change.startswith("No answer for 1, whose interval holds 0 or is not known")
    assert slope.startswith("No answer for 1, whose interval holds 1 or is not known")


def test_models_since_are_judged_by_the_main_row_of_their_table():
    main = {"retest": "real", "scale": "probit", "line": "measured", "data": "any", "slope_2019": 0.98}
    main |= {"slope_since": 0.84, "change": -0.14, "change_low": -0.19, "change_high": -0.07, "change_p_holm": 0.001}
    rows = pd.DataFrame([main, main | {"scale": "linear", "change_p_holm": 0.9}])
    (line,) = since_section(rows, [{"name": "real", "title": "ReaL"}]).lines
    assert line == "Slopes: ReaL 0.98 to 0.84, changed (−0.14 [−0.19, −0.07], p = 0.001)."


def test_a_studys_answer_is_that_of_its_tables_on_disk(tmp_path):
    frames = tables(60)
    paths = [tmp_path / "correlations.csv", tmp_path / "regret.csv"]
    for path, frame in zip(paths, frames, strict=True):
        write_csv(path, frame)
    part = {"tables": paths, "reference": "photos", "titles": TITLES, "metrics": METRICS}
    text = study_answer(**NO_PARTS | {"reference": part})
    assert text == answer_text([reference(*frames)])
    assert 3 <= len(text.splitlines()) <= 6


def test_a_study_of_rankings_and_lines_answers_each_in_turn(tmp_path):
    found, ranking = ranked()
    slopes, models, retests = lines()
    since = {"retest": "real", "scale": "probit", "line": "measured", "data": "any", "slope_2019": 0.98}
    since |= {"slope_since": 0.84, "change": -0.14, "change_low": -0.19, "change_high": -0.07, "change_p_holm": 0.001}
    (model_table,) = models.values()
    frames = {"r": found["r"], "slopes": slopes, "models": model_table, "since": pd.DataFrame([since])}
    paths = {name: tmp_path / f"{name}.csv" for name in frames}
    for name, frame in frames.items():
        write_csv(paths[name], frame)
    measured = [{"name": "real", "title": "ReaL"}]
    asked = {"slopes": [paths["slopes"]], "models": [paths["models"]], "since": [paths["since"]], "measured": measured}
    rankings = {"tables": [paths["r"]], "rankings": ranking, "titles": TITLES}
    sections = [rankings_section(found, ranking, TITLES), lines_section(slopes, models, retests)]
    sections.append(since_section(frames["since"], measured))
    said = study_answer(**NO_PARTS | {"rankings": rankings, "lines": asked | {"retests": retests}})
    assert said == answer_text(sections)
    assert study_answer(**NO_PARTS) == ""


def test_an_answer_is_plain_for_terminals_and_escaped_for_the_report(tmp_path):
    save_answer("Which?\n\n- tf_net_1: \x1b[2Jyes *now*.", tmp_path / "answer.txt", tmp_path / "answer.rst")
    assert (tmp_path / "answer.txt").read_text() == "Which?\n\n- tf_net_1: �[2Jyes *now*.\n"
    assert r"\*now\*" in (tmp_path / "answer.rst").read_text()


def ranked(**changed):
    """The numbers of three pairs of 60 models, one reversed and one that says nothing."""
    rng = np.random.default_rng(2)
    z = rng.normal(size=60)
    scores = pd.DataFrame({"photos": z, "digits": z + rng.normal(size=60), "tissues": rng.normal(size=60) - z})
    scores["faces"] = rng.normal(size=60)
    pairs = [["photos", task] for task in ("digits", "tissues", "faces")]
    ranking = {"name": "r", "title": "All", "pairs": pairs, "above": None, "within": [], "draws": None}
    ranking |= {"range_corrected": False, "by_family": False} | changed
    return {"r": ranked_pairs(scores, ranking, **BOOTSTRAP)}, [ranking]


def test_answers_are_what_they_were():
    """Every sentence: of tables with all kinds of targets, of few models, of rankings, lines and models since."""
    sections = [reference(*tables(n)) for n in (60, 30, 8)]
    found, ranking = ranked()
    sections.append(rankings_section(found, ranking, TITLES))
    found, ranking = ranked(above=0.2)
    sections.append(rankings_section(found, ranking, TITLES))
    for low in (20, 55):
        accuracies, retest = retest_figures.pair(9, low=low), retest_figures.retest(title="New set")
        slopes = retest_lines({retest["name"]: accuracies}, [retest], **BOOTSTRAP)
        table = retest_table(accuracies, retest, {"old": "Old", "new": "New"}).data
        sections.append(lines_section(slopes, {retest["name"]: table}, [retest]))
    drawn, entries = retest_figures.several(3)
    slopes = retest_lines(drawn, entries, **BOOTSTRAP)
    models = {one["name"]: retest_table(drawn[one["name"]], one, retest_figures.TITLES).data for one in entries}
    sections.append(lines_section(slopes, models, entries))
    since = {"retest": "real", "scale": "probit", "line": "measured", "data": "any", "slope_2019": 0.98}
    since |= {"slope_since": 0.95, "change": -0.03, "change_low": -0.1, "change_high": 0.05, "change_p_holm": 0.3}
    names = [f"set_{number}" for number in range(7)]
    rows = pd.DataFrame([since | {"retest": name} for name in names])
    sections.append(since_section(rows, [{"name": name, "title": name.title()} for name in names]))
    checked("answers", answer_text(sections) + "\n")
