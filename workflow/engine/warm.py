"""Scripts start from processes that have imported their libraries (workflow/warm), as long as this Snakemake runs.

A kind of scripts has its socket, in a folder of the user alone. Who connects first finds nobody there: then the warm
process is started, as a child of this one, with the socket and a pipe that tells it when this one is gone.
"""

import atexit
import logging
import os
import select
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from apr.basics.parts import new_part, remove_part
from study import ROOT
from warm.place import SOCKETS, THREADS

LIBRARIES = {
    "runs": ["numpy", "torch", "torch._dynamo", "torchvision", "timm", "PIL.Image"],
    "tables": [
        *["numpy", "pandas", "scipy.stats", "snakemake.io", "snakemake.iocontainers", "snakemake.logging"],
        *[
            "fontTools.subset",
            "matplotlib.backends.backend_agg",
            "matplotlib.backends.backend_pdf",
            "matplotlib.figure",
        ],
    ],
}
SERVER, START = ROOT / "workflow/warm/server.py", ROOT / "workflow/warm/start.py"
SWITCH = "APRBENCH_WARM"  # 0: every script starts plainly
SAMPLED = 2.0  # seconds between two looks of a benchmark at a job that is young
WAITING = 1000  # requests that may wait while a warm process starts

log = logging.getLogger("snakemake.logging")


def command_of(kind: str) -> str:
    """What stands before a script in a command, after python, so that it starts warm if it can."""
    return f"{shlex.quote(str(START))} {kind}"


class WarmStarts:
    """The sockets of one Snakemake, and who watches over what was started through them.

    Attributes:
        servers: the warm processes that were started.
        supervisors: by the process of a client, the one whose child is the script that the client waits for.
    """

    def __init__(self, libraries: Mapping[str, list[str]] = LIBRARIES) -> None:
        self.libraries = libraries
        self.servers: list[subprocess.Popen] = []
        self.supervisors: dict[int, Any] = {}

    def offer(self, workflow: Any) -> None:
        """Offer warm starts to the jobs of a workflow from now on, unless they have environments of their own."""
        os.environ.pop(SOCKETS, None)  # those of a Snakemake that this one runs under
        if os.environ.get(SWITCH) != "0" and not workflow.deployment_settings.deployment_method and self.open():
            self._follow_benchmarks()
            _start_scripts_warm()

    def open(self) -> bool:
        """Offer warm starts until this process ends; says so, and returns False, where that cannot be."""
        try:
            folder, listening = _sockets(self.libraries)
        except (OSError, AttributeError) as error:  # not every system has such sockets
            log.warning(f"Every script starts plainly: there can be no warm process here ({error}).")
            return False
        os.environ[SOCKETS] = str(folder)
        atexit.register(self._close, folder)
        for kind, one in listening.items():
            threading.Thread(target=self._keep, args=(kind, one), name=f"warm {kind}", daemon=True).start()
        return True

    def _close(self, folder: Path) -> None:
        remove_part(folder)
        for server in self.servers:
            server.kill()
            server.wait()

    def _keep(self, kind: str, listening: socket.socket) -> None:
        """Start a warm process whenever somebody waits and none is there."""
        command = [sys.executable, str(SERVER), *self.libraries[kind]]
        # libraries that are told of several threads would start them at once
        environment = os.environ | {f"{name}_NUM_THREADS": "1" for name in THREADS}
        pipes = {"stdin": listening, "stdout": subprocess.PIPE}
        while select.select([listening], [], [])[0]:
            # a terminal's signals are not for it, those of a session or a job are
            with subprocess.Popen(command, **pipes, env=environment, text=True, process_group=0) as server:
                self.servers.append(server)
                if server.stdout.readline() != "ready\n":
                    break
                for line in server.stdout:
                    self._started(*map(int, line.split()))
        log.warning(f"The warm process of {kind} could not start: every script starts plainly.")
        with suppress(OSError):
            os.unlink(listening.getsockname())
        listening.close()

    def _started(self, client: int, supervisor: int) -> None:
        import psutil

        with suppress(psutil.Error):
            self.supervisors[client] = psutil.Process(supervisor)

    def _follow_benchmarks(self) -> None:
        """Let Snakemake's benchmarks measure what a client waits for, which is no child of it.

        Each look walks through all pages that were forked, 700 MB of them: 20 ms, twice a second as Snakemake has it.
        """
        import psutil
        import snakemake.benchmark
        from snakemake.benchmark import BenchmarkTimer

        snakemake.benchmark.BENCHMARK_INTERVAL_SHORT = SAMPLED

        supervisors = self.supervisors

        class Followed(psutil.Process):
            def children(self, recursive: bool = False) -> list[psutil.Process]:
                found, supervisor = super().children(recursive), supervisors.get(self.pid)
                with suppress(psutil.NoSuchProcess):
                    found += supervisor.children(recursive=True) if supervisor else []
                return found

        begin = BenchmarkTimer.__init__

        def followed(timer: Any, pid: int, *arguments: Any, **options: Any) -> None:
            begin(timer, pid, *arguments, **options)
            timer.main = Followed(pid)

        BenchmarkTimer.__init__ = followed


def _sockets(kinds: Iterable[str]) -> tuple[Path, dict[str, socket.socket]]:
    """A folder that nobody else can look into, and in it a listening socket for each kind.

    Where a process is killed it stays, until the next one comes (see `apr.basics.parts`).

    Raises:
        OSError, AttributeError: the system has none of this.
    """
    os.close(os.pidfd_open(os.getpid()))  # which watching over processes needs
    for place in (tempfile.gettempdir(), "/tmp"):
        folder = None
        try:
            folder = new_part(Path(place, "aprbench"), folder=True)
            listening = {kind: socket.socket(socket.AF_UNIX) for kind in kinds}
            for kind, one in listening.items():
                one.bind(str(folder / kind))
                one.listen(WAITING)
            return folder, listening
        except OSError as error:  # too long a path, or a file system without sockets
            if folder:
                remove_part(folder)
            reason = error
    raise reason


def _start_scripts_warm() -> None:
    """Let `script:` go the same way; those in an environment of their own are left alone."""
    from snakemake.script import PythonScript

    execute = PythonScript._execute_cmd

    def execute_warm(script: Any, command: str, **options: Any) -> Any:
        if options.get("py_exec") == sys.executable:
            options["py_exec"] = f"{sys.executable} {command_of('tables')}"
        return execute(script, command, **options)

    PythonScript._execute_cmd = execute_warm
