"""What a claim's verdict makes of bounds that touch and of resamples that cannot be measured."""

import numpy as np
import pandas as pd
import pytest

from apr.claims import measures
from apr.claims.claims import Claim
from apr.claims.scorecard import verdict


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
