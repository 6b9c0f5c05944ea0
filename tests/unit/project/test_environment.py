"""The pinned environment: one lock, no addresses, and conda files that agree with it."""

import importlib.metadata
import re

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from study import ROOT

ENVS = ROOT / "envs"


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
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert any(entry.startswith("python=3.11.") for entry in conda)
    assert [entry for entry in conda if not re.fullmatch(r"[a-z]+=\d+\.\d+(\.\d+)?", entry)] == []
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    locked = pins("runtime.lock")
    for requirement in pip:
        package, version = requirement.split("==")
        assert version in locked[package]


@pytest.mark.parametrize("name", ["train.yaml", "analysis.yaml"])
def test_conda_environments_leave_no_package_to_chance(name):
    """Whatever a package of theirs needs is there too, but for CUDA's, which torch pins."""
    environment = yaml.safe_load((ENVS / name).read_text())
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    listed = {canonicalize_name(requirement.split("==")[0]) for requirement in pip}
    needed = {
        canonicalize_name(requirement.name)
        for package in listed
        for requirement in map(Requirement, importlib.metadata.requires(package) or [])
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }
    assert sorted(one for one in needed - listed if not one.startswith(("nvidia-", "cuda-", "triton"))) == []


def test_what_the_readme_links_to_is_there():
    readme = ENVS.parent / "README.md"
    links = re.findall(r"\]\(([^)#:]+)\)", readme.read_text())
    assert links
    assert [link for link in links if not (readme.parent / link).exists()] == []
