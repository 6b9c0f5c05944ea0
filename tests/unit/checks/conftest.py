"""The demo study, for tests that change it."""

import pytest
import yaml

from study import ROOT


@pytest.fixture
def demo():
    return yaml.safe_load((ROOT / "studies/demo.yaml").read_text())
