"""Every command that a page shows is one that works: studies are planned, targets and options are there."""

import re
import shlex

import pytest
import yaml

from apr.basics.facts import read_facts
from study import ROOT

from ..conftest import snakemake

PAGES = sorted(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config/README.md", "benchmarks/README.md"))
PAGES += sorted(ROOT.glob("docs/*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:snakemake|make|python) [^`]+)`")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# what -n cannot plan: they read or release a study that is there (tests/workflow/test_report.py, test_interruption.py)
DONE = ("--report", "--unlock", "--lint")
SCORES = "name,imagenet,our_data\n" + "".join(f"m{n},{70 + n},{0.5 + n / 100}\n" for n in range(9))


def commands():
    """(page, command, the last own.yaml before it) of all pages, each command once."""
    seen = {}
    for page in PAGES:
        own = None
        for found in re.finditer(f"{BLOCK.pattern}|{INLINE.pattern}", page.read_text(encoding="utf-8"), BLOCK.flags):
            language, block, inline = found.groups()
            if language == "yaml" and block.startswith(("datasets:", "title:")):
                own = block
            for line in (block or inline or "").splitlines():
                command = line.partition("  #")[0].strip().removeprefix("$ ")
                if language in ("", None) and command.startswith(("snakemake ", "make ", "python ")):
                    seen.setdefault(command, (page.name, own if "own.yaml" in command else None))
    return [(page, command, own) for command, (page, own) in seen.items()]


COMMANDS = commands()


def of(program):
    return [
        pytest.param(*found[1:], id=f"{found[0]}: {found[1]}") for found in COMMANDS if found[1].startswith(program)
    ]


def test_targets_that_pages_name_are_items():
    known = set(read_facts(ROOT / "resources/items.yaml")["items"])
    named = {name for page in PAGES for name in re.findall(r"`((?:fig|table)_\w+)`", page.read_text(encoding="utf-8"))}
    assert len(named) > 15
    assert named - known == set()


@pytest.mark.parametrize(("command", "own"), of("snakemake "))
def test_studies_can_be_planned(command, own, coloured_folder, tmp_path):
    words = shlex.split(command)[1:]
    if any(word in DONE for word in words) or words[0] == "best.txt":  # the module's, in test_module.py
        return
    at = {word: place for place, word in enumerate(words)}
    configs = []
    if "--directory" in at:
        del words[at["--directory"] : at["--directory"] + 2]
    if "--configfile" in at:
        start = words.index("--configfile")
        end = next((place for place in range(start + 1, len(words)) if words[place].startswith("-")), len(words))
        configs = [tmp_path / "own.yaml" if word == "own.yaml" else ROOT / word for word in words[start + 1 : end]]
        del words[start:end]
    if own:
        (tmp_path / "scores.csv").write_text(SCORES)
        text = own.replace("/data/shells", str(coloured_folder)).replace("scores.csv", str(tmp_path / "scores.csv"))
        (tmp_path / "own.yaml").write_text(text)
        assert yaml.safe_load(text)["tasks"]
    if not configs:  # the paper's study, planned whole in test_whole.py
        (tmp_path / "small.yaml").write_text("population: {size: 20}\ntasks: {cifar10_seeds: {models: [a001, a002]}}")
        configs = [ROOT / "config.yaml", tmp_path / "small.yaml"]
    words = [word for word in words if word != "-n"]
    assert "total" in snakemake(*words, "-n", directory=tmp_path / "study", configs=configs).output


@pytest.mark.parametrize(("command", "own"), of("make "))
def test_targets_of_make_are_there(command, own):
    assert re.search(rf"^{re.escape(command.split()[1])}:", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize(("command", "own"), of("python "))
def test_options_of_scripts_are_there(command, own):
    _, script, *options = shlex.split(command)
    text = (ROOT / script).read_text(encoding="utf-8")
    missing = [option for option in options if option.startswith("--") and f'"{option}"' not in text]
    assert missing == []
