"""The profile for SLURM, as far as it can be seen without a cluster; and the order of jobs on one machine."""

import os
import re
import subprocess
import sys

import yaml
from waits import LONGEST

from study import ROOT
from study.settings import CLUSTER

from .conftest import TINY, changed, planned, snakemake

PROFILE = ROOT / "slurm/config.yaml"


def test_every_entry_of_the_profile_is_explained():
    """A comment stands on the line of each key or above it."""
    lines = PROFILE.read_text().splitlines()
    for number, line in enumerate(lines):
        if line and not line.startswith((" ", "#")) and ":" in line:
            block = [line, lines[number - 1], *lines[number + 1 : number + 3]]
            assert any("#" in near for near in block), line


def test_the_profile_sets_what_the_study_asks_of_a_cluster():
    profile = yaml.safe_load(PROFILE.read_text())
    assert {entry.split("=")[0] for entry in profile["config"]} == set(CLUSTER)
    assert "retries" in profile
    for rules in ROOT.glob("rules/**/*.smk"):
        assert "retries:" not in rules.read_text(), rules


def test_one_command_plans_a_batch_for_slurm_with_a_gpu(tmp_path):
    done = snakemake("results/scores/digits.csv", "-n", "--profile", ROOT / "slurm", directory=tmp_path)
    assert planned(done)["train"] == 4
    assert re.search(
        r"rule train:.*?resources:[^\n]*mem_mb=16000[^\n]*runtime=\d+[^\n]*gres=gpu:1", done.output, re.DOTALL
    )


def test_on_a_cluster_auto_is_a_gpu_and_the_cpu_is_only_taken_on_purpose(tmp_path):
    auto = changed(tmp_path / "auto.yaml", training={"device": "auto"})
    run, profile = "results/runs/digits/a001.json", ROOT / "slurm"
    for config, options, device in ((auto, ["--profile", profile], "cuda"), (auto, [], "auto")):
        done = snakemake(run, "-n", "-p", *options, directory=tmp_path, configs=[config])
        assert re.findall(r"train\.py .*?--device (\w+)", done.output) == [device]
    done = snakemake(run, "-n", "-p", "--profile", profile, directory=tmp_path)
    assert "--device cpu" in done.output


def test_without_slurm_the_message_says_where_to_run(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for tool in ("bash", "sh", "id", "env", "uname", "which"):
        (tools / tool).symlink_to(f"/bin/{tool}" if os.path.exists(f"/bin/{tool}") else f"/usr/bin/{tool}")
    command = [sys.executable, "-m", "snakemake", "results/scores/digits.csv", "--profile", "slurm"]
    command += ["--directory", tmp_path / "study", "--configfile", TINY]
    environment = os.environ | {"PATH": f"{os.path.dirname(sys.executable)}{os.pathsep}{tools}"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, timeout=LONGEST)
    assert done.returncode == 1
    assert "error: SLURM's sbatch, squeue, scancel, scontrol cannot be found on the PATH" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "study/data").exists()


def test_a_bad_dataset_fails_first_and_the_others_are_trained(tmp_path, coloured_folder):
    (coloured_folder / "red/3.png").write_bytes(b"no picture")
    study = changed(
        tmp_path / "study.yaml",
        datasets={"bad": {"folder": str(coloured_folder), "format": "class_folders"}},
        tasks={"bad": {"train": "tiny", "role": "variant", "metric": "top1_error"}},
    )
    folder = tmp_path / "study"
    runs = ["results/runs/bad/a000.json", "results/runs/digits/a000.json"]
    done = snakemake(*runs, "-c2", directory=folder, configs=[study], check=False)
    assert done.returncode != 0
    assert "3.png" in done.output
    assert done.output.index("Error in rule pack_dataset") < done.output.index("rule train:")
    assert [(folder / run).exists() for run in runs] == [False, True]
    status = (folder / "results/STATUS").read_text()
    assert "1 job(s) failed; their logs say why:\n  pack_dataset bad: logs/pack_dataset/bad.log" in status
    assert "1 of 37 runs done" in status
    assert "Images not prepared yet: bad, " in status
