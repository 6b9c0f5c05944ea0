"""Figures of very many or very few models and tasks, as text: what they were when somebody looked at them."""

import json
import re
import textwrap
from functools import cache

import numpy as np
import pandas as pd
import pytest
import retest_figures as retests
import since_figures as since
from figure_studies import OTHER_SPACE, continuation, pictures, seeds, training
from figure_studies import TITLES as TRAINED
from golden import checked, figure_text
from golden_studies import BOOTSTRAP, MODELS, genes
from matplotlib.figure import Figure

from apr.basics.problems import Problem
from apr.figures.explorer.page import _charts
from apr.figures.grid import Grid
from apr.figures.lines.retest import draw_retest
from apr.figures.lines.since import draw_since
from apr.figures.lines.slopes import draw_retest_slopes
from apr.figures.ranks import multiples
from apr.figures.ranks.best_shapes import draw_best_shapes
from apr.figures.ranks.heat_map import draw_heat_map
from apr.figures.ranks.multiples import draw_multiples
from apr.figures.ranks.pairs import _write_rho, draw_all_pairs
from apr.figures.ranks.pretrained import draw_pretrained
from apr.figures.ranks.regret import draw_selection_regret
from apr.figures.ranks.size import draw_rho_vs_population
from apr.figures.runs.balanced import draw_balanced
from apr.figures.runs.curves import draw_training_curves
from apr.figures.runs.densities import draw_seed_densities
from apr.figures.runs.design_space import draw_design_space
from apr.figures.style import INK, shortened
from apr.runs.metrics import METRICS
from apr.scores.tested import Counts
from apr.statistics.ranks import Correlation

NAMES = [f"t{number:02}" for number in range(19)]
TITLES = {name: f"Task {name}" for name in NAMES} | {"t03": "A task of a name that is much too long for any cell" * 2}
COUNTS = {"t00": Counts(90, 50.0, METRICS["top1_accuracy"]), "t02": Counts(100, 50.0, METRICS["auc"])}
ALIKE = dict.fromkeys(NAMES, Counts(400, 50.0, METRICS["top1_accuracy"]))
RANKING = {"name": "own", "title": "Of all", "above": None, "within": [], "draws": None, "range_corrected": False}
RANKING |= {"by_family": False, "matrix": True}


@cache
def scores(models=12):
    """Accuracies (%) on many tasks; all models are alike on the second."""
    rng = np.random.default_rng(9)
    z = rng.normal(size=(models, 1))
    table = pd.DataFrame(60 + 5 * z * np.linspace(-1, 2, 19) + rng.normal(size=(models, 19)), columns=NAMES).round(2)
    table["t01"] = 50.0
    table.index = MODELS[:models] if models <= 12 else [f"a{number:03}" for number in range(models)]
    return table


def pairs(count, of=("t00", "t04", "t05", "t06", "t07", "t08", "t09", "t10")):
    return [[x, y] for x in of for y in NAMES if x < y][:count]


def at_an_end():
    """Models of which one alone has a place on the probit scale."""
    accuracies = retests.pair(4).copy()
    accuracies["orig_acc"] = [100.0, 100.0, 100.0, 50.0]
    return accuracies


def of_five():
    found = {f"{name}{number}": points for number in range(3) for name, points in since.study().items()}
    names = list(found)[:5]
    asked = [since.RETESTS[0] | {"name": name, "title": name.title(), "new": name} for name in names]
    titles = since.TITLES | {name: name.title() for name in names}
    return draw_since({name: found[name] for name in names}, asked, titles, [], "probit", resamples=20, seed=0)


def lost():
    """Curves of few models, of which two diverge, one of them at once."""
    found = training(8).copy()
    found.loc[(found["model"] == "a001") & (found["epoch"] >= 9), "value"] = np.nan
    found.loc[found["model"] == "a002", "value"] = np.nan
    return found[found["model"].isin(["a000", "a001", "a002", "a003", "a004"])]


def of_equal(values=(50.0, 50.0, 50.0)):
    repeated = pd.DataFrame({"model": ["a", "a", "b"], "seed": [1, 2, 1], "value": [values[0], values[0], values[1]]})
    return repeated, pd.Series([values[2]] * 3 + [np.nan], list("wxyz"))


def tied():
    table = scores().copy()
    table["t00"] = [50.0, 50.0, 40.0, *range(40, 31, -1)]
    return table


