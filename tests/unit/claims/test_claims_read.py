"""The list of the claims of the paper: what is read of it, and what is refused."""

import pytest
import yaml

from apr.basics.problems import Problem
from apr.claims import measures as claim_measures
from apr.claims.claims import KINDS, SHAPE, read_claims, tasks_of
from apr.comparisons import shape as shapes
from study import ROOT

CLAIMS = ROOT / "resources" / "claims.yaml"
ENTRY = {
    "id": "one",
    "says": "Digits agree with photos",
    "where": "Table 3",
    "mark": "T",
    "paper_value": "strong +",
    "measure": {"kind": "rho", "x": "photos", "y": "digits"},
    "expected": [0.7, 1],
    "because": "our reading [I]",
}


def written(tmp_path, *entries, key="claims"):
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump({key: list(entries)}), encoding="utf-8")
    return path


def test_the_papers_claims_are_read_and_no_unverified_number_hides_in_words():
    claims = read_claims(CLAIMS)
    assert not set(SHAPE) & set(tasks_of(claims))
    for one in claims:
        low, high = one.expected
        assert one.mark != "U" or str(one.paper_value) not in one.says
        assert not isinstance(one.paper_value, float) or low <= one.paper_value <= high, one.id
        assert "[I]" in one.because, one.id


def test_the_papers_study_has_every_task_and_architecture_that_a_claim_names():
    tasks = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))["tasks"]
    claims = read_claims(CLAIMS)
    assert set(tasks_of(claims)) <= set(tasks)
    for one in claims:
        assert not one.models or set(one.models) <= set(tasks[one.tasks[0]]["models"])


def test_every_kind_of_measure_is_computed():
    assert set(KINDS) == set(claim_measures.OF_MODELS) | set(claim_measures.OF_SEEDS)
    assert SHAPE == shapes.SHAPE


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"measure": {"kind": "roh", "x": "a", "y": "b"}}, "'roh' is not known.*did you mean rho"),
        ({"measure": {"kind": "rho", "x": "a"}}, "claim one: measure: lacks y"),
        ({"measure": {"kind": "rho", "x": "a", "y": "b", "z": "c"}}, "no such key: z"),
        ({"measure": {"kind": "mean_rho", "pairs": [["a", "b", "c"]]}}, "measure.pairs.*list of pairs"),
        ({"measure": {"kind": "least_of_best", "shape": "s", "task": "t", "k": 0}}, "measure.k is 0; give a whole"),
        ({"measure": None}, "measure.kind None"),
        ({"mark": "X"}, "mark 'X'"),
        ({"expected": [1, 0.7]}, "low below high"),
        ({"expectd": 1}, "did you mean expected"),
    ],
)
def test_a_claim_that_cannot_be_measured_is_named(tmp_path, change, message):
    with pytest.raises(Problem, match=message):
        read_claims(written(tmp_path, ENTRY | change))


def test_missing_keys_twins_and_broken_files_are_problems(tmp_path):
    for key in ENTRY:
        with pytest.raises(Problem, match=f"lacks {key}"):
            read_claims(written(tmp_path, {name: value for name, value in ENTRY.items() if name != key}))
    with pytest.raises(Problem, match="one appears twice"):
        read_claims(written(tmp_path, ENTRY, ENTRY))
    with pytest.raises(Problem, match="no such file"):
        read_claims(tmp_path / "none.yaml")
    for text, message in (("claims: [", "is not YAML"), ("- 1", "no list of claims"), ("claims: [1]", "no list")):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(Problem, match=message):
            read_claims(tmp_path / "bad.yaml")


def test_a_prediction_names_no_paper_and_a_paper_makes_none(tmp_path):
    own = {key: ENTRY[key] for key in ("id", "says", "measure", "expected", "because")}
    (read,) = read_claims(written(tmp_path, own, key="predictions"))
    assert (read.predicted, read.tasks, read.expected) == (True, ["photos", "digits"], (0.7, 1.0))
    with pytest.raises(Problem, match="no such key: where"):
        read_claims(written(tmp_path, own | {"where": "Table 3"}, key="predictions"))
    with pytest.raises(Problem, match="claim one: lacks because"):
        read_claims(written(tmp_path, {key: own[key] for key in own if key != "because"}, key="predictions"))
    with pytest.raises(Problem, match="mark 'P' is not one of T, R, S, C, I, U"):
        read_claims(written(tmp_path, ENTRY | {"mark": "P"}))
