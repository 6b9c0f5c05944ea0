"""What the Snakefile asks of its engine, of made-up workflows: studies, digests, rules, and the order of jobs."""

import os
import random
import sys
from types import SimpleNamespace

import pytest

from apr.basics.problems import Problem
from engine import setup
from engine.order import DataFirst
from engine.setup import RAISED_BY_HAND, follow_code, given_digest, given_files, own_rules, run_locally
from study import ROOT


def rule(name, script=None):
    return SimpleNamespace(name=name, script=script, set_params=lambda **given: given_params.update({name: given}))


given_params = {}


def of_rules(*rules):
    proxies = {one.name: SimpleNamespace(rule=one) for one in rules}
    return SimpleNamespace(modifier=SimpleNamespace(rule_proxies=SimpleNamespace(_rules=proxies)))


def test_files_are_called_as_the_project_calls_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").write_text("a: 1\n")
    workflow = SimpleNamespace(configfiles=[str(ROOT / "studies/demo.yaml"), "own.yaml", "own.yaml"])
    found = given_files(workflow)
    assert found == {
        "studies/demo.yaml": str(ROOT / "studies/demo.yaml"),
        str(tmp_path / "own.yaml"): str(tmp_path / "own.yaml"),
    }
    before = given_digest(workflow)
    assert len(before) == 64
    (tmp_path / "own.yaml").write_text("a: 1\n# a comment\n")
    assert given_digest(workflow) != before


def test_rules_with_a_script_follow_its_code_but_for_those_of_data(monkeypatch):
    given_params.clear()
    rules = rule("fig_a", "../workflow/scripts/fig_a.py"), rule("train"), rule("pack_dataset", "x/pack_dataset.py")
    monkeypatch.setattr(setup, "digest", lambda path: f"digest of {path.relative_to(ROOT)}")
    follow_code(of_rules(*rules))
    assert {name: given["code"](None) for name, given in given_params.items()} == {
        "fig_a": "digest of workflow/scripts/fig_a.py"
    }
    assert own_rules(of_rules(*rules)) == {one.name: one for one in rules}
    assert {"download_file", "select_view", "rank_runs", "halve_cells", "choose_cell"} <= RAISED_BY_HAND


def test_rules_that_are_not_submitted_run_here():
    local = []
    workflow = of_rules(rule("train"), rule("fig_a"), rule("table_b"))
    workflow.localrules = lambda *names: local.extend(names)
    run_locally(workflow, {"train"})
    assert local == ["fig_a", "table_b"]


def test_a_study_is_checked_in_the_users_process_alone(monkeypatch):
    import checks.config

    asked = []

    def check(config, files):
        asked.append((config, files))
        if "bad" in config:
            raise Problem("two errors")
        return "checked"

    monkeypatch.setattr(checks.config, "checked_study", check)
    monkeypatch.setattr(setup, "study_of", lambda config: f"study of {config}")
    monkeypatch.setattr(setup, "plan_cheaply", lambda: asked.append("cheaply"))
    main = SimpleNamespace(is_main_process=True, overwrite_configfiles=["a.yaml"])
    assert setup.started_study(main, {}) == "checked"
    assert asked == ["cheaply", ({}, ["a.yaml"])]
    assert os.environ["PATH"].startswith(os.path.dirname(sys.executable) + os.pathsep)
    main.overwrite_configfiles = []
    setup.started_study(main, {})
    assert asked[-1] == ({}, [ROOT / "config.yaml"])
    with pytest.raises(SystemExit, match=r"^error: two errors$"):
        setup.started_study(main, {"bad": 1})
    assert setup.started_study(SimpleNamespace(is_main_process=False), {"x": 1}) == "study of {'x': 1}"


def ordered(jobs, running=(), local=True, most=None, takes=None):
    """Names of the jobs that start, of a scheduler that starts all that it is given."""
    selected = []

    def select(some):
        selected.append(sorted(one.name for one in some))
        return [one for one in some if takes is None or one.name in takes]

    scheduler = SimpleNamespace(job_selector=select, subsample=most, running=set(running))
    jobs = [*map(SimpleJob, jobs)]
    first = DataFirst(scheduler, {"pack_dataset", "download_file"}, local)
    assert scheduler.job_selector == first.select
    return sorted(one.name for one in scheduler.job_selector(jobs)), selected


class SimpleJob:
    def __init__(self, name):
        self.name, self.rules = name, {name.split(".")[0]}


def test_what_starts_beside_data():
    assert ordered(["pack_dataset", "train", "fig"]) == (["fig", "pack_dataset"], [["pack_dataset"], ["fig"]])
    assert ordered(["pack_dataset", "train"], local=False) == (["pack_dataset", "train"], [["pack_dataset"], ["train"]])
    assert ordered(["pack_dataset", "train", "fig"], local=False, takes={"fig"})[0] == ["fig"]
    assert ordered(["download_file", "train"])[0] == ["download_file", "train"]
    assert ordered(["train"], running=[SimpleJob("pack_dataset")])[0] == []
    assert ordered(["train"], running=[SimpleJob("pack_dataset")], local=False)[0] == ["train"]
    assert ordered(["train", "evaluate", "probe", "finetune"], running=[SimpleJob("fig")])[0] == [
        *("evaluate", "finetune", "probe", "train"),
    ]
    assert ordered(["pack_dataset"])[1] == [["pack_dataset"]]


def test_of_many_jobs_as_many_are_looked_at_as_snakemake_would(monkeypatch):
    asked = []
    monkeypatch.setattr(random, "sample", lambda jobs, k: asked.append((len(jobs), k)) or list(jobs)[:k])
    names = [f"fig.{number}" for number in range(5)]
    assert len(ordered(names, most=4)[0]) == 4
    assert asked == [(5, 4)]
    assert len(ordered(names, most=5)[0]) == 5
    assert len(ordered(names)[0]) == 5
    assert len(asked) == 1
