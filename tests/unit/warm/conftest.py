"""Scripts that are started both ways."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from warm_owner import START, Owner


@pytest.fixture(scope="module")
def owner():
    with Owner() as one:
        yield one


@pytest.fixture(params=["plain", "warm"])
def start(request, owner, tmp_path) -> Callable[..., subprocess.Popen]:
    """Starts a script of the given text, plainly or warm."""
    started = []

    def start(text: str, *words: str, **options) -> subprocess.Popen:
        script = tmp_path / "script.py"
        script.write_text(text)
        before = [START, "runs"] if request.param == "warm" else []
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": owner.environment}
        started.append(subprocess.Popen([sys.executable, *before, str(script), *words], **pipes | options))
        return started[-1]

    start.way = request.param
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
