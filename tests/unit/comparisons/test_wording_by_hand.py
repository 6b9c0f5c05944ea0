"""How numbers, intervals and lists are written."""

import pytest

from apr.comparisons import wording
from apr.statistics.ranks import Correlation

NAN = float("nan")


def correlation(rho, low=NAN, high=NAN, p=NAN, n=9, reason=""):
    return Correlation(rho, low, high, p, n, reason)


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.25, 1, "1.2"),
        (-1.5, 0, "−2"),
        (-0.04, 1, "0.0"),
        (0.0, 2, "0.00"),
        (NAN, 1, "undefined"),
        (1234.5, 1, "1234.5"),
    ],
)
def test_numbers(value, digits, text):
    assert wording.number(value, digits) == text


@pytest.mark.parametrize(
    ("bounds", "digits", "text"),
    [
        ((0.5, 0.25, 0.75), 2, "0.50 [0.25, 0.75]"),
        ((0.5, 0.501, 0.504), 2, "0.50 [0.501, 0.504]"),
        ((0.5, 0.5, 0.5), 2, "0.50 [0.50, 0.50]"),
        ((0.5, 0.50000001, 0.50000002), 2, "0.50 [0.50, 0.50]"),
        ((0.5, NAN, 1.0), 1, "0.5 [no interval]"),
        ((0.5, 0.0, NAN), 1, "0.5 [no interval]"),
        ((NAN, 0.0, 1.0), 1, "undefined"),
    ],
)
def test_intervals(bounds, digits, text):
    assert wording.with_interval(*bounds, digits) == text
    assert wording.bare_interval(*bounds, digits) == (text if bounds[1] == bounds[1] else "0.5")


def test_lists_and_counts():
    assert [wording.listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert [wording.counted(count, "model") for count in (0, 1, 1045)] == ["0 models", "1 model", "1,045 models"]
    assert wording.sentence("top1_accuracy") == "Top-1 accuracy"
    assert wording.left_out(9, [9, 9]) == "All 9 models are compared."
    said = "A comparison leaves out the models without a result on its tasks, here up to 2 of 9."
    assert wording.left_out(9, [9, 7, 8]) == said


@pytest.mark.parametrize(("p", "text"), [(0.0009, "<0.001"), (0.001, "0.001"), (0.0512, "0.051"), (NAN, "")])
def test_p_values(p, text):
    assert wording.p_value(p) == text


def test_correlations():
    one = correlation(-0.5, -0.75, -0.25, 0.0123)
    assert wording.rho(one, 2) == "ρ = −0.50 [−0.75, −0.25]"
    assert wording.correlation(one) == "ρ = −0.500 [−0.750, −0.250], p = 0.012, n = 9"
    assert wording.correlation(correlation(0.5, 0.25, 0.75, 0.0005)).endswith("], p < 0.001, n = 9")
    assert wording.correlation(correlation(0.5, 0.25, 0.75, 0.001)).endswith("], p = 0.001, n = 9")
    none = correlation(NAN, n=2, reason="fewer than three models")
    assert wording.rho(none, 2) == "ρ undefined"
    assert wording.correlation(none) == "ρ undefined, fewer than three models, n = 2"
    assert (wording.bare_rho(0.456), wording.bare_rho(NAN)) == ("ρ = 0.46", "ρ undefined")
