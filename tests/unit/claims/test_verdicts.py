"""What a claim's verdict makes of bounds that touch and of resamples that cannot be measured."""

import numpy as np
import pandas as pd
import pytest

from apr.claims import measures
from apr.claims.claims import Claim
from apr.claims.scorecard import equivalence, smallest_difference, verdict, widened


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.7, 1.0, "reproduced"),
        (0.7, 1.01, "undecided"),
        (0.69, 1.0, "undecided"),
        (1.0, 1.2, "undecided"),
        (0.5, 0.7, "undecided"),
        (1.01, 1.2, "not reproduced"),
        (0.5, 0.69, "not reproduced"),
    ],
)
def test_a_bound_belongs_to_its_region(low, high, expected):
    assert verdict(low, high, (0.7, 1.0)) == expected


def test_resamples_of_equal_errors_do_not_count_and_the_others_do(monkeypatch):
    monkeypatch.setitem(measures.OF_MODELS, "rho", lambda *_: (np.array([0.5, np.nan, 0.4, 0.6]), ""))
    claim = Claim("one", "", "", "T", 0.5, "rho", {"x": "a", "y": "b"}, (0.0, 1.0), "[I]", None)
    samples = measures.Samples(pd.DataFrame({"a": range(5), "b": range(5)}, dtype=float), resamples=3, seed=0)
    found = measures.measure(claim, samples, {}, {})
    assert found.value == 0.5
    assert 0.4 <= found.low < found.high <= 0.6


@pytest.mark.parametrize(
    ("expected", "wider"),
    [
        ((0.5, 1.0), (0.5 - 0.0329, 1.0329)),
        ((0.0, 1.0), (0.0, 1.0329)),
        ((0.01, 1.0), (0.0, 1.0329)),
        ((-1.0, 0.0), (-1.0329, 0.0)),
        ((-1.0, -0.01), (-1.0329, 0.0)),
        ((-0.01, 0.01), (-0.0429, 0.0429)),
    ],
)
def test_a_region_is_widened_on_its_side_of_0(expected, wider):
    """By 1.645 standard errors of 0.1, of 20 models in place of 500: 0.0329."""
    found = measures.Measured(0.5, 0.4, 0.6, 20, error=0.1)
    assert widened(expected, found, 500) == pytest.approx(wider, abs=1e-4)
    assert widened(expected, measures.Measured(0.5, 0.4, 0.6, 20), 500) == expected


def test_the_least_difference_that_is_told():
    assert smallest_difference(measures.Measured(0.5, 0.4, 0.6, 20, error=0.1)) == pytest.approx(0.2927)


def test_an_equivalence_is_shown_by_the_inner_interval_and_refuted_by_the_outer_one():
    def found(low, high, inner):
        return measures.Measured(0.5, low, high, 20, inner=inner)

    assert equivalence(found(0.3, 0.8, (0.4, 0.7)), (0.4, 0.7)) == "reproduced"
    assert equivalence(found(0.3, 0.8, (0.39, 0.7)), (0.4, 0.7)) == "undecided"
    assert equivalence(found(0.71, 0.9, (0.75, 0.8)), (0.4, 0.7)) == "not reproduced"
    assert equivalence(found(0.69, 0.9, (0.75, 0.8)), (0.4, 0.7)) == "undecided"


@pytest.mark.parametrize(
    ("models", "k", "value", "note"),
    [
        (8, 5, 6.0, "of the 2 best"),
        (8, 1, 7.0, "of the best"),
        (7, 5, 6.0, "of the best"),
        (12, 2, 10.0, "of the 2 best"),
    ],
)
def test_the_least_of_the_best_is_of_a_quarter_at_most(models, k, value, note):
    """The greatest depth has the least error."""
    rows = pd.DataFrame({"depth": np.arange(models, dtype=float), "t": -np.arange(models, dtype=float)})
    claim = Claim(
        "one", "", "", "T", 0.5, "least_of_best", {"shape": "depth", "task": "t", "k": k}, (0.0, 99.0), "", None
    )
    found = measures.measure(claim, measures.Samples(rows, resamples=3, seed=0), {}, {})
    assert (found.value, found.note, found.n) == (value, note, models)
    assert found.reason.endswith("the least of models depends on which were drawn; of these models it holds")
