"""`make mine` from a folder to its five lines: what it writes runs, and what it ran is remembered."""

import json
import re
import subprocess
import sys

import pytest

from study import ROOT

from ..conftest import planned, snakemake

COMMAND = [sys.executable, str(ROOT / "workflow/mine")]
# the same study at the size of a test
SMALL = """
population: {size: 4}
views:
  photos_10: {per_class: 10}
  photos_5: {per_class: 10}
  photos_2: {per_class: 10}
regimes:
  small: {epochs: 1, batch: 16, precise_bn: 32, resolution: 16, eval_resize: 16}
tasks:
  photos: {epochs: 1}
  photos_10: {epochs: 1}
  photos_5: {epochs: 1, batch: 16}
  photos_2: {epochs: 1, batch: 16}
  swatches: {epochs: 2}
  swatches_probe:
    resolution: 32
    eval_resize: 32
    models: ["timm:tf_efficientnet_lite0.in1k", "timm:tf_efficientnet_lite1.in1k"]
statistics: {resamples: 200}
training: {device: cpu}
"""


def mine(*arguments, check=True):
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)
    assert not check or done.returncode == 0, done.stderr
    return done


@pytest.fixture
def looked(tmp_path, coloured_folder):
    (tmp_path / "small.yaml").write_text(SMALL)
    options = ["--with", tmp_path / "small.yaml", "--minutes", 1, "--directory", tmp_path / "mine"]
    return mine("look", coloured_folder, *options)


def run(folder, *targets):
    files = [ROOT / file for file in (folder / "configfiles").read_text().split()]
    return snakemake(*targets, "-c2", directory=folder, configs=files)


def test_pictures_are_looked_at_run_and_told_of_and_another_set_takes_up_the_reference(tmp_path, looked):
    folder = tmp_path / "mine/swatches"
    assert looked.stdout == f"{folder}\n"
    assert "swatches: 90 pictures of 3 classes (30 each), read as a folder for each class" in looked.stderr
    assert "not finished" in mine("tell", folder, check=False).stderr
    run(folder, "answer", "results/given_config.yaml")
    lines = mine("tell", folder).stdout.splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("Does the ranking of models on photos hold on the targets?")
    assert re.search(r"Which model to take: swatches, fixed features: .*accuracy", lines[1])
    assert "report.html" in lines[3]
    assert "more test pictures (27 now)" in lines[4]
    given = (folder / "results/given_config.yaml").read_text()
    assert (folder / "own.yaml").read_text() in given
    assert planned(run(folder, "answer", "results/given_config.yaml", "-n")) == {}

    (tmp_path / "swatches").rename(tmp_path / "dyes")
    mine("look", tmp_path / "dyes", "--minutes", 1, "--directory", tmp_path / "mine")
    other = tmp_path / "mine/dyes"
    finished = [path.relative_to(folder) for path in folder.glob("results/checkpoints/photos*/*.json")]
    assert len(finished) >= 8  # four architectures on photos and photos_2, and what a finished demo has
    assert [path for path in finished if (other / path).read_bytes() != (folder / path).read_bytes()] == []
    (other / "configfiles").write_text(f"{(other / 'configfiles').read_text().strip()} {tmp_path / 'small.yaml'}")
    text = SMALL.replace("swatches", "dyes")
    (tmp_path / "small.yaml").write_text(text)
    run(other, "results/runs/photos_2/a001.json")
    taken, first = (json.loads((one / "results/runs/photos_2/a001.json").read_text()) for one in (other, folder))
    assert taken == first
    assert "takes the result of an earlier call" in (other / "logs/train/photos_2/a001.log").read_text()


def test_the_base_shares_its_reference_with_the_demo():
    """So that what one has trained the other takes up."""
    from changed_studies import shipped

    mine, demo = shipped("studies/mine.yaml"), shipped("studies/demo.yaml")
    assert mine["population"] == demo["population"]
    assert mine["regimes"]["small"] == demo["regimes"]["small"]
    for section in ("views", "tasks"):
        names = [name for name in mine[section] if name.startswith("photos")]
        assert names
        assert {name: mine[section][name] for name in names} == {name: demo[section].get(name) for name in names}
