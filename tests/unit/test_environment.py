"""The pinned environment: one lock, no addresses, and conda files that agree with it."""

import re
from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).resolve().parents[2] / "envs"


def pins(name):
    """{package: set of versions} of a lock file; a package has several where versions depend on Python's."""
    found = {}
    for line in (ENVS / name).read_text().splitlines():
        if match := re.match(r"([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", line):
            found.setdefault(match[1], set()).add(match[2])
    return found


@pytest.mark.parametrize("name", ["runtime.lock", "dev.lock", "bootstrap.lock"])
def test_locks_pin_and_hash_everything_and_name_no_address(name):
    text = (ENVS / name).read_text()
    assert "://" not in text
    assert not re.search(r"^--", text, flags=re.MULTILINE)  # no index, no folder of one machine
    for requirement in re.split(r"\n(?=[a-z0-9])", text.strip()):
        if not requirement.startswith("#"):
            assert "==" in requirement.splitlines()[0]
            assert "--hash=sha256:" in requirement


def test_direct_requirements_are_locked():
    wanted = re.findall(r"^([a-z0-9-]+)", (ENVS / "runtime.in").read_text(), flags=re.MULTILINE)
    assert {"snakemake", "torch", "torchvision", "timm", "fvcore", "scipy", "pandas", "matplotlib"} <= set(wanted)
    assert set(wanted) <= set(pins("runtime.lock"))


def test_shared_packages_have_one_version_in_both_locks():
    runtime, dev = pins("runtime.lock"), pins("dev.lock")
    assert all(dev[name] <= runtime[name] for name in set(runtime) & set(dev))
    assert pins("bootstrap.lock")["uv"] == runtime["uv"]


@pytest.mark.parametrize("name", ["train.yaml", "analysis.yaml"])
def test_conda_environments_agree_with_the_lock(name):
    environment = yaml.safe_load((ENVS / name).read_text())
    assert "python=3.11" in environment["dependencies"]
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    locked = pins("runtime.lock")
    for requirement in pip:
        package, version = requirement.split("==")
        assert version in locked[package]


def test_what_the_readme_links_to_is_there():
    readme = ENVS.parent / "README.md"
    links = re.findall(r"\]\(([^)#:]+)\)", readme.read_text())
    assert links
    assert [link for link in links if not (readme.parent / link).exists()] == []
