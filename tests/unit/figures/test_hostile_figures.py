"""Whatever titles and names hold, a figure shows it as it is: no formula, no command, and nothing fails."""

import re
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import retest_figures as retests
import since_figures as since
from figure_checks import save
from figure_studies import BOOTSTRAP, SPACE, continuation, other_errors, pictures, population, seeds, training
from hostile import TEXTS, letters, rendered
from matplotlib.text import Text
from transfer_studies import renamed

from apr.basics.escaping import plain, rst_caption
from apr.figures import style
from apr.figures.lines.distances import draw_family_distances
from apr.figures.lines.retest import draw_retest
from apr.figures.lines.since import draw_since
from apr.figures.lines.slopes import draw_retest_slopes
from apr.figures.ranks.best_shapes import draw_best_shapes
from apr.figures.ranks.heat_map import draw_heat_map
from apr.figures.ranks.initialisation import draw_initialisation
from apr.figures.ranks.multiples import draw_multiples
from apr.figures.ranks.other_errors import draw_other_errors
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
from apr.figures.transfer.average import draw_average
from apr.figures.transfer.gains import draw_gains
from apr.figures.transfer.panels import draw_transfer
from apr.figures.transfer.sensitivity import draw_sensitivity
from apr.figures.transfer.splines import draw_splines

TARGETS = [f"target_{i}" for i in range(len(TEXTS))]
TITLES = dict(zip(TARGETS, TEXTS, strict=True)) | {"photos": TEXTS[0], "few": TEXTS[5]}


