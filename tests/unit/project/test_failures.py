"""What the status says of jobs that failed."""

from types import SimpleNamespace

from engine.failures import failed_jobs


def job(rule, *wildcards, output=(), members=()):
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule),
        wildcards=wildcards,
        output=output,
        log=[f"logs/{'/'.join((rule, *wildcards))}.log"],
        jobs=members,
        is_group=lambda: bool(members),
    )


def test_each_is_named_with_its_log_and_of_many_a_few():
    assert failed_jobs(SimpleNamespace(failed=set())) == ""
    text = failed_jobs(SimpleNamespace(failed=[job("train", "digits", f"a00{number}") for number in range(7)]))
    assert text.startswith("7 job(s) failed; their logs say why:\n  train digits a000: logs/train/digits/a000.log\n")
    assert text.endswith("  and 2 more\n")
    assert text.count("\n") == 7


def test_of_a_group_those_count_that_made_nothing(tmp_path):
    (tmp_path / "there").touch()
    members = [job("train", "digits", name, output=[tmp_path / name]) for name in ("there", "gone")]
    text = failed_jobs(SimpleNamespace(failed=[job("group", members=members)]))
    assert text == "1 job(s) failed; their logs say why:\n  train digits gone: logs/train/digits/gone.log\n"


def test_what_a_signal_ended_is_stopped_and_not_failed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs/train/digits").mkdir(parents=True)
    said = "12:00:00 interrupted by SIGTERM; the checkpoint is written, run again to continue\n"
    for name, text in (
        ("a000", said),
        ("a001", f"{said}12:00:01 waiting for SLURM to end job 7\n"),
        ("a002", f"{said}12:00:01 resuming\n12:00:02 epoch 1\n12:00:03 error: no\n"),
        ("a003", ""),
    ):
        (tmp_path / f"logs/train/digits/{name}.log").write_text("x" * 5000 + "\n" + text)
    text = failed_jobs(SimpleNamespace(failed=[job("train", "digits", f"a00{number}") for number in range(5)]))
    failed, _, stopped = text.partition("2 job(s) stopped by a signal; the same command continues them:\n")
    assert failed.startswith("3 job(s) failed; their logs say why:\n  train digits a002")
    assert [line.split()[2] for line in stopped.splitlines()] == ["a000:", "a001:"]
