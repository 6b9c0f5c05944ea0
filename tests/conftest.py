"""What all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "archives"


@pytest.fixture(scope="session")
def shared() -> Path:
    """Slices of real datasets, which are no part of the repository."""
    if not SHARED.is_dir():
        pytest.skip("needs the slices of real datasets in ../shared/data/archives, which are not there")
    return SHARED


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With APRBENCH_NO_SKIPS a skipped test fails, except for a missing GPU."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("APRBENCH_NO_SKIPS") and "gpu" not in item.path.parts:
        report.outcome = "failed"
        report.longrepr = f"skipped, which APRBENCH_NO_SKIPS forbids: {report.longrepr}"
