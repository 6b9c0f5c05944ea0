"""Every figure of transfer as text: axes, colours, markers, words and numbers are those that somebody looked at."""

import pytest
from golden import checked, figure_text
from transfer_studies import TARGETS, Target, bare, transfer

from apr.comparisons.transfer.scores import cells_of
from apr.figures.transfer.average import draw_average
from apr.figures.transfer.gains import draw_gains
from apr.figures.transfer.panels import draw_transfer
from apr.figures.transfer.sensitivity import draw_sensitivity
from apr.figures.transfer.splines import draw_splines

DRAWN = {
    "probes": lambda: draw_transfer(transfer(evaluated="imagenet_val"), "probes"),
    "scratch": lambda: draw_transfer(transfer(targets=["lesions"]), "scratch"),
    "splines": lambda: draw_splines(transfer(targets=["eurosat", "lesions"])),
    "gains": lambda: draw_gains(transfer()),
    "average": lambda: draw_average(transfer()),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_a_figure_of_transfer_is_drawn_as_it_was(kind):
    checked(f"figures/transfer_{kind}", figure_text(DRAWN[kind]()))


def test_the_figure_of_cells_is_drawn_as_it_was(tmp_path):
    settings = TARGETS["eurosat"] | {"cells": (0.1, 0.01, 0.001), "seeds": (1, 2)}
    cells = {"eurosat": cells_of(Target("eurosat", **settings).write(tmp_path)[0])}
    checked("figures/transfer_cells", figure_text(draw_sensitivity(transfer(targets=["eurosat"]), cells)))


@pytest.mark.parametrize("kind", ["probes", "gains"])
def test_a_figure_of_errors_is_drawn_as_it_was(kind, tmp_path):
    found = bare(tmp_path, variants=("probes", "augmentation"), metric="top1_error", seeds=(1, 2))
    drawing = draw_gains(found) if kind == "gains" else draw_transfer(found, kind)
    checked(f"figures/transfer_{kind}_of_errors", figure_text(drawing))
