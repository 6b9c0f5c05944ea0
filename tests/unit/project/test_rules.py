"""The rules stand by stage, in files that can be read."""

import re

import pytest

from study import ROOT

FILES = sorted(ROOT.glob("rules/**/*.smk"))
OLD = r"\b(compared|shown|retested|summary|beyond)\b"


def test_the_snakefile_names_every_file_in_the_order_of_the_data():
    text = (ROOT / "Snakefile").read_text()
    named = re.findall(r'^include: "(rules/[^"]+)"$', text, re.M)
    assert {ROOT / name for name in named} == set(FILES)
    stages = list(dict.fromkeys(re.search(r"rules/(\w+)", name)[1] for name in named))
    data = ["sources", "datasets", "models", "training", "finetuning", "search", "evaluation", "published", "scores"]
    assert stages == [*data, "ranks", "lines", "transfer", "report", "cluster"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_rule_file_says_what_it_needs_and_makes_and_is_short(file):
    text = file.read_text()
    assert text.startswith("# Needs:  ")
    assert re.search(r"^# Makes:  ", text, re.M)
    assert len(text.splitlines()) < 150
    assert not re.search(r"^ *(include|run):|^if |^for ", text, re.M)
    assert not re.search(OLD, file.stem)


@pytest.mark.parametrize("script", ["train", "finetune", "finetune_rung", "probe", "evaluate"])
def test_the_flags_of_a_command_stand_in_its_shell(script):
    (text,) = [file.read_text() for file in FILES if f"\nrule {script}:" in file.read_text()]
    shell = text.partition("\n    shell:\n")[2].partition("\n\n")[0]
    for flag in ("task", "view", "packed", "storage", "run", "checkpoint", "threads", "device", "log", "history"):
        assert f"--{flag} " in shell, flag


def test_inner_parts_of_snakemake_stand_in_one_folder():
    inner = r"snakemake\.(common|exceptions|report|executors|dag|scheduling|persistence)|\._executor|\._params\b"
    found = {
        file.relative_to(ROOT).parts[:2]
        for file in [*ROOT.glob("workflow/**/*.py"), *FILES, ROOT / "Snakefile"]
        if re.search(inner, file.read_text())
    }
    assert found == {("workflow", "engine")}
    assert re.search(r"seen in \d+\.\d+", (ROOT / "workflow/engine/__init__.py").read_text())
