"""A process that offers warm starts, as Snakemake does: it can be killed, and its environment stays as it is.

python warm_owner.py {"KIND": ["LIBRARY", …]} [SERVER]
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from study import ROOT

SCRIPTS = ROOT / "workflow/scripts"
START = str(ROOT / "workflow/warm/start.py")
LIGHT = {"runs": ["json"]}


class Owner:
    """Offers warm starts until it is stopped or killed.

    Attributes:
        process: it.
        environment: of those that are to start warm.
    """

    def __init__(self, libraries: Mapping[str, list[str]] = LIGHT, server: Path | None = None, **variables: str):
        common = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}  # it changes
        common |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": f"{ROOT}/workflow:{SCRIPTS}", **variables}
        command = [sys.executable, __file__, json.dumps(libraries), *([str(server)] if server else [])]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, **pipes, env=common, text=True)
        self.folder = Path(self.process.stdout.readline().strip())
        self.environment = common | {"APRBENCH_WARM_SOCKETS": str(self.folder)}

    def servers(self) -> list[int]:
        """The warm processes that were started until now."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def stop(self) -> str:
        """End it as a Snakemake ends; what it said."""
        if self.process.poll() is None:
            self.process.stdin.close()
        self.process.wait()
        return self.process.stderr.read()

    def __enter__(self) -> "Owner":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def alive(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def parent(pid: int) -> int:
    """The parent of a process."""
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[1])


def is_warm(pid: int) -> bool:
    """Whether a process was forked from a warm one."""
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return b"warm/server.py" in file.read()


if __name__ == "__main__":
    from engine import warm

    if sys.argv[2:]:
        warm.SERVER = Path(sys.argv[2])
    starts = warm.WarmStarts(json.loads(sys.argv[1]))
    starts.open()
    print(os.environ["APRBENCH_WARM_SOCKETS"], flush=True)
    for _ in sys.stdin:
        print([server.pid for server in starts.servers], flush=True)
