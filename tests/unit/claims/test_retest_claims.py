import numpy as np
import pandas as pd
import pytest
import yaml
from published import published_scores

from apr.basics.problems import Problem
from apr.claims.retests import QUANTITIES, RetestClaim, read_retest_claims, retest_scorecard
from apr.comparisons.retest_lines import pair_retests, retest_lines
from apr.statistics.lines import fit_line
from study import ROOT

CLAIMS = ROOT / "resources" / "retest_claims.yaml"
BOOTSTRAP = {"resamples": 500, "seed": 0}
RETEST = {"name": "new", "title": "New", "original": "old", "new": "new", "metric": "top1_accuracy"}
RETEST |= {"without": ["m0"], "probit_without": []}
ENTRY = {
    "id": "one",
    "says": "Slope of the line",
    "mark": "S",
    "paper_value": 1.1,
    "digits": 1,
    "measure": {"quantity": "slope", "retest": "new"},
}
FISHER = ["fv_4k", "fv_16k", "fv_64k"]


def accuracies(n=20):
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"orig_acc": np.linspace(50, 90, n)}, index=[f"m{i}" for i in range(n)])
    return rows.assign(new_acc=1.1 * rows["orig_acc"] - 18 + rng.normal(0, 0.5, n))


PAIRS = {"new": accuracies()}


def claim(quantity="slope", scores=1.1, digits=1, tolerance=0.05, incomparable=None, retest="new", model=None):
    return RetestClaim(
        "one", "It is", "S", scores, digits, quantity, retest, model, tolerance, "our tolerance [I]", incomparable
    )


def card(*claims, pairs=PAIRS):
    return retest_scorecard(claims, pairs, [RETEST], **BOOTSTRAP)


def words(*claims, pairs=PAIRS):
    return card(*claims, pairs=pairs).data["in_words"].tolist()


def written(tmp_path, *entries):
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({"claims": list(entries)}), encoding="utf-8")
    return path


def test_every_quantity_is_measured():
    claims = [claim(quantity, model="m5" if quantity.endswith("acc") else None) for quantity in QUANTITIES]
    data = card(*claims).data.set_index(pd.Index(QUANTITIES))
    (row,) = retest_lines(PAIRS, [RETEST], **BOOTSTRAP).to_dict("records")
    counted = PAIRS["new"].drop(index="m0")
    assert data.loc["slope", "measured"] == pytest.approx(fit_line(counted["orig_acc"], counted["new_acc"]).slope)
    for name in ("slope", "offset", "change"):
        found = data.loc[name, ["measured", "low", "high"]].tolist()
        assert found == pytest.approx([row[name], row[f"{name}_low"], row[f"{name}_high"]])
    assert data.loc["offset_low", "measured"] == row["offset_models_low"]
    assert data.loc["change", "measured"] == pytest.approx((PAIRS["new"]["new_acc"] - PAIRS["new"]["orig_acc"]).mean())
    assert data.loc["models", "measured"] == 20
    assert data["n"].dropna().to_dict() == {
        name: 20 if name in ("change", "models") else 19 for name in QUANTITIES[:-2]
    }
    assert data.loc[["orig_acc", "new_acc"], "measured"].tolist() == PAIRS["new"].loc["m5"].tolist()


def test_verdicts_say_whether_the_digit_is_met():
    value = PAIRS["new"].loc["m5", "new_acc"]
    of_one = {"quantity": "new_acc", "model": "m5"}
    near, far = round(value, 1) + 0.2, round(value, 1) + 0.6
    assert words(
        claim(scores=round(value, 1), **of_one),
        claim(scores=near, tolerance=0.3, **of_one),
        claim(scores=far, tolerance=0.3, **of_one),
    ) == ["reproduced to the printed digit", "close: within 0.3, not to the printed digit", "not reproduced"]


def test_what_cannot_be_met_says_why_and_shows_what_is_measured():
    table = card(claim(incomparable="four models are not published"))
    assert table.data["in_words"].item() == "not comparable: four models are not published"
    assert table.shown["Measured"].item().startswith("1.1")
    assert table.shown["Models"].item() == "19"


def test_what_a_study_lacks_is_named_and_counted():
    table = card(claim(retest="other"), claim("new_acc", model="m99"))
    assert table.data["in_words"].tolist() == ["not in this study: lacks other", "not in this study: lacks m99"]
    assert table.data["measured"].isna().all()
    assert table.shown["Measured"].tolist() == [""]
    assert table.shown["Verdict"].item().startswith("not in this study")
    assert "2 not in this study" in table.caption
    assert retest_scorecard([claim()], {}, [], **BOOTSTRAP).data["verdict"].item() == "not in this study"


def test_too_few_models_decide_nothing():
    assert words(claim(), pairs={"new": accuracies(3)}) == ["undecided: no line through 2 models"]


