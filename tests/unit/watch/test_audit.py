"""The audit: a sound study passes, and each way of being wrong is found, named, and counted once."""

import json

import pytest
from fabricated import diverged, edit, only, write_run, write_table

from apr.basics.files import digest_of
from apr.watch.audit import audit, wrong
from apr.watch.audit_report import remedy


def test_a_sound_study_passes(made):
    root, plan, _ = made
    result = audit(plan, root)
    assert result.findings == []
    assert not wrong(result.findings)
    assert [states["complete"] for states in result.states.values()] == [4, 4, 4, 4]


def test_diverged_runs_are_counted_and_not_wrong(made):
    root, plan, runs = made
    runs["digits"]["a001"] = diverged(runs["digits"]["a001"])
    write_run(root, "digits", "a001", runs["digits"]["a001"])
    write_table(root, "digits", list(runs["digits"].values()))
    result = audit(plan, root)
    assert result.findings == []
    assert (result.states["digits"]["complete"], result.states["digits"]["diverged"]) == (3, 1)


def test_a_run_is_to_do_until_its_task_has_an_error_table(made):
    root, plan, _ = made
    (root / "results/runs/digits/a001.json").unlink()
    (finding,) = only(audit(plan, root), "missing")
    assert finding.path == "results/runs/digits/a001.json"
    assert "results/scores/digits.csv" in finding.says
    (root / "results/scores/digits.csv").unlink()
    result = audit(plan, root)
    assert (result.states["digits"]["to_do"], result.findings) == (1, [])


def test_nothing_at_all_is_to_do(made, tmp_path):
    _, plan, _ = made
    result = audit(plan, tmp_path / "empty")
    assert sum(states["to_do"] for states in result.states.values()) == 16
    assert result.findings == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"task": 1}', "\x00", json.dumps(dict.fromkeys(["task", "outcome"]))]
)
def test_an_unreadable_run_is_named(made, text):
    root, plan, _ = made
    (root / "results/runs/digits/a001.json").write_text(text)
    (finding,) = only(audit(plan, root), "unreadable")
    assert finding.path == "results/runs/digits/a001.json"
    assert "delete it" in finding.says


def test_a_run_without_an_outcome_is_unreadable(made):
    root, plan, _ = made
    edit(root / "results/runs/digits/a001.json", lambda run: run.update(outcome={"status": "completed"}))
    only(audit(plan, root), "unreadable")


def test_another_protocol_is_outdated_with_its_keys(made):
    root, plan, _ = made
    plan["digits"]["protocol"] = plan["digits"]["protocol"] | {"lr": 0.1}
    found = only(audit(plan, root), "outdated")
    assert len(found) == 4
    assert "lr is 0.05, the study has 0.1" in found[0].says


def test_another_genotype_or_seed_is_outdated(made):
    root, plan, _ = made
    plan["digits"]["runs"]["a000"]["genotype"] = "another"
    plan["digits"]["runs"]["a001"]["seed"] = 7
    first, second = only(audit(plan, root), "outdated")
    assert "genotype is" in first.says
    assert "seed is 1, the study has 7" in second.says


def test_other_images_are_outdated(made):
    root, plan, _ = made
    edit(root / "results/views/digits.json", lambda view: view.update(indices_digest="others"))
    found = only(audit(plan, root), "outdated")
    assert {finding.task for finding in found} == {"digits", "digits_pretrained"}
    assert "images.indices_digest" in found[0].says


def test_a_run_in_another_ones_place_is_named(made):
    root, plan, runs = made
    write_run(root, "digits", "a001", runs["digits"]["a002"])
    write_table(root, "digits", [runs["digits"][name] for name in ("a000", "a002", "a002", "a003")])
    (finding,) = only(audit(plan, root), "misplaced")
    assert "is the run of a002 on digits" in finding.says


def test_a_run_from_a_source_trained_anew_is_outdated(made):
    root, plan, runs = made

    def anew(run):
        run["protocol"]["lr"] = 0.1
        run["fingerprint"] = digest_of(run["protocol"])

    plan["photos"]["protocol"]["lr"] = 0.1
    for name in runs["photos"]:
        edit(root / f"results/runs/photos/{name}.json", anew)
    found = only(audit(plan, root), "outdated")
    assert {finding.task for finding in found} == {"digits_pretrained", "photos_longer"}
    assert len(found) == 8
    assert "initial.fingerprint is" in found[0].says


def test_other_weights_of_the_same_source_are_outdated(made):
    root, plan, _ = made
    edit(root / "results/runs/photos/a002.json", lambda run: run.update(weights="others"))
    found = only(audit(plan, root), "outdated")
    assert [finding.path for finding in found] == [
        "results/runs/digits_pretrained/a002.json",
        "results/runs/photos_longer/worst2.json",
    ]


@pytest.mark.parametrize("harm", ["cut", "lose"])
def test_kept_weights_that_are_damaged_are_named_with_their_run(made, harm):
    root, plan = made[:2]
    weights = root / "results/weights/photos/a001.pt"
    weights.write_bytes(weights.read_bytes()[:40]) if harm == "cut" else weights.unlink()
    (found,) = audit(plan, root).findings
    assert (found.kind, found.path) == ("weights", "results/weights/photos/a001.pt, results/runs/photos/a001.json")
    assert "delete results/weights/photos/a001.pt, results/runs/photos/a001.json; then" in remedy([found])


