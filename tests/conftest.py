"""What all tests share."""

import os
import random
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
if not Path("/proc/driver/nvidia/version").exists():
    os.environ["TRITON_INTERPRET"] = "1"  # before anything imports Triton: its kernels run on the CPU
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


@pytest.fixture(autouse=True)
def _state():
    """A test leaves the process as it found it, so that the order of tests does not matter."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)}
    environment, folder, umask = dict(os.environ), os.getcwd(), os.umask(0)
    os.umask(umask)
    generators = random.getstate(), np.random.get_state()  # noqa: NPY002 - the global one is what is kept
    torch = sys.modules.get("torch")
    kept = _torch_state(torch) if torch else None
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)
    if interruption := sys.modules.get("apr.basics.interruption"):
        interruption._received.clear()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.umask(umask)
    random.setstate(generators[0])
    np.random.set_state(generators[1])  # noqa: NPY002
    if kept:
        _restore_torch(torch, kept)


def _torch_state(torch):
    return {
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "generator": torch.get_rng_state(),
        "algorithms": torch.are_deterministic_algorithms_enabled(),
        "deterministic": torch.backends.cudnn.deterministic,
        "benchmark": torch.backends.cudnn.benchmark,
        "convolution": torch.backends.cudnn.allow_tf32,
        "product": torch.backends.cuda.matmul.allow_tf32,
    }


def _restore_torch(torch, kept):
    torch.set_num_threads(kept["threads"])
    torch.set_default_dtype(kept["dtype"])
    torch.set_rng_state(kept["generator"])
    if torch.are_deterministic_algorithms_enabled() != kept["algorithms"]:
        torch.use_deterministic_algorithms(kept["algorithms"])  # it imports torch's compiler, seconds of it
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = kept["deterministic"], kept["benchmark"]
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = kept["convolution"], kept["product"]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """With APRBENCH_NO_SKIPS a skipped test fails, except for a missing GPU."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("APRBENCH_NO_SKIPS") and "gpu" not in item.path.parts:
        report.outcome = "failed"
        report.longrepr = f"skipped, which APRBENCH_NO_SKIPS forbids: {report.longrepr}"


LONGEST = ("slurm", "workflow")  # folders
TINY = [
    f"test_{name}.py" for name in ("interface", "interruption", "report", "starts", "study")
]  # share the finished tiny study


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items):
    """The longest begin, in the order of their files; only the others are shuffled where a plugin does it."""
    given = {item: place for place, item in enumerate(items)}
    result = yield
    items.sort(key=lambda item: given[item] if set(item.nodeid.split("/")).intersection(LONGEST) else len(given))
    return result


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out tests by file, or all that share a cluster or a finished study."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            folder, name = path.split("/")[-2:]
            if folder == "slurm":
                return folder
            return "tiny" if "workflow" in path.split("/") and name in TINY else path

    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter):
    """What tests have measured (`record_property("measured", line)`), from all workers."""
    reports = (report for kind in terminalreporter.stats.values() for report in kind if hasattr(report, "when"))
    lines = [text for report in reports if report.when == "call" for key, text in report.user_properties]
    if lines:
        terminalreporter.section("measured")
        terminalreporter.write_line("\n".join(lines))
