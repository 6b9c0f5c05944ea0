"""Cells that are compared before they end: who goes on, and that pausing, dropping and killing change no result."""

import json
import os
import signal

import pytest
from tuned import arguments, compared, prepare, run

import apr.runs.training
import finetune
from apr.basics.files import read_json, write_json
from apr.basics.interruption import Interrupted
from apr.basics.problems import Problem
from apr.runs.commands.scripts import make_run
from apr.runs.commands.transfer_options import check_options, check_task, parser
from apr.runs.finetuning.finetuner import FineTuner
from apr.runs.finetuning.halving import halved, mean_epochs, paused, read_choice, read_rung
from apr.runs.finetuning.scored import read_outputs
from apr.runs.metrics import part_of
from apr.runs.record import read_run
from apr.runs.trainer import Diverged
from apr.scores.choice import chosen_cell
from apr.watch.consistency import impossible

RUNG = {"epochs": 1, "of": 4, "stay": 2}
METRIC = "top1_accuracy"


def standing(name, correct, status="paused"):
    parts = {"validation": part_of(10, {"correct_top1": correct, "correct_top5": 10}), "test": part_of(10)}
    return {"model": "m", "task": "t", "fingerprint": name, "outcome": {"status": status, "epoch": 1, "parts": parts}}


def going(*runs, **rung):
    return [cell["fingerprint"] for cell in halved(runs, RUNG | rung, METRIC)["cells"] if cell["goes_on"]]


def test_the_best_by_validation_go_on_of_equal_ones_the_first_and_none_that_diverged_or_was_dropped():
    runs = [standing(name, correct) for name, correct in zip("abcd", (5, 7, 6, 7), strict=True)]
    assert going(*runs) == ["b", "d"]
    assert going(*runs, stay=1) == ["b"]
    assert going(standing("a", None, "diverged"), standing("b", 1), standing("c", 9, "dropped")) == ["b"]
    found = halved(runs, RUNG, METRIC)
    assert found.items() >= RUNG.items()
    assert [cell["value"] for cell in found["cells"]] == [50, 70, 60, 70]


def test_that_all_diverged_is_said(caplog):
    assert going(standing("a", None, "diverged"), standing("b", None, "diverged")) == []
    assert "no cell is left after epoch 1" in caplog.text


def test_cells_without_validation_images_cannot_be_compared():
    one = standing("a", 5)
    del one["outcome"]["parts"]["validation"]
    with pytest.raises(Problem, match="m on t: has no top1_accuracy of validation images; give the view some"):
        halved([one], RUNG, METRIC)


def test_a_run_that_diverged_later_was_paused_before():
    history = [{"parts": {"test": part_of(3)}}] * 2
    run = {"outcome": {"status": "diverged", "epoch": 3}, "history": history, "outputs": "x"}
    assert paused(run, 3) is run
    assert paused(run, 2)["outcome"]["status"] == "paused"
    assert len(paused(run, 1)["history"]) == 1
    assert "outputs" not in paused(run, 2)


def test_what_cells_cost_in_the_mean():
    rungs = [{"epochs": 1, "of": 4, "stay": 2}, {"epochs": 2, "of": 2, "stay": 1}]
    assert mean_epochs(rungs, 5) == (4 * 1 + 2 * 1 + 1 * 3) / 4
    assert mean_epochs([], 5) == 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = prepare(tmp_path_factory.mktemp("noise"))
    run(folder, name="whole")
    return folder


def halving(folder, *runs, stay=1):
    """The decision after these pauses."""
    rung = {"epochs": 1, "of": len(runs), "stay": stay}
    write_json(folder / "halving.json", halved([read_rung(folder / f"{name}.json") for name in runs], rung, METRIC))
    return folder / "halving.json"


def pause(folder, name, **options):
    """Up to the first epoch, as a rung of the run of that name."""
    checkpoint = folder / f"checkpoints/{name}.pt"
    command = {"name": f"{name}_rung", "checkpoint": checkpoint, "outputs": None} | options
    parsed = parser("", "finetune").parse_args(arguments(folder, "--pause-after", "1", **command))
    check_options(parsed)
    make_run(parsed, check_task(parsed, ["train", "test"]), finetune.made, finetune.written)
    return read_rung(folder / f"{name}_rung.json")


