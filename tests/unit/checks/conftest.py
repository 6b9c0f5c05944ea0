"""The demo study, for tests that change it."""

from copy import deepcopy

import pytest

from study import ROOT
from study.settings import read_yaml


@pytest.fixture(scope="session")
def _demo():
    return read_yaml(ROOT / "studies/demo.yaml")


@pytest.fixture
def demo(_demo):
    return deepcopy(_demo)