def test_a_run_whose_source_is_gone_is_outdated(made):
    root, plan, _ = made
    (root / "results/runs/photos/a001.json").unlink()
    kinds = {finding.path: finding.kind for finding in audit(plan, root).findings}
    assert kinds == {
        "results/runs/photos/a001.json": "missing",
        "results/runs/digits_pretrained/a001.json": "outdated",
        "results/runs/photos_longer/best2.json": "outdated",
    }


def test_a_continuation_of_what_is_no_longer_the_best_is_outdated(made):
    root, plan, runs = made
    best = runs["photos"]["a000"]
    for entry in (best["outcome"], best["history"][-1]):
        entry["parts"]["test"]["correct_top1"] = 1
    write_run(root, "photos", "a000", best)
    write_table(root, "photos", list(runs["photos"].values()))
    found = only(audit(plan, root), "outdated")
    assert [finding.path.rsplit("/", 1)[1] for finding in found] == [
        *("best1.json", "best2.json", "worst1.json", "worst2.json")
    ]
    assert "continues a000, but best1 of results/scores/photos.csv is a001" in found[0].says


def test_a_continuation_under_another_rank_is_named(made):
    root, plan, runs = made
    write_run(root, "photos_longer", "worst1", runs["photos_longer"]["worst1"] | {"rank": "best1"})
    (finding,) = only(audit(plan, root), "misplaced")
    assert "is the run of rank best1" in finding.says


def test_a_run_that_could_not_start_since_its_source_diverged_is_sound(made):
    root, plan, runs = made
    for task in ("photos", "digits_pretrained"):
        runs[task]["a002"] = diverged(runs[task]["a002"]) | ({"history": []} if task == "digits_pretrained" else {})
        write_run(root, task, "a002", runs[task]["a002"])
        write_table(root, task, list(runs[task].values()))
    result = audit(plan, root)
    assert result.findings == []
    assert result.states["digits_pretrained"]["diverged"] == 1


def test_models_of_equal_error_rank_by_their_names(made):
    root, plan, runs = made
    for run in runs["photos"].values():
        for entry in (run["outcome"], run["history"][-1]):
            entry["parts"]["test"]["correct_top1"] = 30
        write_run(root, "photos", run["model"], run)
    write_table(root, "photos", list(runs["photos"].values()))
    assert audit(plan, root).findings == []


def test_strays_are_named_and_not_wrong(made):
    root, plan, runs = made
    write_run(root, "digits", "a999", runs["digits"]["a000"])
    write_run(root, "older", "a000", runs["digits"]["a000"])
    (root / "results/runs/digits/.a000.1234.part.json").write_text("half")
    result = audit(plan, root)
    assert [finding.path for finding in result.findings] == ["results/runs/digits/a999.json", "results/runs/older"]
    assert not wrong(result.findings)


def test_an_extra_task_of_which_no_run_is_there_is_not_to_do(made):
    root, plan, _ = made
    plan["digits_zero"] = plan["digits"] | {"extra": True}
    assert "digits_zero" not in audit(plan, root).states
    write_run(root, "digits_zero", "a000", json.loads((root / "results/runs/digits/a000.json").read_text()))
    assert audit(plan, root).states["digits_zero"]["to_do"] == 3


def test_what_starts_from_an_outdated_run_is_outdated(made):
    root, plan, _ = made
    plan["photos"]["protocol"] = plan["photos"]["protocol"] | {"lr": 0.1}
    found = only(audit(plan, root), "outdated")
    assert {finding.task for finding in found} == {"photos", "digits_pretrained", "photos_longer"}
    assert len(found) == 12


def test_classes_are_checked_where_runs_are_although_their_view_is_gone(made, monkeypatch):
    root, plan, _ = made
    asked = []
    monkeypatch.setattr("apr.watch.audit.contradictions", lambda view, _: asked.append(view) or [])
    (root / f"results/views/{plan['digits']['view']}.json").unlink()
    audit({"digits": plan["digits"]}, root)
    assert asked == [plan["digits"]["view"]]
    asked.clear()
    for path in (root / "results/runs/digits").glob("*.json"):
        path.unlink()
    audit({"digits": plan["digits"]}, root)
    assert asked == []


def test_a_cell_that_was_not_the_best_and_counts_is_wrong(made):
    root, plan, _ = made
    plan["digits"]["choose"] = "test"
    assert not wrong(audit(plan, root).findings)
    table = root / "results/scores/digits.csv"
    lines = table.read_text().splitlines()
    at = lines[0].split(",").index("chosen")
    cells = lines[2].split(",")
    assert cells[at] == "yes"
    lines[2] = ",".join([*cells[:at], "no", *cells[at + 1 :]])
    table.write_text("\n".join(lines) + "\n")
    (finding,) = audit(plan, root).findings
    assert finding.kind == "table"
    assert finding.says == "row 3: chosen is 'no', its run says 'yes'"
