"""Snakemake's command line in processes forked from one that has imported it: a plan costs its planning alone.

python warm_snakemake.py     reads {"arguments", "folder", "environment", "output"} from lines of JSON, and answers
                             each with the exit code
"""

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from waits import LONGEST


@cache
def _server() -> subprocess.Popen:
    command = [sys.executable, str(Path(__file__).resolve())]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.kill)
    return process


def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess:
    """Run Snakemake with its options in a folder; everything that it writes is in `stdout`."""
    server = _server()
    with tempfile.NamedTemporaryFile("r", suffix=".log") as output:
        request = {"arguments": list(arguments), "folder": str(folder), "environment": dict(environment)}
        print(json.dumps(request | {"output": output.name}), file=server.stdin, flush=True)
        if not select.select([server.stdout], [], [], LONGEST)[0]:
            server.kill()
        answer = server.stdout.readline()
        if not answer:
            raise RuntimeError(f"the process that plans ended ({server.wait()})")
        return subprocess.CompletedProcess(["snakemake", *arguments], int(answer), output.read(), "")


def _plan(request: dict) -> None:
    with open(request["output"], "w") as output:
        for number in (1, 2):
            os.dup2(output.fileno(), number)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["snakemake", *request["arguments"]]
    from snakemake.cli import main

    main(request["arguments"])


def _serve() -> None:
    import jsonschema  # noqa: F401
    import snakemake.api
    import snakemake.cli
    import snakemake.scheduling.job_scheduler  # noqa: F401

    answers = os.dup(1)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            code = 1
            try:
                _plan(json.loads(line))
                code = 0
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
                if isinstance(end.code, str):
                    print(end.code, file=sys.stderr)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        os.write(answers, f"{os.waitstatus_to_exitcode(status)}\n".encode())


if __name__ == "__main__":
    _serve()