CLASSES = {"t00": {f"class {n}": 300 - 9 * (n % 20) for n in range(31)}}
CLASSES["t04"] = dict.fromkeys(CLASSES["t00"], 30)
GUESSED = {"long": Counts(90, 50.0)}
TARGETS = ["t04", "t05"]
WORDS = "slope, offset, probit_slope, probit_offset, change, models"
MORE = {"titles": TITLES, **BOOTSTRAP}
FEW = {"titles": TITLES, "resamples": 5, "seed": 0}
DRAWN = {
    "edges_heat_map": lambda: draw_heat_map(scores(), RANKING | {"pairs": pairs(16)}, **FEW, counts=COUNTS),
    "edges_pairs": lambda: draw_all_pairs(scores(), NAMES[:4], **MORE, counts=COUNTS),
    "edges_multiples": lambda: draw_multiples(scores(), RANKING | {"pairs": pairs(21)}, **FEW, counts=ALIKE),
    "edges_of_many_models": lambda: draw_multiples(scores(1001), RANKING | {"pairs": pairs(3)}, **FEW, counts=COUNTS),
    "edges_retest": lambda: draw_retest(at_an_end(), retests.retest(), retests.TITLES, **BOOTSTRAP),
    "edges_retest_none": lambda: draw_retest(at_an_end().iloc[:3], retests.retest(), retests.TITLES, **BOOTSTRAP),
    "edges_since": of_five,
    "edges_curves": lambda: draw_training_curves(
        lost(), continuation().iloc[:0], 3, TRAINED, {"long": Counts(90, 50.0)}
    ),
    "edges_densities": lambda: draw_seed_densities(*of_equal(), TITLES, "t00", COUNTS),
    "edges_densities_of_some": lambda: draw_seed_densities(
        seeds(a147=(9, 60.9, 0.3), a122=(9, 14.5, 0.5)), of_equal((1, 1, 30.0))[1], TITLES, "t02", COUNTS
    ),
    "edges_best_shapes": lambda: draw_best_shapes(tied(), genes(), ["t00", "t04"], 3, TITLES, ALIKE),
    "edges_balanced": lambda: draw_balanced(CLASSES, scores(), [("t00", "t04")], TITLES, **BOOTSTRAP, tested=COUNTS),
    "edges_size": lambda: draw_rho_vs_population(scores(), [("t00", "t01"), ("t00", "t04")], sizes=[4, 12], **MORE),
    "edges_regret": lambda: draw_selection_regret(
        scores(), "t00", ["t04", "t05"], {"t04": "t06"}, **MORE, counts=ALIKE
    ),
    "edges_design_space": lambda: draw_design_space(pictures(5), OTHER_SPACE | {"group_width": list(range(1, 40, 2))}),
}


@pytest.mark.parametrize(
    ("cell", "rho", "low", "high", "wanted"),
    [
        (100, 0.61, 0.1, 0.8, [("0.61", 9, "bold", "white"), ("[0.10, 0.80]", 6.5, "normal", "white")]),
        (30, -0.6, -0.9, 0.1, [("−0.60", 30 / 4.2, "normal", INK), ("[−0.90,\n0.10]", 5, "normal", INK)]),
        (40, -0.7, -0.9, -0.1, [("−0.70", 9, "bold", "white"), ("[−0.90, −0.10]", 40 / 7.7, "normal", "white")]),
        (38, 0.5, np.nan, np.nan, [("0.50", 9, "normal", INK), ("[no\ninterval]", 5, "normal", INK)]),
        (28, np.nan, np.nan, np.nan, [("undefined", 28 / 5.5, "normal", INK)]),
    ],
)
def test_a_rho_is_as_large_as_its_cell_allows(cell, rho, low, high, wanted):
    ax = Figure().add_subplot()
    _write_rho(ax, Correlation(rho, low, high, 0.1, 9, ""), cell, "")
    found = [(text.get_text(), text.get_fontsize(), text.get_weight(), text.get_color()) for text in ax.texts]
    assert found == [(text, pytest.approx(size), *look) for text, size, *look in wanted]
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


@pytest.mark.parametrize("kind", DRAWN)
def test_a_figure_of_edges_is_drawn_as_it_was(kind):
    checked(f"figures/{kind}", figure_text(DRAWN[kind]()))


REFUSED = {
    "comparisons: all_pairs: names 1 of the two or more tasks that a pair needs; name more": lambda: draw_all_pairs(
        scores(), ["t00"], **MORE
    ),
    "rankings: own: matrix: needs two or more tasks, has t00 alone; name more": lambda: draw_heat_map(
        scores(), RANKING | {"pairs": [["t00", "t00"]]}, **MORE
    ),
    "comparisons: since: no line; name two tasks to compare under lines": lambda: draw_since(
        {}, [], TITLES, [], "linear", **BOOTSTRAP
    ),
    "comparisons: no line; name two tasks to compare under lines": lambda: draw_retest_slopes({}, [], {}, **BOOTSTRAP),
    "published: set_9: set_9 is unknown; give one of set_0": lambda: draw_retest_slopes(
        *retests.several(1), {"set_9": {"slope": 1.0}}, **BOOTSTRAP
    ),
    f"published: set_0: slop is unknown; give one of {WORDS}": lambda: draw_retest_slopes(
        *retests.several(1), {"set_0": {"slop": 1.0}}, **BOOTSTRAP
    ),
    "comparisons: best_shapes: names no task; name the tasks to draw": lambda: draw_best_shapes(
        scores(), genes(), [], 3, TITLES
    ),
    "comparisons: pretrained: names no task; name a target and its version from pretrained weights": lambda: (
        draw_pretrained(scores(), "t00", [], **MORE)
    ),
    "no pair of tasks to draw: give the study a target": lambda: draw_rho_vs_population(
        scores(), [], sizes=[4], **MORE
    ),
    "comparisons: balanced: names no task; name a task and its balanced version": lambda: draw_balanced(
        CLASSES, scores(), [], TITLES, **BOOTSTRAP
    ),
    "comparisons: curves: zoom_from: 12: the runs on long end at epoch 12; lower it": lambda: draw_training_curves(
        training(8), continuation(), 12, TRAINED
    ),
    "comparisons: curves: need runs of one task with finished epochs, found: none; name one task": lambda: (
        draw_training_curves(training(8).iloc[:0], continuation(), 4, TRAINED)
    ),
    "no example image of B, C: give the study a task of a dataset with images": lambda: draw_design_space(
        {"A": pictures(2)["Dataset 0"], "B": [], "C": []}, OTHER_SPACE
    ),
    "no example image: give the study a task of a dataset with images": lambda: draw_design_space({}, OTHER_SPACE),
}


