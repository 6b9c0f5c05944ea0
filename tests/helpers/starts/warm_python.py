"""Python in processes forked from one that has imported what tests need: a start costs some 0.1 s, not 2 to 4.

    python warm_python.py < SOCKET     serves FOLDER/python, which takes a script as python does

It is the project's own warm process (workflow/warm) with more libraries, for processes that come from anywhere: nothing
but folder and environment is taken over from them.
"""

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

WARM = Path(__file__).resolve().parents[3] / "workflow/warm"
LIBRARIES = ["matplotlib.pyplot", "pandas", "scipy.stats", "timm", "jsonschema", "snakemake.api", "snakemake.cli"]
LIBRARIES += ["snakemake.report.html_reporter", "snakemake.scheduling.job_scheduler", "snakemake.script"]
CLIENT = f"""#!{sys.executable} -S
import os, signal, sys
if sys.argv[1][0] == "-":  # no script
    os.execv("{sys.executable}", ["{sys.executable}", *sys.argv[1:]])
sys.path[0] = "{WARM}"
sys.executable = __file__  # for what it starts in turn
from start import run_warm
run_warm(__file__ + ".socket", sys.argv[1:], signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


@cache
def warm_python() -> str:
    """The program, alone in a folder that may stand first on a PATH; it is served until this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="warm-python-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    python = folder / "python"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{python}.socket")
    listening.listen(100)
    python.write_text(CLIENT)
    python.chmod(0o755)
    command, pipes = [sys.executable, str(Path(__file__).resolve())], {"stdin": listening, "stdout": subprocess.PIPE}
    server = subprocess.Popen(command, **pipes, start_new_session=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    atexit.register(server.kill)
    if server.stdout.readline() != b"ready\n":
        raise RuntimeError(f"the process that others are forked from ended ({server.wait()})")
    return str(python)


def warm_environment() -> dict[str, str]:
    """An environment whose `python` is the warm one, which makes another in each Snakemake needless."""
    path = os.pathsep.join([os.path.dirname(warm_python()), os.environ["PATH"]])
    return os.environ | {"OMP_NUM_THREADS": "1", "PATH": path, "APRBENCH_WARM": "0"}


def snakemake_script() -> str:
    """The file that `snakemake` is."""
    return os.path.join(sys.prefix, "bin/snakemake")


def _serve() -> None:
    sys.path.insert(0, str(WARM))
    import server

    def become(request: dict, plain=server.become) -> None:
        os.chdir(request["place"]["folder"])
        plain(request)

    server.IDLE, server.become = 1e6, become
    server.difference, server.imported = (lambda one, other: None), dict  # whoever comes, and whatever is edited
    server.main(LIBRARIES)


if __name__ == "__main__":
    _serve()