@cache
def study():
    """Errors of models with such names on tasks with such titles."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=len(TEXTS))
    columns = {task: 40 + 5 * z + rng.normal(size=len(TEXTS)) for task in TITLES}
    return pd.DataFrame(columns, index=TEXTS)


def described(columns):
    return pd.DataFrame({column: 1.0 + np.arange(len(TEXTS)) % 4 for column in columns}, index=TEXTS)


def since_study():
    """Families and models with such names."""
    families = {f"Family {i:02}": text for i, text in enumerate(map(plain, TEXTS))} | {"Lifted": TEXTS[2]}
    return {name: pair.assign(family=pair["family"].replace(families)) for name, pair in since.study().items()}


def retest_titles(entries):
    return [entry | {"title": text} for entry, text in zip(entries, TEXTS[2:], strict=False)]


def design_space():
    images = pictures(1)["Dataset 0"]
    return draw_design_space(dict.fromkeys(TEXTS, images), SPACE), TEXTS


def curves():
    titles = {"long": TEXTS[0], "lines": TEXTS[3], "woods": TEXTS[4]}
    return draw_training_curves(training(8), continuation(), 4, titles), titles.values()


def densities():
    repeated = seeds(a=(3, 11.9, 0.3), b=(3, 14.5, 0.5)).replace({"a": TEXTS[5], "b": TEXTS[0]})
    return draw_seed_densities(repeated, population(8), {"photos": TEXTS[2]}, "photos"), [TEXTS[i] for i in (0, 2, 5)]


def other():
    titles = dict(zip(("photos", "long", "lines", "woods"), TEXTS, strict=False))
    parts = {"both": ("photos", "long"), "deep": ("lines", "woods"), "titles": titles}
    return draw_other_errors(("top1_error", "top5_error"), **other_errors(8), **parts, **BOOTSTRAP), titles.values()


def balanced():
    counts = {task: {text: 9 + i for i, text in enumerate(TEXTS)} for task in TARGETS[:2]}
    drawn = draw_balanced(counts, study(), [(TARGETS[0], TARGETS[1])], TITLES, **BOOTSTRAP)
    return drawn, [*TEXTS[:2], *(text[:10] for text in TEXTS)]


def retest():
    drawn = retests.pair(8).set_axis([TEXTS[i] for i in range(8)])
    entry = retests.retest(without=[TEXTS[4]], title=TEXTS[2])
    return draw_retest(drawn, entry, {"old": TEXTS[0], "new": TEXTS[3]}, **BOOTSTRAP), [TEXTS[i] for i in (0, 3, 4)]


def slopes():
    pairs, entries = retests.several(len(TEXTS) - 2)
    entries = [entry | {"without": []} for entry in retest_titles(entries)]
    return draw_retest_slopes(pairs, entries, {}, **BOOTSTRAP), TEXTS[2:]


def lines_since():
    titles = dict(zip(since.TITLES, TEXTS[2:], strict=False))
    shown = [*list(titles.values())[1:], TEXTS[2]]
    return draw_since(since_study(), since.RETESTS, titles, [TEXTS[2]], "probit", **BOOTSTRAP), shown


def distances():
    titles = dict(zip(since.TITLES, TEXTS[2:], strict=False))
    entries = retest_titles(since.RETESTS)
    return draw_family_distances(since_study(), entries, titles, 3, **BOOTSTRAP), [e["title"] for e in entries]


def of_transfer(draw, *arguments):
    def drawn():
        found, shown, _ = renamed(TEXTS)
        return draw(found, *arguments), shown

    return drawn


def sensitivity():
    found, shown, names = renamed(TEXTS)
    cells = pd.DataFrame({"model": names.values(), "best": 9.0, "median": 5.0, "worst": 1.0, "chosen": 8.0})
    cells = cells.assign(chosen_by_test=9.0, optimism=1.0, cells=4, dropped=0)
    return draw_sensitivity(found, dict.fromkeys(found.targets, cells)), shown


def of_errors(draw, shown, *arguments, **more):
    return lambda: (draw(study(), *arguments, titles=TITLES, **more), [TITLES[task] for task in shown])


PAIRS = [("photos", task) for task in TARGETS]
RANKING = {"name": "own", "title": TEXTS[1], "pairs": PAIRS, "above": 40.0} | {"within": [], "draws": None}
RANKING |= {"range_corrected": False, "by_family": False, "matrix": False}
NARROW = described(["cumulative_depth", "cumulative_width"])
GENES = described([f"{gene}{stage}" for gene in "dwbg" for stage in (1, 2, 3, 4)])
FIRST, LAST = TARGETS[:4], TARGETS[4:]
STARTS = [(FIRST[0], FIRST[1]), (FIRST[2], FIRST[3])]
ZERO = {task: task in (FIRST[1], FIRST[3]) for task in TITLES}
DRAWN = {
    "scatter": of_errors(draw_scatter, TITLES, PAIRS, highlight=1, **BOOTSTRAP),
    "one_target": of_errors(draw_scatter, ["few", *FIRST], [(t, "few") for t in FIRST], highlight=1, **BOOTSTRAP),
    "relative": of_errors(draw_relative_error, TITLES, "photos", ["few", *TARGETS], **BOOTSTRAP),
    "shape": of_errors(draw_error_vs_depth_width, LAST, NARROW, LAST, **BOOTSTRAP),
    "regret": of_errors(draw_selection_regret, ["photos", *LAST], "photos", LAST, {}, **BOOTSTRAP),
    "pretrained": of_errors(
        draw_pretrained, ["photos", *TARGETS[:3]], "photos", [(t, "few") for t in TARGETS[:3]], **BOOTSTRAP
    ),
    "best_shapes": of_errors(draw_best_shapes, FIRST, GENES, FIRST, 1),
    "pairs": of_errors(draw_all_pairs, FIRST, FIRST, **BOOTSTRAP),
    "size": of_errors(draw_rho_vs_population, LAST, [("few", task) for task in LAST], sizes=[4, 8], **BOOTSTRAP),
    "multiples": of_errors(draw_multiples, TITLES.keys() - {"few"}, RANKING, **BOOTSTRAP),
    "heat_map": of_errors(draw_heat_map, ["photos", *TARGETS], RANKING, **BOOTSTRAP),
    "initialisation": of_errors(
        draw_initialisation, ["photos", FIRST[0], FIRST[2]], NARROW, "photos", STARTS, zero=ZERO, **BOOTSTRAP
    ),
    "balanced": balanced,
    "curves": curves,
    "densities": densities,
    "design_space": design_space,
    "distances": distances,
    "other_errors": other,
    "retest": retest,
    "since": lines_since,
    "slopes": slopes,
    "panels": of_transfer(draw_transfer, "probes"),
    "splines": of_transfer(draw_splines),
    "gains": of_transfer(draw_gains),
    "average": of_transfer(draw_average),
    "sensitivity": sensitivity,
}
WARNINGS = ("ignore:Glyph", "ignore:constrained_layout not applied", "ignore:Matplotlib currently does not")


@pytest.mark.filterwarnings(*WARNINGS)
@pytest.mark.parametrize("kind", DRAWN)
def test_a_title_is_drawn_as_it_is(kind):
    drawn, shown = DRAWN[kind]()
    with mpl.rc_context(style.STYLE):  # as where it is saved
        drawn.figure.draw_without_rendering()
    artists = [artist for artist in drawn.figure.findobj(Text) if artist.get_text()]
    ours = [artist for artist in artists if not artist.get_parse_math()]
    if kind != "design_space":
        assert ours == artists
    words = [letters(artist.get_text()) for artist in ours]
    caption = letters(rendered(rst_caption(drawn.caption)))
    for text in shown:
        assert any(letters(text) in word for word in (*words, caption)), text
    assert not [artist for artist in artists if set(artist.get_text()) & set("\x00\x1b\u202e\ud800\r\t")]


@pytest.mark.filterwarnings(*WARNINGS)
@pytest.mark.parametrize("kind", ["scatter", "heat_map", "design_space", "panels"])
def test_files_hold_such_titles(kind, tmp_path):
    drawn, _ = DRAWN[kind]()
    paths = save(drawn, tmp_path)
    assert paths["pdf"].read_bytes().startswith(b"%PDF")
    caption = letters(rendered(paths["caption"].read_text(encoding="utf-8")))
    assert caption == letters(rendered(rst_caption(drawn.caption)))
    assert letters(re.sub("(?m)^- ", "", drawn.caption)) == caption


def test_the_formulas_of_the_schematic_are_formulas():
    drawn, _ = design_space()
    assert {"$d_i$", "Stage $i$: $d_i$ residual blocks", "$g_i$ channels a group"} <= {
        artist.get_text() for artist in drawn.figure.findobj(Text) if artist.get_parse_math()
    }


def test_every_figure_is_among_them():
    modules = {path.stem for path in Path(style.__file__).parent.glob("*/*.py") if "\ndef draw_" in path.read_text()}
    assert modules
    assert modules <= DRAWN.keys(), "a new figure needs a line in DRAWN"