@pytest.mark.parametrize("said", REFUSED)
def test_what_cannot_be_drawn_is_refused_before_it_is(said):
    with pytest.raises(Problem) as caught:
        REFUSED[said]()
    assert str(caught.value) == said


def test_highlights_that_are_too_many_or_none_are_refused():
    for asked, said in (
        (["Lifted"] * 9, "names 9 families; name at most "),
        (["Lifte"], "no model is of the family 'Lifte'; there are: Family 00, Family 01, "),
    ):
        with pytest.raises(Problem) as caught:
            draw_since(since.study(), since.RETESTS, since.TITLES, asked, "linear", **BOOTSTRAP)
        assert str(caught.value).startswith(f"comparisons: since: highlight: {said}")


@pytest.mark.parametrize(("models", "as_picture"), [(1000, False), (1001, True)])
def test_many_points_are_drawn_as_a_picture(models, as_picture):
    ax = Figure().add_subplot()
    values = np.arange(models, dtype=float)
    multiples._draw_points(ax, pd.DataFrame({"x_value": values, "y_value": values}), None)
    assert bool(ax.collections[0].get_rasterized()) is as_picture
    assert ax.collections[0].get_sizes().tolist() == [1.5 if as_picture else 4]


def test_a_text_is_shortened_where_it_has_more_letters():
    assert [shortened("letters", count) for count in (8, 7, 6, 2, 1, 0)] == [
        "letters",
        "letters",
        "lette…",
        "l…",
        "l…",
        "l…",
    ]


def test_the_explorers_charts_are_what_they_were():
    document, places = _charts()
    ids = {}
    text = re.sub(
        r'"id": ?"p(\d+)"', lambda found: f'"id": "{ids.setdefault(found[1], len(ids))}"', json.dumps(document)
    )
    checked("explorer_charts", "\n".join(textwrap.wrap(text, 150, break_on_hyphens=False)) + "\n")
    assert list(places.values()) == ["panel0", "panel1", "curves"]


def grid(count, **more):
    settings = {"same_x": False, "legend": False} | more
    return Grid([f"name {number}" for number in range(count)], **settings)


def test_a_grid_by_hand():
    """In 174 mm: 5 for the labels, of each cell 7.5 for numbers and 2 between; a line above takes 3.2."""
    four = grid(4)
    assert [grid(count).columns for count in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 20, 21)] == (
        [1, 2, 3, 4, 5, 3, 4, 4, 3, 5, 4, 5, 6]
    )
    assert (four.width, four.cell, four.panel) == pytest.approx((174, 42.25, 32.75))
    assert (four.type, grid(5).type) == (7, 6)
    assert (four.letters, four.row) == (int(32.75 / 0.17 / 7), int(174 / 0.17 / 8))
    assert (four.above, four.below, four.foot, four.tall) == pytest.approx((7.4, 9.2, 0, 26.2))
    assert four.height == pytest.approx(7.4 + 26.2 + 9.2)
    shared = grid(4, same_x=True, legend=True)
    assert (shared.below, shared.foot, shared.height) == pytest.approx((2, 14, 7.4 + 26.2 + 2 + 14))
    assert (grid(1).width, grid(2).width) == pytest.approx((83, 120))
    flat = grid(200)
    assert (flat.columns, flat.rows, flat.tall) == (6, 34, 8)
    long = Grid(["word " * 9, "b"], same_x=False, legend=False)
    assert [len(lines) for lines in long.names.values()] == [2, 1]
    figure, axes = four.drawn()
    assert figure.get_size_inches() * 25.4 == pytest.approx([174, 42.8])
    assert axes[1].get_position().bounds == pytest.approx((54.75 / 174, 9.2 / 42.8, 32.75 / 174, 26.2 / 42.8))
