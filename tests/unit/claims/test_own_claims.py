"""A study's own predictions: where its file is named, what of it is refused, and which tasks it makes."""

import copy

import pytest
import yaml

from apr.claims.claims import read_claims, tasks_of
from checks.config import check_config
from study import ROOT, study_of
from study.items import Items

DEMO = yaml.safe_load((ROOT / "studies/demo.yaml").read_text(encoding="utf-8"))
PAPER = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def demo():
    return copy.deepcopy(DEMO)


def test_a_study_without_claims_and_the_papers_tasks_has_no_scorecard(demo):
    assert Items(study_of(demo)).lacking("table_scorecard") is None
    del demo["claims"]
    assert "`claims` of its own" in Items(study_of(demo)).lacking("table_scorecard")
    assert "scorecard" not in Items(study_of(demo)).made("table_")
    demo["tasks"]["powerline"] = demo["tasks"]["retina"] | {"view": "retina"}  # called as the paper's
    assert Items(study_of(demo)).lacking("table_scorecard") is None


def test_the_scorecard_judges_the_studys_own_claims_or_the_papers(demo):
    own, paper = Items(study_of(demo)), Items(study_of(PAPER))
    assert own.claims == str(ROOT / "studies/demo.claims.yaml")
    assert own.claimed == tasks_of(read_claims(own.claims))
    assert paper.claims == str(ROOT / "resources/claims.yaml")
    assert {"imagenet", "cifar10"} <= set(paper.claimed)


def test_every_claim_of_the_demo_is_a_prediction_on_tasks_that_it_trains(demo):
    assert check_config(demo, []) == []
    claims = read_claims(ROOT / DEMO["claims"])
    assert len(claims) >= 10
    assert all(claim.predicted for claim in claims)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file; restore it"),
        ({"predictions": [{"id": "one"}]}, "claim one: lacks says"),
        ({"predictions": [], "claims": 1}, None),
    ],
)
def test_a_file_that_cannot_be_read_is_named(demo, tmp_path, content, message):
    file = tmp_path / "own.yaml"
    if content:
        file.write_text(yaml.safe_dump(content))
    demo["claims"] = str(file)
    found = check_config(demo, [])
    assert len(found) == bool(message), found
    assert not message or (str(file) in found[0] and message in found[0]), found


def test_a_task_that_the_study_lacks_is_named_with_the_nearest(demo):
    demo["tasks"]["retin"] = demo["tasks"].pop("retina")
    demo["tasks"]["retin"]["view"] = "retina"
    found = [line for line in check_config(demo, []) if "demo.claims.yaml" in line]
    claims = [claim for claim in read_claims(ROOT / DEMO["claims"]) if "retina" in claim.tasks]
    assert len(found) == len(claims) > 0
    assert "no task 'retina' trains models here (did you mean retin" in found[0]
