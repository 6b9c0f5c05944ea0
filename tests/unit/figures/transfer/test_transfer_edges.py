"""Figures of transfer of few models, or of none that is known on ImageNet, as text."""

import numpy as np
import pytest
from golden import checked, figure_text
from hand_made_transfer import scored, transfer

from apr.figures.transfer.average import draw_average
from apr.figures.transfer.gains import draw_gains
from apr.figures.transfer.panels import draw_transfer
from apr.figures.transfer.splines import draw_splines

FIVE = {"b": 60.0, "c": 70.0, "a": 80.0, "d": 80.0, "e": 75.5}
VALUES = {"a": 91.0, "b": 80.0, "c": 88.0, "d": 90.0, "e": 84.0}
PROBE = {"way": "probe"}


def draws(values, spread=1.0):
    """Scores of each model on 20 resamples, all of them moved alike and each apart."""
    rng = np.random.default_rng(0)
    base = np.array(list(values.values()))[:, None]
    return base + rng.normal(0, spread, 20) + rng.normal(0, spread / 2, (len(values), 20))


def five(**more):
    return scored(VALUES, draws=draws(VALUES), bounds=(-2, 1.5), **{"title": "Five", "guess": 75.0} | more)


def unknown(**more):
    return scored({"x": 50.0, "y": 60.0}, title="Unknown", **more)


def study(targets, **more):
    return transfer(targets, imagenet=FIVE, images=400, **more)


DRAWN = {
    "panels_of_few": lambda: draw_transfer(
        study({"own": five(), "more": unknown(), "some": scored({"a": 9.0, "b": 8.0}, "auc", title="Two")}, above=70.0),
        "probes",
    ),
    "panels_from_scratch": lambda: draw_transfer(
        study({"own": five(guess=20.0)}, others={"scratch": {"own": scored({"a": 60, "b": 50, "c": 40})}}), "scratch"
    ),
    "average_of_none": lambda: draw_average(study({"own": unknown()})),
    "average_of_two": lambda: draw_average(
        study(
            {"own": five(), "more": scored(VALUES | {"b": 100.0}, title="More")},
            others={"probes": {"own": five(how=PROBE), "more": five(how=PROBE, title="Probe")}},
        )
    ),
    "gains_of_few": lambda: draw_gains(
        study(
            {"own": scored({"a": 20.0, "b": 30.0, "x": 9.0}, "top1_error")},
            others={"augmentation": {"own": scored({"a": 25.0, "b": 40.0, "x": 8.0}, "top1_error")}},
        )
    ),
    "splines_of_few": lambda: draw_splines(
        study({"own": five(), "more": scored({"a": 1.0, "b": 2.0}), "un": unknown()})
    ),
}


@pytest.mark.parametrize("kind", DRAWN)
def test_a_figure_of_edges_of_transfer_is_drawn_as_it_was(kind):
    checked(f"figures/transfer_{kind}", figure_text(DRAWN[kind]()))
