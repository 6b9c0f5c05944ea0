"""What the scorecard of transfer says of hand-made scores, and what it lacks."""

from hand_made_transfer import scored, transfer

from apr.claims.measures import Measured
from apr.claims.transfer import _ahead, _judged, _region, _shown, _slope
from apr.claims.transfer_claims import TransferClaim

NAN = float("nan")

# --- claims ---


def claim(quantity="slope", expected=(0.0, 1.0), **more):
    about = {"dataset": "eurosat", "lines": ("above", "after"), "paper_value": 0.5, "mark": "T", "models": 10}
    return TransferClaim("x", "Says", quantity=quantity, expected=expected, because="b", **about | more)


def test_regions_in_words():
    inf = float("inf")
    assert [_region(one) for one in ((-inf, -0.5), (-0.5, inf), (-0.25, 1.0))] == [
        "at most −0.5",
        "at least −0.5",
        "−0.25 to 1",
    ]


def test_what_a_study_of_transfer_lacks():
    found = transfer(scored({"a": 1, "b": 2}), others={"augmentation": {"own": scored({"x": 2})}})
    assert _slope(claim(), found, None) == (None, "the paper's eurosat")
    assert _slope(claim(), found, "own") == (None, "a line over above or after of its models (comparisons.transfer)")
    assert _ahead(found, []) == (None, "the paper's datasets without augmentation")
    assert _ahead(found, ["own"]) == (None, "models with an ImageNet accuracy, with and without augmentation")
    bare = transfer(scored({"a": 9, "b": 8}), others={"augmentation": {"own": scored({"a": 7, "b": 5})}})
    measured, lacking = _ahead(bare, ["own"])
    assert (measured.value, measured.n, measured.reason, lacking) == (1, 1, "the test images are not known", "")


def test_verdicts_of_transfer():
    judged = {
        "absent": _judged(claim(incomparable="other"), None, "that"),
        "incomparable": _judged(claim(incomparable="other"), Measured(0.5, 0.4, 0.6, 9, reason="few"), ""),
        "reason": _judged(claim(), Measured(0.5, 0.4, 0.6, 9, reason="few"), ""),
        "inside": _judged(claim(), Measured(0.5, 0.4, 0.6, 9, inner=(0.45, 0.55)), ""),
        "without error": _judged(claim(), Measured(1, 0.4, 1.6, 9, inner=(0.5, 1.5)), ""),
        "open": _judged(claim(), Measured(1, 0.4, 1.6, 9, inner=(0.5, 1.5), error=0.1), ""),
    }
    assert judged == {
        "absent": ("not in this study", ": lacks that"),
        "incomparable": ("not comparable", ": other"),
        "reason": ("undecided", ": few"),
        "inside": ("reproduced", ""),
        "without error": ("undecided", ""),
        "open": ("undecided", ": 9 models could tell only differences above 0.293"),
    }


def test_rows_of_claims_as_shown():
    shown = _shown(claim(mark="U"), Measured(-0.5, -0.75, NAN, 9, note="n"), "w")
    assert list(shown.values()) == [
        "Says",
        "unverified (recalled)",
        "0.5 (unverified (recalled))",
        "0 to 1",
        "−0.500 [no interval] (n)",
        "9",
        "w",
    ]
    assert _shown(claim("augmentation_ahead"), Measured(2, NAN, NAN, 3), "w")["Measured"] == "2"
    assert _shown(claim(), None, "w")["n"] == ""
