"""A run's JSON: what is refused."""

import pytest
from made_runs import MANIFEST, OUTCOME, PARTS, a_run

from apr.basics.files import digest_of, write_json
from apr.basics.problems import Problem
from apr.runs.protocol import check_protocol, full_protocol
from apr.runs.record import asked_for, new_run, read_run


def test_a_run_reads_as_it_was_written(tmp_path):
    write_json(tmp_path / "a000.json", a_run())
    assert read_run(tmp_path / "a000.json") == a_run()


def told(path, *more):
    with pytest.raises(Problem) as caught:
        read_run(path, *more)
    return str(caught.value).removeprefix(f"{path}: ")


def test_a_run_of_another_layout_is_named_with_the_remedy(tmp_path):
    for schema in (1, 3, None):
        write_json(tmp_path / "a000.json", a_run() | {"schema": schema})
        assert told(tmp_path / "a000.json") == (
            f"is laid out as number {schema}, this version reads number 2; delete it and run again, or go on with the "
            "version that made it"
        )


def test_another_protocol_is_refused_and_the_keys_are_named():
    run = a_run()
    expected = {**run["protocol"], "epochs": 5, "images": {**run["protocol"]["images"], "dataset_digest": "z"}}
    with pytest.raises(Problem, match=r"a.json.*epochs is 3, the study has 5; images.dataset_digest is 'x'"):
        check_protocol(run, expected, "a.json")
    check_protocol(run, run["protocol"], "a.json")


NONE = {**OUTCOME, "parts": None}
BEYOND = {**OUTCOME, "parts": {"test": PARTS["test"] | {"correct_top1": 9}}}
LESS = {**OUTCOME, "parts": {"train": PARTS["train"]}}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"protocol": {"epochs": 4}},
            "its protocol was edited after the run (fingerprint differs); delete it and run again",
        ),
        *(
            ({"outcome": outcome}, f"impossible counts {outcome}; delete it and run again")
            for outcome in (NONE, BEYOND, LESS)
        ),
        (
            {"outcome": {**OUTCOME, "status": "paused"}},
            "status 'paused' is none of completed, diverged, dropped; delete it",
        ),
        ({"outcome": {}}, "status None is none of completed, diverged, dropped; delete it"),
    ],
)
def test_an_edited_run_is_refused(tmp_path, change, said):
    write_json(tmp_path / "a000.json", a_run() | change)
    assert told(tmp_path / "a000.json") == said


def test_a_run_has_one_of_the_statuses_that_are_asked_for_and_needs_no_counts_where_it_diverged(tmp_path):
    path = tmp_path / "a000.json"
    write_json(path, a_run() | {"outcome": NONE | {"status": "diverged"}})
    assert read_run(path)["outcome"]["parts"] is None
    write_json(path, a_run() | {"outcome": {**OUTCOME, "status": "paused"}})
    assert read_run(path, ("paused",))["outcome"]["status"] == "paused"
    assert told(path, ("x", "y")) == "status 'paused' is none of x, y; delete it"


@pytest.mark.parametrize("text", ["", "{", "\x00\x01"])
def test_a_broken_file_is_named(tmp_path, text):
    (tmp_path / "a000.json").write_text(text)
    with pytest.raises(Problem, match=r"a000\.json: is not JSON"):
        read_run(tmp_path / "a000.json")


def test_missing_parts_are_named(tmp_path):
    needed = ("fingerprint", "history", "model", "outcome", "protocol", "seed", "task")
    for missing in (("history",), needed):
        write_json(tmp_path / "a000.json", {key: value for key, value in a_run().items() if key not in missing})
        assert told(tmp_path / "a000.json") == f"lacks {', '.join(missing)}; delete it and run again"


def test_a_run_says_what_was_given_of_it_and_no_more():
    about = {"task": "t", "model": "m", "protocol": {"seed": 3}, "outcome": {}, "history": [], "timing": {}}
    plain = new_run(**about, provenance={})
    needed = ("schema", "task", "model", "seed", "protocol", "fingerprint", "weights", "outcome", "history")
    assert tuple(plain) == (*needed, "provenance", "timing")
    assert (plain["schema"], plain["seed"], plain["weights"]) == (2, 3, None)
    assert plain["fingerprint"] == digest_of({"seed": 3})
    more = {"rank": "best1", "choice": {"run": "r"}, "cost": {"parameters": 1}, "weights": "w"}
    whole = new_run(**about, provenance={}, planned={"a": 1}, **more)
    assert whole == plain | more | {"planned": digest_of({"a": 1})}


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
