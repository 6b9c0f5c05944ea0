import json

import numpy as np
import pandas as pd
import pytest
from fabricated import write_json
from figure_checks import same_points
from figure_studies import BOOTSTRAP, SIZES, TITLES, continuation, drawing, population, row, seeds, training, written

from apr.basics.files import digest_of
from apr.basics.problems import Problem
from apr.figures.runs.curves import draw_training_curves, read_curves
from apr.figures.runs.densities import draw_seed_densities
from apr.runs.metrics import part_of
from apr.runs.record import SCHEMA
from apr.scores.frames import read_repeats
from apr.scores.tested import Counts
from apr.statistics.ranks import spearman

# Figure A2: training curves


def write_run(path, task="long", model="a000", status="completed", epochs=4, rank=None, source_epochs=None):
    protocol = {"epochs": epochs, "seed": 1} | ({"initial": {"epochs": source_epochs}} if rank else {})
    done = epochs if status == "completed" else 2
    parts = [{"test": part_of(200, {"correct_top1": 50 + e, "correct_top5": 80 + e})} for e in range(1, done + 1)]
    history = [{"epoch": e, "parts": part} for e, part in enumerate(parts, start=1)]
    outcome = {"status": status, "epoch": done + (status == "diverged")}
    outcome["parts"] = parts[-1] if status == "completed" else {"test": part_of(200)}
    run = {
        "schema": SCHEMA,
        "task": task,
        "model": model,
        "seed": 1,
        "protocol": protocol,
        "fingerprint": digest_of(protocol),
    }
    write_json(path, run | {"outcome": outcome, "history": history} | ({"rank": rank} if rank else {}))
    return path


def test_curves_are_read_from_runs(tmp_path):
    paths = [
        write_run(tmp_path / "1.json"),
        write_run(tmp_path / "2.json", model="a001", status="diverged"),
        write_run(tmp_path / "3.json", task="lines", rank="worst2", source_epochs=3),
    ]
    curves = read_curves(paths, {"long": "top1_error", "lines": "top5_error"})
    first, second, third = (rows for _, rows in curves.groupby(["task", "model"], sort=False))
    assert first["value"].tolist() == [74.5, 74.0, 73.5, 73.0]
    assert first["resumed_after"].isna().all()
    assert second["epoch"].tolist() == [1, 2, 3]
    assert second["value"].fillna(-1).tolist() == [74.5, 74.0, -1]
    assert third["value"].tolist() == [59.5, 59.0, 58.5, 58.0]
    assert third[["rank", "resumed_after"]].drop_duplicates().values.tolist() == [["worst2", 3.0]]
    assert read_curves([], {}).empty


def test_a_run_that_was_evaluated_once_has_no_curve(tmp_path):
    path = write_run(tmp_path / "1.json")
    run = json.loads(path.read_text())
    for entry in run["history"][:-1]:
        del entry["parts"]["test"]
    path.write_text(json.dumps(run))
    with pytest.raises(Problem, match=r"1\.json: was evaluated after 1 of 4 epochs"):
        read_curves([path], {"long": "top1_error"})


