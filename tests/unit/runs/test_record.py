"""A run's JSON: what is refused."""

import pytest
from made_runs import MANIFEST, OUTCOME, PARTS, a_run

from apr.basics.files import digest_of, read_json, write_json
from apr.basics.problems import Problem
from apr.runs.protocol import check_protocol, full_protocol
from apr.runs.record import SCHEMA, asked_for, read_run


def test_a_run_reads_as_it_was_written(tmp_path):
    write_json(tmp_path / "a000.json", a_run())
    assert read_run(tmp_path / "a000.json") == a_run()


def test_a_run_of_another_layout_is_named_with_the_remedy(tmp_path):
    old = a_run() | {"schema": SCHEMA - 1}
    write_json(tmp_path / "a000.json", old)
    with pytest.raises(Problem, match=r"a000\.json: is laid out as number 1, this version reads number 2; delete it"):
        read_run(tmp_path / "a000.json")


def test_another_protocol_is_refused_and_the_keys_are_named():
    run = a_run()
    expected = {**run["protocol"], "epochs": 5, "images": {**run["protocol"]["images"], "dataset_digest": "z"}}
    with pytest.raises(Problem, match=r"a.json.*epochs is 3, the study has 5; images.dataset_digest is 'x'"):
        check_protocol(run, expected, "a.json")
    check_protocol(run, run["protocol"], "a.json")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"protocol": {"epochs": 4}}, "fingerprint differs"),
        ({"outcome": {**OUTCOME, "parts": {"test": PARTS["test"] | {"correct_top1": 9}}}}, "impossible counts"),
        ({"outcome": {**OUTCOME, "parts": {"train": PARTS["train"]}}}, "impossible counts"),
        ({"outcome": {**OUTCOME, "status": "fine"}}, "is none of completed, diverged, dropped"),
    ],
)
def test_an_edited_run_is_refused(tmp_path, change, message):
    write_json(tmp_path / "a000.json", a_run() | change)
    with pytest.raises(Problem, match=message):
        read_run(tmp_path / "a000.json")


@pytest.mark.parametrize("text", ["", "{", "\x00\x01"])
def test_a_broken_file_is_named(tmp_path, text):
    (tmp_path / "a000.json").write_text(text)
    with pytest.raises(Problem, match=r"a000\.json: is not JSON"):
        read_run(tmp_path / "a000.json")


def test_a_missing_part_is_named(tmp_path):
    run = a_run()
    del run["history"]
    write_json(tmp_path / "a000.json", run)
    with pytest.raises(Problem, match="lacks history"):
        read_run(tmp_path / "a000.json")
    assert read_json(tmp_path / "a000.json")["model"] == "a000"


def test_what_a_protocol_does_not_say_stands_in_it_all_the_same():
    said = full_protocol({"lr": 0.1, "zero_init_final_gamma": True}, genotype="g", manifest=MANIFEST)
    unsaid = full_protocol({"lr": 0.1}, genotype="g", manifest=MANIFEST)
    assert (said["zero_init_final_gamma"], unsaid["zero_init_final_gamma"]) == (True, False)
    assert digest_of(said) != digest_of(unsaid)
    old = {key: value for key, value in unsaid.items() if key != "zero_init_final_gamma"}
    with pytest.raises(Problem, match="zero_init_final_gamma is None, the study has False"):
        check_protocol(a_run() | {"protocol": old}, unsaid, "a.json")


def test_an_extra_task_counts_once_one_of_its_runs_is_there(tmp_path):
    plan = {"one": {"extra": False}, "other": {"extra": True}, "third": {}}
    assert list(asked_for(plan, tmp_path)) == ["one", "third"]
    write_json(tmp_path / "results/runs/other/a000.json", a_run())
    assert list(asked_for(plan, tmp_path)) == ["one", "other", "third"]
