"""Run a script in a process forked from one that has imported its libraries, or plainly where there is none.

    python workflow/warm/start.py KIND SCRIPT …     as: python SCRIPT …

A running workflow offers a socket for each kind (`APRBENCH_WARM_SOCKETS`, a folder). This process waits for what runs,
hands on its signals, and ends as it does; killed, it takes that with it. What runs is in the same process group, so a
terminal's Ctrl-C reaches it directly. It imports little: it costs 0.02 s.
"""

import _thread
import json
import os
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import NoReturn

from place import SOCKETS, place_of_process

FORWARDED = {signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2}
OF_TERMINAL = 0x80  # SI_KERNEL: the whole process group got it


class Cold(Exception):
    """No warm process runs this; says why."""


def main() -> NoReturn:
    """Run the script of the command line, warm or plainly."""
    kind, *words = sys.argv[1:]
    folder = os.environ.get(SOCKETS)
    if folder:
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        try:
            run_warm(os.path.join(folder, kind), words, blocked)
        except (Cold, OSError) as reason:
            say(f"starts plainly, not from a warm process: {getattr(reason, 'strerror', None) or reason}", words)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    os.execv(sys.executable, [sys.executable, *words])


def run_warm(path: str, words: list[str], blocked: set[int]) -> None:
    """Run the script and end as it does.

    Raises:
        Cold, OSError: it was not run, or not to its end.
    """
    ignored = {number for number in signal.valid_signals() if signal.getsignal(number) is signal.SIG_IGN}
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)  # blocked, they wait here even where they are ignored
    request = {
        "words": words,
        "executable": sys.executable,
        "environment": dict(os.environ),
        "place": place_of_process(),
        "ignored": sorted(ignored),
        "blocked": sorted(blocked),
        "group": os.getpgrp(),
    }
    text = json.dumps(request).encode()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        if peer(server)[1] != os.geteuid():
            raise Cold("it is another user's")
        with suppress(BrokenPipeError):  # its refusal may have come first
            socket.send_fds(server, [len(text).to_bytes(8, "big")], [0, 1, 2])
            server.sendall(text)
        answer, handles, *_ = socket.recv_fds(server, 1, 1)
        if answer != b"+":
            raise Cold(server.makefile().read() or "it ended before it began" if answer else "it ended")
        process = handles[0]
        _thread.start_new_thread(forward, (process, FORWARDED))
        code = server.recv(4, socket.MSG_WAITALL)
        if len(code) == 4:
            end_as(int.from_bytes(code, "big", signed=True))
        while not ended(process):  # its parent is dead: it is killed by the system
            time.sleep(0.01)
        raise Cold("the process that watched over it was killed; what it had saved is taken up")


def peer(connected: socket.socket) -> tuple[int, int, int]:
    """Process, user and group at the other end."""
    return struct.unpack("3i", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))


def forward(process: int, numbers: set[int]) -> None:
    """Hand on signals, but for those that the terminal has sent to the whole group."""
    while True:
        caught = signal.sigwaitinfo(numbers)
        if caught.si_code != OF_TERMINAL:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, caught.si_signo)


def ended(process: int) -> bool:
    """Whether a process is gone, by its handle."""
    try:
        signal.pidfd_send_signal(process, 0)
    except ProcessLookupError:
        return True
    return False


def end_as(code: int) -> NoReturn:
    """End with an exit code, or by a signal where it is negative."""
    if code < 0:
        with suppress(OSError):  # SIGKILL is as it is
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [-code])
        os.kill(os.getpid(), -code)
    os._exit(code)


def say(text: str, words: list[str]) -> None:
    """Say it on the terminal and in the script's log, if it has one."""
    print(f"{os.path.basename(words[0])}: {text}", file=sys.stderr)
    if "--log" in words[:-1]:
        path = words[words.index("--log") + 1]
        with suppress(OSError):
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with open(path, "a", encoding="utf-8") as log:
                log.write(f"{time.strftime('%H:%M:%S')} {text}\n")


if __name__ == "__main__":
    main()
