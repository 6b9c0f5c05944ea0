"""Leases that nobody could have written, holders that cannot be seen, and writes that a lost lease stops."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import fabricated
import pytest
import torch
from lease_holders import ELSEWHERE, ENVIRONMENT, HOLD, QUICK, GaveUpError, after, holder
from small import GENOTYPE, PROTOCOL, checkpointing, loaders, trainer

import train
from apr.basics.leases import Lease
from apr.basics.problems import Problem
from apr.models.pretrained import Pretrained
from apr.runs.evaluation import predict
from apr.runs.training import train_network


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a000.lease"


def never_taken(path, stale, seconds=1.5):
    with pytest.raises(GaveUpError), Lease(path, beat=0.1, stale=stale, waiting=after(seconds)):
        pass


DAMAGED = {
    "empty": b"",
    "cut": b'{"token": "x", "host',
    "list": b"[]",
    "number": b"7",
    "other keys": b'{"name": "x"}',
    "other kinds": b'{"token": "x", "host": "here", "pid": "self"}',
    "no text": bytes(range(256)),
    "deep": b"[" * 100_000,
    "zeros": bytes(4096),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_lease_is_named_and_taken_over_when_it_is_old(path, content, caplog):
    path.write_bytes(content)
    with Lease(path, **QUICK) as lease:
        lease.check()
    assert f"{path}: does not say who works on this run; waiting" in caplog.text
    assert "If nothing works on the run, delete this file" in caplog.text
    assert os.listdir(path.parent) == []


def test_a_link_to_nothing_is_one_too(path, caplog):
    path.symlink_to(path.parent / "nothing")
    with Lease(path, **QUICK) as lease:
        lease.check()
    assert "does not say who works" in caplog.text
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_named(path, make):
    make(path)
    with pytest.raises(Problem, match=r"a000\.lease: is no file.*remove it"), Lease(path, **QUICK):
        pass


def test_the_time_of_a_lease_may_lie_in_the_future(path, caplog):
    path.write_text(json.dumps(ELSEWHERE))
    os.utime(path, (time.time() + 10**6,) * 2)
    with Lease(path, **QUICK):
        pass
    assert "has given no sign of life" in caplog.text


def test_a_holder_with_another_clock_lives_as_long_as_it_beats(path):
    path.write_text(json.dumps(ELSEWHERE))
    done = threading.Event()

    def beat():
        for i in range(10**6):
            os.utime(path, (1000 + i,) * 2)
            if done.wait(0.1):
                return

    heart = threading.Thread(target=beat)
    heart.start()
    never_taken(path, stale=2, seconds=3.5)
    done.set()
    heart.join()
    with Lease(path, **QUICK) as lease:
        lease.check()


def test_a_number_that_another_process_has_now_is_no_holder(path):
    path.write_text(json.dumps(Lease(path).holder | {"born": "1"}))
    with Lease(path, **QUICK, waiting=after(0.0)) as lease:
        lease.check()


def test_a_process_that_is_seen_but_hangs_is_waited_for_by_name(path, caplog):
    process = holder(path)
    process.send_signal(signal.SIGSTOP)
    never_taken(path, stale=0.5)
    assert f"If it hangs, end it: kill {process.pid}" in caplog.text
    process.kill()
    process.wait()
    with Lease(path, **QUICK, waiting=after(5.0)) as lease:
        lease.check()


# Containers on one host: their processes have other numbers


def contained(*options):
    """A command that runs another in a PID namespace of its own; skips where that is not allowed."""
    command = [shutil.which("unshare") or "unshare", "--pid", "--fork", "--kill-child", *options]
    if os.geteuid():
        command[1:1] = ["--user", "--map-root-user"]
    try:
        subprocess.run([*command, "true"], check=True, capture_output=True, timeout=1800)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs the right to make PID namespaces (root, or user namespaces): {error}")
    return command


@pytest.mark.parametrize("options", [["--mount-proc"], []], ids=["own /proc", "the host's /proc"])
def test_a_live_run_in_a_container_is_not_taken_over(path, options, caplog):
    code = HOLD.replace("Lease(sys.argv[1])", "Lease(sys.argv[1], beat=0.1)")
    command = [*contained(*options), sys.executable, "-c", code, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT)
    assert process.stdout.readline() == b"mine\n"
    never_taken(path, stale=1800)  # only its heartbeat counts, and that is awaited for as long
    process.kill()
    process.wait()
    with Lease(path, **QUICK):
        pass
    assert "is gone" not in caplog.text
    assert "has given no sign of life" in caplog.text


@pytest.mark.parametrize("options", [["--mount-proc"], []], ids=["own /proc", "the host's /proc"])
def test_a_container_takes_over_no_live_run_of_the_host(path, options):
    code = """if True:
        import sys, time
        from apr.basics.leases import Lease
        end = time.monotonic() + 1.5
        def give_up():
            if time.monotonic() > end:
                sys.exit(7)
        with Lease(sys.argv[1], beat=0.1, stale=1800, waiting=give_up):
            pass
    """
    with Lease(path, beat=0.1) as lease:
        command = [*contained(*options), sys.executable, "-c", code, str(path)]
        assert subprocess.run(command, env=ENVIRONMENT, timeout=1800).returncode == 7
        lease.check()


# A lease that is lost stops every write


def lost():
    raise Problem("lost")


def test_no_checkpoint_of_a_training_is_written_without_the_lease(tmp_path):
    asked = []
    kept = replace(
        checkpointing(tmp_path, seconds=0), check=lambda: asked.append((tmp_path / "checkpoint.pt").exists()) or lost()
    )
    with pytest.raises(Problem, match="lost"):
        train_network(trainer(PROTOCOL), *loaders(tmp_path, PROTOCOL), kept)
    assert asked == [False]
    assert not kept.path.exists()


def test_no_checkpoint_of_an_evaluation_is_written_without_the_lease(tmp_path, monkeypatch):
    kept = replace(checkpointing(tmp_path, seconds=0), check=lost)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3, 6))
    model = Pretrained(network, lambda image: torch.zeros(3, 1, 1), {}, 6, "digest", "made here")
    monkeypatch.setattr("apr.runs.evaluation._inputs", lambda *_: [torch.zeros(2, 3, 1, 1)])
    with pytest.raises(Problem, match="lost"):
        predict(model, None, [0, 1], kept, device=torch.device("cpu"), batch=2, threads=1)
    assert not kept.path.exists()


def arguments(root):
    """Of a training from scratch; its images are never read."""
    fabricated.manifests(root)
    none = dict.fromkeys(("rank", "ranking", "initial_runs", "initial_weights", "keep_weights"))
    places = {"view": root / "results/views/photos.json", "run": root / "run.json", "checkpoint": root / "kept/a000.pt"}
    settings = {"task": "photos", "model": "a000", "genotype": GENOTYPE, "protocol": fabricated.PROTOCOL}
    return argparse.Namespace(**none, **places, **settings, checkpoint_seconds=60, keep_optimizer=False)


@pytest.mark.parametrize("lose", ["while it trains", "at the end"])
def test_train_writes_nothing_once_its_lease_is_another_s(tmp_path, monkeypatch, lose):
    def trained(given, identity, genotype, manifest, source, kept):
        (tmp_path / "kept/a000.lease").write_text(json.dumps(ELSEWHERE))
        if lose == "while it trains":
            kept["check"]()
            raise AssertionError("the checkpoint would be written")
        return {"task": "photos"}

    monkeypatch.setattr(train, "trained", trained)
    with pytest.raises(Problem, match=r"job 17 on elsewhere .* took this run over"):
        train.train(arguments(tmp_path))
    assert sorted(os.listdir(tmp_path / "kept")) == ["a000.lease"]  # the other's
    assert not (tmp_path / "run.json").exists()
