"""Python in processes forked from one that has imported the large libraries: a start costs some 0.1 s, not 2 to 4.

    python warm_python.py FOLDER     serves FOLDER/python, which takes a script, or -m and a module, as python does

What runs has a process of its own, with nothing of the project imported. Signals to FOLDER/python reach it, it dies
with FOLDER/python, and that ends as it does.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path

LIBRARIES = ("matplotlib.pyplot", "pandas", "scipy.stats", "timm", "jsonschema", "snakemake.api", "snakemake.cli")
LIBRARIES += ("snakemake.report.html_reporter", "snakemake.scheduling.job_scheduler", "snakemake.script")
SOCKET = "socket"
HEAD = 8  # bytes that say how long a request is
CLIENT = f"""#!{sys.executable} -IS
import json, os, signal, socket, sys
FORWARDED = {{signal.SIGINT, signal.SIGTERM, signal.SIGUSR1}}
signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # until there is a process to forward them to
request = {{"words": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ), "program": __file__}}
text = json.dumps(request).encode()
server = socket.socket(socket.AF_UNIX)
server.connect(os.path.join(os.path.dirname(__file__), "{SOCKET}"))
socket.send_fds(server, [len(text).to_bytes({HEAD}, "big")], [0, 1, 2])
server.sendall(text)
answers = server.makefile()
process = int(answers.readline())
for number in FORWARDED:
    signal.signal(number, lambda number, frame: os.kill(process, number))
signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
code = int(answers.readline())
if code < 0:
    if -code in FORWARDED:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@cache
def warm_python() -> str:
    """The program, alone in a folder that may stand first on a PATH; it is served until this process ends."""
    folder = Path(tempfile.mkdtemp(prefix="warm-python-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    command = [sys.executable, str(Path(__file__).resolve()), str(folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = subprocess.Popen(command, start_new_session=True, env=os.environ | {"OMP_NUM_THREADS": "1"}, **pipes)
    atexit.register(server.kill)
    if server.stdout.readline() != b"ready\n":
        raise RuntimeError(f"the process that others are forked from ended ({server.wait()})")
    return str(folder / "python")


def warm_environment() -> dict[str, str]:
    """An environment whose `python` is the warm one."""
    path = os.pathsep.join([os.path.dirname(warm_python()), os.environ["PATH"]])
    return os.environ | {"OMP_NUM_THREADS": "1", "PATH": path}


def _import_libraries() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    if len(os.listdir("/proc/self/task")) > 1:
        sys.exit("error: a library started a thread when it was imported, which a forked process would lack")


def _serve(folder: Path) -> dict:
    """Fork for each request, until the standard input ends; returns the request, in the process that is to run it."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / SOCKET))
    listening.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a supervisor ended
    (folder / "python").write_text(CLIENT)
    (folder / "python").chmod(0o755)
    print("ready", flush=True)
    while True:
        if sys.stdin in select.select([listening, sys.stdin], [], [])[0]:
            os._exit(0)
        client = listening.accept()[0]
        if not os.fork():
            listening.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return _supervised(client)
        client.close()


def _supervised(client: socket.socket) -> dict:
    head, descriptors, *_ = socket.recv_fds(client, HEAD, 3)
    with client.makefile("rb") as requests:
        request = json.loads(requests.read(int.from_bytes(head, "big")))
    process = os.fork()
    if not process:
        client.close()
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        return request
    for descriptor in (0, 1, 2, *descriptors):
        os.close(descriptor)
    client.sendall(f"{process}\n".encode())
    ended = os.pidfd_open(process)
    if ended not in select.select([ended, client], [], [])[0]:
        os.kill(process, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with suppress(BrokenPipeError):
        client.sendall(f"{code}\n".encode())
    os._exit(0)


def _run(words: list[str], folder: str, environment: dict[str, str], program: str) -> None:
    """Run a program to its end, and end this process as Python does, but for taking all that is imported apart."""
    code = 1
    try:
        _execute(words, folder, environment, program)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _execute(words: list[str], folder: str, environment: dict[str, str], program: str) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.executable = program  # for what it starts in turn
    if words[0] == "-m":
        sys.argv, sys.path[0] = words[1:], folder
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = words, os.path.dirname(os.path.abspath(words[0]))
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    _import_libraries()
    gc.freeze()
    _run(**_serve(Path(sys.argv[1])))
