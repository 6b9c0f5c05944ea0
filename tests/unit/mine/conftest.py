"""What these tests find in a clone does not depend on what has been made in it."""

import pytest

from mine import looking


@pytest.fixture(autouse=True)
def _no_demo(monkeypatch, tmp_path):
    """Without what a finished demo has trained."""
    monkeypatch.setattr(looking, "DEMO", tmp_path / "no demo")
