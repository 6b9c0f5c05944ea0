"""Every script that compares errors also hands over what is known of the test images."""

import pytest

from study import ROOT

SCRIPTS = ROOT / "workflow" / "scripts"


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*_*.py")), ids=lambda path: path.name)
def test_scripts_that_read_errors_read_their_test_images(path):
    text = path.read_text(encoding="utf-8")
    compares = "read_values(" in text or "read_column(" in text
    assert ("read_counts(" in text) == compares
