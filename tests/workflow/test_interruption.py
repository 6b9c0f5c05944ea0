"""Kill a training at any moment: nothing is lost, and the resumed run equals the undisturbed one."""

import csv
import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import time

import pytest
import yaml
from waits import LONGEST, wait_for
from warm_owner import START, Owner, alive, is_warm, parent
from warm_python import snakemake_script, warm_python

from apr.runs.protocol import KEYS
from apr.watch.steps import TAKEN_UP
from engine.warm import LIBRARIES
from study import ROOT

from .conftest import TINY, changed


@pytest.fixture(scope="module")
def owner():
    with Owner({"runs": LIBRARIES["runs"]}) as one:
        yield one


@pytest.fixture(params=["plain", "warm"])
def python(request, owner, monkeypatch):
    """What stands before a script: a process of its own, or the way in which Snakemake starts it."""
    if request.param == "plain":
        return [warm_python()]
    for name in os.environ.keys() - owner.environment.keys():
        monkeypatch.delenv(name)
    for name, value in owner.environment.items():
        monkeypatch.setenv(name, value)
    return [sys.executable, START, "runs"]


@pytest.fixture
def command(finished, tmp_path, python):
    """The command line of a training of digits, long enough to be interrupted, writing to `tmp_path/<name>`.

    A checkpoint after each of 26 steps an epoch.
    """
    protocol = yaml.safe_load((finished / "results/run_config.yaml").read_text())["tasks"]["digits"]["protocol"]
    with (finished / "results/population.csv").open() as file:
        genotype = next(row["genotype"] for row in csv.DictReader(file) if row["id"] == "a001")
    assert list(protocol) == list(KEYS)

    def build(name, *, epochs=4, seconds=0.0, **changes):
        (tmp_path / name).mkdir(exist_ok=True)
        text = json.dumps(protocol | {"epochs": epochs, "batch": 64} | changes)
        return [
            *[*python, ROOT / "workflow/scripts/train.py", "--task", "digits", "--model", "a001"],
            *["--genotype", genotype, "--view", finished / "results/views/digits.json"],
            *["--packed", finished / "data/packed/digits"],
            *["--storage", "pixels", "--protocol", text, "--run", tmp_path / name / "run.json"],
            *["--checkpoint", tmp_path / name / "checkpoint.pt", "--checkpoint-seconds", str(seconds)],
        ]

    return build


def run(command, **options):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=LONGEST, env=environment(), **options
    )


def environment():
    """As at the start of the tests: what pytest adds would tell a process from the warm one."""
    return {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}


def without_timing(path):
    record = json.loads(path.read_text())
    del record["timing"]
    return record


def process_of(folder):
    """The number of the process that trains there."""
    return json.loads((folder / "checkpoint.lease").read_text())["pid"]


def start_and_wait_for_checkpoint(command, checkpoint):
    process = subprocess.Popen(list(map(str, command)), stderr=subprocess.DEVNULL, env=environment())
    before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else None
    deadline = time.monotonic() + LONGEST
    while not checkpoint.exists() or checkpoint.stat().st_mtime_ns == before:
        assert process.poll() is None, "the training ended before it wrote a checkpoint"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def test_killed_and_resumed_equals_undisturbed(command, python, tmp_path):
    assert run([sys.executable, *command("calm", seconds=1e9)[len(python) :]]).returncode == 0
    for whose in ("its own", "what started it"):
        process = start_and_wait_for_checkpoint(command("killed"), tmp_path / "killed/checkpoint.pt")
        os.kill(process_of(tmp_path / "killed") if whose == "its own" else process.pid, signal.SIGKILL)
        assert process.wait(timeout=LONGEST) == -signal.SIGKILL
        assert not (tmp_path / "killed/run.json").exists()
    done = run(command("killed"))
    assert done.returncode == 0
    assert "resuming at epoch" in done.stderr
    assert without_timing(tmp_path / "killed/run.json") == without_timing(tmp_path / "calm/run.json")
    assert not (tmp_path / "killed/checkpoint.pt").exists()


def test_a_finished_run_is_taken_up_again_unless_its_protocol_changed(command, tmp_path):
    assert run(command("a", epochs=1)).returncode == 0
    first = (tmp_path / "a/run.json").read_bytes()
    (tmp_path / "a/run.json").unlink()
    done = run(command("a", epochs=1))
    assert TAKEN_UP.decode() in done.stderr
    assert (tmp_path / "a/run.json").read_bytes() == first
    done = run(command("a", epochs=2))
    assert TAKEN_UP.decode() not in done.stderr
    assert len(json.loads((tmp_path / "a/run.json").read_text())["history"]) == 2


def test_a_second_training_of_the_same_run_waits_and_takes_it_up(command, tmp_path):
    first = start_and_wait_for_checkpoint(command("a"), tmp_path / "a/checkpoint.pt")
    holder = process_of(tmp_path / "a")
    second = run(command("a"))
    assert first.wait(timeout=LONGEST) == second.returncode == 0
    assert f"(process {holder}) works on this run; waiting for it to end" in second.stderr
    assert TAKEN_UP.decode() in second.stderr
    assert sorted(os.listdir(tmp_path / "a")) == ["checkpoint.json", "run.json"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGUSR1])
