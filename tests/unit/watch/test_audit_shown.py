"""What the audit shows: its table, its remedies, score tables and devices."""

import os

from fabricated import study, write_run, write_table

from apr.comparisons.table import save_table
from apr.watch.audit import STATES, audit, wrong
from apr.watch.audit_report import audit_table, described, remedy, to_come
from apr.watch.consistency import mixed_devices


def test_the_table_counts_every_planned_run_once(made, tmp_path):
    root, plan, _ = made
    plan["photos"]["protocol"] = plan["photos"]["protocol"] | {"lr": 0.1}
    (root / "results/runs/digits/a001.json").unlink()
    (root / "results/runs/digits/a002.json").write_text("{")
    result = audit(plan, root)
    table = audit_table(result, {task: entry["title"] for task, entry in plan.items()})
    data = table.data.set_index("task")
    states = [state for state in STATES if state != "dropped"]  # a column only where there is one
    assert "dropped" not in {*data}
    assert "dropped" not in table.caption
    assert data[states].sum(axis=1).tolist() == data["planned"].tolist() == [4, 4, 4, 4]
    assert data.loc["digits", ["complete", "missing", "unreadable"]].tolist() == [2, 1, 1]
    assert table.shown.iloc[-1].tolist()[:3] == ["All tasks", 16, int(data["complete"].sum())]
    assert "Of 16 planned trainings" in table.caption
    assert "Made again by the same command: 1 not there although the score table is; " in table.caption
    assert "Wrong: 1 not readable as a run" in table.caption
    save_table(table, csv=tmp_path / "a.csv", md=tmp_path / "a.md", caption=tmp_path / "a.rst")
    assert "Task on digits" in (tmp_path / "a.md").read_text()


def test_the_remedy_names_files_and_the_command(made):
    root, plan, _ = made
    for name in plan["digits"]["runs"]:
        (root / f"results/runs/digits/{name}.json").write_text("{")
    line = remedy(audit(plan, root).findings)
    assert "4 findings are wrong: delete results/runs/digits/a000.json, " in line
    assert "and 1 more" in line
    assert "snakemake" in line


def test_of_many_findings_of_a_kind_as_many_are_shown_as_asked_for(tmp_path):
    plan, _ = study(tmp_path, models=25)
    for name in plan["digits"]["runs"]:
        (tmp_path / f"results/runs/digits/{name}.json").write_text("{")
    findings = audit(plan, tmp_path).findings
    assert described(findings).count("- results/runs/digits/") == 25
    lines = described(findings, 20).splitlines()
    assert sum(line.startswith("- results/runs/digits/") for line in lines) == 20
    assert lines[-1] == "- and 5 more"


def test_a_mixture_of_devices_is_noted_and_not_wrong(made):
    root, plan, runs = made
    for name, run in runs["digits"].items():
        device = "cpu" if name == "a001" else "NVIDIA A100"
        write_run(root, "digits", name, run | {"provenance": {"device": device, "arithmetic": "fp32"}})
    result = audit(plan, root)
    (finding,) = result.findings
    assert (finding.kind, finding.task, finding.path) == ("devices", "digits", "results/runs/digits")
    assert "NVIDIA A100 (fp32): 3, cpu (fp32): 1 run(s)" in finding.says
    assert not wrong(result.findings)
    assert "## Devices: made on several kinds of device" in described(result.findings)
    row = audit_table(result, {name: name for name in plan}).data.set_index("task")
    assert row["devices"].to_dict() == {"photos": 0, "digits": 1, "digits_pretrained": 0, "photos_longer": 0}


def test_a_mixture_of_arithmetic_is_one_too_and_a_run_that_computed_nothing_is_none():
    same = [{"provenance": {"device": "cpu", "arithmetic": "fp32"}}] * 2 + [{"provenance": {}}, {}]
    assert mixed_devices(same) == ""
    assert "cpu (fp32): 2, cpu (bf16, head fp32): 1" in mixed_devices(
        [*same, {"provenance": {"device": "cpu", "arithmetic": "bf16, head fp32"}}]
    )


def test_what_the_same_command_makes_again_is_not_wrong_and_takes_a_line_a_table(made):
    root, plan, _ = made
    plan["digits"]["protocol"] = plan["digits"]["protocol"] | {"lr": 0.1}
    (root / "results/runs/photos/a001.json").unlink()
    findings = audit(plan, root).findings
    assert not wrong(findings)
    text = described(findings)
    assert text.count("runs of digits") == 1
    assert "4 runs of digits, the first results/runs/digits/a000.json: was trained" in text
    assert "delete" not in text.lower()
    assert "makes 7 run(s) again" in to_come(findings)  # with the two that started from the one that is gone


def test_a_table_of_a_larger_study_or_of_another_error_is_made_anew(made):
    root, plan, runs = made
    del plan["digits"]["runs"]["a003"]
    write_table(root, "photos", list(runs["photos"].values()), "top5_error")
    findings = audit(plan, root).findings
    kinds = {(finding.kind, finding.task) for finding in findings}
    assert kinds == {("old_table", "digits"), ("old_table", "photos"), ("stray", "digits")}
    assert "has 4 rows where 3 runs are planned" in described(findings)
    assert "makes 2 score table(s) again" in to_come(findings)


def test_a_table_older_than_its_runs_is_made_anew_and_another_is_wrong(made):
    root, plan, _ = made
    table = root / "results/scores/digits.csv"
    table.write_text(table.read_text().replace("66.666667", "33.333333"))
    (finding,) = audit(plan, root).findings
    assert finding.kind == "table"
    assert "results/scores/digits.csv" in remedy([finding])
    os.utime(table, (1, 1))
    (finding,) = audit(plan, root).findings
    assert finding.kind == "old_table"


def test_a_deleted_table_is_to_do(made):
    root, plan, _ = made
    (root / "results/scores/digits.csv").unlink()
    assert audit(plan, root).findings == []