def test_a_paused_run_goes_on_as_if_it_had_not_paused_also_where_it_was_killed_between(folder, monkeypatch):
    before = pause(folder, "on")
    assert before["history"] == read_run(folder / "whole.json")["history"][:1]
    decision = halving(folder, "on_rung")
    train = apr.runs.training._train

    def killed(trainer, loader, held, kept, start, on_step, *more):
        def step(progress):
            os.kill(os.getpid(), signal.SIGTERM)

        return train(trainer, loader, held, kept, start, step, *more)

    monkeypatch.setattr(apr.runs.training, "_train", killed)
    with pytest.raises(Interrupted):
        run(folder, name="on", rung=folder / "on_rung.json", halving=decision)
    monkeypatch.undo()
    assert pause(folder, "on")["history"] == before["history"]  # that its training is further on changes nothing
    made = run(folder, name="on", rung=folder / "on_rung.json", halving=decision)
    assert made["timing"]["resumed_at_epoch"] == 2
    assert compared(made) == compared(read_run(folder / "whole.json"))
    assert pause(folder, "on")["history"] == before["history"]  # nor that it is finished


def test_a_lost_checkpoint_costs_time_alone(folder):
    pause(folder, "lost")
    (folder / "checkpoints/lost.pt").unlink()
    made = run(folder, name="lost", rung=folder / "lost_rung.json", halving=halving(folder, "lost_rung"))
    assert compared(made) == compared(read_run(folder / "whole.json"))


def test_a_dropped_run_says_so_keeps_no_checkpoint_and_is_not_taken_for_finished(folder):
    pause(folder, "good")
    pause(folder, "bad", protocol={"lr": 1e-6})
    options = {"rung": folder / "bad_rung.json", "halving": halving(folder, "good_rung", "bad_rung")}
    made = run(folder, name="bad", protocol={"lr": 1e-6}, **options)
    assert (made["outcome"]["status"], made["outcome"]["epoch"]) == ("dropped", 1)
    assert made["rung"] == {"epochs": 1, "of": 2, "stay": 1}
    assert read_outputs(folder / "bad.npz", made["outputs"]) == {}
    assert impossible(made, read_json(folder / "view.json")) == ""
    assert not (folder / "checkpoints/bad.pt").exists()
    assert run(folder, name="bad", protocol={"lr": 1e-6})["outcome"]["status"] == "completed"


def test_a_cell_that_diverged_before_a_pause_is_the_run_of_the_full_grid(folder, monkeypatch):
    def diverges(self, loader, part="test"):
        raise Diverged

    monkeypatch.setattr(FineTuner, "evaluate", diverges)
    whole = run(folder, name="off", protocol={"seed": 9})
    assert pause(folder, "over", protocol={"seed": 9})["outcome"]["status"] == "diverged"
    monkeypatch.undo()
    options = {"rung": folder / "over_rung.json", "halving": halving(folder, "over_rung")}
    assert compared(run(folder, name="over", protocol={"seed": 9}, **options)) == compared(whole)


def test_files_of_other_runs_are_refused(folder):
    pause(folder, "mine")
    pause(folder, "other", protocol={"lr": 0.01})
    decision = halving(folder, "other_rung")
    with pytest.raises(Problem, match=r"other_rung.json: is of another protocol than this run; delete it"):
        run(folder, name="mine", rung=folder / "other_rung.json", halving=decision)
    with pytest.raises(Problem, match=r"halving.json: says nothing of the run of .*mine_rung.json; delete it"):
        run(folder, name="mine", rung=folder / "mine_rung.json", halving=decision)


def test_the_choice_is_that_of_the_score_table(folder, tmp_path, caplog):
    pause(folder, "first")
    pause(folder, "second", protocol={"lr": 1e-6})
    options = {"rung": folder / "second_rung.json", "halving": halving(folder, "first_rung", "second_rung")}
    run(folder, name="second", protocol={"lr": 1e-6}, **options)
    names = {"second": {"lr": 1e-6, "seed": 1}, "whole": {"lr": 0.02, "seed": 1}}
    found = chosen_cell([folder / f"{name}.json" for name in names], names, METRIC, "validation")
    assert (found["run"], found["cell"], found["status"]) == ("whole", {"lr": 0.02}, "completed")
    assert not caplog.text.count("no cell was trained to the end")
    found = chosen_cell([folder / "second.json"], {"second": names["second"]}, METRIC, "validation")
    assert "no cell was trained to the end; takes second" in caplog.text
    write_json(tmp_path / "choice.json", {"run": "second"})
    with pytest.raises(Problem, match="does not say which cell was chosen; delete it"):
        read_choice(tmp_path / "choice.json")
    write_json(tmp_path / "choice.json", found)
    assert json.loads((tmp_path / "choice.json").read_text())["cell"] == {"lr": 1e-6}
