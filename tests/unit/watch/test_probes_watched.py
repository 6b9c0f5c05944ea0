"""Probes in the status and in the estimates of a cluster: they have no epochs, and no seed."""

import pytest
from fabricated import edit, manifests, run_of, task, write_json, write_run

from apr.models.names import run_name
from apr.runs.finetuning_protocol import planned_probe
from apr.runs.metrics import part_of
from apr.runs.record import new_run
from apr.watch.audit import audit
from apr.watch.audit_report import audit_table, described
from apr.watch.planned import Runs
from apr.watch.progress import state_of
from apr.watch.status import status_text
from apr.watch.steps import Call
from cluster.estimates import training_minutes
from study import ROOT, read_yaml, study_of

NOW = 1_800_000_000.0
MODELS = ["timm:resnet18.a1_in1k", "timm:resnet50.a1_in1k"]
PROTOCOL = {"strengths": [0.1, 1.0], "resolution": 32, "batch": 64, "weights": None}


def probing(root):
    """A finished task of trainings, and one of two probes, of which one is made."""
    training = task([f"a{number:03d}" for number in range(3)], epochs=4) | {"way": "train"}
    runs = {run_name(name): {"model": name, "genotype": None, "seed": None, "cell": {}} for name in MODELS}
    about = {"view": "photos", "way": "probe", "metric": "top1_error", "protocol": PROTOCOL, "initial": None}
    plan = {"photos": training, "probed": about | {"title": "Probed", "continues": False, "choose": None, "runs": runs}}
    view = manifests(root)
    for model in training["runs"]:
        write_run(root, "photos", model, run_of(plan, "photos", model, view, seconds=100.0))
    planned = planned_probe(MODELS[0], PROTOCOL, "top1_error", view)
    counts = {part: part_of(view[f"n_{part}"], {"correct_top1": 30, "correct_top5": 50}) for part in ("train", "test")}
    history = [{"strength": strength, "parts": counts, "iterations": 9, "converged": True} for strength in (0.1, 1.0)]
    run = new_run(
        task="probed",
        model=MODELS[0],
        protocol=planned | {"weights": "w", "input": {}},
        planned=planned,
        outcome={"status": "completed", "chosen": {"strength": 0.1}, "parts": counts},
        history=history,
        timing={"seconds": 7.0},
        provenance={},
    )
    write_json(root / f"results/runs/probed/{run_name(MODELS[0])}.json", run)
    return plan


def line_of(text, name):
    return next(line.split() for line in text.splitlines() if line.startswith(f"{name} "))


def test_a_probe_that_is_made_is_current_and_one_of_other_strengths_is_not(tmp_path):
    plan = probing(tmp_path)
    assert (
        line_of(status_text(state_of(plan, tmp_path, NOW, NOW - 9, {}, Runs(plan, tmp_path), Call())), "probed")[1]
        == "1/2"
    )
    assert audit(plan, tmp_path).states["probed"]["complete"] == 1
    plan["probed"]["protocol"] = PROTOCOL | {"batch": 8}  # how it uses the machine
    assert (
        line_of(status_text(state_of(plan, tmp_path, NOW, NOW - 9, {}, Runs(plan, tmp_path), Call())), "probed")[1]
        == "1/2"
    )
    plan["probed"]["protocol"] = PROTOCOL | {"strengths": [0.1]}
    assert "1 outdated" in status_text(state_of(plan, tmp_path, NOW, NOW - 9, {}, Runs(plan, tmp_path), Call()))
    assert audit(plan, tmp_path).states["probed"]["outdated"] == 1


def test_a_probe_counts_as_one_epoch(tmp_path):
    plan = probing(tmp_path)
    (tmp_path / f"results/runs/probed/{run_name(MODELS[0])}.json").unlink()
    assert line_of(status_text(state_of(plan, tmp_path, NOW, NOW - 9, {}, Runs(plan, tmp_path), Call())), "probed")[
        -2:
    ] == ["50", "s"]  # two of 100 s / 4


def test_a_probe_that_contradicts_itself_is_out_of_range(tmp_path):
    plan = probing(tmp_path)
    edit(tmp_path / f"results/runs/probed/{run_name(MODELS[0])}.json", lambda run: run["history"].pop())
    (finding,) = [one for one in audit(plan, tmp_path).findings if one.kind == "out_of_range"]
    assert "tried the strengths [0.1] of [0.1, 1.0]" in finding.says


@pytest.mark.parametrize("left", ["nothing", "another file"])
def test_lost_and_foreign_outputs_are_a_kind_of_their_own(tmp_path, left):
    plan, name = probing(tmp_path), run_name(MODELS[0])
    edit(tmp_path / f"results/runs/probed/{name}.json", lambda run: run.update(outputs="0" * 64))
    if left == "another file":
        kept = tmp_path / f"results/outputs/probed/{name}.npz"
        kept.parent.mkdir(parents=True)
        kept.write_bytes(b"others")
    whole = audit(plan, tmp_path)
    (finding,) = [one for one in whole.findings if one.kind in ("outputs", "weights")]
    says = (
        "the outputs are missing; delete both" if left == "nothing" else "the outputs are of another run, or damaged;"
    )
    assert finding.kind == "outputs"
    assert finding.says.startswith(says)
    assert "## Outputs: whose outputs, image by image, are missing or of another run" in described([finding])
    table = audit_table(whole, {task: task for task in plan}).data.set_index("task")
    assert (table.loc["probed", "outputs"], table.loc["probed", "weights"]) == (1, 0)


def test_a_probe_takes_as_long_as_images_pass_once_through_a_large_model():
    paper = read_yaml(ROOT / "config.yaml")
    probe = {"view": "powerline", "probe": "lines", "metric": "top1_error", "models": MODELS}
    study = study_of(paper | {"regimes": paper["regimes"] | {"lines": {}}, "tasks": paper["tasks"] | {"probed": probe}})
    assert training_minutes(study, "probed") == pytest.approx(0.5 + 10 * 7_200 / 1000 / 60)
