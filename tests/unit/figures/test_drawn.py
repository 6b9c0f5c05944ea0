"""Every figure as text: size, axes, colours, markers, words and numbers are those that somebody looked at."""

import pytest
import retest_figures as retests
import since_figures as since
from figure_studies import SPACE, continuation, pictures, population, seeds, training
from figure_studies import TITLES as TRAINED
from figure_studies import draw_other as other_errors
from golden import checked, figure_text
from golden_studies import BOOTSTRAP, CLOSEST, COUNTS, TARGETS, TITLES, genes, reported, shape

from apr.figures.lines.distances import draw_family_distances
from apr.figures.lines.retest import draw_retest
from apr.figures.lines.since import draw_since
from apr.figures.lines.slopes import draw_retest_slopes
from apr.figures.ranks.best_shapes import draw_best_shapes
from apr.figures.ranks.heat_map import draw_heat_map
from apr.figures.ranks.initialisation import draw_initialisation
from apr.figures.ranks.multiples import draw_multiples
from apr.figures.ranks.pairs import draw_all_pairs
from apr.figures.ranks.pretrained import draw_pretrained
from apr.figures.ranks.regret import draw_selection_regret
from apr.figures.ranks.relative import draw_relative_error
from apr.figures.ranks.scatter import draw_scatter
from apr.figures.ranks.shape import draw_error_vs_depth_width
from apr.figures.ranks.size import draw_rho_vs_population
from apr.figures.runs.balanced import draw_balanced
from apr.figures.runs.curves import draw_training_curves
from apr.figures.runs.densities import draw_seed_densities
from apr.figures.runs.design_space import draw_design_space

MORE = {"titles": TITLES, "counts": COUNTS, **BOOTSTRAP}
PAIRS = [("photos", task) for task in ("few", *TARGETS)]
ZERO = dict.fromkeys(TITLES, False) | {"pre": True}
CLASSES = {"digits": {"cat": 90, "dog": 30, "owl": 7}, "pre": {"cat": 7, "dog": 7, "owl": 7}}


RANKING = {"name": "own", "title": "Of photos", "above": None, "within": [], "draws": None, "range_corrected": False}
RANKING |= {"by_family": False, "matrix": False, "pairs": [["photos", task] for task in ("few", "digits", "weak")]}
CROSSED = [["photos", "few"], ["photos", "digits"], ["few", "digits"], ["few", "pre"]]


def pairs_of_retests():
    drawn, entries = retests.several(3)
    return draw_retest_slopes(drawn, entries, {"set_1": {"slope": 1.1, "offset": -19.0}}, **BOOTSTRAP)


DRAWN = {
    "multiples": lambda: draw_multiples(reported(), RANKING | {"above": 41.0}, **MORE),
    "multiples_of_pairs": lambda: draw_multiples(reported(), RANKING | {"pairs": CROSSED}, **MORE),
    "heat_map": lambda: draw_heat_map(reported(), RANKING | {"pairs": CROSSED, "matrix": True}, **MORE),
    "other_errors_in_rows": lambda: other_errors(12, ("photos", "long") * 2, ("lines", "woods", "photos") * 2),
    "scatter": lambda: draw_scatter(reported(), PAIRS, highlight=3, **MORE),
    "scatter_of_one": lambda: draw_scatter(reported(), [("few", "pre")], highlight=2, columns=2, **MORE),
    "relative": lambda: draw_relative_error(reported(), "photos", ["photos", *TARGETS], **MORE),
    "shape": lambda: draw_error_vs_depth_width(reported(), shape(), ["photos", "few", "weak"], **MORE),
    "regret": lambda: draw_selection_regret(reported(), "photos", TARGETS, CLOSEST, **MORE),
    "pretrained": lambda: draw_pretrained(reported(), "photos", [("digits", "pre")], **MORE),
    "best_shapes": lambda: draw_best_shapes(reported(), genes(), ["photos", "digits"], 3, TITLES, COUNTS),
    "pairs": lambda: draw_all_pairs(reported(), ["photos", "few", "digits", "weak"], **MORE),
    "size": lambda: draw_rho_vs_population(
        reported(), [("photos", "few"), ("photos", "weak")], sizes=[4, 8, 11], **MORE
    ),
    "initialisation": lambda: draw_initialisation(
        reported(), shape(), "photos", [("digits", "pre")], zero=ZERO, **MORE
    ),
    "balanced": lambda: draw_balanced(CLASSES, reported(), [("digits", "pre")], TITLES, **BOOTSTRAP, tested=COUNTS),
    "curves": lambda: draw_training_curves(training(8), continuation(), 4, TRAINED, COUNTS),
    "densities": lambda: draw_seed_densities(
        seeds(a147=(9, 11.9, 0.3), a122=(9, 14.5, 0.5)), population(12), {"photos": "Photos"}, "photos", COUNTS
    ),
    "design_space": lambda: draw_design_space(pictures(2), SPACE),
    "distances": lambda: draw_family_distances(since.study(), since.RETESTS, since.TITLES, 3, **BOOTSTRAP),
    "other_errors": lambda: other_errors(12, deep=("lines", "woods", "photos", "long")),
    "retest": lambda: draw_retest(retests.pair(8), retests.retest(without=["m_000"]), retests.TITLES, **BOOTSTRAP),
    "retest_of_many": lambda: draw_retest(retests.pair(67, low=20), retests.retest(), retests.TITLES, **BOOTSTRAP),
    "since": lambda: draw_since(since.study(), since.RETESTS, since.TITLES, ["Lifted"], "linear", **BOOTSTRAP),
    "slopes": pairs_of_retests,
}


@pytest.mark.parametrize("kind", DRAWN)
def test_a_figure_is_drawn_as_it_was(kind):
    checked(f"figures/{kind}", figure_text(DRAWN[kind]()))