def test_a_signal_writes_the_checkpoint_and_says_so(command, tmp_path, number):
    process = start_and_wait_for_checkpoint(command("a"), tmp_path / "a/checkpoint.pt")
    process.send_signal(number)
    assert process.wait(timeout=LONGEST) == 128 + number
    assert (tmp_path / "a/checkpoint.pt").exists()
    assert not (tmp_path / "a/run.json").exists()


def test_a_disk_that_takes_no_more_is_named_and_nothing_is_half_written(command, python, tmp_path):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    words = command("full", epochs=1)
    # a process forked from the tests' warm one would not have the limit
    done = run(words if START in python else [sys.executable, *words[1:]], preexec_fn=limit)
    assert done.returncode == 1
    assert ("another limits" in done.stderr) == (START in python)
    assert "error: " in done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path / "full") == []


def test_a_loss_that_becomes_nan_is_a_valid_result(command, tmp_path):
    done = run(command("wild", lr=1000, weight_decay=100))
    assert done.returncode == 0
    record = json.loads((tmp_path / "wild/run.json").read_text())
    assert record["outcome"]["status"] == "diverged"
    assert record["outcome"]["parts"]["test"]["correct_top1"] is None
    assert "diverged in epoch" in done.stderr


@pytest.mark.parametrize(
    ("options", "message", "code"),
    [
        (["--genotype", "d=1 w=8"], "genotype 'd=1 w=8': expected", 2),
        (["--device", "cuda"], "sees no GPU here", 1),
        (["--protocol", "{"], "is not JSON", 2),
        (["--packed", "nowhere"], "nowhere.bin", 2),
    ],
)
def test_wrong_arguments_are_named(command, options, message, code):
    if "cuda" in options:
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            options, message = ["--device", "cuda:99"], "cuda:99"
    done = run([*command("wrong"), *options])
    assert done.returncode == code, shlex.join(options)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def snakemake_of_its_own(folder, *targets, study=TINY, **variables):
    """Snakemake as a user starts it: not forked from anything, so that it has a warm process of its own."""
    words = [sys.executable, snakemake_script(), "-s", ROOT / "Snakefile", *targets, "--directory", folder, "-c2"]
    return {"args": [*map(str, words), "--configfile", str(study)], "env": environment() | variables, "cwd": ROOT}


def test_a_study_that_starts_warm_equals_one_that_does_not(copy, finished):
    run, figure = "digits/a001", "results/figures/seed_densities"
    names = [f"results/runs/{run}.json", f"results/checkpoints/{run}.json", f"logs/benchmarks/train/{run}.tsv"]
    kinds = [f"{figure}.{kind}" for kind in ("pdf", "png", "csv", "rst")]
    for name in [*names, *kinds, "results/scores/digits.csv"]:
        (copy / name).unlink()
    done = subprocess.run(
        **snakemake_of_its_own(copy, names[0], "results/scores/digits.csv", *kinds), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "plainly" not in done.stderr
    assert without_timing(copy / names[0]) == without_timing(finished / names[0])
    for name in ["results/scores/digits.csv", *kinds]:
        assert (copy / name).read_bytes() == (finished / name).read_bytes()
    with (copy / names[2]).open() as file:
        measured = next(csv.DictReader(file, delimiter="\t"))
    assert float(measured["max_rss"]) > 100  # MB: what the client waits for has loaded torch, itself it takes 15


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "plain"])
def test_a_killed_snakemake_leaves_its_training_and_no_warm_process(copy, tmp_path, warm):
    study = changed(tmp_path / "long.yaml", tasks={"digits": {"epochs": 8}}, training={"checkpoint_seconds": 0.1})
    target, checkpoint = "results/runs/digits/a001.json", copy / "results/checkpoints/digits/a001.pt"
    call = snakemake_of_its_own(copy, target, study=study, APRBENCH_WARM=str(int(warm)))
    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    snakemake = subprocess.Popen(**call, **output)
    wait_for(lambda: checkpoint.exists() or snakemake.poll() is not None, what="a checkpoint")
    training = json.loads(checkpoint.with_suffix(".lease").read_text())["pid"]
    assert is_warm(training) == warm
    server = parent(parent(training)) if warm else None
    snakemake.kill()
    snakemake.wait()
    if warm:
        wait_for(lambda: not alive(server), what="the warm process ends")
    assert alive(training)
    wait_for(lambda: not alive(training), what="the training ends")
    assert subprocess.run(**(call | {"args": [*call["args"], "--unlock"]}), **output).returncode == 0
    assert subprocess.run(**call, **output).returncode == 0
    assert "takes the result of an earlier call" in (copy / "logs/train/digits/a001.log").read_text()
    assert len(json.loads((copy / target).read_text())["history"]) == 8
