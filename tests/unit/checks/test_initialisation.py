"""How blocks start, in a study's configuration; and that the order of its keys trains nothing again."""

import copy
import json

import pytest
import yaml

from checks.config import check_config
from study import ROOT, study_of


@pytest.fixture
def demo():
    return yaml.safe_load((ROOT / "studies/demo.yaml").read_text())


def test_a_study_says_how_blocks_start_or_means_false(demo):
    regime = demo["regimes"]["small"]
    regime.pop("zero_init_final_gamma", None)
    assert check_config(demo, []) == []
    assert study_of(copy.deepcopy(demo)).tasks["digits"].protocol["zero_init_final_gamma"] is False
    regime["zero_init_final_gamma"] = "yes"
    assert any("zero_init_final_gamma: 'yes' is a string, expected boolean" in line for line in check_config(demo, []))


def test_the_order_of_keys_trains_nothing_anew(demo):
    def turned(value):
        return {key: turned(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    whole = ("population", "regimes", "statistics")
    other = {key: turned(value) if key in whole else value for key, value in demo.items()}
    other["tasks"] = {name: turned(task) for name, task in demo["tasks"].items()}
    one, two = study_of(copy.deepcopy(demo)), study_of(other)
    assert all(
        one.protocol(task, run) == two.protocol(task, run) for task in one.tasks for run in list(one.runs(task))[:1]
    )
    assert one.genotypes == two.genotypes
    assert json.dumps(one.plan) == json.dumps(two.plan)


def test_the_pairs_of_two_initialisations_are_found(demo):
    zero = demo["tasks"]["tissues"] | {"view": "tissues", "role": "extra", "zero_init_final_gamma": True}
    demo["tasks"] |= {"tissues_zero": zero, "tissues_zero_longer": zero | {"epochs": 99}}
    found = study_of(demo)
    assert found.comparisons["initialisation"] == {"tissues": "tissues_zero"}
    assert set(found.tasks) - set(found.asked) == {"tissues_zero", "tissues_zero_longer"}
    assert found.planned("tissues_zero")["extra"]
    assert not found.planned("tissues")["extra"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"zero_init_final_gamma": False}, "zero_init_final_gamma is false in both; it has to differ"),
        ({"epochs": 99}, "the two differ in epochs, too"),
        ({"view": "digits"}, "the two differ in view, too"),
    ],
)
def test_a_wrong_pair_of_initialisations_is_named(demo, change, message):
    zero = demo["tasks"]["tissues"] | {"view": "tissues", "role": "extra", "zero_init_final_gamma": True}
    demo["tasks"]["zero"] = zero | change
    demo["comparisons"]["initialisation"] = {"tissues": "zero"}
    (line,) = check_config(demo, [])
    assert f"comparisons.initialisation.tissues: tissues: zero: {message}" in line