def test_values_are_shown_with_a_digit_more_than_printed():
    table = card(claim("models", 20, digits=0), claim("orig_acc", 60.5, model="m5"), claim("offset", -18.2))
    assert table.shown["Paper"].tolist() == ["20", "60.5", "−18.2"]
    models, accuracy, offset = table.shown["Measured"]
    assert (models, accuracy) == ("20", "60.53")
    assert offset.startswith("−1")
    assert offset.count(", ") == 1
    assert table.shown["Models"].tolist() == ["20", "", "19"]


def test_the_caption_counts_and_names_the_tolerances():
    caption = card(claim("models", 20, 0), claim("models", 19, 0, tolerance=2), claim("models", 9, 0)).caption
    assert "3 values" in caption
    assert "1 reproduced, 1 close, 1 not reproduced, 0 not comparable, 0 undecided, 0 not in this study" in caption
    assert "Close: not so, but within a stated tolerance (our tolerance [I])." in caption
    assert f"{BOOTSTRAP['resamples']} bootstrap resamples" in caption
    assert "tolerance" not in card(claim("models", 20, 0)).caption


def test_a_claim_is_read_with_the_printed_digit_as_its_tolerance(tmp_path):
    one, other = read_retest_claims(written(tmp_path, ENTRY, ENTRY | {"id": "b", "tolerance": 0.3, "because": "[I]"}))
    assert (one.expected, one.because) == ((1.05, 1.15), "the printed digit")
    assert (other.expected, other.because, other.incomparable) == ((0.8, 1.4), "[I]", None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measure": {"quantity": "slop", "retest": "new"}}, "'slop' is not known.*did you mean slope"),
        ({"measure": {"quantity": "slope"}}, "claim one: measure: lacks retest"),
        ({"measure": {"quantity": "new_acc", "retest": "new"}}, "measure: lacks model"),
        ({"measure": {"quantity": "slope", "retest": "new", "model": "a"}}, "measure: no such key: model"),
        ({"measure": None}, "measure.quantity None"),
        ({"mark": "X"}, "mark 'X'"),
        ({"paper_value": "1.1"}, "paper_value is '1.1'; give a number"),
        ({"digits": 1.5}, "digits is 1.5"),
        ({"tolerance": 1}, "tolerance and because together"),
        ({"tolerance": "a", "because": "[I]"}, "tolerance is 'a'"),
        ({"digit": 1}, "did you mean digits"),
    ],
)
def test_a_claim_that_cannot_be_measured_is_named(tmp_path, change, message):
    with pytest.raises(Problem, match=message):
        read_retest_claims(written(tmp_path, ENTRY | change))


def test_missing_keys_twins_and_broken_files_are_problems(tmp_path):
    for key in ENTRY:
        with pytest.raises(Problem, match=f"lacks {key}"):
            read_retest_claims(written(tmp_path, {name: value for name, value in ENTRY.items() if name != key}))
    with pytest.raises(Problem, match="one appears twice"):
        read_retest_claims(written(tmp_path, ENTRY, ENTRY))
    with pytest.raises(Problem, match="no such file"):
        read_retest_claims(tmp_path / "none.yaml")
    for text, message in (("claims: [", "is not YAML"), ("- 1", "no list of claims"), ("claims: [1]", "no list")):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(Problem, match=message):
            read_retest_claims(tmp_path / "bad.yaml")


def test_the_tolerances_of_the_papers_values_are_marked_as_ours():
    for one in read_retest_claims(CLAIMS):
        assert one.because == "the printed digit" or "[I]" in one.because, one.id


def test_the_papers_values_are_met_from_the_published_predictions():
    tables = published_scores()
    names = [name for name in tables if name.startswith("imagenetv2")]
    shared = {"probit_without": []}
    retests = [
        {"name": f"{new}_{error}", "title": new, "original": "imagenet_val", "new": new, "metric": f"{error}_accuracy"}
        | shared
        for new in names
        for error in ("top1", "top5")
    ]
    for retest in retests:
        retest["without"] = FISHER
    cifar = {
        "name": "cifar10.1_v4",
        "title": "v4",
        "original": "cifar10",
        "new": "cifar10.1_v4",
        "metric": "top1_accuracy",
    }
    retests.append(cifar | shared | {"without": []})
    claims = read_retest_claims(CLAIMS)
    table = retest_scorecard(claims, pair_retests(tables, retests), retests, resamples=20_000, seed=0)
    data = table.data.set_index("claim")
    assert data.loc[data.index.str.startswith("cifar"), "verdict"].eq("not comparable").all()
    close = ["matched_slope_low", "matched_offset", "matched_offset_low", "matched_offset_high"]
    assert data.index[data["verdict"] == "close"].tolist() == close
    others = ~data.index.isin(close) & ~data.index.str.startswith("cifar")
    assert data.loc[others, "in_words"].eq("reproduced to the printed digit").all()
    assert f"{data.loc['cifar_slope', 'measured']:.3f} {data.loc['cifar_offset', 'measured']:.1f}" == "1.617 -65.5"