@pytest.mark.parametrize("n", SIZES)
def test_curves_draw_their_numbers(n):
    drawn = drawing("curves", n)
    whole, zoomed, *continued = drawn.figure.axes
    first, second = (rows for _, rows in drawn.data.groupby("panel"))
    for ax, rows in ((whole, first), (zoomed, first[first["epoch"] >= 4])):
        drawn_points = np.concatenate([line.get_xydata() for line in ax.lines])
        assert same_points(drawn_points, rows[["epoch", "value"]].to_numpy())
    for ax, (_, rows) in zip(continued, second.groupby("task", sort=False), strict=True):
        lines = {line.get_gid(): line for line in ax.lines}
        for rank, run in rows.groupby("rank"):
            assert np.array_equal(lines[rank].get_ydata(), run["value"])
        start = next(line for line in ax.lines if line.get_gid() not in set(rows["rank"]))
        assert list(start.get_xdata()) == [4, 4]
        styles = {(rank.rstrip("12345"), str(lines[rank].get_linestyle())) for rank in set(rows["rank"])}
        assert len(styles) == 2
    final = first[first["epoch"] == 12].sort_values("value")
    highlighted = min(5, n // 4)
    assert (final["group"].iloc[:highlighted] == "best").all()
    assert (final["group"].iloc[n - highlighted :] == "worst").all()
    assert (final["group"].iloc[highlighted : n - highlighted] == "other").all()


def test_the_caption_says_whether_the_ranking_holds():
    errors = {"a": [30, 20, 10], "b": [31, 22, 11], "c": [32, 21, 12], "d": [10, 9, 13]}
    rows = [
        {"task": "long", "model": model, "epoch": epoch, "value": float(error)}
        for model, values in errors.items()
        for epoch, error in enumerate(values, start=1)
    ]
    caption = draw_training_curves(pd.DataFrame(rows), continuation(tasks=()), 1, TITLES).caption
    for epoch, swapped in ((1, 3), (2, 4)):
        early, last = ([values[e - 1] for values in errors.values()] for e in (epoch, 3))
        rho = f"{spearman(early, last, **BOOTSTRAP).rho:.2f}".replace("-", "−")
        assert f"- epoch {epoch}: ρ = {rho}; {swapped} of 6 pairs" in caption
    assert "(B)" not in caption
    continued = draw_training_curves(training(8), continuation(("lines",), each=2), 4, TITLES)
    assert "Lines, continued after epoch 4 to 10, 4 models: ρ = 1.00; 4 of 4 pairs" in continued.caption


def test_a_diverged_run_ends_early_and_is_marked():
    curves = training(8).copy()
    curves.loc[(curves["model"] == "a003") & (curves["epoch"] == 6), "value"] = np.nan
    curves = curves[(curves["model"] != "a003") | (curves["epoch"] <= 6)]
    drawn = draw_training_curves(curves, continuation(tasks=()), 4, TITLES)
    lines = {line.get_gid(): line for line in drawn.figure.axes[0].lines}
    assert lines["a003"].get_xdata().max() == 5
    assert lines["a003 diverged"].get_xdata() == [5]
    assert len(drawn.figure.axes) == 2
    assert "7 of 8 models that reached it" in drawn.caption
    assert "diverged" in drawn.caption
    assert "diverged" not in drawing("curves", 8).caption


def test_curves_that_cannot_be_drawn_are_a_problem():
    none = continuation(tasks=())
    with pytest.raises(Problem, match="zoom_from: 12"):
        draw_training_curves(training(8), none, 12, TITLES)
    with pytest.raises(Problem, match="long, photos"):
        draw_training_curves(pd.concat([training(8), training(8).assign(task="photos")]), none, 4, TITLES)
    with pytest.raises(Problem, match="none"):
        draw_training_curves(training(8).iloc[:0], none, 4, TITLES)


def _names(ax):
    return " ".join(text.get_text() for text in ax.texts)


def test_tasks_that_cannot_rank_the_models_are_marked():
    drawn = draw_training_curves(training(8), continuation(), 4, TITLES, {"long": Counts(30), "lines": Counts(2000)})
    assert [_names(ax).count("†") for ax in drawn.figure.axes] == [1, 1, 0, 0]
    assert "(Photos, long: its 8 models differ by no more than the noise of 30 test images" in drawn.caption
    drawn = draw_training_curves(training(8), continuation(), 4, TITLES, {"long": Counts(90_000), "lines": Counts(9)})
    assert [_names(ax).count("†") for ax in drawn.figure.axes] == [0, 0, 1, 0]
    assert "(Lines: its 10 models" in drawn.caption
    assert "†" not in drawing("curves", 8).caption
    repeated = seeds(a=(5, 12, 1), b=(3, 13, 1))
    marked = draw_seed_densities(repeated, population(8), TITLES, "photos", {"photos": Counts(500, 12.0)})
    assert marked.figure.axes[0].get_xlabel() == "Photos † error (%)"
    assert "models err as much as a guess (12.0 %) or more" in marked.caption
    clear = draw_seed_densities(repeated, population(8), TITLES, "photos", {"photos": Counts(90_000, 90.0)})
    assert "†" not in clear.caption


# Figure A3: densities over seeds


@pytest.mark.parametrize("n", SIZES)
def test_densities_are_normed_and_drawn(n):
    drawn = drawing("densities", n)
    lines = {line.get_gid(): line for line in drawn.figure.axes[0].lines}
    for group, rows in drawn.data[drawn.data["kind"] == "density"].groupby("group"):
        assert np.trapezoid(rows["density"], rows["value"]) == pytest.approx(1, abs=1e-3)
        assert rows["value"].between(0, 100).all()
        shown = rows[rows["value"].isin(lines[group].get_xdata())]
        assert np.array_equal(lines[group].get_ydata(), shown["density"])
        assert shown["density"].max() == rows["density"].max()
        runs = drawn.data[(drawn.data["kind"] == "run") & (drawn.data["group"] == group)]["value"]
        assert sorted(lines[f"{group} runs"].get_xdata()) == sorted(runs)
        assert list(lines[f"{group} quartiles"].get_xdata()) == pytest.approx(list(runs.quantile([0.25, 0.75])))
        label = f"{group}: {runs.mean():.2f} ± {runs.std():.2f} %, n = {len(runs)}"
        assert label in [text.get_text() for text in drawn.figure.legends[0].texts]


def test_the_overlap_is_that_of_the_two_normals():
    """Two normals of one SD whose means are 2 SD apart overlap by 2 Phi(-1) = 0.317."""
    repeated = seeds(a=(4000, 20, 1), b=(4000, 22, 1), c=(4000, 60, 1))
    caption = draw_seed_densities(repeated, population(500), TITLES, "photos").caption
    found = {tuple(line[2:].split(": ")[0].split(" and ")): line for line in caption.splitlines() if line[:2] == "- "}
    assert float(found["a", "b"].split(": ")[1]) == pytest.approx(0.317, abs=0.03)
    assert found["a", "c"].endswith(": 0.00")
    assert len(found) == 6


@pytest.mark.parametrize("n", [1, 3])
def test_equal_errors_are_a_line_without_an_overlap(n):
    drawn = draw_seed_densities(seeds(a=(n, 12, 0), b=(3, 12, 1)), population(8), TITLES, "photos")
    line = next(line for line in drawn.figure.axes[0].lines if line.get_gid() == "a")
    assert set(line.get_xdata()) == {12}
    assert "- a and b: undefined" in drawn.caption
    assert "- population and b: 0." in drawn.caption
    assert "nan" not in drawn.caption
    alone = draw_seed_densities(seeds(a=(n, 0, 0)), population(8) * 0, TITLES, "photos")
    low, high = alone.figure.axes[0].get_xlim()
    assert -0.1 < low < 0 < high


def test_errors_near_zero_have_no_density_below():
    repeated = seeds(a=(30, 0.2, 0.1)).assign(value=lambda rows: rows["value"].clip(lower=0))
    drawn = draw_seed_densities(repeated, population(8), TITLES, "photos")
    curve = drawn.data[(drawn.data["kind"] == "density") & (drawn.data["group"] == "a")]
    assert curve["value"].min() == 0
    assert np.trapezoid(curve["density"], curve["value"]) == pytest.approx(1)


def test_diverged_seeds_are_left_out_and_counted():
    repeated = seeds(a=(5, 12, 1), b=(3, 13, 1)).copy()
    repeated.loc[repeated.index[:2], "value"] = np.nan
    drawn = draw_seed_densities(repeated, population(8), TITLES, "photos")
    assert "Runs of a that diverged and are left out: 2." in drawn.caption
    assert "a: 3, b: 3" in drawn.caption
    lost = population(8).where(population(8).index != "a003")
    assert (
        "Runs of the population that diverged and are left out: 1."
        in draw_seed_densities(repeated, lost, TITLES, "photos").caption
    )
    with pytest.raises(Problem, match="none for: a, b"):
        draw_seed_densities(repeated.assign(value=np.nan), population(8), TITLES, "photos")
    with pytest.raises(Problem, match="population"):
        draw_seed_densities(repeated, population(8) * np.nan, TITLES, "photos")


def test_repeats_are_read_with_every_seed(tmp_path):
    rows = [row("NA", 1, 12.5), row("NA", 2, None), row("a122", 1, 0.0)]
    repeated = read_repeats(written(tmp_path / "seeds.csv", *rows))
    expected = pd.DataFrame({"model": ["NA", "NA", "a122"], "seed": [1.0, 2, 1], "value": [12.5, np.nan, 0.0]})
    pd.testing.assert_frame_equal(repeated, expected)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row("a122", 1, 3.0), r"model a122.*twice with one seed"),
        (row("a122", 2, 101.0), r"model a122.*value 101 is not from 100 to 0"),
        (row("a122", 2, None, status="completed"), "value is not there although the run completed"),
        (row("a122", 2, 3.0, status="lost"), "status 'lost' is not one of completed, diverged"),
        (row("a122", 2, 3.0) | {"value": "many"}, "value 'many' is not a number"),
        (row("a122", None, 3.0), "seed is not there"),
    ],
)
def test_impossible_repeats_are_refused(tmp_path, bad, reason):
    with pytest.raises(Problem, match=reason) as found:
        read_repeats(written(tmp_path / "seeds.csv", row("a122", 1, 12.5), bad))
    assert "seeds.csv" in str(found.value)


def test_a_missing_or_foreign_table_is_named(tmp_path):
    with pytest.raises(Problem, match="no such file"):
        read_repeats(tmp_path / "none.csv")
    for text, reason in (("", "is not a table"), ("a,b\n1,2\n", "laid out by an earlier version")):
        (tmp_path / "other.csv").write_text(text)
        with pytest.raises(Problem, match=reason):
            read_repeats(tmp_path / "other.csv")
