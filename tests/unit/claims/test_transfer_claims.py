"""The papers' values of transfer: read with distrust, and judged where a study has what they are of."""

import numpy as np
import pytest
import yaml
from golden import checked, table_text
from transfer_studies import transfer

from apr.basics.problems import Problem
from apr.claims.scorecard import ABSENT, INCOMPARABLE, NOT_REPRODUCED, REPRODUCED, UNDECIDED
from apr.claims.transfer import transfer_scorecard
from apr.claims.transfer_claims import TransferClaim, paper_slopes, read_transfer_claims
from study import ROOT

FILE = ROOT / "resources/transfer_claims.yaml"
OWN = {"eurosat": "eurosat", "lesions": "melanoma", "proteins": "hpa"}


def claim(**changed):
    values = {"id": "x", "says": "Slope", "mark": "T", "paper_value": 0.1, "models": 10, "quantity": "slope"}
    values |= {"expected": (0.0, 1.0), "because": "test", "dataset": "eurosat", "lines": ("all",)}
    return TransferClaim(**values | changed)


def verdicts(claims, **changed):
    table = transfer_scorecard(claims, transfer(paper=OWN, **changed))
    return dict(zip(table.data["claim"], table.data["verdict"], strict=True)), table


def test_the_kept_claims_are_the_papers():
    claims = {one.id: one for one in read_transfer_claims(FILE)}
    assert claims["slope_cct20"].paper_value == 0.11
    assert claims["slope_hpa"].paper_value == 0.29
    little = [one.dataset for one in claims.values() if one.paper_value == "below 0.05"]
    assert sorted(little) == ["aptos", "cassava", "eurosat", "melanoma"]
    assert {one.verified for one in claims.values() if one.quantity == "slope"} == {"verified"}


def test_a_paper_value_goes_to_the_first_line_that_the_study_has():
    claims = read_transfer_claims(FILE)
    both = paper_slopes(claims, {"leaves": "cassava"}, ["all", "above", "after"])
    assert both == {"leaves": {"after": "below 0.05"}}
    assert paper_slopes(claims, {"leaves": "cassava"}, ["all", "above"]) == {"leaves": {"above": "below 0.05"}}
    assert paper_slopes(claims, {}, ["all"]) == {}


def test_what_is_only_recalled_says_so_wherever_it_is_shown():
    recalled = claim(mark="U", lines=("all",))
    assert paper_slopes([recalled], {"eurosat": "eurosat"}, ["all"]) == {
        "eurosat": {"all": "0.1 (unverified (recalled))"}
    }
    _, table = verdicts([recalled])
    assert table.shown["Verified"].iloc[0] == "unverified (recalled)"
    assert "recalled" in table.shown["Paper"].iloc[0]
    assert "could not be read: 1 of the values" in table.caption


def test_slopes_are_judged_by_equivalence():
    line = transfer().lines(transfer().targets["eurosat"])["all"]
    low, high = line.bounds
    cases = {
        "inside": claim(id="inside", expected=(low - 1, high + 1)),
        "outside": claim(id="outside", expected=(high + 5, high + 6)),
        "across": claim(id="across", expected=(line.slope, line.slope + 0.001), models=1000),
    }
    found, table = verdicts(cases.values())
    assert found == {"inside": REPRODUCED, "outside": NOT_REPRODUCED, "across": UNDECIDED}
    assert "10 models could tell only differences above" in table.shown["Verdict"].iloc[-1]
    assert table.data["measured"].iloc[0] == pytest.approx(line.slope)


def test_what_a_study_lacks_or_cannot_meet_is_not_judged():
    cases = [
        claim(id="other", dataset="cassava"),
        claim(id="kornblith", quantity="correlation", trained="fine-tuned", incomparable="other datasets"),
        claim(id="fixed", quantity="correlation", trained="fixed features", expected=(-1.0, 1.0)),
    ]
    found, table = verdicts(cases, probes={})
    assert found == {"other": ABSENT, "kornblith": INCOMPARABLE, "fixed": ABSENT}
    assert table.data["in_words"].iloc[0] == "not in this study: lacks the paper's cassava"
    assert not np.isnan(table.data["measured"].iloc[1])
    assert verdicts(cases)[0]["fixed"] == REPRODUCED


def test_augmentation_is_counted_from_where_it_surely_is_ahead_to_where_it_may_be():
    ahead = claim(id="ahead", quantity="augmentation_ahead", paper_value="several", expected=(0.0, 3.0))
    found, table = verdicts([ahead])
    row = table.data.iloc[0]
    assert found == {"ahead": REPRODUCED}
    assert 0 <= row["low"] <= row["measured"] <= row["high"] <= 3
    assert row["note"] == "of 3"
    assert verdicts([ahead], augmentation={})[0] == {"ahead": ABSENT}


def test_a_scorecard_of_transfer_is_as_it_was():
    claims = [
        *(claim(id=line, lines=(line,), expected=(-0.1, 0.2), models=16) for line in ("all", "above", "after")),
        claim(id="several", lines=("after", "above"), dataset="melanoma", paper_value="below 0.05", mark="U"),
        *(
            claim(id=how, quantity="correlation", trained=how, because="two of 3")
            for how in ("fine-tuned", "fixed features")
        ),
        claim(id="ahead", quantity="augmentation_ahead", paper_value="several", expected=(0.0, 3.0)),
        claim(id="other", dataset="cassava", incomparable="other pictures"),
        claim(id="kornblith", dataset="hpa", incomparable="other datasets"),
    ]
    checked("transfer/scorecard", table_text(transfer_scorecard(claims, transfer(paper=OWN))))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mark": "Q"}, "mark 'Q' is not one of"),
        ({"measure": {"quantity": "slop"}}, r"measure.quantity 'slop' is not known \(did you mean slope"),
        ({"measure": {"quantity": "slope", "dataset": "hpa", "lines": ["upper"]}}, "measure.lines is"),
        ({"measure": {"quantity": "slope", "dataset": "hpa"}}, "measure: lacks lines"),
        ({"expected": [1, 0]}, "low has to be below high"),
        ({"expected": 1}, r"give \[low, high\]"),
        ({"models": 0}, "models is 0"),
        ({"value": 1}, "no such key: value"),
    ],
)
def test_an_impossible_claim_is_refused(change, said, tmp_path):
    good = {"id": "a", "says": "b", "mark": "T", "paper_value": 1, "models": 5, "expected": [0, 1], "because": "c"}
    good |= {"measure": {"quantity": "slope", "dataset": "hpa", "lines": ["all"]}}
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump({"claims": [good | change]}))
    with pytest.raises(Problem, match=said):
        read_transfer_claims(tmp_path / "claims.yaml")
