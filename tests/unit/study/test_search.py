"""Which cells of a grid are tried, where they are compared, and what waits for what."""

import json

import pytest

from cluster.estimates import time_limit
from study import ROOT, read_yaml, study_of
from study.files import Files
from study.search import drawn, rungs_of, search_of
from study.tasks import cell_name, cells_of

HALVING = {"halving": 3, "from_epochs": 3}


def tuned(**task):
    config = read_yaml(ROOT / "studies/transfer_demo.yaml")
    config["regimes"]["tune"] |= {"epochs": 10, "grid": {"lr": [0.1, 0.2, 0.3, 0.4]}}
    config["tasks"]["tissues"] |= task
    return study_of(config)


def rungs(count, epochs, **search):
    return [(one["epochs"], one["of"], one["stay"]) for one in rungs_of(search_of({"search": search}), count, epochs)]


def test_one_in_three_goes_on_until_one_is_left_or_the_epochs_are_over():
    assert rungs(40, 30, **HALVING) == [(3, 40, 13), (9, 13, 4), (27, 4, 1)]
    assert rungs(40, 27, **HALVING) == [(3, 40, 13), (9, 13, 4)]
    assert rungs(4, 30, **HALVING) == [(3, 4, 1)]
    assert rungs(2, 30, **HALVING) == [(3, 2, 1)]  # fewer than three: the best goes on
    assert rungs(1, 30, **HALVING) == rungs(9, 30, cells=3) == rungs(9, 3, **HALVING) == []


def test_a_draw_is_the_same_for_ever_keeps_the_grids_order_and_is_among_a_longer_one():
    cells = cells_of({"lr": tuple(range(1, 9)), "weight_decay": (0, 1)})
    short, long = (drawn(cells, search_of({"search": {"cells": n, "seed": 5}}), cell_name) for n in (3, 7))
    assert [cell for cell in cells if cell in long] == long
    assert [cell for cell in long if cell in short] == short
    assert len(short) == 3
    assert [cell_name(cell) for cell in short] == ["-lr3-weight_decay1", "-lr4-weight_decay0", "-lr8-weight_decay1"]
    assert drawn(cells, search_of({"search": {"cells": 3, "seed": 6}}), cell_name) != short
    assert drawn(cells, None, cell_name) == cells


def test_runs_of_the_chosen_cell_follow_those_of_the_grid_and_wait_for_them():
    study = tuned(choose={"by": "validation", "seeds": [7, 8]})
    names = list(study.runs("tissues"))[:6]
    model = "timm.tf_efficientnet_lite0.in1k"
    assert names == [f"{model}-lr{lr}" for lr in (0.1, 0.2, 0.3, 0.4)] + [f"{model}-chosen-s{seed}" for seed in (7, 8)]
    files = Files(study)
    assert files.before("tissues", names[4], None) == {"choice": f"results/choices/tissues/{model}.json"}
    assert files.before("tissues", names[0], None) == {}
    assert files.cells("tissues", model) == [f"results/runs/tissues/{name}.json" for name in names[:4]]
    assert json.loads(study.protocol("tissues", names[4]))["seed"] == 7
    planned = study.planned("tissues")["runs"]
    assert planned[names[4]]["choice"] == f"results/choices/tissues/{model}.json"
    assert (planned[names[4]]["seed"], planned[names[4]]["cell"]) == (7, {})
    assert study.tasks["tissues"].repeated


def test_each_pause_waits_for_the_one_before_and_the_run_for_the_last():
    study = tuned(search={"halving": 2, "from_epochs": 2})
    model = "timm.tf_efficientnet_lite0.in1k"
    name, files = f"{model}-lr0.1", Files(study)
    assert study.planned("tissues")["rungs"] == [
        {"epochs": 2, "of": 4, "stay": 2},
        {"epochs": 4, "of": 2, "stay": 1},
    ]
    assert "rungs" not in study.planned("digits")
    assert files.before("tissues", name, "2") == {}
    for epochs, pause in (("4", 2), (None, 4)):
        assert files.before("tissues", name, epochs) == {
            "rung": f"results/rungs/tissues/{pause}/{name}.json",
            "halving": f"results/halvings/tissues/{pause}/{model}.json",
        }
    assert len(files.rungs("tissues", "2", model)) == 4
    assert time_limit(study, "tissues", 1, "2") < time_limit(study, "tissues", 1)


@pytest.mark.parametrize("search", [None, {"halving": 2, "from_epochs": 2}])
def test_a_search_changes_the_protocol_of_no_run(search):
    plain, searched = tuned(), tuned(**({"search": search} if search else {}))
    for name in plain.runs("tissues"):
        assert searched.protocol("tissues", name) == plain.protocol("tissues", name)
