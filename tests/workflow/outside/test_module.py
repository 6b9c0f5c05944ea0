"""The project as a module of somebody else's workflow (docs/interface.md)."""

import re

import pytest
import yaml

from study import ROOT

from ..conftest import TINY, planned, snakemake
from ..made_up import MadeUp

PAGE = (ROOT / "docs/interface.md").read_text(encoding="utf-8")
(SNAKEFILE,) = re.findall(r"```python\n(# Snakefile\n.*?)```", PAGE, re.DOTALL)
USE = "use rule * from aprbench as aprbench_*\n"


def run(folder, project, *words, text=SNAKEFILE):
    """Run the page's workflow in `folder/study`, with a project and the tiny study in it."""
    study = yaml.safe_load(TINY.read_text())
    (folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    (folder / "Snakefile").write_text(text.replace('"aprbench/Snakefile"', repr(str(project / "Snakefile"))))
    configs = (folder / "study.yaml",)
    return snakemake(*words, directory=folder / "study", snakefile=folder / "Snakefile", configs=configs)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return MadeUp(tmp_path_factory.mktemp("module"), TINY)


@pytest.mark.parametrize(("use", "prefix"), [(USE, "aprbench_"), ("use rule * from aprbench\n", "")])
def test_a_finished_study_is_finished_as_a_module_too(made, use, prefix):
    assert USE in SNAKEFILE
    text = SNAKEFILE.replace(USE, use)
    jobs = planned(run(made.project.parent, made.project, f"{prefix}all", "-n", text=text))
    assert jobs.keys() - {f"{prefix}all"} == {f"{prefix}write_config"}  # it tells of other files


def test_the_example_runs_with_a_configuration_of_its_own(tmp_path):
    run(tmp_path, ROOT, "best.txt", "-c2")
    assert (tmp_path / "study/best.txt").read_text() in {f"a00{number}" for number in range(4)}
    assert {path.parent.name for path in tmp_path.glob("study/results/runs/*/*.json")} == {"faces"}
