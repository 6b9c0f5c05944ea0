"""What all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "archives"


def pytest_addoption(parser):
    parser.addoption("--fuzz-seconds", type=float, default=0, help="how long each fuzz test goes on with new seeds")


@pytest.fixture(scope="session")
def fuzz_seconds(request) -> float:
    """How long a fuzz test goes on beyond its fixed seeds."""
    return request.config.getoption("--fuzz-seconds")


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


LONGEST = ("slurm", "workflow")  # folders whose tests share a cluster or a study: each stays with one worker


def pytest_collection_modifyitems(items):
    """The longest begin."""
    items.sort(key=lambda item: item.path.parent.name not in LONGEST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out tests by file, or by folder."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFolder(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            folder = path.split("/")[-2]
            return folder if folder in LONGEST else path

    return ByFolder(config, log)


def pytest_terminal_summary(terminalreporter):
    """What tests have measured (`record_property("measured", line)`), from all workers."""
    reports = (report for kind in terminalreporter.stats.values() for report in kind if hasattr(report, "when"))
    lines = [text for report in reports if report.when == "call" for key, text in report.user_properties]
    if lines:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(lines))
