"""The status of a running study: counts, times, and an estimate only where something is known."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fabricated import diverged, edit, manifests, run_of, study, task, write_run
from waits import wait_for

import apr
from apr.watch import planned, status
from apr.watch.planned import Runs
from apr.watch.progress import state_of
from apr.watch.status import StatusWriter, finished_runs
from apr.watch.steps import RUNS, Call, Counted, Pace

NOW = 1_800_000_000.0
MODELS = [f"a{number:03d}" for number in range(40)]


def started(root, *, done=0, models=MODELS, seconds=10.0, **protocol):
    """A plan of one task of which some runs are done."""
    plan = {"photos": task(models, **protocol)}
    view = manifests(root, "photos")
    for model in models[:done]:
        write_run(root, "photos", model, run_of(plan, "photos", model, view, seconds=seconds))
    return plan, view


def status_text(plan, root, now, began, baseline, call=None):
    return status.status_text(state_of(plan, root, now, began, baseline, Runs(plan, root), call or Call()))


def line_of(text, name):
    return next(line for line in text.splitlines() if line.startswith(f"{name} "))


def test_before_anything_ended_nothing_is_estimated(tmp_path):
    plan, _ = started(tmp_path)
    text = status_text(plan, tmp_path, NOW, NOW - 60, finished_runs(plan, tmp_path))
    assert "0 of 40 runs done" in text
    assert "time left: unknown yet" in text
    assert line_of(text, "photos").split() == ["photos", "0/40", "." * 20, *"-----", "-", "unknown", "yet"]


def test_the_time_left_follows_from_what_ended_since_the_start(tmp_path):
    plan, _ = started(tmp_path, done=30, seconds=100.0)
    baseline = {"photos": frozenset(MODELS[:20])}
    text = status_text(plan, tmp_path, NOW, NOW - 500, baseline)  # 10 x 100 s within 500 s: two at once
    assert "30 of 40 runs done; time left: about 8 min, at a pace of 2.0 runs at once." in text
    assert line_of(text, "photos").split()[1:] == [
        "30/40",
        "#" * 15 + "." * 5,
        *"----",
        "10",
        "2",
        "min",
        "17",
        "min",
    ]


def test_what_was_there_before_the_start_tells_no_speed(tmp_path):
    plan, _ = started(tmp_path, done=30)
    text = status_text(plan, tmp_path, NOW, NOW - 500, finished_runs(plan, tmp_path))
    assert "unknown yet (no run has ended since the start)" in text
    assert line_of(text, "photos").endswith("2 min")


@pytest.mark.parametrize(
    ("pace", "counted", "said"),
    [
        (
            Pace(60.0, 500.0),
            Counted(40, 0, running=2),
            "about 20 min, at a pace of 2.0 runs at once, as far as the first",
        ),
        (Pace(None, None), Counted(40, 0, running=2), "unknown yet (the first runs are under way)"),
        (None, Counted(40), "unknown yet (no run has begun; now: data)"),
    ],
)
def test_runs_under_way_tell_before_one_has_ended(tmp_path, pace, counted, said):
    plan, _ = started(tmp_path)
    stages = {("data", ""): Counted(3, 2, running=1, seconds=9.0), (RUNS, "photos"): counted}
    call = Call(stages, {"photos": (pace, pace)} if pace else {}, NOW - 30)
    text = status_text(plan, tmp_path, NOW, NOW - 60, {}, call)
    assert f"time left: {said}" in text
    assert line_of(text, "photos").split()[3:5] == [str(counted.running or "-"), "-"]
    assert ("500" in line_of(text, "photos")) == bool(pace and pace.speed)


def test_steps_that_are_no_runs_tell_their_own_time(tmp_path):
    counted = {("scores", ""): Counted(10, 5, running=1, seconds=50.0), ("tables and figures", ""): Counted(20)}
    state = state_of({}, tmp_path, NOW, NOW - 50, {}, Runs({}, tmp_path), Call(counted))
    assert state.time_left == "about 50 s, and then tables and figures"
    assert "Steps of this call: 5 of 30 done (scores 5/10, tables and figures 0/20)." in status.status_text(state)


def test_a_task_without_runs_is_scaled_from_the_one_of_most_similar_cost(tmp_path):
    plan, view = started(tmp_path, done=40, seconds=100.0)
    plan["slow"] = task(MODELS, epochs=90)
    for model in MODELS[:5]:
        write_run(tmp_path, "slow", model, run_of(plan, "slow", model, view, seconds=5000.0))
    plan["double"] = task(MODELS[:3], epochs=6)
    plan["large"] = task(MODELS[:1], epochs=3, resolution=64)
    plan["unprepared"] = task(MODELS, view="nowhere")
    text = status_text(plan, tmp_path, NOW, NOW - 1000, {})
    assert line_of(text, "double").endswith("10 min")  # 3 x 2 x 100 s
    assert line_of(text, "large").endswith("7 min")  # 4 x 100 s
    assert line_of(text, "unprepared").endswith("not prepared")
    assert "Images not prepared yet: unprepared." in text
    assert "runs at once, and what unprepared will take, whose images are not prepared yet" in text


def test_a_continuation_costs_its_own_epochs(tmp_path):
    plan, _ = started(tmp_path, done=40, seconds=300.0)
    longer = task([], initial="photos", continues=True, epochs=6)
    plan["longer"] = longer | {"runs": {"best1": {"model": None, "genotype": None, "seed": None}}}
    assert line_of(status_text(plan, tmp_path, NOW, NOW - 1000, {}), "longer").endswith(" 5 min")


def test_a_finished_study_has_nothing_left(tmp_path):
    plan, runs = study(tmp_path)
    write_run(tmp_path, "digits", "a001", diverged(runs["digits"]["a001"]))
    text = status_text(plan, tmp_path, NOW, NOW - 60, {})
    assert "16 of 16 runs done; time left: none." in text


def test_diverged_runs_are_counted(tmp_path):
    plan, view = started(tmp_path, done=40)
    for model in MODELS[:3]:
        write_run(tmp_path, "photos", model, diverged(run_of(plan, "photos", model, view)))
    assert line_of(status_text(plan, tmp_path, NOW, NOW - 9, {}), "photos").split()[6] == "3"


def test_runs_of_an_older_protocol_or_of_other_images_are_outdated_and_still_needed(tmp_path):
    plan, _ = study(tmp_path)
    plan["digits"]["protocol"] = plan["digits"]["protocol"] | {"lr": 0.1}
    text = status_text(plan, tmp_path, NOW, NOW - 60, {})
    assert "12 of 16 runs done, 4 outdated" in text
    assert line_of(text, "digits").split()[1:6] == ["0/4", "." * 20, "-", "-", "4"]
    assert "time left: none" not in text
    edit(tmp_path / "results/views/digits.json", lambda view: view.update(indices_digest="others"))
    assert "8 of 16 runs done, 8 outdated" in status_text(plan, tmp_path, NOW, NOW - 60, {})


def test_what_starts_from_an_outdated_or_missing_run_is_outdated_too(tmp_path):
    plan, _ = study(tmp_path)
    (tmp_path / "results/runs/photos/a001.json").unlink()
    assert "13 of 16 runs done, 2 outdated" in status_text(plan, tmp_path, NOW, NOW - 60, {})
    plan["photos"]["protocol"] = plan["photos"]["protocol"] | {"lr": 0.1}
    assert "4 of 16 runs done, 11 outdated" in status_text(plan, tmp_path, NOW, NOW - 60, {})


def test_an_evaluation_of_other_images_is_outdated(tmp_path):
    started(tmp_path, done=2)
    runs = {"a000": {"model": "a000"}, "a001": {"model": "another"}}
    evaluated = {"photos": {"view": "photos", "way": "evaluate", "protocol": None, "runs": runs}}
    assert "1 of 2 runs done, 1 outdated" in status_text(evaluated, tmp_path, NOW, NOW - 9, {})
    edit(tmp_path / "results/views/photos.json", lambda view: view.update(dataset_digest="others"))
    assert "0 of 2 runs done, 2 outdated" in status_text(evaluated, tmp_path, NOW, NOW - 9, {})


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"timing": {"seconds": None}})])
def test_a_broken_run_counts_as_done_and_tells_no_time(tmp_path, text):
    plan, _ = started(tmp_path, done=1)
    (tmp_path / "results/runs/photos/a000.json").write_text(text)
    line = line_of(status_text(plan, tmp_path, NOW, NOW - 9, {}), "photos")
    assert line.split()[1] == "1/40"
    assert line.endswith("unknown yet")


def test_each_run_is_read_once_until_another_takes_its_place(tmp_path, monkeypatch):
    plan, view = started(tmp_path, done=40)
    read = []
    monkeypatch.setattr(planned, "_read", lambda path: read.append(Path(path).stem))
    runs = Runs(plan, tmp_path)
    for _ in range(2):
        runs.look()
    assert sorted(read) == MODELS
    write_run(tmp_path, "photos", "a007", run_of(plan, "photos", "a007", view))
    runs.look()
    assert read[40:] == ["a007"]
    runs.look()
    assert len(read) == 41


def test_strays_and_half_written_files_do_not_count(tmp_path):
    plan, view = started(tmp_path, done=2)
    write_run(tmp_path, "photos", "a999", run_of(plan, "photos", "a999", view))
    (tmp_path / "results/runs/photos/.a005.part.json").write_text("")
    assert finished_runs(plan, tmp_path) == {"photos": {"a000", "a001"}}


def test_columns_line_up(tmp_path):
    plan, _ = study(tmp_path)
    lines = status_text(plan, tmp_path, NOW, NOW - 60, {}).splitlines()
    table = lines[3 : 3 + 1 + len(plan)]
    assert len({len(line) for line in table}) == 1


def test_the_writer_writes_while_it_runs_and_a_last_time(tmp_path):
    plan, view = started(tmp_path, done=1)
    writer = StatusWriter(plan, tmp_path, seconds=0.01)
    writer.start()
    path = tmp_path / "results/STATUS"
    wait_for(path.exists)
    assert path.read_text().startswith("Running")
    write_run(tmp_path, "photos", "a001", run_of(plan, "photos", "a001", view))
    writer.stop("Stopped with errors.")
    assert not writer.is_alive()
    assert path.read_text().startswith("Stopped with errors.\nWritten 2")
    assert "2 of 40 runs done" in path.read_text()


@pytest.mark.parametrize(
    ("asked", "done", "first"),
    [
        (["audit"], 3, "Finished what was asked for: audit; the study: 3 of 40 runs done."),
        (
            ["fig_a", "fig_b", "fig_c", "fig_d"],
            3,
            "Finished what was asked for: fig_a, fig_b, fig_c, …; the study: 3 of",
        ),
        ([], 3, "Finished what was asked for; the study: 3 of 40 runs done."),
        (["audit"], 40, "Finished what was asked for: audit; the study: 40 of 40 runs done."),
        (["all"], 40, "Finished."),
        ([], 40, "Finished."),
    ],
)
def test_the_first_line_says_what_ended(tmp_path, monkeypatch, asked, done, first):
    text = f"Written 2.\n{done} of 40 runs done; time left: none.\n"
    monkeypatch.setattr("apr.watch.status.status_text", lambda _: text)
    writer = StatusWriter({}, tmp_path)
    writer.finish(asked)
    line, _, rest = (tmp_path / "results/STATUS").read_text().partition("\n")
    assert (line if line == "Finished." else line[: len(first)]) == first
    assert rest == text


def test_the_writer_never_raises_and_warns_once(tmp_path, caplog):
    plan, _ = started(tmp_path)
    (tmp_path / "results/STATUS").mkdir(parents=True)
    writer = StatusWriter(plan, tmp_path, seconds=0.001)
    writer.start()
    writer.stop("Finished.")
    assert caplog.text.count("results/STATUS cannot be written") == 1


def test_imports_are_light():
    scripts = Path(apr.__file__).parents[1]
    code = "import sys, apr.watch.status; print(sorted({'pandas', 'scipy', 'torch', 'yaml'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=scripts, check=True)
    assert done.stdout.strip() == "[]"
