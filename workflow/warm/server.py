"""A process that has imported large libraries and forks for each script that is to run.

    python workflow/warm/server.py LIBRARY …      the standard input is a listening socket, the output a pipe

It says `ready` and then, of each request, whose it is and which process watches over what runs. It ends with whoever
reads that, after a time without requests, and when a file that it has imported is another one now. Nothing of the
project is imported here, so what runs is always the code that there is.
"""

import atexit
import ctypes
import gc
import importlib.util
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import threading
import traceback
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from place import difference, place_of_process
from start import FORWARDED, end_as, peer

IDLE = 120.0  # seconds
HEAD = 8  # bytes that say how long a request is
LARGEST = 16_000_000  # bytes of a request
PR_SET_PDEATHSIG = 1
OURS = ("place", "start")  # modules that a script of the project may have under the same names


def main(libraries: list[str]) -> None:
    """Import, then serve; in a forked process, run what was asked for."""
    place, before = place_of_process(), dict(os.environ)
    gc.disable()  # what is imported stays: looking for garbage among it costs a tenth of the imports
    for name in libraries:
        importlib.import_module(name)
    if reason := unfit():
        sys.exit(f"error: {reason}")
    gc.collect()
    gc.freeze()  # what is never looked at stays shared
    gc.enable()
    print("ready", flush=True)
    request = serve(socket.socket(fileno=0), place)
    request["environment"] |= dict(os.environ.items() - before.items())  # what libraries have set
    run(request)


def unfit() -> str | None:
    """Why this process cannot be forked; None if it can."""
    if not importlib.util.find_spec("threadpoolctl"):
        return "threadpoolctl is not installed, which tells libraries how many threads they may have"
    if len(os.listdir("/proc/self/task")) > 1:
        return "a library started a thread when it was imported, which a forked process would lack"
    for handle in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # the handle of the list itself
            if (file := os.readlink(f"/proc/self/fd/{handle}")).startswith(("/dev/nvidia", "/dev/kfd", "/dev/dri")):
                return f"a library opened {file} when it was imported, which a forked process cannot use"
    return None


def imported() -> dict[str, tuple[int, int, int]]:
    """What tells whether a file that was imported is still the same one, for each of them."""
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    found = {}
    for file in files - {None}:
        with suppress(OSError):
            about = os.stat(file)
            found[file] = about.st_ino, about.st_mtime_ns, about.st_size
    return found


def serve(listening: socket.socket, place: dict[str, Any]) -> dict[str, Any]:
    """Fork for each request; returns that, in the process that is to run it."""
    for number in FORWARDED - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)  # they may be sent to all of a job
    signal.signal(signal.SIGCHLD, reap)
    listening.setblocking(False)
    files, events = imported(), select.poll()
    events.register(listening, select.POLLIN)
    events.register(1, 0)  # an error of the pipe once nobody reads it
    while True:
        found = dict(events.poll(IDLE * 1000))
        if 1 in found:
            remove_socket(listening)
        if 1 in found or not found or imported() != files:  # a request that waits is another's, who is up to date
            os._exit(0)
        with suppress(BlockingIOError, ConnectionAbortedError):
            client, _ = listening.accept()
            supervisor = os.fork()
            if not supervisor:
                listening.detach()
                return supervised(client, place)
            with suppress(BrokenPipeError):
                os.write(1, f"{peer(client)[0]} {supervisor}\n".encode())
            client.close()


def reap(number: int, frame: FrameType | None) -> None:
    """Take note of supervisors that have ended, so that the time of what they watched over counts as used."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def remove_socket(listening: socket.socket) -> None:
    """Remove the socket and its folder, which a workflow that was killed could not."""
    with suppress(OSError):
        os.unlink(listening.getsockname())
        os.rmdir(os.path.dirname(listening.getsockname()))


def supervised(client: socket.socket, place: dict[str, Any]) -> dict[str, Any]:
    """Watch over what a client asked for until it has ended or the client has; returns the request, in what is to run.

    It ends with this process, too.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # until what runs can take them
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    try:
        request, handles = read(client)
        refusal = difference(request["place"], place)
    except (OSError, ValueError, KeyError, TypeError) as error:
        refusal = f"the request cannot be read ({error})"
    if refusal:
        with suppress(OSError):
            client.sendall(f"-{refusal}".encode())
        os._exit(0)
    supervisor, process = os.getpid(), os.fork()
    if not process:
        client.close()
        # the parent has one thread alone: a parent's death is that of the thread that forked
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            os._exit(1)
        for number, handle in enumerate(handles):
            os.dup2(handle, number)
            os.close(handle)
        return request
    for handle in handles:
        os.close(handle)
    with suppress(OSError):
        os.setpgid(process, request["group"])
    end = os.pidfd_open(process)
    with suppress(OSError):  # the client is gone
        socket.send_fds(client, [b"+"], [end])
    if end not in select.select([end, client], [], [])[0]:
        os.kill(process, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    with suppress(OSError):
        client.sendall(code.to_bytes(4, "big", signed=True))
    os._exit(0)


def read(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """A client's request, and its standard input, output and error.

    Raises:
        ValueError: it is none, or another user's.
    """
    if peer(client)[1] != os.geteuid():
        raise ValueError("it is another user's")
    head, handles, *_ = socket.recv_fds(client, HEAD, 3)
    length = int.from_bytes(head, "big")
    text = client.recv(length, socket.MSG_WAITALL) if len(head) == HEAD and length <= LARGEST else b""
    if len(handles) != 3 or len(text) != length:
        raise ValueError("it is not whole")
    return json.loads(text), handles


def run(request: dict[str, Any]) -> NoReturn:
    """Run a script to its end, and end this process as Python does, but for taking all that is imported apart."""
    code, begun = 1, False
    try:
        become(request)
        begun = True
        runpy.run_path(sys.argv[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code & 0xFF if isinstance(end.code, int) else int(end.code is not None)
        if end.code is not None and not isinstance(end.code, int):
            print(end.code, file=sys.stderr)
    except KeyboardInterrupt:
        if begun:  # before that, no line of the script has run that a reader could look at
            traceback.print_exc()
        code = -signal.SIGINT
    except BaseException:
        traceback.print_exc()
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120  # as Python does
    end_as(code)


def become(request: dict[str, Any]) -> None:
    """Take over from a client what the fork did not bring along."""
    take_threads(request["environment"].get("OMP_NUM_THREADS", ""))
    os.environ.clear()
    os.environ.update(request["environment"])
    tempfile.tempdir = None
    for name in OURS:
        del sys.modules[name]
    sys.argv, sys.executable = request["words"], request["executable"]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    sys.stdout.reconfigure(line_buffering=os.isatty(1))
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        plain = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
        signal.signal(number, signal.SIG_IGN if number in request["ignored"] else plain)
    signal.pthread_sigmask(signal.SIG_SETMASK, request["blocked"])


def take_threads(count: str) -> None:
    """Let the libraries that were loaded with one thread have as many as they would take in a process of their own."""
    cores = len(os.sched_getaffinity(0))
    if count != "1":
        import threadpoolctl  # here: it changes the environment, which comes afterwards

        threadpoolctl.threadpool_limits(min(int(count), cores) if count.isdigit() else cores)


if __name__ == "__main__":
    main(sys.argv[1:])
